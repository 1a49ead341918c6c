/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th allocation of one whole use of the library fails, for every n: an error or a no, never a
 * yes, and nothing is used that is not there. Sanitized builds find what is left behind. */
#include "tests/unit/attestation/library/library_call.h"

#include <stdio.h>

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

static bool counting, failed;
static long left;

static bool fails(void)
{
	bool now = counting && left-- == 0;

	failed |= now;
	return now;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return fails() ? NULL : __real_strndup(text, len);
}

void __wrap_free(void *at)
{
	__real_free(at);
}

static const char policy_text[] = "{\"cocos\":1,\"run\":{\"agent\":\"stock\"}}";

/* Whether the answer is a yes. */
static bool use(const struct verify_build *b, enum cocos_mode mode)
{
	const struct cocos_bytes document = { policy_text, sizeof(policy_text) - 1 };
	struct cocos_policy *policy = NULL;
	struct cocos_verdict *v = NULL;
	struct library_call c;
	bool yes = false;
	char *text;

	if (library_call_make(&c, b, mode) == 0 &&
	    cocos_policy_parse(&document, 1, &policy, &c.error) == 0 &&
	    cocos_verify(c.request, c.endorsements, &c.policy, &v, &c.error) == 0)
		yes = cocos_verdict_ok(v);
	else
		assert_true(!v && c.error.code > 0 && c.error.text[0]);
	bool in_verify = failed; /* what fails later takes no answer back */
	text = cocos_verdict_text(v);
	assert_true(!v || text || failed);
	cocos_text_free(text);
	text = cocos_verdict_json(v);
	assert_true(!v || text || failed);
	cocos_text_free(text);
	assert_false(yes && in_verify);
	cocos_verdict_free(v);
	cocos_policy_free(policy);
	library_call_done(&c);
	return yes;
}

static void no_allocation_that_fails_makes_a_yes(void **state)
{
	static const struct {
		const struct verify_kind *kind;
		enum cocos_mode mode;
	} rows[] = { { &verify_kind_snp, COCOS_SNP }, { &verify_kind_vtpm, COCOS_VTPM } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verify_build b;
		long n = 0;

		rows[i].kind->setup();
		verify_build_begin(&b, rows[i].kind);
		verify_build_seal(&b);
		do {
			left = n++;
			failed = false;
			counting = true;
			use(&b, rows[i].mode);
			counting = false;
		} while (failed);
		assert_true(n > 50); /* it was more than the library's own */
		assert_true(use(&b, rows[i].mode));
		verify_build_end(&b);
		rows[i].kind->teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_allocation_that_fails_makes_a_yes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
