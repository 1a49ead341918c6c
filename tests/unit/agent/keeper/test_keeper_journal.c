/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's key in the keeper: what it signs and what not, one history only, and when it is gone.
 * The first tests ask its table of requests; the last is a real process (this program again).
 */
#include "agent/keeper/keeper.h"
#include "agent/keeper/keeper_state.h"
#include "attestation/formats/cose.h"
#include "tests/unit.h"

#include <uv.h>

/* A stand-in for the TEE, whose reports nobody looks at here. */
static int collect(const struct provider_options *options,
		   const uint8_t report_data[PROVIDER_REPORT_DATA_LEN], struct provider_report *out,
		   struct err *e)
{
	out->len = 1184;
	out->report = calloc(1, out->len);
	return out->report ? 0 : err_nomem(e);
}

static int launch(const struct provider_options *options,
		  const uint8_t report_data[PROVIDER_REPORT_DATA_LEN], struct provider_launch *out,
		  struct err *e)
{
	out->len = 0;
	return 0;
}

static const struct provider stand_in = {
	.name = "a stand-in", .platform = EVIDENCE_SNP, .collect = collect, .launch = launch
};

struct room {
	struct keeper_state state;
	uint8_t *spki;
	size_t spki_len;
	EVP_PKEY *key; /* the journal's, as everybody knows it */
};

static int ask(struct room *r, uint8_t type, const void *content, size_t len, struct writer *out,
	       struct err *e)
{
	struct reader in = reader_over(content, len);

	return keeper_dispatch(&r->state, type, &in, out, e);
}

static void must(struct room *r, uint8_t type, const void *content, size_t len)
{
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
	struct err e;

	assert_ok(ask(r, type, content, len, &out, &e), e);
}

static void refuse(struct room *r, uint8_t type, const void *content, size_t len,
		   enum err_code code, const char *words)
{
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
	struct err e;

	assert_refused(ask(r, type, content, len, &out, &e), e, code, words);
	assert_int_equal(out.len, 0);
}

static const uint8_t zeros[JOURNAL_RECEIPT_MAX + 1];

static void measure_manifest(struct room *r)
{
	must(r, KEEPER_MEASURE_CONFIG, zeros, KEEPER_DIGESTS_LEN);
	must(r, KEEPER_MEASURE_MANIFEST, zeros, KEEPER_DIGESTS_LEN);
}

static void take_key(struct room *r)
{
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
	struct err e;

	assert_ok(ask(r, KEEPER_JOURNAL_KEY, NULL, 0, &out, &e), e);
	EVP_PKEY_free(r->key);
	assert_ok(key_from_spki(out.bytes + 4, out.len - 4, &r->key, &e), e);
	assert_int_equal(key_kind_of(r->key), KEY_ECDSA);
}

static int enter(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *identity = NULL;
	struct room *r = calloc(1, sizeof(*r));
	struct err e;

	if (!r || key_generate(KEY_ECDSA, &identity, &e) < 0 ||
	    key_to_spki(identity, &r->spki, &r->spki_len, &e) < 0)
		return -1;
	r->state.looked = true;
	r->state.tee = &stand_in;
	keeper_state_init(&r->state);
	*state = r;
	must(r, KEEPER_IDENTITY, r->spki, r->spki_len);
	must(r, KEEPER_MEASURE_BOOT, zeros, KEEPER_DIGESTS_LEN);
	return 0;
}

static int leave(void **state)
{
	struct room *r = *state;

	keeper_journal_end(&r->state);
	EVP_PKEY_free(r->key);
	free(r->spki);
	free(r);
	return 0;
}

/* The statement of what was measured, with that journal's key. */
static void put_statement(struct room *r, const uint8_t *journal, size_t len, struct writer *w)
{
	const struct run_statement s = { .computation = "c",
					 .identity = r->spki,
					 .identity_len = r->spki_len,
					 .journal = journal,
					 .journal_len = len };
	struct err e;

	assert_ok(run_statement_write(&s, w, &e), e);
}

/* Key and statement: from here on there is evidence that names the key. */
static void run(struct room *r)
{
	CLEANUP_WRITER struct writer statement = writer_up_to(RUN_STATEMENT_MAX);

	take_key(r);
	put_statement(r, r->state.journal, r->state.journal_len, &statement);
	must(r, KEEPER_RUN, statement.bytes, statement.len);
}

static void refuse_signatures(struct room *r)
{
	refuse(r, KEEPER_JOURNAL_SIGN, zeros, 33, ERR_PRECONDITION, "out of order");
	refuse(r, KEEPER_RECEIPT, zeros, 1, ERR_PRECONDITION, "out of order");
	assert_int_equal(r->state.receipts, 0);
	assert_int_equal(r->state.journal_head.count, 0);
}

static void sign(struct room *r, size_t count, bool final, struct journal_head *head)
{
	CLEANUP_WRITER struct writer in = writer_up_to(KEEPER_REQUEST_MAX);
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
	bool is_final;
	struct err e;

	writer_u8(&in, final);
	writer_zeros(&in, count * SHA256_LEN);
	assert_ok(ask(r, KEEPER_JOURNAL_SIGN, in.bytes, in.len, &out, &e), e);
	assert_ok(journal_head_verify((struct span){ out.bytes + 4, out.len - 4 }, r->key, head,
				      &is_final, &e),
		  e);
	assert_int_equal(is_final, final);
}

static void a_key_comes_between_manifest_and_run(void **state)
{
	CLEANUP_WRITER struct writer statement = writer_up_to(RUN_STATEMENT_MAX);
	struct room *r = *state;

	refuse(r, KEEPER_JOURNAL_KEY, NULL, 0, ERR_PRECONDITION, "out of order");
	refuse(r, KEEPER_JOURNAL_SIGN, zeros, 33, ERR_PRECONDITION, "out of order");
	refuse(r, KEEPER_RECEIPT, zeros, 1, ERR_PRECONDITION, "out of order");
	measure_manifest(r);
	refuse(r, KEEPER_JOURNAL_SIGN, zeros, 33, ERR_PRECONDITION, "out of order");
	take_key(r);
	refuse(r, KEEPER_JOURNAL_KEY, NULL, 0, ERR_PRECONDITION, "out of order");
	measure_manifest(r);
	put_statement(r, NULL, 0, &statement);
	must(r, KEEPER_RUN, statement.bytes, statement.len);
	refuse(r, KEEPER_JOURNAL_KEY, NULL, 0, ERR_PRECONDITION, "out of order");
	refuse(r, KEEPER_JOURNAL_SIGN, zeros, 33, ERR_PRECONDITION, "never began");
	refuse(r, KEEPER_RECEIPT, zeros, 1, ERR_PRECONDITION, "never began");
}

static void a_run_has_to_name_it(void **state)
{
	CLEANUP_WRITER struct writer none = writer_up_to(RUN_STATEMENT_MAX);
	CLEANUP_WRITER struct writer other = writer_up_to(RUN_STATEMENT_MAX);
	CLEANUP_WRITER struct writer right = writer_up_to(RUN_STATEMENT_MAX);
	struct room *r = *state;

	measure_manifest(r);
	take_key(r);
	put_statement(r, NULL, 0, &none);
	put_statement(r, r->spki, r->spki_len, &other);
	put_statement(r, r->state.journal, r->state.journal_len, &right);
	refuse(r, KEEPER_RUN, none.bytes, none.len, ERR_DENIED, "journal's key");
	refuse(r, KEEPER_RUN, other.bytes, other.len, ERR_DENIED, "journal's key");
	must(r, KEEPER_RUN, right.bytes, right.len);
	measure_manifest(r);
	refuse(r, KEEPER_RUN, right.bytes, right.len, ERR_DENIED, "journal's key");
}

static void nothing_is_signed_before_its_evidence(void **state)
{
	CLEANUP_WRITER struct writer other = writer_up_to(RUN_STATEMENT_MAX);
	struct journal_head head;
	struct room *r = *state;

	for (int i = 0; i < 2; i++) { /* one computation's evidence is not the next one's */
		writer_done(&other);
		other = writer_up_to(RUN_STATEMENT_MAX);
		measure_manifest(r);
		refuse_signatures(r);
		take_key(r);
		refuse_signatures(r);
		put_statement(r, r->spki, r->spki_len, &other);
		refuse(r, KEEPER_RUN, other.bytes, other.len, ERR_DENIED, "journal's key");
		refuse_signatures(r);
		measure_manifest(r);
		run(r);
		sign(r, 1, false, &head);
		must(r, KEEPER_RECEIPT, zeros, 1);
	}
}

/* Else it would be used for a configuration whose manifest nobody has measured yet. */
static void what_the_last_manifest_permitted_ends_with_the_next_configuration(void **state)
{
	static const uint8_t asks[] = { KEEPER_RUN, KEEPER_CHANNEL, KEEPER_JOURNAL_KEY,
					KEEPER_JOURNAL_SIGN, KEEPER_RECEIPT };
	struct room *r = *state;

	for (int used = 0; used < 3; used++) { /* nothing; the key; the key and the run */
		CLEANUP_WRITER struct writer statement = writer_up_to(RUN_STATEMENT_MAX);

		measure_manifest(r);
		if (used > 0)
			take_key(r);
		put_statement(r, r->state.journal, r->state.journal_len, &statement);
		if (used > 1)
			must(r, KEEPER_RUN, statement.bytes, statement.len);
		must(r, KEEPER_MEASURE_CONFIG, zeros, KEEPER_DIGESTS_LEN);
		for (size_t i = 0; i < ARRAY_LEN(asks); i++)
			refuse(r, asks[i], statement.bytes, statement.len, ERR_PRECONDITION,
			       "out of order");
	}
}

/* Its machine makes no evidence: RUN is never asked there, and nothing vouches for the key. */
static void without_evidence_there_is_nothing_to_wait_for(void **state)
{
	CLEANUP_WRITER struct writer statement = writer_up_to(RUN_STATEMENT_MAX);
	struct journal_head head;
	struct room *r = *state;

	r->state.tee = NULL;
	measure_manifest(r);
	refuse_signatures(r);
	take_key(r);
	sign(r, 1, false, &head);
	must(r, KEEPER_RECEIPT, zeros, 1);
	put_statement(r, r->state.journal, r->state.journal_len, &statement);
	refuse(r, KEEPER_RUN, statement.bytes, statement.len, ERR_UNAVAILABLE, "no evidence");
	sign(r, 1, true, &head);
}

/* Whatever an agent asks for, each head goes on from the last. */
static void there_is_one_history(void **state)
{
	struct journal_head head, wanted = { 0 };
	struct room *r = *state;
	struct err e;

	measure_manifest(r);
	run(r);
	for (size_t i = 0; i < 5; i++) {
		sign(r, i + 1, false, &head);
		for (size_t n = 0; n <= i; n++)
			assert_ok(journal_head_add(&wanted, zeros, &e), e);
		assert_int_equal(head.count, wanted.count);
		assert_memory_equal(head.digest, wanted.digest, SHA256_LEN);
	}
}

static void the_final_head_is_the_last(void **state)
{
	struct journal_head head;
	struct room *r = *state;

	measure_manifest(r);
	run(r);
	sign(r, 1, false, &head);
	sign(r, 1, true, &head);
	assert_int_equal(head.count, 2);
	assert_null(r->state.journal_key);
	refuse(r, KEEPER_JOURNAL_SIGN, zeros, 33, ERR_PRECONDITION, "has ended");
	refuse(r, KEEPER_RECEIPT, zeros, 1, ERR_PRECONDITION, "has ended");
	refuse(r, KEEPER_JOURNAL_KEY, NULL, 0, ERR_PRECONDITION, "out of order");
	/* The next computation has another key, and a history of its own. */
	EVP_PKEY *old = TAKE_PTR(r->key);
	measure_manifest(r);
	run(r);
	assert_int_not_equal(EVP_PKEY_eq(old, r->key), 1);
	EVP_PKEY_free(old);
	sign(r, 1, false, &head);
	assert_int_equal(head.count, 1);
}

static void a_batch_has_its_limit(void **state)
{
	static const size_t wrong[] = {
		0, 1, 32, 34, 64, 1 + (JOURNAL_BATCH_MAX + 1) * SHA256_LEN
	};
	struct journal_head head;
	struct room *r = *state;

	measure_manifest(r);
	run(r);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refuse(r, KEEPER_JOURNAL_SIGN, zeros, wrong[i], ERR_INVALID, "malformed");
	refuse(r, KEEPER_JOURNAL_SIGN,
	       "\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2", 33,
	       ERR_INVALID, "malformed");
	sign(r, JOURNAL_BATCH_MAX, false, &head);
	assert_int_equal(head.count, JOURNAL_BATCH_MAX);
}

static void a_receipt_is_signed_as_one(void **state)
{
	static const uint8_t says[] = { 0x83, 0xf5, 0x01, 0x58, 0x20, [36] = 0 }; /* like a head */
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
	struct room *r = *state;
	struct journal_head head;
	struct cose cose;
	bool final;
	struct err e;

	measure_manifest(r);
	run(r);
	assert_ok(ask(r, KEEPER_RECEIPT, says, sizeof(says), &out, &e), e);
	const struct span message = { out.bytes + 4, out.len - 4 };
	assert_ok(cose_parse(message.bytes, message.len, NULL, 0, &cose, &e), e);
	assert_ok(cose_verify(&cose, r->key, JOURNAL_RECEIPT_AAD, strlen(JOURNAL_RECEIPT_AAD), &e),
		  e);
	assert_int_equal(cose.payload_len, sizeof(says));
	assert_memory_equal(cose.payload, says, sizeof(says));
	assert_true(cose_verify(&cose, r->key, JOURNAL_HEAD_AAD, strlen(JOURNAL_HEAD_AAD), &e) < 0);
	cose_done(&cose);
	assert_true(journal_head_verify(message, r->key, &head, &final, &e) < 0);
}

static void receipts_have_their_limits(void **state)
{
	struct room *r = *state;

	measure_manifest(r);
	run(r);
	refuse(r, KEEPER_RECEIPT, NULL, 0, ERR_INVALID, "malformed");
	refuse(r, KEEPER_RECEIPT, zeros, JOURNAL_RECEIPT_MAX + 1, ERR_INVALID, "malformed");
	for (int i = 0; i < KEEPER_RECEIPTS_MAX; i++)
		must(r, KEEPER_RECEIPT, zeros, i ? 1 : JOURNAL_RECEIPT_MAX);
	refuse(r, KEEPER_RECEIPT, zeros, 1, ERR_EXHAUSTED, "receipts");
	measure_manifest(r);
	run(r);
	must(r, KEEPER_RECEIPT, zeros, 1);
}

/* ---- over the socket ---- */

static struct {
	int answers;
	struct err e;
	uint8_t bytes[2 * JOURNAL_RECEIPT_MAX];
	size_t len;
} seen;

static void on_measured(void *data, bool measured, const struct err *e)
{
	seen.answers++;
	seen.e = e ? *e : (struct err){ 0 };
}

static void on_parts(void *data, const struct span *parts, size_t count, const struct err *e)
{
	seen.answers++;
	seen.e = e ? *e : (struct err){ 0 };
	if (e)
		return;
	assert_int_equal(count, 1);
	assert_true(parts[0].len <= sizeof(seen.bytes));
	memcpy(seen.bytes, parts[0].bytes, parts[0].len);
	seen.len = parts[0].len;
}

static void wait_answer(uv_loop_t *loop)
{
	int before = seen.answers;

	while (seen.answers == before)
		uv_run(loop, UV_RUN_ONCE);
	if (seen.e.code)
		fail_msg("%s", seen.e.text);
}

static void a_process_holds_the_key(void **state)
{
	static uint8_t entries[JOURNAL_BATCH_MAX + 1][SHA256_LEN];
	const struct keeper_options options = { .development = true };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct journal_head head;
	struct keeper *keeper;
	uv_loop_t loop;
	bool final;
	struct err e;

	uv_loop_init(&loop);
	assert_ok(keeper_start(&loop, &options, &keeper, &e), e);
	for (int event = KEEPER_EVENT_BOOT; event <= KEEPER_EVENT_MANIFEST; event++) {
		assert_ok(keeper_measure(keeper, (enum keeper_event)event, "x", 1, on_measured,
					 NULL, &e),
			  e);
		wait_answer(&loop);
	}
	assert_ok(keeper_journal_key(keeper, on_parts, NULL, &e), e);
	wait_answer(&loop);
	assert_ok(key_from_spki(seen.bytes, seen.len, &key, &e), e);
	assert_refused(keeper_journal_sign(keeper, (const void *)entries, JOURNAL_BATCH_MAX + 1,
					   false, on_parts, NULL, &e),
		       e, ERR_EXHAUSTED, "keeper request");
	assert_ok(keeper_receipt(keeper, zeros, JOURNAL_RECEIPT_MAX, on_parts, NULL, &e), e);
	wait_answer(&loop);
	assert_true(seen.len > JOURNAL_RECEIPT_MAX);
	assert_ok(keeper_journal_sign(keeper, (const void *)entries, JOURNAL_BATCH_MAX, true,
				      on_parts, NULL, &e),
		  e);
	wait_answer(&loop);
	assert_ok(
		journal_head_verify((struct span){ seen.bytes, seen.len }, key, &head, &final, &e),
		e);
	assert_int_equal(head.count, JOURNAL_BATCH_MAX);
	assert_true(final);
	keeper_free(keeper);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_main(argc, argv);

	const struct CMUnitTest tests[] = {
		ROW(a_key_comes_between_manifest_and_run),
		ROW(a_run_has_to_name_it),
		ROW(nothing_is_signed_before_its_evidence),
		ROW(what_the_last_manifest_permitted_ends_with_the_next_configuration),
		ROW(without_evidence_there_is_nothing_to_wait_for),
		ROW(there_is_one_history),
		ROW(the_final_head_is_the_last),
		ROW(a_batch_has_its_limit),
		ROW(a_receipt_is_signed_as_one),
		ROW(receipts_have_their_limits),
		cmocka_unit_test(a_process_holds_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
