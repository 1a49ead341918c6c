/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/metrics_text.h"
#include "tests/unit.h"

static void write_all(struct metrics_text *t)
{
	const struct metrics_label odd[] = { { "a", "x\\y\"z\nw" }, { "b", "" }, { 0 } };
	const struct metrics_label one[] = { { "a", "b" }, { 0 } };

	metrics_family(t, "calls", METRICS_COUNTER, "Calls.");
	metrics_sample(t, odd, 18014398509481984.0);
	metrics_family(t, "load", METRICS_GAUGE, "Load.");
	metrics_sample(t, NULL, 0.005);
	metrics_family(t, "time_seconds", METRICS_HISTOGRAM, "Time.");
	metrics_bucket(t, one, "0.5", 1);
	metrics_bucket(t, one, "+Inf", 2);
	metrics_sum(t, one, 1.5, 2);
	metrics_family(t, "build", METRICS_INFO, "Build.");
	metrics_sample(t, one, 1);
}

static void expect(enum metrics_format format, const char *wanted)
{
	struct metrics_text t = metrics_text_new(format);
	CLEANUP(free) uint8_t *text = NULL;
	struct err e;
	size_t len;

	write_all(&t);
	text = metrics_text_take(&t, &len, &e);
	assert_non_null(text);
	assert_string_equal((char *)text, wanted);
	assert_int_equal(len, strlen(wanted));
}

#define SAMPLES                                        \
	"time_seconds_bucket{a=\"b\",le=\"0.5\"} 1\n"  \
	"time_seconds_bucket{a=\"b\",le=\"+Inf\"} 2\n" \
	"time_seconds_sum{a=\"b\"} 1.5\n"              \
	"time_seconds_count{a=\"b\"} 2\n"

static void the_older_format_names_families_by_their_samples(void **state)
{
	expect(METRICS_PROMETHEUS,
	       "# HELP calls_total Calls.\n# TYPE calls_total counter\n"
	       "calls_total{a=\"x\\\\y\\\"z\\nw\",b=\"\"} 1.8014398509482e+16\n"
	       "# HELP load Load.\n# TYPE load gauge\nload 0.005\n"
	       "# HELP time_seconds Time.\n# TYPE time_seconds histogram\n" SAMPLES
	       "# HELP build_info Build.\n# TYPE build_info gauge\n"
	       "build_info{a=\"b\"} 1\n");
}

static void openmetrics_has_an_end(void **state)
{
	expect(METRICS_OPEN,
	       "# HELP calls Calls.\n# TYPE calls counter\n"
	       "calls_total{a=\"x\\\\y\\\"z\\nw\",b=\"\"} 1.8014398509482e+16\n"
	       "# HELP load Load.\n# TYPE load gauge\nload 0.005\n"
	       "# HELP time_seconds Time.\n# TYPE time_seconds histogram\n" SAMPLES
	       "# HELP build Build.\n# TYPE build info\nbuild_info{a=\"b\"} 1\n# EOF\n");
}

static void what_is_too_long_is_nothing(void **state)
{
	struct metrics_text t = metrics_text_new(METRICS_PROMETHEUS);
	struct err e;
	size_t len;

	metrics_family(&t, "g", METRICS_GAUGE, "G.");
	while (!t.w.bad)
		metrics_sample(&t, NULL, 1);
	assert_true(t.w.len <= METRICS_TEXT_MAX);
	assert_null(metrics_text_take(&t, &len, &e));
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_string_equal(e.text, "the page of metrics: does not fit into 1048576 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_older_format_names_families_by_their_samples),
		cmocka_unit_test(openmetrics_has_an_end),
		cmocka_unit_test(what_is_too_long_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
