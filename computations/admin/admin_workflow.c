/* SPDX-License-Identifier: Apache-2.0 */
/* admin_workflow.c — workflows.WorkflowService: submitted, looked at, cancelled. */
#include "computations/admin/admin_workflow.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_judge.h"
#include "computations/core/workflow_waits.h"
#include "computations/people/user_key.h"
#include "google/protobuf/empty.pb-c.h"
#include "proto/descriptors.h"
#include "workflows_paths.h"

#include <string.h>

void admin_workflow_free(struct workflow_request *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < WORKFLOW_PAGE_MAX; i++)
		workflow_row_done(&q->rows[i]);
	for (size_t i = 0; i < EXECUTOR_PAGE_MAX; i++)
		executor_done(&q->executors[i]);
	workflow_order_done(&q->order);
	node_rows_free(q->nodes);
	node_row_done(&q->from);
	executor_done(&q->executor);
	workflow_taken_done(&q->taken);
	if (q->secret)
		explicit_bzero(q->secret, q->secret_len);
	explicit_bzero(&q->pass, sizeof(q->pass));
	free(q->secret);
	free(q->name);
	free(q->after);
	free(q->bytes);
	free(q->output);
	free(q->sealed);
	free(q->failure);
	free(q);
}

struct request *workflow_request_new(struct rpc_call *call, const char *id)
{
	struct request *r = request_new(call, id);
	struct err e;

	if (!r)
		return NULL;
	r->workflow = calloc(1, sizeof(*r->workflow));
	if (r->workflow)
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

bool workflow_request_copy(struct request *r, const ProtobufCBinaryData *from, uint8_t **bytes,
			   size_t *len)
{
	struct err e;

	*bytes = malloc(from->len + 1);
	if (!*bytes) {
		err_nomem(&e);
		request_refuse(r, &e);
		return false;
	}
	if (from->len)
		memcpy(*bytes, from->data, from->len);
	*len = from->len;
	return true;
}

bool workflow_request_text(struct request *r, const char *from, char **text)
{
	struct err e;

	*text = strdup(from);
	if (*text)
		return true;
	err_nomem(&e);
	request_refuse(r, &e);
	return false;
}

void workflow_start(struct request *r, int (*run)(struct store *, struct request *, struct err *),
		    void (*reply)(struct request *))
{
	r->run = run;
	r->reply = reply;
	request_start(r);
}

/* Whether the caller may look where the workflow is; r->workflow->rows[0] is the workflow. ERR_NOT_FOUND. */
static int request_find(struct store *store, struct request *r, struct err *e)
{
	struct workflow_row *w = &r->workflow->rows[0];
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };
	int failed = workflow_find(&store->db, r->id, w, e);

	if (failed)
		return failed;
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "workflow %s", w->id);
	failed = admin_access_workspace(store, &r->caller, DEED_WORKFLOWS, w->workspace_name,
					&place, e);
	/* Whoever may not see the workspace hears the same as of one that is not there. */
	return err_is(failed, ERR_NOT_FOUND) ? workflow_unknown(r->id, e) : failed;
}

/* All that is told of r->workflow->rows[0]. */
static int load(struct store *store, struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;
	const int64_t number = q->rows[0].number;

	free(q->bytes);
	q->bytes = NULL;
	workflow_order_done(&q->order);
	if (workflow_order_bytes(&store->db, number, &q->bytes, &q->len, e) < 0 ||
	    workflow_order_load(&store->db, number, &q->order, e) < 0 ||
	    workflow_nodes(&store->db, number, &q->nodes, e) < 0)
		return err_code(e);
	if (q->nodes->count != q->order.spec.count)
		return err_set(e, ERR_DATA_LOSS, "database: a workflow lacks nodes");
	return 0;
}

/* ---- Submit ---- */

/* Slow: beside the loop and before the database. */
static int judge_order(struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;
	Workflows__Order *m = workflows__order__unpack(NULL, q->len, q->bytes);
	int failed = workflow_order_open(m, &q->order, e);

	if (m)
		workflows__order__free_unpacked(m, NULL);
	return failed;
}

/* Whoever could submit for another would spend that one's room; and executors trust keys, not names. */
static int check_key(struct store *store, struct request *r, uint8_t fingerprint[SHA3_256_LEN],
		     struct err *e)
{
	const struct workflow_order *order = &r->workflow->order;
	struct user_key key CLEANUP_USER_KEY = { .user = NULL };
	int failed;

	if (!r->caller.who.person)
		return err_set(e, ERR_DENIED,
			       "a workflow is a user's: without a token you are none "
			       "(COMPUTATIONS_GRPC_TOKEN_FILE)");
	if (key_fingerprint(order->submitter, order->submitter_len, fingerprint, e) < 0)
		return err_code(e);
	failed = user_key_find(&store->db, r->caller.who.name, "", &key, e);
	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	if (!failed && memcmp(key.fingerprint, fingerprint, sizeof(key.fingerprint)) == 0)
		return 0;
	return err_set(e, ERR_DENIED,
		       "the key that signed the order is not the one in use of user %s: register "
		       "it ('cocos-cli key register'), or sign with the one that is",
		       r->caller.who.name);
}

static int run_submit(struct store *store, struct request *r, struct err *e)
{
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };
	struct workflow_request *q = r->workflow;
	const int64_t now = store_now();
	struct workflow_wish wish = {
		.person = r->caller.who.person,
		.name = q->name,
		.order = &q->order,
		.bytes = q->bytes,
		.len = q->len,
	};
	char id[WORKFLOW_ID_TEXT_LEN + 1];

	if (admin_access_workspace(store, &r->caller, DEED_WORKFLOW, r->workspace, &place, e) < 0 ||
	    check_key(store, r, wish.fingerprint, e) < 0)
		return err_code(e);
	wish.workspace = place.number;
	hex_encode(q->order.id, WORKFLOW_ID_LEN, id);
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "workflow %s", id);
	if (workflow_wish_check(&wish, now, e) < 0 ||
	    workflow_submit(&store->db, &wish, now, e) < 0 ||
	    workflow_find(&store->db, id, &q->rows[0], e) < 0)
		return err_code(e);
	request_is(r, "%u nodes, in %s", q->rows[0].nodes, place.name);
	return load(store, r, e);
}

static void reply_submit(struct request *r)
{
	const struct workflow_row *w = &r->workflow->rows[0];

	log_info("workflow %s submitted by %s", w->id, log_quote(w->submitter).text);
	workflow_waits_wake(r->service->workflow_waits, w->workspace);
	workflow_reply(r);
}

static void on_submit(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__SubmitRequest *m = (const Workflows__SubmitRequest *)message;
	struct judge_way way = { .step = judge_order, .run = run_submit, .reply = reply_submit };
	struct request *r = workflow_request_new(call, "");
	struct workflow_request *q;
	struct err e;

	if (!r)
		return;
	q = r->workflow;
	q->len = m->order ? protobuf_c_message_get_packed_size(&m->order->base) : 0;
	if (!m->order || q->len > WORKFLOW_ORDER_MAX) {
		(void)err_set(&e, ERR_INVALID,
			      "a workflow's order of %zu bytes: there has to be one of at most %d",
			      q->len, WORKFLOW_ORDER_MAX);
		request_refuse(r, &e);
		return;
	}
	q->bytes = malloc(q->len + 1);
	q->name = strdup(m->name);
	if (!q->bytes || !q->name || request_in_workspace(r, m->workspace, &e) < 0) {
		err_nomem(&e);
		request_refuse(r, &e);
		return;
	}
	protobuf_c_message_pack(&m->order->base, q->bytes);
	way.bytes = q->len;
	request_judge(r, &way);
}

/* ---- List ---- */

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };

	if (admin_access_workspace(store, &r->caller, DEED_WORKFLOWS, r->workspace, &place, e) < 0)
		return err_code(e);
	return workflow_list(&store->db, place.number, r->after, r->workflow->rows, &r->count, e);
}

/* As `next` of a page before: a number; "": `first`. */
static int take_after(const char *text, int64_t first, int64_t *after, struct err *e)
{
	size_t len = strlen(text);

	if (!len) {
		*after = first;
		return 0;
	}
	if (len > 18 || strspn(text, "0123456789") != len)
		return err_set(e, ERR_INVALID, "after %s: it is no place that a page has named",
			       log_quote(text).text);
	*after = strtoll(text, NULL, 10);
	return 0;
}

struct request *workflow_request_list(struct rpc_call *call, const char *workspace,
				      const char *after, int64_t first)
{
	struct request *r = workflow_request_new(call, "");
	struct err e;

	if (!r)
		return NULL;
	if (request_in_workspace(r, workspace, &e) == 0 &&
	    take_after(after, first, &r->after, &e) == 0)
		return r;
	request_refuse(r, &e);
	return NULL;
}

static void on_list(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__ListRequest *m = (const Workflows__ListRequest *)message;
	struct request *r = workflow_request_list(call, m->workspace, m->after, INT64_MAX);

	if (r)
		workflow_start(r, run_list, workflow_reply_list);
}

/* ---- Get ---- */

static int run_get(struct store *store, struct request *r, struct err *e)
{
	return request_find(store, r, e) < 0 ? err_code(e) : load(store, r, e);
}

static void on_get(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		workflow_request_new(call, ((const Workflows__WorkflowRequest *)message)->id);

	if (r)
		workflow_start(r, run_get, workflow_reply);
}

/* ---- Cancel ---- */

static int run_cancel(struct store *store, struct request *r, struct err *e)
{
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };
	struct workflow_row *w = &r->workflow->rows[0];

	if (request_find(store, r, e) < 0)
		return err_code(e);
	r->caller.rights.owns = w->person && w->person == r->caller.who.person;
	if (admin_access_workspace(store, &r->caller, DEED_WORKFLOW_CHANGE, w->workspace_name,
				   &place, e) < 0)
		return err_code(e);
	request_was(r, "%s, %u of %u nodes done", workflow_state_name(w->state), w->done, w->nodes);
	if (workflow_cancel(&store->db, w, r->caller.who.person ? r->caller.who.name : "",
			    store_now(), e) < 0)
		return err_code(e);
	workflow_row_done(w);
	if (workflow_find(&store->db, r->id, w, e) < 0)
		return err_code(e);
	request_is(r, "%s", workflow_state_name(w->state));
	return load(store, r, e);
}

static void on_cancel(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		workflow_request_new(call, ((const Workflows__WorkflowRequest *)message)->id);

	if (r)
		workflow_start(r, run_cancel, workflow_reply);
}

/* ---- GetOutput ---- */

static int find_end(const struct workflow_request *q, uint32_t *number, struct err *e)
{
	const struct workflow_spec *spec = &q->order.spec;
	const struct workflow_node *node = *q->name ? workflow_node_find(spec, q->name) : NULL;
	size_t count = 0;

	for (size_t i = 0; i < spec->count && !*q->name; i++)
		if (spec->nodes[i].is_end && ++count)
			node = &spec->nodes[i];
	if (count > 1)
		return err_set(e, ERR_INVALID, "the workflow has %zu end nodes: say which", count);
	if (!node)
		return err_set(e, ERR_NOT_FOUND, "the workflow has no node %s",
			       log_quote(q->name).text);
	if (!node->is_end)
		return err_set(e, ERR_PRECONDITION,
			       "node %s is no end node: its output is sealed for the executors of "
			       "those that depend on it",
			       node->name);
	*number = (uint32_t)(node - spec->nodes);
	return 0;
}

static int run_output(struct store *store, struct request *r, struct err *e)
{
	struct workflow_request *q = r->workflow;
	uint32_t number;

	if (request_find(store, r, e) < 0)
		return err_code(e);
	if (!r->caller.who.person || r->caller.who.person != q->rows[0].person)
		return err_set(e, ERR_DENIED,
			       "what workflow %s gives is for its submitter, user %s, alone", r->id,
			       log_quote(q->rows[0].submitter).text);
	if (load(store, r, e) < 0 || find_end(q, &number, e) < 0)
		return err_code(e);
	if (q->nodes->rows[number].state != NODE_DONE)
		return err_set(e, ERR_PRECONDITION, "node %s is %s: it has given nothing",
			       q->order.spec.nodes[number].name,
			       node_state_name(q->nodes->rows[number].state));
	if (workflow_output(&store->db, q->rows[0].number, number, &q->output, &q->output_len, e) <
	    0)
		return err_code(e);
	return workflow_node(&store->db, q->rows[0].number, number, &q->from, e);
}

void workflow_reply_output(struct request *r)
{
	Workflows__Output m = WORKFLOWS__OUTPUT__INIT;
	struct workflow_request *q = r->workflow;

	m.node = q->order.spec.count > q->from.number
			 ? (char *)(uintptr_t)q->order.spec.nodes[q->from.number].name
			 : m.node;
	m.number = q->from.number;
	m.attempt = q->from.attempt;
	m.executor = (ProtobufCBinaryData){ sizeof(q->from.key), q->from.key };
	m.sealed = (ProtobufCBinaryData){ q->output_len, q->output };
	rpc_call_reply(r->call, &m.base);
}

static void on_output(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Workflows__OutputRequest *m = (const Workflows__OutputRequest *)message;
	struct request *r = workflow_request_new(call, m->id);

	if (r && workflow_request_text(r, m->node, &r->workflow->name))
		workflow_start(r, run_output, workflow_reply_output);
}

#define ANSWER(name_) &workflows__##name_##__descriptor
#define METHOD(path_, request_, response_, message_)                                       \
	{ .method = { path_, RPC_UNARY, &workflows__##request_##__descriptor, response_ }, \
	  .message = message_ }

static const struct rpc_handler handlers[] = {
	{ .method = { PROTO_WORKFLOWS_SUBMIT, RPC_UNARY, ANSWER(submit_request), ANSWER(workflow) },
	  .message = on_submit,
	  .closed = judge_closed },
	METHOD(PROTO_WORKFLOWS_LIST, list_request, ANSWER(list_response), on_list),
	METHOD(PROTO_WORKFLOWS_GET, workflow_request, ANSWER(workflow), on_get),
	METHOD(PROTO_WORKFLOWS_CANCEL, workflow_request, ANSWER(workflow), on_cancel),
	METHOD(PROTO_WORKFLOWS_GET_OUTPUT, output_request, ANSWER(output), on_output),
	METHOD(PROTO_WORKFLOWS_REGISTER_EXECUTOR, register_executor_request,
	       ANSWER(registered_executor), workflow_register_executor),
	METHOD(PROTO_WORKFLOWS_LIST_EXECUTORS, list_executors_request,
	       ANSWER(list_executors_response), workflow_list_executors),
	METHOD(PROTO_WORKFLOWS_REMOVE_EXECUTOR, remove_executor_request,
	       &google__protobuf__empty__descriptor, workflow_remove_executor),
	{ .method = { PROTO_WORKFLOWS_TAKE_NODE, RPC_UNARY, ANSWER(take_node_request),
		      ANSWER(taken_node) },
	  .message = workflow_take_node,
	  .closed = workflow_wait_closed },
	METHOD(PROTO_WORKFLOWS_GET_NODE_INPUT, node_input_request, ANSWER(output),
	       workflow_get_node_input),
	METHOD(PROTO_WORKFLOWS_RENEW_NODE, renew_node_request, ANSWER(renewed_node),
	       workflow_renew_node),
	METHOD(PROTO_WORKFLOWS_FINISH_NODE, finish_node_request,
	       &google__protobuf__empty__descriptor, workflow_finish_node),
};

const struct rpc_service workflows_rpc = {
	.name = PROTO_WORKFLOWS_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_workflows_set,
};
