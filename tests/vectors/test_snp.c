/* SPDX-License-Identifier: Apache-2.0 */
/* Every SNP case of the shared vectors gets the answer that it expects, at a stage that it names. */
#include "common/base/encode.h"
#include "tests/unit.h"
#include "tests/vectors/case.h"

#include <inttypes.h>
#include <stdio.h>

static size_t passed, failed, either;

static bool has_stage(const struct json *stages, const char *check)
{
	size_t len = strcspn(check, ".");

	for (size_t i = 0; stages && i < stages->count; i++)
		if (strlen(stages->items[i].text) == len &&
		    strncmp(stages->items[i].text, check, len) == 0)
			return true;
	return false;
}

static const char *first_failed(const struct verdict *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->checks[i].outcome == CHECK_FAILED)
			return v->checks[i].name;
	return "none";
}

static void judge(const char *folder)
{
	struct snp_case c;
	struct verdict v;
	struct err e = { 0 };
	const struct json *strict;
	const char *wanted;
	bool yes, right;

	case_load(&c, folder);
	strict = json_get(c.json, "verdict_if_debug_is_never_taken");
	wanted = strict ? strict->text : json_get(c.json, "verdict")->text;
	yes = case_appraise(&c, &v, &e);
	if (strcmp(wanted, "either") == 0) {
		either++;
		right = yes || strcmp(first_failed(&v), "none") != 0;
	} else if (strcmp(wanted, "verified") == 0) {
		right = yes;
	} else if (strict) {
		right = !yes && strcmp(first_failed(&v), "policy.debug") == 0;
	} else {
		right = strcmp(wanted, "refused") == 0 && !yes &&
			has_stage(json_get(c.json, "stages"), first_failed(&v));
	}
	passed += right;
	failed += !right;
	if (!right)
		print_message("# %s: wanted %s; %s\n", folder, wanted, yes ? "verified" : e.text);
	case_done(&c);
}

static void every_case_gets_its_answer(void **state)
{
	static const char *const groups[] = { "snp", "snp/negative", "snp/own-root",
					      "snp/cert-table" };
	const char *vectors = case_vectors();
	char group[600];

	if (!vectors)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		snprintf(group, sizeof(group), "%s/%s", vectors, groups[i]);
		passed = failed = either = 0;
		case_each(group, judge);
		print_message("# %s: %zu passed (%zu of them either), %zu failed\n", groups[i],
			      passed, either, failed);
		assert_int_equal(failed, 0);
		assert_true(passed > 0);
	}
}

static bool same_number(const struct json *wanted, uint64_t found)
{
	char text[24];

	if (wanted->type == JSON_NUMBER)
		snprintf(text, sizeof(text), "%" PRIu64, found);
	else
		snprintf(text, sizeof(text), "0x%016" PRIx64, found);
	return strcmp(text, wanted->text) == 0;
}

/* Members of `fields` by the names of the struct; signatures stand there as big-endian numbers. */
static bool same_field(const struct snp_field *f, const struct json *wanted,
		       const struct snp_report *r)
{
	const uint8_t *at = (const uint8_t *)r + f->at;
	char text[2 * 64 + 1];
	uint8_t turned[64];

	if (wanted->type == JSON_OBJECT)
		wanted = json_get(wanted, "raw");
	switch (f->type) {
	case SNP_U8:
		return same_number(wanted, *at);
	case SNP_U32:
		return same_number(wanted, *(const uint32_t *)(const void *)at);
	case SNP_U64:
		return same_number(wanted, *(const uint64_t *)(const void *)at);
	default:
		for (size_t i = 0; i < f->len; i++)
			turned[i] = strncmp(f->member, "signature_", 10) == 0 ? at[f->len - 1 - i]
									      : at[i];
		hex_encode(turned, f->len, text);
		return strcmp(text, wanted->text) == 0;
	}
}

static void check_fields(const char *folder)
{
	struct snp_case c;
	const struct json *fields, *wanted;
	uint8_t again[SNP_REPORT_LEN];

	case_load(&c, folder);
	fields = json_get(c.json, "fields");
	assert_non_null(fields);
	for (size_t i = 0; i < snp_report_field_count; i++) {
		wanted = json_get(fields, snp_report_fields[i].member);
		if (!wanted && c.own.version < snp_report_fields[i].since)
			continue;
		if (!wanted || !same_field(&snp_report_fields[i], wanted, &c.own))
			fail_msg("%s: field %s differs", folder, snp_report_fields[i].member);
		passed++;
	}
	snp_report_write(&c.own, again);
	assert_memory_equal(again, c.input.report.bytes, SNP_REPORT_LEN);
	case_done(&c);
}

static void every_field_of_genuine_reports_is_read(void **state)
{
	const char *vectors = case_vectors();
	char group[600];

	if (!vectors)
		skip();
	snprintf(group, sizeof(group), "%s/snp", vectors);
	passed = 0;
	assert_int_equal(case_each(group, check_fields), 16);
	print_message("# %zu fields equal\n", passed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_gets_its_answer),
		cmocka_unit_test(every_field_of_genuine_reports_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
