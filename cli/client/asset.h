/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asset.h — a file or directory of the user as the bytes that travel: a directory becomes its
 * bundle. Its SHA3-256 is what the manifest names.
 */
#pragma once

#include "cli/base/command.h"
#include "common/base/cleanup.h"
#include "common/crypto/digest.h"

#include <stdbool.h>

enum { ASSET_DIGESTED_MAX = 16 << 20 }; /* bytes of a file that is digested when it is opened */

struct asset {
	int fd; /* at any offset; read it with pread */
	uint64_t size;
	bool digested; /* `digest` is of what was read here */
	uint8_t digest[SHA3_256_LEN];
	char *name; /* the last of the path, as stock Cocos names files and directories */
	bool bundled;
};

/* Bundles a directory, and digests it on the way; a file beyond ASSET_DIGESTED_MAX is not read. */
int asset_open(struct asset *asset, const char *path, struct err *e) MUST_CHECK;
/* Reads all of it for its digest, unless that is there. */
int asset_digest_now(struct asset *asset, struct err *e) MUST_CHECK;
void asset_close(struct asset *asset);
#define CLEANUP_ASSET __attribute__((cleanup(asset_close)))

/* The digest alone: no copy of a directory is made. */
int asset_digest(const char *path, uint8_t out[SHA3_256_LEN], struct err *e) MUST_CHECK;

/* What to do about a failure of these, where there is something to do; `e`'s code. */
int asset_hint(struct cli *cli, const struct err *e);
