/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about accounts that pay for workspaces, in any order, over a store in memory that may fail, or in which somebody else
 * wrote. Input: commands, as orders_billing.h has them.
 *
 * A workspace's month is one account's; an account that has paid is there; what is answered is strictly a message; and a token
 * that is nobody's does nothing.
 */
#include "billing.pb-c.h"
#include "billing_paths.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "computations.pb-c.h"
#include "computations/admin/admin_billing.h"
#include "computations/core/admin_access.h"
#include "computations/core/service.h"
#include "computations/machines/machine_task.h"
#include "computations/people/workspace.h"
#include "computations/store/store_billing.h"
#include "computations_paths.h"
#include "google/protobuf/empty.pb-c.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/orders_billing.h"
#include "tests/fuzz/store_memory.h"

#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 96 };

static const char *const names[BILLING_NAMES] = {
	[BILLING_ACME] = "acme",   [BILLING_ZETA] = "zeta",       [BILLING_SMALL] = "small",
	[BILLING_LARGE] = "large", [BILLING_LAB] = "lab",         [BILLING_DEFAULT] = "default",
	[BILLING_EMPTY] = "",      [BILLING_BAD] = "\xc3\xbc/\n",
};

static uv_loop_t loop;
static struct store store;
static struct store_queue *queue;
static struct service service;
static struct machines machines;
static struct rpc_server *server;
static struct grpc_peer *peer;
static bool is_strange; /* what is there is not the service's own */

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void add_plan(const char *name, uint64_t cpu_hours)
{
	struct usage_plan *plan = &machines.table.plans.rows[machines.table.plans.count++];

	snprintf(plan->name, sizeof(plan->name), "%s", name);
	plan->quota = (struct machine_quota){ .cvm_hours = UINT64_MAX,
					      .cpu_hours = cpu_hours,
					      .memory_hours = UINT64_MAX };
}

static void prepare(void)
{
	log_set(LOG_LEVEL_ERROR);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	assert(uv_loop_init(&loop) == 0);
	TAILQ_INIT(&machines.tasks);
	TAILQ_INIT(&machines.readers);
	add_plan("small", 10);
	add_plan("large", 1000);
	loop.data = &service;
}

static void on_answer(void *data, unsigned number, const uint8_t *bytes, size_t len)
{
	static const ProtobufCMessageDescriptor *const kinds[] = {
		&billing__account__descriptor,        &billing__list_response__descriptor,
		&billing__plans_response__descriptor, &computations__usage_response__descriptor,
		&google__protobuf__empty__descriptor,
	};
	bool fits = false;
	struct err e;

	(void)data;
	(void)number;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !fits; i++)
		fits = protobuf_check(kinds[i], bytes, len, &e) == 0;
	assert(fits);
}

static void connect_again(void)
{
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	grpc_peer_free(peer);
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	peer = grpc_peer_new(&loop, ends[1], on_answer, NULL);
}

static void enter(void)
{
	static const struct store_limits limits = {
		.computations = 3, .cvms = 3, .records = 8, .record_bytes = 4096, .audit_rows = 64
	};
	struct err e;

	store_memory_open(&store, &limits);
	assert(store_queue_new(&loop, &store, &queue, &e) == 0);
	service_init(&service, &loop, queue, limits.cvms);
	service.machines = &machines;
	assert(rpc_server_new(&loop, NULL, &server, &e) == 0);
	assert(rpc_server_add(server, &admin_rpc, &service, &e) == 0);
	assert(rpc_server_add(server, &billing_rpc, &service, &e) == 0);
	is_strange = false;
	peer = NULL;
	connect_again();
}

static void leave(void)
{
	grpc_peer_settle(&loop);
	grpc_peer_free(TAKE_PTR(peer));
	rpc_server_free(server);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		continue;
	store_queue_free(queue);
}

/* ---- what is asked ---- */

struct command {
	enum billing_order what;
	unsigned fails;
	const char *name, *word;
	uint8_t operand;
};

static void ask(const struct command *c, const char *path, const ProtobufCMessage *request)
{
	static const struct grpc_word wrong = { "authorization", "Bearer cocos_none", 17 };
	bool shows = c->operand & BILLING_WRONG_TOKEN;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;
	int call = grpc_peer_call(peer, path, &wrong, shows);

	if (call < 0) {
		connect_again();
		call = grpc_peer_call(peer, path, &wrong, shows);
	}
	assert(call >= 0 && protobuf_pack(request, &bytes, &len, &e) == 0);
	grpc_peer_say(peer, (unsigned)call, bytes, len, false);
	grpc_peer_half_close(peer, (unsigned)call);
	store_memory_fails = c->fails;
	grpc_peer_move(peer);
	grpc_peer_move(peer);
	store_memory_fails = 0;
	assert(!shows || grpc_peer_said(peer, (unsigned)call)->status != 0);
}

static void call(const struct command *c)
{
	Billing__CreateRequest create = BILLING__CREATE_REQUEST__INIT;
	Billing__ListRequest list = BILLING__LIST_REQUEST__INIT;
	Billing__AccountRequest one = BILLING__ACCOUNT_REQUEST__INIT;
	Billing__SetPlanRequest plan = BILLING__SET_PLAN_REQUEST__INIT;
	Billing__PlaceRequest place = BILLING__PLACE_REQUEST__INIT;
	Billing__PlansRequest plans = BILLING__PLANS_REQUEST__INIT;
	Computations__UsageRequest usage = COMPUTATIONS__USAGE_REQUEST__INIT;
	const struct {
		const char *path;
		const ProtobufCMessage *request;
	} calls[] = {
		[BILLING_CREATE] = { PROTO_BILLING_CREATE, &create.base },
		[BILLING_LIST] = { PROTO_BILLING_LIST, &list.base },
		[BILLING_SHOW] = { PROTO_BILLING_SHOW, &one.base },
		[BILLING_SET_PLAN] = { PROTO_BILLING_SET_PLAN, &plan.base },
		[BILLING_GIVE] = { PROTO_BILLING_GIVE, &place.base },
		[BILLING_TAKE] = { PROTO_BILLING_TAKE, &place.base },
		[BILLING_REMOVE] = { PROTO_BILLING_REMOVE, &one.base },
		[BILLING_PLANS] = { PROTO_BILLING_PLANS, &plans.base },
		[BILLING_USAGE] = { PROTO_COMPUTATIONS_USAGE, &usage.base },
	};

	create.name = list.after = one.name = plan.name = place.name = usage.account =
		text_of(c->name);
	create.plan = plan.plan = place.workspace = text_of(c->word);
	list.limit = c->operand & 0x3f;
	usage.workspace = text_of(c->operand & BILLING_GONE ? c->word : "");
	usage.limit = c->operand & 1;
	ask(c, calls[c->what].path, calls[c->what].request);
}

/* ---- what happens beside ---- */

static void change_workspace(const struct command *c)
{
	struct err e;

	if (c->operand & BILLING_GONE)
		assert(db_run(&store.db, &e, "DELETE FROM workspaces WHERE name = ?", "t",
			      c->word) == 0);
	else
		(void)!db_run(&store.db, &e, "INSERT INTO workspaces (name, created) VALUES (?, 1)",
			      "t", c->word); /* it is there already */
}

static void meter(const struct command *c)
{
	const int64_t now = store_now(), hour = INT64_C(3600) * 1000;
	struct err e;

	assert(db_run(&store.db, &e,
		      "INSERT INTO usage_spans (workspace, called, machine, computation, cpus,"
		      " memory, since, until) SELECT number, name, 'tag', '', ?, 1, ?, ?"
		      " FROM workspaces WHERE name = ?",
		      "iiit", (int64_t)c->operand, now, now + hour, c->word) == 0);
}

static void tell(const struct command *c)
{
	const int64_t later = (c->operand & 15) * INT64_C(31) * 24 * 3600 * 1000;
	struct billing_account account = { .name = NULL };
	struct usage_month month;
	size_t told;
	struct err e;

	store_memory_fails = c->fails;
	if (c->what == BILLING_STATEMENTS) {
		if (billing_tell_statements(&store, store_now() + later, c->operand >> 4, &told,
					    &e) == 0)
			assert(told <= BILLING_TELL_MAX);
	} else if (billing_find(&store, c->name, store_now(), &account, &e) == 0 &&
		   usage_month_parse("", store_now(), &month, &e) == 0) {
		(void)!billing_tell_limit(&store, &account, c->operand & BILLING_GONE, &month, &e);
	}
	store_memory_fails = 0;
	billing_account_done(&account);
}

static void write_strange(const struct command *c)
{
	static const char *const sentences[] = {
		"UPDATE billing_accounts SET created = -1",
		"UPDATE billing_accounts SET plan = x'ff00'",
		"UPDATE billing_accounts SET maker = x'ff'",
		"UPDATE billing_accounts SET plan = 'gone'",
		"UPDATE billing_accounts SET name = x'c3'",
		"INSERT OR REPLACE INTO billing_places VALUES (1, 0, 77), (99, -1, 1), (98, 0, 1)",
		"UPDATE billing_places SET since = 'then'",
		"UPDATE billing_places SET account = number FROM billing_accounts",
	};
	struct err e;

	is_strange = true;
	(void)!db_run(&store.db, &e, sentences[c->operand % ARRAY_LEN(sentences)], "");
}

/* ---- what must hold ---- */

static int64_t number_of(const char *sql)
{
	int64_t number = -1;
	struct err e;

	assert(db_number(&store.db, &number, &e, sql, "") == 0);
	return number;
}

static void check_tables(void)
{
	if (is_strange)
		return;
	assert(number_of("SELECT count(*) FROM billing_places WHERE account <> 0 AND account NOT IN"
			 " (SELECT number FROM billing_accounts)") == 0);
	assert(number_of(
		       "SELECT count(*) FROM billing_accounts WHERE plan NOT IN ('small', 'large')"
		       " OR name NOT IN ('acme', 'zeta', 'small', 'large', 'lab', 'default')") ==
	       0);
	assert(number_of("SELECT count(*) FROM billing_told WHERE account NOT IN"
			 " (SELECT number FROM billing_accounts)") == 0);
}

static void command(struct reader *r)
{
	const uint8_t what = reader_u8(r);
	struct command c = { .what = (what & 15) % BILLING_ORDERS,
			     .fails = what >> BILLING_FAILS_SHIFT };

	c.name = names[reader_u8(r) % BILLING_NAMES];
	c.word = names[reader_u8(r) % BILLING_NAMES];
	c.operand = reader_u8(r);
	if (c.what <= BILLING_USAGE)
		call(&c);
	else if (c.what == BILLING_WORKSPACE)
		change_workspace(&c);
	else if (c.what == BILLING_METER)
		meter(&c);
	else if (c.what == BILLING_STRANGE)
		write_strange(&c);
	else
		tell(&c);
	check_tables();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);

	if (!loop.data)
		prepare();
	enter();
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++)
		command(&r);
	leave();
	return 0;
}
