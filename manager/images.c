/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/images.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTING "MANAGER_IMAGE_DIR"

int images_name_check(const char *name, struct err *e)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-._";
	size_t len = strlen(name);

	if (len == 0 || len > IMAGES_FOLDER_MAX || strspn(name, chars) != len ||
	    strchr("-._", *name) || strcmp(name, "default") == 0)
		return err_set(
			e, ERR_INVALID,
			"image: %s is no name of one: a-z 0-9 - . _ (%d at most), a letter or "
			"digit first, and not 'default'",
			log_quote(name).text, IMAGES_FOLDER_MAX);
	return 0;
}

/* 1: an image is there, or at least what says that it is one. */
static int has_image(const char *dir, const char *name, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct stat st;

	if (text_format(&path, e, "%s%s%s/image.json", dir, *name ? "/" : "", name) < 0)
		return err_code(e);
	return stat(path, &st) == 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What has another name, or is no folder with an image, is not ours. */
static int add(struct images_found *found, const char *dir, const char *name, struct err *e)
{
	struct err not_one;
	int is_one = images_name_check(name, &not_one) == 0 ? has_image(dir, name, e) : 0;

	if (is_one <= 0)
		return is_one;
	if (found->count == IMAGES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       SETTING " '%s' has more than %d images: take some away", dir,
			       IMAGES_MAX);
	memcpy(found->names[found->count++], name, strlen(name) + 1);
	return 0;
}

int images_find(const char *dir, struct images_found *found, struct err *e)
{
	struct images_found f = { .count = 0 };
	DIR *entries = NULL;
	const struct dirent *entry;
	int more = 0, is_single = has_image(dir, "", e);

	if (is_single < 0)
		return err_code(e);
	entries = is_single ? NULL : opendir(dir);
	f.several = entries != NULL;
	f.count = f.several ? 0 : 1;
	while (entries && (more = dir_next(entries, &entry, e)) > 0)
		if ((more = add(&f, dir, entry->d_name, e)) < 0)
			break;
	if (entries)
		closedir(entries);
	if (more < 0)
		return err_code(e);
	/* A folder without images is one whose image.json is missing, and refused as such. */
	if (!f.count)
		f = (struct images_found){ .count = 1 };
	qsort(f.names, f.count, sizeof(f.names[0]), compare);
	*found = f;
	return 0;
}

bool images_has(const struct images_found *found, const char *name)
{
	for (size_t i = 0; i < found->count; i++)
		if (strcmp(found->names[i], name) == 0)
			return true;
	return false;
}

int images_default(const char *dir, const struct images_found *found,
		   char name[IMAGES_FOLDER_MAX + 1], struct err *e)
{
	CLEANUP(free) char *path = NULL;
	char target[IMAGES_FOLDER_MAX + 2];
	ssize_t len;

	if (!found->several) {
		*name = '\0';
		return 0;
	}
	if (text_format(&path, e, "%s/default", dir) < 0)
		return err_code(e);
	len = readlink(path, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = '\0';
	if (!images_has(found, target))
		return err_set(
			e, ERR_PRECONDITION,
			"'%s' is no link to the folder of an image beside it: 'ln -sfn NAME %s' "
			"makes it one, or, while the manager runs, 'cocos-cli image default NAME'",
			path, path);
	memcpy(name, target, strlen(target) + 1);
	return 0;
}

static void forget(struct images_one *one)
{
	image_free(TAKE_PTR(one->image));
	free(TAKE_PTR(one->boot));
}

void images_done(struct images *images)
{
	for (size_t i = 0; i < images->count; i++)
		forget(&images->all[i]);
	images->count = 0;
}

/* Those whose folders are gone, unless one is being launched from them. */
static void forget_gone(struct images *images, const struct images_found *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < images->count; i++) {
		if (images->all[i].launches || images_has(found, images->all[i].name))
			images->all[kept++] = images->all[i];
		else
			forget(&images->all[i]);
	}
	images->count = kept;
}

static struct images_one *place_of(struct images *images, const char *name)
{
	struct images_one *one = images->all, *end = images->all + images->count;

	while (one < end && strcmp(one->name, name) != 0)
		one++;
	if (one == end && images->count < IMAGES_OPEN_MAX) {
		*one = (struct images_one){ .image = NULL };
		memcpy(one->name, name, strlen(name) + 1);
		images->count++;
	}
	return one < images->all + images->count ? one : NULL;
}

int images_open(struct images *images, const char *name, struct images_one **one, struct err *e)
{
	struct images_one *place = place_of(images, name);
	CLEANUP(free) char *path = NULL;
	struct image *fresh;

	if (!place)
		return err_set(e, ERR_EXHAUSTED, "%d images are in use", IMAGES_OPEN_MAX);
	if (!place->image || !image_is_current(place->image)) {
		if (text_format(&path, e, "%s%s%s", images->dir, *name ? "/" : "", name) < 0 ||
		    image_open(path, &fresh, e) < 0)
			return err_code(e);
		forget(place);
		place->image = fresh;
	}
	*one = place;
	return 0;
}

/* By name, and by its place: 0 for one that has nothing of the wish, 1 for its flavour, 2 for flavour and digest. */
static int fits(const struct images_one *one, const char *wish)
{
	char name[IMAGE_NAME_MAX];

	image_name(one->image, name);
	return strcmp(wish, name) == 0 ? 2 : strcmp(wish, one->image->flavour) == 0 ? 1 : 0;
}

/* Those that can't be read are none of the wish; who wishes for one by its folder is told why. */
static int choose_by_kind(struct images *images, const struct images_found *found,
			  const char *usual, const char *wish, struct images_one **one,
			  struct err *e)
{
	const char *chosen = NULL, *also = NULL;
	int best = 0;

	for (size_t i = 0; i < found->count; i++) {
		const char *name = found->names[i];
		struct images_one *it;
		struct err broken;
		int fit = images_open(images, name, &it, &broken) == 0 ? fits(it, wish) : 0;

		if (fit && fit < 2 && strcmp(name, usual) == 0 && best < 2) {
			best = 2; /* the default's flavour is that of the default */
			chosen = name;
			also = NULL;
		} else if (fit > best) {
			best = fit;
			chosen = name;
			also = NULL;
		} else if (fit == 1 && best == 1) {
			also = name;
		}
	}
	if (also)
		return err_set(
			e, ERR_INVALID,
			"image: %s is the flavour of %s, of %s and perhaps others: ask for one by "
			"its name, or by flavour and digest",
			log_quote(wish).text, chosen, also);
	if (!chosen)
		return err_set(e, ERR_INVALID,
			       "image: %s is asked for, and none in " SETTING
			       " has that name, flavour, or flavour and digest",
			       log_quote(wish).text);
	return images_open(images, chosen, one, e);
}

static int check_single(struct images *images, const char *wish, struct images_one *one,
			struct err *e)
{
	char name[IMAGE_NAME_MAX];

	if (fits(one, wish))
		return 0;
	image_name(one->image, name);
	return err_set(e, ERR_INVALID,
		       "image: %s is asked for, and this manager launches %s (" SETTING ")",
		       log_quote(wish).text, name);
}

int images_choose(struct images *images, const char *wish, struct images_one **one, struct err *e)
{
	char usual[IMAGES_FOLDER_MAX + 1];
	struct images_found found;
	struct images_one *it;
	struct err none;

	if (images_find(images->dir, &found, e) < 0)
		return err_code(e);
	forget_gone(images, &found);
	if (*wish && found.several) {
		if (images_has(&found, wish))
			return images_open(images, wish, one, e) < 0
				       ? err_wrap(e, "image '%s'", wish)
				       : 0;
		/* Without a default, others can still be asked for. */
		if (images_default(images->dir, &found, usual, &none) < 0)
			*usual = '\0';
		return choose_by_kind(images, &found, usual, wish, one, e);
	}
	if (images_default(images->dir, &found, usual, e) < 0 ||
	    images_open(images, usual, &it, e) < 0)
		return err_code(e);
	image_name(it->image, images->last);
	if (*wish && check_single(images, wish, it, e) < 0)
		return err_code(e);
	*one = it;
	return 0;
}
