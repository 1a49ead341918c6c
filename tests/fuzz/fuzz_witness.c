/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs that a journal's head is in a log: as they come; with the log's head signed by the test's key;
 * and the tree's own proofs between sizes that the input names, which have to hold, and not changed. */
#include "attestation/journal/witness.h"
#include "tests/fuzz/cose_resign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A proof that parses is written as it came. */
static void check_same(struct span file, const struct witness_proof *proof)
{
	struct writer w = writer_up_to(WITNESS_PROOF_MAX);
	struct err e;

	assert(witness_proof_write(proof, &w, &e) == 0);
	assert(w.len == file.len && memcmp(w.bytes, file.bytes, w.len) == 0);
	writer_done(&w);
}

static void check_head(const struct witness_head *head, EVP_PKEY *key)
{
	struct writer w = writer_up_to(WITNESS_SIGNED_MAX);
	struct witness_head again;
	struct err e;

	assert(witness_head_sign(head, key, &w, &e) == 0);
	assert(witness_head_verify((struct span){ w.bytes, w.len }, key, &again, &e) == 0);
	assert(again.size == head->size && again.time_ms == head->time_ms);
	writer_done(&w);
}

/* Signed again it holds, or its path does not. */
static void check_signed(struct witness_proof *proof)
{
	const struct cose_test_key *k = cose_test_key(COSE_ES256);
	struct writer w = writer_up_to(2 * WITNESS_SIGNED_MAX);
	struct cose cose = { 0 };
	struct witness_head head;
	struct err e;

	if (cose_parse(proof->signed_head.bytes, proof->signed_head.len, NULL, 0, &cose, &e) < 0)
		return;
	const struct cose_content content = { .payload = cose.payload,
					      .payload_len = cose.payload_len,
					      .aad = WITNESS_HEAD_AAD,
					      .aad_len = strlen(WITNESS_HEAD_AAD),
					      .content_type = WITNESS_HEAD_TYPE };
	if (cose.payload_len < WITNESS_SIGNED_MAX) {
		assert(cose_sign(&content, k->key, &w, &e) == 0);
		proof->signed_head = (struct span){ w.bytes, w.len };
		if (witness_head_verify(proof->signed_head, k->key, &head, &e) == 0)
			check_head(&head, k->key);
		if (witness_proof_verify(proof, k->key, &head, &e) == 0) {
			proof->leaf.run ^= 1;
			assert(witness_proof_verify(proof, k->key, &head, &e) < 0);
		}
	}
	cose_done(&cose);
	writer_done(&w);
}

/* ---- trees of any size, all leaves of which are alike ---- */

static int get(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN], struct err *e)
{
	(void)number;
	memset(hash, *(uint8_t *)data, SHA256_LEN);
	for (unsigned i = 0; i < level; i++)
		if (merkle_join(hash, hash, hash, e) < 0)
			return err_code(e);
	return 0;
}

static int put(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
	       struct err *e)
{
	uint8_t wanted[SHA256_LEN];

	assert(get(data, level, number, wanted, e) == 0 && memcmp(hash, wanted, SHA256_LEN) == 0);
	return 0;
}

/* The log only grows. */
static void check_log(const struct merkle_nodes *nodes, uint64_t old, uint64_t size)
{
	struct witness_head before = { .size = old }, now = { .size = size }, none = { .size = 0 };
	struct merkle_path path;
	struct err e;

	assert(merkle_root(nodes, old, before.root, &e) == 0 &&
	       merkle_root(nodes, size, now.root, &e) == 0 &&
	       merkle_root(nodes, 0, none.root, &e) == 0);
	assert(merkle_prove_consistency(nodes, old, size, &path, &e) == 0);
	assert(witness_head_follows(&none, &now, &path, &e) == 0 &&
	       witness_head_follows(&before, &now, &path, &e) == 0);
	assert((witness_head_follows(&now, &before, &path, &e) == 0) == (old == size));
	before.root[0] ^= 1;
	assert(witness_head_follows(&before, &now, &path, &e) < 0);
}

static void check_tree(uint8_t *leaf_byte, uint64_t old, uint64_t size)
{
	const struct merkle_nodes nodes = { get, put, leaf_byte };
	uint8_t leaf[SHA256_LEN], root[SHA256_LEN];
	struct merkle_path path;
	struct err e;

	assert(get(leaf_byte, 0, 0, leaf, &e) == 0);
	assert((merkle_add(&nodes, size, leaf, &e) == 0) == (size < MERKLE_LEAVES_MAX));
	if (size > MERKLE_LEAVES_MAX || old > size || !old) {
		assert(merkle_prove_consistency(&nodes, old, size, &path, &e) < 0);
		assert(merkle_prove_inclusion(&nodes, size, size, &path, &e) < 0);
		return;
	}
	check_log(&nodes, old, size);
	assert(merkle_root(&nodes, size, root, &e) == 0);
	assert(merkle_prove_inclusion(&nodes, old - 1, size, &path, &e) == 0);
	assert(merkle_check_inclusion(leaf, old - 1, size, &path, root, &e) == 0);
	leaf[0] ^= 1;
	assert(merkle_check_inclusion(leaf, old - 1, size, &path, root, &e) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct span file = { bytes, len };
	struct witness_proof proof;
	struct reader r = reader_over(bytes, len);
	struct err e;

	if (witness_proof_parse(file, &proof, &e) == 0) {
		check_same(file, &proof);
		check_signed(&proof);
	}
	uint8_t leaf = reader_u8(&r);
	uint64_t old = reader_be32(&r) + (uint64_t)(leaf & 1);
	uint64_t size = reader_be32(&r) + (uint64_t)(leaf >> 1 & 1);
	if (reader_ok(&r))
		check_tree(&leaf, old, size);
	return 0;
}
