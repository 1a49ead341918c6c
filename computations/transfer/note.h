/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h — what a document said of a computation beyond its manifest and roles, kept for the next export. Nothing is
 * decided by it.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/db/db.h"
#include "computations/transfer/document.h"

struct note {
	int place; /* as of document_asset_place() */
	char *id, *name, *owner, *description, *mime;
	int64_t created;
};

/* Of one computation, by place. */
struct note_list {
	struct note rows[DOCUMENT_ASSETS_MAX];
	size_t count;
	int64_t started, ended; /* ms since 1970; 0: not before */
};
int note_list(struct db *db, const char *computation, struct note_list **list,
	      struct err *e) MUST_CHECK;
void note_list_free(struct note_list *list);
DEFINE_CLEANUP(struct note_list *, note_list_free)

/* Each asset of the item is one of the manifest's; `owner` names its owner here. */
int note_keep(struct db *db, const Cvms__ComputationRunReq *manifest,
	      const struct document_item *item, const char *(*owner)(void *data, const char *name),
	      void *data, struct err *e) MUST_CHECK;

/* The computation is removed. */
int note_forget(struct db *db, const char *computation, struct err *e) MUST_CHECK;
