/* SPDX-License-Identifier: Apache-2.0 */
/* admin_executor.c — workflows.WorkflowService: executors, and the nodes that they run. */
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_people.h"
#include "computations/admin/admin_workflow.h"
#include "computations/core/workflow_waits.h"

#include <stdio.h>
#include <string.h>

/* ---- who they are ---- */

static int run_register(struct store *store, struct request *r, struct err *e)
{
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };
	struct executor *x = &r->workflow->executor;

	if (admin_access_workspace(store, &r->caller, DEED_WORKFLOW, r->workspace, &place, e) < 0)
		return err_code(e);
	if (!r->caller.who.person)
		return err_set(e, ERR_DENIED,
			       "an executor is a user's: without a token you are none "
			       "(COMPUTATIONS_GRPC_TOKEN_FILE)");
	x->workspace = place.number;
	x->person = r->caller.who.person;
	x->workspace_name = TAKE_PTR(place.name);
	if (executor_register(&store->db, x, store_now(), &r->workflow->pass, e) < 0)
		return err_code(e);
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "executor %lld",
			 (long long)x->number);
	request_is(r, "type %s, in %s", x->type, x->workspace_name);
	return workflow_lose(&store->db, x->number, "its executor began anew", store_now(), e);
}

static void reply_register(struct request *r)
{
	Workflows__RegisteredExecutor m = WORKFLOWS__REGISTERED_EXECUTOR__INIT;
	struct workflow_request *q = r->workflow;

	workflow_waits_wake(r->service->workflow_waits, q->executor.workspace);
	m.number = (uint64_t)q->executor.number;
	m.workspace = q->executor.workspace_name;
	m.enc = (ProtobufCBinaryData){ sizeof(q->pass.enc), q->pass.enc };
	m.sealed = (ProtobufCBinaryData){ sizeof(q->pass.sealed), q->pass.sealed };
	rpc_call_reply(r->call, &m.base);
}

static int take_executor(const Workflows__RegisterExecutorRequest *m, struct executor *x,
			 struct err *e)
{
	if (workflow_name_check(m->type, "executortype", e) < 0)
		return err_code(e);
	if (m->key.len != HPKE_KEY_LEN)
		return err_set(e, ERR_INVALID, "an executor's key of %zu bytes: it has %d",
			       m->key.len, HPKE_KEY_LEN);
	memcpy(x->type, m->type, strlen(m->type) + 1);
	memcpy(x->key, m->key.data, HPKE_KEY_LEN);
	return 0;
}

void workflow_register_executor(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__RegisterExecutorRequest *m =
		(const Workflows__RegisterExecutorRequest *)message;
	struct request *r = workflow_request_new(call, "");
	struct err e;

	if (!r)
		return;
	if (take_executor(m, &r->workflow->executor, &e) < 0 ||
	    request_in_workspace(r, m->workspace, &e) < 0)
		request_refuse(r, &e);
	else
		workflow_start(r, run_register, reply_register);
}

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };

	if (admin_access_workspace(store, &r->caller, DEED_WORKFLOWS, r->workspace, &place, e) < 0)
		return err_code(e);
	return executor_list(&store->db, place.number, r->after, r->workflow->executors, &r->count,
			     e);
}

static void reply_list(struct request *r)
{
	Workflows__ListExecutorsResponse response = WORKFLOWS__LIST_EXECUTORS_RESPONSE__INIT;
	struct {
		Workflows__Executor m;
		Google__Protobuf__Timestamp created, seen;
	} out[EXECUTOR_PAGE_MAX];
	Workflows__Executor *pointers[EXECUTOR_PAGE_MAX];
	char next[24] = "";

	for (size_t i = 0; i < r->count; i++) {
		struct executor *x = &r->workflow->executors[i];
		Workflows__Executor *m = pointers[i] = &out[i].m;

		workflows__executor__init(m);
		m->number = (uint64_t)x->number;
		m->type = x->type;
		m->key = (ProtobufCBinaryData){ sizeof(x->key), x->key };
		m->user = x->user;
		m->created = people_time(&out[i].created, x->created);
		m->seen = people_time(&out[i].seen, x->seen);
		m->is_proven = x->seen > 0;
	}
	if (r->count == EXECUTOR_PAGE_MAX)
		snprintf(next, sizeof(next), "%lld",
			 (long long)r->workflow->executors[r->count - 1].number);
	response.executors = pointers;
	response.n_executors = r->count;
	response.next = next;
	rpc_call_reply(r->call, &response.base);
}

void workflow_list_executors(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__ListExecutorsRequest *m = (const Workflows__ListExecutorsRequest *)message;
	struct request *r = workflow_request_list(call, m->workspace, m->after, 0);

	if (r)
		workflow_start(r, run_list, reply_list);
}

/* One that is somewhere where the caller may not look is not there for him. */
static int find_executor(struct store *store, struct request *r, enum deed deed, struct err *e)
{
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };
	struct executor *x = &r->workflow->executor;
	int failed;

	executor_done(x);
	if (executor_find(&store->db, r->after, x, e) < 0)
		return err_code(e);
	r->caller.rights.owns = x->person == r->caller.who.person;
	failed = admin_access_workspace(store, &r->caller, deed, x->workspace_name, &place, e);
	return err_is(failed, ERR_NOT_FOUND) ? executor_unknown(r->after, e) : failed;
}

static int run_remove(struct store *store, struct request *r, struct err *e)
{
	struct executor *x = &r->workflow->executor;

	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "executor %lld",
			 (long long)r->after);
	if (find_executor(store, r, DEED_WORKFLOW_CHANGE, e) < 0)
		return err_code(e);
	request_was(r, "type %s, in %s, of %s", x->type, x->workspace_name, x->user);
	request_is(r, "removed");
	if (workflow_lose(&store->db, x->number, "its executor was removed", store_now(), e) < 0)
		return err_code(e);
	return executor_remove(&store->db, x->number, e);
}

static void reply_remove(struct request *r)
{
	workflow_waits_wake(r->service->workflow_waits, r->workflow->executor.workspace);
	people_reply_empty(r);
}

/* Executors are found by number: no row has one that is larger than that. */
static int64_t number_of(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

void workflow_remove_executor(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = workflow_request_new(call, "");

	if (!r)
		return;
	r->after = number_of(((const Workflows__RemoveExecutorRequest *)message)->number);
	workflow_start(r, run_remove, reply_remove);
}

/* ---- what they do ---- */

/* By its user, who still may, with its secret. */
static int enter(struct store *store, struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;

	if (find_executor(store, r, DEED_WORKFLOW, e) < 0)
		return err_code(e);
	if (q->executor.person != r->caller.who.person)
		return err_set(e, ERR_DENIED, "executor %lld is another user's",
			       (long long)q->executor.number);
	return executor_enter(&store->db, &q->executor, q->secret, q->secret_len, store_now(), e);
}

/* NULL as from request_new(). */
static struct request *executor_request(struct rpc_call *call, const char *id, uint64_t executor,
					const ProtobufCBinaryData *secret)
{
	struct request *r = workflow_request_new(call, id);

	if (!r || !workflow_request_copy(r, secret, &r->workflow->secret, &r->workflow->secret_len))
		return NULL;
	r->after = number_of(executor);
	r->workflow->claim.id = r->id;
	return r;
}

static int run_take(struct store *store, struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;
	int there;

	if (enter(store, r, e) < 0)
		return err_code(e);
	there = workflow_take(&store->db, &q->executor, store_now(), &q->taken, e);
	q->is_there = there > 0;
	return there < 0 ? there : 0;
}

void workflow_take_node(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__TakeNodeRequest *m = (const Workflows__TakeNodeRequest *)message;
	struct request *r = executor_request(call, "", m->executor, &m->secret);
	struct err e;

	if (!r)
		return;
	if (m->wait_seconds > TAKE_WAIT_MAX_S) {
		(void)err_set(&e, ERR_INVALID, "wait_seconds is %u: it is at most %d",
			      m->wait_seconds, TAKE_WAIT_MAX_S);
		request_refuse(r, &e);
		return;
	}
	r->workflow->wait_s = m->wait_seconds;
	r->next = workflow_wait;
	workflow_start(r, run_take, NULL);
}

static int run_input(struct store *store, struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;

	if (enter(store, r, e) < 0)
		return err_code(e);
	return workflow_input(&store->db, &q->executor, &q->claim, q->dependency, store_now(),
			      &q->from, &q->output, &q->output_len, e);
}

void workflow_get_node_input(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__NodeInputRequest *m = (const Workflows__NodeInputRequest *)message;
	struct request *r = executor_request(call, m->id, m->executor, &m->secret);

	if (!r)
		return;
	r->workflow->claim.number = m->number;
	r->workflow->claim.attempt = m->attempt;
	r->workflow->dependency = m->dependency;
	workflow_start(r, run_input, workflow_reply_output);
}

static int run_renew(struct store *store, struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;

	if (enter(store, r, e) < 0)
		return err_code(e);
	return workflow_renew(&store->db, &q->executor, &q->claim, store_now(), &q->lease_s,
			      &q->left_s, e);
}

static void reply_renew(struct request *r)
{
	Workflows__RenewedNode m = WORKFLOWS__RENEWED_NODE__INIT;

	m.lease_seconds = r->workflow->lease_s;
	m.seconds_left = r->workflow->left_s;
	rpc_call_reply(r->call, &m.base);
}

void workflow_renew_node(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__RenewNodeRequest *m = (const Workflows__RenewNodeRequest *)message;
	struct request *r = executor_request(call, m->id, m->executor, &m->secret);

	if (!r)
		return;
	r->workflow->claim.number = m->number;
	r->workflow->claim.attempt = m->attempt;
	workflow_start(r, run_renew, reply_renew);
}

static int run_finish(struct store *store, struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;

	if (enter(store, r, e) < 0)
		return err_code(e);
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "workflow %.64s", r->id);
	request_was(r, "node %u, attempt %u, executor %lld", q->claim.number, q->claim.attempt,
		    (long long)q->executor.number);
	if (workflow_finish(&store->db, &q->executor, &q->claim, &q->report, store_now(), e) < 0)
		return err_code(e);
	request_is(r, "%s", q->report.len ? "done" : "failed");
	return 0;
}

static void reply_finish(struct request *r)
{
	workflow_waits_wake(r->service->workflow_waits, r->workflow->executor.workspace);
	people_reply_empty(r);
}

void workflow_finish_node(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__FinishNodeRequest *m = (const Workflows__FinishNodeRequest *)message;
	struct request *r = executor_request(call, m->id, m->executor, &m->secret);
	struct workflow_request *q;

	if (!r)
		return;
	q = r->workflow;
	q->claim.number = m->number;
	q->claim.attempt = m->attempt;
	if (!workflow_request_copy(r, &m->sealed, &q->sealed, &q->report.len) ||
	    !workflow_request_text(r, m->failure, &q->failure))
		return;
	q->report.sealed = q->sealed;
	q->report.failure = q->failure;
	q->report.is_final = m->is_final;
	workflow_start(r, run_finish, reply_finish);
}
