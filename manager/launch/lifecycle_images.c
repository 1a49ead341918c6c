/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle_images.c — what operators do with the images: list them, choose the default, take one away. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "manager/launch/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names that no image has, for what is under way. */
#define NEXT_DEFAULT ".default"
#define REMOVED      ".removed"

/* What CVMs have. */
struct users {
	struct cvm *cvms;
	size_t count;
};

static void users_done(struct users *users)
{
	free(users->cvms);
}
#define CLEANUP_USERS __attribute__((cleanup(users_done)))

/* One that uses that image, and how many do. */
static const char *user_of(const struct users *users, const char *image, unsigned *count)
{
	const char *id = NULL;

	*count = 0;
	for (size_t i = 0; i < users->count; i++)
		if (strcmp(users->cvms[i].image, image) == 0) {
			id = users->cvms[i].id;
			++*count;
		}
	return id;
}

static void fill_row(struct lifecycle *l, const struct users *users, struct lifecycle_image *row)
{
	struct images_one *one;
	struct err e;

	if (images_open(&l->images, row->folder, &one, &e) < 0) {
		snprintf(row->problem, sizeof(row->problem), "%s", e.text);
		return;
	}
	image_name(one->image, row->name);
	(void)user_of(users, row->name, &row->cvms);
	/* Requests may ask for more. */
	if (l->config->max_memory >> 20 < one->image->min_memory_mib)
		snprintf(row->problem, sizeof(row->problem),
			 "it needs %llu MiB of memory: more than MANAGER_MAX_MEMORY",
			 (unsigned long long)one->image->min_memory_mib);
}

/* Nobody reads those: they may be any number. */
static void fill_left_out(const struct images_found *found, struct lifecycle_image *row)
{
	*row = (struct lifecycle_image){ .cvms = 0 };
	memcpy(row->folder, found->first_left_out, sizeof(row->folder));
	snprintf(row->problem, sizeof(row->problem),
		 "there are more than %d images: this and %zu more are found by their names alone, "
		 "and not listed; take some away",
		 IMAGES_MAX, found->left_out - 1);
}

static int list(struct lifecycle *l, const struct users *users,
		struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX], size_t *count, struct err *e)
{
	char usual[IMAGES_FOLDER_MAX + 1];
	struct images_found found;
	bool has_default;
	struct err none;

	if (images_find(l->images.dir, &found, e) < 0)
		return err_code(e);
	has_default = images_default(l->images.dir, &found, usual, &none) == 0;
	for (size_t i = 0; i < found.count; i++) {
		rows[i] = (struct lifecycle_image){ .cvms = 0 };
		memcpy(rows[i].folder, found.names[i], sizeof(rows[i].folder));
		rows[i].is_default = has_default && strcmp(usual, found.names[i]) == 0;
		fill_row(l, users, &rows[i]);
	}
	*count = found.count;
	if (found.left_out)
		fill_left_out(&found, &rows[(*count)++]);
	return 0;
}

int lifecycle_images(struct lifecycle *l, struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX],
		     size_t *count, struct err *e)
{
	struct users users CLEANUP_USERS = { .cvms = NULL };
	int failed;

	if (registry_list(l->registry, &users.cvms, &users.count, e) < 0)
		return err_code(e);
	pthread_mutex_lock(&l->images.lock);
	failed = list(l, &users, rows, count, e);
	pthread_mutex_unlock(&l->images.lock);
	return failed;
}

/* It is one of several. */
static int check_name(const struct lifecycle *l, const char *folder, struct images_found *found,
		      struct err *e)
{
	int is_one;

	if (images_name_check(folder, e) < 0 || images_find(l->images.dir, found, e) < 0)
		return err_code(e);
	if (!found->several)
		return err_set(
			e, ERR_PRECONDITION,
			"MANAGER_IMAGE_DIR is the folder of one image: name one that holds a "
			"folder for each image");
	is_one = images_is_one(l->images.dir, folder, e);
	if (is_one < 0)
		return err_code(e);
	if (!is_one)
		return err_set(
			e, ERR_NOT_FOUND,
			"no image '%s' in MANAGER_IMAGE_DIR: 'cocos-cli image list' lists them",
			folder);
	return 0;
}

/* The names in it are on the disk. */
static int sync_folder(const char *dir, struct err *e)
{
	CLEANUP(close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(e, "write '%s'", dir);
	return 0;
}

static int switch_link(const char *dir, const char *folder, struct err *e)
{
	CLEANUP(free) char *link = NULL, *next = NULL;

	if (text_format(&link, e, "%s/default", dir) < 0 ||
	    text_format(&next, e, "%s/" NEXT_DEFAULT, dir) < 0)
		return err_code(e);
	/* One that was left by a manager that was killed. */
	if (unlink(next) < 0 && errno != ENOENT)
		return err_errno(e, "remove '%s'", next);
	if (symlink(folder, next) < 0)
		return err_errno(e, "make '%s'", next);
	if (rename(next, link) < 0) {
		err_record_errno(e, "replace '%s'", link);
		(void)unlink(next);
		return err_code(e);
	}
	return sync_folder(dir, e);
}

static int set_default(struct lifecycle *l, const char *folder, struct err *e)
{
	struct images_found found;
	struct images_one *one;

	if (check_name(l, folder, &found, e) < 0)
		return err_code(e);
	if (images_open(&l->images, folder, &one, e) < 0 ||
	    lifecycle_check_memory(l->config, one->image, e) < 0)
		return err_wrap(e, "image '%s'", folder);
	if (switch_link(l->images.dir, folder, e) < 0)
		return err_code(e);
	image_name(one->image, l->images.last);
	log_info("image '%s', %s, is the default from now on", folder, l->images.last);
	return 0;
}

int lifecycle_set_default_image(struct lifecycle *l, const char *folder, struct err *e)
{
	int failed;

	pthread_mutex_lock(&l->images.lock);
	failed = set_default(l, folder, e);
	pthread_mutex_unlock(&l->images.lock);
	return failed;
}

/* Some image that is there, and that is not that one, has the name that a CVM's record has. */
static bool is_another_s(struct lifecycle *l, const struct images_found *found, const char *folder,
			 const char *name)
{
	for (size_t i = 0; i < found->count; i++) {
		char its[IMAGE_NAME_MAX];
		struct images_one *one;

		if (strcmp(found->names[i], folder) == 0 ||
		    !(one = images_opened(&l->images, found->names[i])))
			continue;
		image_name(one->image, its);
		if (strcmp(its, name) == 0)
			return true;
	}
	return false;
}

/* All of them are read before anything is decided, which takes its time without the lock; then nobody can launch one.
 * What can't be read may be what any CVM was launched from whose image is none of the others. */
static int check_unused(struct lifecycle *l, const struct images_found *found, const char *folder,
			struct err *e)
{
	struct users users CLEANUP_USERS = { .cvms = NULL };
	char name[IMAGE_NAME_MAX] = "";
	struct images_one *one;
	const char *user = NULL;
	unsigned count = 0;
	struct err broken;

	(void)!images_open(&l->images, folder, &one, &broken);
	for (size_t i = 0; i < found->count; i++)
		(void)!images_open(&l->images, found->names[i], &one, &broken);
	if (registry_list(l->registry, &users.cvms, &users.count, e) < 0)
		return err_code(e);
	one = images_opened(&l->images, folder);
	if (one) {
		image_name(one->image, name);
		user = user_of(&users, name, &count);
	}
	for (size_t i = 0; !*name && i < users.count; i++)
		if (!is_another_s(l, found, folder, users.cvms[i].image)) {
			user = users.cvms[i].id;
			count++;
		}
	for (size_t i = 0; !user && i < IMAGES_OPEN_MAX; i++)
		if (l->images.all[i].launches && strcmp(l->images.all[i].name, folder) == 0)
			user = "that is being launched";
	if (user)
		return err_set(e, ERR_PRECONDITION,
			       "image '%s' is used by CVM %s%s: remove it first", folder, user,
			       count > 1 ? " and others" : "");
	return 0;
}

/* Out of sight at once, and then away; what an earlier one left goes with it. A link's image stays where it is. */
static int remove_folder(const char *dir, const char *folder, struct err *e)
{
	CLEANUP(free) char *path = NULL, *away = NULL;
	struct stat st;

	if (text_format(&path, e, "%s/%s", dir, folder) < 0 ||
	    text_format(&away, e, "%s/" REMOVED, dir) < 0)
		return err_code(e);
	if (lstat(path, &st) < 0)
		return err_errno(e, "'%s'", path);
	if (S_ISLNK(st.st_mode))
		return unlink(path) < 0 ? err_errno(e, "remove '%s'", path) : sync_folder(dir, e);
	if (dir_remove(away, e) < 0)
		return err_code(e);
	if (rename(path, away) < 0)
		return err_errno(e, "remove '%s'", path);
	return sync_folder(dir, e) < 0 ? err_code(e) : dir_remove(away, e);
}

/* The default is that folder, or a link to it, which would lead nowhere. */
static bool has_default(const struct lifecycle *l, const char *usual, const char *folder)
{
	CLEANUP(free) char *one = NULL, *other = NULL;
	struct stat a, b;
	struct err none;

	return strcmp(usual, folder) == 0 ||
	       (text_format(&one, &none, "%s/%s", l->images.dir, usual) == 0 &&
		text_format(&other, &none, "%s/%s", l->images.dir, folder) == 0 &&
		stat(one, &a) == 0 && lstat(other, &b) == 0 && a.st_dev == b.st_dev &&
		a.st_ino == b.st_ino);
}

static int remove_image(struct lifecycle *l, const char *folder, struct err *e)
{
	char usual[IMAGES_FOLDER_MAX + 1];
	struct images_found found;
	struct err none;

	if (check_name(l, folder, &found, e) < 0)
		return err_code(e);
	if (images_default(l->images.dir, &found, usual, &none) == 0 &&
	    has_default(l, usual, folder))
		return err_set(e, ERR_PRECONDITION,
			       "image '%s' is the default: 'cocos-cli image default NAME' sets "
			       "another one",
			       folder);
	if (check_unused(l, &found, folder, e) < 0 || remove_folder(l->images.dir, folder, e) < 0)
		return err_code(e);
	log_info("image '%s' is removed", folder);
	return 0;
}

int lifecycle_remove_image(struct lifecycle *l, const char *folder, struct err *e)
{
	int failed;

	pthread_mutex_lock(&l->images.lock);
	failed = remove_image(l, folder, e);
	pthread_mutex_unlock(&l->images.lock);
	return failed;
}
