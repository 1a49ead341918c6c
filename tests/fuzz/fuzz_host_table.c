/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's table of hosts. */
#include "common/base/cleanup.h"
#include "manager/registry/host_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct host_table t;

static void check(void)
{
	assert(t.count > 0 && t.count <= HOSTS_MAX);
	for (size_t i = 0; i < t.count; i++) {
		const struct host_row *a = &t.rows[i];

		assert(host_name_is_valid(a->name) && *a->pool);
		assert(a->tees[DOMAIN_PLAIN] || a->tees[DOMAIN_SNP] || a->tees[DOMAIN_TDX]);
		assert(host_row_is_local(a) == !*a->address);
		assert(strncmp(a->uri, "qemu", 4) == 0 && strstr(a->uri, "/system"));
		/* No second option, however it is parted or written. */
		assert(!strpbrk(a->uri, "%&;#'\"<> \t"));
		assert(!strstr(a->uri, "no_verify") || strstr(a->uri, "=/"));
		assert(a->cpus <= HOST_CPUS_LIMIT && a->memory <= HOST_MEMORY_LIMIT &&
		       a->machines <= HOST_MACHINES_LIMIT);
		for (size_t k = 0; k < i; k++)
			assert(strcmp(a->name, t.rows[k].name) && strcmp(a->uri, t.rows[k].uri));
	}
}

/* The first two lines are name and URI of one more, the rest is what is said of it. */
static void add(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = strndup((const char *)bytes, len);
	char *name = text, *uri, *words;
	size_t before = t.count;
	struct err e;

	assert(text);
	if (!(uri = strchr(name, '\n')) || !(words = strchr(uri + 1, '\n')))
		return;
	*uri++ = *words++ = '\0';
	if (host_table_add(&t, name, uri, words, &e) < 0) {
		assert(*e.text && strncmp(e.text, "hosts:", 6) != 0 && t.count == before);
		return;
	}
	assert(t.count == before + 1);
	assert(strcmp(t.rows[before].name, name) == 0 && strcmp(t.rows[before].uri, uri) == 0);
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err e;

	if (host_table_parse((const char *)bytes, len, "hosts", &t, &e) < 0)
		assert(strncmp(e.text, "hosts:", 6) == 0);
	else
		check();
	t.count = 0;
	add(bytes, len);
	add(bytes, len); /* is there by now */
	return 0;
}
