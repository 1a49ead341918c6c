/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_memory.h — where nghttp2 keeps a session. For this folder only.
 *
 * A new session asks for 25 KiB: itself, a buffer for the largest frame, tables for streams and header
 * fields. One that waits has written to a small part of the largest two, the buffer's begin and the table of
 * streams. From the heap they would be pieces that somebody wrote to before; here they are pages that cost
 * nothing until they are written to, and that are given back when the session ends. What is smaller is
 * written to nearly everywhere, and would cost whole pages here; it comes from the heap, as does all that the
 * session asks for later.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <nghttp2/nghttp2.h>

enum {
	H2_MEMORY_AREA = 32 << 10,
	H2_MEMORY_PIECE = 4 << 10, /* the least that comes from there */
	/* The table of streams, if there is one, comes first: with half of it before a page's end, the first stream's place
	 * and the begin of the buffer behind it are in one page. */
	H2_MEMORY_BEGIN = 2 << 10,
};

/* Empty when zeroed. Stays where it is while the session lives. */
struct h2_memory {
	uint8_t *area; /* NULL: none, all comes from the heap */
	size_t used;
};

/* For the making of one session; where no pages can be had, the heap serves. */
void h2_memory_begin(struct h2_memory *m, nghttp2_mem *hooks);
/* The session is made. */
void h2_memory_made(struct h2_memory *m);
/* The session is deleted. */
void h2_memory_done(struct h2_memory *m);
