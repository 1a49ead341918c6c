/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, for every n of one whole appraisal, and nothing is left behind. One of
 * ours gives a no each time. OpenSSL does without some of its own (caches of methods and
 * operations): then the yes over good evidence is right, and bad evidence is a no all the same.
 * Ours go through the linker's --wrap, OpenSSL's through its own hook.
 */
#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"

#include <stdio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __real_free(void *at);
void __wrap_free(void *at);

static long left = -1; /* allocations until one fails; -1: none does */
static long made, held;
static bool counting, ours_failed;

static bool fails(void)
{
	if (!counting)
		return false;
	made++;
	return left >= 0 && left-- == 0;
}

static void *counted(void *at)
{
	held += counting && at;
	return at;
}

void *__wrap_malloc(size_t size)
{
	if (!fails())
		return counted(__real_malloc(size));
	ours_failed = true;
	return NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	if (!fails())
		return counted(__real_calloc(count, size));
	ours_failed = true;
	return NULL;
}

void __wrap_free(void *at)
{
	held -= counting && at;
	__real_free(at);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

static void *crypto_realloc(void *at, size_t size, const char *file, int line)
{
	if (!at)
		return crypto_malloc(size, file, line);
	return fails() ? NULL : realloc(at, size);
}

static void crypto_free(void *at, const char *file, int line)
{
	__wrap_free(at);
}

static struct forge f;
static uint8_t crl[FORGE_CRL_MAX];

static bool appraise(long fail_at)
{
	static struct verdict v;
	bool yes;

	made = held = 0;
	left = fail_at;
	ours_failed = false;
	counting = true;
	yes = forge_appraise(&f, &v);
	counting = false;
	left = -1;
	return yes;
}

static int prepare(void **state)
{
	const long serials[] = { 5, 6 };

	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
	f.input.crls[0] = (struct span){ crl, forge_crl(f.root_key, "ARK-Genoa", serials, 2,
							FORGE_AT - 9, FORGE_AT + 9, crl) };
	f.input.crl_count = 1;
	assert_true(appraise(-1)); /* what OpenSSL keeps for good is made now */
	return 0;
}

/* An error's own text may stay in the thread's queue, a few of them at most. */
static void check_held(long n)
{
	ERR_clear_error();
	if (held > 8)
		fail_msg("%ld allocations left after the %ld-th failed", held, n);
}

static void no_allocation_of_ours_that_fails_gives_a_yes(void **state)
{
	long count, ours = 0, tolerated = 0;

	assert_true(appraise(-1));
	assert_int_equal(held, 0);
	count = made;
	for (long n = 0; n < count; n++) {
		bool yes = appraise(n);

		if (yes && ours_failed)
			fail_msg("a yes although the %ld-th allocation failed", n);
		ours += ours_failed;
		tolerated += yes;
		check_held(n);
	}
	assert_true(appraise(-1));
	assert_true(ours > 0);
	print_message("# %ld allocations failed one by one, %ld of them ours; OpenSSL did without "
		      "%ld\n",
		      count, ours, tolerated);
}

static void bad_evidence_is_a_no_whatever_fails(void **state)
{
	long count;

	for (int what = 0; what < 3; what++) {
		uint8_t *bad =
			what == 0   ? &f.bytes[0x50] /* REPORT_DATA: the signature breaks */
			: what == 1 ? (uint8_t *)(uintptr_t)f.input.vek.bytes + f.input.vek.len - 1
				    : &f.report_data[0];

		*bad ^= 1;
		assert_false(appraise(-1));
		count = made;
		for (long n = 0; n < count; n++) {
			assert_false(appraise(n));
			check_held(n);
		}
		*bad ^= 1;
	}
	assert_true(appraise(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_allocation_of_ours_that_fails_gives_a_yes),
		cmocka_unit_test(bad_evidence_is_a_no_whatever_fails),
	};

	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, prepare, NULL);
}
