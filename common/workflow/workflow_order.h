/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_order.h — what the submitter of a workflow signs, so that nobody has to trust the service that hands it out.
 *
 *   label 00 ‖ nonce ‖ expires ‖ submitter ‖ reply ‖ spec ‖ nodes ‖ keys of node 0 ‖ keys of node 1 …
 *
 * each behind its length (4 bytes, big endian). label: cocos-workflow-order-v1; with a node that is computed in a CVM
 * cocos-workflow-order-v2, so that an executor which knows nothing of these (workflow_cvm.h) and would seal its output for who
 * starts the CVM takes none for signed. nonce: 32 random bytes; expires: 8 bytes, big endian, ms since 1970;
 * submitter: DER SubjectPublicKeyInfo of the key that signs; reply: the X25519 key that the outputs of end nodes are for;
 * spec: SHA3-256 of the spec's bytes as they are; nodes: 4 bytes, big endian, their count; keys of a node: the X25519 keys
 * of the executors that may run it, 32 bytes each, one behind the other, in rising order.
 *
 * The SHA3-256 of these bytes is the workflow's id, and outputs are bound to it. No other thing that people or programs
 * sign here begins so.
 */
#pragma once

#include "common/crypto/hpke.h"
#include "common/crypto/key.h"
#include "common/workflow/workflow_spec.h"

#define WORKFLOW_ORDER_LABEL     "cocos-workflow-order-v1"
#define WORKFLOW_ORDER_CVM_LABEL "cocos-workflow-order-v2"

enum {
	WORKFLOW_NONCE_LEN = 32,
	WORKFLOW_ID_LEN = SHA3_256_LEN,
	WORKFLOW_ID_TEXT_LEN = 2 * WORKFLOW_ID_LEN,
	WORKFLOW_KEYS_MAX = 8,        /* of a node, from 1 */
	WORKFLOW_RECIPIENTS_MAX = 64, /* of a node's output */
	WORKFLOW_ORDER_DAYS_MAX = 30,
};

struct workflow_keys {
	uint8_t keys[WORKFLOW_KEYS_MAX][HPKE_KEY_LEN];
	size_t count;
};

struct workflow_order {
	struct workflow_spec spec;
	uint8_t nonce[WORKFLOW_NONCE_LEN];
	int64_t expires; /* ms since 1970 */
	uint8_t submitter[SPKI_MAX];
	size_t submitter_len;
	uint8_t reply[HPKE_KEY_LEN];
	struct workflow_keys *nodes; /* spec.count of them */
	uint8_t signature[SIGNATURE_MAX];
	size_t signature_len;
	uint8_t id[WORKFLOW_ID_LEN]; /* of a checked or signed one */
};
void workflow_order_done(struct workflow_order *order);
#define CLEANUP_WORKFLOW_ORDER __attribute__((cleanup(workflow_order_done)))

/* Room for the nodes of `order->spec`, each without keys yet. */
int workflow_order_room(struct workflow_order *order, struct err *e) MUST_CHECK;
/* Sorts the keys of each node, and refuses with the node's name: none, more than WORKFLOW_KEYS_MAX, one twice, all zeros; more
 * than WORKFLOW_RECIPIENTS_MAX for an output. Fills in the id. */
int workflow_order_check(struct workflow_order *order, struct err *e) MUST_CHECK;

/* Draws the nonce, fills in submitter, signature and id. The rest has to be there. */
int workflow_order_sign(struct workflow_order *order, EVP_PKEY *key, struct err *e) MUST_CHECK;
/* Of one that workflow_order_check() has accepted. ERR_DENIED: the signature is not that of `order->submitter` over it. The
 * key's numbers are not looked at (key_parse_spki()): whoever relies on it knows the key from elsewhere. */
int workflow_order_verify(const struct workflow_order *order, struct err *e) MUST_CHECK;

/* Who the output of a node is for: the keys of all nodes that depend on it, in rising order, each once; of an end node
 * `order->reply` alone. The count. */
size_t workflow_order_recipients(const struct workflow_order *order, size_t node,
				 uint8_t keys[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN]);
/* That key may run that node. */
bool workflow_order_accepts(const struct workflow_order *order, size_t node,
			    const uint8_t key[HPKE_KEY_LEN]);
