/* SPDX-License-Identifier: Apache-2.0 */
/* The proof in a run's receipts: which event log stands in it. */
#include "agent/core/proof.h"
#include "attestation/snp/snp_report.h"
#include "common/base/writer.h"
#include "tests/vectors.h"

static struct span text_span(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

/* The proof of evidence that has these logs has this one. */
static void proof_has(enum evidence_kind kind, struct span raw, const char *whole, const char *own,
		      const char *log)
{
	struct agent_proof proof;
	CLEANUP_WRITER struct writer wanted = writer_up_to(1 << 20);
	const struct receipt_proof parts = { text_span("statement"), raw, text_span(log) };
	const struct keeper_evidence evidence = {
		.platform = kind, .raw = raw, .log = text_span(whole), .own_log = text_span(own)
	};
	struct err e;

	assert_ok(agent_proof_make(text_span("statement"), &evidence, &proof, &e), e);
	assert_ok(receipt_proof_write(&parts, &wanted, &e), e);
	assert_int_equal(proof.len, wanted.len);
	assert_memory_equal(proof.bytes, wanted.bytes, wanted.len);
	assert_int_equal(proof.platform, kind);
	agent_proof_done(&proof);
}

/* It has to explain every register, which the agent's own events alone do not. */
static void the_log_is_the_firmwares_whole_or_none(enum evidence_kind kind, struct span raw)
{
	proof_has(kind, raw, "whole", "own", "whole");
	proof_has(kind, raw, "", "own", "");
	proof_has(kind, raw, "", "", "");
}

static void a_tpms_log_is_the_firmwares_whole_or_none(void **state)
{
	the_log_is_the_firmwares_whole_or_none(EVIDENCE_VTPM, text_span("raw"));
}

/* Without registers a log would explain nothing, and who judges refuses one. */
static void a_report_has_no_log(void **state)
{
	static const uint8_t report[SNP_REPORT_LEN] = { [0] = 2, [10] = 2, [0x34] = 1 };
	const struct span raw = { report, sizeof(report) };

	proof_has(EVIDENCE_SNP, raw, "whole", "own", "");
	proof_has(EVIDENCE_SNP, raw, "", "", "");
}

static unsigned quotes;

static void quote_has(const struct vector_case *c)
{
	size_t len;
	CLEANUP(free) uint8_t *quote = vector_file(c, "quote.bin", &len);

	the_log_is_the_firmwares_whole_or_none(EVIDENCE_TDX, (struct span){ quote, len });
	quotes++;
}

static void a_tds_log_is_the_firmwares_whole_or_none(void **state)
{
	VECTORS_OR_SKIP();
	vectors_walk("tdx", "v4-gcp-", quote_has);
	assert_true(quotes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tpms_log_is_the_firmwares_whole_or_none),
		cmocka_unit_test(a_report_has_no_log),
		cmocka_unit_test(a_tds_log_is_the_firmwares_whole_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
