/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered to who has a CVM made or removed, when that is done and then something fails. */
#include "common/rpc/call_local.h"
#include "common/rpc/server.h"
#include "computations.pb-c.h"
#include "computations/core/service.h"
#include "computations/machines/machine_task.h"
#include "computations/store/store_machine.h"
#include "computations_paths.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

struct place {
	struct store_room *room;
	uv_loop_t loop;
	struct service service;
	struct machines machines;
	struct rpc_server *server;
	enum { NOTHING_FAILS, THE_LOOK_FAILS } what;
	unsigned answers;
	enum err_code code;
	char name[64], cvm_id[64], computation_id[64];
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

static int enter(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct store_queue *queue;
	struct manager_row *row;
	void *room;

	if (!p || store_room_enter(&room) < 0)
		return -1;
	p->room = room;
	p->room->store.limits.audit_rows = 64;
	uv_loop_init(&p->loop);
	assert_ok(store_queue_new(&p->loop, &p->room->store, &queue, &p->room->e), p->room->e);
	service_init(&p->service, &p->loop, queue, 4);
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
	store_queue_free(p->service.queue);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	free(p);
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

#define PLACE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(what_is_made_is_no_error),
		PLACE(nor_is_what_is_removed),
		PLACE(what_is_not_made_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
