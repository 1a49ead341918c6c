/* SPDX-License-Identifier: Apache-2.0 */
/* Every IGVM file of the shared vectors: digests, refusals, the rules of KVM, ID blocks, a trace. */
#include "attestation/measure/igvm_measure.h"
#include "common/base/encode.h"
#include "tests/unit.h"
#include "tests/vectors/case.h"
#include "tests/vectors/table.h"

#include <inttypes.h>
#include <stdio.h>

static char folder[600];

static bool find_folder(void)
{
	const char *vectors = case_vectors();

	if (vectors)
		snprintf(folder, sizeof(folder), "%s/igvm", vectors);
	return vectors != NULL;
}

/* The digest in hexadecimal; false if it is refused. */
static bool measure(struct span file, const struct igvm_measure *how, char *hex,
		    enum igvm_id_block *id_block, struct err *e)
{
	uint8_t out[SNP_DIGEST_LEN];
	struct igvm igvm;
	size_t len;

	if (igvm_open(file, &igvm, e) < 0 || igvm_measure(&igvm, how, out, &len, id_block, e) < 0)
		return false;
	hex_encode(out, len, hex);
	return true;
}

static void check_row(const struct table *t, unsigned *as_loaded)
{
	static const char *const words[] = { "", "match", "mismatch" };
	struct igvm_measure how = { .native_zero = *table_cell(t, "native_zero") == '1' };
	const char *file = table_cell(t, "file"), *loaded = table_cell(t, "digest_as_loaded");
	char path[700], hex[2 * SNP_DIGEST_LEN + 1];
	enum igvm_id_block id_block;
	struct span bytes;
	struct err e;

	snprintf(path, sizeof(path), "%s/valid", folder);
	bytes = table_file(path, file);
	assert_true(igvm_platform_of(table_cell(t, "platform"), &how.platform));
	if (!measure(bytes, &how, hex, &id_block, &e))
		fail_msg("%s: %s", file, e.text);
	if (strcmp(hex, table_cell(t, "digest")) != 0)
		fail_msg("%s: digest %s", file, hex);
	if (how.platform == IGVM_SEV_SNP && *table_cell(t, "id_block"))
		assert_string_equal(words[id_block], table_cell(t, "id_block"));
	how.check_kvm = true;
	if (measure(bytes, &how, hex, &id_block, &e) !=
	    (strcmp(table_cell(t, "check_kvm"), "ok") == 0))
		fail_msg("%s: the rules of KVM", file);
	if (*loaded) {
		how.check_kvm = false;
		how.as_loaded = true;
		assert_true(measure(bytes, &how, hex, &id_block, &e));
		if (strcmp(hex, loaded) != 0)
			fail_msg("%s: digest as loaded %s", file, hex);
		(*as_loaded)++;
	}
	free((void *)(uintptr_t)bytes.bytes);
}

static void every_digest_is_the_same(void **state)
{
	unsigned rows = 0, as_loaded = 0;
	struct table t;
	char path[700];

	if (!find_folder())
		skip();
	snprintf(path, sizeof(path), "%s/digests.tsv", folder);
	table_open(&t, path);
	for (; table_row(&t); rows++)
		check_row(&t, &as_loaded);
	table_done(&t);
	print_message("# %u digests, %u as loaded\n", rows, as_loaded);
	assert_int_equal(rows, 21);
}

static void every_bad_file_is_refused(void **state)
{
	char path[700], negative[700], hex[2 * SNP_DIGEST_LEN + 1];
	struct igvm_measure how = { .platform = IGVM_SEV_SNP };
	enum igvm_id_block id_block;
	unsigned rows = 0;
	struct table t;
	struct err e;

	if (!find_folder())
		skip();
	snprintf(negative, sizeof(negative), "%s/negative", folder);
	snprintf(path, sizeof(path), "%s/negative.tsv", folder);
	table_open(&t, path);
	for (; table_row(&t); rows++) {
		const char *verdict = table_cell(&t, "verdict"), *name = table_cell(&t, "file");
		struct span bytes = table_file(negative, name);
		bool taken;

		how.check_kvm = strcmp(verdict, "refused-check-kvm") == 0;
		taken = measure(bytes, &how, hex, &id_block, &e);
		if (taken && strcmp(verdict, "either") != 0)
			fail_msg("%s is taken: %s", name, table_cell(&t, "note"));
		if (how.check_kvm) {
			how.check_kvm = false;
			assert_true(measure(bytes, &how, hex, &id_block, &e));
			assert_non_null(strstr(table_cell(&t, "reader"), hex));
		}
		free((void *)(uintptr_t)bytes.bytes);
	}
	table_done(&t);
	assert_int_equal(rows, 40);
}

static void compare_step(void *data, const struct snp_step *step)
{
	struct table *t = data;
	char text[2 * SNP_DIGEST_LEN + 1];

	assert_true(table_row(t));
	assert_string_equal(snp_page_type_name(step->type), table_cell(t, "type"));
	snprintf(text, sizeof(text), "0x%" PRIx64, step->gpa);
	assert_string_equal(text, table_cell(t, "gpa"));
	hex_encode(step->contents, SNP_DIGEST_LEN, text);
	assert_string_equal(text, table_cell(t, "contents_sha384"));
	hex_encode(step->digest, SNP_DIGEST_LEN, text);
	assert_string_equal(text, table_cell(t, "digest_after"));
}

static void every_step_of_the_trace_is_the_same(void **state)
{
	struct table t;
	struct igvm_measure how = { .platform = IGVM_SEV_SNP, .trace = compare_step, .data = &t };
	char path[700], hex[2 * SNP_DIGEST_LEN + 1];
	enum igvm_id_block id_block;
	struct span bytes;
	struct err e;

	if (!find_folder())
		skip();
	snprintf(path, sizeof(path), "%s/pages-all-page-types.tsv", folder);
	table_open(&t, path);
	snprintf(path, sizeof(path), "%s/valid", folder);
	bytes = table_file(path, "all-page-types.igvm");
	assert_true(measure(bytes, &how, hex, &id_block, &e));
	assert_false(table_row(&t));
	table_done(&t);
	free((void *)(uintptr_t)bytes.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_digest_is_the_same),
		cmocka_unit_test(every_bad_file_is_refused),
		cmocka_unit_test(every_step_of_the_trace_is_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
