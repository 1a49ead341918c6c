/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_file.h — the file of the token that a user shows the computation service.
 */
#pragma once

#include "common/rpc/metadata.h"

/* Adds the file's one line as what calls show. Refused: a file that others than its owner can read, or that
 * has something else in it. */
int token_file_read(const char *path, struct rpc_metadata *metadata, struct err *e) MUST_CHECK;
