/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_extract.c — a hostile zip, read by libzip, judged as a whole before anything is written.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"
#include "common/bundle/bundle_path.h"
#include "common/bundle/bundle_zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum {
	COPY_LEN = 1 << 16,
	RATIO_FROM = 1 << 20, /* the ratio of smaller entries is not limited */
};

DEFINE_CLEANUP(zip_file_t *, zip_fclose)

struct item {
	char *path; /* without a final slash */
	zip_uint64_t index;
	uint64_t size, packed;
	bool is_dir;
};

struct plan {
	struct item *items;
	size_t count;
	uint64_t size;  /* of all contents */
	size_t implied; /* directories that only stand in others' paths */
};

/* What we made, in order, to be taken back. */
struct made {
	char **paths;
	size_t count, room;
};

struct job {
	zip_t *zip;
	int dir;
	struct bundle_limits limits;
	struct plan plan;
	struct made made;
	uint8_t *buffer;
};

static void job_done(struct job *job)
{
	for (size_t i = 0; i < job->plan.count; i++)
		free(job->plan.items[i].path);
	free(job->plan.items);
	for (size_t i = 0; i < job->made.count; i++)
		free(job->made.paths[i]);
	free(job->made.paths);
	free(job->buffer);
}

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return value ? value : fallback;
}

/* Where a tool wrote Unix mode bits, the kind that they state must agree with the name: that is
 * how zips carry links and devices. */
static int check_kind(struct job *job, const struct item *item, struct err *e)
{
	zip_uint8_t system;
	zip_uint32_t attributes;

	if (zip_file_get_external_attributes(job->zip, item->index, ZIP_FL_UNCHANGED, &system,
					     &attributes) < 0)
		return bundle_zip_fault(e, zip_get_error(job->zip), "attributes");
	mode_t kind = (attributes >> 16) & S_IFMT;
	if (kind != 0 && kind != (item->is_dir ? S_IFDIR : S_IFREG))
		return err_set(e, ERR_INVALID,
			       "%s is a link, a device or of another kind than its "
			       "name says: only files and directories are unpacked",
			       log_quote(item->path).text);
	if (item->is_dir && item->size > 0)
		return err_set(e, ERR_INVALID, "directory %s has content",
			       log_quote(item->path).text);
	return 0;
}

static int check_ratio(const char *what, uint64_t size, uint64_t packed, uint64_t limit,
		       struct err *e)
{
	/* size / limit rounds down, so a ratio barely over the limit may pass. */
	if (size > RATIO_FROM && size / limit > packed)
		return err_set(e, ERR_EXHAUSTED,
			       "%s unpacks to more than %llu times its packed size", what,
			       (unsigned long long)limit);
	return 0;
}

static int check_sizes(struct job *job, const struct item *item, struct err *e)
{
	if (item->size > job->limits.bytes - job->plan.size)
		return err_set(e, ERR_EXHAUSTED, "more than %llu bytes of content",
			       (unsigned long long)job->limits.bytes);
	job->plan.size += item->size;
	return check_ratio(log_quote(item->path).text, item->size, item->packed, job->limits.ratio,
			   e);
}

static int check_method(const zip_stat_t *st, const char *path, struct err *e)
{
	const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
				    ZIP_STAT_ENCRYPTION_METHOD;

	if ((st->valid & needed) != needed)
		return err_set(e, ERR_INVALID, "%s: incomplete entry", log_quote(path).text);
	if (st->encryption_method != ZIP_EM_NONE)
		return err_set(e, ERR_INVALID, "%s is encrypted", log_quote(path).text);
	if (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE)
		return err_set(e, ERR_INVALID,
			       "%s is packed with method %u: only stored and deflated can be read",
			       log_quote(path).text, st->comp_method);
	return 0;
}

/* What stands first in a path is whose it is. */
static int check_reserved(const struct job *job, const char *path, struct err *e)
{
	size_t len = strcspn(path, "/");

	for (const char *const *name = job->limits.reserved; name && *name; name++)
		if (strlen(*name) == len && memcmp(path, *name, len) == 0)
			return err_set(e, ERR_INVALID, "%s has a name that belongs to others",
				       log_quote(path).text);
	return 0;
}

static int check_wanted(const struct job *job, struct err *e)
{
	if (job->limits.cancel && atomic_load(job->limits.cancel))
		return err_set(e, ERR_CANCELLED, "cancelled");
	return 0;
}

static int plan_one(struct job *job, zip_uint64_t index, struct err *e)
{
	zip_stat_t st;
	const char *name = zip_get_name(job->zip, index, ZIP_FL_ENC_RAW);

	if (!name || zip_stat_index(job->zip, index, ZIP_FL_UNCHANGED, &st) < 0)
		return bundle_zip_fault(e, zip_get_error(job->zip), "entry");
	if (bundle_path_check(name, e) < 0 || check_reserved(job, name, e) < 0 ||
	    check_method(&st, name, e) < 0)
		return err_code(e);

	struct item *item = &job->plan.items[job->plan.count];
	size_t len = strlen(name);
	item->is_dir = name[len - 1] == '/';
	item->path = strndup(name, item->is_dir ? len - 1 : len);
	if (!item->path)
		return err_nomem(e);
	job->plan.count++;
	item->index = index;
	item->size = st.size;
	item->packed = st.comp_size;
	if (check_kind(job, item, e) < 0)
		return err_code(e);
	return check_sizes(job, item, e);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

/* No path twice; no file where another entry needs a directory. Counts those that have no entry. */
static int check_collisions(struct plan *plan, struct err *e)
{
	char parent[BUNDLE_PATH_MAX + 1];

	for (size_t i = 0; i < plan->count; i++) {
		const struct item *item = &plan->items[i];

		if (i > 0 && strcmp(plan->items[i - 1].path, item->path) == 0)
			return err_set(e, ERR_INVALID, "%s is there twice",
				       log_quote(item->path).text);
		for (const char *slash = strchr(item->path, '/'); slash;
		     slash = strchr(slash + 1, '/')) {
			size_t len = (size_t)(slash - item->path);

			memcpy(parent, item->path, len);
			parent[len] = '\0';
			const struct item key = { .path = parent };
			const struct item *found = bsearch(&key, plan->items, plan->count,
							   sizeof(*plan->items), by_path);
			if (found && !found->is_dir)
				return err_set(e, ERR_INVALID, "%s is both a file and a directory",
					       log_quote(parent).text);
			/* What begins with the same stands together. */
			if (!found &&
			    (i == 0 || strncmp(plan->items[i - 1].path, item->path, len + 1) != 0))
				plan->implied++;
		}
	}
	return 0;
}

/* The folder that holds everything is where we unpack already. */
static void strip(struct plan *plan, const char *folder)
{
	size_t len = strlen(folder), kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct item *item = &plan->items[i];

		if (strncmp(item->path, folder, len) != 0 ||
		    (item->path[len] ? item->path[len] != '/' : !item->is_dir))
			return;
	}
	for (size_t i = 0; i < plan->count; i++) {
		struct item item = plan->items[i];

		if (!item.path[len]) { /* the folder itself */
			free(item.path);
			continue;
		}
		memmove(item.path, item.path + len + 1, strlen(item.path + len + 1) + 1);
		plan->items[kept++] = item;
	}
	plan->count = kept;
}

/* Before the first byte: a disk that runs full on the way stops everybody else, too. */
static int check_space(const struct job *job, struct err *e)
{
	struct statvfs fs;

	if (fstatvfs(job->dir, &fs) < 0)
		return err_errno(e, "free space");
	const uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (job->plan.size > free_bytes)
		return err_set(e, ERR_EXHAUSTED,
			       "%llu bytes of content, and %llu are free on the disk",
			       (unsigned long long)job->plan.size, (unsigned long long)free_bytes);
	const uint64_t wanted = job->plan.count + job->plan.implied;
	/* Some file systems make inodes as they go, and have no number of them. */
	if (fs.f_files && wanted > fs.f_favail)
		return err_set(e, ERR_EXHAUSTED,
			       "%llu files and directories, and the disk has inodes for %llu",
			       (unsigned long long)wanted, (unsigned long long)fs.f_favail);
	return 0;
}

static int make_plan(struct job *job, uint64_t file_size, struct err *e)
{
	zip_int64_t count = zip_get_num_entries(job->zip, ZIP_FL_UNCHANGED);

	if (count < 0)
		return bundle_zip_fault(e, zip_get_error(job->zip), "not a usable zip");
	if (bundle_zip_entries_check((uint64_t)count, job->limits.entries, e) < 0)
		return err_code(e);
	job->plan.items = calloc((size_t)count + 1, sizeof(*job->plan.items));
	if (!job->plan.items)
		return err_nomem(e);
	for (zip_uint64_t i = 0; i < (zip_uint64_t)count; i++)
		if (check_wanted(job, e) < 0 || plan_one(job, i, e) < 0)
			return err_code(e);
	/* Entries may overlap, so what they claim to be packed in may exceed the file. */
	if (check_ratio("the archive", job->plan.size, file_size, job->limits.ratio, e) < 0)
		return err_code(e);
	if (job->limits.strip)
		strip(&job->plan, job->limits.strip);
	qsort(job->plan.items, job->plan.count, sizeof(*job->plan.items), by_path);
	if (check_collisions(&job->plan, e) < 0 ||
	    bundle_zip_entries_check(job->plan.count + job->plan.implied, job->limits.entries, e) <
		    0)
		return err_code(e);
	return check_space(job, e);
}

/* The directory that holds `path`, and the last name in it. */
static int open_parent(int dir, const char *path, const char **name, struct err *e)
{
	char parent[BUNDLE_PATH_MAX + 1] = ".";
	const char *slash = strrchr(path, '/');

	if (slash) {
		memcpy(parent, path, (size_t)(slash - path));
		parent[slash - path] = '\0';
	}
	*name = slash ? slash + 1 : path;
	int fd = bundle_open_beneath(dir, parent, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return err_errno(e, "open directory %s", log_quote(parent).text);
	return fd;
}

/* The list grows before anything is created, so what exists is always on it. */
static int remember(struct made *made, const char *path, struct err *e)
{
	if (made->count == made->room) {
		size_t room = made->room ? made->room * 2 : 64;
		char **grown = realloc(made->paths, room * sizeof(*grown));

		if (!grown)
			return err_nomem(e);
		made->paths = grown;
		made->room = room;
	}
	made->paths[made->count] = strdup(path);
	if (!made->paths[made->count])
		return err_nomem(e);
	made->count++;
	return 0;
}

static void forget_last(struct made *made)
{
	free(made->paths[--made->count]);
}

static void take_back(int dir, const struct made *made)
{
	struct err ignored;
	const char *name;

	for (size_t i = made->count; i-- > 0;) {
		CLEANUP(close) int parent = open_parent(dir, made->paths[i], &name, &ignored);

		if (parent >= 0 && unlinkat(parent, name, 0) < 0)
			unlinkat(parent, name, AT_REMOVEDIR);
	}
}

static int make_dir(struct job *job, const char *path, struct err *e)
{
	const char *name;
	CLEANUP(close) int parent = open_parent(job->dir, path, &name, e);

	if (parent < 0 || remember(&job->made, path, e) < 0)
		return err_code(e);
	if (mkdirat(parent, name, 0755) < 0) {
		int number = errno;
		struct stat st;

		forget_last(&job->made);
		if (number == EEXIST && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_errno(e, "%s", log_quote(path).text);
		if (number == EEXIST && S_ISDIR(st.st_mode))
			return 0;
		if (number == EEXIST)
			return err_set(e, ERR_EXISTS, "%s is here already, as a file",
				       log_quote(path).text);
		errno = number;
		return err_errno(e, "make directory %s", log_quote(path).text);
	}
	/* whatever the umask is */
	if (fchmodat(parent, name, job->limits.secret ? 0700 : 0755, 0) < 0)
		return err_errno(e, "make directory %s", log_quote(path).text);
	return 0;
}

static int make_parents(struct job *job, const char *path, struct err *e)
{
	char parent[BUNDLE_PATH_MAX + 1];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(parent, path, (size_t)(slash - path));
		parent[slash - path] = '\0';
		if (make_dir(job, parent, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* Exactly the size that was declared and judged; libzip checks the CRC when it meets the end. */
static int unpack(struct job *job, const struct item *item, int fd, struct err *e)
{
	CLEANUP(zip_fclose)
	zip_file_t *content = zip_fopen_index(job->zip, item->index, ZIP_FL_UNCHANGED);
	uint64_t seen = 0;

	if (!content)
		return bundle_zip_fault(e, zip_get_error(job->zip), log_quote(item->path).text);
	for (;;) {
		zip_int64_t n = zip_fread(content, job->buffer, COPY_LEN);

		if (n < 0)
			return bundle_zip_fault(e, zip_file_get_error(content),
						log_quote(item->path).text);
		if (check_wanted(job, e) < 0)
			return err_code(e);
		seen += (uint64_t)n;
		if (seen > item->size || (n == 0 && seen != item->size))
			return err_set(e, ERR_INVALID, "%s has another size than declared",
				       log_quote(item->path).text);
		if (n == 0)
			return 0;
		if (fd_write_all(fd, job->buffer, (size_t)n, e) < 0)
			return err_wrap(e, "write %s", log_quote(item->path).text);
	}
}

static int make_file(struct job *job, const struct item *item, struct err *e)
{
	const char *name;
	CLEANUP(close) int parent = open_parent(job->dir, item->path, &name, e);

	if (parent < 0 || remember(&job->made, item->path, e) < 0)
		return err_code(e);
	CLEANUP(close)
	int fd = bundle_open_beneath(parent, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		int number = errno;

		forget_last(&job->made);
		if (number == EEXIST)
			return err_set(e, ERR_EXISTS, "%s is here already",
				       log_quote(item->path).text);
		errno = number;
		return err_errno(e, "make file %s", log_quote(item->path).text);
	}
	if (unpack(job, item, fd, e) < 0)
		return err_code(e);
	if (fchmod(fd, job->limits.secret ? 0600 : 0644) < 0)
		return err_errno(e, "make file %s", log_quote(item->path).text);
	return 0;
}

static int carry_out(struct job *job, struct err *e)
{
	job->buffer = malloc(COPY_LEN);
	if (!job->buffer)
		return err_nomem(e);
	for (size_t i = 0; i < job->plan.count; i++) {
		const struct item *item = &job->plan.items[i];

		if (check_wanted(job, e) < 0 || make_parents(job, item->path, e) < 0)
			return err_code(e);
		if ((item->is_dir ? make_dir(job, item->path, e) : make_file(job, item, e)) < 0)
			return err_code(e);
	}
	return 0;
}

int bundle_extract(const char *file, int dir, const struct bundle_limits *limits, struct err *e)
{
	__attribute__((cleanup(job_done))) struct job job = { .dir = dir };
	CLEANUP(zip_discard) zip_t *zip = NULL;
	uint64_t file_size = 0;

	job.limits.entries = or_default(limits ? limits->entries : 0, BUNDLE_ENTRIES_MAX);
	job.limits.bytes = or_default(limits ? limits->bytes : 0, BUNDLE_BYTES_DEFAULT);
	job.limits.ratio = or_default(limits ? limits->ratio : 0, BUNDLE_RATIO_DEFAULT);
	job.limits.cancel = limits ? limits->cancel : NULL;
	job.limits.reserved = limits ? limits->reserved : NULL;
	job.limits.strip = limits ? limits->strip : NULL;
	job.limits.secret = limits && limits->secret;
	if (bundle_zip_open(file, job.limits.entries, &zip, &file_size, e) < 0)
		return err_wrap(e, "unpack");
	job.zip = zip;
	if (make_plan(&job, file_size, e) < 0)
		return err_wrap(e, "unpack");
	if (carry_out(&job, e) < 0) {
		take_back(dir, &job.made);
		return err_wrap(e, "unpack");
	}
	return 0;
}
