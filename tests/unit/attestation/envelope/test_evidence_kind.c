/* SPDX-License-Identifier: Apache-2.0 */
/* Names and numbers that others rely on: spelled out here, beside the table that the code uses. */
#include "attestation/envelope/evidence_kind.h"
#include "tests/unit.h"

#include <string.h>

static void names_and_numbers_are_those_of_the_wire(void **state)
{
	static const struct {
		enum evidence_kind kind;
		const char *name, *platform;
		int type;
		enum tee tee;
		bool tpm;
	} wire[] = {
		{ EVIDENCE_SNP, "snp", "SNP", 0, TEE_SNP, false },
		{ EVIDENCE_VTPM, "vtpm", "vTPM", 1, TEE_NONE, true },
		{ EVIDENCE_SNP_VTPM, "snp-vtpm", "SNP-vTPM", 2, TEE_SNP, true },
		{ EVIDENCE_AZURE, "azure-token", "Azure", 3, TEE_NONE, false },
		{ EVIDENCE_TDX, "tdx", "TDX", 4, TEE_TDX, false },
		{ EVIDENCE_NONE, "none", "NoCC", 5, TEE_NONE, false },
		{ EVIDENCE_TDX_VTPM, "tdx-vtpm", "none", -1, TEE_TDX, true },
		{ EVIDENCE_EAT, "eat", "none", -1, TEE_NONE, false },
	};

	assert_int_equal(ARRAY_LEN(wire), EVIDENCE_KINDS);
	for (size_t i = 0; i < ARRAY_LEN(wire); i++) {
		const struct evidence_kind_row *row = &evidence_kind_rows[wire[i].kind];

		assert_string_equal(evidence_kind_name(wire[i].kind), wire[i].name);
		assert_string_equal(evidence_kind_platform(wire[i].kind), wire[i].platform);
		assert_int_equal(row->type, wire[i].type);
		assert_int_equal(row->tee, wire[i].tee);
		assert_int_equal(row->tpm, wire[i].tpm);
	}
}

/* A number that names nothing, or nothing that could be sent, is refused. */
static void a_number_is_one_kind_or_none(void **state)
{
	enum evidence_kind kind = EVIDENCE_KINDS;
	struct err e;

	for (int type = 0; type <= 4; type++) {
		assert_ok(evidence_kind_of_type(type, &kind, &e), e);
		assert_int_equal(evidence_kind_rows[kind].type, type);
	}
	for (int type = 5; type <= UINT8_MAX; type++)
		assert_refused(evidence_kind_of_type(type, &kind, &e), e, ERR_INVALID, "0 SNP");
	assert_refused(evidence_kind_of_type(-1, &kind, &e), e, ERR_INVALID, "-1");
}

static void a_mode_is_what_can_be_judged(void **state)
{
	enum evidence_kind mode = EVIDENCE_KINDS;
	size_t count = 0;
	struct err e;

	for (; evidence_kind_modes[count]; count++) {
		assert_ok(evidence_kind_of_mode(evidence_kind_modes[count], &mode, &e), e);
		assert_string_equal(evidence_kind_name(mode), evidence_kind_modes[count]);
	}
	assert_int_equal(count, EVIDENCE_HARDWARE_COUNT + 1);
	assert_refused(evidence_kind_of_mode("azure-token", &mode, &e), e, ERR_INVALID,
		       "mode 'azure-token': use snp, tdx, vtpm, snp-vtpm, tdx-vtpm or eat");
	assert_refused(evidence_kind_of_mode("SNP", &mode, &e), e, ERR_INVALID, "mode 'SNP'");
	assert_refused(evidence_kind_of_mode("", &mode, &e), e, ERR_INVALID, "mode ''");
}

static void a_machine_has_one_kind(void **state)
{
	assert_int_equal(evidence_kind_of(TEE_SNP, false), EVIDENCE_SNP);
	assert_int_equal(evidence_kind_of(TEE_SNP, true), EVIDENCE_SNP_VTPM);
	assert_int_equal(evidence_kind_of(TEE_TDX, false), EVIDENCE_TDX);
	assert_int_equal(evidence_kind_of(TEE_TDX, true), EVIDENCE_NONE);
	assert_int_equal(evidence_kind_of(TEE_NONE, true), EVIDENCE_VTPM);
	assert_int_equal(evidence_kind_of(TEE_NONE, false), EVIDENCE_NONE);
}

static void words_that_are_none_have_no_row(void **state)
{
	assert_string_equal(evidence_kind_name(EVIDENCE_KINDS), "none");
	assert_string_equal(evidence_kind_platform(EVIDENCE_KINDS), "none");
	assert_string_equal(evidence_kind_platforms().text, "SNP, TDX, vTPM or SNP-vTPM");
	assert_string_equal(evidence_kind_asked_or("x").text, "snp, tdx, vtpm, snp-vtpm or x");
	assert_string_equal(evidence_kind_names_or("eat").text,
			    "snp, tdx, vtpm, snp-vtpm, tdx-vtpm or eat");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_are_those_of_the_wire),
		cmocka_unit_test(a_number_is_one_kind_or_none),
		cmocka_unit_test(a_mode_is_what_can_be_judged),
		cmocka_unit_test(a_machine_has_one_kind),
		cmocka_unit_test(words_that_are_none_have_no_row),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
