/* SPDX-License-Identifier: Apache-2.0 */
/* service_stray.c — the methods about CVMs without a record. */
#include "common/base/log.h"
#include "manager.pb-c.h"
#include "manager/service/service.h"

#include <string.h>

enum { PAGE_MAX = 256 };

/* What is asked for, while the hosts are. The cursor is the last id of the page before: each page looks anew. */
struct page_ask {
	struct rpc_call *call;
	size_t limit;
	char after[LOG_QUOTE_MAX];
};

static char *text(const char *borrowed)
{
	return (char *)(uintptr_t)borrowed;
}

static void fill(const struct stray *s, Manager__Stray *row)
{
	struct err why_not;

	manager__stray__init(row);
	row->id = text(s->id);
	row->domain = text(s->domain);
	row->host = text(s->host);
	row->folder = s->folder;
	row->secrets = s->secrets;
	row->adoptable = stray_check(s, &why_not) == 0;
}

/* From the first that comes after that id. */
static size_t place_after(const struct strays *found, const char *id)
{
	size_t place = 0;

	while (*id && place < found->count && strcmp(found->all[place].id, id) <= 0)
		place++;
	return place;
}

static void reply_strays(const struct page_ask *ask, const struct strays *found)
{
	Manager__ListStraysRes response = MANAGER__LIST_STRAYS_RES__INIT;
	size_t first = place_after(found, ask->after);
	Manager__Stray rows[PAGE_MAX], *list[PAGE_MAX];
	char *over[HOSTS_MAX];

	while (response.n_strays < ask->limit && first + response.n_strays < found->count) {
		size_t i = response.n_strays++;

		fill(&found->all[first + i], &rows[i]);
		list[i] = &rows[i];
	}
	if (first + response.n_strays < found->count)
		response.next = rows[response.n_strays - 1].id;
	for (; response.n_over < found->over_count; response.n_over++)
		over[response.n_over] = text(found->over[response.n_over]);
	response.strays = list;
	response.over = over;
	rpc_call_reply(ask->call, &response.base);
}

static void on_listed(void *data, const struct strays *found, const struct err *e)
{
	struct page_ask *ask = data;

	if (rpc_call_is_open(ask->call)) {
		if (e)
			service_fail(ask->call, e);
		else
			reply_strays(ask, found);
	}
	rpc_call_unref(ask->call);
	free(ask);
}

/* An id as a page has it: a CVM's, or quoted. */
static int read_cursor(const char *cursor, struct page_ask *ask, struct err *e)
{
	size_t len = strlen(cursor);

	if (len >= sizeof(ask->after) || (len && cursor[0] != '\'' && !cvm_id_is_valid(cursor)))
		return err_set(e, ERR_INVALID, "cursor: %s is none of ListStrays's",
			       log_quote(cursor).text);
	memcpy(ask->after, cursor, len + 1);
	return 0;
}

static int list_page(struct rpc_call *call, const Manager__ListStraysReq *request, struct err *e)
{
	CLEANUP(free) struct page_ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return err_nomem(e);
	ask->call = call;
	ask->limit = request->limit && request->limit < PAGE_MAX ? request->limit : PAGE_MAX;
	if (read_cursor(request->cursor, ask, e) < 0 ||
	    fleet_strays(service_fleet(call), on_listed, ask, e) < 0)
		return err_code(e);
	rpc_call_ref(call);
	TAKE_PTR(ask);
	return 0;
}

void service_list_strays(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	if (list_page(call, (const Manager__ListStraysReq *)message, &e) < 0)
		service_fail(call, &e);
}

static void on_adopted(void *data, const struct cvm *cvm, const struct err *e)
{
	struct rpc_call *call = data;

	if (e)
		service_fail(call, e);
	else
		service_reply_cvm(call, cvm);
	rpc_call_unref(call);
}

void service_adopt_stray(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__AdoptStrayReq *request = (const Manager__AdoptStrayReq *)message;
	struct err e;

	if (fleet_adopt(service_fleet(call), request->id, on_adopted, rpc_call_ref(call), &e) < 0) {
		service_fail(call, &e);
		rpc_call_unref(call);
		return;
	}
	rpc_call_prove(call);
}
