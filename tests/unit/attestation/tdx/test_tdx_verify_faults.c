/* SPDX-License-Identifier: Apache-2.0 */
/* TDX judgement where things end too early: bytes at every length, memory at every allocation. */
#include "tests/answers.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit.h"

#include <openssl/crypto.h>

static struct tdx_forge forge;
static struct verdict verdict;
static uint8_t quote[FORGE_QUOTE_MAX];
static size_t quote_len;
static struct tdx_policy policy;

static int setup(void **state)
{
	tdx_forge_init(&forge);
	quote_len = tdx_forge_quote(&forge, &forge.good, quote);
	tdx_forge_policy(&forge.good.body, &policy);
	return 0;
}

static int teardown(void **state)
{
	tdx_forge_done(&forge);
	return 0;
}

static void every_truncation_of_a_quote_is_refused(void **state)
{
	static struct tdx_quote q;
	struct err e;

	assert_ok(tdx_quote_parse(quote, quote_len, &q, &e), e);
	for (size_t len = 0; len < quote_len; len++) {
		uint8_t *exact = malloc(len + 1);

		memcpy(exact, quote, len);
		assert_int_equal(tdx_quote_parse(exact, len, &q, &e), -ERR_INVALID);
		free(exact);
	}
}

static void only_zeros_may_follow_a_quote(void **state)
{
	static uint8_t padded[TDX_QUOTE_MAX + 1];
	static struct tdx_quote q;
	struct err e;

	memcpy(padded, quote, quote_len);
	assert_ok(tdx_quote_parse(padded, TDX_QUOTE_MAX, &q, &e), e);
	assert_int_equal(q.padding, TDX_QUOTE_MAX - quote_len);
	assert_refused(tdx_quote_parse(padded, TDX_QUOTE_MAX + 1, &q, &e), e, ERR_INVALID, "more");
	padded[quote_len] = 1;
	assert_refused(tdx_quote_parse(padded, quote_len + 1, &q, &e), e, ERR_INVALID, "not all");
}

/* It was given, and is refused for what it is: not for being missing. */
static void a_document_that_is_empty_was_given(void **state)
{
	static const struct {
		size_t offset;
		const char *check;
	} documents[] = {
		{ offsetof(struct tdx_collateral, tcb_info), "tcbInfo" },
		{ offsetof(struct tdx_collateral, tcb_info_chain), "chain.tcb_info" },
		{ offsetof(struct tdx_collateral, qe_identity), "enclaveIdentity" },
		{ offsetof(struct tdx_collateral, qe_identity_chain), "chain.qe_identity" },
		{ offsetof(struct tdx_collateral, pck_crl), "crl.pck" },
		{ offsetof(struct tdx_collateral, pck_crl_chain), "chain.crl_issuer" },
		{ offsetof(struct tdx_collateral, root_crl), "crl.root" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		struct tdx_input in;

		tdx_forge_input(&forge, quote, quote_len, &forge.good.body, &policy, &in);
		((struct span *)((char *)&in.endorsements.collateral + documents[i].offset))->len =
			0;
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		assert_refused(tdx_answer(&in, NULL, &verdict, &e), e, ERR_DENIED,
			       documents[i].check);
		assert_null(strstr(e.text, "not given"));
	}
}

static void every_truncation_of_a_document_is_refused(void **state)
{
	const struct tdx_collateral *c = &forge.collateral;
	struct err e;

	for (size_t len = 0; len < c->tcb_info.len; len++) {
		struct tdx_tcb_info *info;

		assert_int_equal(
			tdx_tcb_info_parse((struct span){ c->tcb_info.bytes, len }, &info, &e),
			-ERR_INVALID);
	}
	for (size_t len = 0; len < c->qe_identity.len; len++) {
		struct tdx_qe_identity *identity;

		assert_int_equal(tdx_qe_identity_parse((struct span){ c->qe_identity.bytes, len },
						       &identity, &e),
				 -ERR_INVALID);
	}
}

/* Allocations of ours and of OpenSSL: the one of that number fails, or all from it on. */
static size_t allocations, fail_at;
static bool fail_on;

static bool allocation_fails(void)
{
	if (!fail_at)
		return false;
	allocations++;
	return fail_on ? allocations >= fail_at : allocations == fail_at;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return allocation_fails() ? NULL : __real_realloc(old, size);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	return __wrap_malloc(size);
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
	return __wrap_realloc(old, size);
}

static void crypto_free(void *old, const char *file, int line)
{
	free(old);
}

static int appraise(void)
{
	struct tdx_input in;
	struct err e;

	tdx_forge_input(&forge, quote, quote_len, &forge.good.body, &policy, &in);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	return tdx_answer(&in, NULL, &verdict, &e);
}

/* The call with allocation `n` failing, alone or with all after it; whether it really came to that. */
static bool failed_at(size_t n, bool on, int *rc)
{
	fail_on = on;
	fail_at = n;
	allocations = 0;
	*rc = appraise();

	bool came = allocations >= n;

	fail_at = 0;
	return came;
}

static size_t count_allocations(void)
{
	int rc;

	assert_false(failed_at(SIZE_MAX, true, &rc));
	return allocations;
}

/* Whatever allocation is the last that succeeds: an error, never a yes. */
static void memory_that_runs_out_gives_an_error(void **state)
{
	size_t needed;
	int rc;

	assert_int_equal(appraise(), 0);
	needed = count_allocations();
	assert_true(needed > 10);
	for (size_t n = 1; n <= needed; n++)
		if (failed_at(n, true, &rc) && rc == 0)
			fail_msg("a yes though memory ran out at allocation %zu of %zu", n, needed);
	print_message("# %zu allocations, all failing from each of them on\n", needed);
	assert_int_equal(appraise(), 0);
}

/* A single failure that a library gets over may leave a right answer right, never a wrong one. */
static void no_failed_allocation_makes_a_wrong_quote_right(void **state)
{
	static const size_t signed_byte = 300;
	size_t needed;
	int rc;

	quote[signed_byte] ^= 1;
	needed = count_allocations();
	for (size_t n = 1; n <= needed; n++) {
		(void)failed_at(n, false, &rc);
		if (rc == 0)
			fail_msg("a yes to a wrong quote, allocation %zu failing", n);
	}
	quote[signed_byte] ^= 1;
	assert_int_equal(appraise(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_of_a_quote_is_refused),
		cmocka_unit_test(only_zeros_may_follow_a_quote),
		cmocka_unit_test(a_document_that_is_empty_was_given),
		cmocka_unit_test(every_truncation_of_a_document_is_refused),
		cmocka_unit_test(memory_that_runs_out_gives_an_error),
		cmocka_unit_test(no_failed_allocation_makes_a_wrong_quote_right),
	};

	CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
	return cmocka_run_group_tests(tests, setup, teardown);
}
