/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/console_reader.h"

#include "common/base/log.h"
#include "computations/machines/machine_task.h"

#include <stdlib.h>
#include <string.h>

enum { ASK_AGAIN_MS = 5000 };

struct console_reader {
	TAILQ_ENTRY(console_reader) next;
	struct service *service;
	unsigned
		refs; /* the caller's until it is over; the pool's, the manager's and the timer's */
	bool is_over; /* the sink is told nothing any more */
	struct console_wish wish;
	const struct console_sink *sink;
	void *data;
	uv_timer_t *timer;
	struct manager_console *console; /* NULL: none is open */

	/* The pool's while it asks. */
	struct admin_caller caller;
	char *workspace, *name;
	struct machine m;
	bool is_asking, is_about_piece;
	struct admin_caller shown; /* the caller, as the pool found it last */

	uint8_t *piece; /* that waits for the answer; NULL: none */
	size_t len;
	bool skipped;
	bool is_full; /* the sink */
	bool has_end; /* the manager has said all */
	struct err end;
};

static void unref(struct console_reader *r)
{
	if (--r->refs)
		return;
	machine_done(&r->m);
	free(r->workspace);
	free(r->name);
	free(r->piece);
	free(r);
}

static void timer_closed(uv_handle_t *handle)
{
	unref(handle->data);
	free(handle);
}

/* No more of anything; what is under way ends by itself. */
static void over(struct console_reader *r)
{
	if (r->is_over)
		return;
	r->is_over = true;
	if (r->service->machines)
		TAILQ_REMOVE(&r->service->machines->readers, r, next);
	if (r->timer)
		uv_close((uv_handle_t *)TAKE_PTR(r->timer), timer_closed);
	if (r->console)
		manager_console_cancel(TAKE_PTR(r->console));
	unref(r);
}

static void end(struct console_reader *r, const struct err *e)
{
	const struct console_sink *sink = r->sink;
	void *data = r->data;

	if (r->is_over)
		return;
	over(r);
	sink->ended(data, e);
}

/* ---- may he? ---- */

/* The CVM that is called so now; from then on by its number. */
static int find(struct store *store, struct console_reader *r, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (admin_access_workspace(store, &r->caller, DEED_CONSOLE, r->workspace, &w, e) < 0 ||
	    store_machine(store, w.number, r->name, &r->m, e) < 0)
		return err_code(e);
	if (machine_is_gone(r->m.phase))
		return err_set(e, ERR_PRECONDITION, "CVM %s is gone, and its console with it",
			       r->name);
	return 0;
}

static int run_ask(struct store *store, void *data, struct err *e)
{
	struct console_reader *r = data;

	if (admin_access_know(store, &r->caller, e) < 0 || (!r->m.number && find(store, r, e) < 0))
		return err_code(e);
	return admin_access_machine(store, &r->caller, DEED_CONSOLE, r->m.number, e);
}

static void asked(void *data, const struct err *e);

static void ask(struct console_reader *r)
{
	const struct store_queue_op op = { .run = run_ask, .done = asked, .data = r };
	const uint64_t account = admin_access_account(r->service->known, &r->caller);
	struct err e;

	if (r->is_asking)
		return;
	if (store_queue_add_for(r->service->queue, account, &op, false, &e) < 0) {
		end(r, &e);
		return;
	}
	r->is_asking = true;
	r->is_about_piece = r->piece != NULL;
	r->refs++;
}

static void on_timer(uv_timer_t *timer)
{
	ask(timer->data);
}

static int start_timer(struct console_reader *r, struct err *e)
{
	uv_timer_t *timer = malloc(sizeof(*timer));

	if (!timer)
		return err_nomem(e);
	uv_timer_init(r->service->loop, timer);
	timer->data = r;
	r->timer = timer;
	r->refs++;
	uv_timer_start(timer, on_timer, ASK_AGAIN_MS, ASK_AGAIN_MS);
	return 0;
}

/* ---- what the manager says ---- */

/* It is cut off at its manager until the answer is there. */
static void on_piece(void *data, const uint8_t *bytes, size_t len, bool skipped)
{
	struct console_reader *r = data;
	struct err e;

	if (r->is_over)
		return;
	r->piece = malloc(len ? len : 1);
	if (!r->piece) {
		end(r, (err_nomem(&e), &e));
		return;
	}
	if (len)
		memcpy(r->piece, bytes, len);
	r->len = len;
	r->skipped = skipped;
	ask(r);
}

static void finish(struct console_reader *r)
{
	end(r, r->end.code != ERR_OK ? &r->end : NULL);
}

static void on_ended(void *data, const struct err *e)
{
	struct console_reader *r = data;

	r->console = NULL;
	r->has_end = true;
	r->end = e ? *e : (struct err){ .code = ERR_OK };
	if (!r->piece && !r->is_over)
		finish(r);
	unref(r);
}

static const struct manager_console_events events = { on_piece, on_ended };

/* No user keeps the others from reading; and who may not, or has not been heard yet, nobody. */
static int take_place(const struct console_reader *r, struct err *e)
{
	const struct console_reader *other;
	unsigned all = 0, own = 0;

	TAILQ_FOREACH(other, &r->service->machines->readers, next) {
		if (other != r && !other->timer)
			continue;
		all++;
		own += r->shown.who.person && other->shown.who.person == r->shown.who.person;
	}
	if (own > CONSOLE_READERS_EACH)
		return err_set(e, ERR_EXHAUSTED, "user %s reads %d consoles already: end one",
			       r->shown.who.name, CONSOLE_READERS_EACH);
	if (all > CONSOLE_READERS_MAX)
		return err_set(e, ERR_EXHAUSTED, "%d consoles are read already: try again later",
			       CONSOLE_READERS_MAX);
	return 0;
}

static int open_console(struct console_reader *r, struct err *e)
{
	struct machines *machines = r->service->machines;
	struct manager_link *link;

	if (machines->is_stopping)
		return err_set(e, ERR_UNAVAILABLE, "the service is going down");
	link = machines_link(machines, r->m.manager);
	if (take_place(r, e) < 0)
		return err_code(e);
	if (!link)
		return err_set(
			e, ERR_UNAVAILABLE,
			"there is no manager %s at this service now: its administrator has it "
			"in COMPUTATIONS_MANAGERS, or not",
			r->m.manager);
	if (start_timer(r, e) < 0 ||
	    manager_console_open(link, &r->m, &r->wish, &events, r, &r->console, e) < 0)
		return err_code(e);
	r->refs++;
	log_info("CVM %s of workspace %s: %s reads its console", r->m.name, r->m.workspace,
		 r->shown.who.person ? r->shown.who.name : "the operator");
	if (r->sink->begun)
		r->sink->begun(r->data);
	return 0;
}

/* ---- and what he gets ---- */

static void deliver(struct console_reader *r)
{
	uint8_t *piece = TAKE_PTR(r->piece);

	r->is_full = !r->sink->piece(r->data, piece, r->len, r->skipped);
	free(piece);
	if (r->is_over)
		return;
	if (r->has_end)
		finish(r);
	else if (!r->is_full)
		manager_console_go_on(r->console);
}

static void asked(void *data, const struct err *e)
{
	struct console_reader *r = data;
	bool is_first = !r->timer;
	struct err failed;

	r->is_asking = false;
	r->shown = r->caller;
	if (r->is_over) {
		unref(r);
		return;
	}
	if (e)
		end(r, e);
	else if (is_first && open_console(r, &failed) < 0)
		end(r, &failed);
	else if (r->piece && r->is_about_piece)
		deliver(r);
	else if (r->piece) /* it came meanwhile: the answer may be of before something changed */
		ask(r);
	unref(r);
}

/* ---- the caller's ---- */

void console_reader_go_on(struct console_reader *r)
{
	if (!r->is_full || r->is_over)
		return;
	r->is_full = false;
	if (r->console)
		manager_console_go_on(r->console);
}

void console_reader_stop(struct console_reader *r)
{
	over(r);
}

const struct admin_caller *console_reader_caller(const struct console_reader *r)
{
	return &r->shown;
}

const char *console_reader_cvm(const struct console_reader *r)
{
	return r->m.cvm_id;
}

int console_reader_new(struct service *service, const struct admin_caller *caller,
		       const char *workspace, const char *name, const struct console_wish *wish,
		       const struct console_sink *sink, void *data, struct console_reader **reader,
		       struct err *e)
{
	struct console_reader *r;

	if (wish->lines > CONSOLE_LINES_MAX)
		return err_set(e, ERR_INVALID, "lines: %u are more than %d", wish->lines,
			       CONSOLE_LINES_MAX);
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem(e);
	r->refs = 1;
	r->service = service;
	r->caller = *caller;
	r->wish = *wish;
	r->sink = sink;
	r->data = data;
	r->workspace = strdup(workspace);
	r->name = strdup(name);
	if (!r->workspace || !r->name ||
	    store_queue_add_for(
		    service->queue, admin_access_account(service->known, caller),
		    &(struct store_queue_op){ .run = run_ask, .done = asked, .data = r }, false,
		    e) < 0) {
		if (!r->workspace || !r->name)
			err_nomem(e);
		unref(r);
		return err_code(e);
	}
	r->is_asking = true;
	r->refs++;
	TAILQ_INSERT_TAIL(&service->machines->readers, r, next);
	*reader = r;
	return 0;
}
