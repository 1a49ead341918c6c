/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata_wire.h — metadata as HTTP headers bring it. For this folder only.
 */
#pragma once

#include "common/rpc/metadata.h"

bool rpc_metadata_is_binary(const char *key, size_t len);

/* Adds one received header; -bin is decoded, and split at commas. Reserved names and names that can
 * be no key are passed over. Refused: bad base64, unprintable text, the limits. */
int rpc_metadata_receive(struct rpc_metadata *m, const char *key, size_t key_len, const char *value,
			 size_t len, struct err *e) MUST_CHECK;
