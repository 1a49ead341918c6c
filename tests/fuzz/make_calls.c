/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_calls.c — writes the inputs of the fuzz targets whose input is a program of commands again:
 * make_calls FOLDER, where FOLDER is tests/fuzz. Each run writes the same bytes; scripts_fuzz_reach
 * compares them with those that are saved.
 */
#include "tests/fuzz/make_calls.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "tests/fuzz/make_usage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

void calls_save(const char *name, struct writer *w)
{
	CLEANUP(free) char *path = NULL, *dir = NULL;
	struct err e;

	assert(!w->bad && text_format(&path, &e, "%s/corpus/%s", folder, name) == 0);
	dir = strdup(path);
	assert(dir);
	*strrchr(dir, '/') = '\0';
	assert(dir_make(dir, 0755, &e) == 0);
	assert(file_write(path, w->bytes, w->len, 0644, &e) == 0);
	writer_done(w);
}

void calls_save_to(const char *target, const char *name, struct writer *w)
{
	CLEANUP(free) char *path = NULL;
	struct err e;

	assert(text_format(&path, &e, "%s/%s", target, name) == 0);
	calls_save(path, w);
}

struct writer calls_begin(uint8_t first)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);

	writer_u8(&w, first);
	return w;
}

void calls_put_corpus(struct writer *w, const char *name)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	assert(text_format(&path, &e, "%s/corpus/%s", folder, name) == 0);
	assert(file_read(path, CALLS_INPUT_MAX, &bytes, &len, &e) == 0);
	writer_be32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

int main(int argc, char **argv)
{
	int wrong = make_usage(
		argc, argv, "make_calls",
		"Writes the inputs that are programs of commands, the same bytes each time.");

	if (wrong >= 0)
		return wrong;
	folder = argv[1];
	calls_access();
	calls_agent_answers();
	calls_agent_calls();
	calls_agent_config();
	calls_cli();
	calls_cvms();
	calls_hook_post();
	calls_image();
	calls_keeper_answers();
	calls_mail_post();
	calls_manager_calls();
	calls_billing_calls();
	calls_certificate_calls();
	calls_people_calls();
	calls_registry_rows();
	calls_registry_leases();
	calls_registry_managers();
	calls_relay_hub();
	calls_rpc_prologue();
	calls_service_answers();
	calls_service_calls();
	calls_store_rows();
	return 0;
}
