/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_headers.h — the headers of one block, to be submitted. For this folder only.
 */
#pragma once

#include "common/rpc/metadata.h"

#include <nghttp2/nghttp2.h>

enum { H2_HEADERS_OWN = 12, H2_HEADERS_MAX = RPC_METADATA_MAX + H2_HEADERS_OWN };
struct h2_headers {
	nghttp2_nv nv[H2_HEADERS_MAX];
	char *owned[H2_HEADERS_MAX]; /* values in base64 */
	size_t count, owned_count;
};

/* Only the counts: what lies behind them is not read. */
void h2_headers_init(struct h2_headers *h);
/* The texts must live until the block is submitted. */
void h2_headers_add(struct h2_headers *h, const char *name, const char *value);
int h2_headers_add_metadata(struct h2_headers *h, const struct rpc_metadata *m,
			    struct err *e) MUST_CHECK;
void h2_headers_done(struct h2_headers *h);
#define CLEANUP_H2_HEADERS __attribute__((cleanup(h2_headers_done)))
