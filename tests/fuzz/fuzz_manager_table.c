/* SPDX-License-Identifier: Apache-2.0 */
/* The table of managers and limits. */
#include "computations/machines/manager_table.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct manager_table t;

static void check_manager(size_t at)
{
	const struct manager_row *row = &t.rows[at], *found;
	struct err e;

	assert(*row->name && *row->address && *row->agents);
	assert(strncmp(row->agents, "unix:", 5) != 0);
	assert(!*row->files[MANAGER_CERT] == !*row->files[MANAGER_KEY]);
	assert(!*row->files[MANAGER_AGENTS_CERT] == !*row->files[MANAGER_AGENTS_KEY]);
	for (int f = 0; f < MANAGER_FILES; f++)
		assert(!*row->files[f] || row->files[f][0] == '/');
	for (size_t k = 0; k < at; k++)
		assert(strcmp(row->name, t.rows[k].name) &&
		       strcmp(row->address, t.rows[k].address));
	assert(manager_table_find(&t, row->name, &found, &e) == 0 && found == row);
}

static void check_limit(size_t at)
{
	const struct manager_limit *limit = &t.limits[at];
	struct machine_quota quota;
	struct err e;

	assert(*limit->workspace && limit->quota.cvms <= MACHINES_MAX);
	assert(manager_table_limits(&t, limit->workspace));
	assert(limit->quota.cpu_hours && limit->quota.cvm_hours && limit->quota.memory_hours);
	assert(limit->quota.cpu_hours == UINT64_MAX || limit->quota.cpu_hours <= USAGE_LIMIT_MAX);
	if (manager_table_quota(&t, limit->workspace, &quota, &e) == 0)
		assert(memcmp(&quota, &limit->quota, sizeof(quota)) == 0 && quota.cvms);
	else
		assert(e.code == ERR_DENIED && !limit->quota.cvms);
}

static void check_plan(size_t at)
{
	const struct usage_plan *plan = &t.plans.rows[at];
	const uint64_t hours[] = { plan->quota.cvm_hours, plan->quota.cpu_hours,
				   plan->quota.memory_hours };
	bool limits = false;

	assert(*plan->name && usage_plan_find(&t.plans, plan->name) == plan);
	for (size_t i = 0; i < ARRAY_LEN(hours); i++) {
		assert(hours[i] && (hours[i] == UINT64_MAX || hours[i] <= USAGE_LIMIT_MAX));
		limits |= hours[i] != UINT64_MAX;
	}
	assert(limits && plan->quota.cvms == UINT64_MAX && plan->quota.memory == UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct manager_row *found;
	struct machine_quota quota;
	struct err e;

	if (manager_table_parse((const char *)bytes, len, "managers", &t, &e) < 0) {
		assert(strncmp(e.text, "managers:", 9) == 0);
		return 0;
	}
	assert(t.count > 0 && t.count <= MANAGERS_MAX && t.limit_count <= MANAGER_LIMITS_MAX);
	for (size_t i = 0; i < t.count; i++)
		check_manager(i);
	for (size_t i = 0; i < t.limit_count; i++)
		check_limit(i);
	assert(t.plans.count <= USAGE_PLANS_MAX);
	for (size_t i = 0; i < t.plans.count; i++)
		check_plan(i);
	assert((manager_table_find(&t, "", &found, &e) == 0) == (t.count == 1));
	assert(manager_table_find(&t, "none at all", &found, &e) < 0);
	(void)!manager_table_quota(&t, "none at all", &quota, &e);
	t.count = 0;
	assert(manager_table_find(&t, "", &found, &e) == -ERR_PRECONDITION);
	return 0;
}
