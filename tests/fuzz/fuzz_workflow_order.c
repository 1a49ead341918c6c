/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders of workflows as messages, and outputs that are checked against them. Input: the length of a message (2 bytes, big
 * endian), the message, and an output of its first node.
 *
 * What is accepted is written as the same order again; whoever is to have an output is one key once; nothing opens that was
 * not sealed.
 */
#include "common/base/reader.h"
#include "common/workflow/workflow_message.h"
#include "common/workflow/workflow_output.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_again(const struct workflow_order *order)
{
	struct workflow_order again CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	Workflows__Order *m = NULL;
	struct err e;

	assert(workflow_order_message(order, &m, &e) == 0);
	assert(workflow_order_read(m, &again, &e) == 0);
	assert(memcmp(again.id, order->id, sizeof(order->id)) == 0);
	workflows__order__free_unpacked(m, NULL);
}

static void check_recipients(const struct workflow_order *order)
{
	uint8_t keys[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN];

	for (size_t i = 0; i < order->spec.count; i++) {
		size_t count = workflow_order_recipients(order, i, keys);

		assert(count && count <= WORKFLOW_RECIPIENTS_MAX);
		for (size_t k = 1; k < count; k++)
			assert(memcmp(keys[k - 1], keys[k], HPKE_KEY_LEN) < 0);
		assert(workflow_order_accepts(order, i, order->nodes[i].keys[0]));
	}
}

static void check_output(const struct workflow_order *order, const uint8_t *sealed, size_t len)
{
	static const uint8_t secret[HPKE_KEY_LEN] = { 1 };
	struct workflow_place place = { .node = 0, .attempt = 1 };
	uint8_t *out = NULL;
	struct hpke_key own;
	size_t out_len;
	struct err e;

	memcpy(place.id, order->id, sizeof(place.id));
	assert(hpke_key_of(secret, &own, &e) == 0);
	if (workflow_output_check(order, 0, sealed, len, &e) < 0)
		assert(e.code == ERR_INVALID);
	assert(workflow_output_open(order, &place, order->nodes[0].keys[0], &own, sealed, len, &out,
				    &out_len, &e) < 0);
	assert(!out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct reader r = reader_over(bytes, len);
	size_t message_len = reader_be16(&r);
	const uint8_t *message = reader_take(&r, message_len);
	Workflows__Order *m = message ? workflows__order__unpack(NULL, message_len, message) : NULL;
	struct err e;

	if (!m)
		return 0;
	if (workflow_order_read(m, &order, &e) == 0) {
		size_t left = reader_left(&r);

		check_again(&order);
		check_recipients(&order);
		assert(workflow_order_verify(&order, &e) < 0 || order.signature_len);
		check_output(&order, reader_take(&r, left), left);
	} else {
		assert(!order.nodes && e.code != ERR_OK);
	}
	workflows__order__free_unpacked(m, NULL);
	return 0;
}
