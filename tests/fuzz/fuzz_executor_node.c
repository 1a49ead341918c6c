/* SPDX-License-Identifier: Apache-2.0 */
/* What a service shows an executor: nothing is taken but what a submitter's order says, whatever else is in it. */
#include "cli/executor/executor_cvm_rules.h"
#include "cli/executor/executor_node.h"
#include "common/base/encode.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { NOW = 1000000 };
enum how { AS_IT_IS, SIGNED, RULES, HOWS };

static struct executor_rules rules = { .type = "home" };
static struct hpke_key peer;
static EVP_PKEY *submitter;

static void own_key(uint8_t byte, struct hpke_key *key)
{
	uint8_t secret[HPKE_KEY_LEN];
	struct err e;

	memset(secret, byte, sizeof(secret));
	assert(hpke_key_of(secret, key, &e) == 0);
}

static void open_world(void)
{
	static const char policy[] = "{\"cocos\":1}";
	char hex[2 * KEY_FINGERPRINT_LEN + 1];
	uint8_t *spki, fingerprint[KEY_FINGERPRINT_LEN];
	struct err e;
	size_t len;

	own_key(1, &rules.key);
	own_key(2, &peer);
	assert(key_generate(KEY_ED25519, &submitter, &e) == 0);
	assert(key_to_spki(submitter, &spki, &len, &e) == 0);
	assert(key_fingerprint(spki, len, fingerprint, &e) == 0);
	hex_encode(fingerprint, sizeof(fingerprint), hex);
	assert(executor_rules_trust(&rules, hex, &e) == 0);
	assert(executor_rules_allow(&rules, "work=/bin/true", &e) == 0);
	hex_encode(peer.public, sizeof(peer.public), hex); /* seeds' results are for it, too */
	assert(executor_rules_hand_to(&rules, hex, &e) == 0);
	free(spki);
	/* What seeds with a node in a CVM say. */
	memset(rules.signer, 0xb2, sizeof(rules.signer));
	memset(rules.algorithms[rules.algorithm_count++], 0xa1, SHA3_256_LEN);
	memset(rules.requirements[rules.requirements_count++], 0xc3, SHA3_256_LEN);
	assert(digest(DIGEST_SHA3_256, policy, strlen(policy), rules.policies[0], &e) == 0);
	rules.policy_count = 1;
}

/* By the submitter, with the id that it has then. */
static void sign(Workflows__TakenNode *said)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	Workflows__Order *made;
	struct err e;

	if (workflow_order_read(said->order, &order, &e) < 0 ||
	    workflow_order_sign(&order, submitter, &e) < 0)
		return;
	assert(workflow_order_message(&order, &made, &e) == 0);
	workflows__order__free_unpacked(said->order, NULL);
	said->order = made;
	if (strlen(said->id) == WORKFLOW_ID_TEXT_LEN)
		hex_encode(order.id, sizeof(order.id), said->id);
}

/* Sealed by the peer for this place it opens; and as it came it does not, unless the peer sealed it. */
static void check_input(const struct executor_node *node, const Workflows__Input *listed)
{
	struct workflow_place place = node->place;
	uint8_t *sealed = NULL, *bytes = NULL;
	Workflows__Output said;
	size_t len;
	struct err e;
	int failed;

	workflows__output__init(&said);
	said.number = listed->number;
	said.attempt = listed->attempt;
	said.executor = listed->executor;
	place.node = listed->number;
	place.attempt = listed->attempt;
	if (workflow_output_seal(&node->order, &place, &peer, "text", 4, &sealed, &len, &e) < 0)
		return;
	said.sealed = (ProtobufCBinaryData){ len, sealed };
	failed = executor_node_input(node, &rules.key, listed->number, &said, &bytes, &len, &e);
	assert(failed || (len == 4 && memcmp(bytes, "text", 4) == 0 && said.attempt &&
			  workflow_order_accepts(&node->order, listed->number, peer.public)));
	if (!failed)
		free(bytes);
	said.number++;
	assert(executor_node_input(node, &rules.key, listed->number, &said, &bytes, &len, &e) < 0);
	free(sealed);
}

/* What comes from a CVM is for our key there; what goes into one is named as ours there, and by the owner's leave. */
static void check_cvm(const struct executor_node *node)
{
	const struct workflow_spec *spec = &node->order.spec;
	struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
	const struct workflow_node *after;
	size_t place;
	struct err e;

	for (size_t i = 0; i < node->node->dependencies_count; i++) {
		const struct workflow_node *from = &spec->nodes[node->node->dependencies[i]];
		struct workflow_cvm before CLEANUP_WORKFLOW_CVM = { .json = NULL };

		if (!workflow_cvm_is(from))
			continue;
		assert(workflow_cvm_read(spec, from, &before, &e) == 0 && before.has_consumer);
		assert(memcmp(before.consumer, rules.signer, sizeof(rules.signer)) == 0);
		assert(node->place.attempt == 1);
	}
	after = workflow_cvm_after(spec, node->place.node, &place);
	if (!after)
		return;
	assert(workflow_cvm_read(spec, after, &cvm, &e) == 0);
	assert(memcmp(cvm.owners[place], rules.signer, sizeof(rules.signer)) == 0);
	assert(memcmp(cvm.algorithm, rules.algorithms[0], SHA3_256_LEN) == 0);
	assert(!cvm.has_requirements ||
	       memcmp(cvm.requirements, rules.requirements[0], SHA3_256_LEN) == 0);
}

static void check_node(const Workflows__TakenNode *said, enum how how)
{
	struct executor_node node CLEANUP_EXECUTOR_NODE = { .node = NULL };
	struct err e;

	if (executor_node_take(said, &rules, NOW, &node, &e) < 0) {
		assert(!node.node && *e.text);
		return;
	}
	assert(how == SIGNED && node.order.expires > NOW);
	assert(strcmp(node.node->function, "work") == 0 && strcmp(node.node->type, "home") == 0);
	assert(node.place.attempt && node.place.attempt <= node.node->retries + 1);
	assert(node.seconds && node.seconds <= node.node->seconds);
	assert(workflow_order_accepts(&node.order, node.place.node, rules.key.public));
	check_cvm(&node);
	for (size_t i = 0; i < said->n_inputs; i++)
		check_input(&node, said->inputs[i]);
}

/* All that an owner may name of CVMs is said together, or it is refused. */
static void name_cvms(struct executor_rules *read, const char *text)
{
	struct err e;

	assert(executor_cvm_rules_check(read, &e) == 0);
	if (executor_rules_allow_algorithm(read, text, &e) < 0)
		return;
	assert(executor_cvm_rules_check(read, &e) < 0);
	assert(executor_rules_allow_policy(read, text, &e) == 0);
	assert(executor_rules_allow_requirements(read, text, &e) == 0);
	assert(executor_cvm_rules_check(read, &e) == 0);
	read->type = "cvm";
	assert(executor_cvm_rules_check(read, &e) < 0);
}

/* Two lines: a program and a submitter. */
static void read_rules(const uint8_t *bytes, size_t len)
{
	struct executor_rules read CLEANUP_EXECUTOR_RULES = { .type = "home" };
	char text[512] = "";
	struct err e;
	char *second;

	memcpy(text, bytes, len < sizeof(text) ? len : sizeof(text) - 1);
	second = strchr(text, '\n');
	if (second)
		*second++ = '\0';
	for (int again = 0; again < 2; again++)
		if (executor_rules_allow(&read, text, &e) == 0)
			assert(again == 0 && read.functions[0].path[0] == '/');
	for (unsigned again = 0; second && again <= EXECUTOR_SUBMITTERS_MAX; again++)
		if (executor_rules_trust(&read, second, &e) == 0)
			assert(again < EXECUTOR_SUBMITTERS_MAX);
	if (second)
		name_cvms(&read, second);
	for (unsigned again = 0; second && again <= EXECUTOR_RECIPIENTS_MAX; again++)
		if (executor_rules_hand_to(&read, second, &e) == 0)
			assert(again < EXECUTOR_RECIPIENTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	Workflows__TakenNode *said;

	if (!submitter)
		open_world();
	if (!len || bytes[0] >= (unsigned)HOWS)
		return 0;
	if (bytes[0] == (unsigned)RULES) {
		read_rules(bytes + 1, len - 1);
		return 0;
	}
	said = workflows__taken_node__unpack(NULL, len - 1, bytes + 1);
	if (!said)
		return 0;
	if (bytes[0] == (unsigned)SIGNED)
		sign(said);
	check_node(said, (enum how)bytes[0]);
	workflows__taken_node__free_unpacked(said, NULL);
	return 0;
}
