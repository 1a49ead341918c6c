/* SPDX-License-Identifier: Apache-2.0 */
/* admin_list.c — List, ListCvms, ShowCvm, ReleaseCvm: what there is, and whose names are whose. */
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin.h"

static struct request *page_request(struct rpc_call *call, const ProtobufCMessage *message,
				    const struct list_kind *list)
{
	const Computations__ListRequest *request = (const Computations__ListRequest *)message;
	struct request *r = request_new(call, request->after);
	struct err e;

	if (!r)
		return NULL;
	r->limit =
		request->limit && request->limit < STORE_PAGE_MAX ? request->limit : STORE_PAGE_MAX;
	if (request_look(r, list, request->sort, request->search, &e) == 0 &&
	    request_in_workspace(r, request->workspace, &e) == 0)
		return r;
	request_refuse(r, &e);
	return NULL;
}

/* A page of answers: one struct for each row, and a message's pointers to them. */
struct page {
	void *out, *rows;
};

static void page_done(struct page *p)
{
	free(p->out);
	free(p->rows);
}
#define CLEANUP_PAGE __attribute__((cleanup(page_done)))

/* False if memory runs out; the call is finished then. */
static bool page_make(struct page *p, struct request *r, size_t each)
{
	struct err e;

	p->out = calloc(r->limit, each);
	p->rows = calloc(r->limit, sizeof(void *));
	if (p->out && p->rows)
		return true;
	err_nomem(&e);
	rpc_call_finish(r->call, &e);
	return false;
}

static void page_start(struct rpc_call *call, const ProtobufCMessage *message,
		       const struct list_kind *list,
		       int (*run)(struct store *store, struct request *r, struct err *e),
		       void (*reply)(struct request *r))
{
	struct request *r = page_request(call, message, list);

	if (!r)
		return;
	r->run = run;
	r->reply = reply;
	request_start(r);
}

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct store_view view;

	r->computations = calloc(r->limit, sizeof(*r->computations));
	if (!r->computations)
		return err_nomem(e);
	if (admin_access_view(store, &r->caller, r->workspace, &view, e) < 0)
		return err_code(e);
	if (r->is_sorted)
		return store_find(store,
				  &(struct store_search){ r->text, -1, r->id, view, r->sort },
				  r->limit, r->computations, &r->count, &r->place, e);
	return store_computations(store, view, r->id, r->limit, r->computations, &r->count,
				  &r->has_more, e);
}

static void reply_list(struct request *r)
{
	Computations__ListResponse response = COMPUTATIONS__LIST_RESPONSE__INIT;
	struct page page CLEANUP_PAGE = { .out = NULL };
	struct admin_message_computation *out;

	if (!page_make(&page, r, sizeof(*out)))
		return;
	out = page.out;
	response.computations = page.rows;
	for (size_t i = 0; i < r->count; i++) {
		admin_message_computation(&out[i], &r->computations[i],
					  request_is_connected(r, r->computations[i].cvm_id));
		response.computations[i] = &out[i].message;
	}
	response.n_computations = r->count;
	if (r->place)
		response.next = r->place;
	else if (r->has_more)
		response.next = r->computations[r->count - 1].id;
	rpc_call_reply(r->call, &response.base);
}

void list_computations(struct rpc_call *call, const ProtobufCMessage *message)
{
	page_start(call, message, &store_list, run_list, reply_list);
}

static int run_list_cvms(struct store *store, struct request *r, struct err *e)
{
	const struct list_search search = request_search(r, r->id);

	if (*r->workspace)
		return err_set(e, ERR_INVALID, "CVMs are in no workspace");
	r->cvms = calloc(r->limit, sizeof(*r->cvms));
	if (!r->cvms)
		return err_nomem(e);
	if (r->is_sorted)
		return store_cvms_find(store, &search, r->limit, r->cvms, &r->count, &r->place, e);
	return store_cvms(store, r->id, r->limit, r->cvms, &r->count, e);
}

static void reply_list_cvms(struct request *r)
{
	Computations__ListCvmsResponse response = COMPUTATIONS__LIST_CVMS_RESPONSE__INIT;
	struct page page CLEANUP_PAGE = { .out = NULL };
	struct admin_message_cvm *out;

	if (!page_make(&page, r, sizeof(*out)))
		return;
	out = page.out;
	response.cvms = page.rows;
	response.n_cvms = r->count;
	for (size_t i = 0; i < r->count; i++) {
		admin_message_cvm(&out[i], &r->cvms[i], request_is_connected(r, r->cvms[i].id));
		response.cvms[i] = &out[i].message;
	}
	if (r->place)
		response.next = r->place;
	else if (!r->is_sorted && r->count == r->limit)
		response.next = r->cvms[r->count - 1].id;
	rpc_call_reply(r->call, &response.base);
}

void list_cvms(struct rpc_call *call, const ProtobufCMessage *message)
{
	page_start(call, message, &store_cvm_orders, run_list_cvms, reply_list_cvms);
}

/* ShowCvm */

static int run_show_cvm(struct store *store, struct request *r, struct err *e)
{
	return store_cvm(store, r->id, &r->cvm, e);
}

static void reply_show_cvm(struct request *r)
{
	struct admin_message_cvm out;

	admin_message_cvm(&out, &r->cvm, request_is_connected(r, r->cvm.id));
	rpc_call_reply(r->call, &out.message.base);
}

void list_show_cvm(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_new(call, ((const Computations__CvmRequest *)message)->id);

	if (!r)
		return;
	r->run = run_show_cvm;
	r->reply = reply_show_cvm;
	request_start(r);
}

/* ReleaseCvm */

static int run_release_cvm(struct store *store, struct request *r, struct err *e)
{
	struct cvm before CLEANUP_CVM = { .id = NULL };

	if (store_cvm(store, r->id, &before, e) < 0 || store_cvm_release(store, r->id, e) < 0)
		return err_code(e);
	request_was(r, "bound to key %s", *before.key ? before.key : "none");
	return store_cvm(store, r->id, &r->cvm, e);
}

static void reply_release_cvm(struct request *r)
{
	log_info("the name of CVM %s was released", log_quote(r->cvm.id).text);
	if (*r->cvm.computation_id)
		rpc_call_note(r->call, "computation", r->cvm.computation_id);
	session_end_of(r->service, r->cvm.id, "an administrator released this CVM's name");
	reply_show_cvm(r);
}

void list_release_cvm(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_new(call, ((const Computations__CvmRequest *)message)->id);

	if (!r)
		return;
	r->names_cvm = true;
	r->run = run_release_cvm;
	r->reply = reply_release_cvm;
	request_start(r);
}
