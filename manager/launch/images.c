/* SPDX-License-Identifier: Apache-2.0 */
/* images.c — the images that were opened: read and checked once, without anybody else waiting for it. */
#include "manager/launch/images.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SETTING "MANAGER_IMAGE_DIR"

enum { SETTLED_MS = 2000 };

static void forget(struct images_one *one)
{
	image_free(TAKE_PTR(one->image));
	free(TAKE_PTR(one->boot));
	one->is_broken = false;
}

void images_init(struct images *images, const char *dir)
{
	*images = (struct images){ .dir = dir };
	pthread_mutex_init(&images->lock, NULL);
	pthread_cond_init(&images->looked, NULL);
}

void images_done(struct images *images)
{
	if (!images->dir)
		return;
	for (size_t i = 0; i < IMAGES_OPEN_MAX; i++)
		forget(&images->all[i]);
	pthread_cond_destroy(&images->looked);
	pthread_mutex_destroy(&images->lock);
	images->dir = NULL;
}

/* Somebody is launching it, or looks at it without the lock. */
static bool is_held(const struct images_one *one)
{
	return one->launches || one->looking;
}

/* Those whose folders are gone, unless they are held. */
static void forget_gone(struct images *images, const struct images_found *found)
{
	struct err e;

	for (size_t i = 0; i < IMAGES_OPEN_MAX; i++) {
		struct images_one *one = &images->all[i];

		if (!one->is_taken || is_held(one) || images_has(found, one->name) ||
		    images_is_one(images->dir, one->name, &e) > 0)
			continue;
		forget(one);
		one->is_taken = false;
	}
}

static struct images_one *find(struct images *images, const char *name)
{
	for (size_t i = 0; i < IMAGES_OPEN_MAX; i++)
		if (images->all[i].is_taken && strcmp(images->all[i].name, name) == 0)
			return &images->all[i];
	return NULL;
}

/* Its place, or a free one, or that of one which nobody holds. */
static struct images_one *place_of(struct images *images, const char *name)
{
	struct images_one *one = find(images, name);

	for (size_t i = 0; !one && i < IMAGES_OPEN_MAX; i++)
		if (!images->all[i].is_taken)
			one = &images->all[i];
	for (size_t i = 0; !one && i < IMAGES_OPEN_MAX; i++)
		if (!is_held(&images->all[i]))
			one = &images->all[i];
	if (one && (!one->is_taken || strcmp(one->name, name) != 0)) {
		forget(one);
		*one = (struct images_one){ .is_taken = true };
		memcpy(one->name, name, strlen(name) + 1);
	}
	return one;
}

static void mix(struct images_stamp *s, const struct stat *st)
{
	const uint64_t parts[] = { (uint64_t)st->st_dev,          (uint64_t)st->st_ino,
				   (uint64_t)st->st_size,         (uint64_t)st->st_mtim.tv_sec,
				   (uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_ctim.tv_sec,
				   (uint64_t)st->st_ctim.tv_nsec };
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	int64_t changed = (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) /* FNV-1a, of whole words */
		digest = (digest ^ parts[i]) * UINT64_C(0x100000001b3);
	s->digest += digest; /* in whatever order they come */
	if (changed > s->changed_ms)
		s->changed_ms = changed;
}

/* Of every file in the folder, and of those that links lead to. False: it can't be told. */
static bool stamp(const char *path, struct images_stamp *out)
{
	struct images_stamp s = { .digest = 0 };
	DIR *entries = opendir(path);
	const struct dirent *entry;
	struct stat st;
	struct err e;
	int more = entries && fstat(dirfd(entries), &st) == 0 ? 1 : -1;

	if (more > 0)
		mix(&s, &st);
	while (more > 0 && (more = dir_next(entries, &entry, &e)) > 0) {
		if (++s.files > IMAGES_FILES_MAX ||
		    fstatat(dirfd(entries), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			more = -1;
		else
			mix(&s, &st);
		if (more > 0 && S_ISLNK(st.st_mode) &&
		    fstatat(dirfd(entries), entry->d_name, &st, 0) == 0)
			mix(&s, &st);
	}
	if (entries)
		closedir(entries);
	*out = s;
	return more == 0;
}

/* What was broken is so as long as nothing in its folder changes; but what changed just before it was looked at may
 * have been changed once more in the same tick of the clock. */
static bool is_still_broken(const struct images_one *one, const char *path)
{
	struct images_stamp now;

	return one->is_broken && stamp(path, &now) && now.digest == one->stamp.digest &&
	       now.files == one->stamp.files && now.changed_ms + SETTLED_MS < one->looked_ms;
}

static bool is_known(const struct images_one *one, const char *path)
{
	return one->image ? image_is_current(one->image) : is_still_broken(one, path);
}

/* Reads and checks it, without the lock; its place is held. */
static void look(struct images *images, struct images_one *one, const char *path)
{
	struct images_stamp before = { .digest = 0 };
	struct image *fresh = NULL;
	int64_t now = clock_ms(CLOCK_REALTIME);
	bool is_stamped;
	struct err e;
	int failed;

	one->looking = true;
	pthread_mutex_unlock(&images->lock);
	is_stamped = stamp(path, &before);
	failed = image_open(path, &fresh, &e);
	pthread_mutex_lock(&images->lock);
	one->looking = false;
	forget(one);
	one->image = fresh;
	one->why = e;
	one->is_broken = failed && is_stamped;
	one->stamp = before;
	one->looked_ms = now;
	pthread_cond_broadcast(&images->looked);
}

int images_open(struct images *images, const char *name, struct images_one **one, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct images_one *place;

	if (text_format(&path, e, "%s%s%s", images->dir, *name ? "/" : "", name) < 0)
		return err_code(e);
	while ((place = place_of(images, name)) && place->looking)
		pthread_cond_wait(&images->looked, &images->lock);
	if (!place)
		return err_set(e, ERR_EXHAUSTED, "%d images are in use", IMAGES_OPEN_MAX);
	if (!is_known(place, path))
		look(images, place, path);
	if (!place->image) {
		*e = place->why;
		return err_code(e);
	}
	*one = place;
	return 0;
}

struct images_one *images_opened(struct images *images, const char *name)
{
	struct images_one *one = find(images, name);

	return one && one->image && image_is_current(one->image) ? one : NULL;
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
	/* The one that nobody looked at may have that flavour, too. */
	if (!also && best == 1 && found->left_out)
		also = found->first_left_out;
	if (also)
		return err_set(
			e, ERR_INVALID,
			"image: %s is the flavour of %s, of %s and perhaps others: ask for one by "
			"its name, or by flavour and digest",
			log_quote(wish).text, chosen, also);
	if (!chosen && found->left_out)
		return err_set(e, ERR_INVALID,
			       "image: %s is asked for, and none of the first %d in " SETTING
			       " is that: ask for another one by its name",
			       log_quote(wish).text, IMAGES_MAX);
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

/* Once, until there are none. */
static void tell_left_out(struct images *images, const struct images_found *found)
{
	if (found->left_out && !images->left_out)
		log_warn(SETTING " '%s': '%s' and %zu more are beyond %d images, and are found by "
				 "their names alone: take some away",
			 images->dir, found->first_left_out, found->left_out - 1, IMAGES_MAX);
	images->left_out = found->left_out;
}

int images_choose(struct images *images, const char *wish, struct images_one **one, struct err *e)
{
	char usual[IMAGES_FOLDER_MAX + 1];
	struct images_found found;
	struct images_one *it;
	struct err none;

	if (images_find(images->dir, &found, e) < 0)
		return err_code(e);
	if (found.none)
		return err_set(
			e, ERR_PRECONDITION,
			"no image.json in '%s': install an image (package cocos-image-base, or "
			"scripts/build-image), or name its folder in " SETTING,
			images->dir);
	forget_gone(images, &found);
	tell_left_out(images, &found);
	if (*wish && found.several) {
		int is_one = images_is_one(images->dir, wish, e);

		if (is_one < 0)
			return err_code(e);
		if (is_one)
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
