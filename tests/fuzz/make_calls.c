/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_calls.c — writes the inputs of the fuzz targets whose input is a program of commands again:
 * make_calls FOLDER, where FOLDER is tests/fuzz. Each run writes the same bytes. Not run by any test;
 * the files are saved.
 */
#include "tests/fuzz/make_calls.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

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
	if (argc != 2) {
		fprintf(stderr, "usage: make_calls tests/fuzz\n");
		return 2;
	}
	folder = argv[1];
	calls_access();
	calls_agent_calls();
	calls_agent_config();
	calls_image();
	calls_keeper_answers();
	calls_manager_calls();
	calls_registry_rows();
	calls_rpc_prologue();
	calls_service_calls();
	calls_store_rows();
	return 0;
}
