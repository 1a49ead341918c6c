/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/machine_task.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "computations/machines/machine_change.h"
#include "computations/store/store_machine_claim.h"

#include <string.h>

enum {
	LOOK_MS = 5000, /* between two looks at one that runs */
	SOON_MS = 1000, /* at one that is being made or removed */
	RETRY_MS_MAX = 60 * 1000,
	METER_MS = 60 * 1000, /* between two notes that it ran */
};
_Static_assert(MACHINE_DOUBT_MS >= 2 * MANAGER_CREATE_MS + RETRY_MS_MAX + MANAGER_GET_MS,
	       "a manager's answer that was lost is looked for before its CVM is anybody's");

void machine_task_tell(struct machine_task *task, const struct err *e)
{
	struct waiting *w;

	while ((w = TAILQ_FIRST(&task->waiters))) {
		TAILQ_REMOVE(&task->waiters, w, next);
		w->waiter.told(w->waiter.data, e ? NULL : &task->row, e);
		free(w);
	}
}

void machine_task_free(struct machine_task *task)
{
	struct waiting *w;

	TAILQ_REMOVE(&task->machines->tasks, task, next);
	while ((w = TAILQ_FIRST(&task->waiters))) {
		TAILQ_REMOVE(&task->waiters, w, next);
		free(w);
	}
	machine_done(&task->row);
	free(task);
}

static void wait_for(struct machine_task *task, uint64_t ms)
{
	task->due = (uint64_t)clock_ms(CLOCK_MONOTONIC) + ms;
}

/* The longer, the more often it has failed. */
static void wait_longer(struct machine_task *task)
{
	unsigned shift = task->failures < 6 ? task->failures : 6;
	uint64_t ms = (uint64_t)SOON_MS << shift;

	task->failures++;
	wait_for(task, ms < RETRY_MS_MAX ? ms : RETRY_MS_MAX);
}

void machine_task_wait(struct machine_task *task, bool has_failed)
{
	if (has_failed)
		wait_longer(task);
	else
		wait_for(task, SOON_MS);
}

void machine_task_look_later(struct machine_task *task)
{
	wait_for(task, LOOK_MS);
}

/* The step is over. Who waits is told, unless its removal was asked for meanwhile and has not been tried. */
void machine_task_settle(struct machine_task *task)
{
	bool is_gone = machine_is_gone(task->row.phase);
	bool is_new = task->row.phase == MACHINE_LEAVING && task->stepped != MACHINE_LEAVING;
	bool is_open = task->row.phase == MACHINE_WANTED && task->is_in_doubt;

	task->is_busy = false;
	if (task->machines->is_stopping)
		return;
	if (!is_new && !is_open)
		machine_task_tell(task,
				  is_gone && task->refusal.code != ERR_OK ? &task->refusal : NULL);
	if (is_gone)
		machine_task_free(task);
	else if (is_new)
		machine_task_step(task);
}

/* ---- its row ---- */

static void look(struct machine_task *task);
static void note(struct machine_task *task, const char *text);

/* What the run asks for that it is made for is done: now its manager is asked. */
static void turned(struct machine_task *task)
{
	if (task->row.phase >= MACHINE_LEAVING || task->machines->is_stopping)
		machine_task_settle(task);
	else
		look(task);
}

static void change_failed(struct machine_task *task, enum machine_change_kind kind,
			  const struct err *e)
{
	wait_longer(task);
	/* What the manager said can't be so; or the database failed, and it is asked again. */
	if (kind == MACHINE_CHANGE_MADE && e->code == ERR_DENIED && !task->machines->is_stopping) {
		note(task, e->text);
		return;
	}
	log_error("CVM %s of workspace %s: %s", task->row.name, task->row.workspace, e->text);
	machine_task_settle(task);
}

/* How far its workspace's limit of the month is; said once. */
static void say_limit(struct machine_task *task)
{
	const char *reason = task->row.reason;

	if (*reason && strcmp(task->limit_note, reason) != 0)
		log_warn("CVM %s of workspace %s: %s", task->row.name, task->row.workspace, reason);
	snprintf(task->limit_note, sizeof(task->limit_note), "%s", reason);
}

static void change_done(void *data, const struct err *e)
{
	struct machine_change *c = data;
	struct machine_task *task = c->task;
	enum machine_change_kind kind = c->kind;

	if (!e) {
		machine_done(&task->row);
		task->row = c->row;
		machine_change_say(c);
		if (kind == MACHINE_CHANGE_RAN)
			say_limit(task);
	} else {
		machine_done(&c->row); /* of a change that was read, and not committed */
	}
	free(c->computation);
	free(c);
	if (e)
		change_failed(task, kind, e);
	else if (kind == MACHINE_CHANGE_TURN)
		turned(task);
	else
		machine_task_settle(task);
}

void machine_task_change(struct machine_task *task, const struct machine_change *wanted)
{
	struct machine_change *c = malloc(sizeof(*c));
	struct store_queue_op op = { .run = machine_change_run, .done = change_done, .data = c };
	struct err e;

	if (c) {
		*c = *wanted;
		c->task = task;
		c->service = task->machines->service;
		c->number = task->row.number;
	}
	if (!c || store_queue_add(task->machines->service->queue, &op, &e) < 0) {
		free(c);
		wait_longer(task);
		machine_task_settle(task);
	}
}

static void note(struct machine_task *task, const char *text)
{
	struct machine_change c = { .kind = MACHINE_CHANGE_NOTE };

	snprintf(c.text, sizeof(c.text), "%s", text);
	machine_task_change(task, &c);
}

/* `ran`: how far it did. */
static void gone(struct machine_task *task, enum machine_phase phase, const struct usage_seen *ran,
		 const char *why)
{
	struct machine_change c = { .kind = MACHINE_CHANGE_GONE, .phase = phase, .seen = *ran };

	snprintf(c.text, sizeof(c.text), "%s", why);
	machine_task_change(task, &c);
}

static void made(struct machine_task *task, const struct machine_said *said)
{
	struct machine_change c = { .kind = MACHINE_CHANGE_MADE };

	memcpy(c.id, said->id, sizeof(c.id));
	memcpy(c.address, said->address, sizeof(c.address));
	wait_for(task, SOON_MS); /* what it has, and since when, is said by a look alone */
	task->failures = 0;
	machine_task_change(task, &c);
}

/* What keeps it from going on; said once. */
void machine_task_stuck(struct machine_task *task, const char *why)
{
	if (strcmp(task->row.reason, why) == 0) {
		machine_task_settle(task);
		return;
	}
	if (*why)
		log_warn("CVM %s of workspace %s: %s", task->row.name, task->row.workspace, why);
	note(task, why);
}

static void failed(struct machine_task *task, const struct err *e)
{
	char text[ERR_TEXT_MAX];

	task->is_in_doubt = false;
	snprintf(text, sizeof(text), "manager %s: %.300s", task->row.manager, e->text);
	wait_longer(task);
	machine_move_think(task, e);
	/* Why it goes is told when it is gone. */
	if (*usage_limit_reason(&task->row)) {
		log_warn("CVM %s of workspace %s: %s", task->row.name, task->row.workspace, text);
		machine_task_settle(task);
		return;
	}
	machine_task_stuck(task, text);
}

/* ---- what the manager says ---- */

static void create(struct machine_task *task);

/* Its own word, and not how the connection fared, or what it is itself in doubt of. */
static bool is_refusal(const struct err *e)
{
	static const enum err_code others[] = { ERR_UNAVAILABLE, ERR_DEADLINE, ERR_CANCELLED,
						ERR_DATA_LOSS, ERR_EXISTS };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (e->code == others[i])
			return false;
	return true;
}

static void on_created(void *data, const struct machine_said *said, const struct err *e)
{
	struct machine_task *task = data;

	if (task->machines->is_stopping) {
		machine_task_settle(task);
	} else if (!e) {
		made(task, said);
	} else if (is_refusal(e)) {
		/* Its word is not taken for it: what it has under this name is looked at. */
		task->is_in_doubt = true;
		err_set(&task->refusal, machine_said_code(e->code), "manager %s refuses it: %.300s",
			task->row.manager, e->text);
		look(task);
	} else if (e->code == ERR_EXISTS) {
		look(task);
	} else {
		failed(task, e);
	}
}

/* There is none, or none any more. */
static void none(struct machine_task *task, bool is_ours_to_repeat, const struct usage_seen *ran,
		 const char *why)
{
	if (task->row.phase == MACHINE_LEAVING) {
		task->refusal = (struct err){ .code = ERR_OK };
		gone(task, MACHINE_REMOVED, ran, usage_limit_reason(&task->row));
	} else if (task->refusal.code != ERR_OK) {
		gone(task, MACHINE_REMOVED, ran, task->refusal.text);
	} else if (task->row.phase == MACHINE_WANTED && is_ours_to_repeat) {
		create(task);
	} else {
		gone(task, MACHINE_LOST, ran, why);
	}
}

/* Each look says that it runs, and one in many is noted: the first one, for whatever ran while nobody looked. It is certain
 * of the moment when its manager was asked: it may have ended while the answer was on its way. */
static void ran(struct machine_task *task, const struct machine_said *said)
{
	uint64_t now = (uint64_t)clock_ms(CLOCK_MONOTONIC);
	struct machine_change c = { .kind = MACHINE_CHANGE_RAN,
				    .seen = { .begun = said->created,
					      .until = task->asked,
					      .cpus = said->cpus,
					      .memory = said->memory } };

	if (now < task->meter_due) {
		machine_task_stuck(task, task->limit_note);
		return;
	}
	task->meter_due = now + METER_MS;
	c.plans = &task->machines->table.plans;
	/* What has no line of its own any more is not ended by that. */
	if (!manager_table_quota_of(&task->machines->table, task->row.workspace, &c.quota))
		c.quota = (struct machine_quota)MACHINE_QUOTA_NONE;
	machine_task_change(task, &c);
}

static void runs(struct machine_task *task, const struct machine_said *said)
{
	if (task->unremoved.code != ERR_OK) {
		failed(task, &task->unremoved);
		return;
	}
	if (task->row.phase != MACHINE_MADE) {
		task->refusal = (struct err){ .code = ERR_OK }; /* it has made it all the same */
		made(task, said);
		return;
	}
	task->failures = 0;
	machine_move_stays(task);
	wait_for(task, task->row.stands == MACHINE_RUN_WAITS ? SOON_MS : LOOK_MS);
	ran(task, said);
}

/* A manager that lost its records, or takes us for somebody else, knows none of its CVMs. */
static void unknown_there(struct machine_task *task)
{
	const struct usage_seen nobody_knows = { .until = 0 };

	if (!machine_doubt_of_unknown(task))
		none(task, true, &nobody_knows, "its manager knows nothing of it");
}

/* A manager without GetVm makes and removes, and never says what it has. */
static void unasked(struct machine_task *task, const struct err *e)
{
	const struct err *why = task->unremoved.code != ERR_OK ? &task->unremoved : e;
	const struct usage_seen nobody_knows = { .until = 0 };

	if (task->row.phase != MACHINE_LEAVING)
		failed(task, why);
	else if (!machine_doubt_of_unasked(task, why))
		none(task, false, &nobody_knows, "");
}

static void on_seen(void *data, const struct machine_said *said, const struct err *e)
{
	struct machine_task *task = data;

	if (task->machines->is_stopping) {
		machine_task_settle(task);
		return;
	}
	if (e && e->code == ERR_NOT_FOUND) {
		unknown_there(task);
		return;
	}
	if (e && e->code == ERR_UNIMPLEMENTED) {
		unasked(task, e);
		return;
	}
	if (e) {
		failed(task, e);
		return;
	}
	const struct usage_seen ended = { .begun = said->created, .until = said->exited };
	switch (said->fate) {
	case MACHINE_FATE_RUNNING:
		runs(task, said);
		return;
	case MACHINE_FATE_LEFT_US:
		none(task, true, &ended, said->words);
		return;
	case MACHINE_FATE_EXPIRED:
		gone(task, MACHINE_REMOVED, &ended, said->words);
		return;
	case MACHINE_FATE_GONE:
		none(task, false, &ended, said->words);
		return;
	case MACHINE_FATE_COMING:
	case MACHINE_FATE_GOING:
	case MACHINE_FATE_UNKNOWN:
	case MACHINE_FATES:
	default:
		wait_for(task, SOON_MS);
		machine_task_stuck(task, said->words);
	}
}

static void on_removed(void *data, const struct machine_said *said, const struct err *e)
{
	struct machine_task *task = data;

	const struct usage_seen until_now = { .until = USAGE_UNTIL_NOW };

	(void)said;
	task->unremoved = (struct err){ .code = ERR_OK };
	if (e &&
	    e->code ==
		    ERR_UNKNOWN) /* of one that has no codes, this says that there is none, too */
		task->unremoved = *e;
	if (task->machines->is_stopping)
		machine_task_settle(task);
	else if (!e)
		gone(task, MACHINE_REMOVED, &until_now, usage_limit_reason(&task->row));
	else if (e->code == ERR_NOT_FOUND || e->code == ERR_UNKNOWN)
		look(task); /* removed before, or its manager has lost its records; it may know when */
	else
		failed(task, e);
}

/* ---- what is asked ---- */

static void ask(struct machine_task *task,
		int (*call)(struct manager_link *link, const struct machine *m,
			    manager_answered_fn *answered, void *data, struct err *e),
		manager_answered_fn *answered)
{
	struct manager_link *link = machines_link(task->machines, task->row.manager);
	struct err e;

	task->is_busy = true;
	if (!link) {
		err_set(&e, ERR_PRECONDITION, "COMPUTATIONS_MANAGERS names it no more");
		failed(task, &e);
		return;
	}
	if (manager_link_is_full(link)) {
		task->is_busy = false; /* at the next tick */
		return;
	}
	task->asked = store_now();
	if (call(link, &task->row, answered, task, &e) < 0)
		failed(task, &e);
}

static void look(struct machine_task *task)
{
	ask(task, manager_link_get, on_seen);
}

static void create(struct machine_task *task)
{
	/* One that is asked for and goes away again and again is not asked for at once. */
	if (!task->is_fresh && task->failures) {
		task->is_fresh = true;
		wait_longer(task);
		machine_task_settle(task);
		return;
	}
	if (!task->is_fresh)
		task->failures++;
	task->is_fresh = false;
	ask(task, manager_link_create, on_created);
}

static void turn(struct machine_task *task)
{
	struct service *service = task->machines->service;
	const struct machine_change c = {
		.kind = MACHINE_CHANGE_TURN,
		.agent = { .is_connected =
				   *task->row.cvm_id && session_find(service, task->row.cvm_id),
			   .must_verify = service->appraisal != NULL },
	};

	task->is_busy = true;
	machine_task_change(task, &c);
}

void machine_task_step(struct machine_task *task)
{
	(void)log_about_put(&task->about, LOG_CVM, task->row.cvm_id);
	LOG_ABOUT(&task->about);
	task->stepped = task->row.phase;
	if (machine_move_step(task))
		return;
	if (task->row.phase == MACHINE_LEAVING && *task->row.cvm_id)
		ask(task, manager_link_remove, on_removed);
	else if (task->row.phase == MACHINE_WANTED && task->is_fresh)
		create(task);
	else if (task->row.run && task->row.phase < MACHINE_LEAVING)
		turn(task);
	else
		look(task);
}
