/* SPDX-License-Identifier: Apache-2.0 */
/* tdvf_small.h — the smallest image of TDX firmware: a page that is measured, and a TD HOB. */
#pragma once

#include "common/base/writer.h"

/* The offset of its table is 32 bytes before the end. */
static inline void tdvf_small(struct writer *w)
{
	writer_zeros(w, 256);
	writer_bytes(w, "TDVF", 4);
	writer_le32(w, 16 + 2 * 32);
	writer_le32(w, 1);
	writer_le32(w, 2);
	writer_le32(w, 0);
	writer_le32(w, 256);
	writer_le64(w, 0xfffff000);
	writer_le64(w, 4096);
	writer_le64(w, UINT64_C(1) << 32); /* a firmware volume, measured */
	writer_zeros(w, 8);
	writer_le64(w, 0x809000);
	writer_le64(w, 4096);
	writer_le64(w, 2);
	writer_le32(w, 256);
	writer_zeros(w, 28);
}
