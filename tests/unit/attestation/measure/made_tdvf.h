/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made_tdvf.h — firmware of a TD with OVMF's sections and the empty configuration volume that edk2's
 * build makes (OvmfPkg/VarStore.fdf.inc, 4 MiB form), byte for byte; its code is zeros.
 */
#pragma once

#include "attestation/measure/tdvf.h"
#include "common/base/bytes.h"

#include <string.h>

enum {
	MADE_CFV_LEN = 0x84000,
	MADE_CFV_AT = 0,
	MADE_STORE_AT = 0x48,
	MADE_TDVF_AT = MADE_CFV_LEN + 0x1000,
	MADE_LEN = MADE_TDVF_AT + 0x1000,
};

static inline void made_cfv(uint8_t cfv[MADE_CFV_LEN])
{
	static const uint8_t volume[MADE_STORE_AT] = {
		[16] = 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47,
		0x07,        0x5b, 0x4f, 0x50, 0x00, 0x40, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
		'_',         'F',  'V',  'H',  0xff, 0xfe, 0x04, 0x00, 0x48, 0x00, 0xaf, 0xb8,
		0x00,        0x00, 0x00, 0x02, 0x84, 0x00, 0x00, 0x00, 0x00, 0x10,
	};
	static const uint8_t store[28] = { 0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43,
					   0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92,
					   0xb8, 0xff, 0x03, 0x00, 0x5a, 0xfe };
	static const uint8_t spare[] = { 0x2b, 0x29, 0x58, 0x9e, 0x68, 0x7c, 0x7d, 0x49,
					 0xa0, 0xce, 0x65, 0x00, 0xfd, 0x9f, 0x1b, 0x95,
					 0x2c, 0xaf, 0x2c, 0x64, 0xfe, 0xff, 0xff, 0xff,
					 0xe0, 0x0f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };

	memset(cfv, 0xff, MADE_CFV_LEN);
	memcpy(cfv, volume, sizeof(volume));
	memcpy(cfv + MADE_STORE_AT, store, sizeof(store));
	memcpy(cfv + 0x41000, spare, sizeof(spare));
}

/* As it lies in the image. */
struct made_section {
	uint32_t offset, size;
	uint64_t gpa, len;
	uint32_t type, attributes;
};

/* OVMF's, in the order of its metadata. */
static const struct made_section made_sections[] = {
	{ MADE_CFV_LEN, 0x1000, 0xfffff000, 0x1000, TDVF_BFV, TDVF_MR_EXTEND },
	{ MADE_CFV_AT, MADE_CFV_LEN, 0xffc00000, MADE_CFV_LEN, TDVF_CFV, 0 },
	{ 0, 0, 0x810000, 0x10000, TDVF_TEMP_MEM, 0 },
	{ 0, 0, 0x80b000, 0x2000, TDVF_TEMP_MEM, 0 },
	{ 0, 0, 0x809000, 0x2000, TDVF_TD_HOB, 0 },
	{ 0, 0, 0x800000, 0x6000, TDVF_TEMP_MEM, 0 },
};

static inline void made_tdvf(const struct made_section *sections, size_t count,
			     uint8_t image[MADE_LEN])
{
	uint8_t *at = image + MADE_TDVF_AT;

	memset(image, 0, MADE_LEN);
	made_cfv(image + MADE_CFV_AT);
	memcpy(at, "TDVF", 4);
	bytes_put_le(at + 4, 16 + 32 * count, 4);
	bytes_put_le(at + 8, 1, 4);
	bytes_put_le(at + 12, count, 4);
	at += 16;
	for (size_t i = 0; i < count; i++, at += 32) {
		bytes_put_le(at, sections[i].offset, 4);
		bytes_put_le(at + 4, sections[i].size, 4);
		bytes_put_le(at + 8, sections[i].gpa, 8);
		bytes_put_le(at + 16, sections[i].len, 8);
		bytes_put_le(at + 24, sections[i].type, 4);
		bytes_put_le(at + 28, sections[i].attributes, 4);
	}
	bytes_put_le(image + MADE_LEN - 32, MADE_TDVF_AT, 4);
}
