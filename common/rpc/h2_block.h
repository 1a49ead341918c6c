/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_block.h — a header block as it comes in, header by header. For this folder only.
 */
#pragma once

#include "common/rpc/metadata.h"

/* Empty when zeroed. Embedded first in what a side keeps of a block. */
struct h2_block {
	size_t list_size; /* as HTTP/2 counts a header list (RFC 9113, section 10.5.1) */
	bool is_too_large;
	struct err problem; /* the first header that can't be; ERR_OK: none */
	struct rpc_metadata metadata;
};

struct h2_header {
	const char *name, *value; /* no zero byte behind them */
	size_t name_len, len;
};

/* The headers that are no metadata. */
struct h2_block_field {
	const char *name;
	size_t name_len;
	void (*set)(struct h2_block *b, const char *value, size_t len);
};
#define H2_BLOCK_FIELD(name_, set_) { name_, sizeof(name_) - 1, (set_) }
struct h2_block_fields {
	const struct h2_block_field *first;
	size_t count;
};

/* Past a list_size of `most` a header is counted and dropped. -1: many times `most`, the connection
 * has to end. */
int h2_block_add(struct h2_block *b, const struct h2_block_fields *fields, size_t most,
		 const struct h2_header *header) MUST_CHECK;
/* Frees what it holds. */
void h2_block_done(struct h2_block *b);
