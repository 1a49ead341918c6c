/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_watch.c — the method that says what becomes of CVMs.
 *
 * A watcher is a place in the order of changes and nothing that waits: who reads slowly gets the later
 * changes of a CVM as one, and who is further behind than what is kept of CVMs that are gone is cut off.
 */
#include "manager.pb-c.h"
#include "manager/service/service.h"
#include "manager/service/vm_filter.h"
#include "manager/service/vm_message.h"

#include <stddef.h>
#include <string.h>

struct watch {
	struct fleet_watcher watcher;
	struct rpc_call *call;
	struct fleet *fleet;
	struct vm_filter filter;
	uint64_t at;    /* everything up to here has been said */
	uint64_t floor; /* what was gone by then is not asked for */
	bool caught_up;
};

static struct watch *watch_of(struct fleet_watcher *watcher)
{
	return (struct watch *)(void *)((char *)watcher - offsetof(struct watch, watcher));
}

static int say(struct watch *w, const struct vm_view *view, struct err *e)
{
	Manager__VmChange change = MANAGER__VM_CHANGE__INIT;
	struct vm_message out;

	if (view) {
		vm_message(view, &out);
		change.vm = &out.message;
	}
	change.revision = w->at;
	return rpc_call_send(w->call, &change.base, e);
}

static bool is_wanted(const struct watch *w, const struct vm_view *view)
{
	return !(view->gone && view->revision <= w->floor) && vm_filter_passes(&w->filter, view);
}

/* As much as there is, or as there is room for: the rest when that was sent. */
static int say_changes(struct watch *w, struct err *e)
{
	struct fleet_changes changes = fleet_changes_after(w->fleet, w->at);
	struct vm_view view;

	while (rpc_call_queued(w->call) < RPC_LOW_WATER) {
		if (!fleet_changes_next(&changes, &view)) {
			if (w->caught_up) {
				w->at = fleet_revision(w->fleet);
				return 0;
			}
			w->at = fleet_revision_now(w->fleet);
			w->caught_up = true;
			return say(w, NULL, e);
		}
		w->at = view.revision;
		if (is_wanted(w, &view) && say(w, &view, e) < 0)
			return err_code(e);
	}
	return 0;
}

static void go_on(struct watch *w)
{
	uint64_t has = w->at > w->floor ? w->at : w->floor;
	struct access_caller caller;
	struct rpc_call *call;
	struct err e;
	int failed;

	if (!rpc_call_is_open(w->call) || !service_caller(w->call, &caller))
		return;
	call = rpc_call_ref(w->call); /* sending may end it, and the watch with it */
	if (strcmp(caller.tenant, w->filter.caller.tenant) != 0)
		failed = err_set(&e, ERR_DENIED,
				 "the table of who may call has changed: watch anew");
	else if (fleet_forgotten(w->fleet, &caller) > has)
		failed = err_set(
			&e, ERR_OUT_OF_RANGE,
			"this watch was read too slowly, and CVMs that are gone were forgotten "
			"meanwhile: list the CVMs anew, and go on from that revision");
	else
		failed = say_changes(w, &e);
	if (failed && rpc_call_is_open(call))
		service_fail(call, &e);
	rpc_call_unref(call);
}

static void on_changed(struct fleet_watcher *watcher)
{
	go_on(watch_of(watcher));
}

static void forget(struct watch *w)
{
	if (!w->fleet)
		return;
	fleet_unwatch(TAKE_PTR(w->fleet), &w->watcher);
}

static void on_end(struct fleet_watcher *watcher, const struct err *why)
{
	struct watch *w = watch_of(watcher);
	struct rpc_call *call = w->call;

	forget(w);
	rpc_call_finish(call, why);
}

static int start(struct watch *w, const Manager__WatchVmsReq *request,
		 const struct access_caller *caller, struct err *e)
{
	struct fleet *f = service_fleet(w->call);

	if (vm_filter_make(request->filter, caller, &w->filter, e) < 0)
		return err_code(e);
	if (w->filter.states)
		return err_set(
			e, ERR_INVALID,
			"filter: states change, so a watch has none: watch all, and look at the "
			"state of each");
	/* What is refused names the last revision: as of now, not when another's CVM changed. */
	(void)fleet_revision_now(f);
	if (request->revision && fleet_check_revision(f, request->revision, caller, e) < 0)
		return err_code(e);
	if (fleet_watch(f, &w->watcher, e) < 0)
		return err_code(e);
	w->at = request->revision;
	w->floor = request->revision ? request->revision : fleet_revision(f);
	w->fleet = f;
	return 0;
}

void service_watch_vms(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct access_caller caller;
	struct watch *w;
	struct err e;

	if (!service_caller(call, &caller))
		return;
	w = calloc(1, sizeof(*w));
	if (!w) {
		err_nomem(&e);
		service_fail(call, &e);
		return;
	}
	*w = (struct watch){ .watcher = { .changed = on_changed,
					  .end = on_end,
					  .source = rpc_call_source(call) },
			     .call = call };
	rpc_call_set_user(call, w);
	if (start(w, (const Manager__WatchVmsReq *)message, &caller, &e) < 0)
		service_fail(call, &e);
	else
		go_on(w);
}

void service_watch_writable(struct rpc_call *call)
{
	struct watch *w = rpc_call_user(call);

	if (w && w->fleet)
		go_on(w);
}

/* Also of a call that had no message. */
void service_watch_closed(struct rpc_call *call)
{
	struct watch *w = rpc_call_user(call);

	if (w)
		forget(w);
	free(w);
}
