/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_request.c — an administrator's call as a request (admin.h): made with copies, run in the database's queue,
 * answered from its row, and freed.
 */
#include "common/base/log.h"
#include "common/rpc/call_local.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin.h"
#include "computations/admin/admin_judge.h"
#include "computations/core/known_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_free(struct request *r)
{
	judge_free(r->judging);
	for (size_t i = 0; r->computations && i < r->count; i++)
		computation_done(&r->computations[i]);
	for (size_t i = 0; r->cvms && i < r->count; i++)
		cvm_done(&r->cvms[i]);
	free(r->computations);
	free(r->cvms);
	computation_done(&r->computation);
	cvm_done(&r->cvm);
	manifest_free(r->manifest);
	session_ids_free(r->connected);
	admin_journal_free(r->page);
	free(r->witness);
	admin_witness_free(r->leaves);
	admin_audit_free(r->rows);
	admin_people_free(r->people);
	admin_transfer_free(r->transfer);
	admin_machine_free(r->machine);
	admin_usage_free(r->usage);
	admin_naming_free(r->naming);
	admin_certificate_free(r->certificate);
	admin_webhook_free(r->webhook);
	admin_workflow_free(r->workflow);
	admin_billing_free(r->billing);
	free(r->audit);
	free(r->bytes);
	free(r->id);
	free(r->place);
	free(r->text);
	free(r->cvm_id);
	free(r->workspace);
	rpc_call_unref(r->call);
	free(r);
}

/* In the transaction of what it tells of. */
static int add_row(struct store *store, struct request *r, struct err *e)
{
	/* One that had no id when the call began. */
	if (r->computation.id && !*r->audit->object)
		snprintf(r->audit->object, sizeof(r->audit->object), "computation %s",
			 r->computation.id);
	return admin_audit_add(store, r->audit, &r->caller, e);
}

/* What is found by its name and number (admin_machine.c) is compared where it is. */
static int check_revision(struct store *store, const struct request *r, struct err *e)
{
	if (!r->given || !*r->given->revision || r->machine)
		return 0;
	if (r->people)
		return people_check_revision(store, r, e);
	if (r->names_cvm)
		return revision_check_cvm(store, r->id, r->given->revision, e);
	return revision_check(store, r->id, false, r->given->revision, e);
}

/* What was looked up in a transaction before this one, and what became of it was judged meanwhile. */
static int look_again(struct store *store, struct request *r, struct err *e)
{
	if (r->only_asks || !r->given || !r->given->still)
		return 0;
	return r->given->still(store, &r->caller, r->given->seen, e);
}

static int request_run(struct store *store, void *data, struct err *e)
{
	struct request *r = data;
	bool names_place = r->workspace && decide_object(r->caller.deed) == DECIDE_OF_WORKSPACE;

	if (admin_access_know(store, &r->caller, e) < 0 ||
	    admin_access_check(store, &r->caller, r->caller.deed,
			       names_place ? r->workspace : r->id, e) < 0)
		return err_code(e);
	if (check_revision(store, r, e) < 0 || look_again(store, r, e) < 0 ||
	    r->run(store, r, e) < 0)
		return err_code(e);
	return r->audit && !r->is_half ? add_row(store, r, e) : 0;
}

/* Nobody is told that something failed which is done. */
static void answer(struct request *r, const struct err *e)
{
	if (e && r->is_done && r->cut)
		r->cut(r, e);
	else if (e && r->is_done)
		log_info("%s: how it is now can't be told: %s", rpc_call_method(r->call)->path + 1,
			 e->text);
	if (e && !r->is_done)
		rpc_call_finish(r->call, e);
	else
		r->reply(r); /* also acts, even if the caller has left */
	request_free(r);
}

static void request_done(void *data, const struct err *e)
{
	struct request *r = data;

	if (r->caller.who.person) {
		rpc_call_note(r->call, "by", r->caller.who.name);
		rpc_call_prove(r->call);
	}
	if (!e && r->next) {
		r->next(r);
		return;
	}
	answer(r, e);
}

struct request *request_new(struct rpc_call *call, const char *id)
{
	struct request *r = calloc(1, sizeof(*r));
	struct err e;

	if (!r) {
		err_nomem(&e);
		rpc_call_finish(call, &e);
		return NULL;
	}
	r->service = rpc_call_service(call);
	r->call = rpc_call_ref(call);
	r->given = rpc_call_given(call);
	if (admin_access_take(call, r->service->sign_in, &r->caller, &e) == 0) {
		r->id = strdup(id);
		if (r->id)
			return r;
		err_nomem(&e);
	}
	rpc_call_finish(call, &e);
	request_free(r);
	return NULL;
}

void request_start(struct request *r)
{
	const struct store_queue_op op = { .run = request_run, .done = request_done, .data = r };
	const struct rpc_source source = rpc_call_source(r->call);
	const uint64_t account = r->caller.is_nobody
					 ? known_hash_stranger(&source)
					 : admin_access_account(r->service->known, &r->caller);
	struct err e;

	/* What has no entry among the calls (call_audit.h) has no row either. Of a call in parts it is there already. */
	if (!r->only_asks && !r->audit && rpc_call_is_entered(r->call) &&
	    admin_audit_new(r->call, &r->audit, &e) < 0) {
		request_refuse(r, &e);
		return;
	}
	if (store_queue_add_for(r->service->queue, account, &op, r->audit != NULL, &e) < 0)
		answer(r, &e);
}

void request_refuse(struct request *r, const struct err *e)
{
	rpc_call_finish(r->call, e);
	request_free(r);
}

void request_look_first(struct request *r,
			int (*run)(struct store *store, struct request *r, struct err *e),
			void (*next)(struct request *r))
{
	r->run = run;
	r->only_asks = true;
	r->next = next;
	request_start(r);
}

void request_go_on(struct request *r,
		   int (*run)(struct store *store, struct request *r, struct err *e),
		   void (*reply)(struct request *r))
{
	struct err e;

	if (rpc_call_enter(r->call, &e) < 0) {
		request_refuse(r, &e);
		return;
	}
	r->run = run;
	r->reply = reply;
	r->only_asks = false;
	r->next = NULL;
	request_start(r);
}

void request_look_back(struct request *r,
		       int (*run)(struct store *store, struct request *r, struct err *e),
		       void (*reply)(struct request *r))
{
	free(r->audit);
	r->audit = NULL;
	r->run = run;
	r->reply = reply;
	r->only_asks = true;
	r->is_done = true;
	r->next = NULL;
	request_start(r);
}

static void say(char text[ADMIN_AUDIT_SMALL + 1], const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));
static void say(char text[ADMIN_AUDIT_SMALL + 1], const char *fmt, va_list args)
{
	vsnprintf(text, ADMIN_AUDIT_SMALL + 1, fmt, args);
}

void request_was(struct request *r, const char *fmt, ...)
{
	va_list args;

	if (!r->audit)
		return;
	va_start(args, fmt);
	say(r->audit->before, fmt, args);
	va_end(args);
}

void request_is(struct request *r, const char *fmt, ...)
{
	va_list args;

	if (!r->audit)
		return;
	va_start(args, fmt);
	say(r->audit->after, fmt, args);
	va_end(args);
}

int request_look(struct request *r, const struct list_kind *list, const char *sort,
		 const char *text, struct err *e)
{
	r->is_sorted = *sort || *text;
	if (list_sort_of(list, sort, &r->sort, e) < 0)
		return err_code(e);
	r->text = strdup(text);
	return r->text ? 0 : err_nomem(e);
}

struct list_search request_search(const struct request *r, const char *before)
{
	return (struct list_search){ r->text, before, r->sort };
}

int request_in_workspace(struct request *r, const char *name, struct err *e)
{
	r->workspace = strdup(name);
	return r->workspace ? 0 : err_nomem(e);
}

bool request_is_connected(const struct request *r, const char *cvm_id)
{
	return *cvm_id && session_find(r->service, cvm_id);
}

void request_reply_computation_with(struct request *r, const Cvms__Progress *progress)
{
	struct admin_message_computation out;

	rpc_call_note(r->call, "id", r->computation.id);
	if (*r->computation.cvm_id)
		rpc_call_note(r->call, "cvm", r->computation.cvm_id);
	admin_message_computation(&out, &r->computation,
				  request_is_connected(r, r->computation.cvm_id));
	out.message.progress = (Cvms__Progress *)(uintptr_t)progress;
	rpc_call_reply(r->call, &out.message.base);
}

void request_reply_computation(struct request *r)
{
	request_reply_computation_with(r, NULL);
}
