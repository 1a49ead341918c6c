/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_names.h — names in a manifest as a person writes it: "user:NAME" where a key is wanted, and "asset:NAME" where
 * a digest is. Who knows keys and digests puts them in their place, before manifest_from_json().
 */
#pragma once

#include "common/manifest/manifest.h"

#define MANIFEST_USER_PREFIX  "user:"
#define MANIFEST_ASSET_PREFIX "asset:"

/* What is behind the prefix; NULL: it does not begin so. */
const char *manifest_name_behind(const char *prefix, const char *text);

enum { MANIFEST_NAMES_MAX = 2 * (1 + MANIFEST_DATASETS_MAX) + MANIFEST_CONSUMERS_MAX };

/* Each name is asked for once, and at most MANIFEST_NAMES_MAX are; of the same text always in the same order. */
struct manifest_names {
	/* DER SubjectPublicKeyInfo, malloc'ed. */
	int (*key)(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e);
	/* Of an asset that has to be of that type: "algorithm" or "dataset", a constant. */
	int (*digest)(void *data, const char *asset, const char *type,
		      uint8_t digest[MANIFEST_HASH_LEN], struct err *e);
	void *data;
};

/* JSON with keys and digests in place of the names, malloc'ed; `*out` NULL: there is no name in it, or no reading it, which
 * manifest_from_json() says in its own words. */
int manifest_names_fill(const uint8_t *text, size_t len, const struct manifest_names *names,
			uint8_t **out, size_t *out_len, struct err *e) MUST_CHECK;
