/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/journal/witness.h"

#include "attestation/formats/cose.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

enum { PAYLOAD_MAX = 64 };

static int wrong(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "witness: %s", what);
}

/* ---- leaves ---- */

static int check_leaf(const struct witness_leaf *leaf, struct err *e)
{
	struct span id = leaf->computation;

	if (!id.len || id.len > WITNESS_ID_MAX || memchr(id.bytes, 0, id.len))
		return wrong(e, "a leaf's computation is no id of 1 to 255 bytes");
	if (!leaf->run || leaf->run > WITNESS_RUN_MAX)
		return wrong(e, "a leaf's run is none of 1 to 2^32");
	if (!leaf->head.count || leaf->head.count > JOURNAL_ENTRIES_MAX)
		return wrong(e, "a leaf has no entries, or more than any journal");
	return 0;
}

void witness_leaf_put(const struct witness_leaf *leaf, struct writer *w)
{
	datum_put_array(w, 4);
	datum_put_text_of(w, (const char *)leaf->computation.bytes, leaf->computation.len);
	datum_put_uint(w, leaf->run);
	datum_put_uint(w, leaf->head.count);
	datum_put_bytes(w, leaf->head.digest, SHA256_LEN);
}

int witness_leaf_write(const struct witness_leaf *leaf, struct writer *w, struct err *e)
{
	if (check_leaf(leaf, e) < 0)
		return err_code(e);
	witness_leaf_put(leaf, w);
	return writer_check(w, "leaf of the log", e);
}

int witness_leaf_hash(const struct witness_leaf *leaf, uint8_t hash[SHA256_LEN], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_LEAF_MAX);

	if (witness_leaf_write(leaf, &w, e) < 0)
		return err_code(e);
	return merkle_leaf(w.bytes, w.len, hash, e);
}

static bool is_digest(const struct datum *item)
{
	return item->type == DATUM_BYTES && item->len == SHA256_LEN;
}

int witness_leaf_take(const struct datum *item, struct witness_leaf *leaf, struct err *e)
{
	const struct datum *of = item->items;

	if (item->type != DATUM_ARRAY || item->count != 4 || of[0].type != DATUM_TEXT ||
	    of[1].type != DATUM_UINT || of[2].type != DATUM_UINT || !is_digest(&of[3]))
		return wrong(e, "a leaf is not [computation, run, count, digest]");
	struct witness_leaf found = { .computation = { of[0].bytes, of[0].len },
				      .run = of[1].value,
				      .head.count = of[2].value };
	memcpy(found.head.digest, of[3].bytes, SHA256_LEN);
	if (check_leaf(&found, e) < 0)
		return err_code(e);
	*leaf = found;
	return 0;
}

/* ---- heads ---- */

int witness_head_sign(const struct witness_head *head, EVP_PKEY *key, struct writer *out,
		      struct err *e)
{
	CLEANUP_WRITER struct writer payload = writer_up_to(PAYLOAD_MAX);

	datum_put_array(&payload, 3);
	datum_put_uint(&payload, head->size);
	datum_put_bytes(&payload, head->root, SHA256_LEN);
	datum_put_uint(&payload, head->time_ms);
	if (writer_check(&payload, "head of the log", e) < 0)
		return err_code(e);
	const struct cose_content content = { .payload = payload.bytes,
					      .payload_len = payload.len,
					      .aad = WITNESS_HEAD_AAD,
					      .aad_len = strlen(WITNESS_HEAD_AAD),
					      .content_type = WITNESS_HEAD_TYPE };
	return cose_sign(&content, key, out, e);
}

static int take_payload(const struct cose *message, struct witness_head *head, struct err *e)
{
	struct datum *root = NULL;
	int failed = 0;

	if (datum_parse(message->payload, message->payload_len, &root, e) < 0)
		return err_wrap(e, "witness: the log's head");
	const struct datum *of = root->items;
	if (root->type != DATUM_ARRAY || root->count != 3 || of[0].type != DATUM_UINT ||
	    !is_digest(&of[1]) || of[2].type != DATUM_UINT || of[0].value > MERKLE_LEAVES_MAX ||
	    of[2].value > INT64_MAX)
		failed = wrong(e, "the log's head is not [size, root, time]");
	if (!failed) {
		head->size = of[0].value;
		memcpy(head->root, of[1].bytes, SHA256_LEN);
		head->time_ms = of[2].value;
	}
	datum_free(root);
	return failed;
}

/* RFC 9052 leaves room in the headers: what is signed here has one form. */
static int check_headers(const struct cose *message, struct err *e)
{
	const struct datum *type = datum_get(message->headers, COSE_HEADER_CONTENT_TYPE);

	if (message->algorithm != COSE_ES256 || message->headers->count != 2 ||
	    !datum_is_text(type, WITNESS_HEAD_TYPE) || message->unprotected->count != 0)
		return wrong(e, "the log's head is not ES256 with its own content type alone");
	return 0;
}

int witness_head_verify(struct span message, EVP_PKEY *key, struct witness_head *head,
			struct err *e)
{
	struct cose cose = { 0 };
	struct witness_head found = { 0 };

	if (message.len > WITNESS_SIGNED_MAX)
		return wrong(e, "the log's head is longer than any");
	if (cose_parse(message.bytes, message.len, NULL, 0, &cose, e) < 0)
		return err_wrap(e, "witness: the log's head");
	int failed = check_headers(&cose, e);
	if (!failed && cose_verify(&cose, key, WITNESS_HEAD_AAD, strlen(WITNESS_HEAD_AAD), e) < 0)
		failed = err_wrap(e, "witness: the log's head");
	if (!failed)
		failed = take_payload(&cose, &found, e);
	cose_done(&cose);
	if (!failed)
		*head = found;
	return failed;
}

int witness_head_follows(const struct witness_head *before, const struct witness_head *now,
			 const struct merkle_path *path, struct err *e)
{
	struct err why;

	if (now->size < before->size)
		return err_set(e, ERR_DATA_LOSS,
			       "the log of heads has shrunk: it had %" PRIu64
			       " leaves and now shows %" PRIu64,
			       before->size, now->size);
	if (!before->size) /* any log begins with the empty one */
		return 0;
	int failed = merkle_check_consistency(before->size, before->root, now->size, now->root,
					      path, &why);
	if (!failed)
		return 0;
	if (!err_is(failed, ERR_DENIED))
		return err_set(e, why.code, "%s", why.text);
	return err_set(e, ERR_DATA_LOSS,
		       "the log of heads was forked: its %" PRIu64
		       " leaves do not begin with the %" PRIu64 " that it had",
		       now->size, before->size);
}

/* ---- proofs ---- */

int witness_proof_write(const struct witness_proof *proof, struct writer *w, struct err *e)
{
	if (check_leaf(&proof->leaf, e) < 0)
		return err_code(e);
	datum_put_array(w, 4);
	witness_leaf_put(&proof->leaf, w);
	datum_put_uint(w, proof->index);
	datum_put_array(w, proof->path.count);
	for (size_t i = 0; i < proof->path.count; i++)
		datum_put_bytes(w, proof->path.hashes[i], SHA256_LEN);
	datum_put_bytes(w, proof->signed_head.bytes, proof->signed_head.len);
	return writer_check(w, "witness", e);
}

static int take_path(const struct datum *item, struct merkle_path *path, struct err *e)
{
	if (item->type != DATUM_ARRAY || item->count > MERKLE_PATH_MAX)
		return wrong(e, "the path is no array of at most 33 hashes");
	path->count = item->count;
	for (size_t i = 0; i < item->count; i++) {
		if (!is_digest(&item->items[i]))
			return wrong(e, "a hash of the path is not 32 bytes");
		memcpy(path->hashes[i], item->items[i].bytes, SHA256_LEN);
	}
	return 0;
}

static int take_proof(const struct datum *root, struct witness_proof *proof, struct err *e)
{
	const struct datum *of = root->items;

	if (root->type != DATUM_ARRAY || root->count != 4 || of[1].type != DATUM_UINT ||
	    of[3].type != DATUM_BYTES)
		return wrong(e, "not [leaf, index, path, signed head]");
	if (witness_leaf_take(&of[0], &proof->leaf, e) < 0 ||
	    take_path(&of[2], &proof->path, e) < 0)
		return err_code(e);
	proof->index = of[1].value;
	proof->signed_head = (struct span){ of[3].bytes, of[3].len };
	return 0;
}

int witness_proof_parse(struct span bytes, struct witness_proof *proof, struct err *e)
{
	struct witness_proof found = { .index = 0 };
	struct datum *root = NULL;

	if (bytes.len > WITNESS_PROOF_MAX)
		return wrong(e, "longer than any");
	if (datum_parse(bytes.bytes, bytes.len, &root, e) < 0)
		return err_wrap(e, "witness");
	int failed = take_proof(root, &found, e);
	datum_free(root);
	if (!failed)
		*proof = found;
	return failed;
}

int witness_proof_verify(const struct witness_proof *proof, EVP_PKEY *key,
			 struct witness_head *head, struct err *e)
{
	struct witness_head found;
	uint8_t hash[SHA256_LEN];

	if (witness_head_verify(proof->signed_head, key, &found, e) < 0 ||
	    witness_leaf_hash(&proof->leaf, hash, e) < 0)
		return err_code(e);
	if (merkle_check_inclusion(hash, proof->index, found.size, &proof->path, found.root, e) < 0)
		return err_wrap(e, "witness");
	*head = found;
	return 0;
}
