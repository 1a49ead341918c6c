/* SPDX-License-Identifier: Apache-2.0 */
/* Workflows in the published form: what is accepted can run to its end, and is the same when it is read again. */
#include "common/base/json.h"
#include "common/workflow/workflow_manifest.h"

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

/* A node in a CVM has one manifest, which is JSON with as many datasets as it has inputs, and its inputs go nowhere else. */
static void check_cvm(const struct workflow_spec *s, const struct workflow_node *n)
{
	static const uint8_t digests[WORKFLOW_CVM_INPUTS_MAX][SHA3_256_LEN];
	const struct workflow_order order = { .spec = *s, .submitter = "key", .submitter_len = 3 };
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_MANIFEST_MAX);
	struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
	struct json *manifest = NULL;
	size_t place = WORKFLOW_NODES_MAX;
	struct err e;

	assert(workflow_cvm_read(s, n, &cvm, &e) == 0);
	assert(cvm.has_requirements == (strcmp(cvm.type, "python") == 0));
	assert(n->is_end == !cvm.has_consumer);
	for (size_t i = 0; i < s->count; i++)
		if (workflow_cvm_before(s, &s->nodes[i]))
			assert(!workflow_cvm_is(&s->nodes[i]) && !s->nodes[i].retries);
	for (size_t i = 0; i < n->dependencies_count; i++)
		assert(workflow_cvm_after(s, n->dependencies[i], &place) == n && place == i);
	assert(workflow_manifest_write(&order, n, &cvm, digests, &w, &e) == 0);
	assert(json_parse(w.bytes, w.len, &manifest, &e) == 0);
	assert(json_get(manifest, "datasets")->count == n->dependencies_count);
	assert(json_get(json_get(manifest, "algorithm"), "algo_args")->count == cvm.arg_count + 1);
	assert(json_get(manifest, "result_consumers")->count == 1);
	json_free(manifest);
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
	for (size_t i = 0; i < s.count; i++)
		if (workflow_cvm_is(&s.nodes[i]))
			check_cvm(&s, &s.nodes[i]);
	check_runs(&s);
	return 0;
}
