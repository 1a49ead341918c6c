/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/igvm_measure.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const enum igvm_platform platforms[] = { IGVM_SEV_SNP, IGVM_SEV_ES };
	uint8_t out[SNP_DIGEST_LEN];
	enum igvm_id_block id_block;
	struct igvm igvm;
	size_t out_len;
	struct err e;

	if (len > 65536 || igvm_open((struct span){ bytes, len }, &igvm, &e) < 0)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		struct igvm_measure how = { .platform = platforms[i], .as_loaded = len % 2,
					    .check_kvm = len % 3 == 0 };

		(void)!igvm_measure(&igvm, &how, out, &out_len, &id_block, &e);
	}
	return 0;
}
