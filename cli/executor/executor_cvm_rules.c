/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_cvm_rules.h"

#include "cli/client/node_policy.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"

#include <string.h>

static int check_listed(const uint8_t lists[][SHA3_256_LEN], size_t count,
			const uint8_t digest_of[SHA3_256_LEN], const char *what, const char *option,
			struct err *e)
{
	char hex[2 * SHA3_256_LEN + 1];

	if (bytes_among(lists, count, digest_of, SHA3_256_LEN))
		return 0;
	hex_encode(digest_of, SHA3_256_LEN, hex);
	return err_set(e, ERR_DENIED,
		       "its output would go into a CVM with the %s %s, which is none that this "
		       "executor's owner named (%s)",
		       what, hex, option);
}

/* A policy that nobody can read would be found out when the work is done. */
static int check_policy(const struct workflow_cvm *cvm, struct err *e)
{
	if (node_policy_check(cvm, e) == 0)
		return 0;
	e->code = ERR_DENIED;
	return err_code(e);
}

/* Who has named whom outputs are for has to have named what CVMs do with them. */
static int check_cvm(const struct workflow_cvm *cvm, const struct executor_rules *rules,
		     struct err *e)
{
	const size_t named = rules->recipient_count + rules->algorithm_count + rules->policy_count;
	uint8_t policy[SHA3_256_LEN];

	if (check_policy(cvm, e) < 0)
		return err_code(e);
	if (!named)
		return 0;
	if (digest(DIGEST_SHA3_256, cvm->policy, strlen(cvm->policy), policy, e) < 0 ||
	    check_listed(rules->algorithms, rules->algorithm_count, cvm->algorithm, "algorithm",
			 "--algorithm", e) < 0)
		return err_code(e);
	/* They are code of their own, which runs before the algorithm does. */
	if (cvm->has_requirements &&
	    check_listed(rules->requirements, rules->requirements_count, cvm->requirements,
			 "requirements file", "--requirements", e) < 0)
		return err_code(e);
	return check_listed(rules->policies, rules->policy_count, policy, "policy", "--policy", e);
}

int executor_cvm_rules_check(const struct executor_rules *rules, struct err *e)
{
	const size_t named =
		rules->algorithm_count + rules->requirements_count + rules->policy_count;
	const struct workflow_node own = { .type = (char *)(uintptr_t)rules->type };

	if (!named)
		return 0;
	if (!rules->algorithm_count || !rules->policy_count)
		return err_set(e, ERR_INVALID,
			       "--algorithm, --policy and --requirements: what a CVM may do with "
			       "outputs is said by --algorithm and --policy both");
	if (workflow_cvm_is(&own))
		return err_set(e, ERR_INVALID,
			       "--algorithm and --policy: an executor of type %s hands nothing "
			       "into a CVM, but has it started",
			       rules->type);
	return 0;
}

/* What comes from a CVM: the agent there gives it to the key that the order names. */
static int check_before(const struct workflow_order *order, const struct workflow_node *own,
			const struct executor_rules *rules, struct err *e)
{
	for (size_t i = 0; i < own->dependencies_count; i++) {
		const struct workflow_node *from = &order->spec.nodes[own->dependencies[i]];
		struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };

		if (!workflow_cvm_is(from))
			continue;
		if (workflow_cvm_read(&order->spec, from, &cvm, e) < 0)
			return err_code(e);
		if (!cvm.has_consumer ||
		    memcmp(cvm.consumer, rules->signer, WORKFLOW_CVM_KEY_LEN) != 0)
			return err_set(e, ERR_DENIED,
				       "its order has another key for this executor to fetch the "
				       "results of %s with ('executor key --signing')",
				       from->name);
		if (check_policy(&cvm, e) < 0)
			return err_code(e);
	}
	return 0;
}

int executor_cvm_check(const struct workflow_order *order, size_t node,
		       const struct executor_rules *rules, struct err *e)
{
	struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
	const struct workflow_node *own = &order->spec.nodes[node], *after;
	const uint8_t *key;
	size_t place = 0;

	if (check_before(order, own, rules, e) < 0)
		return err_code(e);
	after = workflow_cvm_is(own) ? own : workflow_cvm_after(&order->spec, node, &place);
	if (!after)
		return 0;
	if (workflow_cvm_read(&order->spec, after, &cvm, e) < 0)
		return err_code(e);
	key = after == own ? cvm.launcher : cvm.owners[place];
	if (memcmp(key, rules->signer, WORKFLOW_CVM_KEY_LEN) != 0)
		return err_set(e, ERR_DENIED,
			       "its order has another key for this executor to sign with at the "
			       "CVM of %s ('executor key --signing')",
			       after->name);
	return after == own ? check_policy(&cvm, e) : check_cvm(&cvm, rules, e);
}
