/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdvf.h — what a TD's firmware says about how it is to be loaded: its TDX metadata (Intel TDX
 * Virtual Firmware Design Guide, section 11).
 *
 * Found through OVMF's table of GUIDed entries, or in a bare image (td-shim) through the offset that
 * stands 32 bytes before its end.
 */
#pragma once

#include "attestation/measure/ovmf.h"

enum { TDVF_SECTIONS_MAX = 64, TDVF_PAGE_LEN = 4096 };

enum tdvf_type {
	TDVF_BFV = 0,    /* boot firmware volume */
	TDVF_CFV = 1,    /* configuration firmware volume */
	TDVF_TD_HOB = 2, /* filled by the monitor with the layout of memory */
	TDVF_TEMP_MEM = 3,
	TDVF_PERM_MEM = 4,
	TDVF_PAYLOAD = 5,
	TDVF_PAYLOAD_PARAM = 6,
	TDVF_TYPE_COUNT,
};

enum { TDVF_MR_EXTEND = 1 << 0, TDVF_PAGE_AUG = 1 << 1 };

struct tdvf_section {
	struct span data;  /* of the image; may be empty */
	uint64_t gpa, len; /* whole pages; `data` is filled up with zeros */
	enum tdvf_type type;
	uint32_t attributes; /* TDVF_MR_EXTEND: the contents count; TDVF_PAGE_AUG: added later */
};

struct tdvf {
	size_t count;
	struct tdvf_section sections[TDVF_SECTIONS_MAX];
};

const char *tdvf_type_name(enum tdvf_type type); /* "BFV" */

/* ERR_NOT_FOUND: the image has no TDX metadata. ERR_INVALID: malformed, sections that leave the
 * image, overlap in memory, or are not whole pages; no boot firmware volume; contents where the
 * monitor fills in its own. `image` has to outlive `tdvf`. */
int tdvf_parse(struct span image, struct tdvf *tdvf, struct err *e) MUST_CHECK;
