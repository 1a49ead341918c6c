/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp.Attestation: reports taken apart as go-sev-guest does, and put together again. */
#include "attestation/formats/pb.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"
#include "tests/vectors.h"

enum { MESSAGE_MAX = 1 << 16, CPUID_AT = 0x188 };

static void bytes_of(struct writer *w, unsigned field, const void *bytes, size_t len)
{
	tpm_forge_field(w, field, (struct span){ bytes, len });
}

static struct writer wrap(const struct writer *report, bool with_chain)
{
	struct writer w = writer_up_to(MESSAGE_MAX), chain = writer_up_to(MESSAGE_MAX);

	bytes_of(&w, 1, report->bytes, report->len);
	bytes_of(&chain, 1, "vcek", 4);
	bytes_of(&chain, 2, "ask", 3);
	bytes_of(&chain, 3, "ark", 3);
	bytes_of(&chain, 4, "firmware", 8);
	if (with_chain)
		bytes_of(&w, 2, chain.bytes, chain.len);
	bytes_of(&w, 3, "\x08\x01", 2);
	writer_done(&chain);
	return w;
}

static struct span span(const struct writer *w)
{
	return (struct span){ w->bytes, w->len };
}

static void check_round_trip(const uint8_t *report)
{
	struct sevsnp_attestation a;
	struct writer apart, w;
	struct err e;

	tpm_forge_report(report, &apart);
	w = wrap(&apart, true);
	assert_ok(sevsnp_attestation_parse(span(&w), &a, &e), e);
	assert_memory_equal(a.report, report, SNP_REPORT_LEN);
	assert_int_equal(a.vcek.len, 4);
	assert_int_equal(a.ask.len, 3);
	assert_int_equal(a.vlek.len, 0);
	writer_done(&apart);
	writer_done(&w);
}

/* A byte everywhere that a field covers. */
static void report_make(uint8_t report[SNP_REPORT_LEN], uint8_t family)
{
	struct writer w;

	memset(report, 0, SNP_REPORT_LEN);
	for (size_t i = 0; i < 0x208; i++)
		report[i] = (uint8_t)(i * 13 + 1);
	memset(report + 0x4c, 0, 4);
	report[CPUID_AT] = family;
	report[CPUID_AT + 2] &= 0xf;
	memset(report + 0x18b, 0, 0x1a0 - 0x18b);
	report[0x1eb] = report[0x1ef] = 0;
	for (size_t i = 0; i < 512; i++)
		report[0x2a0 + i] = (uint8_t)i;
	tpm_forge_report(report, &w);
	writer_done(&w);
}

static void a_report_comes_out_as_it_went_in(void **state)
{
	static const uint8_t families[] = { 0, 0xe, 0xf, 0x19, 0x1a, 0xff };
	uint8_t report[SNP_REPORT_LEN];

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		report_make(report, families[i]);
		check_round_trip(report);
	}
	memset(report, 0, sizeof(report));
	check_round_trip(report);
}

static void genuine_reports_come_out_as_they_went_in(void **state)
{
	VECTORS_OR_SKIP();

	char folder[512], path[1024];
	struct dirent *entry;
	size_t count = 0;

	snprintf(folder, sizeof(folder), "%s/snp", vectors_folder());

	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		uint8_t *bytes;
		size_t len;
		struct err e;

		snprintf(path, sizeof(path), "%s/%s/report.bin", folder, entry->d_name);
		if (entry->d_name[0] == '.' || file_read(path, MESSAGE_MAX, &bytes, &len, &e) < 0)
			continue;
		if (len >= SNP_REPORT_LEN && count++ < 100)
			check_round_trip(bytes);
		free(bytes);
	}
	closedir(dir);
	print_message("# %zu genuine reports\n", count);
	assert_true(count > 0);
}

static int judge(const struct writer *report, struct err *e)
{
	struct sevsnp_attestation a;
	struct writer w = wrap(report, false);
	int rc = sevsnp_attestation_parse(span(&w), &a, e);

	writer_done(&w);
	return rc;
}

static void what_has_two_readings_is_refused(void **state)
{
	uint8_t report[SNP_REPORT_LEN];
	struct sevsnp_attestation a;
	struct writer w, twice;
	struct err e;

	report_make(report, 0x19);
	tpm_forge_report(report, &w);
	assert_ok(judge(&w, &e), e);
	tpm_forge_number(&w, 2, 7);
	assert_refused(judge(&w, &e), e, ERR_INVALID, "field 2 is there twice");
	writer_done(&w);
	tpm_forge_report(report, &w);
	bytes_of(&w, 40, "unknown", 7);
	assert_ok(judge(&w, &e), e);
	/* The whole report twice. */
	twice = wrap(&w, false);
	bytes_of(&twice, 1, w.bytes, w.len);
	assert_refused(sevsnp_attestation_parse(span(&twice), &a, &e), e, ERR_INVALID, "twice");
	writer_done(&twice);
	writer_done(&w);
	/* A number that leaves its field, a field that is too short, one that is missing. */
	tpm_forge_report(report, &w);
	w.len = 0;
	tpm_forge_number(&w, 1, UINT64_C(1) << 32);
	assert_refused(judge(&w, &e), e, ERR_INVALID, "over its 4 bytes");
	w.len = 0;
	bytes_of(&w, 11, report, 63);
	assert_refused(judge(&w, &e), e, ERR_INVALID, "63 bytes, wanted 64");
	w.len = 0;
	tpm_forge_number(&w, 1, 2);
	assert_refused(judge(&w, &e), e, ERR_INVALID, "is missing");
	w.len = 0;
	tpm_forge_number(&w, 29, 0x00100e00);
	assert_refused(judge(&w, &e), e, ERR_INVALID, "cpuid1eax_fms");
	w.len = 0;
	tpm_forge_number(&w, 11, 1);
	assert_refused(judge(&w, &e), e, ERR_INVALID, "wire type");
	writer_done(&w);
	assert_refused(sevsnp_attestation_parse((struct span){ 0 }, &a, &e), e, ERR_INVALID,
		       "no report");
}

/* Varints in their shortest form, nothing that was never defined. */
static void the_wire_format_is_read_strictly(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool good;
	} cases[] = {
		{ "\x08\x00", 2, true },
		{ "\x08\x7f", 2, true },
		{ "\x08\x80\x01", 3, true },
		{ "\x08\x80\x00", 3, false },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, true },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, false },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, false },
		{ "\x08", 1, false },
		{ "\x00\x00", 2, false },
		{ "\x0b\x00", 2, false },
		{ "\x0e\x00", 2, false },
		{ "\x0d\x01\x02\x03\x04", 5, true },
		{ "\x0d\x01\x02\x03", 4, false },
		{ "\x09\x01\x02\x03\x04\x05\x06\x07\x08", 9, true },
		{ "\x0a\x02xy", 4, true },
		{ "\x0a\x03xy", 4, false },
		{ "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reader r = reader_over(cases[i].bytes, cases[i].len);
		struct pb_field f;

		while (pb_next(&r, &f))
			;
		assert_int_equal(reader_ok(&r), cases[i].good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_comes_out_as_it_went_in),
		cmocka_unit_test(genuine_reports_come_out_as_they_went_in),
		cmocka_unit_test(what_has_two_readings_is_refused),
		cmocka_unit_test(the_wire_format_is_read_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
