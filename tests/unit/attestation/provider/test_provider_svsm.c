/* SPDX-License-Identifier: Apache-2.0 */
/* Whose TPM is it? What the SVSM's service has to say before an SNP report may bind an AK. */
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/provider/provider_svsm.h"
#include "attestation/snp/snp_report.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "tests/unit.h"

static const uint8_t nonce[PROVIDER_REPORT_DATA_LEN] = { 1, 2, 3 };
static const uint8_t ek[] = "the endorsement key's public area";
static const struct span ek_span = { ek, sizeof(ek) };

struct answer {
	struct snp_report report;
	uint8_t bytes[SNP_REPORT_LEN];
	struct span manifest;
};

/* As an SVSM would answer. */
static struct answer good(void)
{
	const struct digest_part parts[] = { { nonce, sizeof(nonce) }, { ek, sizeof(ek) } };
	struct answer a = { .report = { .version = 3,
					.policy = SNP_POLICY_RESERVED_ONE,
					.signature_algo = 1,
					.cpuid_fam_id = 0x19,
					.cpuid_mod_id = 0x11,
					.cpuid_step = 1 },
			    .manifest = ek_span };
	struct err e;

	a.report.signature_r[0] = a.report.signature_s[0] = 1;
	assert_ok(digest_parts(DIGEST_SHA512, parts, 2, a.report.report_data, &e), e);
	return a;
}

static int check(struct answer *a, struct err *e)
{
	snp_report_write(&a->report, a->bytes);
	return provider_svsm_check((struct span){ a->bytes, sizeof(a->bytes) }, a->manifest, nonce,
				   ek_span, e);
}

static void the_svsms_own_tpm_is_bound(void **state)
{
	struct answer a = good();
	struct err e;

	assert_ok(check(&a, &e), e);
}

static void anything_else_is_not(void **state)
{
	static const uint8_t other[] = "another TPM's endorsement key";
	struct answer a = good();
	struct err e;

	a.report.vmpl = 2; /* whoever is in the guest could have asked for it */
	assert_refused(check(&a, &e), e, ERR_DENIED, "VMPL2");
	a = good();
	a.report.report_data[63] ^= 1;
	assert_refused(check(&a, &e), e, ERR_DENIED, "not over this manifest");
	a = good();
	a.manifest.len--;
	assert_refused(check(&a, &e), e, ERR_DENIED, "not over this manifest");
	a = good();
	a.manifest = (struct span){ other, sizeof(other) };
	const struct digest_part parts[] = { { nonce, sizeof(nonce) }, { other, sizeof(other) } };
	assert_ok(digest_parts(DIGEST_SHA512, parts, 2, a.report.report_data, &e), e);
	assert_refused(check(&a, &e), e, ERR_DENIED, "another endorsement key");
	assert_refused(
		provider_svsm_check((struct span){ a.bytes, 100 }, a.manifest, nonce, ek_span, &e),
		e, ERR_DENIED, "SVSM");
}

/* The report inside of attest.Attestation: taken apart and the same again, for every version. */
static void a_report_taken_apart_is_the_same_again(void **state)
{
	static const uint32_t versions[] = { 2, 3, 5 };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(8192);
		struct sevsnp_attestation again;
		struct answer a = good();
		struct err e;

		a.report.version = versions[i];
		if (versions[i] == 2)
			a.report.cpuid_fam_id = a.report.cpuid_mod_id = a.report.cpuid_step = 0;
		if (versions[i] == 5)
			a.report.launch_mit_vector = 0x8000000000000001;
		memset(a.report.reported_tcb, 0xff, sizeof(a.report.reported_tcb));
		snp_report_write(&a.report, a.bytes);
		assert_ok(sevsnp_attestation_write((struct span){ a.bytes, sizeof(a.bytes) },
						   (struct span){ NULL, 0 }, &w, &e),
			  e);
		assert_ok(sevsnp_attestation_parse((struct span){ w.bytes, w.len }, &again, &e), e);
		assert_memory_equal(again.report, a.bytes, sizeof(a.bytes));
		assert_int_equal(again.vcek.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_svsms_own_tpm_is_bound),
		cmocka_unit_test(anything_else_is_not),
		cmocka_unit_test(a_report_taken_apart_is_the_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
