/* SPDX-License-Identifier: Apache-2.0 */
/* What browsers bring of passkeys: each algorithm, each flag, all that is for another use, and every truncation. */
#include "common/base/datum.h"
#include "computations/people/webauthn.h"
#include "tests/unit.h"
#include "tests/unit/computations/soft_passkey.h"

#include <stdio.h>

static const uint8_t zeros[WEBAUTHN_CHALLENGE_LEN];
static const int64_t algorithms[] = { WEBAUTHN_ES256, WEBAUTHN_EDDSA, WEBAUTHN_RS256 };

static const struct webauthn_want want = {
	.rp = "example.org", .origin = "https://example.org", .challenge = zeros, .verified = true
};

static int make(struct soft_passkey *p, struct webauthn_new *made, struct err *e)
{
	soft_passkey_make(p);
	return webauthn_register(&want, soft_client(p), soft_object(p), made, e);
}

static struct webauthn_known known_of(const struct webauthn_new *made)
{
	return (struct webauthn_known){ { made->spki, made->spki_len },
					made->count,
					made->eligible };
}

static int use(struct soft_passkey *p, const struct webauthn_new *made, struct webauthn_used *used,
	       struct err *e)
{
	const struct webauthn_known known = known_of(made);

	soft_passkey_use(p);

	const struct webauthn_use brought = soft_use(p);

	return webauthn_assert(&want, &brought, &known, used, e);
}

static void each_algorithm_is_added_and_used(void **state)
{
	struct webauthn_used used;
	struct webauthn_new made;
	struct soft_passkey p;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		soft_passkey_init(&p, algorithms[i]);
		assert_ok(make(&p, &made, &e), e);
		assert_int_equal(made.id_len, p.id_len);
		assert_memory_equal(made.id, p.id, p.id_len);
		assert_false(made.eligible || made.backed_up);
		assert_ok(use(&p, &made, &used, &e), e);
		assert_false(used.went_back || used.backed_up);
		/* The statement of the key itself, which browsers leave as it is. */
		p.format = "packed";
		assert_ok(make(&p, &made, &e), e);
		soft_passkey_done(&p);
	}
}

/* RFC 8812, section 2. */
static void rs256_has_one_padding(void **state)
{
	struct webauthn_used used;
	struct webauthn_new made;
	struct soft_passkey p;
	struct err e;

	soft_passkey_init(&p, WEBAUTHN_RS256);
	assert_ok(make(&p, &made, &e), e);
	p.pss = true;
	assert_refused(use(&p, &made, &used, &e), e, ERR_UNAUTHENTICATED,
		       "signature does not hold");
	p.format = "packed";
	assert_refused(make(&p, &made, &e), e, ERR_UNAUTHENTICATED, "signature does not hold");
	p.pss = false;
	assert_ok(make(&p, &made, &e), e);
	soft_passkey_done(&p);
}

static void another_key_does_not_sign(void **state)
{
	struct webauthn_used used;
	struct webauthn_new made;
	struct soft_passkey p, other;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		soft_passkey_init(&p, algorithms[i]);
		assert_ok(make(&p, &made, &e), e);
		for (size_t k = 0; k < ARRAY_LEN(algorithms); k++) {
			soft_passkey_init(&other, algorithms[k]);
			assert_refused(use(&other, &made, &used, &e), e, ERR_UNAUTHENTICATED,
				       "signature does not hold");
			soft_passkey_done(&other);
		}
		soft_passkey_done(&p);
	}
}

/* One thing that is not as it was asked for, in both. */
static const struct {
	const char *rp, *origin, *type, *more;
	uint8_t challenge, flags;
	enum err_code code;
	const char *words;
} wrongs[] = {
	{ .rp = "example.com", .code = ERR_UNAUTHENTICATED, .words = "another site" },
	{ .rp = "www.example.org", .code = ERR_UNAUTHENTICATED, .words = "another site" },
	{ .origin = "http://example.org", .code = ERR_UNAUTHENTICATED, .words = "another address" },
	{ .origin = "https://example.org:443",
	  .code = ERR_UNAUTHENTICATED,
	  .words = "another address" },
	{ .origin = "https://www.example.org",
	  .code = ERR_UNAUTHENTICATED,
	  .words = "another address" },
	{ .type = "payment.get", .code = ERR_UNAUTHENTICATED, .words = "another use" },
	{ .challenge = 1, .code = ERR_UNAUTHENTICATED, .words = "another challenge" },
	{ .more = ",\"crossOrigin\":true", .code = ERR_UNAUTHENTICATED, .words = "within another" },
	{ .more = ",\"crossOrigin\":0", .code = ERR_UNAUTHENTICATED, .words = "within another" },
	{ .more = ",\"topOrigin\":\"https://example.org\"",
	  .code = ERR_UNAUTHENTICATED,
	  .words = "within another" },
	{ .more = ",\"type\":\"webauthn.get\"", .code = ERR_INVALID, .words = "no JSON" },
	{ .flags = SOFT_VERIFIED, .code = ERR_UNAUTHENTICATED, .words = "nobody touched" },
	{ .flags = SOFT_PRESENT, .code = ERR_UNAUTHENTICATED, .words = "did not ask who" },
	{ .flags = SOFT_PRESENT | SOFT_VERIFIED | SOFT_BACKED_UP,
	  .code = ERR_INVALID,
	  .words = "may not be" },
	{ .flags = SOFT_PRESENT | SOFT_VERIFIED | 0x02, .code = ERR_INVALID, .words = "flags 0x" },
	{ .flags = SOFT_PRESENT | SOFT_VERIFIED | 0x20, .code = ERR_INVALID, .words = "flags 0x" },
	{ .flags = SOFT_PRESENT | SOFT_VERIFIED | SOFT_EXTENSIONS,
	  .code = ERR_INVALID,
	  .words = "cbor" },
};

static void what_was_not_asked_for_is_refused(void **state)
{
	struct soft_passkey right, p;
	struct webauthn_used used;
	struct webauthn_new made, other;
	struct err e;

	soft_passkey_init(&right, WEBAUTHN_EDDSA);
	assert_ok(make(&right, &made, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
		p = right;
		p.rp = wrongs[i].rp ? wrongs[i].rp : p.rp;
		p.origin = wrongs[i].origin ? wrongs[i].origin : p.origin;
		p.type = wrongs[i].type;
		p.client_more = wrongs[i].more;
		p.challenge[0] = wrongs[i].challenge;
		p.flags = wrongs[i].flags ? wrongs[i].flags : p.flags;
		assert_refused(make(&p, &other, &e), e, wrongs[i].code, wrongs[i].words);
		assert_refused(use(&p, &made, &used, &e), e, wrongs[i].code, wrongs[i].words);
	}
	/* The one instead of the other. */
	p = right;
	p.type = "webauthn.get";
	assert_refused(make(&p, &other, &e), e, ERR_UNAUTHENTICATED, "another use");
	p.type = "webauthn.create";
	assert_refused(use(&p, &made, &used, &e), e, ERR_UNAUTHENTICATED, "another use");
	/* Members that nobody knows yet are none of ours: 5.8.1. */
	p = right;
	p.client_more = ",\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"x\"";
	assert_ok(make(&p, &other, &e), e);
	assert_ok(use(&p, &made, &used, &e), e);
	soft_passkey_done(&right);
}

static void a_second_factor_needs_a_touch_alone(void **state)
{
	const struct webauthn_want touch = { want.rp, want.origin, zeros, false };
	struct webauthn_known known;
	struct webauthn_used used;
	struct webauthn_new made;
	struct soft_passkey p;
	struct err e;

	soft_passkey_init(&p, WEBAUTHN_ES256);
	assert_ok(make(&p, &made, &e), e);
	known = known_of(&made);
	p.flags = SOFT_PRESENT;
	soft_passkey_use(&p);

	const struct webauthn_use brought = soft_use(&p);

	assert_ok(webauthn_assert(&touch, &brought, &known, &used, &e), e);
	soft_passkey_done(&p);
}

static void counts_and_copies_are_compared(void **state)
{
	static const struct {
		uint32_t first, then;
		bool went_back;
	} counts[] = { { 0, 0, false },
		       { 0, 1, false },
		       { 1, 2, false },
		       { 1, 1, true },
		       { 2, 1, true },
		       { 1, 0, true },
		       { UINT32_MAX - 1, UINT32_MAX, false },
		       { UINT32_MAX, 1, true } };
	struct webauthn_used used;
	struct webauthn_new made;
	struct soft_passkey p;
	struct err e;

	soft_passkey_init(&p, WEBAUTHN_EDDSA);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		p.count = counts[i].first;
		assert_ok(make(&p, &made, &e), e);
		p.count = counts[i].then;
		assert_ok(use(&p, &made, &used, &e), e);
		assert_int_equal(used.count, counts[i].then);
		assert_int_equal(used.went_back, counts[i].went_back);
	}
	p.count = 0;
	p.flags |= SOFT_ELIGIBLE;
	assert_ok(make(&p, &made, &e), e);
	assert_true(made.eligible && !made.backed_up);
	p.flags |= SOFT_BACKED_UP;
	assert_ok(use(&p, &made, &used, &e), e);
	assert_true(used.backed_up);
	p.flags = SOFT_PRESENT | SOFT_VERIFIED;
	assert_refused(use(&p, &made, &used, &e), e, ERR_UNAUTHENTICATED, "differs from when");
	soft_passkey_done(&p);
}

static void attestations_are_none(void **state)
{
	static const uint8_t empty[] = { 0xa0 }, more[] = { 0xa1, 0x61, 'x', 1 }, list[] = { 0x80 };
	static const struct {
		const char *format;
		struct span statement;
		const char *words;
	} cases[] = { { "fido-u2f", { NULL, 0 }, "none was asked for" },
		      { "packed", { empty, sizeof(empty) }, "none was asked for" },
		      { NULL, { more, sizeof(more) }, "none was asked for" },
		      { NULL, { list, sizeof(list) }, "no attestation statement" } };
	struct webauthn_new made;
	struct soft_passkey p;
	struct err e;

	soft_passkey_init(&p, WEBAUTHN_ES256);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		p.format = cases[i].format;
		p.statement = cases[i].statement;
		assert_refused(make(&p, &made, &e), e, ERR_INVALID, cases[i].words);
	}
	/* The key's own has to hold. */
	p.format = "packed";
	p.statement = (struct span){ NULL, 0 };
	soft_passkey_make(&p);
	p.client[p.client_len - 1] = ' ';
	p.client[p.client_len++] = '}';
	assert_refused(webauthn_register(&want, soft_client(&p), soft_object(&p), &made, &e), e,
		       ERR_UNAUTHENTICATED, "signature does not hold");
	soft_passkey_done(&p);
}

static void lengths_have_limits(void **state)
{
	static char pad[WEBAUTHN_CLIENT_MAX + 1];
	struct webauthn_new made;
	struct soft_passkey p;
	struct err e;

	soft_passkey_init(&p, WEBAUTHN_ES256);
	p.id_len = WEBAUTHN_ID_MAX;
	assert_ok(make(&p, &made, &e), e);
	p.id_len++;
	assert_refused(make(&p, &made, &e), e, ERR_INVALID, "an id of 1024 bytes");
	p.id_len = WEBAUTHN_ID_MIN;
	assert_ok(make(&p, &made, &e), e);
	p.id_len--;
	assert_refused(make(&p, &made, &e), e, ERR_INVALID, "an id of 15 bytes");
	p.id_len = WEBAUTHN_ID_MIN;
	soft_passkey_make(&p);

	size_t room = WEBAUTHN_CLIENT_MAX - p.client_len;

	memset(pad, ' ', room);
	p.client_more = pad;
	assert_ok(make(&p, &made, &e), e);
	assert_int_equal(p.client_len, WEBAUTHN_CLIENT_MAX);
	pad[room] = ' ';
	assert_refused(make(&p, &made, &e), e, ERR_INVALID, "client data of 2049 bytes");
	soft_passkey_done(&p);
}

/* An extension fills what may be there; a byte more is too many. */
static void authenticator_data_has_a_limit(void **state)
{
	enum { BEFORE = 37, HEADS = 1 + 2 + 3 /* a map, "x", the string */ };
	CLEANUP_WRITER struct writer w = writer_up_to(WEBAUTHN_DATA_MAX);
	uint8_t text[WEBAUTHN_DATA_MAX] = { 0 };
	struct webauthn_used used;
	struct webauthn_new made;
	struct soft_passkey p;
	struct err e;

	soft_passkey_init(&p, WEBAUTHN_EDDSA);
	assert_ok(make(&p, &made, &e), e);
	p.after = (struct span){ text, 1 };
	assert_refused(use(&p, &made, &used, &e), e, ERR_INVALID, "1 bytes more");
	datum_put_map(&w, 1);
	datum_put_text(&w, "x");
	datum_put_bytes(&w, text, WEBAUTHN_DATA_MAX - BEFORE - HEADS);
	p.flags |= SOFT_EXTENSIONS;
	p.after = (struct span){ w.bytes, w.len };
	assert_ok(use(&p, &made, &used, &e), e);
	assert_int_equal(p.data_len, WEBAUTHN_DATA_MAX);
	p.after = (struct span){ text, WEBAUTHN_DATA_MAX - BEFORE + 1 };
	assert_refused(use(&p, &made, &used, &e), e, ERR_INVALID, "data of 2049 bytes");
	soft_passkey_done(&p);
}

static void every_truncation_is_refused(void **state)
{
	struct webauthn_known known;
	struct webauthn_used used;
	struct webauthn_new made, other;
	struct soft_passkey p;
	struct err e;

	soft_passkey_init(&p, WEBAUTHN_ES256);
	assert_ok(make(&p, &made, &e), e);
	known = known_of(&made);
	for (size_t len = 0; len < p.object_len; len++)
		assert_int_equal(webauthn_register(&want, soft_client(&p),
						   (struct span){ p.object, len }, &other, &e),
				 -ERR_INVALID);
	for (size_t len = 0; len < p.client_len; len++)
		assert_int_equal(webauthn_register(&want, (struct span){ p.client, len },
						   soft_object(&p), &other, &e),
				 -ERR_INVALID);
	p.object[p.object_len] = 0;
	assert_int_equal(webauthn_register(&want, soft_client(&p),
					   (struct span){ p.object, p.object_len + 1 }, &other, &e),
			 -ERR_INVALID);
	soft_passkey_use(&p);
	for (size_t part = 0; part < 3; part++) {
		struct webauthn_use brought = soft_use(&p);
		struct span *cut[] = { &brought.client, &brought.data, &brought.signature };

		while (cut[part]->len--)
			assert_true(webauthn_assert(&want, &brought, &known, &used, &e) < 0);
	}
	soft_passkey_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm_is_added_and_used),
		cmocka_unit_test(rs256_has_one_padding),
		cmocka_unit_test(another_key_does_not_sign),
		cmocka_unit_test(what_was_not_asked_for_is_refused),
		cmocka_unit_test(a_second_factor_needs_a_touch_alone),
		cmocka_unit_test(counts_and_copies_are_compared),
		cmocka_unit_test(attestations_are_none),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(authenticator_data_has_a_limit),
		cmocka_unit_test(every_truncation_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
