/* SPDX-License-Identifier: Apache-2.0 */
#include "common/workflow/workflow_message.h"

#include <string.h>

/* ---- read ---- */

static int take_bytes(const ProtobufCBinaryData *from, size_t len, void *to, const char *what,
		      struct err *e)
{
	if (from->len != len)
		return err_set(e, ERR_INVALID, "%s of %zu bytes: it has %zu", what, from->len, len);
	memcpy(to, from->data, len);
	return 0;
}

static int take_up_to(const ProtobufCBinaryData *from, size_t max, uint8_t *to, size_t *len,
		      const char *what, struct err *e)
{
	if (!from->len || from->len > max)
		return err_set(e, ERR_INVALID, "%s of %zu bytes: it has 1 to %zu", what, from->len,
			       max);
	memcpy(to, from->data, from->len);
	*len = from->len;
	return 0;
}

static int take_keys(const Workflows__NodeKeys *m, struct workflow_keys *keys, struct err *e)
{
	if (m->n_keys > WORKFLOW_KEYS_MAX)
		return err_set(e, ERR_INVALID, "%zu executors' keys; the limit is %d", m->n_keys,
			       WORKFLOW_KEYS_MAX);
	for (size_t i = 0; i < m->n_keys; i++)
		if (take_bytes(&m->keys[i], HPKE_KEY_LEN, keys->keys[i], "an executor's key", e) <
		    0)
			return err_code(e);
	keys->count = m->n_keys;
	return 0;
}

static int take_nodes(const Workflows__Order *m, struct workflow_order *order, struct err *e)
{
	if (m->n_nodes != order->spec.count)
		return err_set(e, ERR_INVALID, "keys for %zu nodes: the workflow has %zu",
			       m->n_nodes, order->spec.count);
	if (workflow_order_room(order, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < m->n_nodes; i++)
		if (take_keys(m->nodes[i], &order->nodes[i], e) < 0)
			return err_wrap(e, "node %s", order->spec.nodes[i].name);
	return 0;
}

static int take_order(const Workflows__Order *m, struct workflow_order *order, struct err *e)
{
	order->expires = m->expires_ms;
	if (take_bytes(&m->nonce, sizeof(order->nonce), order->nonce, "a nonce", e) < 0 ||
	    take_up_to(&m->submitter, sizeof(order->submitter), order->submitter,
		       &order->submitter_len, "the submitter's key", e) < 0 ||
	    take_bytes(&m->reply, sizeof(order->reply), order->reply, "the key of the results", e) <
		    0 ||
	    take_up_to(&m->signature, sizeof(order->signature), order->signature,
		       &order->signature_len, "a signature", e) < 0 ||
	    take_nodes(m, order, e) < 0)
		return err_wrap(e, "workflow order");
	return 0;
}

int workflow_order_read(const Workflows__Order *m, struct workflow_order *order, struct err *e)
{
	struct workflow_order got CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };

	if (!m)
		return err_set(e, ERR_INVALID, "there is no workflow order");
	if (workflow_spec_read(m->spec.data, m->spec.len, &got.spec, e) < 0 ||
	    take_order(m, &got, e) < 0 || workflow_order_check(&got, e) < 0)
		return err_code(e);
	*order = got;
	got = (struct workflow_order){ .nodes = NULL };
	return 0;
}

int workflow_order_open(const Workflows__Order *m, struct workflow_order *order, struct err *e)
{
	struct workflow_order got CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };

	if (workflow_order_read(m, &got, e) < 0 || workflow_order_verify(&got, e) < 0)
		return err_code(e);
	*order = got;
	got = (struct workflow_order){ .nodes = NULL };
	return 0;
}

/* ---- written ---- */

static bool put(ProtobufCBinaryData *to, const void *bytes, size_t len)
{
	to->data = malloc(len + 1);
	if (!to->data)
		return false;
	memcpy(to->data, bytes, len);
	to->len = len;
	return true;
}

/* What is there so far is consistent, so that it can be freed. */
static bool put_keys(const struct workflow_keys *keys, Workflows__NodeKeys **m)
{
	*m = malloc(sizeof(**m));
	if (!*m)
		return false;
	workflows__node_keys__init(*m);
	(*m)->keys = calloc(keys->count + 1, sizeof(*(*m)->keys));
	if (!(*m)->keys)
		return false;
	for (size_t i = 0; i < keys->count; i++, (*m)->n_keys++)
		if (!put(&(*m)->keys[i], keys->keys[i], HPKE_KEY_LEN))
			return false;
	return true;
}

static bool put_nodes(const struct workflow_order *order, Workflows__Order *m)
{
	m->nodes = calloc(order->spec.count + 1, sizeof(*m->nodes));
	if (!m->nodes)
		return false;
	for (size_t i = 0; i < order->spec.count; i++) {
		bool fits = put_keys(&order->nodes[i], &m->nodes[i]);

		m->n_nodes += m->nodes[i] != NULL;
		if (!fits)
			return false;
	}
	return true;
}

int workflow_order_message(const struct workflow_order *order, Workflows__Order **m, struct err *e)
{
	Workflows__Order *made = malloc(sizeof(*made));

	if (!made)
		return err_nomem(e);
	workflows__order__init(made);
	made->expires_ms = order->expires;
	if (put(&made->spec, order->spec.bytes, order->spec.len) &&
	    put(&made->nonce, order->nonce, sizeof(order->nonce)) &&
	    put(&made->submitter, order->submitter, order->submitter_len) &&
	    put(&made->reply, order->reply, sizeof(order->reply)) &&
	    put(&made->signature, order->signature, order->signature_len) &&
	    put_nodes(order, made)) {
		*m = made;
		return 0;
	}
	workflows__order__free_unpacked(made, NULL);
	return err_nomem(e);
}
