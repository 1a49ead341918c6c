/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assembly.h — a manifest that comes in chunks, put together (wire.md, 'package cvms').
 *
 * One manifest at a time: chunks of a second id in between, a chunk after the last one, a chunk
 * over 1 MiB or more than MANIFEST_MAX in all spoil what is being assembled. It is told once; the
 * rest of a spoiled id's chunks, up to its last, falls away in silence.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/writer.h"
#include "cvms.pb-c.h"

#include <stdbool.h>

enum {
	ASSEMBLY_CHUNK_MAX = 1 << 20,
	ASSEMBLY_ID_MAX = 255,
	ASSEMBLY_SPOILED_MAX = 16, /* ids whose tails are remembered */
};

struct assembly {
	char id[ASSEMBLY_ID_MAX + 1];   /* being assembled, if `open` */
	char done[ASSEMBLY_ID_MAX + 1]; /* the one that was complete last */
	bool open, any_done;
	struct writer bytes;
	char spoiled[ASSEMBLY_SPOILED_MAX][ASSEMBLY_ID_MAX + 1];
	size_t spoiled_count;
};

void assembly_init(struct assembly *a);
/* Forgets everything: a new connection, or a stop. */
void assembly_reset(struct assembly *a);
/* What was complete last turned out useless: its id may be sent again. */
void assembly_forgive(struct assembly *a);

/* Takes one chunk. When it was the last, `*complete` is true and the manifest is in *bytes
 * (malloc'ed, for the caller). ERR_INVALID with the reason when the manifest is spoiled. */
int assembly_add(struct assembly *a, const Cvms__RunReqChunks *chunk, bool *complete,
		 uint8_t **bytes, size_t *len, struct err *e) MUST_CHECK;
