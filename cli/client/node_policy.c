/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/node_policy.h"

#include "attestation/policy/policy.h"

#include <string.h>

/* What makes a policy none that a stranger's machine could be held against; NULL: nothing. */
static const char *fault_of(const struct policy *policy)
{
	if (policy->run.relayable)
		return "it takes a stock agent (run.agent), which vouches for whatever it is asked: "
		       "no manifest can be held against it";
	if (policy->run.allow_external_identity)
		return "it takes a key from outside (run.allow_external_identity): who gave it to "
		       "the agent could answer in its place";
	return policy_leaves_open(policy);
}

int node_policy_check(const struct workflow_cvm *cvm, struct err *e)
{
	const struct policy_file file = { "the order's policy", cvm->policy, strlen(cvm->policy) };
	struct policy policy;
	const char *fault;

	policy_init(&policy);
	if (policy_parse(&file, 1, &policy, e) < 0) {
		e->code = ERR_INVALID;
		return err_code(e);
	}
	fault = fault_of(&policy);
	policy_done(&policy);
	return fault ? err_set(e, ERR_INVALID, "the order's policy: %s", fault) : 0;
}

int node_policy_check_all(const struct workflow_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->count; i++) {
		struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
		const struct workflow_node *node = &spec->nodes[i];

		if (workflow_cvm_is(node) &&
		    (workflow_cvm_read(spec, node, &cvm, e) < 0 || node_policy_check(&cvm, e) < 0))
			return err_wrap(e, "node %s", node->name);
	}
	return 0;
}
