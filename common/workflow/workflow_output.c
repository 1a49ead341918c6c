/* SPDX-License-Identifier: Apache-2.0 */
#include "common/workflow/workflow_output.h"

#include "common/base/bytes.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/aead.h"

#include <string.h>
#include <openssl/crypto.h>

static const char label[] = WORKFLOW_OUTPUT_LABEL; /* its final zero belongs to it */

enum { SEALED_KEY_LEN = AEAD_KEY_LEN + HPKE_TAG_LEN };

_Static_assert(WORKFLOW_SEALED_MAX >=
		       WORKFLOW_OUTPUT_MAX + AEAD_TAG_LEN + sizeof(label) + 2 +
			       WORKFLOW_RECIPIENTS_MAX * WORKFLOW_SEALED_RECIPIENT_LEN,
	       "the largest output fits");

static const uint8_t zeros[AEAD_NONCE_LEN];

/* What HPKE binds a recipient's copy of the key to. */
struct about {
	uint8_t info[sizeof(label) + WORKFLOW_ID_LEN + 8], aad[HPKE_KEY_LEN + SHA3_256_LEN];
};

static int about_of(const struct workflow_place *place, const uint8_t recipient[HPKE_KEY_LEN],
		    const void *ciphertext, size_t len, struct about *a, struct err *e)
{
	memcpy(a->info, label, sizeof(label));
	memcpy(a->info + sizeof(label), place->id, WORKFLOW_ID_LEN);
	bytes_put_be(a->info + sizeof(label) + WORKFLOW_ID_LEN, place->node, 4);
	bytes_put_be(a->info + sizeof(label) + WORKFLOW_ID_LEN + 4, place->attempt, 4);
	memcpy(a->aad, recipient, HPKE_KEY_LEN);
	return digest(DIGEST_SHA3_256, ciphertext, len, a->aad + HPKE_KEY_LEN, e);
}

static struct hpke_about words_of(const struct about *a)
{
	return (struct hpke_about){ a->info, a->aad, sizeof(a->info), sizeof(a->aad) };
}

/* ---- sealing ---- */

static int seal_key(const struct workflow_place *place, const struct hpke_key *executor,
		    const uint8_t to[HPKE_KEY_LEN], const uint8_t key[AEAD_KEY_LEN],
		    const uint8_t *ciphertext, size_t len, struct writer *w, struct err *e)
{
	uint8_t enc[HPKE_KEY_LEN], sealed[SEALED_KEY_LEN];
	struct hpke_about words;
	struct about a;

	if (about_of(place, to, ciphertext, len, &a, e) < 0)
		return err_code(e);
	words = words_of(&a);
	if (hpke_seal(to, executor, &words, key, AEAD_KEY_LEN, enc, sealed, e) < 0)
		return err_code(e);
	writer_bytes(w, to, HPKE_KEY_LEN);
	writer_bytes(w, enc, sizeof(enc));
	writer_bytes(w, sealed, sizeof(sealed));
	return 0;
}

static int seal_all(const struct workflow_order *order, const struct workflow_place *place,
		    const struct hpke_key *executor, const uint8_t key[AEAD_KEY_LEN],
		    const uint8_t *ciphertext, size_t len, struct writer *w, struct err *e)
{
	uint8_t to[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN];
	size_t count = workflow_order_recipients(order, place->node, to);

	writer_bytes(w, label, sizeof(label));
	writer_be16(w, (uint16_t)count);
	for (size_t i = 0; i < count; i++)
		if (seal_key(place, executor, to[i], key, ciphertext, len, w, e) < 0)
			return err_code(e);
	writer_bytes(w, ciphertext, len);
	return writer_check(w, "workflow output", e);
}

int workflow_output_seal(const struct workflow_order *order, const struct workflow_place *place,
			 const struct hpke_key *executor, const void *bytes, size_t len,
			 uint8_t **sealed, size_t *sealed_len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_SEALED_MAX);
	CLEANUP(free) uint8_t *ciphertext = NULL;
	uint8_t key[AEAD_KEY_LEN];
	int failed;

	if (len > WORKFLOW_OUTPUT_MAX)
		return err_set(e, ERR_INVALID, "workflow output: %zu bytes; the limit is %d", len,
			       WORKFLOW_OUTPUT_MAX);
	if (place->node >= order->spec.count)
		return err_set(e, ERR_INVALID, "workflow output: no node %u", place->node);
	ciphertext = malloc(len + AEAD_TAG_LEN);
	if (!ciphertext)
		return err_nomem(e);
	failed = random_bytes(key, sizeof(key), e);
	if (!failed)
		failed = aead_seal(key, zeros, NULL, 0, bytes, len, ciphertext, e);
	if (!failed)
		failed = seal_all(order, place, executor, key, ciphertext, len + AEAD_TAG_LEN, &w,
				  e);
	OPENSSL_cleanse(key, sizeof(key));
	if (failed)
		return err_wrap(e, "workflow output");
	*sealed = writer_take(&w, sealed_len);
	return *sealed ? 0 : err_nomem(e);
}

/* ---- reading ---- */

struct parts {
	const uint8_t *recipients; /* of WORKFLOW_SEALED_RECIPIENT_LEN */
	size_t count;
	const uint8_t *ciphertext;
	size_t len;
};

static int read_parts(const struct workflow_order *order, size_t node, const void *sealed,
		      size_t sealed_len, struct parts *p, struct err *e)
{
	uint8_t to[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN];
	struct reader r = reader_over(sealed, sealed_len);
	const uint8_t *head = reader_take(&r, sizeof(label));
	size_t wanted;

	if (node >= order->spec.count)
		return err_set(e, ERR_INVALID, "workflow output: no node %zu", node);
	p->count = reader_be16(&r);
	p->recipients = reader_take(&r, p->count * WORKFLOW_SEALED_RECIPIENT_LEN);
	p->len = reader_left(&r);
	p->ciphertext = reader_take(&r, p->len);
	if (sealed_len > WORKFLOW_SEALED_MAX || !reader_done(&r) ||
	    memcmp(head, label, sizeof(label)) != 0 || p->len < AEAD_TAG_LEN ||
	    p->len > WORKFLOW_OUTPUT_MAX + AEAD_TAG_LEN)
		return err_set(e, ERR_INVALID, "workflow output: %zu bytes that are no sealed one",
			       sealed_len);
	wanted = workflow_order_recipients(order, node, to);
	for (size_t i = 0; p->count == wanted && i < wanted; i++)
		if (memcmp(p->recipients + i * WORKFLOW_SEALED_RECIPIENT_LEN, to[i],
			   HPKE_KEY_LEN) != 0)
			wanted = 0;
	if (!wanted || p->count != wanted)
		return err_set(e, ERR_INVALID,
			       "workflow output: it is not for those who are to have it");
	return 0;
}

int workflow_output_check(const struct workflow_order *order, size_t node, const void *sealed,
			  size_t sealed_len, struct err *e)
{
	struct parts p;

	return read_parts(order, node, sealed, sealed_len, &p, e);
}

static const uint8_t *find_recipient(const struct parts *p, const uint8_t key[HPKE_KEY_LEN])
{
	for (size_t i = 0; i < p->count; i++) {
		const uint8_t *at = p->recipients + i * WORKFLOW_SEALED_RECIPIENT_LEN;

		if (memcmp(at, key, HPKE_KEY_LEN) == 0)
			return at;
	}
	return NULL;
}

static int open_parts(const struct parts *p, const struct workflow_place *place,
		      const uint8_t executor[HPKE_KEY_LEN], const struct hpke_key *to,
		      uint8_t *bytes, struct err *e)
{
	const uint8_t *own = find_recipient(p, to->public);
	uint8_t key[AEAD_KEY_LEN];
	struct hpke_about words;
	struct about a;
	int failed;

	if (!own)
		return err_set(e, ERR_DENIED, "it is not for this key");
	if (about_of(place, to->public, p->ciphertext, p->len, &a, e) < 0)
		return err_code(e);
	words = words_of(&a);
	failed = hpke_open(to, executor, &words, own + HPKE_KEY_LEN, own + 2 * (size_t)HPKE_KEY_LEN,
			   SEALED_KEY_LEN, key, e);
	if (!failed)
		failed = aead_open(key, zeros, NULL, 0, p->ciphertext, p->len, bytes, e);
	OPENSSL_cleanse(key, sizeof(key));
	return failed;
}

int workflow_output_open(const struct workflow_order *order, const struct workflow_place *place,
			 const uint8_t executor[HPKE_KEY_LEN], const struct hpke_key *to,
			 const void *sealed, size_t sealed_len, uint8_t **bytes, size_t *len,
			 struct err *e)
{
	CLEANUP(free) uint8_t *out = NULL;
	struct parts p;

	if (!workflow_order_accepts(order, place->node, executor))
		return err_set(e, ERR_DENIED,
			       "workflow output: the order names another executor for this node");
	if (read_parts(order, place->node, sealed, sealed_len, &p, e) < 0)
		return err_code(e);
	out = malloc(p.len);
	if (!out)
		return err_nomem(e);
	if (open_parts(&p, place, executor, to, out, e) < 0)
		return err_wrap(e, "workflow output of node %s",
				order->spec.nodes[place->node].name);
	*len = p.len - AEAD_TAG_LEN;
	out[*len] = '\0'; /* where the tag had room */
	*bytes = TAKE_PTR(out);
	return 0;
}
