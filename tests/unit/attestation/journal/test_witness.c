/* SPDX-License-Identifier: Apache-2.0 */
/* The log of journals' heads: its leaves' bytes, its signed heads, its proofs, and what no log is. */
#include "attestation/formats/cose.h"
#include "attestation/journal/witness.h"
#include "common/base/writer.h"
#include "tests/unit.h"

enum { LEVELS = 4, LEAVES = 11 };

struct log {
	EVP_PKEY *key;
	uint8_t nodes[LEVELS][LEAVES][SHA256_LEN];
	uint64_t size;
};

static int get(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN], struct err *e)
{
	(void)e;
	memcpy(hash, ((struct log *)data)->nodes[level][number], SHA256_LEN);
	return 0;
}

static int put(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
	       struct err *e)
{
	(void)e;
	memcpy(((struct log *)data)->nodes[level][number], hash, SHA256_LEN);
	return 0;
}

static struct merkle_nodes nodes_of(struct log *log)
{
	return (struct merkle_nodes){ get, put, log };
}

static struct span span_of(const struct writer *w)
{
	return (struct span){ w->bytes, w->len };
}

static struct span id_of(const char *id)
{
	return (struct span){ (const uint8_t *)id, strlen(id) };
}

static struct witness_leaf leaf_of(uint64_t i)
{
	return (struct witness_leaf){ .computation = id_of("c-1"),
				      .run = i + 1,
				      .head = { .count = 7, .digest = { 1, 2 } } };
}

static int enter(void **state)
{
	struct log *log = calloc(1, sizeof(*log));
	struct merkle_nodes nodes = nodes_of(log);
	uint8_t hash[SHA256_LEN];
	struct err e;

	if (!log || key_generate(KEY_ECDSA, &log->key, &e) < 0)
		return -1;
	for (; log->size < LEAVES; log->size++) {
		struct witness_leaf leaf = leaf_of(log->size);

		if (witness_leaf_hash(&leaf, hash, &e) < 0 ||
		    merkle_add(&nodes, log->size, hash, &e) < 0)
			return -1;
	}
	*state = log;
	return 0;
}

static int leave(void **state)
{
	struct log *log = *state;

	EVP_PKEY_free(log->key);
	free(log);
	return 0;
}

static struct witness_head head_of(struct log *log, uint64_t size)
{
	struct witness_head head = { .size = size, .time_ms = 1700000000123 };
	struct merkle_nodes nodes = nodes_of(log);
	struct err e;

	assert_ok(merkle_root(&nodes, size, head.root, &e), e);
	return head;
}

/* The proof of leaf `index` in the whole log; `head` owns the signed head. */
static struct witness_proof proof_of(struct log *log, uint64_t index, struct writer *head)
{
	struct witness_head whole = head_of(log, log->size);
	struct witness_proof proof = { .leaf = leaf_of(index), .index = index };
	struct merkle_nodes nodes = nodes_of(log);
	struct err e;

	assert_ok(merkle_prove_inclusion(&nodes, index, log->size, &proof.path, &e), e);
	assert_ok(witness_head_sign(&whole, log->key, head, &e), e);
	proof.signed_head = span_of(head);
	return proof;
}

/* The numbers of docs/journal.md. */
static void the_log_is_that_of_the_documents_example(void **state)
{
	static const uint8_t first[] = { 0xfd, 0x9a, 0x54, 0x0c, 0x2c, 0x9a, 0x47, 0x16,
					 0xf6, 0xca, 0x67, 0xed, 0x9d, 0x50, 0x2e, 0x28,
					 0x5e, 0x4f, 0xcb, 0xf0, 0x51, 0x20, 0x88, 0x14,
					 0x8b, 0xd4, 0x60, 0x24, 0xae, 0xa8, 0x0e, 0x99 };
	static const uint8_t root[] = { 0x01, 0x05, 0x9a, 0x67, 0xa7, 0x2d, 0x05, 0xd3,
					0xb9, 0x4d, 0xe5, 0xaf, 0xa5, 0x7f, 0x1d, 0x71,
					0x02, 0xe6, 0x3b, 0xa9, 0x0c, 0x48, 0xd4, 0x0f,
					0x7c, 0x38, 0x05, 0xd8, 0x97, 0x87, 0x32, 0x99 };
	struct log *log = *state;
	struct witness_head head = head_of(log, LEAVES);

	assert_memory_equal(log->nodes[0][0], first, SHA256_LEN);
	assert_memory_equal(head.root, root, SHA256_LEN);
}

static void a_leaf_has_one_encoding(void **state)
{
	static const uint8_t wanted[] = { 0x84, 0x63, 'c', '-', '1', 0x01, 0x07, 0x58, 0x20, 1, 2 };
	static const char long_id[257] = { [0 ... 255] = 'x' };
	CLEANUP_WRITER struct writer w = writer_up_to(512), none = writer_up_to(512);
	struct witness_leaf leaf = leaf_of(0);
	struct err e;

	(void)state;
	assert_ok(witness_leaf_write(&leaf, &w, &e), e);
	assert_int_equal(w.len, 41);
	assert_memory_equal(w.bytes, wanted, sizeof(wanted));
	leaf.computation = (struct span){ (const uint8_t *)long_id, 255 };
	leaf.run = WITNESS_RUN_MAX;
	leaf.head.count = JOURNAL_ENTRIES_MAX;
	assert_ok(witness_leaf_write(&leaf, &none, &e), e);
	leaf.computation.len = 256;
	assert_refused(witness_leaf_write(&leaf, &none, &e), e, ERR_INVALID, "1 to 255");
	leaf.computation.len = 0;
	assert_refused(witness_leaf_write(&leaf, &none, &e), e, ERR_INVALID, "1 to 255");
	leaf.computation = (struct span){ (const uint8_t *)"a\0b", 3 };
	assert_refused(witness_leaf_write(&leaf, &none, &e), e, ERR_INVALID, "no id");
	leaf = leaf_of(WITNESS_RUN_MAX);
	assert_refused(witness_leaf_write(&leaf, &none, &e), e, ERR_INVALID, "run");
	leaf.run = 0;
	assert_refused(witness_leaf_write(&leaf, &none, &e), e, ERR_INVALID, "run");
	leaf = leaf_of(0);
	leaf.head.count = 0;
	assert_refused(witness_leaf_write(&leaf, &none, &e), e, ERR_INVALID, "entries");
	leaf.head.count = JOURNAL_ENTRIES_MAX + 1;
	assert_refused(witness_leaf_write(&leaf, &none, &e), e, ERR_INVALID, "entries");
}

/* What is refused leaves what the caller had. */
static void a_leaf_that_is_none_is_not_taken(void **state)
{
	struct witness_leaf good = leaf_of(0), bad[3] = { good, good, good };
	struct err e;

	(void)state;
	bad[0].computation.len = 0;
	bad[1].run = 0;
	bad[2].head.count = 0;
	for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(512);
		struct witness_leaf before, taken;
		struct datum *item = NULL;

		memset(&before, 0x5a, sizeof(before));
		taken = before;
		witness_leaf_put(i < ARRAY_LEN(bad) ? &bad[i] : &good, &w);
		assert_ok(datum_parse(w.bytes, w.len, &item, &e), e);
		if (i < ARRAY_LEN(bad)) {
			assert_int_equal(witness_leaf_take(item, &taken, &e), -ERR_INVALID);
			assert_memory_equal(&taken, &before, sizeof(taken));
		} else {
			assert_ok(witness_leaf_take(item, &taken, &e), e);
			assert_int_equal(taken.run, good.run);
		}
		datum_free(item);
	}
}

/* Which item of a leaf, of a head's payload, or of a proof's path is another. */
enum odd { NOTHING, ONE_MORE, SHORT_HASH, LONG_HASH, NEGATIVE, SECOND_NEGATIVE, TEXT, ODDS };

static void put_hash(struct writer *w, enum odd odd)
{
	static const uint8_t hash[SHA256_LEN + 1] = { 1 };

	if (odd == TEXT)
		datum_put_text_of(w, (const char *)hash, SHA256_LEN);
	else
		datum_put_bytes(w, hash,
				(size_t)SHA256_LEN + (odd == LONG_HASH) - (odd == SHORT_HASH));
}

static void an_item_that_is_no_leaf_is_not_taken(void **state)
{
	(void)state;
	for (enum odd odd = NOTHING; odd < ODDS; odd++) {
		CLEANUP_WRITER struct writer w = writer_up_to(512);
		struct witness_leaf taken;
		struct datum *item = NULL;
		struct err e;

		datum_put_array(&w, odd == ONE_MORE ? 5 : 4);
		datum_put_text(&w, "c");
		datum_put_int(&w, odd == NEGATIVE ? -2 : 1);
		datum_put_int(&w, odd == SECOND_NEGATIVE ? -2 : 1);
		put_hash(&w, odd);
		if (odd == ONE_MORE)
			datum_put_null(&w);
		assert_ok(datum_parse(w.bytes, w.len, &item, &e), e);
		if (odd == NOTHING)
			assert_ok(witness_leaf_take(item, &taken, &e), e);
		else
			assert_refused(witness_leaf_take(item, &taken, &e), e, ERR_INVALID,
				       "[computation, run, count, digest]");
		datum_free(item);
	}
}

static void a_head_is_read_back_under_its_key_alone(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_SIGNED_MAX);
	struct witness_head head = head_of(*state, LEAVES), found;
	struct log *log = *state;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &other, &e), e);
	assert_ok(witness_head_sign(&head, log->key, &w, &e), e);
	assert_ok(witness_head_verify(span_of(&w), log->key, &found, &e), e);
	assert_int_equal(found.size, LEAVES);
	assert_int_equal(found.time_ms, head.time_ms);
	assert_memory_equal(found.root, head.root, SHA256_LEN);
	assert_refused(witness_head_verify(span_of(&w), other, &found, &e), e, ERR_DENIED, "sign");
	for (size_t bit = 0; bit < 8 * w.len; bit++) {
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(witness_head_verify(span_of(&w), log->key, &found, &e) < 0);
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < w.len; len++)
		assert_true(witness_head_verify((struct span){ w.bytes, len }, log->key, &found,
						&e) < 0);
}

static void refuse(struct log *log, const struct cose_content *content, const char *words)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 * WITNESS_SIGNED_MAX);
	struct witness_head found;
	struct err e;

	assert_ok(cose_sign(content, log->key, &w, &e), e);
	assert_true(witness_head_verify(span_of(&w), log->key, &found, &e) < 0);
	if (!strstr(e.text, words))
		fail_msg("'%s' does not speak of '%s'", e.text, words);
}

/* What the service's key might be made to sign elsewhere is no head of the log. */
static void what_is_well_signed_and_no_head_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(128);
	struct witness_head found;
	struct err e;
	const uint8_t zeros[600] = { 0 };

	datum_put_array(&w, 3);
	datum_put_uint(&w, MERKLE_LEAVES_MAX + 1);
	datum_put_bytes(&w, zeros, SHA256_LEN);
	datum_put_uint(&w, 0);
	struct cose_content content = { .payload = w.bytes,
					.payload_len = w.len,
					.aad = WITNESS_HEAD_AAD,
					.aad_len = strlen(WITNESS_HEAD_AAD),
					.content_type = WITNESS_HEAD_TYPE };
	refuse(*state, &content, "[size, root, time]");
	content.payload = "\x83\x01\x02\x03";
	content.payload_len = 4;
	refuse(*state, &content, "[size, root, time]");
	content.payload_len = 3;
	refuse(*state, &content, "the log's head");
	content.content_type = JOURNAL_HEAD_TYPE;
	refuse(*state, &content, "content type");
	content.content_type = WITNESS_HEAD_TYPE;
	content.kid = "k";
	content.kid_len = 1;
	refuse(*state, &content, "content type alone");
	content.kid = NULL;
	content.aad = JOURNAL_HEAD_AAD;
	content.aad_len = strlen(JOURNAL_HEAD_AAD);
	refuse(*state, &content, "sign");
	assert_refused(witness_head_verify((struct span){ zeros, WITNESS_SIGNED_MAX + 1 },
					   ((struct log *)*state)->key, &found, &e),
		       e, ERR_INVALID, "longer than any");
}

static void a_head_of_the_log_says_three_things(void **state)
{
	struct log *log = *state;

	for (enum odd odd = NOTHING; odd <= ODDS; odd++) {
		CLEANUP_WRITER struct writer payload = writer_up_to(128),
					     w = writer_up_to(WITNESS_SIGNED_MAX);
		struct witness_head found;
		struct err e;

		datum_put_array(&payload, odd == ONE_MORE ? 4 : 3);
		datum_put_int(&payload, odd == NEGATIVE ? -2 : 1);
		put_hash(&payload, odd);
		if (odd == ODDS) /* no time that a clock has */
			datum_put_uint(&payload, (uint64_t)INT64_MAX + 1);
		else
			datum_put_int(&payload, odd == SECOND_NEGATIVE ? -2 : INT64_MAX);
		if (odd == ONE_MORE)
			datum_put_null(&payload);
		const struct cose_content content = { .payload = payload.bytes,
						      .payload_len = payload.len,
						      .aad = WITNESS_HEAD_AAD,
						      .aad_len = strlen(WITNESS_HEAD_AAD),
						      .content_type = WITNESS_HEAD_TYPE };
		if (odd != NOTHING) {
			refuse(log, &content, "[size, root, time]");
			continue;
		}
		assert_ok(cose_sign(&content, log->key, &w, &e), e);
		assert_ok(witness_head_verify(span_of(&w), log->key, &found, &e), e);
	}
}

/* What no signature covers would make a second head of the same words; and the log's key is of P-256. */
static void a_head_of_the_log_has_its_headers_alone(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = EVP_EC_gen("P-384");
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_SIGNED_MAX),
				     more = writer_up_to(WITNESS_SIGNED_MAX),
				     by_other = writer_up_to(WITNESS_SIGNED_MAX);
	const struct cose_beside beside = { COSE_HEADER_KID, "x", 1 };
	struct witness_head head = head_of(*state, LEAVES), found;
	struct cose message = { 0 };
	struct log *log = *state;
	struct err e;

	assert_ok(witness_head_sign(&head, log->key, &w, &e), e);
	assert_ok(cose_parse(w.bytes, w.len, NULL, 0, &message, &e), e);
	assert_ok(cose_put_beside(&message, &beside, 1, &more, &e), e);
	cose_done(&message);
	assert_refused(witness_head_verify(span_of(&more), log->key, &found, &e), e, ERR_INVALID,
		       "alone");
	assert_ok(witness_head_sign(&head, other, &by_other, &e), e);
	assert_refused(witness_head_verify(span_of(&by_other), other, &found, &e), e, ERR_INVALID,
		       "not ES256");
}

static void a_proof_is_read_back_and_holds(void **state)
{
	struct log *log = *state;

	for (uint64_t i = 0; i < LEAVES; i++) {
		CLEANUP_WRITER struct writer head = writer_up_to(WITNESS_SIGNED_MAX),
					     w = writer_up_to(WITNESS_PROOF_MAX),
					     again = writer_up_to(WITNESS_PROOF_MAX);
		struct witness_proof proof = proof_of(log, i, &head), found;
		struct witness_head seen;
		struct err e;

		assert_ok(witness_proof_write(&proof, &w, &e), e);
		assert_ok(witness_proof_parse(span_of(&w), &found, &e), e);
		assert_ok(witness_proof_write(&found, &again, &e), e);
		assert_int_equal(again.len, w.len);
		assert_memory_equal(again.bytes, w.bytes, w.len);
		assert_ok(witness_proof_verify(&found, log->key, &seen, &e), e);
		assert_int_equal(seen.size, LEAVES);
		found.index ^= 1;
		assert_refused(witness_proof_verify(&found, log->key, &seen, &e), e, ERR_DENIED,
			       "does not hold");
	}
}

static void every_bit_of_a_proof_counts_and_every_byte_is_needed(void **state)
{
	CLEANUP_WRITER struct writer head = writer_up_to(WITNESS_SIGNED_MAX),
				     w = writer_up_to(WITNESS_PROOF_MAX);
	struct log *log = *state;
	struct witness_proof proof = proof_of(log, 5, &head), found;
	struct witness_head seen;
	struct err e;

	assert_ok(witness_proof_write(&proof, &w, &e), e);
	for (size_t bit = 0; bit < 8 * w.len; bit++) {
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(witness_proof_parse(span_of(&w), &found, &e) < 0 ||
			    witness_proof_verify(&found, log->key, &seen, &e) < 0);
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < w.len; len++)
		assert_true(witness_proof_parse((struct span){ w.bytes, len }, &found, &e) < 0);
	writer_u8(&w, 0);
	assert_true(witness_proof_parse(span_of(&w), &found, &e) < 0);
}

static void a_path_has_a_limit(void **state)
{
	for (size_t count = MERKLE_PATH_MAX; count <= MERKLE_PATH_MAX + 1; count++) {
		CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_PROOF_MAX + 1);
		struct witness_proof found;
		const uint8_t zeros[SHA256_LEN] = { 0 };
		struct err e;

		datum_put_array(&w, 4);
		datum_put_array(&w, 4);
		datum_put_text(&w, "c");
		datum_put_uint(&w, 1);
		datum_put_uint(&w, 1);
		datum_put_bytes(&w, zeros, sizeof(zeros));
		datum_put_uint(&w, 0);
		datum_put_array(&w, count);
		for (size_t i = 0; i < count; i++)
			datum_put_bytes(&w, zeros, sizeof(zeros));
		datum_put_bytes(&w, "", 0);
		if (count <= MERKLE_PATH_MAX)
			assert_ok(witness_proof_parse(span_of(&w), &found, &e), e);
		else
			assert_refused(witness_proof_parse(span_of(&w), &found, &e), e, ERR_INVALID,
				       "33");
		writer_zeros(&w, WITNESS_PROOF_MAX + 1 - w.len);
		assert_refused(witness_proof_parse(span_of(&w), &found, &e), e, ERR_INVALID,
			       "longer than any");
	}
	(void)state;
}

/* A proof of one hash, that or another. */
static void a_path_is_of_hashes(void **state)
{
	(void)state;
	for (enum odd odd = NOTHING; odd < ODDS; odd++) {
		CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_PROOF_MAX);
		struct witness_leaf leaf = leaf_of(0);
		struct witness_proof found;
		struct err e;

		datum_put_array(&w, odd == ONE_MORE ? 5 : 4);
		witness_leaf_put(&leaf, &w);
		datum_put_int(&w, odd == NEGATIVE ? -2 : 1);
		datum_put_array(&w, 1);
		put_hash(&w, odd);
		if (odd == SECOND_NEGATIVE)
			datum_put_int(&w, -2);
		else
			datum_put_bytes(&w, "", 0);
		if (odd == ONE_MORE)
			datum_put_null(&w);
		if (odd == NOTHING)
			assert_ok(witness_proof_parse(span_of(&w), &found, &e), e);
		else
			assert_int_equal(witness_proof_parse(span_of(&w), &found, &e),
					 -ERR_INVALID);
	}
}

static void a_log_only_grows(void **state)
{
	struct log *log = *state;
	struct merkle_nodes nodes = nodes_of(log);
	struct witness_head all = head_of(log, LEAVES), none = head_of(log, 0);
	struct merkle_path path = { .count = 0 };
	struct err e;

	assert_ok(witness_head_follows(&none, &none, &path, &e), e);
	assert_ok(witness_head_follows(&none, &all, &path, &e), e);
	assert_ok(witness_head_follows(&all, &all, &path, &e), e);
	assert_refused(witness_head_follows(&all, &none, &path, &e), e, ERR_DATA_LOSS, "shrunk");
	struct witness_head other = all;
	other.root[3] ^= 1;
	assert_refused(witness_head_follows(&all, &other, &path, &e), e, ERR_DATA_LOSS, "forked");
	for (uint64_t size = 1; size < LEAVES; size++) {
		struct witness_head before = head_of(log, size);

		assert_ok(merkle_prove_consistency(&nodes, size, LEAVES, &path, &e), e);
		assert_ok(witness_head_follows(&before, &all, &path, &e), e);
		before.root[3] ^= 1;
		assert_refused(witness_head_follows(&before, &all, &path, &e), e, ERR_DATA_LOSS,
			       "forked");
		assert_refused(witness_head_follows(&all, &before, &path, &e), e, ERR_DATA_LOSS,
			       "shrunk");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_is_that_of_the_documents_example),
		cmocka_unit_test(a_leaf_has_one_encoding),
		cmocka_unit_test(a_leaf_that_is_none_is_not_taken),
		cmocka_unit_test(an_item_that_is_no_leaf_is_not_taken),
		cmocka_unit_test(a_head_is_read_back_under_its_key_alone),
		cmocka_unit_test(what_is_well_signed_and_no_head_is_refused),
		cmocka_unit_test(a_head_of_the_log_says_three_things),
		cmocka_unit_test(a_head_of_the_log_has_its_headers_alone),
		cmocka_unit_test(a_proof_is_read_back_and_holds),
		cmocka_unit_test(every_bit_of_a_proof_counts_and_every_byte_is_needed),
		cmocka_unit_test(a_path_has_a_limit),
		cmocka_unit_test(a_path_is_of_hashes),
		cmocka_unit_test(a_log_only_grows),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
