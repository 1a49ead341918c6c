/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/machines.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/trace.h"
#include "computations/machines/machine_task.h"

#include <string.h>

enum { TICK_MS = 500, ROWS = 256 };

const struct manager_table *machines_table(const struct machines *machines)
{
	static const struct manager_table none = { .count = 0 };

	return machines ? &machines->table : &none;
}

struct manager_link *machines_link(const struct machines *machines, const char *manager)
{
	for (size_t i = 0; i < machines->table.count; i++)
		if (strcmp(manager_link_name(machines->links[i]), manager) == 0)
			return machines->links[i];
	return NULL;
}

static void on_tick(uv_timer_t *timer)
{
	struct machines *machines = timer->data;
	uint64_t now = (uint64_t)clock_ms(CLOCK_MONOTONIC);
	struct machine_task *task, *next;

	for (task = TAILQ_FIRST(&machines->tasks); task; task = next) {
		next = TAILQ_NEXT(task, next);
		if (!task->is_busy && task->due <= now)
			machine_task_step(task);
	}
	if (TAILQ_EMPTY(&machines->tasks))
		uv_timer_stop(timer);
}

static void tick(struct machines *machines)
{
	if (machines->timer && !uv_is_active((uv_handle_t *)machines->timer))
		uv_timer_start(machines->timer, on_tick, TICK_MS, TICK_MS);
}

static struct machine_task *find(struct machines *machines, int64_t number)
{
	struct machine_task *task;

	TAILQ_FOREACH(task, &machines->tasks, next)
		if (task->row.number == number)
			return task;
	return NULL;
}

static struct machine_task *add(struct machines *machines, struct machine *m)
{
	struct machine_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->machines = machines;
	task->row = *m;
	*m = (struct machine){ .name = NULL };
	trace_begin(&task->about, NULL);
	TAILQ_INIT(&task->waiters);
	TAILQ_INSERT_TAIL(&machines->tasks, task, next);
	return task;
}

void machines_take(struct machines *machines, struct machine *m,
		   const struct machine_waiter *waiter)
{
	struct machine_task *task = machines->is_stopping ? NULL : find(machines, m->number);
	struct waiting *w = calloc(1, sizeof(*w));
	struct err e;

	if (task) {
		machine_done(&task->row);
		task->row = *m;
		*m = (struct machine){ .name = NULL };
	} else if (w && !machines->is_stopping) {
		task = add(machines, m);
		if (task)
			task->is_fresh = task->row.phase == MACHINE_WANTED;
	}
	machine_done(m);
	if (!w || !task) {
		err_set(&e, ERR_UNAVAILABLE,
			"the service is going down; it goes on with this CVM "
			"when it is back");
		waiter->told(waiter->data, NULL, &e);
		free(w);
		return;
	}
	w->waiter = *waiter;
	task->about = log_about_now();
	trace_begin(&task->about, NULL);
	task->is_given_up = task->is_given_up || waiter->gives_up;
	TAILQ_INSERT_TAIL(&task->waiters, w, next);
	task->due = 0;
	tick(machines);
	if (!task->is_busy)
		machine_task_step(task);
}

/* ---- start and end ---- */

static int load(struct machines *machines, struct store *store, struct err *e)
{
	CLEANUP(free) struct machine *rows = calloc(ROWS, sizeof(*rows));
	size_t count = ROWS;
	int64_t after = 0;

	if (!rows)
		return err_nomem(e);
	while (count == ROWS) {
		if (store_machines(store, 0, after, ROWS, rows, &count, e) < 0)
			return err_code(e);
		if (count)
			after = rows[count - 1].number;
		for (size_t i = 0; i < count; i++) {
			if (!machines_link(machines, rows[i].manager))
				log_warn("CVM %s of workspace %s: there is no manager %s any more: "
					 "nobody knows what becomes of it",
					 rows[i].name, rows[i].workspace, rows[i].manager);
			if (!add(machines, &rows[i])) {
				for (; i < count; i++)
					machine_done(&rows[i]);
				return err_nomem(e);
			}
		}
	}
	return 0;
}

static int open_links(struct machines *machines, const char *path, struct err *e)
{
	if (!path)
		return 0;
	if (manager_table_read(path, &machines->table, e) < 0)
		return err_wrap(e, "COMPUTATIONS_MANAGERS");
	for (size_t i = 0; i < machines->table.count; i++)
		if (manager_link_new(machines->service->loop, &machines->table.rows[i],
				     &machines->links[i], e) < 0)
			return err_wrap(e, "COMPUTATIONS_MANAGERS");
	return 0;
}

int machines_new(struct service *service, struct store *store, const char *path,
		 struct machines **out, struct err *e)
{
	struct machines *machines = calloc(1, sizeof(*machines));
	uv_timer_t *timer = malloc(sizeof(*timer));

	if (!machines || !timer) {
		free(machines);
		free(timer);
		return err_nomem(e);
	}
	*out = machines; /* freed by the caller, also if it fails */
	machines->service = service;
	machines->timer = timer;
	TAILQ_INIT(&machines->tasks);
	TAILQ_INIT(&machines->readers);
	uv_timer_init(service->loop, timer);
	timer->data = machines;
	if (open_links(machines, path, e) < 0 || load(machines, store, e) < 0)
		return err_code(e);
	if (!TAILQ_EMPTY(&machines->tasks))
		uv_timer_start(timer, on_tick, 0, TICK_MS);
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void machines_stop(struct machines *machines)
{
	struct machine_task *task;
	struct err e;

	if (!machines || machines->is_stopping)
		return;
	machines->is_stopping = true;
	uv_close((uv_handle_t *)TAKE_PTR(machines->timer), timer_closed);
	for (size_t i = 0; i < machines->table.count; i++)
		manager_link_free(TAKE_PTR(machines->links[i]));
	err_set(&e, ERR_UNAVAILABLE,
		"the service is going down; it goes on with this CVM when it is back");
	TAILQ_FOREACH(task, &machines->tasks, next)
		machine_task_tell(task, &e);
}

void machines_free(struct machines *machines)
{
	struct machine_task *task;

	if (!machines)
		return;
	while ((task = TAILQ_FIRST(&machines->tasks)))
		machine_task_free(task);
	free(machines);
}
