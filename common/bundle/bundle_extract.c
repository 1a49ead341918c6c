/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_extract.c — a hostile zip, read by libzip, judged as a whole before anything is written.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/bundle/bundle.h"
#include "common/bundle/bundle_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

enum {
	COPY_LEN = 1 << 16,
	RATIO_FROM = 1 << 20, /* the ratio of smaller entries is not limited */
	END_LEN = 22,         /* APPNOTE 4.3.16 without its comment */
	LOCATOR_LEN = 20,     /* 4.3.15 */
	END64_LEN = 56,       /* 4.3.14 */
	TAIL_MAX = END_LEN + 65535 + LOCATOR_LEN,
};

DEFINE_CLEANUP(zip_t *, zip_discard)
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
	uint64_t size; /* of all contents */
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

/* libzip's error as ours: out of memory and internal errors are the machine's, the others the
 * archive's. */
static int zip_fault(struct err *e, zip_error_t *error, const char *what)
{
	int code = zip_error_code_zip(error);
	enum err_code ours = ERR_INVALID;

	if (code == ZIP_ER_MEMORY)
		ours = ERR_EXHAUSTED;
	else if (code == ZIP_ER_INTERNAL)
		ours = ERR_INTERNAL;
	return err_set(e, ours, "%s: %s", what, zip_error_strerror(error));
}

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return value ? value : fallback;
}

static int refuse_entries(const struct bundle_limits *limits, uint64_t count, struct err *e)
{
	if (count > limits->entries)
		return err_set(e, ERR_EXHAUSTED, "%llu entries: the limit is %llu",
			       (unsigned long long)count, (unsigned long long)limits->entries);
	return 0;
}

/* A 64-bit end record at the offset that a locator names: its count of entries (4.3.14). */
static int check_end64(int fd, const uint8_t *locator, const struct bundle_limits *limits,
		       struct err *e)
{
	uint8_t record[END64_LEN];
	struct reader r = reader_over(locator, LOCATOR_LEN);

	if (reader_le32(&r) != 0x07064b50)
		return 0;
	reader_skip(&r, 4);
	uint64_t offset = reader_le64(&r);
	if (offset > INT64_MAX ||
	    pread(fd, record, sizeof(record), (off_t)offset) != (ssize_t)sizeof(record))
		return err_set(e, ERR_INVALID, "zip64 end record lies outside the file");
	r = reader_over(record, sizeof(record));
	reader_skip(&r, 24);
	uint64_t on_disk = reader_le64(&r), total = reader_le64(&r);
	if (refuse_entries(limits, on_disk, e) < 0)
		return err_code(e);
	return refuse_entries(limits, total, e);
}

/* libzip allocates for as many entries as the archive claims before we could count them. Only the
 * 64-bit end record can claim more than 65535, so every place where one could be is looked at. */
static int check_claims(int fd, uint64_t file_size, const struct bundle_limits *limits,
			struct err *e)
{
	size_t len = file_size < TAIL_MAX ? (size_t)file_size : TAIL_MAX;
	CLEANUP(free) uint8_t *tail = malloc(len + 1);

	if (!tail)
		return err_nomem(e);
	if (pread(fd, tail, len, (off_t)(file_size - len)) != (ssize_t)len)
		return err_set(e, ERR_ABORTED, "the file changed while it was read");
	for (size_t at = LOCATOR_LEN; at + 4 <= len; at++)
		if (memcmp(tail + at, "PK\5\6", 4) == 0 &&
		    check_end64(fd, tail + at - LOCATOR_LEN, limits, e) < 0)
			return err_code(e);
	return 0;
}

static int open_zip(const char *file, const struct bundle_limits *limits, zip_t **zip,
		    uint64_t *file_size, struct err *e)
{
	CLEANUP(close) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int code = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "open '%s'", file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "not a file");
	if (check_claims(fd, (uint64_t)st.st_size, limits, e) < 0)
		return err_code(e);

	zip_t *opened = zip_fdopen(fd, ZIP_CHECKCONS, &code);
	if (!opened) {
		zip_error_t error;

		zip_error_init_with_code(&error, code);
		zip_fault(e, &error, "not a usable zip");
		zip_error_fini(&error);
		return err_code(e);
	}
	fd = -1; /* libzip's now */
	*zip = opened;
	*file_size = (uint64_t)st.st_size;
	return 0;
}

/* Where a tool wrote Unix mode bits, the kind that they state must agree with the name: that is
 * how zips carry links and devices. */
static int check_kind(struct job *job, const struct item *item, struct err *e)
{
	zip_uint8_t system;
	zip_uint32_t attributes;

	if (zip_file_get_external_attributes(job->zip, item->index, ZIP_FL_UNCHANGED, &system,
					     &attributes) < 0)
		return zip_fault(e, zip_get_error(job->zip), "attributes");
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

static int plan_one(struct job *job, zip_uint64_t index, struct err *e)
{
	zip_stat_t st;
	const char *name = zip_get_name(job->zip, index, ZIP_FL_ENC_RAW);

	if (!name || zip_stat_index(job->zip, index, ZIP_FL_UNCHANGED, &st) < 0)
		return zip_fault(e, zip_get_error(job->zip), "entry");
	if (bundle_path_check(name, e) < 0 || check_method(&st, name, e) < 0)
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

/* No path twice; no file where another entry needs a directory. */
static int check_collisions(const struct plan *plan, struct err *e)
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
		}
	}
	return 0;
}

static int make_plan(struct job *job, uint64_t file_size, struct err *e)
{
	zip_int64_t count = zip_get_num_entries(job->zip, ZIP_FL_UNCHANGED);

	if (count < 0)
		return zip_fault(e, zip_get_error(job->zip), "not a usable zip");
	if (refuse_entries(&job->limits, (uint64_t)count, e) < 0)
		return err_code(e);
	job->plan.items = calloc((size_t)count + 1, sizeof(*job->plan.items));
	if (!job->plan.items)
		return err_nomem(e);
	for (zip_uint64_t i = 0; i < (zip_uint64_t)count; i++)
		if (plan_one(job, i, e) < 0)
			return err_code(e);
	/* Entries may overlap, so what they claim to be packed in may exceed the file. */
	if (check_ratio("the archive", job->plan.size, file_size, job->limits.ratio, e) < 0)
		return err_code(e);
	qsort(job->plan.items, job->plan.count, sizeof(*job->plan.items), by_path);
	return check_collisions(&job->plan, e);
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
		if (number == EEXIST && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			return 0;
		errno = number;
		return err_errno(e, "make directory %s", log_quote(path).text);
	}
	/* whatever the umask is */
	if (fchmodat(parent, name, 0755, 0) < 0)
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
		return zip_fault(e, zip_get_error(job->zip), log_quote(item->path).text);
	for (;;) {
		zip_int64_t n = zip_fread(content, job->buffer, COPY_LEN);

		if (n < 0)
			return zip_fault(e, zip_file_get_error(content),
					 log_quote(item->path).text);
		if (job->limits.cancel && atomic_load(job->limits.cancel))
			return err_set(e, ERR_CANCELLED, "cancelled");
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
		errno = number;
		return err_errno(e, "make file %s", log_quote(item->path).text);
	}
	if (unpack(job, item, fd, e) < 0)
		return err_code(e);
	if (fchmod(fd, 0644) < 0)
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

		if (make_parents(job, item->path, e) < 0)
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
	if (open_zip(file, &job.limits, &zip, &file_size, e) < 0)
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
