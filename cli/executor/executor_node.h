/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_node.h — what the service says there is to run, held against the order that its submitter signed and against what
 * this executor's owner allows. The service decides when something runs, and nothing else.
 */
#pragma once

#include "common/workflow/workflow_cvm.h"
#include "common/workflow/workflow_message.h"
#include "common/workflow/workflow_output.h"

enum {
	EXECUTOR_FUNCTIONS_MAX = 64,
	EXECUTOR_SUBMITTERS_MAX = 64,
	EXECUTOR_RECIPIENTS_MAX = 64,
	EXECUTOR_CVM_DIGESTS_MAX = 64,
};

struct executor_function {
	char name[WORKFLOW_NAME_MAX + 1];
	char *path; /* absolute */
};

/* What the owner allows. */
struct executor_rules {
	const char *type; /* lent */
	struct hpke_key key;
	struct executor_function functions[EXECUTOR_FUNCTIONS_MAX];
	size_t function_count;
	uint8_t submitters[EXECUTOR_SUBMITTERS_MAX][KEY_FINGERPRINT_LEN];
	size_t submitter_count;
	uint8_t recipients[EXECUTOR_RECIPIENTS_MAX]
			  [HPKE_KEY_LEN]; /* whom outputs may be for; none: anybody */
	size_t recipient_count;
	/* Of CVMs that outputs may go into; none, and no recipient: any. Where there are some, outputs go nowhere else but to
	 * recipients. */
	uint8_t algorithms[EXECUTOR_CVM_DIGESTS_MAX][SHA3_256_LEN];
	size_t algorithm_count;
	uint8_t requirements[EXECUTOR_CVM_DIGESTS_MAX][SHA3_256_LEN];
	size_t requirements_count;
	uint8_t policies[EXECUTOR_CVM_DIGESTS_MAX][SHA3_256_LEN];
	size_t policy_count;
	uint8_t signer[WORKFLOW_CVM_KEY_LEN]; /* executor_key_signer() of `key` */
};

/* "FUNCTION=PATH": an absolute path of a program that may be run. */
int executor_rules_allow(struct executor_rules *rules, const char *text, struct err *e) MUST_CHECK;
/* A fingerprint, in hexadecimal. */
int executor_rules_trust(struct executor_rules *rules, const char *text, struct err *e) MUST_CHECK;
/* An X25519 key, in hexadecimal. */
int executor_rules_hand_to(struct executor_rules *rules, const char *text,
			   struct err *e) MUST_CHECK;
/* The SHA3-256 of an algorithm, its requirements or a policy (its text), in hexadecimal. */
int executor_rules_allow_algorithm(struct executor_rules *rules, const char *text,
				   struct err *e) MUST_CHECK;
int executor_rules_allow_requirements(struct executor_rules *rules, const char *text,
				      struct err *e) MUST_CHECK;
int executor_rules_allow_policy(struct executor_rules *rules, const char *text,
				struct err *e) MUST_CHECK;
void executor_rules_done(struct executor_rules *rules);
#define CLEANUP_EXECUTOR_RULES __attribute__((cleanup(executor_rules_done)))

struct executor_node {
	struct workflow_order order;
	struct workflow_place place;
	const struct workflow_node *node;         /* of the order */
	const struct executor_function *function; /* of the rules */
	uint64_t seconds;
};
void executor_node_done(struct executor_node *node);
#define CLEANUP_EXECUTOR_NODE __attribute__((cleanup(executor_node_done)))

/* ERR_DENIED, ERR_INVALID: it is not run, for that reason. Whether it was run before is asked elsewhere (executor_ran.h). */
int executor_node_take(const Workflows__TakenNode *said, const struct executor_rules *rules,
		       int64_t now_ms, struct executor_node *node, struct err *e) MUST_CHECK;

/* The output of that dependency, opened; malloc'ed, with a final zero that is not counted. */
int executor_node_input(const struct executor_node *node, const struct hpke_key *own,
			uint32_t dependency, const Workflows__Output *said, uint8_t **bytes,
			size_t *len, struct err *e) MUST_CHECK;
