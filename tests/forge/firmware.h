/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firmware.h — a small image in the form of OVMF's AmdSev build. It says where the parts of an SNP
 * launch go, so that it can be measured, and runs nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	FORGE_FIRMWARE_LEN = 8192,
	FORGE_FIRMWARE_TABLE_END = FORGE_FIRMWARE_LEN - 32, /* of GUIDed entries */
	FORGE_FIRMWARE_METADATA = FORGE_FIRMWARE_LEN - 1024,
};

struct forge_section {
	uint32_t gpa, len, type; /* enum ovmf_section_type */
};
extern const struct forge_section forge_firmware_sections[];
extern const size_t forge_firmware_section_count;
extern const uint8_t forge_firmware_reset[16]; /* the GUID of the entry for the reset vector */

/* Entries, from the end: reset vector at 0x80b004, table of hashes at 0x810c00, metadata. */
void forge_firmware(uint8_t image[FORGE_FIRMWARE_LEN]);

/* Other metadata in the same place. */
void forge_firmware_metadata(uint8_t image[FORGE_FIRMWARE_LEN], const struct forge_section *list,
			     size_t count);
