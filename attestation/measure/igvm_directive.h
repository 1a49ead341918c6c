/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igvm_directive.h — one initialization or directive header of an IGVM file, validated. For igvm.c
 * alone, which walks the file.
 */
#pragma once

#include "attestation/measure/igvm.h"
#include "common/base/reader.h"

enum { IGVM_PAGE_LEN = 4096, IGVM_TYPE_PLATFORM = 0x001, IGVM_PLATFORM_LEN = 16 };

/* What is remembered from one header to the next, and what the last one was. */
struct igvm_state {
	const struct igvm *igvm;
	struct igvm_areas {
		struct igvm_area {
			uint32_t index;
			uint64_t len;
			bool inserted;
		} list[IGVM_AREAS_MAX];
		size_t count;
	} areas;
	struct igvm_directive directive;
};

/* A header of that type, whose `len` bytes of contents are `body`; platforms, which are read
 * before, are stepped over. */
int igvm_directive_read(struct igvm_state *s, uint32_t type, uint32_t len, struct reader *body,
			struct err *e) MUST_CHECK;
