/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/archive.h"

#include "agent/container/place.h"
#include "agent/container/tar.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct item {
	char *name, *link; /* link: where a symbolic one leads, else NULL */
	struct blob_place place;
};

struct archive {
	int fd;
	size_t count;
	struct item items[ARCHIVE_ITEMS_MAX];
};

int archive_file(const struct archive *archive)
{
	return archive->fd;
}

void archive_free(struct archive *archive)
{
	if (!archive)
		return;
	for (size_t i = 0; i < archive->count; i++) {
		free(archive->items[i].name);
		free(archive->items[i].link);
	}
	free(archive);
}

static const struct item *find(const struct archive *archive, const char *name)
{
	for (size_t i = 0; i < archive->count; i++)
		if (strcmp(archive->items[i].name, name) == 0)
			return &archive->items[i];
	return NULL;
}

static int add(struct archive *archive, const struct tar_entry *entry, struct err *e)
{
	struct item *item = &archive->items[archive->count];
	char name[TAR_PATH_MAX + 1];

	if (entry->kind == TAR_FOLDER)
		return 0;
	if (entry->kind != TAR_FILE && entry->kind != TAR_SYMLINK)
		return err_set(e, ERR_INVALID, "%s is no file", log_quote(entry->name).text);
	if (place_clean(entry->name, name, e) < 0)
		return err_code(e);
	if (find(archive, name))
		return err_set(e, ERR_INVALID, "%s is there twice", log_quote(name).text);
	if (archive->count == ARCHIVE_ITEMS_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d files", ARCHIVE_ITEMS_MAX);
	item->name = strdup(name);
	item->link = entry->kind == TAR_SYMLINK ? strdup(entry->link) : NULL;
	archive->count++;
	if (!item->name || (entry->kind == TAR_SYMLINK && !item->link))
		return err_nomem(e);
	item->place = (struct blob_place){ entry->offset, entry->size };
	return 0;
}

int archive_open(int fd, const atomic_bool *cancel, struct archive **out, struct err *e)
{
	CLEANUP(archive_free) struct archive *archive = calloc(1, sizeof(*archive));
	CLEANUP(blob_free) struct blob *blob = NULL;
	CLEANUP(free) struct tar_entry *entry = malloc(sizeof(*entry));
	enum blob_packing packing;
	struct stat st;
	int more;

	if (!archive || !entry)
		return err_nomem(e);
	if (fstat(fd, &st) < 0)
		return err_errno(e, "the archive");
	const struct blob_place whole = { 0, (uint64_t)st.st_size };
	if (blob_packing_of(fd, &whole, &packing, e) < 0)
		return err_code(e);
	if (packing != BLOB_PLAIN)
		return err_set(
			e, ERR_INVALID,
			"it is compressed as a whole: unpack it (gunzip, unzstd) and send the tar");
	if (blob_open(fd, &whole, BLOB_PLAIN, whole.size, &blob, e) < 0)
		return err_code(e);
	archive->fd = fd;
	struct tar tar = { .blob = blob, .seek = true };
	while ((more = tar_next(&tar, entry, e)) > 0) {
		if (cancel && atomic_load(cancel))
			return err_set(e, ERR_CANCELLED, "stopped");
		if (add(archive, entry, e) < 0)
			return err_code(e);
	}
	if (more < 0)
		return err_code(e);
	*out = TAKE_PTR(archive);
	return 0;
}

/* "a/layer.tar" → "../b/layer.tar" is "b/layer.tar". */
static int follow(const struct item *item, char name[TAR_PATH_MAX + 1], struct err *e)
{
	const char *slash = strrchr(item->name, '/'), *link = item->link;
	size_t len = slash ? (size_t)(slash - item->name) : 0;

	for (; strncmp(link, "../", 3) == 0 && len > 0; link += 3)
		while (len > 0 && item->name[--len] != '/')
			;
	int n = len > 0 ? snprintf(name, TAR_PATH_MAX + 1, "%.*s/%s", (int)len, item->name, link)
			: snprintf(name, TAR_PATH_MAX + 1, "%s", link);
	if (n > TAR_PATH_MAX || strstr(name, ".."))
		return err_set(e, ERR_INVALID, "the link %s leads out of the archive",
			       log_quote(item->name).text);
	return 0;
}

int archive_find(const struct archive *archive, const char *name, struct blob_place *place,
		 struct err *e)
{
	const struct item *item = find(archive, name);
	char there[TAR_PATH_MAX + 1];

	if (item && item->link) {
		if (follow(item, there, e) < 0)
			return err_code(e);
		item = find(archive, there);
	}
	if (!item || item->link)
		return err_set(e, ERR_NOT_FOUND, "the archive has no file %s",
			       log_quote(name).text);
	*place = item->place;
	return 0;
}

bool archive_has(const struct archive *archive, const char *name)
{
	return find(archive, name) != NULL;
}

int archive_read(const struct archive *archive, const struct blob_place *place, size_t max,
		 uint8_t **bytes, size_t *len, struct err *e)
{
	if (place->size > max)
		return err_set(e, ERR_EXHAUSTED, "is larger than %zu bytes", max);
	CLEANUP(free) uint8_t *all = malloc((size_t)place->size + 1);
	if (!all)
		return err_nomem(e);
	int whole = fd_read_at(archive->fd, all, (size_t)place->size, place->offset, e);
	if (whole < 0)
		return err_wrap(e, "the archive");
	if (!whole)
		return err_set(e, ERR_INVALID, "the archive ends early");
	*len = (size_t)place->size;
	*bytes = TAKE_PTR(all);
	return 0;
}
