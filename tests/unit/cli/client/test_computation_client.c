/* SPDX-License-Identifier: Apache-2.0 */
/* Moments that a service tells, of any year. */
#include "cli/client/computation_client.h"
#include "tests/unit.h"

static const struct {
	int64_t seconds, ms;
	const char *text;
} moments[] = {
	{ 0, 0, "1970-01-01T00:00:00.000Z" },
	{ 1, 1000, "1970-01-01T00:00:01.000Z" },
	{ -1, -1000, "1969-12-31T23:59:59.000Z" },
	{ INT64_MAX / 1000, INT64_MAX / 1000 * 1000, "-" },
	{ INT64_MAX / 1000 + 1, INT64_MAX, "-" },
	{ INT64_MAX, INT64_MAX, "-" },
	{ INT64_MIN / 1000, INT64_MIN / 1000 * 1000, "-" },
	{ INT64_MIN / 1000 - 1, INT64_MIN, "-" },
	{ INT64_MIN, INT64_MIN, "-" },
};

static void of_any_year(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
		char text[COMPUTATION_TIME_MAX];

		time.seconds = moments[i].seconds;
		computation_time(&time, text);
		assert_string_equal(text, moments[i].text);
		assert_true(computation_ms(&time) == moments[i].ms);
	}
}

static void has_not_come(void **state)
{
	char text[COMPUTATION_TIME_MAX];

	computation_time(NULL, text);
	assert_string_equal(text, "-");
	assert_true(computation_ms(NULL) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_any_year),
		cmocka_unit_test(has_not_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
