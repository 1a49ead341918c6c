/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_move.c — a CVM whose host went to another manager: of those that share a database, as COMPUTATIONS_MANAGERS
 * says (fleet=), the one that has it by now is asked from then on.
 *
 * Its manager's word alone moves nothing: another one has to say that it has this CVM, by id. One is asked in a step, and
 * one that says so is believed a bounded number of times: two that each say the other has it would be asked for ever.
 */
#include "common/base/clock.h"
#include "computations/machines/machine_change.h"
#include "computations/machines/machine_task.h"

#include <string.h>

enum {
	MOVES_MAX = 4,              /* one after the other, */
	STAYED_MS = 60 * 1000,      /* with none that stayed for so long, */
	FORGET_MS = 60 * 60 * 1000, /* or since the last one */
};

static const struct manager_row *row_of(const struct machine_task *task)
{
	const struct manager_table *table = &task->machines->table;

	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, task->row.manager) == 0)
			return &table->rows[i];
	return NULL;
}

static uint64_t since_move(const struct machine_task *task)
{
	return (uint64_t)clock_ms(CLOCK_MONOTONIC) - task->moved;
}

void machine_move_think(struct machine_task *task, const struct err *why)
{
	const struct manager_row *row = row_of(task);

	if (!row || (why->code != ERR_PRECONDITION && why->code != ERR_UNAVAILABLE &&
		     why->code != ERR_DEADLINE))
		return;
	task->peer = manager_table_next(&task->machines->table, row,
					task->asked_last ? task->asked_last : row);
	task->asked_last = task->peer;
}

void machine_move_stays(struct machine_task *task)
{
	if (task->moves && since_move(task) > STAYED_MS)
		task->moves = 0;
}

static void move(struct machine_task *task, const struct manager_row *to,
		 const struct machine_said *said)
{
	struct machine_change c = { .kind = MACHINE_CHANGE_MOVED };
	char why[ERR_TEXT_MAX];

	if (task->moves && since_move(task) > FORGET_MS)
		task->moves = 0;
	if (task->moves >= MOVES_MAX) {
		snprintf(
			why, sizeof(why),
			"managers %s and %s say in turn that the other one has it, %u times: look at "
			"its host",
			task->row.manager, to->name, task->moves);
		machine_task_wait(task, true);
		machine_task_stuck(task, why);
		return;
	}
	task->failures = task->moves++; /* it waits the longer, the more there were */
	task->moved = (uint64_t)clock_ms(CLOCK_MONOTONIC);
	task->asked_last = NULL;
	snprintf(c.text, sizeof(c.text), "%s", to->name);
	if (said)
		memcpy(c.address, said->address, sizeof(c.address));
	machine_task_wait(task, true);
	machine_task_change(task, &c);
}

static void on_peer(void *data, const struct machine_said *said, const struct err *e)
{
	struct machine_task *task = data;
	const struct manager_row *peer = task->peer;

	task->peer = NULL;
	if (task->machines->is_stopping) {
		machine_task_settle(task);
	} else if (!e) {
		move(task, peer, said);
	} else if (e->code == ERR_NOT_FOUND && task->row.phase == MACHINE_WANTED &&
		   !*task->row.cvm_id) {
		move(task, peer, NULL); /* no manager has it; by its name none makes it twice */
	} else {
		machine_task_wait(task, true);
		machine_task_settle(task);
	}
}

bool machine_move_step(struct machine_task *task)
{
	struct manager_link *link =
		task->peer ? machines_link(task->machines, task->peer->name) : NULL;
	struct err e;

	if (!link || manager_link_is_full(link)) {
		task->peer = NULL;
		return false;
	}
	task->is_busy = true;
	if (manager_link_get(link, &task->row, on_peer, task, &e) < 0) {
		task->is_busy = false;
		task->peer = NULL;
		return false;
	}
	return true;
}
