/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/layer.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "common/crypto/keyed_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"

enum {
	COPY_LEN = 65536,
	SEEN_SLOTS = 1 << 20, /* twice as many as a tar may have entries */
};
_Static_assert(SEEN_SLOTS >= 2 * TAR_ENTRIES_MAX, "a set that is never full");

/* Names by a hash; one that two names have by chance refuses a good layer once in 10⁸. Its key is drawn anew, so that
 * nobody makes a layer whose names meet. */
struct seen {
	struct keyed_hash *hash;
	uint64_t slots[SEEN_SLOTS]; /* the lowest bit: a folder; 0: empty */
};

struct pass {
	struct tar tar;
	struct tar_entry entry;
	char path[TAR_PATH_MAX + 1];
	int root;
	uint64_t content; /* bytes of files */
	struct seen *seen;
	struct place_room *room;
	uint64_t most; /* bytes of the layer */
};

typedef int entry_fn(struct pass *pass, struct err *e);

/* A folder may be said again; nothing else may. */
static int see(struct pass *pass, struct err *e)
{
	bool folder = pass->entry.kind == TAR_FOLDER;
	uint64_t hash;
	size_t at;

	if (keyed_hash_of(pass->seen->hash, pass->path, strlen(pass->path), &hash, e) < 0)
		return err_code(e);
	hash = (hash | 2) & ~1ULL; /* never the empty slot's, nor the mark of a folder */
	at = (size_t)(hash >> 2) % SEEN_SLOTS;
	for (; pass->seen->slots[at]; at = (at + 1) % SEEN_SLOTS) {
		if ((pass->seen->slots[at] & ~1ULL) != hash)
			continue;
		if (folder && (pass->seen->slots[at] & 1))
			return 0;
		return err_set(e, ERR_INVALID, "%s is there twice", log_quote(pass->path).text);
	}
	pass->seen->slots[at] = hash | folder;
	return 0;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_whiteout(const char *path)
{
	return strncmp(last_name(path), WHITEOUT, strlen(WHITEOUT)) == 0;
}

/* What is below goes; that nothing is there is no fault. */
static int white_out(struct pass *pass, struct err *e)
{
	CLEANUP(close) int folder = -1;
	const char *name, *gone;

	if (pass->entry.kind != TAR_FILE || pass->entry.size > 0)
		return err_set(e, ERR_INVALID, "the whiteout %s is no empty file",
			       log_quote(pass->path).text);
	if (place_parent(pass->root, pass->path, NULL, &folder, &name, e) < 0)
		return err_code(e);
	gone = name + strlen(WHITEOUT);
	if (strcmp(name, OPAQUE) == 0)
		return folder < 0 ? 0 : place_empty(folder, e);
	if (!gone[0] || strcmp(gone, ".") == 0 || strcmp(gone, "..") == 0 ||
	    strncmp(gone, WHITEOUT, strlen(WHITEOUT)) == 0)
		return err_set(e, ERR_INVALID, "the whiteout %s names nothing that could go",
			       log_quote(pass->path).text);
	return folder < 0 ? 0 : place_remove(folder, gone, e);
}

static int look(struct pass *pass, struct err *e)
{
	const struct tar_entry *entry = &pass->entry;

	if (entry->kind == TAR_DEVICE)
		return err_set(e, ERR_INVALID, "%s is a device or pipe",
			       log_quote(pass->path).text);
	if (place_take(pass->room, e) < 0 || see(pass, e) < 0)
		return err_code(e);
	if (strstr(pass->path, WHITEOUT) == pass->path || strstr(pass->path, "/" WHITEOUT)) {
		const char *first = strstr(pass->path, "/" WHITEOUT);

		/* the mark is the last name's alone */
		if (!is_whiteout(pass->path) || (first && first + 1 != last_name(pass->path)) ||
		    (strstr(pass->path, WHITEOUT) == pass->path && strchr(pass->path, '/')))
			return err_set(e, ERR_INVALID, "%s is in a whiteout",
				       log_quote(pass->path).text);
		return white_out(pass, e);
	}
	pass->content += entry->size;
	return 0;
}

static int write_content(struct pass *pass, int fd, struct err *e)
{
	uint8_t bytes[COPY_LEN];
	size_t n;

	do {
		if (tar_read(&pass->tar, bytes, sizeof(bytes), &n, e) < 0 ||
		    fd_write_all(fd, bytes, n, e) < 0)
			return err_code(e);
	} while (n > 0);
	return 0;
}

static int put_file(struct pass *pass, int folder, const char *name, struct err *e)
{
	CLEANUP(close)
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const struct timespec times[] = { { .tv_sec = pass->entry.mtime },
					  { .tv_sec = pass->entry.mtime } };

	if (fd < 0)
		return err_errno(e, "make %s", log_quote(pass->path).text);
	if (write_content(pass, fd, e) < 0)
		return err_wrap(e, "%s", log_quote(pass->path).text);
	if (fchmod(fd, pass->entry.mode & 0111 ? 0755 : 0644) < 0 || futimens(fd, times) < 0)
		return err_errno(e, "%s", log_quote(pass->path).text);
	return 0;
}

static int put_link(struct pass *pass, int folder, const char *name, struct err *e)
{
	CLEANUP(close) int there = -1;
	const char *what;
	char path[TAR_PATH_MAX + 1];

	if (place_clean(pass->entry.link, path, e) < 0 ||
	    place_parent(pass->root, path, NULL, &there, &what, e) < 0)
		return err_wrap(e, "the hard link %s", log_quote(pass->path).text);
	if (there < 0)
		errno = ENOENT;
	if (there < 0 || linkat(there, what, folder, name, 0) < 0)
		return err_errno(e, "the hard link %s to %s", log_quote(pass->path).text,
				 log_quote(path).text);
	return 0;
}

static int put_symlink(struct pass *pass, int folder, const char *name, struct err *e)
{
	if (symlinkat(pass->entry.link, folder, name) < 0)
		return err_errno(e, "the link %s", log_quote(pass->path).text);
	return 0;
}

static int put_folder(struct pass *pass, int folder, const char *name, struct err *e)
{
	if (mkdirat(folder, name, 0755) < 0 || fchmodat(folder, name, 0755, 0) < 0)
		return err_errno(e, "make %s", log_quote(pass->path).text);
	return 0;
}

static int put(struct pass *pass, struct err *e)
{
	static int (*const kinds[])(struct pass *, int, const char *, struct err *) = {
		[TAR_FILE] = put_file,
		[TAR_FOLDER] = put_folder,
		[TAR_LINK] = put_link,
		[TAR_SYMLINK] = put_symlink,
	};
	CLEANUP(close) int folder = -1;
	const char *name;
	struct stat st;

	if (is_whiteout(pass->path))
		return 0;
	if (pass->entry.kind >= ARRAY_LEN(kinds))
		return err_set(e, ERR_INVALID, "the archive has changed meanwhile");
	if (place_parent(pass->root, pass->path, pass->room, &folder, &name, e) < 0)
		return err_code(e);
	/* a folder on a folder is the same one; anything else takes the place of what was there */
	bool there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!there && errno != ENOENT)
		return err_errno(e, "%s", log_quote(pass->path).text);
	if (there && S_ISDIR(st.st_mode) && pass->entry.kind == TAR_FOLDER)
		return 0;
	if (there && place_remove(folder, name, e) < 0)
		return err_code(e);
	return kinds[pass->entry.kind](pass, folder, name, e);
}

static int each(struct pass *pass, entry_fn *step, struct err *e)
{
	int more;

	while ((more = tar_next(&pass->tar, &pass->entry, e)) > 0) {
		if (place_clean(pass->entry.name, pass->path, e) < 0)
			return err_code(e);
		if (!pass->path[0] && pass->entry.kind != TAR_FOLDER)
			return err_set(e, ERR_INVALID, "something that is no folder is the root");
		if (pass->path[0] && step(pass, e) < 0)
			return err_code(e);
	}
	return more;
}

static int open_blob(const struct container *c, size_t i, struct pass *pass, struct blob **blob,
		     struct err *e)
{
	const struct container_layer *layer = &c->layers[i];

	if (blob_open(archive_file(c->archive), &layer->place, layer->packing, pass->most, blob,
		      e) < 0)
		return err_code(e);
	pass->tar = (struct tar){ .blob = *blob, .may_stop = true };
	return 0;
}

static int check_sums(const struct container *c, size_t i, struct blob *blob, struct err *e)
{
	const struct container_layer *layer = &c->layers[i];
	uint8_t packed[BLOB_DIGEST_LEN], plain[BLOB_DIGEST_LEN];

	if (blob_sums(blob, packed, plain, e) < 0)
		return err_code(e);
	if (layer->named && !bytes_equal(packed, layer->digest, sizeof(packed)))
		return err_set(e, ERR_INVALID, "its digest is not the one that the manifest names");
	if (!bytes_equal(plain, c->config.diff_ids[i], sizeof(plain)))
		return err_set(e, ERR_INVALID,
			       "its diff_id is not the one that the configuration names");
	return 0;
}

static int check_free(const struct pass *pass, struct err *e)
{
	struct statvfs fs;

	if (fstatvfs(pass->root, &fs) < 0)
		return err_errno(e, "the room for it");
	if (pass->content > (uint64_t)fs.f_bavail * fs.f_frsize)
		return err_set(e, ERR_EXHAUSTED, "%llu bytes of files, for which there is no room",
			       (unsigned long long)pass->content);
	return 0;
}

/* Its entries have taken theirs; folders of paths take theirs as they are made. */
static int take_bytes(const struct pass *pass, uint64_t bytes, struct err *e)
{
	if (bytes > pass->room->bytes)
		return err_set(e, ERR_EXHAUSTED,
			       "%llu bytes and %d for each entry, for which there is no room",
			       (unsigned long long)bytes, PLACE_COST);
	pass->room->bytes -= bytes;
	return 0;
}

static int apply(const struct container *c, size_t i, struct pass *pass, struct err *e)
{
	CLEANUP(blob_free) struct blob *first = NULL;
	CLEANUP(blob_free) struct blob *second = NULL;

	if (open_blob(c, i, pass, &first, e) < 0 || blob_sum(first, e) < 0 ||
	    each(pass, look, e) < 0 || check_sums(c, i, first, e) < 0 || check_free(pass, e) < 0)
		return err_code(e);
	if (take_bytes(pass, blob_position(first), e) < 0 ||
	    open_blob(c, i, pass, &second, e) < 0 || each(pass, put, e) < 0)
		return err_code(e);
	return 0;
}

int layer_apply(const struct container *c, size_t i, int root, struct place_room *room,
		struct err *e)
{
	CLEANUP(free) struct pass *pass = calloc(1, sizeof(*pass));
	CLEANUP(free) struct seen *seen = calloc(1, sizeof(*seen));

	int failed;

	if (!pass || !seen)
		return err_nomem(e);
	seen->hash = keyed_hash_new(NULL, e);
	if (!seen->hash)
		return err_code(e);
	pass->root = root;
	pass->seen = seen;
	pass->room = room;
	pass->most = room->bytes;
	failed = apply(c, i, pass, e);
	keyed_hash_free(seen->hash);
	return failed ? err_wrap(e, "layer %zu", i + 1) : 0;
}
