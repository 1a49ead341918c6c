/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata.h — the key-value pairs that travel beside a call, in order, keys possibly repeated.
 *
 * A key is lower-case [0-9a-z_.-]. Values are printable ASCII, but under a key that ends in "-bin"
 * any bytes, which travel in base64 (gRPC over HTTP/2, "Custom-Metadata"); here they are decoded.
 * Keys that belong to gRPC or HTTP (":…", "grpc-…", "te", "content-type") are not in such a list.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the 256 arguments that an algorithm may have, and what goes with them. */
enum { RPC_METADATA_MAX = 288, RPC_METADATA_BYTES_MAX = 16384, RPC_METADATA_KEY_MAX = 128 };

struct rpc_metadatum {
	char *key;
	uint8_t *value; /* followed by a zero byte that is not counted */
	size_t len;
};

/* Empty when zeroed. */
struct rpc_metadata {
	struct rpc_metadatum *entries;
	size_t count, room, bytes;
};

void rpc_metadata_done(struct rpc_metadata *m);

/* Copies both. Refused: a bad or reserved key, a value that can't travel, the limits above. */
int rpc_metadata_add(struct rpc_metadata *m, const char *key, const char *text,
		     struct err *e) MUST_CHECK;
int rpc_metadata_add_bytes(struct rpc_metadata *m, const char *key, const void *value, size_t len,
			   struct err *e) MUST_CHECK;
int rpc_metadata_copy(struct rpc_metadata *to, const struct rpc_metadata *from,
		      struct err *e) MUST_CHECK;

/* The n-th value (from 0) under `key`, or NULL. */
const struct rpc_metadatum *rpc_metadata_get(const struct rpc_metadata *m, const char *key,
					     size_t n);

/* The same as text; NULL if absent. Only for keys without "-bin": those values hold no zero byte. */
const char *rpc_metadata_text(const struct rpc_metadata *m, const char *key, size_t n);

/* How many values `key` has. */
size_t rpc_metadata_count(const struct rpc_metadata *m, const char *key);
