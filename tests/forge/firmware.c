/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/forge/firmware.h"

#include "attestation/measure/ovmf.h"
#include "common/base/bytes.h"
#include "common/base/cleanup.h"

#include <string.h>

static const uint8_t footer[16] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
				    0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
const uint8_t forge_firmware_reset[16] = { 0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
					   0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e };
static const uint8_t hashes[16] = { 0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
				    0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54 };
static const uint8_t metadata[16] = { 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
				      0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc };

const struct forge_section forge_firmware_sections[] = {
	{ 0x800000, 0x2000, OVMF_SEC_MEM },       { 0x80d000, 0x1000, OVMF_SECRETS },
	{ 0x80e000, 0x1000, OVMF_CPUID },         { 0x80f000, 0x1000, OVMF_SVSM_CAA },
	{ 0x810000, 0x1000, OVMF_KERNEL_HASHES },
};
const size_t forge_firmware_section_count = ARRAY_LEN(forge_firmware_sections);

/* Writes data, length and GUID; returns where the entry before it ends. */
static size_t put_entry(uint8_t *image, size_t at, const uint8_t guid[16], uint32_t value)
{
	memcpy(image + at - 16, guid, 16);
	bytes_put_le(image + at - 18, 22, 2);
	bytes_put_le(image + at - 22, value, 4);
	return at - 22;
}

void forge_firmware_metadata(uint8_t image[FORGE_FIRMWARE_LEN], const struct forge_section *list,
			     size_t count)
{
	uint8_t *m = image + FORGE_FIRMWARE_METADATA;

	memcpy(m, "ASEV", 4);
	bytes_put_le(m + 4, 16 + 12 * count, 4);
	bytes_put_le(m + 8, 1, 4);
	bytes_put_le(m + 12, count, 4);
	for (size_t i = 0; i < count; i++) {
		bytes_put_le(m + 16 + 12 * i, list[i].gpa, 4);
		bytes_put_le(m + 20 + 12 * i, list[i].len, 4);
		bytes_put_le(m + 24 + 12 * i, list[i].type, 4);
	}
}

void forge_firmware(uint8_t image[FORGE_FIRMWARE_LEN])
{
	size_t at = FORGE_FIRMWARE_TABLE_END - 18;

	memset(image, 0x5a, FORGE_FIRMWARE_LEN);
	at = put_entry(image, at, forge_firmware_reset, 0x80b004);
	at = put_entry(image, at, hashes, 0x810c00);
	at = put_entry(image, at, metadata, FORGE_FIRMWARE_LEN - FORGE_FIRMWARE_METADATA);
	memcpy(image + FORGE_FIRMWARE_TABLE_END - 16, footer, 16);
	bytes_put_le(image + FORGE_FIRMWARE_TABLE_END - 18, FORGE_FIRMWARE_TABLE_END - at, 2);
	forge_firmware_metadata(image, forge_firmware_sections, forge_firmware_section_count);
}
