/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_file.h — the file of the token that a user shows the computation service.
 */
#pragma once

#include "common/rpc/metadata.h"

/* ERR_INVALID, without a word of it, for a token that stands where its file's name belongs (token_text.h), and for no name at
 * all. `name` may be NULL: nothing is named. */
int token_file_check_name(const char *setting, const char *name, struct err *e) MUST_CHECK;

/* Adds the file's one line as what calls show. Refused: a file that others than its owner can read, or that
 * has something else in it. */
int token_file_read(const char *path, struct rpc_metadata *metadata, struct err *e) MUST_CHECK;
