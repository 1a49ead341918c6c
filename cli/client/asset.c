/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/asset.h"

#include "cli/base/progress.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE = 1 << 20 };

static void show(uint64_t done, uint64_t total, void *data)
{
	struct progress *p = data;

	p->total = total;
	progress_update(p, done);
}

/* Only regular files and directories: a pipe can't be read twice, and a device has no end. */
static int open_path(const char *path, struct stat *about, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	if (fstat(fd, about) < 0)
		err_errno(e, "stat '%s'", path);
	else if (!S_ISREG(about->st_mode) && !S_ISDIR(about->st_mode))
		err_set(e, ERR_INVALID, "'%s' is neither a file nor a directory", path);
	else
		return fd;
	close(fd);
	return err_code(e);
}

static int hash(struct asset *a, struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *digest = digest_new(DIGEST_SHA3_256, e);
	CLEANUP(free) uint8_t *piece = malloc(PIECE);
	struct progress p;
	uint64_t done = 0;

	if (!digest)
		return err_code(e);
	if (!piece)
		return err_nomem(e);
	progress_start(&p, "reading", a->size, 0);
	for (;;) {
		ssize_t got = pread(a->fd, piece, PIECE, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_errno(e, "read");
			progress_end(&p);
			return err_code(e);
		}
		if (got == 0)
			break;
		digest_add(digest, piece, (size_t)got);
		done += (uint64_t)got;
		progress_update(&p, done);
	}
	progress_end(&p);
	a->size = done;
	a->digested = true;
	return digest_finish(digest, a->digest, e);
}

/* A file without a name: it is gone when the process ends. */
static int scratch(struct err *e)
{
	const char *dir = secure_getenv("TMPDIR");
	int fd;

	if (!dir || !*dir)
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "a scratch file in '%s' (TMPDIR says where)", dir);
	return fd;
}

static int bundle(struct asset *a, int dir, struct err *e)
{
	struct progress p;
	int failed;

	a->fd = scratch(e);
	if (a->fd < 0)
		return a->fd;
	progress_start(&p, "bundling", 0, 0);
	failed = bundle_make(dir, a->fd, &(struct bundle_progress){ show, &p }, &a->size, a->digest,
			     e);
	progress_end(&p);
	a->bundled = a->digested = true;
	return failed;
}

/* The last name of the path, "x" of "a/x/"; the folder's own for "." What is open and has no name (/dev/fd/N) is called N. */
static int name_of(const char *path, char **name, struct err *e)
{
	CLEANUP(free) char *real = realpath(path, NULL);
	const char *last = real || errno != ENOENT ? NULL : strrchr(path, '/');

	if (!real && !last)
		return err_errno(e, "'%s'", path);
	last = (real ? strrchr(real, '/') : last) + 1;
	return text_format(name, e, "%s", *last ? last : "data");
}

int asset_digest_now(struct asset *a, struct err *e)
{
	if (!a->digested && hash(a, e) < 0)
		return err_wrap(e, "%s", log_quote(a->name).text);
	return 0;
}

int asset_open(struct asset *asset, const char *path, struct err *e)
{
	struct asset a CLEANUP_ASSET = { .fd = -1 };
	struct stat about;
	CLEANUP(close) int fd = open_path(path, &about, e);

	if (fd < 0)
		return fd;
	if (S_ISDIR(about.st_mode)) {
		if (bundle(&a, fd, e) < 0)
			return err_wrap(e, "'%s'", path);
	} else {
		a.fd = TAKE_FD(fd);
		a.size = (uint64_t)about.st_size;
	}
	if (name_of(path, &a.name, e) < 0 ||
	    (a.size <= ASSET_DIGESTED_MAX && asset_digest_now(&a, e) < 0))
		return err_code(e);
	*asset = a;
	a = (struct asset){ .fd = -1 };
	return 0;
}

void asset_close(struct asset *asset)
{
	if (asset->fd >= 0)
		close(asset->fd);
	free(asset->name);
	*asset = (struct asset){ .fd = -1 };
}

int asset_digest(const char *path, uint8_t out[SHA3_256_LEN], struct err *e)
{
	struct stat about;
	CLEANUP(close) int fd = open_path(path, &about, e);
	struct progress p;
	int failed;

	if (fd < 0)
		return fd;
	if (!S_ISDIR(about.st_mode)) {
		struct asset a = { .fd = fd, .size = (uint64_t)about.st_size };

		if (hash(&a, e) < 0)
			return err_wrap(e, "'%s'", path);
		memcpy(out, a.digest, SHA3_256_LEN);
		return 0;
	}
	progress_start(&p, "reading", 0, 0);
	failed = bundle_digest(fd, &(struct bundle_progress){ show, &p }, out, e);
	progress_end(&p);
	return failed ? err_wrap(e, "'%s'", path) : 0;
}

int asset_hint(struct cli *cli, const struct err *e)
{
	if (strstr(e->text, BUNDLE_REFUSED_LINK))
		cli_hint(cli,
			 "'cp -rL DIR COPY' makes a copy that has the files in the links' place");
	return err_code(e);
}
