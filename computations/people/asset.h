/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asset.h — algorithms and datasets of a workspace by name: what their files' SHA3-256 is, and who has them. The files are
 * not here. A computation is linked with those that its manifest names by their digests, from when it is created.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/manifest/manifest.h"
#include "computations/list/list_look.h"
#include "computations/people/workspace.h"

#include <stdbool.h>

enum {
	ASSETS_MAX = 10000,           /* of a workspace, whose members share them */
	ASSET_DESCRIPTION_MAX = 4096, /* bytes */
	ASSET_MIME_MAX = 127,
	ASSET_LINKS_SHOWN = 256,
	ASSET_LINKS_EACH =
		8, /* of one digest in a manifest: else an import makes millions, and all others wait for it */
};
#define ASSET_MIME_ANY "application/octet-stream"

enum asset_type { ASSET_ALGORITHM, ASSET_DATASET, ASSET_TYPES };
const char *asset_type_name(enum asset_type type);
int asset_type_find(const char *name, enum asset_type *type, struct err *e) MUST_CHECK;

struct asset_row {
	int64_t number, person; /* person 0: nobody's */
	char *workspace, *name, *mime, *description;
	char *owner; /* "": nobody's */
	enum asset_type type;
	uint8_t digest[MANIFEST_HASH_LEN];
	int64_t created, changed; /* what is said of it */
};
void asset_row_done(struct asset_row *a);
#define CLEANUP_ASSET_ROW __attribute__((cleanup(asset_row_done)))

/* What is said of one; number, workspace and owner do not count. */
int asset_add(struct db *db, int64_t workspace, int64_t person, const struct asset_row *a,
	      int64_t now, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int asset_find(struct db *db, int64_t workspace, const char *name, struct asset_row *a,
	       struct err *e) MUST_CHECK;
/* At most `max` behind that name, by name. */
int asset_list(struct db *db, int64_t workspace, const char *after, size_t max,
	       struct asset_row *rows, size_t *count, struct err *e) MUST_CHECK;
/* The same in an order of `asset_orders`, of those with that text in name, description, MIME type or owner, or with that
 * digest, for that person; `*next` is the place of the page behind, malloc'ed; NULL: there is none. */
int asset_search(struct db *db, int64_t workspace, int64_t person, const struct list_search *search,
		 size_t max, struct asset_row *rows, size_t *count, char **next,
		 struct err *e) MUST_CHECK;
extern const struct list_kind asset_orders;
/* Its name, MIME type and description, in place of those that it has; what it is stays: another file is another asset. */
int asset_change(struct db *db, int64_t workspace, const struct asset_row *now,
		 const struct asset_row *then, int64_t moment, struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: a computation is linked with it. */
int asset_remove(struct db *db, const struct asset_row *a, struct err *e) MUST_CHECK;

/* ---- links ---- */

/* A new computation, with what its manifest names; of several assets with one digest the oldest. */
int asset_link_all(struct db *db, int64_t workspace, const Cvms__ComputationRunReq *manifest,
		   struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: the manifest does not name it. */
int asset_link(struct db *db, const struct asset_row *a, const Cvms__ComputationRunReq *manifest,
	       struct err *e) MUST_CHECK;
/* Ids of those that `person` may see (0: all), by id; at most ASSET_LINKS_SHOWN, malloc'ed. */
int asset_links(struct db *db, int64_t asset, int64_t person, char *ids[ASSET_LINKS_SHOWN],
		size_t *count, struct err *e) MUST_CHECK;
/* The computation is removed. */
int asset_forget(struct db *db, const char *computation, struct err *e) MUST_CHECK;
