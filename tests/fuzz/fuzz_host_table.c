/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's table of hosts. */
#include "manager/registry/host_table.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct host_table t;
	struct err e;

	if (host_table_parse((const char *)bytes, len, "hosts", &t, &e) < 0) {
		assert(strncmp(e.text, "hosts:", 6) == 0);
		return 0;
	}
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
	return 0;
}
