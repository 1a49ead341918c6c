/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_spec.h — the published form of a workflow, read strictly: a JSON array of nodes
 *
 *   { "nodename", "conditions": { "executortype", "dependencies": [nodename…] }, "funcname", "kwargs": {…},
 *     "maxexectime": seconds, "maxretries": count }
 *
 * Every member has to be there, once, and none else. Names are 1 to WORKFLOW_NAME_MAX of A-Z a-z 0-9 _ . : -. kwargs is an
 * object of whatever values: what they mean is for the function, but for nodes in CVMs (workflow_cvm.h). Errors are
 * ERR_INVALID and name the node.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/json.h"

enum {
	WORKFLOW_SPEC_MAX = 256 << 10, /* bytes */
	WORKFLOW_NODES_MAX = 256,
	WORKFLOW_NAME_MAX = 64,
	WORKFLOW_KWARGS_MAX = 64,             /* members */
	WORKFLOW_SECONDS_MAX = 7 * 24 * 3600, /* maxexectime, from 1 */
	WORKFLOW_RETRIES_MAX = 16,            /* maxretries, from 0 */
	WORKFLOW_DEPENDENCIES_MAX = 4096,     /* of all nodes together */
};

struct workflow_node {
	const char *name, *type, *function; /* live as long as the spec */
	const char *kwargs;                 /* JSON as it stands in the spec; no final zero */
	size_t kwargs_len;
	const uint16_t *dependencies; /* numbers, rising */
	size_t dependencies_count;
	uint32_t seconds, retries;
	bool is_end; /* no node depends on it */
};

struct workflow_spec {
	char *bytes; /* a copy, with a final zero */
	size_t len;
	struct workflow_node *nodes;
	size_t count;           /* 1 to WORKFLOW_NODES_MAX */
	uint16_t *dependencies; /* of all nodes */
	struct json *json;
};
void workflow_spec_done(struct workflow_spec *spec);
#define CLEANUP_WORKFLOW_SPEC __attribute__((cleanup(workflow_spec_done)))

/* `spec` is written on success alone. Refused as well: two nodes of a name, a dependency that is no node or is named twice,
 * nodes that wait for each other in a circle. */
int workflow_spec_read(const void *bytes, size_t len, struct workflow_spec *spec,
		       struct err *e) MUST_CHECK;

/* Whether `text` is a name as above; the error says `what` it is not. */
int workflow_name_check(const char *text, const char *what, struct err *e) MUST_CHECK;

/* The node of that name, or NULL. */
const struct workflow_node *workflow_node_find(const struct workflow_spec *spec, const char *name);
