/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a workspace and those who pay for it have on the page: webhooks, imports, usage, accounts; by forms and by the API.
 * Input: flags(1); then requests, as web_world.h has them.
 *
 * What it says there holds; what is refused, or only asked for, has made nothing and removed nothing.
 */
#include "computations/core/hook_sender.h"
#include "computations/machines/machine_task.h"
#include "tests/fuzz/web_world.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { REQUESTS_MAX = 24 };

static const char *const patterns[] = {
	"/w/{workspace}/webhooks",
	"/w/{workspace}/webhooks/{number}",
	"/w/{workspace}/webhooks/{number}/enable",
	"/w/{workspace}/webhooks/{number}/disable",
	"/w/{workspace}/webhooks/{number}/rotate",
	"/w/{workspace}/webhooks/{number}/delete",
	"/w/{workspace}/webhooks/{number}/deliveries/{delivery}",
	"/w/{workspace}/usage",
	"/billing",
	"/billing/{account}",
	"/billing/{account}/plan",
	"/billing/{account}/workspaces",
	"/billing/{account}/workspaces/{workspace}/take",
	"/billing/{account}/remove",
	"/c/{id}/export.json",
	"/api/computations",
	"/api/computations/{id}/export",
	"/api/workspaces/{workspace}/imports",
	"/api/workspaces/{workspace}/webhooks",
	"/api/workspaces/{workspace}/webhooks/{number}",
	"/api/workspaces/{workspace}/webhooks/{number}/enable",
	"/api/workspaces/{workspace}/webhooks/{number}/disable",
	"/api/workspaces/{workspace}/webhooks/{number}/rotate",
	"/api/workspaces/{workspace}/webhooks/{number}/deliveries",
	"/api/workspaces/{workspace}/webhooks/{number}/deliveries/{delivery}",
	"/api/workspaces/{workspace}/usage",
	"/api/workspaces/{workspace}/usage.csv",
	"/api/workspaces/{workspace}/usage.html",
	"/api/billing",
	"/api/billing/{account}",
	"/api/billing/{account}/plan",
	"/api/billing/{account}/workspaces/{workspace}",
	"/api/billing/{account}/usage",
	"/api/billing/{account}/usage.csv",
	"/api/billing/{account}/usage.html",
	NULL,
};

/* Nothing is sent: where webhooks may go is all that is asked. */
const struct hook_nets *__wrap_hook_sender_nets(const struct hook_sender *sender);
const struct hook_nets *__wrap_hook_sender_nets(const struct hook_sender *sender)
{
	static const struct hook_nets nets;

	assert(!sender);
	return &nets;
}

/* ---- what there is ---- */

static struct machines machines;

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
	if (machines.table.plans.count)
		return;
	TAILQ_INIT(&machines.tasks);
	TAILQ_INIT(&machines.readers);
	add_plan("small", 1);
	add_plan("large", 1000);
}

/* Of now, and of half a year ago. */
static void add_usage(void)
{
	static const int64_t hour = 3600000, half_year = 183 * 24 * hour;
	struct err e;

	for (int64_t i = 0; i < 4; i++)
		assert(db_run(&world.store.db, &e,
			      "INSERT INTO usage_spans (workspace, called, machine, computation,"
			      " cpus, memory, since, until) SELECT number, name, 'm' || ?, ?, 4,"
			      " 2048, ?, ? FROM workspaces",
			      "itii", i, i % 2 ? "<c>" : "", store_now() - i / 2 * half_year - hour,
			      store_now() - i / 2 * half_year) == 0);
	assert(db_run(&world.store.db, &e,
		      "INSERT INTO usage_traffic (since, workspace, computation, called, bytes_in,"
		      " bytes_out, stored) SELECT 0, number, '<c>', name, 4131000, ?, ?"
		      " FROM workspaces",
		      "ii", INT64_C(1) << 50, INT64_C(1) << 40) == 0);
}

/* ---- what must hold ---- */

static struct {
	int64_t computations, assets, webhooks, accounts;
} had;

static void check(const struct browser_request *request, const struct browser_said *said,
		  const struct http_route *route)
{
	const int64_t computations = web_world_count("SELECT count(*) FROM computations"),
		      assets = web_world_count("SELECT count(*) FROM assets"),
		      webhooks = web_world_count("SELECT count(*) FROM webhooks"),
		      accounts = web_world_count("SELECT count(*) FROM billing_accounts");

	if (said->status >= 400 || !route || strcmp(request->method, "GET") == 0 ||
	    strcmp(request->method, "HEAD") == 0)
		assert(computations == had.computations && assets == had.assets &&
		       webhooks == had.webhooks && accounts == had.accounts);
	assert(webhooks <= had.webhooks + 1 && accounts <= had.accounts + 1);
	had.computations = computations;
	had.assets = assets;
	had.webhooks = webhooks;
	had.accounts = accounts;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);

	prepare();
	web_world_enter(reader_u8(&r), patterns);
	world.service.machines = &machines;
	add_usage();
	memset(&had, 0, sizeof(had));
	for (int i = 0; i < REQUESTS_MAX && reader_ok(&r) && reader_left(&r); i++)
		web_world_ask(&r, check);
	web_world_leave();
	return 0;
}
