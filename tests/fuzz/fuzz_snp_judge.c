/* SPDX-License-Identifier: Apache-2.0 */
/* What comes after the signature: binding, TCBs, policy. Input: a report, a policy's numbers, a
 * leaf certificate. */
#include "attestation/snp/snp_verify.h"
#include "common/base/reader.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct verdict v;
	struct reader r = reader_over(bytes, len);
	struct snp_chain chain = { 0 };
	struct snp_input in = { 0 };
	struct snp_report report;
	struct snp_policy policy;
	struct snp_vcek vcek = { 0 };
	const uint8_t *raw = reader_take(&r, SNP_REPORT_LEN);
	struct err e;

	snp_policy_init(&policy);
	policy.guest_policy = reader_le64(&r);
	policy.platform_info = reader_le64(&r);
	policy.vmpl = reader_u8(&r);
	policy.allow_vlek = reader_u8(&r) & 1;
	chain.product = (enum snp_product)(1 + reader_u8(&r) % 3);
	if (!reader_ok(&r) || snp_report_parse(raw, SNP_REPORT_LEN, &report, &e) < 0 ||
	    x509_from_der(r.pos, reader_left(&r), &chain.vek, &e) < 0)
		return 0;
	verdict_init(&v, VERDICT_SCOPE_FULL);
	if (snp_vcek_kind(chain.vek, &chain.kind, &e) == 0) {
		snp_verify_binding(&chain, &in, &report, &vcek, &v);
		snp_verify_tcb(&report, chain.product, &v);
	}
	policy.measurements = (struct value_set){ report.measurement, 1 };
	snp_policy_judge(&policy,
			 &(struct snp_evidence){ .report = &report,
						 .product = chain.product,
						 .key = chain.kind,
						 .tcb = vcek.tcb,
						 .report_data = report.report_data },
			 &v);
	/* A debug guest passes under no policy. */
	if ((report.policy & SNP_POLICY_DEBUG) &&
	    verdict_find(&v, CHECK_POLICY_DEBUG)->outcome == CHECK_PASSED)
		__builtin_trap();
	x509_free(chain.vek);
	return 0;
}
