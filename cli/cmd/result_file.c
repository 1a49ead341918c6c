/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/result_file.h"

#include "cli/base/interrupt.h"
#include "cli/base/progress.h"
#include "cli/evidence/receipt_check.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMES_MAX = 1000 };

void result_file_done(struct result_file *r)
{
	interrupt_clear();
	if (r->partial)
		unlink(r->partial);
	if (r->fd >= 0)
		close(r->fd);
	free(r->partial);
	free(r->path);
	*r = (struct result_file){ .fd = -1 };
}

static int look_for(const char *path, bool *there, struct err *e)
{
	struct stat about;

	*there = lstat(path, &about) == 0;
	return *there || errno == ENOENT ? 0 : err_errno(e, "'%s'", path);
}

/* The results' name and the receipt's, neither of which is there. */
static int is_free(const char *path, bool *free_, struct err *e)
{
	CLEANUP(free) char *receipt = NULL;
	bool results, other;

	if (receipt_check_name(path, &receipt, e) < 0 || look_for(path, &results, e) < 0 ||
	    look_for(receipt, &other, e) < 0)
		return err_code(e);
	*free_ = !results && !other;
	return 0;
}

static int free_name(char **path, struct err *e)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char name[32];
		bool both;

		snprintf(name, sizeof(name), i ? "results_%u.zip" : "results.zip", i);
		if (is_free(name, &both, e) < 0)
			return err_code(e);
		if (both) {
			*path = strdup(name);
			return *path ? 0 : err_nomem(e);
		}
	}
	return err_set(e, ERR_EXISTS,
		       "results.zip to results_%d.zip are all there: name a file "
		       "with -f",
		       NAMES_MAX - 1);
}

int result_file_open(struct result_file *r, const char *name, struct err *e)
{
	bool both = true;

	if (name && is_free(name, &both, e) < 0)
		return err_code(e);
	if (!both)
		return err_set(e, ERR_EXISTS,
			       "'%s' is there already, or its receipt: results are handed out "
			       "once, so nothing is overwritten; choose another name",
			       name);
	if (name && !(r->path = strdup(name)))
		return err_nomem(e);
	if (!name && free_name(&r->path, e) < 0)
		return err_code(e);
	if (text_format(&r->partial, e, "%s.part-XXXXXX", r->path) < 0)
		return err_code(e);
	r->fd = mkostemp(r->partial, O_CLOEXEC); /* 0600 */
	if (r->fd < 0) {
		err_errno(e, "write beside '%s'", r->path);
		free(r->partial);
		r->partial = NULL;
		return err_code(e);
	}
	return 0;
}

int result_file_reserve(struct result_file *r, struct cli *cli, uint64_t size, struct err *e)
{
	char text[32];

	errno = size > INT64_MAX ? EFBIG : size ? posix_fallocate(r->fd, 0, (off_t)size) : 0;
	if (!errno) {
		r->room = size;
		return 0;
	}
	progress_size(size, text, sizeof(text));
	err_errno(e, "room for %s of results beside '%s'", text, r->path);
	cli_hint(cli,
		 "the results were not taken, since they are handed out once: name another place "
		 "with -f, or make room");
	return err_code(e);
}

void result_file_keep(struct result_file *r)
{
	fprintf(stderr, "the results are in %s\n", r->partial);
	free(r->partial);
	r->partial = NULL;
}

/* Some file systems have no links. */
static int name(struct result_file *r, struct err *e)
{
	bool there;

	if (link(r->partial, r->path) == 0)
		return 0;
	if (errno != EPERM && errno != EOPNOTSUPP)
		return err_errno(e, "name the results '%s'", r->path);
	if (look_for(r->path, &there, e) < 0)
		return err_code(e);
	if (there)
		return err_set(e, ERR_EXISTS, "name the results: '%s' is there now", r->path);
	return rename(r->partial, r->path) < 0 ? err_errno(e, "name the results '%s'", r->path) : 0;
}

int result_file_end(struct result_file *r, struct err *e)
{
	if (ftruncate(r->fd, (off_t)r->written) == 0 && fsync(r->fd) == 0)
		return 0;
	err_errno(e, "write the results to '%s'", r->partial);
	result_file_keep(r);
	return err_code(e);
}

int result_file_commit(struct result_file *r, struct err *e)
{
	if (name(r, e) < 0) {
		result_file_keep(r);
		return err_code(e);
	}
	/* Its second name is tried again in the end. */
	if (unlink(r->partial) == 0 || errno == ENOENT) {
		free(r->partial);
		r->partial = NULL;
	}
	/* They come once: what power takes away, nobody hands out again. */
	if (file_sync_folder(r->path, e) < 0)
		return err_wrap(e, "the results are in '%s'", r->path);
	return 0;
}
