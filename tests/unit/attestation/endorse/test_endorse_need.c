/* SPDX-License-Identifier: Apache-2.0 */
/* Which endorsements are asked for: of whose machine each kind's evidence speaks, by itself and
 * within a token, and which of them it brings along. Reports may come in three forms. */
#include "attestation/endorse/endorse_need.h"
#include "attestation/envelope/tpm_attestation.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"
#include "tests/unit/attestation/verify/verify_build.h"

enum { TABLE_AT = SNP_REPORT_LEN + 48, MESSAGE_MAX = 1 << 16 };

static struct verify_build build;
static struct evidence_parts *parts;
static struct endorse_need need;

static void begin(const struct verify_kind *kind)
{
	kind->setup();
	verify_build_begin(&build, kind);
	verify_build_seal(&build);
	build.in.snp = (struct snp_input){ 0 };
}

static void open_need(void)
{
	struct err e;

	evidence_parts_free(parts);
	assert_ok(evidence_parts_new(&build.in, &parts, &e), e);
	endorse_need_of(&build.in, parts, &need);
}

static void open_alone(struct span evidence)
{
	build.in.mode = build.kind->mode;
	build.in.evidence = evidence;
	open_need();
	assert_false(parts->has_token);
}

static void end(void)
{
	evidence_parts_free(parts);
	parts = NULL;
	verify_build_end(&build);
	build.kind->teardown();
}

static struct span evidence(void)
{
	return (struct span){ build.evidence.bytes, build.evidence.len };
}

static void speaks_of_report(const uint8_t *report, size_t vek_len)
{
	struct snp_report r;
	struct err e;

	assert_ok(snp_report_parse(report, SNP_REPORT_LEN, &r, &e), e);
	assert_true(need.snp);
	assert_false(need.tdx);
	assert_memory_equal(need.report->chip_id, r.chip_id, SNP_CHIP_ID_LEN);
	assert_memory_equal(need.report->report_data, r.report_data, SNP_REPORT_DATA_LEN);
	assert_int_equal(need.vek.len, vek_len);
	assert_int_equal(need.intermediate.len + need.ark.len, 0);
}

static void a_report_and_its_table_are_read(void **state)
{
	const uint8_t *raw;
	size_t vek_len;

	begin(&verify_kind_snp);
	raw = build.evidence.bytes;
	vek_len = build.evidence.len - TABLE_AT;
	open_need();
	assert_true(parts->has_token);
	speaks_of_report(raw, vek_len);
	assert_memory_equal(need.vek.bytes, raw + TABLE_AT, vek_len);

	open_alone(evidence());
	speaks_of_report(raw, vek_len);
	open_alone((struct span){ raw, SNP_REPORT_LEN });
	speaks_of_report(raw, 0);

	/* What the caller names comes before what the host put beside the report. */
	build.in.snp.vek = build.in.snp.ark = (struct span){ raw, 7 };
	open_alone(evidence());
	assert_int_equal(need.vek.len, 7);
	assert_int_equal(need.ark.len, 7);

	/* Nor is it a report where what follows is no table. */
	open_alone((struct span){ raw, build.evidence.len - 1 });
	assert_false(need.snp);
	end();
}

static void a_report_as_protobuf_is_read(void **state)
{
	struct writer message = writer_up_to(MESSAGE_MAX), chain = writer_up_to(MESSAGE_MAX);
	struct span vek;

	begin(&verify_kind_snp);
	vek = (struct span){ build.evidence.bytes + TABLE_AT, build.evidence.len - TABLE_AT };
	tpm_forge_sevsnp(build.evidence.bytes, &message);
	open_alone(tpm_forge_span(&message));
	speaks_of_report(build.evidence.bytes, 0);

	tpm_forge_field(&chain, 1, vek);
	tpm_forge_field(&message, 2, tpm_forge_span(&chain));
	open_alone(tpm_forge_span(&message));
	speaks_of_report(build.evidence.bytes, vek.len);
	assert_memory_equal(need.vek.bytes, vek.bytes, vek.len);

	open_alone((struct span){ message.bytes, message.len / 2 });
	assert_false(need.snp);
	writer_done(&chain);
	writer_done(&message);
	end();
}

static void a_tpm_is_asked_for_its_machines_report(void **state)
{
	CLEANUP(free) struct tpm_evidence *a = calloc(1, sizeof(*a));
	struct sevsnp_attestation s;
	struct span tee;
	size_t vek_len;
	struct err e;

	begin(&verify_kind_snp_vtpm);
	assert_ok(tpm_attestation_parse(evidence(), a, &e), e);
	assert_ok(sevsnp_attestation_parse(a->sev_snp, &s, &e), e);
	tee = a->sev_snp;
	vek_len = s.vcek.len;
	open_need();
	assert_true(parts->has_token);
	speaks_of_report(s.report, vek_len);
	open_alone(evidence());
	speaks_of_report(s.report, vek_len);
	assert_ptr_equal(parts->tpm.sev_snp.bytes, tee.bytes);

	/* One whose report is beside it, in the token. */
	build.content.tee_report = (struct eat_bytes){ s.report, SNP_REPORT_LEN };
	writer_done(&build.token);
	build.token = writer_up_to(1 << 20);
	assert_ok(eat_write(&build.content, build.key, &build.token, &e), e);
	build.in.evidence = tpm_forge_span(&build.token);
	open_need();
	assert_true(parts->has_token);
	assert_int_equal(parts->token.tee_report.len, SNP_REPORT_LEN);
	speaks_of_report(s.report, 0);
	end();
}

static void a_tpm_by_itself_needs_nothing(void **state)
{
	begin(&verify_kind_vtpm);
	open_need();
	assert_true(parts->has_token);
	assert_false(need.snp || need.tdx);
	open_alone(evidence());
	assert_false(need.snp || need.tdx);
	end();
}

static void a_quote_is_for_intel(void **state)
{
	begin(&verify_kind_tdx);
	open_need();
	assert_true(parts->has_token);
	assert_true(need.tdx && !need.snp);
	assert_int_equal(parts->raw.len, build.evidence.len);
	assert_memory_equal(parts->raw.bytes, build.evidence.bytes, build.evidence.len);
	assert_ptr_equal(need.quote, &parts->tdx.quote);
	open_alone(evidence());
	assert_true(need.tdx && !need.snp);
	assert_ptr_equal(parts->raw.bytes, build.evidence.bytes);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_and_its_table_are_read),
		cmocka_unit_test(a_report_as_protobuf_is_read),
		cmocka_unit_test(a_tpm_is_asked_for_its_machines_report),
		cmocka_unit_test(a_tpm_by_itself_needs_nothing),
		cmocka_unit_test(a_quote_is_for_intel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
