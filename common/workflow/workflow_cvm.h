/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_cvm.h — a node that is computed in a CVM: its executortype is "cvm" or begins with "cvm:", and its kwargs are
 *
 *   { "cvm": { "agent": "HOST:PORT", "policy": text, "algorithm": digest, "type": word, "args": [text…],
 *              "requirements": digest, "launcher": key, "owners": { nodename: key… }, "consumer": key } }
 *
 * each once, and none else; "requirements" with type "python" alone, where it has to be. Digests are SHA3-256, keys Ed25519
 * (executor_key.h), both 64 hexadecimal digits; `owners` has one of each node that it depends on. "consumer" is there if a node
 * depends on this one, and then alone: the key of the executor that runs it, which fetches the results from the agent. Without
 * it the submitter does.
 *
 * No type is one of these in other letters (CVM, Cvm:x).
 *
 * Such a node depends on 1 to WORKFLOW_CVM_INPUTS_MAX nodes, each of which is computed in no CVM, no other depends on, and whose
 * name begins with no dot. Inputs are handed over once: where it has maxretries, with leave for the agent to keep them, if the
 * run fails, for the very same manifest, so that another attempt runs it again in the same CVM. One node at most depends on it,
 * which has maxretries 0, since results are handed out once, and its name begins with no dot then.
 */
#pragma once

#include "common/crypto/digest.h"
#include "common/workflow/workflow_spec.h"

enum {
	WORKFLOW_CVM_KEY_LEN = 32,
	WORKFLOW_CVM_INPUTS_MAX = 64,
	WORKFLOW_CVM_ARGS_MAX = 64,
	WORKFLOW_CVM_ARG_BYTES_MAX =
		65536, /* with funcname and a zero byte behind each, as manifests count */
	WORKFLOW_CVM_ADDRESS_MAX = 255,
	WORKFLOW_CVM_POLICY_MAX = 65536, /* bytes, from 1 */
};

/* Texts live as long as `json`. */
struct workflow_cvm {
	struct json *json;
	const char *agent, *policy, *type;
	uint8_t algorithm[SHA3_256_LEN], requirements[SHA3_256_LEN];
	bool has_requirements, has_consumer;
	const char *args[WORKFLOW_CVM_ARGS_MAX];
	size_t arg_count;
	uint8_t launcher[WORKFLOW_CVM_KEY_LEN]; /* who brings the algorithm */
	uint8_t owners[WORKFLOW_CVM_INPUTS_MAX][WORKFLOW_CVM_KEY_LEN]; /* as the dependencies */
	uint8_t consumer[WORKFLOW_CVM_KEY_LEN];
};
void workflow_cvm_done(struct workflow_cvm *cvm);
#define CLEANUP_WORKFLOW_CVM __attribute__((cleanup(workflow_cvm_done)))

bool workflow_cvm_is(const struct workflow_node *node);

/* `node` is one of the spec's that workflow_cvm_is(). ERR_INVALID says what of it is not as above; `cvm` is written on success
 * alone. Of a spec that workflow_spec_read() has given, it fails for want of memory only. */
int workflow_cvm_read(const struct workflow_spec *spec, const struct workflow_node *node,
		      struct workflow_cvm *cvm, struct err *e) MUST_CHECK;

/* All such nodes of a spec whose nodes are linked; the error names the node. Part of workflow_spec_read(). */
int workflow_cvm_check(const struct workflow_spec *spec, struct err *e) MUST_CHECK;

/* The node in a CVM that the output of `node` is for; `*place`: which of its dependencies that is. NULL: it is for none. */
const struct workflow_node *workflow_cvm_after(const struct workflow_spec *spec, size_t node,
					       size_t *place);

/* Whether `node` gets what a CVM has computed. */
bool workflow_cvm_before(const struct workflow_spec *spec, const struct workflow_node *node);
