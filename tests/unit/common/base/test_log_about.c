/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log_about.h"
#include "tests/unit.h"

#include <pthread.h>
#include <stdbool.h>

static struct log_about about(const char *trace, const char *cvm)
{
	struct log_about a = { 0 };

	assert_true(!trace || log_about_put(&a, LOG_TRACE, trace));
	assert_true(!cvm || log_about_put(&a, LOG_CVM, cvm));
	return a;
}

static void assert_now(const char *trace, const char *cvm)
{
	const struct log_about now = log_about_now();

	assert_string_equal(now.text[LOG_TRACE], trace);
	assert_string_equal(now.text[LOG_CVM], cvm);
}

static void what_is_no_id_is_not_kept(void **state)
{
	static const char *const bad[] = { "", "a b", "a\n", "\x7f", "\xc3\xa9", "a\tb" };
	struct log_about a = about("kept", NULL);
	char text[LOG_ABOUT_MAX + 2];

	assert_false(log_about_put(&a, LOG_TRACE, NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(log_about_put(&a, LOG_TRACE, bad[i]));
	memset(text, '~', sizeof(text));
	text[LOG_ABOUT_MAX + 1] = '\0';
	assert_false(log_about_put(&a, LOG_TRACE, text));
	assert_string_equal(a.text[LOG_TRACE], "kept");
	text[LOG_ABOUT_MAX] = '\0';
	assert_true(log_about_put(&a, LOG_TRACE, text));
	assert_string_equal(a.text[LOG_TRACE], text);
}

static void within(void)
{
	const struct log_about inner = about("inner", NULL);

	LOG_ABOUT(&inner);
	assert_now("inner", "");
	log_about_add(LOG_CVM, "two");
	assert_now("inner", "two");
}

static void what_was_entered_counts_until_the_block_ends(void **state)
{
	const struct log_about outer = about("outer", "one");

	assert_now("", "");
	{
		LOG_ABOUT(&outer);
		assert_now("outer", "one");
		within();
		assert_now("outer", "one");
	}
	assert_now("", "");
}

static void what_nobody_entered_is_about_the_rest(void **state)
{
	const struct log_about nothing = { 0 }, rest = about("rest", "CVM");
	const struct log_about call = about("call", NULL);

	log_about_else(&rest);
	assert_now("rest", "CVM");
	{
		LOG_ABOUT(&call);
		assert_now("call", "CVM");
	}
	log_about_else(&nothing);
	assert_now("", "");
}

static void *in_thread(void *data)
{
	const struct log_about now = log_about_now();

	*(bool *)data = !*now.text[LOG_TRACE];
	return NULL;
}

static void each_thread_has_its_own(void **state)
{
	const struct log_about a = about("mine", NULL);
	bool is_empty = false;
	pthread_t thread;

	LOG_ABOUT(&a);
	assert_int_equal(pthread_create(&thread, NULL, in_thread, &is_empty), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(is_empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_id_is_not_kept),
		cmocka_unit_test(what_was_entered_counts_until_the_block_ends),
		cmocka_unit_test(what_nobody_entered_is_about_the_rest),
		cmocka_unit_test(each_thread_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
