/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_task.h — what is to be done next about one CVM. For this folder only.
 */
#pragma once

#include "common/base/log_about.h"
#include "computations/machines/machines.h"
#include "computations/machines/manager_link.h"

#include <sys/queue.h>

struct waiting {
	TAILQ_ENTRY(waiting) next;
	struct machine_waiter waiter;
};

struct machine_task {
	TAILQ_ENTRY(machine_task) next;
	struct machines *machines;
	struct log_about about;     /* of the call that asked for something last */
	struct machine row;         /* as it is on disk */
	enum machine_phase stepped; /* as the last step found it */
	bool is_busy;               /* a call or a change of its row is under way */
	bool is_fresh;              /* its manager was never asked for it */
	struct err refusal;         /* of its creation; code ERR_OK: none */
	struct err unremoved; /* why it was not removed, to be looked at; code ERR_OK: nothing */
	bool is_in_doubt;     /* whether that is so: who waits is told when it is known */
	bool is_given_up;     /* whoever has it removed knows that nobody says whether it is gone */
	unsigned failures;    /* one after the other */
	uint64_t due;         /* on the monotonic clock, ms */
	uint64_t meter_due;   /* the same: when it is next noted that it ran */
	int64_t asked;        /* when its manager last was, ms since 1970 */
	const struct manager_row
		*peer; /* that is asked next whether it has it by now; NULL: none */
	const struct manager_row *asked_last; /* of its manager's peers */
	unsigned moves;                       /* from one manager to another, one after the other */
	uint64_t moved;                       /* the last one, on the monotonic clock, ms */
	char limit_note[MACHINE_REASON_MAX + 1]; /* what was said then; "": nothing */
	TAILQ_HEAD(, waiting) waiters;
};

struct console_reader;

struct machines {
	struct service *service;
	uv_timer_t *timer; /* NULL: stopped */
	bool is_stopping;
	struct manager_table table;
	struct manager_link *links[MANAGERS_MAX];
	unsigned policies[MANAGERS_MAX]; /* that each is asked for now (machine_policy.h), */
	unsigned frees[MANAGERS_MAX];    /* and how often for what is free (machine_free.h) */
	TAILQ_HEAD(, machine_task) tasks;
	TAILQ_HEAD(, console_reader) readers; /* console_reader.h */
};

/* NULL: it is in the table no more. */
struct manager_link *machines_link(const struct machines *machines, const char *manager);

void machine_task_step(struct machine_task *task);

/* What steps are made of (machine_task.c), for machine_move.c and machine_doubt.c: its row is changed and the step is over; it is over, and why
 * it does not go on; and the next one waits, the longer the more often it has failed. */
struct machine_change;
void machine_task_change(struct machine_task *task, const struct machine_change *wanted);
void machine_task_stuck(struct machine_task *task, const char *why);
void machine_task_wait(struct machine_task *task, bool has_failed);
/* As long as between two looks at one that runs. */
void machine_task_look_later(struct machine_task *task);
void machine_task_settle(struct machine_task *task);

/* machine_move.c: its manager could not do what it was asked for; another one of its fleet may have it by now, and is
 * asked in the next step. */
void machine_move_think(struct machine_task *task, const struct err *why);
/* That step; false: there is nobody to be asked. */
bool machine_move_step(struct machine_task *task);
/* Its manager says that it has it. */
void machine_move_stays(struct machine_task *task);
/* machine_doubt.c: nobody says whether it is gone, so it stays, until somebody who has looked at its host has it removed
 * once more by force. True: it stays, its row says why, and the step is over. False: its row may end, and nothing was done.
 * Its manager knows nothing of it; what it never said it made may end. */
bool machine_doubt_of_unknown(struct machine_task *task);
/* It is to be removed, and its manager can't be asked what it has: so whether it ever made it is not known either.
 * `why`: what it said. */
bool machine_doubt_of_unasked(struct machine_task *task, const struct err *why);
/* All who wait; `e` NULL: the row as it is. */
void machine_task_tell(struct machine_task *task, const struct err *e);
void machine_task_free(struct machine_task *task);
