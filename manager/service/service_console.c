/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_console.c — the method that tells what a CVM's console says.
 *
 * A reader has a place among those that watch (fleet_view.h), one piece of the file at a time, and the next one
 * only when that has gone out: who reads slowly holds up nobody and costs no more. Files are read in the pool. What
 * follows looks again now and then: no notice comes from a file that something else writes, renames and empties.
 */
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "manager.pb-c.h"
#include "manager/fleet/fleet_view.h"
#include "manager/launch/console.h"
#include "manager/service/service.h"

#include <stddef.h>
#include <string.h>

enum { PIECE_MAX = 32 << 10, LOOK_MS = 250 };

struct console_call {
	struct fleet_watcher watcher;
	struct rpc_call *call; /* until it is closed */
	struct fleet *fleet;   /* while it watches */
	char id[CVM_ID_LEN + 1];
	bool follow;
	uv_timer_t look;

	/* The job's while one is under way. */
	struct console console;
	struct console_from from;
	char *path;
	const char *salt;
	bool opened;
	uint8_t *piece;
	size_t len;
	bool skipped, is_last; /* last: the CVM was gone before this was read */
	uint64_t left;         /* to be told, of one that does not follow */
	int failed;
	struct err err;

	bool busy;
};

static void go_on(struct console_call *r);

static struct console_call *call_of(struct fleet_watcher *watcher)
{
	return (struct console_call *)(void *)((char *)watcher -
					       offsetof(struct console_call, watcher));
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct console_call *r = handle->data;

	console_close(&r->console);
	free(r->path);
	free(r->piece);
	free(r);
}

static void forget(struct console_call *r)
{
	if (r->fleet)
		fleet_unwatch(TAKE_PTR(r->fleet), &r->watcher);
}

/* When the call is closed and no job is under way. */
static void release(struct console_call *r)
{
	if (!r->call && !r->busy)
		uv_close((uv_handle_t *)&r->look, on_timer_closed);
}

/* Ends it: with what a client learns, while the log has the whole. */
static void fail(struct console_call *r)
{
	struct err e;

	log_warn("CVM %s: its console can't be read: %s", r->id, r->err.text);
	err_set(&e, r->err.code, "the console of CVM %s can't be read: its manager's log says why",
		r->id);
	service_fail(r->call, &e);
}

static void read_work(void *data)
{
	struct console_call *r = data;

	r->len = 0;
	r->failed = 0;
	if (!r->opened) {
		r->failed = console_open(r->path, r->salt, &r->from, &r->console, &r->err);
		if (r->failed)
			return;
		r->opened = true;
		r->left = r->console.there;
	}
	r->failed = console_read(&r->console, r->piece, PIECE_MAX, &r->len, &r->skipped, &r->err);
}

/* What came later than the call is not told to one that does not follow. */
static int tell(struct console_call *r, struct err *e)
{
	Manager__ConsolePart part = MANAGER__CONSOLE_PART__INIT;
	char cursor[CONSOLE_CURSOR_MAX];
	struct console_place place = r->console.next;

	if (!r->follow && r->len > r->left) {
		place.at -= r->len - r->left;
		r->len = (size_t)r->left;
	}
	r->left -= r->follow ? 0 : r->len;
	console_place_write(&place, cursor);
	part.cursor = cursor;
	part.skipped = r->skipped;
	part.data = (ProtobufCBinaryData){ .data = r->piece, .len = r->len };
	return rpc_call_send(r->call, &part.base, e);
}

static void on_look(uv_timer_t *timer)
{
	go_on(timer->data);
}

static void take_piece(struct console_call *r, struct rpc_call *call)
{
	struct err e;

	if (r->failed) {
		fail(r);
		return;
	}
	if (r->len && (r->follow || r->left) && tell(r, &e) < 0) {
		if (rpc_call_is_open(call))
			service_fail(call, &e);
		return;
	}
	if (r->follow ? !r->len && r->is_last : !r->len || !r->left)
		rpc_call_finish(call, NULL);
	else if (r->len)
		go_on(r);
	else
		uv_timer_start(&r->look, on_look, LOOK_MS, 0);
}

static void read_done(struct rpc_call *call, void *data)
{
	struct console_call *r = data;

	r->busy = false;
	if (rpc_call_is_open(call) && r->call)
		take_piece(r, call);
	else
		release(r);
}

/* The CVM, if it is still there for the caller: a table that was read again counts. */
static bool look_at_cvm(struct console_call *r)
{
	struct access_caller caller;
	struct vm_view view;

	if (!service_caller(r->call, &caller))
		return false;
	if (!fleet_view_find(r->fleet, &caller, r->id, &view)) {
		service_not_found(r->call, r->id);
		return false;
	}
	r->is_last = view.gone != NULL;
	return true;
}

static void go_on(struct console_call *r)
{
	struct err e;

	if (r->busy || !r->call || !r->fleet || !rpc_call_is_open(r->call) ||
	    rpc_call_queued(r->call) >= RPC_LOW_WATER || !look_at_cvm(r))
		return;
	uv_timer_stop(&r->look);
	r->busy = true;
	if (rpc_call_job(r->call, read_work, read_done, r, &e) < 0) {
		r->busy = false;
		service_fail(r->call, &e);
	}
}

/* Something has changed: perhaps it is gone. */
static void on_changed(struct fleet_watcher *watcher)
{
	go_on(call_of(watcher));
}

static void on_end(struct fleet_watcher *watcher, const struct err *why)
{
	struct console_call *r = call_of(watcher);
	struct rpc_call *call = r->call;

	forget(r);
	rpc_call_finish(call, why);
}

static int read_from(const Manager__ConsoleReq *request, struct console_from *from, struct err *e)
{
	if (request->lines && *request->cursor)
		return err_set(e, ERR_INVALID, "lines, cursor: give one of them");
	if (request->lines > CONSOLE_LINES_MAX)
		return err_set(e, ERR_INVALID, "lines: %u are more than %d", request->lines,
			       CONSOLE_LINES_MAX);
	from->lines = request->lines;
	return *request->cursor ? console_place_read(request->cursor, &from->place, e) : 0;
}

static int start(struct console_call *r, const Manager__ConsoleReq *request, const char *id,
		 struct err *e)
{
	struct fleet *f = service_fleet(r->call);

	memcpy(r->id, id, sizeof(r->id));
	r->follow = request->follow;
	r->salt = registry_tag(fleet_lifecycle(f)->registry);
	if (read_from(request, &r->from, e) < 0 ||
	    lifecycle_console(fleet_lifecycle(f), r->id, &r->path, e) < 0 ||
	    fleet_watch(f, &r->watcher, e) < 0)
		return err_code(e);
	r->fleet = f;
	return 0;
}

static struct console_call *console_call_new(struct rpc_call *call, struct err *e)
{
	struct console_call *r = calloc(1, sizeof(*r));
	uint8_t *piece = malloc(PIECE_MAX);

	if (!r || !piece) {
		free(r);
		free(piece);
		err_nomem(e);
		return NULL;
	}
	*r = (struct console_call){ .watcher = { .changed = on_changed,
						 .end = on_end,
						 .source = rpc_call_source(call) },
				    .call = call,
				    .piece = piece };
	uv_timer_init(rpc_call_loop(call), &r->look);
	r->look.data = r;
	return r;
}

/* It has one, and its file is here. */
static int check_place(const struct fleet *f, const struct vm_view *view, struct err *e)
{
	if (view->gone)
		return err_set(e, ERR_PRECONDITION, "CVM %s is gone, and its console with it",
			       view->gone->id);
	if (!vm_hosts_find(fleet_lifecycle(f)->hosts, view->cvm->host)->is_local)
		return err_set(e, ERR_PRECONDITION,
			       "CVM %s runs on host %s, which shows its console itself: 'virsh "
			       "console %s' there",
			       view->cvm->id, view->cvm->host, view->cvm->id);
	return 0;
}

void service_console(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__ConsoleReq *request = (const Manager__ConsoleReq *)message;
	struct access_caller caller;
	struct console_call *r;
	struct vm_view view;
	struct err e;

	if (!service_caller(call, &caller))
		return;
	if (!fleet_view_find(service_fleet(call), &caller, request->id, &view)) {
		service_elsewhere(call, &caller, request->id);
		return;
	}
	if (check_place(service_fleet(call), &view, &e) < 0) {
		service_fail(call, &e);
		return;
	}
	(void)!rpc_call_note(call, "id", view.cvm->id);
	rpc_call_is_about(call, LOG_CVM, view.cvm->id);
	r = console_call_new(call, &e);
	if (!r) {
		service_fail(call, &e);
		return;
	}
	rpc_call_set_user(call, r);
	if (start(r, request, view.cvm->id, &e) < 0)
		service_fail(call, &e);
	else
		go_on(r);
}

void service_console_writable(struct rpc_call *call)
{
	struct console_call *r = rpc_call_user(call);

	if (r)
		go_on(r);
}

/* Also of a call that had no message. */
void service_console_closed(struct rpc_call *call)
{
	struct console_call *r = rpc_call_user(call);

	if (!r)
		return;
	forget(r);
	r->call = NULL;
	release(r);
}
