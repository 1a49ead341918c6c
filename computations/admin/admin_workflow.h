/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_workflow.h — workflows.WorkflowService, on the administrators' listeners: submitters' calls in admin_workflow.c,
 * executors' in admin_executor.c, which wait in admin_workflow_wait.c.
 */
#pragma once

#include "computations/admin/admin.h"
#include "computations/workflow/workflow.h"
#include "workflows.pb-c.h"

enum { TAKE_WAIT_MAX_S = 30 };

/* What such a call is about, and what it found. */
struct workflow_request {
	/* Of submitters. */
	char *name, *after;
	uint8_t *bytes; /* workflows.Order */
	size_t len;
	struct workflow_order order;
	struct workflow_row rows[WORKFLOW_PAGE_MAX];
	struct node_rows *nodes;
	uint8_t *output;
	size_t output_len;
	struct node_row from; /* of the output */

	/* Of executors. */
	struct executor executor, executors[EXECUTOR_PAGE_MAX];
	struct executor_pass pass;
	uint8_t *secret;
	size_t secret_len;
	struct workflow_claim claim; /* its id is the request's */
	uint32_t dependency, wait_s, lease_s, left_s;
	struct workflow_report report;
	uint8_t *sealed;
	char *failure;
	struct workflow_taken taken;
	bool is_there;

	/* One that waits for a node: on the loop's thread alone. */
	TAILQ_ENTRY(workflow_request) next;
	struct request *request;
	uint64_t until, again; /* of the loop's clock, ms; until 0: it has not begun */
	int64_t workspace;
	bool waits;
};

/* NULL as from request_new(). */
struct request *workflow_request_new(struct rpc_call *call, const char *id);
/* A copy of what a message lends; false: refused, and freed. */
bool workflow_request_copy(struct request *r, const ProtobufCBinaryData *from, uint8_t **bytes,
			   size_t *len);
bool workflow_request_text(struct request *r, const char *from, char **text);
void workflow_start(struct request *r, int (*run)(struct store *, struct request *, struct err *),
		    void (*reply)(struct request *));

/* Of a page of what a workspace has, behind that place; `first`: what "" means. NULL as from request_new(). */
struct request *workflow_request_list(struct rpc_call *call, const char *workspace,
				      const char *after, int64_t first);

/* The request's output, or input. */
void workflow_reply_output(struct request *r);

extern const struct rpc_service workflows_rpc;

/* admin_workflow_message.c: answers. */
void workflow_reply(struct request *r);
void workflow_reply_list(struct request *r);
void workflow_reply_taken(struct request *r);
void workflow_reply_none(struct request *r);

/* admin_executor.c */
void workflow_register_executor(struct rpc_call *call, const ProtobufCMessage *message);
void workflow_list_executors(struct rpc_call *call, const ProtobufCMessage *message);
void workflow_remove_executor(struct rpc_call *call, const ProtobufCMessage *message);
void workflow_take_node(struct rpc_call *call, const ProtobufCMessage *message);
void workflow_get_node_input(struct rpc_call *call, const ProtobufCMessage *message);
void workflow_renew_node(struct rpc_call *call, const ProtobufCMessage *message);
void workflow_finish_node(struct rpc_call *call, const ProtobufCMessage *message);

/* admin_workflow_wait.c: next() of TakeNode, and `closed` of it. */
void workflow_wait(struct request *r);
void workflow_wait_closed(struct rpc_call *call);
