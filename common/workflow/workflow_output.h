/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_output.h — a node's output on its way to those that it is for: sealed once under a key of its own, which is
 * sealed for each recipient by the executor's X25519 key (hpke.h, mode auth).
 *
 *   "cocos-workflow-output-v1" 00 ‖ count ‖ count × { recipient (32) ‖ enc (32) ‖ sealed key (48) } ‖ ciphertext
 *
 * count: 2 bytes, big endian; recipients in rising order. The ciphertext is ChaCha20-Poly1305 of the output under that key,
 * which is used once (nonce of zeros, no aad), with its tag. What HPKE's info says, the label with its zero ‖ id (32) ‖
 * node (4) ‖ attempt (4), and its aad, recipient ‖ SHA3-256 of the ciphertext, bind it to one workflow, node, attempt
 * and recipient, and keep one recipient from making another output for the next.
 */
#pragma once

#include "common/workflow/workflow_order.h"

#define WORKFLOW_OUTPUT_LABEL "cocos-workflow-output-v1"

enum {
	WORKFLOW_OUTPUT_MAX = 1 << 20, /* before it is sealed; may be empty */
	WORKFLOW_SEALED_RECIPIENT_LEN = 2 * HPKE_KEY_LEN + HPKE_KEY_LEN + HPKE_TAG_LEN,
	WORKFLOW_SEALED_MAX = WORKFLOW_OUTPUT_MAX + (16 << 10),
};

/* Which output it is. */
struct workflow_place {
	uint8_t id[WORKFLOW_ID_LEN];
	uint32_t node, attempt;
};

/* For all recipients of the node; malloc'ed. */
int workflow_output_seal(const struct workflow_order *order, const struct workflow_place *place,
			 const struct hpke_key *executor, const void *bytes, size_t len,
			 uint8_t **sealed, size_t *sealed_len, struct err *e) MUST_CHECK;

/* What the recipient `to` gets from `executor`, who has to be one that the order names for that node: that is checked;
 * malloc'ed, with a final zero that is not counted. ERR_INVALID: it is no such thing; ERR_DENIED: it is not for this
 * key, or was not sealed by that executor for this place. */
int workflow_output_open(const struct workflow_order *order, const struct workflow_place *place,
			 const uint8_t executor[HPKE_KEY_LEN], const struct hpke_key *to,
			 const void *sealed, size_t sealed_len, uint8_t **bytes, size_t *len,
			 struct err *e) MUST_CHECK;

/* Whether it has that form and names exactly the node's recipients, which is all that who has no key can tell. */
int workflow_output_check(const struct workflow_order *order, size_t node, const void *sealed,
			  size_t sealed_len, struct err *e) MUST_CHECK;
