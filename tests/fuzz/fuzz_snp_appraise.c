/* SPDX-License-Identifier: Apache-2.0 */
/* The whole call. Input: parts of one byte for the role, two for the length, and the bytes. Only
 * AMD's roots are trusted, so that nothing a fuzzer makes can be a yes. */
#include "attestation/snp/snp_appraise.h"
#include "common/base/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct verdict v;
	struct reader r = reader_over(bytes, len);
	struct snp_input in = { .at = 1772366400 };
	struct span unused, *roles[] = { &in.report, &in.cert_table, &in.vek,     &in.intermediate,
					 &in.ark,    &in.id_block,   &in.id_auth, &unused };
	uint8_t report_data[SNP_REPORT_DATA_LEN] = { 0 };
	struct snp_policy policy;

	while (reader_left(&r) > 3) {
		uint8_t role = reader_u8(&r);
		uint16_t part_len = reader_le16(&r);
		const uint8_t *part = reader_take(&r, part_len);

		if (!part)
			break;
		if (role == 8 && in.crl_count < SNP_CRLS_MAX)
			in.crls[in.crl_count++] = (struct span){ part, part_len };
		else
			*roles[role % 8] = (struct span){ part, part_len };
	}
	snp_policy_init(&policy);
	in.policy = &policy;
	in.report_data = report_data;
	verdict_init(&v, VERDICT_SCOPE_FULL);
	snp_appraise(&in, NULL, &v);
	if (verdict_ok(&v))
		__builtin_trap();
	return 0;
}
