/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens with any bit changed, any byte inserted or taken out, cut at any length; and run statements
 * changed by somebody who can sign the token again. None is accepted, but for what tests/uncovered.def
 * names: the key id in COSE's unprotected header, which says nothing. CI takes a sample of the changes
 * (tests/sample.h).
 */
#include "tests/answers.h"
#include "tests/sample.h"
#include "tests/uncovered.h"
#include "tests/unit/attestation/verify/verify_build.h"

#include <openssl/obj_mac.h>

enum { STEP = 7 };

static struct verdict verdict;

static bool accepted(struct verify_build *b, const uint8_t *bytes, size_t len)
{
	struct err e;

	b->in.evidence = (struct span){ bytes, len };
	return verify_answer(&b->in, &verdict, NULL, &e) == 0;
}

/* Of the unprotected header, {4: key id}: the label and the head of the bytes. */
enum { KID_HEAD = 2 };

/* Where the key id's own bytes stand. */
static const uint8_t *key_id(const struct verify_build *b)
{
	const size_t len = strlen(b->content.issuer);
	const uint8_t *at = memmem(b->token.bytes, b->token.len, b->content.issuer, len);

	assert_non_null(at);
	return at;
}

static void no_bit_of_a_token_may_change(void **state)
{
	const struct verify_kind *kind = &verify_kind_vtpm;
	struct verify_build b;
	size_t flipped = 0, uncovered = 0;

	kind->setup();
	verify_build_begin(&b, kind);
	verify_build_seal(&b);

	const uint8_t *kid = key_id(&b) - KID_HEAD;
	const size_t kid_len = KID_HEAD + strlen(b.content.issuer);

	assert_true(accepted(&b, b.token.bytes, b.token.len));
	for (size_t bit = 0; bit < 8 * b.token.len; bit += sample_step(STEP), flipped++) {
		uint8_t *at = &b.token.bytes[bit / 8];

		*at ^= (uint8_t)(1 << bit % 8);
		if (accepted(&b, b.token.bytes, b.token.len)) {
			if (at < kid || at >= kid + kid_len)
				fail_msg("bit %zu of byte %zu is covered by nothing", bit % 8,
					 bit / 8);
			uncovered++;
			uncovered_found(UNCOVERED_TOKEN_KID);
		}
		*at ^= (uint8_t)(1 << bit % 8);
	}
	assert_in_range(uncovered, 1, 8 * kid_len);
	uncovered_twin(NID_X9_62_prime256v1, b.token.bytes + b.token.len - 32, 32, false);
	assert_true(accepted(&b, b.token.bytes, b.token.len));
	uncovered_found(UNCOVERED_TOKEN_TWIN);
	print_message(
		"# %zu bits flipped one by one, %zu of them (the key id's) covered by nothing\n",
		flipped, uncovered);
	verify_build_end(&b);
	kind->teardown();
}

static void no_byte_of_a_token_may_come_or_go(void **state)
{
	const struct verify_kind *kind = &verify_kind_vtpm;
	struct verify_build b;
	size_t tried = 0;

	kind->setup();
	verify_build_begin(&b, kind);
	verify_build_seal(&b);

	size_t len = b.token.len;
	uint8_t *other = malloc(len + 1);

	assert_non_null(other);
	/* The last place, behind all bytes, is always one of them. */
	for (size_t at = len % sample_step(STEP); at <= len; at += sample_step(STEP)) {
		memcpy(other, b.token.bytes, at);
		other[at] = at < len ? b.token.bytes[at] : 0; /* one more of the same, or zero */
		memcpy(other + at + 1, b.token.bytes + at, len - at);
		assert_false(accepted(&b, other, len + 1));
		other[at] ^= 0xff;
		assert_false(accepted(&b, other, len + 1));
		tried += 2;
		if (at == len)
			break;
		memcpy(other + at, b.token.bytes + at + 1, len - at - 1);
		assert_false(accepted(&b, other, len - 1));
		assert_false(accepted(&b, b.token.bytes, at));
		tried += 2;
	}
	print_message("# %zu insertions, deletions and truncations\n", tried);
	free(other);
	verify_build_end(&b);
	kind->teardown();
}

/* Who holds the token's key, and no TEE, puts another statement or other evidence into it. */
static void seal_again(struct verify_build *b)
{
	struct err e;

	writer_done(&b->token);
	b->token = writer_up_to(1 << 20);
	assert_ok(eat_write(&b->content, b->key, &b->token, &e), e);
}

static void no_bit_of_a_run_statement_may_change(void **state)
{
	const struct verify_kind *kind = &verify_kind_vtpm;
	struct verify_build b;
	size_t flipped = 0, lengths = 0;

	kind->setup();
	verify_build_begin(&b, kind);
	verify_build_seal(&b);
	for (size_t bit = 0; bit < 8 * b.run_bytes.len; bit += sample_step(STEP), flipped++) {
		b.run_bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		seal_again(&b);
		if (accepted(&b, b.token.bytes, b.token.len))
			fail_msg("bit %zu of the statement's byte %zu", bit % 8, bit / 8);
		b.run_bytes.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < b.run_bytes.len; len += sample_step(STEP), lengths++) {
		b.content.run.len = len;
		seal_again(&b);
		assert_false(accepted(&b, b.token.bytes, b.token.len));
	}
	b.content.run.len = b.run_bytes.len;
	seal_again(&b);
	assert_true(accepted(&b, b.token.bytes, b.token.len));
	print_message("# %zu bits, %zu lengths\n", flipped, lengths);
	verify_build_end(&b);
	kind->teardown();
}

/* One bit of each byte, at another place each time: all bits of a report have a test of their own. */
static void no_byte_of_a_statement_s_report_may_change(void **state)
{
	const struct verify_kind *kind = &verify_kind_snp;
	struct verify_build b;

	kind->setup();
	verify_build_begin(&b, kind);
	verify_build_seal(&b);
	size_t tried = 0;
	for (size_t at = 0; at < SNP_REPORT_LEN; at += sample_step(STEP), tried++) {
		b.run_quote.bytes[at] ^= (uint8_t)(1 << at % 8);
		seal_again(&b);
		if (accepted(&b, b.token.bytes, b.token.len))
			fail_msg("byte %zu of the statement's report", at);
		b.run_quote.bytes[at] ^= (uint8_t)(1 << at % 8);
	}
	seal_again(&b);
	assert_true(accepted(&b, b.token.bytes, b.token.len));
	print_message("# %zu bytes\n", tried);
	verify_build_end(&b);
	kind->teardown();
}

/* Comes last. */
static void each_place_of_the_list_is_open(void **state)
{
	uncovered_all_found(__FILE__);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_bit_of_a_token_may_change),
		cmocka_unit_test(no_byte_of_a_token_may_come_or_go),
		cmocka_unit_test(no_bit_of_a_run_statement_may_change),
		cmocka_unit_test(no_byte_of_a_statement_s_report_may_change),
		cmocka_unit_test(each_place_of_the_list_is_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
