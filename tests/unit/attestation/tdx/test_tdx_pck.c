/* SPDX-License-Identifier: Apache-2.0 */
/* The SGX extension of a PCK certificate, and one byte of it changed. */
#include "attestation/formats/x509.h"
#include "common/base/der.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit.h"

enum { EXTENSION_MAX = 1024 };

static struct tdx_forge forge;
static uint8_t good[EXTENSION_MAX], changed[EXTENSION_MAX];
static size_t good_len;

static int setup(void **state)
{
	struct x509_chain chain;
	struct span value;
	struct err e;

	tdx_forge_init(&forge);
	assert_ok(x509_chain_from_pem(forge.pck_chain, strlen(forge.pck_chain), &chain, &e), e);
	value = x509_extension_of(chain.certs[0], TDX_PCK_EXTENSION)->value;
	assert_in_range(value.len, 1, EXTENSION_MAX);
	memcpy(good, value.bytes, value.len);
	good_len = value.len;
	x509_chain_done(&chain);
	return 0;
}

static int teardown(void **state)
{
	tdx_forge_done(&forge);
	return 0;
}

static int parse(size_t len, struct tdx_pck *pck, struct err *e)
{
	return tdx_pck_parse((struct span){ changed, len }, pck, e);
}

static void its_members_are_read(void **state)
{
	static const uint8_t components[16] = { 3, 3, 2 };
	static const uint8_t fmspc[] = { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6 };
	struct tdx_pck pck;
	struct err e;

	memcpy(changed, good, good_len);
	assert_ok(parse(good_len, &pck, &e), e);
	assert_memory_equal(pck.components, components, sizeof(components));
	assert_memory_equal(pck.fmspc, fmspc, sizeof(fmspc));
	assert_int_equal(pck.pcesvn, 11);
	assert_int_equal(pck.sgx_type, 1);
	assert_true(pck.has_instance);
	assert_false(pck.has_configuration);
}

static void every_truncation_is_refused(void **state)
{
	struct tdx_pck pck;
	struct err e;

	memcpy(changed, good, good_len);
	for (size_t len = 0; len < good_len; len++)
		assert_int_equal(parse(len, &pck, &e), -ERR_INVALID);
	changed[good_len] = 0;
	assert_int_equal(parse(good_len + 1, &pck, &e), -ERR_INVALID);
}

/* Where "1.2.840.113741.1.13.1.A" (and .B) stands: the last byte of the OID. */
static size_t find_arc(uint8_t arc, int second)
{
	uint8_t oid[DER_OID_MAX];
	size_t len = der_oid(TDX_PCK_EXTENSION, oid);

	for (size_t at = 0; at + len + 2 < good_len; at++) {
		bool here = memcmp(good + at, oid, len) == 0 && good[at + len] == arc;
		size_t oid_len = here ? good[at - 1] : 0;

		if (here && second < 0 && oid_len == len + 1)
			return at + len;
		if (here && second >= 0 && oid_len == len + 2 && good[at + len + 1] == second)
			return at + len + 1;
	}
	fail_msg("no OID %u.%d", arc, second);
	return 0;
}

static void refuse(size_t at, uint8_t value, const char *words)
{
	struct tdx_pck pck;
	struct err e;

	memcpy(changed, good, good_len);
	changed[at] = value;
	assert_refused(parse(good_len, &pck, &e), e, ERR_INVALID, words);
}

static void members_have_their_place_number_and_type(void **state)
{
	refuse(find_arc(6, -1), 1, "stands there twice");
	refuse(find_arc(4, -1), 9, "unknown");
	refuse(find_arc(6, -1), 7, "another type");
	refuse(find_arc(2, 5), 6, "stands there twice");
	refuse(find_arc(2, 5), 19, "unknown");
	refuse(find_arc(2, 5), 0, "unknown");
	/* Behind an OID: type, length, value. */
	refuse(find_arc(2, 5) + 1, DER_OCTET_STRING, "another type");
	refuse(find_arc(2, 17) + 1, DER_OCTET_STRING, "another type");
	refuse(find_arc(5, -1) + 1, DER_OCTET_STRING, "another type");
	refuse(find_arc(5, -1) + 3, 3, "another type, length or range");
	refuse(find_arc(1, -1) + 1, DER_UTF8_STRING, "another type");
	/* An OID that is somebody else's. */
	refuse(find_arc(3, -1) - 1, 2, "not its own");
}

static size_t head_len(const uint8_t *at)
{
	return at[1] < 0x80 ? 2 : 2 + (at[1] & 0x7fu);
}

static size_t body_len(const uint8_t *at)
{
	size_t head = head_len(at), len = at[1];

	if (head > 2)
		len = 0;
	for (size_t i = 2; i < head; i++)
		len = len << 8 | at[i];
	return len;
}

/* Makes the value behind that OID longer by `more` bytes, or shorter, and all that it is in. */
static size_t resize(size_t arc_at, int more)
{
	size_t value = arc_at + 1, end = value + 2 + good[value + 1], at = 0;

	memcpy(changed, good, good_len);
	while (changed[at] == DER_SEQUENCE) {
		size_t head = head_len(changed + at), next = at + head;
		uint8_t *last = &changed[next - 1];

		assert_in_range(*last + more, 1, head == 2 ? 0x7f : 0xff);
		while (next + head_len(changed + next) + body_len(changed + next) <= value)
			next += head_len(changed + next) + body_len(changed + next);
		*last = (uint8_t)(*last + more);
		at = next;
	}
	assert_int_equal(at, value);
	changed[value + 1] = (uint8_t)(changed[value + 1] + more);
	memset(changed + end, 0, more > 0 ? (size_t)more : 0);
	memcpy(changed + (more > 0 ? end + (size_t)more : end - (size_t)-more), good + end,
	       good_len - end);
	return more > 0 ? good_len + (size_t)more : good_len - (size_t)-more;
}

/* A number of two bytes must not count by its last. */
static void values_have_their_length(void **state)
{
	static const struct {
		uint8_t arc;
		int second; /* -1: none */
		int more;
	} rows[] = {
		{ 1, -1, 1 },  { 1, -1, -1 }, { 3, -1, 1 },  { 3, -1, -1 }, { 4, -1, 1 },
		{ 4, -1, -1 }, { 6, -1, 1 },  { 6, -1, -1 }, { 5, -1, 1 },  { 2, 1, 1 },
		{ 2, 17, 2 },  { 2, 18, 1 },  { 2, 18, -1 },
	};
	struct tdx_pck pck;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = resize(find_arc(rows[i].arc, rows[i].second), rows[i].more);

		assert_refused(parse(len, &pck, &e), e, ERR_INVALID,
			       "another type, length or range");
	}
	/* The twin: what a PCESVN of two bytes says. */
	assert_ok(parse(resize(find_arc(2, 17), 1), &pck, &e), e);
	assert_int_equal(pck.pcesvn, 11 << 8);
}

static void no_changed_byte_breaks_the_reader(void **state)
{
	struct tdx_pck pck;
	struct err e;
	size_t accepted = 0;

	for (size_t at = 0; at < good_len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(changed, good, good_len);
			changed[at] ^= (uint8_t)(1u << bit);
			accepted += parse(good_len, &pck, &e) == 0;
		}
	/* Values differ then; the certificate's signature covers them. */
	print_message("# %zu of %zu changes read as other values\n", accepted, 8 * good_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_members_are_read),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(members_have_their_place_number_and_type),
		cmocka_unit_test(values_have_their_length),
		cmocka_unit_test(no_changed_byte_breaks_the_reader),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
