/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CVMs that managers make for workspaces: asked for, shown and removed on the page and by its API, while managers say what
 * they like, agents come and go, time goes on and the service is killed and begins again.
 * Input: flags(1), who anna is(1); words of managers (managers_played.h), length(2) bytes; then commands: what(1), and a
 * request as web_world.h has it, or an operand(1).
 *
 * Nothing is made twice. What a manager has that did not lie is known by a row that is not gone. Quotas hold. Who may only
 * look changes nothing, who is no member sees nothing, and what somebody may not see is in no answer to him.
 */
#include "computations/core/session.h"
#include "computations/machines/machine_task.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/managers_played.h"
#include "tests/fuzz/web_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 32, STEPS_MAX = 8, HERE_MAX = 4 };
enum { ASK, WAIT, ARRIVE, GO, RESTART, DONE, COMMANDS };
enum { OPERATOR, ADMINISTRATOR, MEMBER, VIEWER, OUTSIDER, ROLES };

/* The id of a computation that nobody sees by looking at its workspace. */
#define HIDDEN "hidden-7f3a"

static const char *const patterns[] = {
	"/w/{workspace}/cvms",
	"/w/{workspace}/new-cvm",
	"/w/{workspace}/cvms/{name}",
	"/w/{workspace}/cvms/{name}/policy",
	"/w/{workspace}/cvms/{name}/remove",
	"/c/{id}/run-new",
	"/api/computations",
	"/api/computations/{id}/run",
	"/api/computations/{id}/stop",
	"/api/workspaces/{workspace}/cvms",
	"/api/workspaces/{workspace}/cvms/{name}",
	"/api/workspaces/{workspace}/cvms/{name}/policy",
	NULL,
};

static unsigned role;

/* ---- agents ---- */

static struct session session; /* of whoever is here: nobody looks into it */
static char here[HERE_MAX][MACHINE_ID_LEN + 1];

struct session *__wrap_session_find(struct service *service, const char *cvm_id);
struct session *__wrap_session_find(struct service *service, const char *cvm_id)
{
	for (size_t i = 0; i < HERE_MAX; i++)
		if (*here[i] && strcmp(here[i], cvm_id) == 0)
			return &session;
	return NULL;
}

void __wrap_session_run(struct session *s, const char *computation_id, bool unverified);
void __wrap_session_run(struct session *s, const char *computation_id, bool unverified)
{
	assert(s == &session && *computation_id);
}

void __wrap_session_stop(struct session *s, const char *computation_id);
void __wrap_session_stop(struct session *s, const char *computation_id)
{
	assert(s == &session && *computation_id);
}

void __wrap_session_end_of(struct service *service, const char *cvm_id, const char *why);
void __wrap_session_end_of(struct service *service, const char *cvm_id, const char *why)
{
	for (size_t i = 0; i < HERE_MAX; i++)
		if (strcmp(here[i], cvm_id) == 0)
			*here[i] = 0;
}

static bool is_connected(const char *id, void *data)
{
	return __wrap_session_find(&world.service, id);
}

/* The agent of that CVM, or one that calls itself so. */
static void arrive(uint8_t operand)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	char *id = here[operand / 16 % HERE_MAX];
	struct err e;

	snprintf(id, sizeof(here[0]), "%08x-0000-4000-8000-000000000000", operand % 16U);
	assert(db_begin(&world.store.db, &e) == 0);
	if (store_cvm_seen(&world.store, id, "192.0.2.9:1", "", "nothing was proven", is_connected,
			   NULL, &todo, &e) == 0) {
		assert(db_commit(&world.store.db, &e) == 0);
		return;
	}
	db_rollback(&world.store.db);
	*id = 0;
}

/* Its computation has results, and all of them were fetched, or not yet. */
static void complete(uint8_t operand)
{
	struct err e;

	assert(db_run(&world.store.db, &e,
		      "UPDATE computations SET state = ?, finished = ?, ended = ? WHERE id = ?"
		      " AND cvm <> ''",
		      "iiit", (int64_t)COMPUTATION_COMPLETED, (int64_t)(operand & 1),
		      operand & 1 ? store_now() : 0, HIDDEN) == 0);
}

/* ---- time, and the service's life ---- */

static uv_timer_cb on_tick;

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
	/* That of CVMs goes by the input's time. */
	if (!world.service.machines || timer != world.service.machines->timer)
		return __real_uv_timer_start(timer, cb, timeout, repeat);
	on_tick = cb;
	return 0;
}

static void begin_machines(void)
{
	struct err e;

	on_tick = NULL;
	assert(machines_new(&world.service, &world.store, "managers", &world.service.machines,
			    &e) == 0);
}

/* What is under way has ended: whoever asked has been answered. */
static void end_machines(void)
{
	machines_stop(world.service.machines);
	grpc_peer_settle(&world.loop);
	machines_free(TAKE_PTR(world.service.machines));
}

static void wait_for(uint8_t operand)
{
	web_world_wait(operand < 128 ? operand : (operand - 127U) * 60);
	for (int i = 0; on_tick && i < STEPS_MAX; i++) {
		on_tick(world.service.machines->timer);
		grpc_peer_settle(&world.loop);
	}
}

/* ---- who there is ---- */

static void enter_role(void)
{
	static const char *const roles[ROLES] = {
		[ADMINISTRATOR] = "administrator", [MEMBER] = "member", [VIEWER] = "viewer"
	};
	struct err e;

	if (role == OPERATOR)
		return;
	assert(db_run(&world.store.db, &e, "UPDATE users SET administrator = 0", "") == 0);
	if (roles[role])
		assert(db_run(&world.store.db, &e,
			      "INSERT INTO workspace_members (workspace, person, role, joined)"
			      " SELECT number, ?, ?, 0 FROM workspaces",
			      "it", world.anna, roles[role]) == 0);
	if (role > ADMINISTRATOR)
		browser_hides(HIDDEN);
}

/* ---- what must hold ---- */

static struct {
	int64_t live, phases;
} had;

static int64_t count_live(void)
{
	return web_world_count("SELECT count(*) FROM machines WHERE phase < 3");
}

static int64_t sum_phases(void)
{
	return web_world_count("SELECT coalesce(sum(8 * number + phase), 0) FROM machines");
}

static void check_answer(const struct browser_request *request, const struct browser_said *said,
			 const struct http_route *route)
{
	const bool looks =
		strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
	const bool is_anna = request->way != BROWSER_UNIX;

	if (looks || (is_anna && role > ADMINISTRATOR))
		assert(sum_phases() == had.phases);
	if (said->status >= 400)
		assert(count_live() <= had.live);
	if (is_anna && role == OUTSIDER && route && strstr(route->pattern, "{workspace}"))
		assert(said->status >= 400);
}

static bool is_known(const struct managers_vm *vm)
{
	int64_t count;
	struct err e;

	assert(db_number(&world.store.db, &count, &e,
			 "SELECT count(*) FROM machines WHERE tag = ? AND phase < 3", "t",
			 vm->tag) == 0);
	return count == 1;
}

static void check_managers(void)
{
	const struct managers_vm *vms = managers_vms();

	for (size_t i = 0; i < MANAGERS_VMS_MAX; i++) {
		if (!*vms[i].tag || vms[i].reason)
			continue;
		assert(is_known(&vms[i]));
		for (size_t k = 0; k < i; k++)
			assert(vms[k].reason || strcmp(vms[i].tag, vms[k].tag) != 0);
	}
}

static void check_all(void)
{
	if (!managers_have_lied())
		check_managers();
	assert(count_live() <= 5);
	assert(web_world_count("SELECT coalesce(sum(cpus), 0) FROM machines WHERE phase < 3") <= 8);
	assert(web_world_count("SELECT coalesce(sum(memory), 0) FROM machines WHERE phase < 3") <=
	       INT64_C(8) << 30);
	assert(web_world_count("SELECT count(*) FROM machines WHERE phase = 1 AND cvm = ''") == 0);
	assert(web_world_count("SELECT count(*) FROM machines WHERE (phase >= 3) <> (ended > 0)") ==
	       0);
	had.live = count_live();
	had.phases = sum_phases();
}

/* ---- commands ---- */

static void run_one(struct reader *r)
{
	const uint8_t what = reader_u8(r) % COMMANDS;
	uint8_t operand;

	if (what == ASK) {
		web_world_ask(r, check_answer);
		return;
	}
	if (what == RESTART) {
		end_machines();
		begin_machines();
		return;
	}
	operand = reader_u8(r);
	if (what == WAIT)
		wait_for(operand);
	else if (what == ARRIVE)
		arrive(operand);
	else if (what == DONE)
		complete(operand);
	else
		*here[operand % HERE_MAX] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	const uint8_t flags = reader_u8(&r);
	const uint8_t *words;
	size_t words_len;

	role = reader_u8(&r) % ROLES;
	words_len = reader_be16(&r);
	words = reader_take(&r, words_len);
	if (!words)
		return 0;
	web_world_enter(flags, patterns);
	managers_begin(&world.loop, words, words_len);
	memset(here, 0, sizeof(here));
	memset(&had, 0, sizeof(had));
	begin_machines();
	enter_role();
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		run_one(&r);
		check_all();
	}
	end_machines();
	web_world_leave();
	return 0;
}
