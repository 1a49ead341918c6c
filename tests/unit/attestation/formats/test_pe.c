/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/pe.h"
#include "common/base/encode.h"
#include "tests/unit.h"
#include "tests/unit/attestation/measure/tiny_kernel.h"

#define AUTH_SHA256 "c7e9b3c74f2801bd7b15b603c393ddeee9755d5cb589eff11be7bb68f2b5b252"
#define AUTH_SHA384                                                                                \
	"70e787c61f52f1fdc4e26ee7b54d9ec2337129861d548626998ac8504978c936789b09f1241f3c854231a722" \
	"023f4620"

static uint8_t kernel[TINY_LEN];

static int make_kernel(void **state)
{
	tiny_kernel(kernel);
	return 0;
}

static int parse(size_t len, struct pe *pe, struct err *e)
{
	return pe_parse((struct span){ kernel, len }, pe, e);
}

static void assert_digest(enum digest_kind kind, const char *wanted)
{
	uint8_t found[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1];
	struct pe pe;
	struct err e;

	assert_ok(parse(TINY_LEN, &pe, &e), e);
	assert_ok(pe_digest(&pe, kind, found, &e), e);
	hex_encode(found, digest_len(kind), hex);
	assert_string_equal(hex, wanted);
}

static void the_digest_is_that_of_others(void **state)
{
	assert_digest(DIGEST_SHA256, AUTH_SHA256);
	assert_digest(DIGEST_SHA384, AUTH_SHA384);
}

/* A signature or a checksum may be added afterwards; any other change makes another program. */
static void only_checksum_and_signature_do_not_count(void **state)
{
	for (size_t i = 0; i < TINY_LEN; i++) {
		bool counts = !(i >= TINY_OPTIONAL + 64 && i < TINY_OPTIONAL + 68) &&
			      !(i >= TINY_CERTIFICATES && i < TINY_CERTIFICATES + 8) &&
			      i < TINY_END;
		uint8_t found[SHA256_LEN];
		char hex[2 * SHA256_LEN + 1];
		struct pe pe;
		struct err e;

		kernel[i] ^= 0x10;
		if (parse(TINY_LEN, &pe, &e) == 0) {
			assert_ok(pe_digest(&pe, DIGEST_SHA256, found, &e), e);
			hex_encode(found, sizeof(found), hex);
			if ((strcmp(hex, AUTH_SHA256) == 0) == counts)
				fail_msg("byte %zu", i);
		}
		kernel[i] ^= 0x10;
	}
}

static void every_truncation_is_refused(void **state)
{
	struct pe pe;
	struct err e;

	for (size_t len = 0; len < TINY_LEN; len++)
		assert_int_equal(parse(len, &pe, &e), -ERR_INVALID);
}

static void every_truncation_of_an_unsigned_one_is_another_or_refused(void **state)
{
	struct pe pe;
	struct err e;

	bytes_put_le(kernel + TINY_CERTIFICATES, 0, 8);
	for (size_t len = 0; len < TINY_HEADERS + 512 + 300; len++)
		assert_int_equal(parse(len, &pe, &e), -ERR_INVALID);
	assert_ok(parse(TINY_END, &pe, &e), e);
	bytes_put_le(kernel + TINY_OPTIONAL + 108, 4, 4); /* no such directory */
	assert_ok(parse(TINY_END, &pe, &e), e);
	assert_int_equal(pe.certificates_at, 0);
	tiny_kernel(kernel);
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
	static const struct {
		size_t at, len;
		uint32_t value;
		const char *words;
	} bad[] = {
		{ 0, 2, 0, "no header" },
		{ 0x3c, 4, TINY_LEN, "no program" },
		{ 0x3c, 4, UINT32_MAX, "no program" },
		{ 0x84, 2, 0x14c, "no program" },
		{ 0x86, 2, 96, "larger than they say" },
		{ 0x86, 2, 97, "97 sections" },
		{ 0x94, 2, UINT16_MAX, "cut off" },
		{ 0x94, 2, 100, "cut off" },
		{ TINY_OPTIONAL, 2, 0x10b, "PE32+" },
		{ TINY_OPTIONAL + 60, 4, TINY_SECTIONS + 119, "larger than they say" },
		{ TINY_OPTIONAL + 60, 4, TINY_END + 1, "larger than itself" },
		{ TINY_CERTIFICATES, 4, TINY_END - 1, "not its end" },
		{ TINY_CERTIFICATES + 4, 4, TINY_CERT_LEN + 1, "not its end" },
		{ TINY_CERTIFICATES + 4, 4, UINT32_MAX, "not its end" },
		{ TINY_SECTIONS + 20, 4, TINY_HEADERS + 1, "a section" },
		{ TINY_SECTIONS + 20, 4, TINY_HEADERS - 1, "a section" },
		{ TINY_SECTIONS + 16, 4, 511, "a section" },
		{ TINY_SECTIONS + 80 + 16, 4, 309, "a section" },
		{ TINY_SECTIONS + 80 + 16, 4, UINT32_MAX, "a section" },
	};
	struct pe pe;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		bytes_put_le(kernel + bad[i].at, bad[i].value, bad[i].len);
		if (parse(TINY_LEN, &pe, &e) == 0 || !strstr(e.text, bad[i].words))
			fail_msg("row %zu: %s", i, e.text);
		tiny_kernel(kernel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_is_that_of_others),
		cmocka_unit_test(only_checksum_and_signature_do_not_count),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_truncation_of_an_unsigned_one_is_another_or_refused),
		cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
	};

	return cmocka_run_group_tests(tests, make_kernel, NULL);
}
