/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_place.h — where the algorithm finds a dataset: below datasets/, or among its caches.
 */
#pragma once

#include "common/manifest/manifest.h"
#include "common/manifest/manifest_extension.h"

/* A dataset of this name is a cache in every manifest: a stock one can't mark it. The name is the
 * manifest's: one without a name is none, whatever its owner calls it. */
#define MANIFEST_CACHE_NAME "cache.zip"

enum manifest_place_kind {
	MANIFEST_PLACE_FILE,   /* datasets/NAME, as it is */
	MANIFEST_PLACE_UNION,  /* unpacked in datasets/, with the others of this kind */
	MANIFEST_PLACE_FOLDER, /* unpacked in datasets/NAME/ */
	MANIFEST_PLACE_CACHE,  /* unpacked where libraries look, with the others of this kind */
};

struct manifest_place {
	enum manifest_place_kind kind;
	char name[MANIFEST_FILENAME_MAX + 1]; /* "" where several share the place */
};

/* Does it lie where libraries look? */
bool manifest_is_cache(const Cvms__Dataset *dataset);

/* Of a dataset that goes by `name`, a plain file name; `unpack`: manifest or upload asks for it; `cache`:
 * manifest_is_cache(). In layout folders, h1.zip lies in h1; a name without .zip is the folder's as it
 * is. */
struct manifest_place manifest_place_of(enum manifest_layout layout, const char *name, bool unpack,
					bool cache);

/* Neither can be where the other is. */
bool manifest_place_same(const struct manifest_place *a, const struct manifest_place *b);

struct manifest_faults;

/* Part of manifest_check(): no two datasets with a name have the same place. */
void manifest_places_check(const Cvms__ComputationRunReq *manifest, struct manifest_faults *faults);
