/* SPDX-License-Identifier: Apache-2.0 */
/* service_vm.c — the methods that say which CVMs there are. */
#include "common/base/log.h"
#include "manager.pb-c.h"
#include "manager/service/service.h"
#include "manager/service/vm_filter.h"
#include "manager/service/vm_message.h"

#include <inttypes.h>
#include <string.h>

enum { PAGE_MAX = 256, CURSOR_MAX = 64 };

/* Where a list goes on. Only text that write_cursor() gives is taken; it leads nowhere that a client could
 * not ask for. */
struct cursor {
	uint64_t revision, place, filter;
};

static void write_cursor(const struct cursor *c, char text[CURSOR_MAX])
{
	snprintf(text, CURSOR_MAX, "%" PRIx64 ".%" PRIx64 ".%" PRIx64, c->revision, c->place,
		 c->filter);
}

static int read_cursor(const char *text, struct fleet *f, const struct vm_filter *wanted,
		       struct cursor *c, struct err *e)
{
	uint64_t filter = vm_filter_digest(wanted);
	char again[CURSOR_MAX];

	*c = (struct cursor){ .revision = fleet_revision_now(f), .filter = filter };
	if (!*text)
		return 0;
	if (strlen(text) >= CURSOR_MAX || sscanf(text, "%" SCNx64 ".%" SCNx64 ".%" SCNx64,
						 &c->revision, &c->place, &c->filter) != 3)
		return err_set(e, ERR_INVALID, "cursor: %s is none of ListVms's",
			       log_quote(text).text);
	write_cursor(c, again);
	if (strcmp(text, again) != 0 || c->place >= fleet_places(f))
		return err_set(e, ERR_INVALID, "cursor: %s is none of ListVms's",
			       log_quote(text).text);
	if (c->filter != filter)
		return err_set(e, ERR_INVALID, "cursor: is that of a list with another filter");
	return fleet_check_revision(f, c->revision, &wanted->caller, e) < 0 ? err_wrap(e, "cursor")
									    : 0;
}

/* What of the filter a list that asks for no state has. */
static void leave_out_exited(struct vm_filter *filter)
{
	if (!filter->states)
		filter->states = (1u << VM_STATES) - 1 - (1u << VM_EXITED);
}

struct page {
	struct vm_message *rows;
	Manager__Vm **list;
	size_t count, room;
};

static void page_done(struct page *page)
{
	free(page->rows);
	free(page->list);
}
#define CLEANUP_PAGE __attribute__((cleanup(page_done)))

/* The place after the last that was looked at. */
static size_t fill_page(const struct fleet *f, const struct vm_filter *filter, size_t place,
			struct page *page)
{
	struct vm_view view;

	for (; place < fleet_places(f); place++) {
		if (!fleet_view(f, place, &view) || !vm_filter_passes(filter, &view))
			continue;
		if (page->count == page->room)
			break;
		vm_message(&view, &page->rows[page->count]);
		page->list[page->count] = &page->rows[page->count].message;
		page->count++;
	}
	return place;
}

static int reply_page(struct rpc_call *call, const Manager__ListVmsReq *request, struct err *e)
{
	struct fleet *f = service_fleet(call);
	Manager__ListVmsRes response = MANAGER__LIST_VMS_RES__INIT;
	struct page page CLEANUP_PAGE = { .room = request->limit };
	struct access_caller caller;
	struct vm_filter filter;
	char next[CURSOR_MAX];
	struct cursor cursor;

	if (!service_caller(call, &caller))
		return 0;
	if (vm_filter_make(request->filter, &caller, &filter, e) < 0 ||
	    read_cursor(request->cursor, f, &filter, &cursor, e) < 0)
		return err_code(e);
	leave_out_exited(&filter);
	if (!page.room || page.room > PAGE_MAX)
		page.room = PAGE_MAX;
	page.rows = calloc(page.room, sizeof(*page.rows));
	page.list = calloc(page.room, sizeof(Manager__Vm *));
	if (!page.rows || !page.list)
		return err_nomem(e);
	cursor.place = fill_page(f, &filter, cursor.place, &page);
	if (cursor.place < fleet_places(f)) {
		write_cursor(&cursor, next);
		response.next = next;
	}
	response.vms = page.list;
	response.n_vms = page.count;
	response.revision = cursor.revision;
	rpc_call_reply(call, &response.base);
	return 0;
}

void service_list_vms(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	if (reply_page(call, (const Manager__ListVmsReq *)message, &e) < 0)
		service_fail(call, &e);
}

void service_get_vm(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__GetVmReq *request = (const Manager__GetVmReq *)message;
	struct vm_message out;
	struct access_caller caller;
	struct vm_view view;

	if (!service_caller(call, &caller))
		return;
	if (!fleet_view_find(service_fleet(call), &caller, request->id, &view)) {
		service_elsewhere(call, &caller, request->id);
		return;
	}
	vm_message(&view, &out);
	rpc_call_reply(call, &out.message.base);
}
