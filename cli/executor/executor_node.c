/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_node.h"

#include "cli/executor/executor_cvm_rules.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <string.h>
#include <openssl/crypto.h>

/* ---- rules ---- */

int executor_rules_allow(struct executor_rules *rules, const char *text, struct err *e)
{
	const char *path = strchr(text, '=');
	struct executor_function *f = &rules->functions[rules->function_count];
	size_t len = path ? (size_t)(path - text) : 0;

	if (!path || path[1] != '/' || len >= sizeof(f->name))
		return err_set(e, ERR_INVALID, "program %s: FUNCTION=PATH, with an absolute path",
			       log_quote(text).text);
	if (rules->function_count == EXECUTOR_FUNCTIONS_MAX)
		return err_set(e, ERR_INVALID, "programs: at most %d", EXECUTOR_FUNCTIONS_MAX);
	memcpy(f->name, text, len);
	f->name[len] = '\0';
	if (workflow_name_check(f->name, "a function", e) < 0)
		return err_wrap(e, "program %s", log_quote(text).text);
	for (size_t i = 0; i < rules->function_count; i++)
		if (strcmp(rules->functions[i].name, f->name) == 0)
			return err_set(e, ERR_INVALID, "programs: two for function %s", f->name);
	f->path = strdup(path + 1);
	if (!f->path)
		return err_nomem(e);
	rules->function_count++;
	return 0;
}

int executor_rules_trust(struct executor_rules *rules, const char *text, struct err *e)
{
	struct err ignored;

	if (rules->submitter_count == EXECUTOR_SUBMITTERS_MAX)
		return err_set(e, ERR_INVALID, "submitters: at most %d", EXECUTOR_SUBMITTERS_MAX);
	if (hex_decode(text, rules->submitters[rules->submitter_count], KEY_FINGERPRINT_LEN,
		       &ignored) < 0)
		return err_set(e, ERR_INVALID,
			       "submitter %s: a key's fingerprint, 64 hexadecimal digits",
			       log_quote(text).text);
	rules->submitter_count++;
	return 0;
}

int executor_rules_hand_to(struct executor_rules *rules, const char *text, struct err *e)
{
	struct err ignored;

	if (rules->recipient_count == EXECUTOR_RECIPIENTS_MAX)
		return err_set(e, ERR_INVALID, "recipients: at most %d", EXECUTOR_RECIPIENTS_MAX);
	if (hex_decode(text, rules->recipients[rules->recipient_count], HPKE_KEY_LEN, &ignored) < 0)
		return err_set(e, ERR_INVALID,
			       "recipient %s: an executor's key, 64 hexadecimal digits",
			       log_quote(text).text);
	rules->recipient_count++;
	return 0;
}

static int add_digest(uint8_t list[][SHA3_256_LEN], size_t *count, const char *what,
		      const char *text, struct err *e)
{
	struct err ignored;

	if (*count == EXECUTOR_CVM_DIGESTS_MAX)
		return err_set(e, ERR_INVALID, "%s: at most %d", what, EXECUTOR_CVM_DIGESTS_MAX);
	if (hex_decode(text, list[*count], SHA3_256_LEN, &ignored) < 0)
		return err_set(e, ERR_INVALID, "%s %s: a SHA3-256, 64 hexadecimal digits", what,
			       log_quote(text).text);
	(*count)++;
	return 0;
}

int executor_rules_allow_algorithm(struct executor_rules *rules, const char *text, struct err *e)
{
	return add_digest(rules->algorithms, &rules->algorithm_count, "algorithm", text, e);
}

int executor_rules_allow_requirements(struct executor_rules *rules, const char *text, struct err *e)
{
	return add_digest(rules->requirements, &rules->requirements_count, "requirements", text, e);
}

int executor_rules_allow_policy(struct executor_rules *rules, const char *text, struct err *e)
{
	return add_digest(rules->policies, &rules->policy_count, "policy", text, e);
}

void executor_rules_done(struct executor_rules *rules)
{
	for (size_t i = 0; i < rules->function_count; i++)
		free(rules->functions[i].path);
	OPENSSL_cleanse(rules, sizeof(*rules));
}

/* ---- a node ---- */

void executor_node_done(struct executor_node *node)
{
	workflow_order_done(&node->order);
	*node = (struct executor_node){ .node = NULL };
}

static int check_submitter(const struct workflow_order *order, const struct executor_rules *rules,
			   int64_t now_ms, struct err *e)
{
	char hex[2 * KEY_FINGERPRINT_LEN + 1];
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];

	if (key_fingerprint(order->submitter, order->submitter_len, fingerprint, e) < 0)
		return err_code(e);
	hex_encode(fingerprint, sizeof(fingerprint), hex);
	if (!bytes_among(rules->submitters, rules->submitter_count, fingerprint,
			 sizeof(fingerprint)))
		return err_set(
			e, ERR_DENIED,
			"its order is signed by the key %s, whom this executor does not run for",
			hex);
	if (order->expires <= now_ms)
		return err_set(e, ERR_DENIED, "its order has expired");
	return 0;
}

static int find_function(const struct workflow_node *node, const struct executor_rules *rules,
			 const struct executor_function **function, struct err *e)
{
	for (size_t i = 0; i < rules->function_count; i++)
		if (strcmp(rules->functions[i].name, node->function) == 0) {
			*function = &rules->functions[i];
			return 0;
		}
	return err_set(e, ERR_DENIED, "function %s is none that this executor runs",
		       node->function);
}

static int check_place(const Workflows__TakenNode *said, const struct executor_rules *rules,
		       const struct workflow_order *order, struct err *e)
{
	const struct workflow_node *node;

	if (said->number >= order->spec.count)
		return err_set(e, ERR_INVALID, "its order has no node %u", said->number);
	node = &order->spec.nodes[said->number];
	if (strcmp(node->type, rules->type) != 0)
		return err_set(e, ERR_DENIED, "it is for executors of type %s", node->type);
	if (!workflow_order_accepts(order, said->number, rules->key.public))
		return err_set(e, ERR_DENIED, "its order does not name this executor's key");
	if (!said->attempt || said->attempt > node->retries + 1)
		return err_set(e, ERR_DENIED, "attempt %u: its order allows %u", said->attempt,
			       node->retries + 1);
	/* It becomes the name of a file for those that depend on it. */
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (order->spec.nodes[node->dependencies[i]].name[0] == '.')
			return err_set(e, ERR_INVALID, "an input's name begins with a dot");
	if (said->n_inputs != node->dependencies_count)
		return err_set(e, ERR_DENIED, "%zu inputs: it depends on %zu nodes", said->n_inputs,
			       node->dependencies_count);
	for (size_t i = 0; i < said->n_inputs; i++)
		if (said->inputs[i]->number != node->dependencies[i])
			return err_set(e, ERR_DENIED,
				       "an input is of node %u, on which it does not depend",
				       said->inputs[i]->number);
	return 0;
}

/* The submitter says who the next executors are: one who named a key of his own would read what this one gives. */
static int check_recipients(const struct workflow_order *order, size_t node,
			    const struct executor_rules *rules, struct err *e)
{
	uint8_t to[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN];
	size_t count = workflow_order_recipients(order, node, to), place;
	char hex[2 * HPKE_KEY_LEN + 1];

	/* Who starts a CVM is given a digest: executor_cvm_check() says whom the output itself is for. */
	if (workflow_cvm_after(&order->spec, node, &place))
		return 0;
	if (!rules->recipient_count && !rules->algorithm_count && !rules->policy_count)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (!bytes_among(rules->recipients, rules->recipient_count, to[i], HPKE_KEY_LEN)) {
			hex_encode(to[i], HPKE_KEY_LEN, hex);
			return err_set(
				e, ERR_DENIED,
				"its output would be for the key %s, to which this executor hands nothing%s",
				hex, rules->recipient_count ? "" : ": its owner named CVMs alone");
		}
	return 0;
}

static int take(const Workflows__TakenNode *said, const struct executor_rules *rules,
		int64_t now_ms, struct executor_node *node, struct err *e)
{
	char id[WORKFLOW_ID_TEXT_LEN + 1];

	if (workflow_order_open(said->order, &node->order, e) < 0)
		return err_code(e);
	hex_encode(node->order.id, sizeof(node->order.id), id);
	if (strcmp(id, said->id) != 0)
		return err_set(e, ERR_DENIED, "its order is of another workflow");
	if (check_submitter(&node->order, rules, now_ms, e) < 0 ||
	    check_place(said, rules, &node->order, e) < 0 ||
	    check_recipients(&node->order, said->number, rules, e) < 0 ||
	    executor_cvm_check(&node->order, said->number, rules, e) < 0)
		return err_code(e);
	node->node = &node->order.spec.nodes[said->number];
	return find_function(node->node, rules, &node->function, e);
}

int executor_node_take(const Workflows__TakenNode *said, const struct executor_rules *rules,
		       int64_t now_ms, struct executor_node *node, struct err *e)
{
	struct executor_node taken CLEANUP_EXECUTOR_NODE = { .node = NULL };

	if (take(said, rules, now_ms, &taken, e) < 0)
		return err_code(e);
	memcpy(taken.place.id, taken.order.id, sizeof(taken.place.id));
	taken.place.node = said->number;
	taken.place.attempt = said->attempt;
	/* The order says how long at most; the service has begun to count before us. */
	taken.seconds = said->seconds_left && said->seconds_left < taken.node->seconds
				? said->seconds_left
				: taken.node->seconds;
	*node = taken;
	taken = (struct executor_node){ .node = NULL };
	return 0;
}

int executor_node_input(const struct executor_node *node, const struct hpke_key *own,
			uint32_t dependency, const Workflows__Output *said, uint8_t **bytes,
			size_t *len, struct err *e)
{
	const struct workflow_node *from = &node->order.spec.nodes[dependency];
	struct workflow_place place = { .node = dependency, .attempt = said->attempt };

	if (said->number != dependency || said->executor.len != HPKE_KEY_LEN)
		return err_set(e, ERR_DENIED, "input of %s: the service shows that of another",
			       from->name);
	if (!said->attempt || said->attempt > from->retries + 1)
		return err_set(e, ERR_DENIED, "input of %s: attempt %u, and its order allows %u",
			       from->name, said->attempt, from->retries + 1);
	memcpy(place.id, node->order.id, sizeof(place.id));
	if (workflow_output_open(&node->order, &place, said->executor.data, own, said->sealed.data,
				 said->sealed.len, bytes, len, e) < 0)
		return err_wrap(e, "input of %s", from->name);
	return 0;
}
