/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovmf.h — what a firmware image says about itself: the table of GUIDed entries below its reset
 * vector, and the SEV metadata (OvmfPkg/ResetVector: OvmfSevMetadata.asm, ResetVectorVtf0.asm).
 *
 * The table lies 32 bytes before the end of the image and is read backwards: each entry ends with
 * its length and its GUID.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <stdbool.h>

enum {
	OVMF_IMAGE_MIN = 50, /* the reset vector, and the end of a table */
	OVMF_IMAGE_MAX = 64 << 20,
	OVMF_ENTRIES_MAX = 64,
	OVMF_SECTIONS_MAX = 64,
	OVMF_SECTIONS_BYTES_MAX = 256 << 20, /* of guest memory, in all sections together */
	OVMF_GUID_LEN = 16,                  /* in UEFI's mixed byte order, as in the image */
};

enum ovmf_section_type {
	OVMF_SEC_MEM = 1,
	OVMF_SECRETS = 2,
	OVMF_CPUID = 3,
	OVMF_SVSM_CAA = 4,
	OVMF_KERNEL_HASHES = 0x10,
};

struct ovmf_section {
	uint64_t gpa, len;
	uint32_t type; /* enum ovmf_section_type, after ovmf_check_sections() */
};

struct ovmf {
	struct span image;
	bool has_reset;
	uint32_t reset_eip;  /* where SEV-ES application processors start */
	uint32_t hashes_gpa; /* of the kernel hashes table; 0: not supported */
	bool has_svsm;
	uint32_t svsm_launch_offset;
	struct ovmf_section sections[OVMF_SECTIONS_MAX];
	size_t section_count;
};

/* The image is not copied. An image without a table is fine and has nothing; a table or metadata
 * that is malformed is ERR_INVALID. What the sections say is not looked at. */
int ovmf_parse(struct span image, struct ovmf *out, struct err *e) MUST_CHECK;

/* Sections as SEV-SNP launches them: of known types, whole pages below 4 GiB, and not more of them
 * than OVMF_SECTIONS_BYTES_MAX. SEV and SEV-ES measure the image alone, whatever it says of them. */
int ovmf_check_sections(const struct ovmf *ovmf, struct err *e) MUST_CHECK;

/* The data of one entry; an empty span (bytes NULL) if the image has no such entry. A malformed
 * table is ERR_INVALID. For other metadata of the same table (TDVF). */
int ovmf_entry(struct span image, const uint8_t guid[OVMF_GUID_LEN], struct span *data,
	       struct err *e) MUST_CHECK;

/* Whether a section of that type is there. */
bool ovmf_has_section(const struct ovmf *ovmf, enum ovmf_section_type type);
