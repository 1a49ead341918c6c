/* SPDX-License-Identifier: Apache-2.0 */
/* admin_usage.c — Usage: what the CVMs of workspaces ran in a month. */
#include "computations/admin/admin.h"
#include "computations/core/usage_message.h"
#include "computations/machines/machines.h"
#include "computations/store/store_billing.h"
#include "computations/store/usage_fold.h"

#include <string.h>

struct usage_request {
	struct usage_month month;
	struct usage_row rows[USAGE_PAGE_MAX];
	struct usage_after after;
	char *place;                    /* that `after` lends from */
	struct billing_account account; /* that it is of; NULL names: none */
	char *account_name;
	size_t limit;
	int64_t now;
	bool is_summed;
};

void admin_usage_free(struct usage_request *usage)
{
	if (!usage)
		return;
	for (size_t i = 0; i < USAGE_PAGE_MAX; i++)
		usage_row_done(&usage->rows[i]);
	billing_account_done(&usage->account);
	free(usage->account_name);
	free(usage->place);
	free(usage);
}

/* To who does not administer the service there is none. */
static int find_account(struct store *store, struct request *r, struct usage_query *query,
			struct err *e)
{
	struct usage_request *usage = r->usage;

	if (!*usage->account_name)
		return 0;
	if (admin_access_check(store, &r->caller, DEED_OPERATE, "", e) < 0)
		return e->code == ERR_DENIED ? billing_unknown(usage->account_name, e)
					     : err_code(e);
	if (billing_find(store, usage->account_name, usage->now, &usage->account, e) < 0)
		return err_code(e);
	query->account = usage->account.number;
	return 0;
}

static int run_usage(struct store *store, struct request *r, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct usage_request *usage = r->usage;
	struct usage_query query = { .month = &usage->month,
				     .after = usage->after,
				     .max = usage->limit };

	if (find_account(store, r, &query, e) < 0)
		return err_code(e);
	if (*r->workspace &&
	    admin_access_workspace(store, &r->caller, DEED_LOOK, r->workspace, &w, e) < 0)
		return err_code(e);
	query.workspace = w.number;
	/* Who administers the service sees all, with a token that lets him. */
	query.person = r->caller.rights.operates ? 0 : r->caller.who.person;
	if (usage_is_folded(store, &query, &usage->is_summed, e) < 0)
		return err_code(e);
	return store_usage(store, &query, usage->rows, &r->count, e);
}

/* Of the month that has not ended: what held in another one is not known. */
static bool limit_of(struct request *r, const struct usage_row *row,
		     Computations__UsageLimit *limit)
{
	const struct manager_table *table = machines_table(r->service->machines);
	const struct usage_request *usage = r->usage;
	struct machine_quota quota;

	if (row->is_removed || usage->now < usage->month.since ||
	    usage->now >= usage->month.until ||
	    !manager_table_quota_of(table, row->workspace, &quota))
		return false;
	return usage_message_limit(limit, &quota);
}

/* As limit_of(). */
static void put_plan(const struct request *r, Computations__UsageResponse *response,
		     Computations__UsageLimit *limit)
{
	const struct usage_request *usage = r->usage;
	const struct usage_plan *plan;

	if (!usage->account.plan)
		return;
	response->plan = usage->account.plan;
	plan = usage_plan_find(&machines_table(r->service->machines)->plans, usage->account.plan);
	if (plan && usage->now >= usage->month.since && usage->now < usage->month.until &&
	    usage_message_limit(limit, &plan->quota))
		response->plan_limit = limit;
}

static void reply_usage(struct request *r)
{
	Computations__UsageResponse response = COMPUTATIONS__USAGE_RESPONSE__INIT;
	Computations__Usage out[USAGE_PAGE_MAX], *pointers[USAGE_PAGE_MAX];
	Computations__UsageLimit limits[USAGE_PAGE_MAX], plan_limit;
	struct usage_request *usage = r->usage;
	CLEANUP(free) char *next = NULL;
	Google__Protobuf__Timestamp now;
	struct err e;

	for (size_t i = 0; i < r->count; i++) {
		const struct usage_row *row = &usage->rows[i];

		usage_message_fill(&out[i], row);
		if (limit_of(r, row, &limits[i]))
			out[i].limit = &limits[i];
		pointers[i] = &out[i];
	}
	if (r->count == usage->limit) {
		const struct usage_row *last = &usage->rows[r->count - 1];
		const struct usage_after behind = { last->workspace_number, last->kind,
						    last->computation };

		if (usage_after_format(&behind, &next, &e) < 0) {
			rpc_call_finish(r->call, &e);
			return;
		}
	}
	response.rows = pointers;
	response.n_rows = r->count;
	if (next)
		response.next = next;
	response.month = usage->month.name;
	put_plan(r, &response, &plan_limit);
	response.summed = usage->is_summed;
	response.now = admin_message_time(&now, usage->now);
	rpc_call_reply(r->call, &response.base);
}

static int take(struct request *r, const Computations__UsageRequest *m, struct err *e)
{
	struct usage_request *usage = calloc(1, sizeof(*usage));

	if (!usage)
		return err_nomem(e);
	r->usage = usage;
	usage->now = store_now();
	usage->limit = m->limit && m->limit < USAGE_PAGE_MAX ? m->limit : USAGE_PAGE_MAX;
	usage->place = strdup(m->after);
	usage->account_name = strdup(m->account);
	if (!usage->place || !usage->account_name)
		return err_nomem(e);
	if (*m->account && *m->workspace)
		return err_set(e, ERR_INVALID,
			       "usage is of an account or of a workspace: name one of them");
	if (usage_month_parse(m->month, usage->now, &usage->month, e) < 0 ||
	    usage_after_parse(usage->place, &usage->after, e) < 0)
		return err_code(e);
	return request_in_workspace(r, m->workspace, e);
}

void admin_usage(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_new(call, "");
	struct err e;

	if (!r)
		return;
	if (take(r, (const Computations__UsageRequest *)message, &e) < 0) {
		request_refuse(r, &e);
		return;
	}
	r->run = run_usage;
	r->reply = reply_usage;
	request_start(r);
}
