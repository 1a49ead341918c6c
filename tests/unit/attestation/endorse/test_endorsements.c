/* SPDX-License-Identifier: Apache-2.0 */
/* Complete, verify, note: one call for all who judge with endorsements that they may have to fetch. */
#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorse_need.h"
#include "attestation/endorse/endorse_snp.h"
#include "attestation/endorse/endorsements.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/verify/verify_build.h"

#include <string.h>

/* Nothing can be fetched, and nothing is in the cache. */
static const struct endorsements_config nothing = { .cache = "/proc/nowhere", .offline = true };

static struct verify_build build;
static struct endorsements *fetching;
static struct verdict verdict;

static int begin(void **state)
{
	struct err e;

	verify_kind_snp.setup();
	verify_build_begin(&build, &verify_kind_snp);
	verify_build_seal(&build);
	return endorsements_new(&nothing, &fetching, &e);
}

static int end(void **state)
{
	endorsements_free(fetching);
	verify_build_end(&build);
	verify_kind_snp.teardown();
	return 0;
}

static size_t notes_about_endorsements(void)
{
	size_t found = 0;

	for (size_t i = 0; i < verdict.note_count; i++)
		found += strncmp(verdict.notes[i].text, "endorsements: ", 14) == 0;
	return found;
}

static void what_is_there_is_judged(void **state)
{
	struct err e, missing = { .text = "old" };

	assert_ok(endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e), e);
	assert_true(verdict_ok(&verdict));
	assert_true(verdict_ok(&verdict));
	assert_string_equal(missing.text, "");
	assert_int_equal(notes_about_endorsements(), 0);
}

static void what_could_not_be_had_is_noted_beside_a_refusal(void **state)
{
	const struct verify_input whole = build.in;
	struct err e, missing = { 0 };

	build.in.snp.intermediate = (struct span){ NULL, 0 };
	(void)!endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e);
	assert_false(verdict_ok(&verdict));
	assert_int_equal(notes_about_endorsements(), 1);
	assert_true(missing.text[0]);
	assert_non_null(strstr(verdict.notes[verdict.note_count - 1].text, missing.text));
	/* Nobody has to ask for the reason. */
	(void)!endorsements_verify(fetching, &build.in, &verdict, NULL, NULL, &e);
	assert_int_equal(notes_about_endorsements(), 1);
	build.in = whole;
}

/* A refusal for another reason, with everything at hand, has no such note. */
static void what_was_there_is_not_noted(void **state)
{
	const struct verify_input whole = build.in;
	struct err e, missing = { 0 };

	build.in.policy = NULL;
	(void)!endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e);
	assert_false(verdict_ok(&verdict));
	assert_int_equal(notes_about_endorsements(), 0);
	assert_string_equal(missing.text, "");
	build.in = whole;
}

/* A call that makes no sense is no reason to ask a service. */
static void without_a_binding_nothing_is_asked_for(void **state)
{
	const struct verify_input whole = build.in;
	struct err e, missing = { 0 };

	build.in.snp.intermediate = (struct span){ NULL, 0 };
	build.in.binding = (struct verify_binding){ .report_data = NULL };
	assert_refused(endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e), e,
		       ERR_INVALID, "nothing says what the evidence is bound to");
	assert_false(verdict_ok(&verdict));
	assert_int_equal(notes_about_endorsements(), 0);
	assert_string_equal(missing.text, "");
	build.in = whole;
}

/* Bytes that the address of a VCEK has no place for would be answered with an honest chip's. */
static void what_no_address_can_say_is_not_asked_for(void **state)
{
	static const struct {
		enum snp_product product;
		size_t at;
		const char *said;
	} rows[] = {
		{ SNP_MILAN, 0, NULL },
		{ SNP_GENOA, 0, NULL },
		{ SNP_TURIN, 0, NULL },
		{ SNP_MILAN, offsetof(struct snp_report, reported_tcb) + 2, "reserved bytes" },
		{ SNP_MILAN, offsetof(struct snp_report, reported_tcb) + 5, "reserved bytes" },
		{ SNP_GENOA, offsetof(struct snp_report, reported_tcb) + 3, "reserved bytes" },
		{ SNP_TURIN, offsetof(struct snp_report, reported_tcb) + 4, "reserved bytes" },
		{ SNP_TURIN, offsetof(struct snp_report, chip_id) + 8, "more than the 8 bytes" },
		{ SNP_TURIN, offsetof(struct snp_report, chip_id) + 63, "more than the 8 bytes" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct forge f;
		struct err e;

		forge_init(&f, rows[i].product, 3, SNP_KEY_VCEK);
		if (rows[i].said)
			((uint8_t *)&f.report)[rows[i].at] = 1;
		const struct endorse_need need = { .snp = true,
						   .report = &f.report,
						   .intermediate = f.input.intermediate,
						   .ark = f.input.ark };
		struct verify_input in = { .snp.trusted_root = f.input.trusted_root,
					   .product = SNP_PRODUCT_ANY,
					   .at = FORGE_AT };

		endorse_begin(fetching);
		assert_refused(endorse_snp(fetching, &need, &in, &e), e,
			       rows[i].said ? ERR_DENIED : ERR_NOT_FOUND,
			       rows[i].said ? rows[i].said : "VCEK: not in the cache");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_judged),
		cmocka_unit_test(what_could_not_be_had_is_noted_beside_a_refusal),
		cmocka_unit_test(what_was_there_is_not_noted),
		cmocka_unit_test(what_no_address_can_say_is_not_asked_for),
		cmocka_unit_test(without_a_binding_nothing_is_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
