/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images.h — the guest images of MANAGER_IMAGE_DIR: it holds one (image.json), or a folder for each of several
 * and the link `default`, which names one of them.
 *
 * Functions block. Those about opened images are called with the lock held, and give it back while they read and
 * check one: what was found out before such a call may not hold after it.
 */
#pragma once

#include "attestation/measure/reference.h"
#include "common/manifest/image.h"

#include <pthread.h>

enum {
	IMAGES_MAX = 16,
	IMAGES_FOLDER_MAX = 63,
	IMAGES_OPEN_MAX =
		2 *
		IMAGES_MAX, /* with those whose folder is gone, while one is launched from them */
	IMAGES_FILES_MAX = 64, /* in the folder of one whose verdict is kept though it is broken */
};

/* Their folders' names, in order. A single one has none. Of more than IMAGES_MAX the last are left out, and never the
 * default: they are found by their own name alone (images_is_one()). */
struct images_found {
	char names[IMAGES_MAX][IMAGES_FOLDER_MAX + 1];
	size_t count, left_out;
	char first_left_out[IMAGES_FOLDER_MAX + 1];
	bool several;
	bool none; /* neither one image nor any below: what is named then is not there */
};
int images_find(const char *dir, struct images_found *found, struct err *e) MUST_CHECK;
bool images_has(const struct images_found *found, const char *name);

/* 1: a folder of that name holds one, and the name is good. */
int images_is_one(const char *dir, const char *name, struct err *e) MUST_CHECK;

/* Which one `default` names; empty for a single one. ERR_PRECONDITION if it names none. */
int images_default(const char *dir, const struct images_found *found,
		   char name[IMAGES_FOLDER_MAX + 1], struct err *e) MUST_CHECK;

/* a-z 0-9 - . _ (63 at most), a letter or digit first; and not `default`. */
int images_name_check(const char *name, struct err *e) MUST_CHECK;

/* All that is in a folder, as it was. */
struct images_stamp {
	uint64_t digest;
	unsigned files;
	int64_t changed_ms; /* the last of them, since 1970 */
};

/* One that was opened, or could not be. */
struct images_one {
	bool is_taken;
	bool looking; /* somebody reads it, without the lock */
	char name[IMAGES_FOLDER_MAX + 1];
	struct image *image;
	struct efi_boot *boot; /* what firmware measures of it; NULL: not known yet */
	unsigned launches;     /* under way: it stays */
	bool is_broken;        /* as the next three say */
	struct images_stamp stamp;
	int64_t looked_ms;
	struct err why;
};

struct images {
	const char *dir; /* borrowed */
	pthread_mutex_t lock;
	pthread_cond_t looked;
	struct images_one all[IMAGES_OPEN_MAX];
	char last[IMAGE_NAME_MAX]; /* of the default, when it was last asked for */
	size_t left_out;           /* and how many were, then */
};
void images_init(struct images *images, const char *dir);
void images_done(struct images *images);

/* The one of that folder, read and checked again if it was changed since; one that is broken only if something in
 * its folder was. Valid until the next call. */
int images_open(struct images *images, const char *name, struct images_one **one,
		struct err *e) MUST_CHECK;

/* The same where it was opened before and nothing has changed, else NULL: the lock stays held. */
struct images_one *images_opened(struct images *images, const char *name);

/* The one that is wished for: by its folder, by flavour, or by flavour and digest; "": the default. ERR_INVALID if there
 * is none, or if several have that flavour and the default has not. */
int images_choose(struct images *images, const char *wish, struct images_one **one,
		  struct err *e) MUST_CHECK;
