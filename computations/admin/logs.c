/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs.c — the Logs call: a journal sent page by page, and then as it grows.
 *
 * A page is read only when enough of the last one is sent, so a slow reader costs one page. A
 * reader that does not follow gets what was there when the call began, and then an end, however
 * fast the journal grows.
 */
#include "common/rpc/observer.h"
#include "computations/admin/admin_message.h"
#include "computations/core/admin_access.h"
#include "computations/core/service.h"
#include "computations/web/web.h"

#include <string.h>

enum {
	FOLLOWERS_MAX = 256,
	FOLLOWERS_EACH = 32, /* of one user */
};

struct follower {
	TAILQ_ENTRY(follower) next;
	struct service *service;
	struct rpc_call *call; /* NULL: over */
	struct admin_caller caller;
	int64_t person; /* as caller.who says, which the pool writes */
	char *computation_id, *cvm_id;
	int64_t after;
	int64_t until; /* the newest record when the call began; -1: not looked up yet */
	bool follow;
	bool reading; /* a page is being read: it must not be freed now */
	bool again;   /* something new came meanwhile */
	bool full;    /* waits for the reader */

	/* What the pool found. */
	struct record *records;
	size_t count;
	bool finished;
};

static void follower_free(struct follower *f)
{
	records_free(f->records, f->count);
	free(f->computation_id);
	free(f->cvm_id);
	free(f);
}

static int read_page(struct store *store, void *data, struct err *e)
{
	struct follower *f = data;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	/* For each page anew: a role may be taken meanwhile. */
	if (admin_access_know(store, &f->caller, e) < 0 ||
	    admin_access_check(store, &f->caller, *f->computation_id ? DEED_SEE : DEED_OPERATE,
			       f->computation_id, e) < 0)
		return err_code(e);
	if (*f->computation_id) {
		if (store_computation(store, f->computation_id, &c, e) < 0)
			return err_code(e);
		f->finished = c.finished && !c.stopping;
	} else if (store_cvm(store, f->cvm_id, &cvm, e) < 0) {
		return err_code(e);
	}
	if (f->until < 0 && store_newest_record(store, &f->until, e) < 0)
		return err_code(e);
	return store_records(store, f->computation_id, f->cvm_id, f->after, &f->records, &f->count,
			     e);
}

static void page_done(void *data, const struct err *e);

static void next_page(struct follower *f)
{
	const struct store_queue_op op = { .run = read_page, .done = page_done, .data = f };
	const uint64_t account = admin_access_account(f->service->known, &f->caller);
	struct err e;

	if (f->reading || f->full) {
		f->again = true;
		return;
	}
	f->again = false;
	if (store_queue_add_for(f->service->queue, account, &op, false, &e) < 0)
		rpc_call_finish(f->call, &e);
	else
		f->reading = true;
}

/* Nothing is left for a reader that does not follow. */
static bool is_read(const struct follower *f)
{
	return !f->follow && (f->count == 0 || f->records[f->count - 1].number >= f->until);
}

/* Sends everything on the page that the reader asked for; a page is bounded. */
static int send_page(struct follower *f, struct err *e)
{
	for (size_t i = 0; i < f->count; i++) {
		struct admin_message_record out;

		if (!f->follow && f->records[i].number > f->until)
			break;
		admin_message_record(&out, &f->records[i]);
		if (rpc_call_send(f->call, &out.message.base, e) < 0)
			return err_code(e);
		f->after = f->records[i].number;
	}
	return 0;
}

/* Once it is known whose it is: no user keeps the others from reading. */
static int take_place(struct follower *f, struct err *e)
{
	const struct follower *other;
	unsigned count = 0;

	if (f->person || !f->caller.who.person)
		return 0;
	f->person = f->caller.who.person;
	TAILQ_FOREACH(other, &f->service->followers, next)
		count += other->person == f->person;
	if (count <= FOLLOWERS_EACH)
		return 0;
	return err_set(e, ERR_EXHAUSTED, "user %s reads %d logs already: end one",
		       f->caller.who.name, FOLLOWERS_EACH);
}

static void page_done(void *data, const struct err *e)
{
	struct follower *f = data;
	bool more = f->count > 0, all = !e && is_read(f);
	struct err sending;

	f->reading = false;
	if (!f->call) {
		follower_free(f);
		return;
	}
	if (f->caller.who.person) {
		rpc_call_note(f->call, "by", f->caller.who.name);
		rpc_call_prove(f->call);
	}
	if (e || take_place(f, &sending) < 0 || send_page(f, &sending) < 0) {
		rpc_call_finish(f->call, e ? e : &sending);
		return;
	}
	records_free(f->records, f->count);
	f->records = NULL;
	f->count = 0;
	f->full = rpc_call_queued(f->call) >= RPC_LOW_WATER;
	if (all)
		rpc_call_finish(f->call, NULL);
	else if (more || f->again)
		next_page(f);
	else if (f->finished)
		rpc_call_finish(f->call, NULL);
}

void logs_start(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__LogsRequest *request = (const Computations__LogsRequest *)message;
	struct service *service = rpc_call_service(call);
	struct follower *f = calloc(1, sizeof(*f));
	struct err e;

	if (!f || !(f->computation_id = strdup(request->id)) ||
	    !(f->cvm_id = strdup(request->cvm_id))) {
		err_nomem(&e);
		goto refused;
	}
	if (admin_access_take(call, service->sign_in, &f->caller, &e) < 0)
		goto refused;
	if (!*request->id == !*request->cvm_id) {
		err_set(&e, ERR_INVALID, "give the id of a computation or of a CVM");
		goto refused;
	}
	if (request->after > INT64_MAX) {
		err_set(&e, ERR_INVALID, "after: no record has that number");
		goto refused;
	}
	if (service->follower_count == FOLLOWERS_MAX) {
		err_set(&e, ERR_EXHAUSTED, "%d readers of logs are connected: try again later",
			FOLLOWERS_MAX);
		goto refused;
	}
	f->service = service;
	f->call = call;
	f->follow = request->follow;
	f->after = (int64_t)request->after;
	f->until = -1;
	TAILQ_INSERT_TAIL(&service->followers, f, next);
	service->follower_count++;
	rpc_call_set_user(call, f);
	next_page(f);
	return;
refused:
	if (f)
		follower_free(f);
	rpc_call_finish(call, &e);
}

void logs_writable(struct rpc_call *call)
{
	struct follower *f = rpc_call_user(call);

	if (f && f->full) {
		f->full = false;
		if (f->again)
			next_page(f);
	}
}

void logs_closed(struct rpc_call *call)
{
	struct follower *f = rpc_call_user(call);

	if (!f)
		return;
	TAILQ_REMOVE(&f->service->followers, f, next);
	f->service->follower_count--;
	f->call = NULL;
	if (!f->reading)
		follower_free(f);
}

void logs_wake(struct service *service, const char *computation_id, const char *cvm_id)
{
	struct follower *f, *following;

	web_wake(service, computation_id);
	if (!computation_id)
		return;
	for (f = TAILQ_FIRST(&service->followers); f; f = following) {
		following = TAILQ_NEXT(f, next);
		if (strcmp(f->computation_id, computation_id) == 0 &&
		    (*computation_id || strcmp(f->cvm_id, cvm_id) == 0))
			next_page(f);
	}
}

void logs_end_all(struct service *service)
{
	struct follower *f, *following;
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "the service is going down");
	for (f = TAILQ_FIRST(&service->followers); f; f = following) {
		following = TAILQ_NEXT(f, next);
		rpc_call_finish(f->call, &e);
	}
}
