/* SPDX-License-Identifier: Apache-2.0 */
/* images_find.c — which images MANAGER_IMAGE_DIR holds, by the names of their folders, and which is the default. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "manager/launch/images.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int images_is_one(const char *dir, const char *name, struct err *e)
{
	struct err not_one;

	return images_name_check(name, &not_one) == 0 ? has_image(dir, name, e) : 0;
}

static void leave_out(struct images_found *f, const char *name)
{
	if (!f->left_out++ || strcmp(name, f->first_left_out) < 0)
		memcpy(f->first_left_out, name, strlen(name) + 1);
}

/* In order; of too many, the last are left out. What has another name, or is no folder with an image, is not ours. */
static int add(struct images_found *f, const char *dir, const char *name, struct err *e)
{
	int is_one = images_is_one(dir, name, e);
	size_t at = f->count;

	if (is_one <= 0)
		return is_one;
	while (at && strcmp(f->names[at - 1], name) > 0)
		at--;
	if (f->count == IMAGES_MAX) {
		leave_out(f, at == IMAGES_MAX ? name : f->names[IMAGES_MAX - 1]);
		f->count -= at < IMAGES_MAX;
	}
	if (at == IMAGES_MAX)
		return 0;
	memmove(f->names[at + 1], f->names[at], (f->count - at) * sizeof(f->names[0]));
	memcpy(f->names[at], name, strlen(name) + 1);
	f->count++;
	return 0;
}

static int read_default(const char *dir, char target[IMAGES_FOLDER_MAX + 2], struct err *e)
{
	CLEANUP(free) char *path = NULL;
	ssize_t len;

	if (text_format(&path, e, "%s/default", dir) < 0)
		return err_code(e);
	len = readlink(path, target, IMAGES_FOLDER_MAX + 1);
	target[len < 0 ? 0 : len] = '\0';
	return 0;
}

/* What CVMs get that ask for none is never the one too many. */
static int keep_default(struct images_found *f, const char *dir, struct err *e)
{
	char target[IMAGES_FOLDER_MAX + 2];
	int is_one;

	if (!f->left_out)
		return 0;
	if (read_default(dir, target, e) < 0)
		return err_code(e);
	is_one = images_has(f, target) ? 0 : images_is_one(dir, target, e);
	if (is_one <= 0)
		return is_one;
	memcpy(f->first_left_out, f->names[IMAGES_MAX - 1], sizeof(f->first_left_out));
	memcpy(f->names[IMAGES_MAX - 1], target, strlen(target) + 1);
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
	if (more < 0 || keep_default(&f, dir, e) < 0)
		return err_code(e);
	/* A folder without images is one whose image.json is missing, and refused as such. */
	if (!f.count)
		f = (struct images_found){ .count = 1 };
	f.none = !is_single && !f.several;
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
	char target[IMAGES_FOLDER_MAX + 2];

	if (!found->several) {
		*name = '\0';
		return 0;
	}
	if (read_default(dir, target, e) < 0)
		return err_code(e);
	if (!images_has(found, target))
		return err_set(
			e, ERR_PRECONDITION,
			"'%s/default' is no link to the folder of an image beside it: 'ln -sfn NAME "
			"%s/default' makes it one, or, while the manager runs, 'cocos-cli image "
			"default NAME'",
			dir, dir);
	memcpy(name, target, strlen(target) + 1);
	return 0;
}
