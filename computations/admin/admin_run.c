/* SPDX-License-Identifier: Apache-2.0 */
/* admin_run.c — a computation is given to a CVM: to the one that is named, to the only one that is free, or to one that is
 * made for it. */
#include "common/base/log.h"
#include "computations/admin/admin.h"
#include "computations/core/session.h"
#include "computations/store/secret_row.h"
#include "computations/store/store_machine_claim.h"
#include "computations/store/store_machine_run.h"

#include <stdlib.h>
#include <string.h>

#define MAY_BE_BEING_MADE                                                                        \
	"connected while one is being made whose manager has not said its id yet: try again in " \
	"a moment"

struct sorted_ids {
	char **ids;
	size_t count;
};

static bool is_among(const char *id, void *data)
{
	const struct sorted_ids *s = data;

	return session_ids_find(s->ids, s->count, id);
}

/* The one connected CVM that holds nothing and waits for a manifest. */
static int choose_cvm(struct store *store, struct request *r, struct err *e)
{
	struct store_free_cvms free_cvms CLEANUP_FREE_CVMS = { .one = NULL };
	struct sorted_ids connected = { r->connected, session_ids_sort(r->connected) };

	if (store_machine_claim_free(store, r->id, is_among, &connected, &free_cvms, e) < 0)
		return err_code(e);
	if (free_cvms.count == 1) {
		free(r->cvm_id);
		r->cvm_id = TAKE_PTR(free_cvms.one);
		return 0;
	}
	if (free_cvms.count)
		return err_set(e, ERR_PRECONDITION,
			       "%zu CVMs are connected and free: say which one", free_cvms.count);
	if (free_cvms.doubted)
		return err_set(e, ERR_UNAVAILABLE, "each CVM that is free " MAY_BE_BEING_MADE);
	return err_set(e, ERR_PRECONDITION,
		       "no CVM is connected and free: start one, or stop a computation that holds "
		       "one");
}

/* Who administers the service knows what he has started by hand. */
static int check_doubt(struct store *store, const struct request *r, struct err *e)
{
	bool doubts;

	if (r->caller.rights.operates)
		return 0;
	if (store_machine_claim_doubts(store, r->cvm_id, r->id, &doubts, e) < 0)
		return err_code(e);
	if (!doubts)
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "CVM %s " MAY_BE_BEING_MADE, log_quote(r->cvm_id).text);
}

static int check_verified(struct store *store, const char *cvm_id, struct err *e)
{
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	if (store_cvm(store, cvm_id, &cvm, e) < 0)
		return err_code(e);
	if (cvm.verified)
		return 0;
	return err_set(e, ERR_PRECONDITION, "CVM %s has not proven what it is (%s)",
		       log_quote(cvm_id).text, cvm.verdict);
}

/* What another one holds is told to those who may see that. */
static int check_cvm_is_free(struct store *store, struct request *r, struct err *e)
{
	struct cvm cvm CLEANUP_CVM = { .id = NULL };
	struct err hidden;

	if (r->caller.rights.operates)
		return 0;
	if (store_cvm(store, r->cvm_id, &cvm, e) < 0)
		return err_code(e);
	if (!*cvm.computation_id ||
	    admin_access_check(store, &r->caller, DEED_SEE, cvm.computation_id, &hidden) == 0)
		return 0;
	return err_set(e, ERR_PRECONDITION, "CVM %s is not free: wait until it is, or name another",
		       log_quote(r->cvm_id).text);
}

/* One that was made for the run that failed goes with it, and never returns. */
static int check_returns(struct store *store, const struct request *r, struct err *e)
{
	int64_t made;

	if (store_machine_is_of_run(store, r->cvm_id, &made, e) < 0)
		return err_code(e);
	if (!made)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "CVM %s, where computation %s ended, was made for that run, and is removed "
		       "with it: ask for another new one (--new-cvm), or name another",
		       log_quote(r->cvm_id).text, log_quote(r->id).text);
}

/* In the CVM where it ended, which may have kept what owners let it keep; one that was cancelled before it had any, in
 * whichever is free. */
static int run_again(struct store *store, struct request *r, struct err *e)
{
	if (store_computation(store, r->id, &r->computation, e) < 0 ||
	    store_retry(store, r->id, e) < 0)
		return err_code(e);
	if (!*r->cvm_id) {
		free(r->cvm_id);
		r->cvm_id = TAKE_PTR(r->computation.cvm_id);
	}
	computation_done(&r->computation);
	if (!*r->cvm_id)
		return 0;
	if (check_returns(store, r, e) < 0)
		return err_code(e);
	if (session_ids_have(r->connected, r->cvm_id))
		return 0;
	return err_set(e, ERR_UNAVAILABLE,
		       "CVM %s, where computation %s ended, is not connected: wait for it, or name "
		       "another",
		       log_quote(r->cvm_id).text, log_quote(r->id).text);
}

static int run_run(struct store *store, struct request *r, struct err *e)
{
	enum deed deed = r->again ? DEED_RUN_AGAIN : DEED_RUN;

	if (admin_access_check(store, &r->caller, deed, r->id, e) < 0 ||
	    (r->unverified &&
	     admin_access_check(store, &r->caller, DEED_RUN_UNVERIFIED, r->id, e) < 0))
		return err_code(e);
	if (r->is_away)
		return err_set(e, ERR_UNAVAILABLE, "CVM %s is not connected",
			       log_quote(r->cvm_id).text);
	/* Before it has a CVM, or one is made: neither would help. */
	if (secret_row_check(&store->db, store->secrets, r->id, e) < 0)
		return err_code(e);
	if (r->machine && r->again && store_retry(store, r->id, e) < 0)
		return err_code(e);
	if (r->machine)
		return admin_machine_for(store, r, e);
	if (r->again && run_again(store, r, e) < 0)
		return err_code(e);
	/* Before what CVMs there are: no other one would help. */
	if (store_check_new(store, r->id, e) < 0 || store_machine_run_check(store, r->id, e) < 0)
		return err_code(e);
	if (!*r->cvm_id && choose_cvm(store, r, e) < 0)
		return err_code(e);
	if (store_machine_check(store, r->cvm_id, r->id, e) < 0 || check_doubt(store, r, e) < 0)
		return err_code(e);
	if (r->must_verify && !r->unverified && check_verified(store, r->cvm_id, e) < 0)
		return err_code(e);
	if (check_cvm_is_free(store, r, e) < 0 ||
	    store_assign(store, r->id, r->cvm_id, r->unverified, e) < 0)
		return err_code(e);
	request_is(r, "given to CVM %s", r->cvm_id);
	return store_computation(store, r->id, &r->computation, e);
}

static void reply_run(struct request *r)
{
	struct session *session = session_find(r->service, r->cvm_id);

	rpc_call_is_about(r->call, LOG_COMPUTATION, r->id);
	rpc_call_is_about(r->call, LOG_CVM, r->cvm_id);
	log_info("computation %s goes to CVM %s", log_quote(r->id).text, log_quote(r->cvm_id).text);
	/* If it has just disconnected, it gets the manifest when it returns. */
	if (session)
		session_run(session, r->id, r->unverified);
	request_reply_computation(r);
}

void admin_run(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__RunRequest *request = (const Computations__RunRequest *)message;
	struct request *r = request_new(call, request->id);
	struct err e;

	if (!r)
		return;
	r->run = run_run;
	r->reply = reply_run;
	r->unverified = request->unverified;
	r->again = request->again;
	r->must_verify = r->service->appraisal != NULL;
	r->cvm_id = strdup(request->cvm_id);
	r->connected = session_ids(r->service);
	if (!r->cvm_id || !r->connected) {
		err_nomem(&e);
		request_refuse(r, &e);
	} else if (admin_machine_take(r, request, &e) < 0) {
		request_refuse(r, &e);
	} else {
		r->next = r->machine ? admin_machine_begin : NULL;
		r->is_away = *r->cvm_id && !session_find(r->service, r->cvm_id);
		request_start(r);
	}
}
