/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, for every n of one whole verification of each kind, as a token and by
 * itself (CI takes a sample of OpenSSL's: tests/sample.h): never a yes where one of ours failed, never a yes to evidence that is wrong, and nothing is
 * left behind. Ours go through the linker's --wrap, OpenSSL's through its own hook; those inside of
 * other libraries are theirs.
 */
#include "tests/sample.h"
#include "tests/unit/attestation/verify/verify_build.h"

#include <stdio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
void __wrap_free(void *at);

/* What OpenSSL may keep in the thread's error queue. */
enum { KEPT_MAX = 8 };

static long left = -1; /* allocations until one fails; -1: none does */
static long made, held;
static long stride = 1, theirs; /* of OpenSSL's, one in so many is counted */
static bool counting, ours_failed;

static bool fails(bool ours)
{
	bool now;

	if (!counting || (!ours && theirs++ % stride))
		return false;
	now = left >= 0 && left-- == 0;
	made++;
	ours_failed |= now && ours;
	return now;
}

static void *counted(void *at)
{
	held += counting && at;
	return at;
}

/* A grown block is the old one. */
static void *grown(void *at, const void *old)
{
	held += counting && at && !old;
	return at;
}

void *__wrap_malloc(size_t size)
{
	return fails(true) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails(true) ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails(true) ? NULL : grown(__real_realloc(old, size), old);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails(true) ? NULL : grown(__real_reallocarray(old, count, size), old);
}

char *__wrap_strdup(const char *text)
{
	return fails(true) ? NULL : counted(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t len)
{
	return fails(true) ? NULL : counted(__real_strndup(text, len));
}

void __wrap_free(void *at)
{
	held -= counting && at;
	__real_free(at);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	return fails(false) ? NULL : counted(__real_malloc(size));
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
	return fails(false) ? NULL : grown(__real_realloc(old, size), old);
}

static void crypto_free(void *at, const char *file, int line)
{
	__wrap_free(at);
}

static bool judge(const struct verify_build *b, long fail_at)
{
	static struct verdict v;
	static struct verify_result result;
	struct err e;

	made = held = theirs = 0;
	left = fail_at;
	ours_failed = false;
	counting = true;
	int rc = verify(&b->in, &v, &result, &e);
	counting = false;
	left = -1;
	if (rc != 0 && verdict_ok(&v))
		fail_msg("a yes that nobody gave, the %ld-th allocation failing", fail_at);
	return rc == 0 && verdict_ok(&v);
}

static void check_held(const char *name, long n)
{
	counting = true; /* what the queue holds was counted, too */
	ERR_clear_error();
	counting = false;
	if (held > KEPT_MAX)
		fail_msg("%s: %ld allocations left after the %ld-th failed", name, held, n);
}

/* `right`: whether the answer is a yes when nothing fails. */
static void fail_each(const struct verify_build *b, const char *name, bool right)
{
	long count, ours = 0, tolerated = 0;

	(void)judge(b, -1); /* what OpenSSL keeps for good is made now */
	if (judge(b, -1) != right)
		fail_msg("%s: not the answer that it should be", name);
	check_held(name, -1);
	assert_int_equal(held, 0);
	count = made;
	for (long n = 0; n < count; n++) {
		bool yes = judge(b, n);

		if (yes && (ours_failed || !right))
			fail_msg("%s: a yes although the %ld-th allocation failed", name, n);
		ours += ours_failed;
		tolerated += yes;
		check_held(name, n);
	}
	assert_true(ours > 0);
	print_message(
		"# %s: %ld allocations failed one by one (of OpenSSL's one in %ld), %ld of them "
		"ours; OpenSSL did without %ld\n",
		name, count, stride, ours, tolerated);
}

static void by_itself(struct verify_build *b)
{
	b->in.mode = b->kind->mode;
	b->in.evidence = (struct span){ b->evidence.bytes, b->evidence.len };
	verify_build_raw_binding(b);
	if (b->kind->mode == EVIDENCE_SNP || b->kind->mode == EVIDENCE_TDX)
		b->in.binding.tpm_nonce.len = 0;
	verify_build_stock(b);
	b->in.manifest_count = 0;
}

/* What is signed, where it holds what it is bound to. */
static void break_binding(struct verify_build *b)
{
	bool tpm = b->in.binding.tpm_nonce.len > 0;
	const void *bound = tpm ? b->tpm_nonce : b->report_data;
	uint8_t *at = memmem(b->evidence.bytes, b->evidence.len, bound,
			     tpm ? sizeof(b->tpm_nonce) : sizeof(b->report_data));

	assert_non_null(at);
	*at ^= 1;
}

static long sampled_stride(long whole)
{
	return sample_is_whole() ? whole : 16;
}

/* Every allocation of each kind by itself and of one token; of the other tokens, which differ in
 * what was judged by itself, all of ours and some of OpenSSL's thousands. In a sample all of ours
 * and some of OpenSSL's everywhere. */
static void fail_each_of(const struct verify_kind *kind)
{
	bool all = kind->mode == EVIDENCE_VTPM;
	struct verify_build b;
	char name[64];

	kind->setup();
	verify_build_begin(&b, kind);
	verify_build_seal(&b);
	stride = all ? sampled_stride(1) : 32;
	snprintf(name, sizeof(name), "a token of %s", evidence_kind_platform(kind->mode));
	fail_each(&b, name, true);
	b.token.bytes[b.token.len - 1] ^= 1;
	stride = all ? sampled_stride(4) : 32;
	snprintf(name, sizeof(name), "a wrong token of %s", evidence_kind_platform(kind->mode));
	fail_each(&b, name, false);
	by_itself(&b);
	stride = sampled_stride(1);
	snprintf(name, sizeof(name), "%s by itself", evidence_kind_platform(kind->mode));
	fail_each(&b, name, true);
	break_binding(&b);
	snprintf(name, sizeof(name), "wrong %s by itself", evidence_kind_platform(kind->mode));
	fail_each(&b, name, false);
	verify_build_end(&b);
	kind->teardown();
}

static void no_allocation_of_snp_that_fails_gives_a_yes(void **state)
{
	fail_each_of(&verify_kind_snp);
}

static void no_allocation_of_tdx_that_fails_gives_a_yes(void **state)
{
	fail_each_of(&verify_kind_tdx);
}

static void no_allocation_of_vtpm_that_fails_gives_a_yes(void **state)
{
	fail_each_of(&verify_kind_vtpm);
}

static void no_allocation_of_snp_vtpm_that_fails_gives_a_yes(void **state)
{
	fail_each_of(&verify_kind_snp_vtpm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_allocation_of_snp_that_fails_gives_a_yes),
		cmocka_unit_test(no_allocation_of_tdx_that_fails_gives_a_yes),
		cmocka_unit_test(no_allocation_of_vtpm_that_fails_gives_a_yes),
		cmocka_unit_test(no_allocation_of_snp_vtpm_that_fails_gives_a_yes),
	};

	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
