/* SPDX-License-Identifier: Apache-2.0 */
/* admin_workflow_message.c — workflows and nodes as answers have them. */
#include "common/rpc/observer.h"
#include "computations/admin/admin_people.h"
#include "computations/admin/admin_workflow.h"

#include <stdio.h>

static char *constant(const char *text)
{
	return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData lent(const uint8_t *bytes, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)bytes };
}

/* ---- a workflow ---- */

struct workflow_out {
	Workflows__Workflow m;
	Google__Protobuf__Timestamp created, ended, expires;
};

static void fill(struct workflow_out *out, const struct workflow_row *w)
{
	Workflows__Workflow *m = &out->m;

	workflows__workflow__init(m);
	m->id = constant(w->id);
	m->workspace = w->workspace_name;
	m->name = w->name;
	m->state = constant(workflow_state_name(w->state));
	m->submitter = w->submitter;
	m->key = lent(w->fingerprint, sizeof(w->fingerprint));
	m->created = people_time(&out->created, w->created);
	m->ended = people_time(&out->ended, w->ended);
	m->expires = people_time(&out->expires, w->expires);
	m->nodes_total = w->nodes;
	m->nodes_done = w->done;
	m->reason = w->reason;
}

struct node_out {
	Workflows__Node m;
	Google__Protobuf__Timestamp taken, ended, deadline;
	uint32_t *dependencies;
};

static bool fill_node(struct node_out *out, const struct node_row *n,
		      const struct workflow_node *spec)
{
	Workflows__Node *m = &out->m;

	workflows__node__init(m);
	out->dependencies = calloc(spec->dependencies_count + 1, sizeof(*out->dependencies));
	if (!out->dependencies)
		return false;
	for (size_t i = 0; i < spec->dependencies_count; i++)
		out->dependencies[i] = spec->dependencies[i];
	m->dependencies = out->dependencies;
	m->n_dependencies = spec->dependencies_count;
	m->number = n->number;
	m->name = constant(spec->name);
	m->state = constant(node_state_name(n->state));
	m->executortype = constant(spec->type);
	m->funcname = constant(spec->function);
	m->attempt = n->attempt;
	m->attempts_max = n->attempts;
	if (n->has_key)
		m->executor = lent(n->key, sizeof(n->key));
	m->executor_user = n->user;
	m->taken = people_time(&out->taken, n->taken);
	m->ended = people_time(&out->ended, n->ended);
	if (n->state == NODE_TAKEN)
		m->deadline = people_time(&out->deadline, n->taken + (int64_t)n->seconds * 1000);
	m->failure = n->failure;
	m->output_bytes = (uint64_t)n->size;
	if (n->has_digest)
		m->output_digest = lent(n->digest, sizeof(n->digest));
	m->is_end = spec->is_end;
	return true;
}

static void out_of_memory(struct request *r)
{
	struct err e;

	err_nomem(&e);
	rpc_call_finish(r->call, &e);
}

static void reply_with_nodes(struct request *r, struct node_out *out, Workflows__Node **pointers,
			     Workflows__Order *order)
{
	struct workflow_request *q = r->workflow;
	struct workflow_out all;

	for (size_t i = 0; i < q->nodes->count; i++) {
		pointers[i] = &out[i].m;
		if (!fill_node(&out[i], &q->nodes->rows[i], &q->order.spec.nodes[i])) {
			out_of_memory(r);
			return;
		}
	}
	fill(&all, &q->rows[0]);
	all.m.nodes = pointers;
	all.m.n_nodes = q->nodes->count;
	all.m.order = order;
	rpc_call_note(r->call, "workflow", q->rows[0].id);
	rpc_call_reply(r->call, &all.m.base);
}

void workflow_reply(struct request *r)
{
	struct workflow_request *q = r->workflow;
	CLEANUP(free) struct node_out *out = calloc(q->nodes->count, sizeof(*out));
	CLEANUP(free) Workflows__Node **pointers = calloc(q->nodes->count, sizeof(*pointers));
	Workflows__Order *order = workflows__order__unpack(NULL, q->len, q->bytes);

	if (out && pointers && order)
		reply_with_nodes(r, out, pointers, order);
	else
		out_of_memory(r);
	for (size_t i = 0; out && i < q->nodes->count; i++)
		free(out[i].dependencies);
	if (order)
		workflows__order__free_unpacked(order, NULL);
}

void workflow_reply_list(struct request *r)
{
	Workflows__ListResponse response = WORKFLOWS__LIST_RESPONSE__INIT;
	struct workflow_request *q = r->workflow;
	struct workflow_out out[WORKFLOW_PAGE_MAX];
	Workflows__Workflow *pointers[WORKFLOW_PAGE_MAX];
	char next[24] = "";

	for (size_t i = 0; i < r->count; i++) {
		fill(&out[i], &q->rows[i]);
		pointers[i] = &out[i].m;
	}
	if (r->count == WORKFLOW_PAGE_MAX)
		snprintf(next, sizeof(next), "%lld", (long long)q->rows[r->count - 1].number);
	response.workflows = pointers;
	response.n_workflows = r->count;
	response.next = next;
	rpc_call_reply(r->call, &response.base);
}

/* ---- for executors ---- */

void workflow_reply_none(struct request *r)
{
	Workflows__TakenNode m = WORKFLOWS__TAKEN_NODE__INIT;

	rpc_call_reply(r->call, &m.base);
}

static void reply_taken(struct request *r, Workflows__Order *order)
{
	const struct workflow_taken *t = &r->workflow->taken;
	const struct workflow_node *spec = &t->order.spec.nodes[t->number];
	Workflows__TakenNode m = WORKFLOWS__TAKEN_NODE__INIT;
	Workflows__Input inputs[WORKFLOW_NODES_MAX], *pointers[WORKFLOW_NODES_MAX];

	for (size_t i = 0; i < spec->dependencies_count; i++) {
		const struct node_row *from = &t->nodes->rows[spec->dependencies[i]];

		workflows__input__init(&inputs[i]);
		inputs[i].number = from->number;
		inputs[i].attempt = from->attempt;
		inputs[i].executor = lent(from->key, sizeof(from->key));
		inputs[i].bytes = (uint64_t)from->size;
		pointers[i] = &inputs[i];
	}
	m.is_there = true;
	m.id = constant(t->workflow.id);
	m.number = t->number;
	m.attempt = t->nodes->rows[t->number].attempt;
	m.order = order;
	m.lease_seconds = t->lease_s;
	m.seconds_left = t->left_s;
	m.inputs = pointers;
	m.n_inputs = spec->dependencies_count;
	rpc_call_note(r->call, "workflow", t->workflow.id);
	rpc_call_note(r->call, "node", spec->name);
	rpc_call_reply(r->call, &m.base);
}

void workflow_reply_taken(struct request *r)
{
	const struct workflow_taken *t = &r->workflow->taken;
	Workflows__Order *order = workflows__order__unpack(NULL, t->len, t->bytes);

	if (order)
		reply_taken(r, order);
	else
		out_of_memory(r);
	if (order)
		workflows__order__free_unpacked(order, NULL);
}
