/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/usage_limit.h"

#include "common/usage/usage_share.h"
#include "computations/store/store_tell.h"

#include <string.h>

#define SPENT "its workspace's limit is reached: "

static const int64_t ms_in_hour = 3600 * 1000, mib_s_in_gib_hour = INT64_C(1024) * 3600;

static void say(struct usage_standing *standing, uint64_t limit, const char *what,
		const char *month)
{
	unsigned long long all = limit;

	if (standing->level == USAGE_SPENT)
		snprintf(standing->text, sizeof(standing->text), "the %llu %s of %s are used", all,
			 what, month);
	else
		snprintf(standing->text, sizeof(standing->text),
			 "%d %% of its workspace's %llu %s of %s are used: once all are, it is "
			 "removed",
			 USAGE_NEARLY_PERCENT, all, what, month);
}

void usage_limit_judge(const struct usage_sums *sums, const struct machine_quota *quota,
		       const struct usage_month *month, struct usage_standing *standing)
{
	const struct {
		const char *what;
		int64_t used, unit;
		uint64_t limit;
	} rows[] = {
		{ "CVM-hours", sums->cvm_ms, ms_in_hour, quota->cvm_hours },
		{ "CPU-hours", sums->cpu_ms, ms_in_hour, quota->cpu_hours },
		{ "GiB-hours of memory", sums->memory_mib_s, mib_s_in_gib_hour,
		  quota->memory_hours },
	};

	*standing = (struct usage_standing){ .level = USAGE_WITHIN };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t all = (int64_t)rows[i].limit * rows[i].unit;
		enum usage_level level;

		if (rows[i].limit > USAGE_LIMIT_MAX) /* none */
			continue;
		level = rows[i].used >= all                                ? USAGE_SPENT
			: rows[i].used >= all / 100 * USAGE_NEARLY_PERCENT ? USAGE_NEARLY
									   : USAGE_WITHIN;
		if (level <= standing->level)
			continue;
		standing->level = level;
		say(standing, rows[i].limit, rows[i].what, month->name);
	}
}

int usage_limit_standing(struct store *store, int64_t workspace, const struct machine_quota *quota,
			 int64_t now, struct usage_standing *standing, struct err *e)
{
	struct usage_month month;
	struct usage_sums sums;

	if (usage_month_parse("", now, &month, e) < 0 ||
	    store_usage_sums(store, workspace, &month, &sums, e) < 0)
		return err_code(e);
	usage_limit_judge(&sums, quota, &month, standing);
	return 0;
}

int usage_limit_check(struct store *store, int64_t workspace, const struct machine_quota *quota,
		      int64_t now, struct err *e)
{
	struct usage_standing standing;

	if (usage_limit_standing(store, workspace, quota, now, &standing, e) < 0)
		return err_code(e);
	if (standing.level != USAGE_SPENT)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       SPENT "%s; wait for the next month (UTC), or ask the service's "
			     "administrators for more",
		       standing.text);
}

static int end(struct store *store, int64_t machine, const char *why, struct err *e)
{
	char reason[MACHINE_REASON_MAX + 1];

	snprintf(reason, sizeof(reason), SPENT "%s", why);
	if (store_machine_leave(store, machine, true, e) < 0)
		return err_code(e);
	return store_machine_note(store, machine, reason, e);
}

int usage_limit_apply(struct store *store, int64_t machine, const struct machine_quota *quota,
		      int64_t now, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	struct usage_standing standing;
	struct usage_month month;

	if (store_machine_at(store, machine, &m, e) < 0 ||
	    usage_month_parse("", now, &month, e) < 0 ||
	    usage_limit_standing(store, m.workspace_number, quota, now, &standing, e) < 0)
		return err_code(e);
	if (standing.level != USAGE_WITHIN &&
	    store_tell_usage(&store->db, &store->has_told, m.workspace_number,
			     standing.level == USAGE_SPENT, month.name, e) < 0)
		return err_code(e);
	if (m.phase != MACHINE_MADE) /* somebody has it removed meanwhile */
		return 0;
	return standing.level == USAGE_SPENT ? end(store, machine, standing.text, e)
					     : store_machine_note(store, machine, standing.text, e);
}

const char *usage_limit_reason(const struct machine *m)
{
	return m->phase == MACHINE_LEAVING && strncmp(m->reason, SPENT, strlen(SPENT)) == 0
		       ? m->reason
		       : "";
}
