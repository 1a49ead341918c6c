/* SPDX-License-Identifier: Apache-2.0 */
/* Total size and checksum are corrected first: no fuzzer gets past a CRC. What is measured, is so twice. */
#include "attestation/measure/igvm_boot.h"
#include "attestation/measure/igvm_measure.h"
#include "tests/forge/must.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 65536, SIZE_AT = 16, CHECKSUM_AT = 20, FIXED = 24, FIXED_V2 = 32 };

static uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < 8 * len; i++)
		crc = crc >> 1 ^ ((crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1 ? 0xedb88320u : 0);
	return crc;
}

static void put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v)); /* little-endian machines only, like the rest of this target */
}

static void put_right(uint8_t *file, size_t len)
{
	uint32_t version, offset, size;
	size_t fixed;

	memcpy(&version, file + 4, 4);
	memcpy(&offset, file + 8, 4);
	memcpy(&size, file + 12, 4);
	fixed = version == 2 ? FIXED_V2 : FIXED;
	if (len < fixed || offset > len || size > len - offset)
		return;
	put32(file + SIZE_AT, (uint32_t)len);
	put32(file + CHECKSUM_AT, 0);
	put32(file + CHECKSUM_AT,
	      ~crc32_add(crc32_add(0xffffffff, file, fixed), file + offset, size));
}

static void measure(const struct igvm *igvm, size_t len)
{
	static const enum igvm_platform platforms[] = { IGVM_SEV_SNP, IGVM_SEV_ES };
	uint8_t out[SNP_DIGEST_LEN], again[SNP_DIGEST_LEN];
	enum igvm_id_block id_block, same;
	size_t out_len, again_len;
	struct err e;

	for (size_t i = 0; i < 2; i++) {
		struct igvm_measure how = { .platform = platforms[i],
					    .as_loaded = len % 2,
					    .check_kvm = len % 3 == 0 };

		if (igvm_measure(igvm, &how, out, &out_len, &id_block, &e) < 0)
			continue;
		MUST(out_len == (platforms[i] == IGVM_SEV_SNP ? SNP_DIGEST_LEN : SHA256_LEN));
		MUST(igvm_measure(igvm, &how, again, &again_len, &same, &e) == 0);
		MUST(again_len == out_len && memcmp(again, out, out_len) == 0 && same == id_block);
	}
	(void)!igvm_boot_check(igvm, &(struct snp_measure){ .mode = SNP_MEASURE_SNP }, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t *file;
	struct igvm igvm;
	struct err e;

	if (len < FIXED || len > INPUT_MAX)
		return 0;
	file = malloc(len);
	if (!file)
		return 0;
	memcpy(file, bytes, len);
	put_right(file, len);
	if (igvm_open((struct span){ file, len }, &igvm, &e) == 0)
		measure(&igvm, len);
	free(file);
	return 0;
}
