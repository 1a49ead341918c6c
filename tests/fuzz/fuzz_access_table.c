/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's table of who may call. */
#include "common/access/access_table.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct access_table *t;
	bool has_operator = false;
	struct err e;

	if (access_table_parse((const char *)bytes, len, "access.conf", &t, &e) < 0) {
		assert(strncmp(e.text, "access.conf:", 12) == 0);
		return 0;
	}
	assert(t->rule_count <= ACCESS_RULES_MAX && t->tenant_count <= ACCESS_TENANTS_MAX);
	for (size_t i = 0; i < t->tenant_count; i++)
		assert(access_name_is_valid(t->tenants[i].name));
	for (size_t i = 0; i < t->rule_count; i++) {
		const struct access_rule *a = &t->rules[i];

		assert(!a->tenant ||
		       (a->tenant >= t->tenants && a->tenant < t->tenants + t->tenant_count));
		assert((a->kind == ACCESS_UID || a->kind == ACCESS_GID) == !a->text);
		has_operator = has_operator || !a->tenant;
		/* Nobody is known as two. */
		for (size_t k = 0; k < i && i < 64; k++)
			assert(a->kind != t->rules[k].kind || a->number != t->rules[k].number ||
			       (a->text && strcmp(a->text, t->rules[k].text) != 0));
	}
	assert(has_operator);
	access_table_free(t);
	return 0;
}
