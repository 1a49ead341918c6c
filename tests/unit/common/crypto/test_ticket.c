/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/ticket.h"
#include "tests/unit.h"

enum { LEN = 16, NOW = 1000000, LIFE = 5000 };

static const uint8_t key[32] = { 7 }, other_key[32] = { 8 };

static void make(uint8_t ticket[LEN])
{
	struct err e;

	assert_ok(ticket_make(NOW, ticket, LEN, &e), e);
}

static void seal(const uint8_t *secret, const char *use, const uint8_t *ticket, const char *to,
		 uint8_t made[SHA256_LEN])
{
	struct err e;

	assert_ok(ticket_seal((struct span){ secret, sizeof(key) }, use,
			      (struct span){ ticket, LEN }, to, made, &e),
		  e);
}

static void a_ticket_says_when_it_was_made(void **state)
{
	static const uint64_t times[] = { 0, 1, NOW, 0x0102030405060708, UINT64_MAX };
	uint8_t ticket[LEN];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		assert_ok(ticket_make(times[i], ticket, LEN, &e), e);
		assert_true(ticket_made_ms(ticket) == times[i]);
	}
}

static void it_is_fresh_from_then_to_its_end(void **state)
{
	uint8_t ticket[LEN];

	make(ticket);
	assert_false(ticket_is_fresh(ticket, NOW - 1, LIFE));
	assert_true(ticket_is_fresh(ticket, NOW, LIFE));
	assert_true(ticket_is_fresh(ticket, NOW + LIFE, LIFE));
	assert_false(ticket_is_fresh(ticket, NOW + LIFE + 1, LIFE));
	assert_true(ticket_is_fresh(ticket, NOW, 0));
	memset(ticket, 0xff, TICKET_TIME_LEN);
	assert_false(ticket_is_fresh(ticket, NOW, UINT64_MAX));
}

static void two_of_one_moment_differ(void **state)
{
	uint8_t one[LEN], two[LEN];

	make(one);
	make(two);
	assert_memory_equal(one, two, TICKET_TIME_LEN);
	assert_memory_not_equal(one, two, LEN);
}

static void every_part_of_a_seal_counts(void **state)
{
	uint8_t ticket[LEN], first[SHA256_LEN], made[SHA256_LEN];

	make(ticket);
	seal(key, "use", ticket, "to", first);
	seal(key, "use", ticket, "to", made);
	assert_memory_equal(first, made, SHA256_LEN);
	seal(other_key, "use", ticket, "to", made);
	assert_memory_not_equal(first, made, SHA256_LEN);
	seal(key, "us", ticket, "to", made);
	assert_memory_not_equal(first, made, SHA256_LEN);
	seal(key, "use", ticket, "t", made);
	assert_memory_not_equal(first, made, SHA256_LEN);
	for (size_t bit = 0; bit < 8 * (size_t)LEN; bit++) {
		ticket[bit / 8] ^= (uint8_t)(1u << bit % 8);
		seal(key, "use", ticket, "to", made);
		assert_memory_not_equal(first, made, SHA256_LEN);
		ticket[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* Computed by Python's hmac and hashlib. */
static void a_seal_is_an_hmac(void **state)
{
	static const uint8_t known[SHA256_LEN] = { 0x96, 0xd1, 0x58, 0x6d, 0xa6, 0xe0, 0x57, 0x48,
						   0xab, 0x40, 0x88, 0xb7, 0xd0, 0xd3, 0x7c, 0xd2,
						   0xa9, 0x3d, 0x66, 0xe4, 0x95, 0x86, 0x22, 0x64,
						   0xf1, 0xd2, 0xf3, 0x8d, 0x29, 0x93, 0xf8, 0x88 };
	uint8_t ticket[LEN], made[SHA256_LEN];

	for (size_t i = 0; i < LEN; i++)
		ticket[i] = (uint8_t)i;
	seal(key, "use", ticket, "to", made);
	assert_memory_equal(made, known, SHA256_LEN);
}

static void what_is_sealed_has_a_limit(void **state)
{
	const size_t most = TICKET_SEALED_MAX - sizeof("use") - LEN;
	uint8_t ticket[LEN], made[SHA256_LEN];
	char to[TICKET_SEALED_MAX];
	struct err e;

	make(ticket);
	memset(to, 'a', sizeof(to));
	to[most + 1] = 0;
	assert_refused(ticket_seal((struct span){ key, sizeof(key) }, "use",
				   (struct span){ ticket, LEN }, to, made, &e),
		       e, ERR_EXHAUSTED, "seal");
	to[most] = 0;
	seal(key, "use", ticket, to, made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_says_when_it_was_made),
		cmocka_unit_test(it_is_fresh_from_then_to_its_end),
		cmocka_unit_test(two_of_one_moment_differ),
		cmocka_unit_test(every_part_of_a_seal_counts),
		cmocka_unit_test(a_seal_is_an_hmac),
		cmocka_unit_test(what_is_sealed_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
