/* SPDX-License-Identifier: Apache-2.0 */
#include "common/workflow/workflow_order.h"

#include "common/base/bytes.h"
#include "common/base/writer.h"
#include "common/workflow/workflow_cvm.h"

#include <string.h>

/* The label, lengths, an SPKI, and the keys of all nodes. */
enum { MESSAGE_MAX = 4096 + WORKFLOW_NODES_MAX * (4 + WORKFLOW_KEYS_MAX * HPKE_KEY_LEN) };

void workflow_order_done(struct workflow_order *order)
{
	workflow_spec_done(&order->spec);
	free(order->nodes);
	order->nodes = NULL;
}

int workflow_order_room(struct workflow_order *order, struct err *e)
{
	free(order->nodes);
	order->nodes = calloc(order->spec.count, sizeof(*order->nodes));
	return order->nodes ? 0 : err_nomem(e);
}

/* ---- what is signed ---- */

static void put(struct writer *w, const void *bytes, size_t len)
{
	writer_be32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

static void put_number(struct writer *w, uint64_t number, size_t len)
{
	uint8_t bytes[sizeof(number)];

	bytes_put_be(bytes, number, len);
	put(w, bytes, len);
}

static bool has_cvm(const struct workflow_spec *spec)
{
	for (size_t i = 0; i < spec->count; i++)
		if (workflow_cvm_is(&spec->nodes[i]))
			return true;
	return false;
}

static int message_of(const struct workflow_order *order, struct writer *w, struct err *e)
{
	/* Their final zero belongs to them. */
	static const char plain[] = WORKFLOW_ORDER_LABEL, cvm[] = WORKFLOW_ORDER_CVM_LABEL;
	uint8_t spec[SHA3_256_LEN];

	if (digest(DIGEST_SHA3_256, order->spec.bytes, order->spec.len, spec, e) < 0)
		return err_code(e);
	_Static_assert(sizeof(plain) == sizeof(cvm), "one length of both");
	writer_bytes(w, has_cvm(&order->spec) ? cvm : plain, sizeof(plain));
	put(w, order->nonce, sizeof(order->nonce));
	put_number(w, (uint64_t)order->expires, 8);
	put(w, order->submitter, order->submitter_len);
	put(w, order->reply, sizeof(order->reply));
	put(w, spec, sizeof(spec));
	put_number(w, order->spec.count, 4);
	for (size_t i = 0; i < order->spec.count; i++)
		put(w, order->nodes[i].keys, order->nodes[i].count * HPKE_KEY_LEN);
	return writer_check(w, "workflow order", e);
}

/* ---- whether it is one ---- */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, HPKE_KEY_LEN);
}

static int check_keys(struct workflow_keys *k, struct err *e)
{
	if (!k->count || k->count > WORKFLOW_KEYS_MAX)
		return err_set(e, ERR_INVALID,
			       "%zu executors' keys: a node has 1 to %d that may run it", k->count,
			       WORKFLOW_KEYS_MAX);
	qsort(k->keys, k->count, sizeof(k->keys[0]), by_bytes);
	/* The first one, if any. */
	if (bytes_are(k->keys[0], HPKE_KEY_LEN, 0))
		return err_set(e, ERR_INVALID, "an executor's key is all zeros");
	for (size_t i = 1; i < k->count; i++)
		if (memcmp(k->keys[i - 1], k->keys[i], HPKE_KEY_LEN) == 0)
			return err_set(e, ERR_INVALID, "an executor's key is there twice");
	return 0;
}

static bool depends_on(const struct workflow_node *node, size_t other)
{
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (node->dependencies[i] == other)
			return true;
	return false;
}

/* Into a sorted list without doubles; false: it has no room. */
static bool add_key(uint8_t keys[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN], size_t *count,
		    const uint8_t key[HPKE_KEY_LEN])
{
	size_t at = 0;

	while (at < *count && memcmp(keys[at], key, HPKE_KEY_LEN) < 0)
		at++;
	if (at < *count && memcmp(keys[at], key, HPKE_KEY_LEN) == 0)
		return true;
	if (*count == WORKFLOW_RECIPIENTS_MAX)
		return false;
	memmove(keys[at + 1], keys[at], (*count - at) * HPKE_KEY_LEN);
	memcpy(keys[at], key, HPKE_KEY_LEN);
	(*count)++;
	return true;
}

static bool recipients_of(const struct workflow_order *order, size_t node,
			  uint8_t keys[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN], size_t *count)
{
	*count = 0;
	if (order->spec.nodes[node].is_end)
		return add_key(keys, count, order->reply);
	for (size_t i = 0; i < order->spec.count; i++) {
		const struct workflow_keys *k = &order->nodes[i];

		for (size_t j = 0; depends_on(&order->spec.nodes[i], node) && j < k->count; j++)
			if (!add_key(keys, count, k->keys[j]))
				return false;
	}
	return true;
}

size_t workflow_order_recipients(const struct workflow_order *order, size_t node,
				 uint8_t keys[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN])
{
	size_t count;

	/* workflow_order_check() has seen that they fit. */
	(void)recipients_of(order, node, keys, &count);
	return count;
}

bool workflow_order_accepts(const struct workflow_order *order, size_t node,
			    const uint8_t key[HPKE_KEY_LEN])
{
	return node < order->spec.count &&
	       bytes_among(order->nodes[node].keys, order->nodes[node].count, key, HPKE_KEY_LEN);
}

static int check_node(struct workflow_order *order, size_t node, struct err *e)
{
	uint8_t keys[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN];
	size_t count;

	if (recipients_of(order, node, keys, &count))
		return 0;
	return err_set(e, ERR_INVALID, "its output is for more than %d executors' keys",
		       WORKFLOW_RECIPIENTS_MAX);
}

static int check_rest(const struct workflow_order *order, struct err *e)
{
	if (order->expires <= 0)
		return err_set(e, ERR_INVALID, "an order that never was good");
	if (!order->submitter_len || order->submitter_len > SPKI_MAX)
		return err_set(e, ERR_INVALID, "the submitter's key has %zu bytes, not 1 to %d",
			       order->submitter_len, SPKI_MAX);
	if (bytes_are(order->reply, HPKE_KEY_LEN, 0))
		return err_set(e, ERR_INVALID, "the key that the results are for is all zeros");
	return 0;
}

static int check(struct workflow_order *order, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(MESSAGE_MAX);

	if (check_rest(order, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < order->spec.count; i++)
		if (check_keys(&order->nodes[i], e) < 0)
			return err_wrap(e, "node %s", order->spec.nodes[i].name);
	for (size_t i = 0; i < order->spec.count; i++)
		if (check_node(order, i, e) < 0)
			return err_wrap(e, "node %s", order->spec.nodes[i].name);
	if (message_of(order, &w, e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA3_256, w.bytes, w.len, order->id, e);
}

int workflow_order_check(struct workflow_order *order, struct err *e)
{
	return check(order, e) < 0 ? err_wrap(e, "workflow order") : 0;
}

/* ---- signed and verified ---- */

static int take_submitter(struct workflow_order *order, EVP_PKEY *key, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(key, &spki, &len, e) < 0)
		return err_code(e);
	if (len > sizeof(order->submitter))
		return err_set(e, ERR_INVALID, "workflow order: the key is too long");
	memcpy(order->submitter, spki, len);
	order->submitter_len = len;
	return 0;
}

int workflow_order_sign(struct workflow_order *order, EVP_PKEY *key, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(MESSAGE_MAX);

	if (random_bytes(order->nonce, sizeof(order->nonce), e) < 0 ||
	    take_submitter(order, key, e) < 0 || workflow_order_check(order, e) < 0 ||
	    message_of(order, &w, e) < 0)
		return err_code(e);
	return key_sign(key, true, w.bytes, w.len, order->signature, &order->signature_len, e);
}

int workflow_order_verify(const struct workflow_order *order, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(MESSAGE_MAX);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (key_parse_spki(order->submitter, order->submitter_len, &key, e) < 0)
		return err_wrap(e, "workflow order: the submitter's key");
	if (message_of(order, &w, e) < 0)
		return err_code(e);
	if (key_verify(key, w.bytes, w.len, order->signature, order->signature_len, e) == 0)
		return 0;
	return err_set(e, ERR_DENIED,
		       "workflow order: the signature is not the submitter's over this order");
}
