/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_measure.h — the MRTD that a TD will have, computed from its firmware (Intel TDX Module base
 * architecture specification, "TD measurement").
 *
 * Each page that the monitor adds counts with its address (TDH.MEM.PAGE.ADD); of sections that ask
 * for it the contents count, too, in chunks of 256 bytes (TDH.MR.EXTEND). The TD HOB, which the
 * monitor fills with the layout of memory, never counts with its contents.
 */
#pragma once

#include "attestation/measure/tdvf.h"
#include "common/crypto/digest.h"

enum {
	TDX_MEASURE_BYTES_MAX = 256 << 20
}; /* of the memory that counts, in all sections together */

/* In which order the kernel of the host makes these calls within a section. */
enum tdx_measure_order {
	TDX_PAGE_BY_PAGE, /* Linux 6.16 and later: a page is added and measured, then the next */
	TDX_TWO_PASSES, /* the patches that vendors shipped before: all are added, then measured */
};

struct tdx_measure_step {
	const struct tdvf_section *section;
	uint64_t pages_added, chunks_extended;
	uint8_t contents[SHA384_LEN]; /* of the section's memory, if it is measured; else zero */
};

struct tdx_measure {
	struct span firmware;
	enum tdx_measure_order order;
	void (*trace)(void *data, const struct tdx_measure_step *step); /* may be NULL */
	void *data;
};

/* ERR_INVALID for firmware that is none for TDX, ERR_EXHAUSTED for one that wants more memory
 * measured than TDX_MEASURE_BYTES_MAX, which no firmware does. */
int tdx_measure(const struct tdx_measure *m, uint8_t mrtd[SHA384_LEN], struct err *e) MUST_CHECK;
