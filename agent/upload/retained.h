/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retained.h — datasets that an agent may use once more after a run that failed, because their owners
 * said so when they sent them ("keep" in docs/agent.md).
 *
 * Each is a second name of the bytes that came, beside the computation's folder, and a record of what
 * its owner signed. Records live as long as the agent: files without one are leftovers. Whoever uses one
 * for another run asks restoring.h, which looks at everything again.
 */
#pragma once

#include "agent/computation/computation.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest_keep.h"

struct retained_item {
	uint8_t digest[SHA3_256_LEN];     /* of the content */
	uint8_t key[KEY_FINGERPRINT_LEN]; /* its owner's */
	char *filename;                   /* as he called it */
	bool is_named;                    /* so does the manifest, which else gives it no name */
	bool decompress;
	uint64_t size;
	enum manifest_keep keep;
	uint8_t form[SHA3_256_LEN];     /* manifest_keep_digest() of what he signed for */
	uint8_t manifest[SHA3_256_LEN]; /* and its own digest */
	char *path;
};

struct restoring;

struct retained {
	char *dir; /* "…/kept", beside the computation's folder */
	struct retained_item *items[MANIFEST_DATASETS_MAX];
	size_t count;
	uint64_t names;
	struct restoring *restoring; /* has the items for now; NULL: none */
};

/* Below `work`; removes what is left there. */
int retained_init(struct retained *r, const char *work, struct err *e) MUST_CHECK;
/* Forgets, and removes the folder. */
void retained_done(struct retained *r);

/* What the owner's call said. */
struct retained_call {
	const char *filename;
	bool decompress;
	enum manifest_keep keep;
};

/* `file` is this dataset's content, as its owner has sent and signed it for the computation. Nothing is
 * retained after an error. */
int retained_add(struct retained *r, const struct computation *c, const struct asset *asset,
		 const struct retained_call *call, const char *file, uint64_t size,
		 struct err *e) MUST_CHECK;

/* This owner's leave the records; the caller has them, and their files to remove. How many. */
size_t retained_take(struct retained *r, const uint8_t key[KEY_FINGERPRINT_LEN],
		     struct retained_item *taken[MANIFEST_DATASETS_MAX]);

/* No record is left; the folder is the caller's to remove, in the pool. */
void retained_forget(struct retained *r);

/* NULL: nothing. The file stays. */
void retained_item_free(struct retained_item *item);
DEFINE_CLEANUP(struct retained_item *, retained_item_free)
