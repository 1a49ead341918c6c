/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images.h — the guest images of MANAGER_IMAGE_DIR: it holds one (image.json), or a folder for each of several
 * and the link `default`, which names one of them. Functions block; a caller takes care that one runs at a time.
 */
#pragma once

#include "attestation/measure/reference.h"
#include "common/manifest/image.h"

enum {
	IMAGES_MAX = 16,
	IMAGES_FOLDER_MAX = 63,
	IMAGES_OPEN_MAX =
		2 *
		IMAGES_MAX, /* with those whose folder is gone, while one is launched from them */
};

/* Their folders' names, in order. A single one has none. */
struct images_found {
	char names[IMAGES_MAX][IMAGES_FOLDER_MAX + 1];
	size_t count;
	bool several;
};
int images_find(const char *dir, struct images_found *found, struct err *e) MUST_CHECK;
bool images_has(const struct images_found *found, const char *name);

/* Which one `default` names; empty for a single one. ERR_PRECONDITION if it names none. */
int images_default(const char *dir, const struct images_found *found,
		   char name[IMAGES_FOLDER_MAX + 1], struct err *e) MUST_CHECK;

/* a-z 0-9 - . _ (63 at most), a letter or digit first; and not `default`. */
int images_name_check(const char *name, struct err *e) MUST_CHECK;

/* One that was opened. */
struct images_one {
	char name[IMAGES_FOLDER_MAX + 1];
	struct image *image;
	struct efi_boot *boot; /* what firmware measures of it; NULL: not known yet */
	unsigned launches;     /* under way: it stays */
};

struct images {
	const char *dir; /* borrowed */
	struct images_one all[IMAGES_OPEN_MAX];
	size_t count;
	char last[IMAGE_NAME_MAX]; /* of the default, when it was last asked for */
};
void images_done(struct images *images);

/* The one of that folder, read and checked again if it was changed since. Valid until the next call. */
int images_open(struct images *images, const char *name, struct images_one **one,
		struct err *e) MUST_CHECK;

/* The one that is wished for: by its folder, by flavour, or by flavour and digest; "": the default. ERR_INVALID if there
 * is none, or if several have that flavour and the default has not. */
int images_choose(struct images *images, const char *wish, struct images_one **one,
		  struct err *e) MUST_CHECK;
