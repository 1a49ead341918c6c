/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_billing.h"

#include "billing.pb-c.h"
#include "billing_paths.h"
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_people.h"
#include "computations/machines/machines.h"
#include "computations/store/store_billing.h"
#include "computations/store/store_usage.h"
#include "google/protobuf/empty.pb-c.h"
#include "proto/descriptors.h"

#include <string.h>

/* What such a call is about, and what it found. The request's id is the account's name. */
struct billing_request {
	char *word; /* a plan, a workspace, or a place in the list */
	size_t limit;
	struct billing_account rows[BILLING_PAGE_MAX]; /* or the one, in front */
	char *places[BILLING_PLACES_MAX];
	size_t place_count;
	struct usage_month month;
	struct usage_sums sums; /* of the one */
};

void admin_billing_free(struct billing_request *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < BILLING_PAGE_MAX; i++)
		billing_account_done(&b->rows[i]);
	for (size_t i = 0; i < b->place_count; i++)
		free(b->places[i]);
	free(b->word);
	free(b);
}

/* NULL as from request_new(). */
static struct request *request_of(struct rpc_call *call, const char *name, const char *word)
{
	struct request *r = request_new(call, name);
	struct err e;

	if (!r)
		return NULL;
	r->billing = calloc(1, sizeof(*r->billing));
	if (r->billing && (r->billing->word = strdup(word)))
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

static const struct usage_plans *plans_of(const struct request *r)
{
	return &machines_table(r->service->machines)->plans;
}

static int check_plan(const struct request *r, struct err *e)
{
	const struct usage_plans *plans = plans_of(r);

	if (usage_plan_find(plans, r->billing->word))
		return 0;
	return err_set(e, ERR_NOT_FOUND, "no plan %s: %s", log_quote(r->billing->word).text,
		       plans->count ? "'cocos-cli billing plans' shows what is there"
				    : "add a line 'plan NAME cpu-hours=N' to "
				      "COMPUTATIONS_MANAGERS");
}

/* ---- in the pool ---- */

static int find(struct store *store, struct request *r, struct err *e)
{
	struct billing_request *b = r->billing;

	billing_account_done(&b->rows[0]);
	return billing_find(store, r->id, store_now(), &b->rows[0], e);
}

/* What its row, and its month, are now. */
static int look(struct store *store, struct request *r, struct err *e)
{
	struct billing_request *b = r->billing;
	const int64_t now = store_now();
	struct usage_query query = { .month = &b->month };

	if (find(store, r, e) < 0 || usage_month_parse("", now, &b->month, e) < 0 ||
	    billing_places(store, b->rows[0].number, now, BILLING_PLACES_MAX, b->places,
			   &b->place_count, e) < 0)
		return err_code(e);
	query.account = b->rows[0].number;
	return store_usage_sums(store, &query, &b->sums, e);
}

static int run_create(struct store *store, struct request *r, struct err *e)
{
	struct billing_request *b = r->billing;

	if (check_plan(r, e) < 0 ||
	    billing_add(store, r->id, b->word, r->caller.who.name, store_now(), e) < 0 ||
	    look(store, r, e) < 0)
		return err_code(e);
	request_is(r, "plan %s", b->word);
	return 0;
}

static int run_show(struct store *store, struct request *r, struct err *e)
{
	return look(store, r, e);
}

static int run_set_plan(struct store *store, struct request *r, struct err *e)
{
	struct billing_request *b = r->billing;

	if (find(store, r, e) < 0 || check_plan(r, e) < 0)
		return err_code(e);
	request_was(r, "plan %s", b->rows[0].plan);
	if (billing_set_plan(store, b->rows[0].number, b->word, e) < 0 || look(store, r, e) < 0)
		return err_code(e);
	request_is(r, "plan %s", b->rows[0].plan);
	return 0;
}

static int change_place(struct store *store, struct request *r, bool gives, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct billing_request *b = r->billing;

	if (find(store, r, e) < 0 || workspace_find(&store->db, b->word, &w, e) < 0)
		return err_code(e);
	request_was(r, "pays for %lld workspaces", (long long)b->rows[0].workspaces);
	if ((gives ? billing_give(store, &b->rows[0], w.number, store_now(), e)
		   : billing_take(store, &b->rows[0], w.number, store_now(), e)) < 0 ||
	    look(store, r, e) < 0)
		return err_code(e);
	request_is(r, "%s for workspace %s", gives ? "pays" : "pays no more", w.name);
	return 0;
}

static int run_give(struct store *store, struct request *r, struct err *e)
{
	return change_place(store, r, true, e);
}

static int run_take(struct store *store, struct request *r, struct err *e)
{
	return change_place(store, r, false, e);
}

static int run_remove(struct store *store, struct request *r, struct err *e)
{
	const struct billing_account *a = &r->billing->rows[0];

	if (find(store, r, e) < 0)
		return err_code(e);
	request_was(r, "plan %s", a->plan);
	if (billing_remove(store, a, e) < 0)
		return err_code(e);
	request_is(r, "removed");
	return 0;
}

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct billing_request *b = r->billing;

	return billing_list(store, b->word, store_now(), b->limit, b->rows, &r->count, e);
}

static int run_plans(struct store *store, struct request *r, struct err *e)
{
	(void)store;
	(void)r;
	(void)e;
	return 0;
}

/* ---- messages ---- */

static uint64_t or_none(uint64_t hours)
{
	return hours == UINT64_MAX ? 0 : hours;
}

static void fill_plan(Billing__Plan *out, const struct usage_plan *plan)
{
	billing__plan__init(out);
	out->name = (char *)(uintptr_t)plan->name;
	out->cvm_hours = or_none(plan->quota.cvm_hours);
	out->cpu_hours = or_none(plan->quota.cpu_hours);
	out->memory_gib_hours = or_none(plan->quota.memory_hours);
}

struct account_message {
	Billing__Account m;
	Billing__Plan plan;
	Google__Protobuf__Timestamp created;
};

static void fill(struct account_message *out, const struct request *r,
		 const struct billing_account *a)
{
	const struct usage_plan *plan = usage_plan_find(plans_of(r), a->plan);

	billing__account__init(&out->m);
	out->m.name = a->name;
	out->m.plan = a->plan;
	out->m.unknown = !plan;
	out->m.maker = a->maker;
	out->m.created = people_time(&out->created, a->created);
	out->m.places = (uint64_t)a->workspaces;
	if (plan) {
		fill_plan(&out->plan, plan);
		out->m.limits = &out->plan;
	}
}

static void reply_one(struct request *r)
{
	struct billing_request *b = r->billing;
	struct account_message out;

	fill(&out, r, &b->rows[0]);
	out.m.workspaces = b->places;
	out.m.n_workspaces = b->place_count;
	out.m.month = b->month.name;
	out.m.cvm_ms = (uint64_t)b->sums.cvm_ms;
	out.m.cpu_ms = (uint64_t)b->sums.cpu_ms;
	out.m.memory_mib_seconds = (uint64_t)b->sums.memory_mib_s;
	rpc_call_reply(r->call, &out.m.base);
}

static void reply_list(struct request *r)
{
	Billing__ListResponse response = BILLING__LIST_RESPONSE__INIT;
	struct account_message out[BILLING_PAGE_MAX];
	Billing__Account *pointers[BILLING_PAGE_MAX];
	struct billing_request *b = r->billing;

	for (size_t i = 0; i < r->count; i++) {
		fill(&out[i], r, &b->rows[i]);
		pointers[i] = &out[i].m;
	}
	response.accounts = pointers;
	response.n_accounts = r->count;
	if (r->count == b->limit)
		response.next = b->rows[r->count - 1].name;
	rpc_call_reply(r->call, &response.base);
}

static void reply_plans(struct request *r)
{
	Billing__PlansResponse response = BILLING__PLANS_RESPONSE__INIT;
	Billing__Plan out[USAGE_PLANS_MAX], *pointers[USAGE_PLANS_MAX];
	const struct usage_plans *plans = plans_of(r);

	for (size_t i = 0; i < plans->count; i++) {
		fill_plan(&out[i], &plans->rows[i]);
		pointers[i] = &out[i];
	}
	response.plans = pointers;
	response.n_plans = plans->count;
	rpc_call_reply(r->call, &response.base);
}

/* ---- calls ---- */

static void start(struct rpc_call *call, const char *name, const char *word,
		  int (*run)(struct store *store, struct request *r, struct err *e),
		  void (*reply)(struct request *r))
{
	struct request *r = request_of(call, name, word);

	if (r)
		people_start(r, run, reply);
}

static void on_create(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Billing__CreateRequest *m = (const Billing__CreateRequest *)message;

	start(call, m->name, m->plan, run_create, reply_one);
}

static void on_list(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Billing__ListRequest *m = (const Billing__ListRequest *)message;
	struct request *r = request_of(call, "", m->after);

	if (!r)
		return;
	r->billing->limit = m->limit && m->limit < BILLING_PAGE_MAX ? m->limit : BILLING_PAGE_MAX;
	people_start(r, run_list, reply_list);
}

static void on_show(struct rpc_call *call, const ProtobufCMessage *message)
{
	start(call, ((const Billing__AccountRequest *)message)->name, "", run_show, reply_one);
}

static void on_set_plan(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Billing__SetPlanRequest *m = (const Billing__SetPlanRequest *)message;

	start(call, m->name, m->plan, run_set_plan, reply_one);
}

static void on_give(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Billing__PlaceRequest *m = (const Billing__PlaceRequest *)message;

	start(call, m->name, m->workspace, run_give, reply_one);
}

static void on_take(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Billing__PlaceRequest *m = (const Billing__PlaceRequest *)message;

	start(call, m->name, m->workspace, run_take, reply_one);
}

static void on_remove(struct rpc_call *call, const ProtobufCMessage *message)
{
	start(call, ((const Billing__AccountRequest *)message)->name, "", run_remove,
	      people_reply_empty);
}

static void on_plans(struct rpc_call *call, const ProtobufCMessage *message)
{
	(void)message;
	start(call, "", "", run_plans, reply_plans);
}

#define METHOD(path_, request_, response_, message_)                                     \
	{ .method = { path_, RPC_UNARY, &billing__##request_##__descriptor, response_ }, \
	  .message = message_ }
#define ANSWER(name_) &billing__##name_##__descriptor

static const struct rpc_handler handlers[] = {
	METHOD(PROTO_BILLING_CREATE, create_request, ANSWER(account), on_create),
	METHOD(PROTO_BILLING_LIST, list_request, ANSWER(list_response), on_list),
	METHOD(PROTO_BILLING_SHOW, account_request, ANSWER(account), on_show),
	METHOD(PROTO_BILLING_SET_PLAN, set_plan_request, ANSWER(account), on_set_plan),
	METHOD(PROTO_BILLING_GIVE, place_request, ANSWER(account), on_give),
	METHOD(PROTO_BILLING_TAKE, place_request, ANSWER(account), on_take),
	METHOD(PROTO_BILLING_REMOVE, account_request, &google__protobuf__empty__descriptor,
	       on_remove),
	METHOD(PROTO_BILLING_PLANS, plans_request, ANSWER(plans_response), on_plans),
};

const struct rpc_service billing_rpc = {
	.name = PROTO_BILLING_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_billing_set,
};
