/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_new_judge.c — a manifest on its way to the call that it becomes: in the database whether its caller may; in the line
 * of judge_line.h which users and assets it names; in the database what these stand for, if he still may; and in the line
 * again what becomes of it. So nobody else waits while it is read.
 */
#include "computations/core/judge_line.h"
#include "computations/web/web_new.h"

static void begin(struct web_new *n, int (*run)(struct store *store, void *data, struct err *e),
		  void (*done)(void *data, const struct err *e));
static void stand_in_line(struct web_new *n);

static void end(struct web_new *n, const struct err *why)
{
	n->why = *why;
	web_new_judged(n, NULL);
}

/* ---- the database ---- */

/* Whether he may is said by the call, which the audit log sees. */
static int check(struct store *store, const struct web_new *n, struct admin_caller *caller,
		 struct err *e)
{
	*caller = n->given.caller;
	caller->deed = n->id ? DEED_SEE : DEED_BE;
	return web_work_check(store, caller, n->id ? n->id : "", e);
}

/* What can't be made of it is told by the form, which needs what was found before. */
static int run_may(struct store *store, void *data, struct err *e)
{
	struct web_new *n = data;
	struct admin_caller caller;

	if (check(store, n, &caller, e) < 0 || (n->id && web_new_find_place(store, n, e) < 0))
		return err_code(e);
	n->seen = caller;
	if (n->form && !n->id &&
	    (web_new_places(store, &caller, &n->places, e) < 0 ||
	     web_new_take_place(store, n, &caller, e) < 0))
		return err_code(e);
	return 0;
}

static void he_may(void *data, const struct err *e)
{
	struct web_new *n = data;

	if (e || n->why.code != ERR_OK)
		web_new_judged(n, e);
	else
		stand_in_line(n);
}

static int run_names(struct store *store, void *data, struct err *e)
{
	struct web_new *n = data;
	struct admin_caller caller;

	if (check(store, n, &caller, e) < 0)
		return err_code(e);
	if (web_new_look_up(store, n, &caller, &n->why) == 0)
		n->why.code = ERR_OK;
	return 0;
}

/* ---- the line ---- */

/* Each is as short as the work for a few keys. */
static int (*const steps[])(struct web_new *n, struct err *e) = { web_new_find_names, web_new_make,
								  web_new_check };

static bool has_names_to_ask_for(const struct web_new *n)
{
	return n->step == 1 && n->name_count;
}

static bool take_step(void *data)
{
	struct web_new *n = data;

	if (steps[n->step++](n, &n->why) < 0)
		return false;
	n->why.code = ERR_OK;
	return n->step < ARRAY_LEN(steps) && !has_names_to_ask_for(n);
}

static void judged(void *data, const struct err *e)
{
	struct web_new *n = data;

	judge_line_leave(TAKE_PTR(n->line));
	if (e)
		end(n, e);
	else if (n->why.code == ERR_OK && has_names_to_ask_for(n))
		begin(n, run_names, he_may);
	else
		web_new_judged(n, NULL);
}

static void stand_in_line(struct web_new *n)
{
	const struct judge_job job = {
		.caller = { .person = n->seen.who.person, .source = http_request_source(n->r) },
		.bytes = n->len,
		.step = take_step,
		.done = judged,
		.data = n,
	};
	struct err e;

	if (judge_line_add(n->web->service->judges, &job, &n->line, &e) < 0)
		end(n, &e);
}

/* ---- both ---- */

static void begin(struct web_new *n, int (*run)(struct store *store, void *data, struct err *e),
		  void (*done)(void *data, const struct err *e))
{
	const struct store_queue_op op = { run, done, n };
	struct service *service = n->web->service;
	const uint64_t account = admin_access_account(service->known, &n->given.caller);
	struct err e;

	if (store_queue_add_for(service->queue, account, &op, false, &e) < 0)
		end(n, &e);
}

void web_new_start(struct web_new *n)
{
	begin(n, run_may, he_may);
}
