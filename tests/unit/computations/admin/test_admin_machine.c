/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered to who has a CVM made or removed, or computations imported, when that is done and then something fails. */
#include "common/base/writer.h"
#include "common/rpc/call_local.h"
#include "common/rpc/server.h"
#include "computations.pb-c.h"
#include "computations/core/judge_line.h"
#include "computations/core/service.h"
#include "computations/machines/machine_task.h"
#include "computations/store/store_machine.h"
#include "computations_paths.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ITEMS = 48, OF_ONE_ID = 45 /* and all behind it */ };

struct place {
	struct store_room *room;
	uv_loop_t loop;
	struct service service;
	struct machines machines;
	struct rpc_server *server;
	enum { NOTHING_FAILS, THE_LOOK_FAILS, A_TURN_FAILS } what;
	unsigned answers;
	enum err_code code;
	char name[64], cvm_id[64], computation_id[64];
	size_t count;
	struct {
		bool created;
		char said[256];
	} reports[ITEMS]; /* of an import */
	int64_t seen, between;
	unsigned turns; /* of a preview */
	enum { TIME_PASSES, TIME_STANDS, TIME_FLIES } time;
	time_t flown;
};

static struct place *here;

void __wrap_machines_take(struct machines *machines, struct machine *m,
			  const struct machine_waiter *waiter);
/* Its manager does at once what it is asked for; while nothing else uses the database. */
void __wrap_machines_take(struct machines *machines, struct machine *m,
			  const struct machine_waiter *waiter)
{
	struct store_room *f = here->room;
	struct machine row CLEANUP_MACHINE = *m;
	int64_t number = row.number;

	*m = (struct machine){ .name = NULL };
	if (row.phase == MACHINE_WANTED)
		assert_ok(store_machine_made(&f->store, number, "cvm-1", "h:1", &f->e), f->e);
	machine_done(&row);
	assert_ok(store_machine_at(&f->store, number, &row, &f->e), f->e);
	free(row.computation_id);
	row.computation_id = strdup("hidden");
	if (here->what == THE_LOOK_FAILS)
		assert_ok(db_script(&f->store.db, "ALTER TABLE machines RENAME TO gone", &f->e),
			  f->e);
	waiter->told(waiter->data, &row, NULL);
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
/* How long something takes: as it is, nothing at all, or a second from one look to the next. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_MONOTONIC || !here || here->time == TIME_PASSES)
		return __real_clock_gettime(clock, now);
	if (here->time == TIME_FLIES)
		here->flown++;
	*now = (struct timespec){ .tv_sec = 1000 + here->flown };
	return 0;
}

int __real_db_script(struct db *db, const char *sql, struct err *e);
int __wrap_db_script(struct db *db, const char *sql, struct err *e);
/* Each turn of a preview is undone. */
int __wrap_db_script(struct db *db, const char *sql, struct err *e)
{
	if (strcmp(sql, "SAVEPOINT preview") == 0)
		here->turns++;
	return __real_db_script(db, sql, e);
}

static int enter(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct store_queue *queue;
	struct manager_row *row;
	void *room;

	if (!p || store_room_enter(&room) < 0)
		return -1;
	p->room = room;
	p->room->store.limits.audit_rows = 1000;
	p->room->store.limits.computations = ITEMS;
	uv_loop_init(&p->loop);
	assert_ok(store_queue_new(&p->loop, &p->room->store, &queue, &p->room->e), p->room->e);
	service_init(&p->service, &p->loop, queue, 4);
	assert_ok(judge_line_new(&p->loop, &p->service.judges, &p->room->e), p->room->e);
	row = &p->machines.table.rows[p->machines.table.count++];
	snprintf(row->name, sizeof(row->name), "here");
	p->machines.table.limits[p->machines.table.limit_count++] =
		(struct manager_limit){ .workspace = "*", .quota = MACHINE_QUOTA_NONE };
	p->service.machines = &p->machines;
	assert_ok(rpc_server_new(&p->loop, NULL, &p->server, &p->room->e), p->room->e);
	assert_ok(rpc_server_add(p->server, &admin_rpc, &p->service, &p->room->e), p->room->e);
	*state = here = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;
	void *room = p->room;

	rpc_server_free(p->server);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	judge_line_free(p->service.judges);
	store_queue_free(p->service.queue);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	free(p);
	here = NULL;
	return store_room_leave(&room);
}

static void answered(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	const Computations__Machine *m = (const Computations__Machine *)answer;
	struct place *p = data;

	p->answers++;
	p->code = e ? e->code : ERR_OK;
	p->name[0] = p->cvm_id[0] = 0;
	if (e)
		return;
	snprintf(p->name, sizeof(p->name), "%s", m->name);
	snprintf(p->cvm_id, sizeof(p->cvm_id), "%s", m->cvm_id);
	snprintf(p->computation_id, sizeof(p->computation_id), "%s", m->computation_id);
}

static void call(struct place *p, const char *path, const ProtobufCMessage *message)
{
	const struct rpc_local local = { .peer = "test", .answered = answered, .data = p };

	p->answers = 0;
	rpc_local_call(p->server, path, message, &local);
	while (!p->answers)
		uv_run(&p->loop, UV_RUN_ONCE);
	uv_run(&p->loop, UV_RUN_NOWAIT);
	assert_int_equal(p->answers, 1);
}

static void create(struct place *p)
{
	Computations__CreateCvmRequest m = COMPUTATIONS__CREATE_CVM_REQUEST__INIT;

	m.name = (char[]){ "box" };
	m.workspace = (char[]){ "default" };
	call(p, PROTO_COMPUTATIONS_CREATE_CVM, &m.base);
}

static void removes(struct place *p)
{
	Computations__RemoveCvmRequest m = COMPUTATIONS__REMOVE_CVM_REQUEST__INIT;

	m.name = (char[]){ "box" };
	m.workspace = (char[]){ "default" };
	call(p, PROTO_COMPUTATIONS_REMOVE_CVM, &m.base);
}

/* Of the machine, and of nothing that the caller may not be told. */
static void check_answer(const struct place *p)
{
	assert_int_equal(p->code, ERR_OK);
	assert_string_equal(p->name, "box");
	assert_string_equal(p->cvm_id, "cvm-1");
	assert_string_equal(p->computation_id, "");
}

static void what_is_made_is_no_error(void **state)
{
	struct place *p = *state;

	p->what = THE_LOOK_FAILS;
	create(p);
	check_answer(p);
}

static void nor_is_what_is_removed(void **state)
{
	struct place *p = *state;

	create(p);
	check_answer(p);
	p->what = THE_LOOK_FAILS;
	removes(p);
	check_answer(p);
}

/* Nothing was done: that is an error, as ever. */
static void what_is_not_made_is_one(void **state)
{
	struct place *p = *state;

	create(p);
	create(p);
	assert_int_equal(p->code, ERR_EXISTS);
	assert_ok(db_script(&p->room->store.db, "ALTER TABLE machines RENAME TO gone", &p->room->e),
		  p->room->e);
	removes(p);
	assert_int_not_equal(p->code, ERR_OK);
}

/* ---- an import, which is done in turns ---- */

#define KEY "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="

/* All of one name; the last of them have one id, too. */
static char *document(void)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	size_t len;

	for (int i = 0; i < ITEMS; i++)
		writer_printf(&w,
			      "%s{\"name\":\"same\",\"id\":\"c%d\",\"algorithm\":{\"user_key\":"
			      "\"" KEY "\",\"hash\":\"%064d\"}}",
			      i ? "," : "[", i < OF_ONE_ID ? i : OF_ONE_ID, 1);
	writer_text(&w, "]");
	writer_u8(&w, 0);
	return (char *)writer_take(&w, &len);
}

static void imported(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	const Computations__ImportResponse *m = (const Computations__ImportResponse *)answer;
	struct place *p = data;

	p->answers++;
	p->code = e ? e->code : ERR_OK;
	p->count = e ? 0 : m->n_computations;
	for (size_t i = 0; i < p->count; i++) {
		const Computations__Imported *c = m->computations[i];

		p->reports[i].created = c->created;
		snprintf(p->reports[i].said, sizeof(p->reports[i].said), "%s|%s", c->missing,
			 c->n_warnings ? c->warnings[0] : "");
	}
}

/* Another account's work, until the import is answered: how many computations it finds there, of some and not all. */
static int run_other(struct store *store, void *data, struct err *e)
{
	struct place *p = data;

	if (db_number(&store->db, &p->seen, e, "SELECT count(*) FROM computations", "") < 0)
		return err_code(e);
	if (p->what != A_TURN_FAILS || !p->seen || p->between)
		return 0;
	return db_script(&store->db, "ALTER TABLE asset_notes RENAME TO gone", e);
}

static void add_other(struct place *p);

static void other_done(void *data, const struct err *e)
{
	struct place *p = data;

	assert_null(e);
	if (p->seen && p->seen < OF_ONE_ID + 1)
		p->between = p->seen;
	if (!p->answers)
		add_other(p);
}

static void add_other(struct place *p)
{
	const struct store_queue_op op = { run_other, other_done, p };

	assert_ok(store_queue_add_for(p->service.queue, 7, &op, false, &p->room->e), p->room->e);
}

static void import(struct place *p, bool preview)
{
	const struct rpc_local local = { .peer = "test", .answered = imported, .data = p };
	Computations__ImportRequest m = COMPUTATIONS__IMPORT_REQUEST__INIT;
	CLEANUP(free) char *text = document();

	m.preview = preview;
	m.document = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
	p->answers = 0;
	p->between = 0;
	p->turns = 0;
	rpc_local_call(p->server, PROTO_COMPUTATIONS_IMPORT, &m.base, &local);
	add_other(p);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(p->answers, 1);
}

static int64_t number(struct place *p, const char *sql)
{
	int64_t got;

	assert_ok(db_number(&p->room->store.db, &got, &p->room->e, sql, ""), p->room->e);
	return got;
}

/* The audit log has a row for each that was created, and `calls`. */
static void check_rows(struct place *p, int64_t created, int64_t calls)
{
	assert_int_equal(number(p, "SELECT count(*) FROM computations"), created);
	assert_int_equal(number(p, "SELECT count(*) FROM audit_rows"), created + calls);
}

/* What is told of each, and that the room for all ends before the last. */
static void check_all(struct place *p, size_t room)
{
	char name[32];

	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(p->count, ITEMS);
	for (size_t i = 0; i < ITEMS; i++) {
		const char *said = p->reports[i].said;

		assert_int_equal(p->reports[i].created, i <= OF_ONE_ID && i < room);
		snprintf(name, sizeof(name), "is called same (%zu) here", i + 1);
		if (p->reports[i].created)
			assert_true(i ? !!strstr(said, name) : strcmp(said, "|") == 0);
		else
			assert_non_null(strstr(said, i < room ? "exists already" : "are kept"));
	}
}

static void others_go_between_the_turns_of_an_import(void **state)
{
	struct place *p = *state;

	import(p, false);
	check_all(p, ITEMS);
	assert_true(p->between > 0);
	check_rows(p, OF_ONE_ID + 1, 1);
}

/* 15 computations with one asset are what a turn has room for; and one is what it always takes. */
static void a_turn_ends_by_its_work_and_by_the_clock(void **state)
{
	struct place *p = *state;

	p->time = TIME_STANDS;
	import(p, true);
	check_all(p, ITEMS);
	assert_int_equal(p->turns, (ITEMS + 14) / 15);
	p->time = TIME_FLIES;
	import(p, true);
	check_all(p, ITEMS);
	/* A turn of a preview lasts as long as what it repeats, in which PostgreSQL's side looks at the clock, too. */
	assert_true(p->turns > (ITEMS + 14) / 15);
	import(p, false);
	check_all(p, ITEMS);
	check_rows(p, OF_ONE_ID + 1, 3);
}

/* As if those of its turns before were there. */
static void a_preview_says_what_an_import_would(void **state)
{
	const size_t rooms[] = { ITEMS, 40, 20 };
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		p->room->store.limits.computations = rooms[i];
		import(p, true);
		check_all(p, rooms[i]);
		assert_int_equal(p->between, 0);
		check_rows(p, 0, (int64_t)i + 1);
	}
	import(p, false);
	check_all(p, rooms[2]);
	check_rows(p, (int64_t)rooms[2], ARRAY_LEN(rooms) + 1);
}

static void what_came_before_a_turn_that_fails_is_there(void **state)
{
	struct place *p = *state;

	p->what = A_TURN_FAILS;
	import(p, false);
	assert_int_equal(p->code, ERR_OK);
	assert_int_equal(p->count, ITEMS);
	assert_true(p->between > 0);
	check_rows(p, p->between, 0);
	for (int64_t i = 0; i < ITEMS; i++) {
		assert_int_equal(p->reports[i].created, i < p->between);
		if (i >= p->between)
			assert_memory_equal(p->reports[i].said, "the import ended before it: ", 28);
	}
	/* Nothing came before the first: that is an error, as ever. */
	p->what = NOTHING_FAILS;
	import(p, false);
	assert_int_not_equal(p->code, ERR_OK);
	check_rows(p, p->seen, 0);
}

#define PLACE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(what_is_made_is_no_error),
		PLACE(nor_is_what_is_removed),
		PLACE(what_is_not_made_is_one),
		PLACE(others_go_between_the_turns_of_an_import),
		PLACE(a_turn_ends_by_its_work_and_by_the_clock),
		PLACE(a_preview_says_what_an_import_would),
		PLACE(what_came_before_a_turn_that_fails_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
