/* SPDX-License-Identifier: Apache-2.0 */
/* Workflows in the published form: what is accepted can run to its end, and is the same when it is read again. */
#include "common/base/json.h"
#include "common/workflow/workflow_spec.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_node(const struct workflow_spec *s, const struct workflow_node *n)
{
	struct json *kwargs = NULL;
	struct err e;

	assert(workflow_name_check(n->name, "nodename", &e) == 0);
	assert(workflow_name_check(n->type, "executortype", &e) == 0);
	assert(workflow_name_check(n->function, "funcname", &e) == 0);
	assert(n->seconds >= 1 && n->seconds <= WORKFLOW_SECONDS_MAX);
	assert(n->retries <= WORKFLOW_RETRIES_MAX);
	assert(workflow_node_find(s, n->name) == n);
	assert(json_parse(n->kwargs, n->kwargs_len, &kwargs, &e) == 0);
	assert(kwargs->type == JSON_OBJECT && kwargs->count <= WORKFLOW_KWARGS_MAX);
	json_free(kwargs);
	for (size_t i = 0; i < n->dependencies_count; i++) {
		assert(n->dependencies[i] < s->count && &s->nodes[n->dependencies[i]] != n);
		assert(!i || n->dependencies[i - 1] < n->dependencies[i]);
		assert(!s->nodes[n->dependencies[i]].is_end);
	}
}

/* Each round at least one node runs. */
static void check_runs(const struct workflow_spec *s)
{
	bool has_run[WORKFLOW_NODES_MAX] = { false };
	size_t left = s->count, ends = 0;

	for (size_t round = 0; left && round < s->count; round++)
		for (size_t i = 0; i < s->count; i++) {
			bool ready = !has_run[i];

			for (size_t k = 0; k < s->nodes[i].dependencies_count; k++)
				ready = ready && has_run[s->nodes[i].dependencies[k]];
			has_run[i] = has_run[i] || ready;
			left -= ready;
		}
	assert(!left);
	for (size_t i = 0; i < s->count; i++)
		ends += s->nodes[i].is_end;
	assert(ends);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	struct err e;

	if (workflow_spec_read(bytes, len, &s, &e) < 0) {
		assert(!s.bytes && strncmp(e.text, "workflow: ", 10) == 0);
		assert(e.code == ERR_INVALID || e.code == ERR_EXHAUSTED);
		return 0;
	}
	assert(s.count && s.count <= WORKFLOW_NODES_MAX && s.len == len);
	assert(memcmp(s.bytes, bytes, len) == 0);
	for (size_t i = 0; i < s.count; i++)
		check_node(&s, &s.nodes[i]);
	check_runs(&s);
	return 0;
}
