/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/usage_limit.h"

#include "common/usage/usage_share.h"
#include "computations/store/store_billing.h"
#include "computations/store/store_tell.h"

#include <string.h>

static const char *const spent[] = { "its workspace's limit is reached: ",
				     "its account's limit is reached: " };

static const int64_t ms_in_hour = 3600 * 1000, mib_s_in_gib_hour = INT64_C(1024) * 3600;

const struct usage_plan *usage_plan_find(const struct usage_plans *plans, const char *name)
{
	for (size_t i = 0; i < plans->count; i++)
		if (strcmp(plans->rows[i].name, name) == 0)
			return &plans->rows[i];
	return NULL;
}

static void say(struct usage_standing *standing, uint64_t limit, const char *what,
		const char *month)
{
	unsigned long long all = limit;

	if (standing->level == USAGE_SPENT)
		snprintf(standing->text, sizeof(standing->text), "the %llu %s of %s are used", all,
			 what, month);
	else
		snprintf(standing->text, sizeof(standing->text),
			 "%d %% of its %s's %llu %s of %s are used: once all are, it is "
			 "removed",
			 USAGE_NEARLY_PERCENT, standing->is_account ? "account" : "workspace", all,
			 what, month);
}

static void judge(const struct usage_sums *sums, const struct machine_quota *quota,
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

void usage_limit_judge(const struct usage_sums *sums, const struct machine_quota *quota,
		       const struct usage_month *month, struct usage_standing *standing)
{
	*standing = (struct usage_standing){ .level = USAGE_WITHIN };
	judge(sums, quota, month, standing);
}

int usage_limit_standing(struct store *store, int64_t workspace, const struct machine_quota *quota,
			 int64_t now, struct usage_standing *standing, struct err *e)
{
	struct usage_month month;
	const struct usage_query query = { .month = &month, .workspace = workspace };
	struct usage_sums sums;

	if (usage_month_parse("", now, &month, e) < 0 ||
	    store_usage_sums(store, &query, &sums, e) < 0)
		return err_code(e);
	usage_limit_judge(&sums, quota, &month, standing);
	return 0;
}

/* Of an account with all its workspaces. */
static int account_standing(struct store *store, const struct billing_account *account,
			    const struct usage_plans *plans, const struct usage_month *month,
			    struct usage_standing *standing, struct err *e)
{
	const struct usage_query query = { .month = month, .account = account->number };
	const struct usage_plan *plan = usage_plan_find(plans, account->plan);
	struct usage_sums sums;

	if (!plan) {
		standing->has_no_plan = true;
		snprintf(standing->text, sizeof(standing->text),
			 "account %s has plan %s, which is none any more: ask the service's "
			 "administrators for another one",
			 account->name, account->plan);
		return 0;
	}
	if (store_usage_sums(store, &query, &sums, e) < 0)
		return err_code(e);
	judge(&sums, &plan->quota, month, standing);
	return 0;
}

/* Of who pays for a workspace; within all if nobody does. Who has to be told is. */
static int payer_standing(struct store *store, int64_t workspace, const struct usage_plans *plans,
			  int64_t now, bool tells, struct usage_standing *standing, struct err *e)
{
	struct billing_account account = { .name = NULL };
	struct usage_month month;
	bool is_paid;
	int failed;

	*standing = (struct usage_standing){ .level = USAGE_WITHIN, .is_account = true };
	if (usage_month_parse("", now, &month, e) < 0 ||
	    billing_payer(store, workspace, &month, &account, &is_paid, e) < 0)
		return err_code(e);
	failed = is_paid ? account_standing(store, &account, plans, &month, standing, e) : 0;
	if (!failed && tells && standing->level != USAGE_WITHIN)
		failed = billing_tell_limit(store, &account, standing->level == USAGE_SPENT, &month,
					    e);
	billing_account_done(&account);
	return failed;
}

static int refuse(const struct usage_standing *standing, struct err *e)
{
	if (standing->has_no_plan)
		return err_set(e, ERR_PRECONDITION, "%s", standing->text);
	if (standing->level != USAGE_SPENT)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "%s%s; wait for the next month (UTC), or ask the service's "
		       "administrators for more",
		       spent[standing->is_account], standing->text);
}

int usage_limit_check(struct store *store, int64_t workspace, const struct machine_quota *quota,
		      const struct usage_plans *plans, int64_t now, struct err *e)
{
	struct usage_standing standing;

	if (usage_limit_standing(store, workspace, quota, now, &standing, e) < 0 ||
	    refuse(&standing, e) < 0 ||
	    payer_standing(store, workspace, plans, now, false, &standing, e) < 0)
		return err_code(e);
	return refuse(&standing, e);
}

static int end(struct store *store, int64_t machine, const struct usage_standing *standing,
	       struct err *e)
{
	char reason[MACHINE_REASON_MAX + 1];

	snprintf(reason, sizeof(reason), "%s%s", spent[standing->is_account], standing->text);
	if (store_machine_leave(store, machine, true, e) < 0)
		return err_code(e);
	return store_machine_note(store, machine, reason, e);
}

int usage_limit_apply(struct store *store, int64_t machine, const struct machine_quota *quota,
		      const struct usage_plans *plans, int64_t now, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	struct usage_standing standing, payer;
	struct usage_month month;

	if (store_machine_at(store, machine, &m, e) < 0 ||
	    usage_month_parse("", now, &month, e) < 0 ||
	    usage_limit_standing(store, m.workspace_number, quota, now, &standing, e) < 0 ||
	    payer_standing(store, m.workspace_number, plans, now, true, &payer, e) < 0)
		return err_code(e);
	if (standing.level != USAGE_WITHIN &&
	    store_tell_usage(&store->db, &store->has_told, m.workspace_number,
			     standing.level == USAGE_SPENT, month.name, e) < 0)
		return err_code(e);
	if (payer.level > standing.level || (payer.has_no_plan && standing.level == USAGE_WITHIN))
		standing = payer;
	if (m.phase != MACHINE_MADE) /* somebody has it removed meanwhile */
		return 0;
	return standing.level == USAGE_SPENT ? end(store, machine, &standing, e)
					     : store_machine_note(store, machine, standing.text, e);
}

const char *usage_limit_reason(const struct machine *m)
{
	for (size_t i = 0; m->phase == MACHINE_LEAVING && i < ARRAY_LEN(spent); i++)
		if (strncmp(m->reason, spent[i], strlen(spent[i])) == 0)
			return m->reason;
	return "";
}
