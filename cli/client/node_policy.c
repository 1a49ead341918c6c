/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/node_policy.h"

#include "attestation/policy/policy.h"

#include <string.h>

int node_policy_check(const struct workflow_cvm *cvm, struct err *e)
{
	const struct policy_file file = { "the order's policy", cvm->policy, strlen(cvm->policy) };
	struct policy policy;
	bool is_relayable;

	policy_init(&policy);
	if (policy_parse(&file, 1, &policy, e) < 0) {
		e->code = ERR_INVALID;
		return err_code(e);
	}
	is_relayable = policy.run.relayable;
	policy_done(&policy);
	if (!is_relayable)
		return 0;
	return err_set(e, ERR_INVALID,
		       "the order's policy takes a stock agent (run.agent), which vouches for "
		       "whatever it is asked: no manifest can be held against it");
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
