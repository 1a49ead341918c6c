/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/python/wheels.h"

#include "cli/base/progress.h"
#include "cli/python/pip.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/python/wheel.h"
#include "common/python/wheel_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { WHEELS_MAX = 256, PACKAGES_MAX = 2048, COPY_MAX = 1 << 24 };

struct work {
	struct cli *cli;
	const struct wheels_options *options;
	const Agent__StatusPython *python;
	struct python_target target;
	struct requirements wanted;
	uint8_t *text; /* of the requirements file */
	size_t text_len;
	char *top; /* a folder of our own, removed at the end */
	struct writer lock;
};

static void work_done(struct work *w)
{
	struct err e;

	if (w->top && dir_remove(w->top, &e) < 0)
		log_warn("%s", e.text);
	free(w->top);
	free(w->text);
	requirements_done(&w->wanted);
	writer_done(&w->lock);
}

/* ---- what the image has ---- */

/* The answer comes from outside, and its words become names of files and arguments of pip. */
static int read_target(struct work *w, struct err *e)
{
	const Agent__StatusPython *p = w->python;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	unsigned int minor;
	char version[16], name[REQUIREMENT_NAME_MAX];
	struct python_version ignored;

	snprintf(version, sizeof(version), "%s", p->version);
	if (sscanf(p->version, "3.%3u", &minor) == 1)
		snprintf(version, sizeof(version), "3.%u", minor);
	if (strcmp(version, p->version) != 0 || !p->machine[0] ||
	    strlen(p->machine) >= sizeof(w->target.machine) ||
	    p->machine[strspn(p->machine, letters)] || p->glibc > 999 ||
	    p->n_packages > PACKAGES_MAX || sscanf(version, "3.%3u", &minor) != 1)
		return err_set(e, ERR_INVALID, "the agent says nothing usable of its Python");
	for (size_t i = 0; i < p->n_packages; i++) {
		const Agent__StatusPackage *package = p->packages[i];

		if (!requirement_normalize(package->name, strlen(package->name), name) ||
		    strcmp(name, package->name) != 0 ||
		    (package->version[0] && strlen(package->version) >= PYTHON_VERSION_MAX))
			return err_set(e, ERR_INVALID, "the agent has a package that can't be: %s",
				       log_quote(package->name).text);
		/* What is empty is the message's constant, which nobody may write to. */
		if (package->version[0] &&
		    python_version_parse(package->version, strlen(package->version), &ignored, e) <
			    0)
			package->version[0] = '\0';
	}
	w->target = (struct python_target){ .minor = minor, .glibc = p->glibc };
	snprintf(w->target.machine, sizeof(w->target.machine), "%s", p->machine);
	return 0;
}

static const Agent__StatusPackage *find_package(const struct work *w, const char *name)
{
	for (size_t i = 0; i < w->python->n_packages; i++)
		if (strcmp(w->python->packages[i]->name, name) == 0)
			return w->python->packages[i];
	return NULL;
}

/* What an extra stands for only pip finds out. */
static bool is_met(const struct work *w, const struct requirement *r)
{
	const Agent__StatusPackage *package = find_package(w, r->name);

	return package && !r->extras[0] && requirement_met(r, package->version);
}

static bool is_wanted_anew(const struct work *w, const char *name)
{
	for (size_t i = 0; i < w->wanted.count; i++)
		if (strcmp(w->wanted.items[i].name, name) == 0)
			return !is_met(w, &w->wanted.items[i]);
	return false;
}

static size_t count_missing(const struct work *w, bool *hashed)
{
	size_t count = 0;

	*hashed = true;
	for (size_t i = 0; i < w->wanted.count; i++) {
		const struct requirement *r = &w->wanted.items[i];

		if (is_met(w, r))
			continue;
		count++;
		*hashed = *hashed && r->hash_count > 0;
	}
	return count;
}

/* ---- our folder ---- */

static int make_top(struct work *w, struct err *e)
{
	const char *dir = secure_getenv("TMPDIR");

	if (text_format(&w->top, e, "%s/cocos-wheels-XXXXXX", dir && *dir ? dir : "/tmp") < 0)
		return err_code(e);
	if (!mkdtemp(w->top)) {
		free(TAKE_PTR(w->top));
		return err_errno(e, "a scratch folder (TMPDIR says where)");
	}
	return 0;
}

/* "TOP/name", a new folder if it ends with a slash. */
static int path_in(const struct work *w, const char *name, char **path, struct err *e)
{
	if (text_format(path, e, "%s/%s", w->top, name) < 0)
		return err_code(e);
	return name[strlen(name) - 1] == '/' ? dir_make(*path, 0755, e) : 0;
}

static int write_in(const struct work *w, const char *name, const void *bytes, size_t len,
		    struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (path_in(w, name, &path, e) < 0)
		return err_code(e);
	return file_write(path, bytes, len, 0644, e);
}

/* What pip takes for installed: the least that makes a package (PEP 376, PEP 566). */
static int write_package(const struct work *w, const Agent__StatusPackage *p, struct err *e)
{
	CLEANUP(free) char *folder = NULL, *path = NULL, *file = NULL, *text = NULL;
	CLEANUP(free) char *name = strdup(p->name);

	if (!name)
		return err_nomem(e);
	for (char *dash = name; (dash = strchr(dash, '-'));)
		*dash = '_';
	if (text_format(&folder, e, "image/%s-%s.dist-info/", name, p->version) < 0 ||
	    path_in(w, folder, &path, e) < 0 || text_format(&file, e, "%sMETADATA", folder) < 0 ||
	    text_format(&text, e, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n", p->name,
			p->version) < 0)
		return err_code(e);
	return write_in(w, file, text, strlen(text), e);
}

static int write_image(const struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->python->n_packages; i++) {
		const Agent__StatusPackage *p = w->python->packages[i];

		if (p->version[0] && !is_wanted_anew(w, p->name) && write_package(w, p, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* ---- the wheels ---- */

static int copy_file(int from, const char *name, const char *to, struct err *e)
{
	CLEANUP(close) int in = openat(from, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CLEANUP(close) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		return err_errno(e, "copy %s", log_quote(name).text);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no file", log_quote(name).text);
	for (;;) {
		ssize_t n = sendfile(out, in, NULL, COPY_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "copy %s", log_quote(name).text);
		if (n == 0)
			return 0;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dirent *)*(const void *const *)a)->d_name,
		      ((const struct dirent *)*(const void *const *)b)->d_name);
}

static int not_hidden(const struct dirent *item)
{
	return item->d_name[0] != '.';
}

/* Every file of a folder, in order. */
struct files {
	struct dirent **items;
	int count;
};

static void files_done(struct files *f)
{
	for (int i = 0; i < f->count; i++)
		free(f->items[i]);
	free(f->items);
}

static int files_of(const char *dir, struct files *f, struct err *e)
{
	f->count = scandir(dir, &f->items, not_hidden, NULL);
	if (f->count < 0) {
		f->count = 0;
		return err_errno(e, "read '%s'", dir);
	}
	qsort(f->items, (size_t)f->count, sizeof(struct dirent *), by_name);
	if (f->count > WHEELS_MAX)
		return err_set(e, ERR_EXHAUSTED, "'%s' has more than %d files", dir, WHEELS_MAX);
	return 0;
}

static int copy_folder(const struct work *w, const char *wheels, struct err *e)
{
	__attribute__((cleanup(files_done))) struct files files = { 0 };
	const char *folder = w->options->folder;
	CLEANUP(close) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, "--wheels '%s'", folder);
	if (files_of(folder, &files, e) < 0)
		return err_wrap(e, "--wheels");
	if (!files.count)
		return err_set(e, ERR_INVALID, "--wheels '%s': no wheel is in it", folder);
	for (int i = 0; i < files.count; i++) {
		CLEANUP(free) char *to = NULL;

		if (text_format(&to, e, "%s/%s", wheels, files.items[i]->d_name) < 0 ||
		    copy_file(dir, files.items[i]->d_name, to, e) < 0)
			return err_wrap(e, "--wheels");
	}
	return 0;
}

static int fetch(const struct work *w, const char *wheels, bool locked, struct err *e)
{
	CLEANUP(free) char *image = NULL, *log = NULL, *lock = NULL;
	const char *requirements = w->options->requirements;

	if (path_in(w, "image/", &image, e) < 0 || path_in(w, "pip.log", &log, e) < 0 ||
	    path_in(w, "resolved", &lock, e) < 0 || write_image(w, e) < 0)
		return err_code(e);
	const struct pip pip = { &w->target, image, log };
	if (!locked && pip_resolve(w->cli, &pip, requirements, lock, e) < 0)
		return err_code(e);
	return pip_download(w->cli, &pip, locked ? w->options->lock : lock, wheels, e);
}

/* One line of the lock, and one for the owner to read. */
static int add_wheel(struct work *w, int dir, const char *file, uint64_t *total, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct wheel_name wheel;
	char path[320], size[32];
	struct stat st;

	if (wheel_name_parse(file, w->python ? &w->target : NULL, &wheel, e) < 0)
		return err_code(e);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, file);
	/* against the umask: the bundle's bytes have the modes in them */
	if (chmod(path, 0644) < 0 || stat(path, &st) < 0)
		return err_errno(e, "%s", file);
	if (digest_file(DIGEST_SHA256, path, digest, e) < 0)
		return err_code(e);
	size_t from = w->lock.len;
	writer_printf(&w->lock, "%s==%s --hash=sha256:", wheel.name, wheel.version_text);
	writer_hex(&w->lock, digest, sizeof(digest));
	writer_u8(&w->lock, '\n');
	if (writer_check(&w->lock, "lock", e) < 0)
		return err_code(e);
	progress_size((uint64_t)st.st_size, size, sizeof(size));
	fprintf(stderr, "  %-9s %.*s", size, (int)(w->lock.len - from), w->lock.bytes + from);
	*total += (uint64_t)st.st_size;
	return 0;
}

static int make_lock(struct work *w, const char *wheels, struct err *e)
{
	__attribute__((cleanup(files_done))) struct files files = { 0 };
	CLEANUP(close) int dir = open(wheels, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t total = 0;
	char size[32];

	if (dir < 0)
		return err_errno(e, "open '%s'", wheels);
	if (files_of(wheels, &files, e) < 0)
		return err_code(e);
	for (int i = 0; i < files.count; i++)
		if (add_wheel(w, dir, files.items[i]->d_name, &total, e) < 0)
			return err_wrap(e, "wheels");
	progress_size(total, size, sizeof(size));
	fprintf(stderr, "%d wheels, %s\n", files.count, size);
	return 0;
}

/* The wheels are those of the owner's lock, each and all. */
static int check_lock(const struct work *w, const char *wheels, struct wheel_lock *lock,
		      struct err *e)
{
	__attribute__((cleanup(files_done))) struct files files = { 0 };
	CLEANUP(close) int dir = open(wheels, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, "open '%s'", wheels);
	if (files_of(wheels, &files, e) < 0)
		return err_code(e);
	for (int i = 0; i < files.count; i++)
		if (wheel_lock_check(lock, dir, files.items[i]->d_name, &w->target, NULL, e) < 0)
			return err_code(e);
	return wheel_lock_check_all(lock, e);
}

/* ---- what is sent ---- */

/* For the index: what it has to deliver, with hashes, and what the image has. */
static int open_hashed(const struct work *w, struct asset *asset, struct err *e)
{
	CLEANUP_WRITER struct writer text = writer_up_to(2 * REQUIREMENTS_BYTES_MAX);
	CLEANUP(free) char *path = NULL;

	for (size_t i = 0; i < w->wanted.count; i++)
		if (is_met(w, &w->wanted.items[i]))
			writer_printf(&text, "%s\n", w->wanted.items[i].line);
	writer_bytes(&text, w->lock.bytes, w->lock.len);
	if (writer_check(&text, "requirements", e) < 0 ||
	    write_in(w, "requirements.txt", text.bytes, text.len, e) < 0 ||
	    path_in(w, "requirements.txt", &path, e) < 0)
		return err_code(e);
	return asset_open(asset, path, e);
}

static int make_bundle(const struct work *w, struct asset *asset, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (write_in(w, "bundle/requirements.txt", w->text, w->text_len, e) < 0 ||
	    write_in(w, "bundle/requirements.lock", w->lock.bytes, w->lock.len, e) < 0 ||
	    path_in(w, "bundle", &path, e) < 0 || asset_open(asset, path, e) < 0)
		return err_code(e);
	return asset_digest_now(asset, e);
}

/* Its digest is what a manifest's requirements_hash has to be, and a receipt tells. */
static int open_bundle(const struct work *w, struct asset *asset, struct err *e)
{
	char hex[2 * SHA3_256_LEN + 1];

	if (make_bundle(w, asset, e) < 0)
		return err_code(e);
	hex_encode(asset->digest, SHA3_256_LEN, hex);
	fprintf(stderr, "requirements with these wheels: %s\n", hex);
	return 0;
}

/* The owner's lock, parsed; `there` says whether there is one. */
static int read_lock(const struct work *w, struct wheel_lock *lock, bool *there, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t len;

	*there = access(w->options->lock, F_OK) == 0;
	if (!*there)
		return 0;
	if (file_read(w->options->lock, REQUIREMENTS_BYTES_MAX, &text, &len, e) < 0 ||
	    wheel_lock_parse(text, len, &w->target, lock, e) < 0)
		return err_wrap(e, "--lock '%s'", w->options->lock);
	return 0;
}

static int with_wheels(struct work *w, struct asset *asset, struct err *e)
{
	CLEANUP(free) char *wheels = NULL;
	__attribute__((cleanup(wheel_lock_done))) struct wheel_lock lock = { 0 };
	const struct wheels_options *o = w->options;
	bool locked = false;

	if (o->lock && read_lock(w, &lock, &locked, e) < 0)
		return err_code(e);
	if (locked && !lock.rows.count)
		return err_set(e, ERR_PRECONDITION,
			       "--lock '%s': no wheel is in it, and the image lacks what the "
			       "requirements ask for",
			       o->lock);
	if (make_top(w, e) < 0 || path_in(w, "bundle/wheels/", &wheels, e) < 0 ||
	    (o->folder ? copy_folder(w, wheels, e) : fetch(w, wheels, locked, e)) < 0 ||
	    make_lock(w, wheels, e) < 0)
		return err_code(e);
	if (locked && check_lock(w, wheels, &lock, e) < 0)
		return err_wrap(e, "--lock '%s'", o->lock);
	if (o->lock && !locked && file_write_new(o->lock, w->lock.bytes, w->lock.len, 0644, e) < 0)
		return err_wrap(e, "--lock");
	return o->hashes ? open_hashed(w, asset, e) : open_bundle(w, asset, e);
}

/* The image has all: the requirements travel as they are, and the lock is one without a wheel. */
static int without_wheels(struct work *w, struct asset *asset, struct err *e)
{
	__attribute__((cleanup(wheel_lock_done))) struct wheel_lock lock = { 0 };
	const char *path = w->options->lock;
	bool there = false;

	if (path && read_lock(w, &lock, &there, e) < 0)
		return err_code(e);
	if (lock.rows.count)
		return err_set(
			e, ERR_PRECONDITION,
			"--lock '%s': %s is in it, and the image has all that the requirements "
			"ask for: name another lock, or ask for the version that has to travel",
			path, lock.rows.items[0].text);
	if (path && !there && file_write_new(path, "", 0, 0644, e) < 0)
		return err_wrap(e, "--lock");
	return asset_open(asset, w->options->requirements, e);
}

static int check_runtime(const struct work *w, struct err *e)
{
	const char *runtime = w->options->runtime;

	if (!runtime || strcmp(runtime, "python3") == 0 ||
	    (strncmp(runtime, "python", 6) == 0 && strcmp(runtime + 6, w->python->version) == 0))
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "--python-runtime %s: the agent tells what python%s has, and of no other",
		       log_quote(runtime).text, w->python->version);
}

int wheels_open(struct cli *cli, const Agent__StatusPython *python,
		const struct wheels_options *options, struct asset *asset, struct err *e)
{
	__attribute__((cleanup(work_done))) struct work w = {
		.cli = cli,
		.options = options,
		.python = python,
		.lock = writer_up_to(REQUIREMENTS_BYTES_MAX),
	};
	bool hashed;

	if (read_target(&w, e) < 0 || check_runtime(&w, e) < 0 ||
	    file_read(options->requirements, REQUIREMENTS_BYTES_MAX, &w.text, &w.text_len, e) < 0 ||
	    requirements_parse(w.text, w.text_len, &w.target, &w.wanted, e) < 0)
		return err_code(e);
	size_t missing = count_missing(&w, &hashed);
	if (!options->folder && missing == 0)
		return without_wheels(&w, asset, e);
	if (!options->folder && !options->lock && python->index && hashed)
		return asset_open(asset, options->requirements, e);
	return with_wheels(&w, asset, e);
}

int wheels_digest(struct cli *cli, const char *requirements, const char *folder,
		  uint8_t digest[SHA3_256_LEN], struct err *e)
{
	const struct wheels_options options = { .folder = folder };
	__attribute__((cleanup(work_done))) struct work w = { .cli = cli, .options = &options };
	struct asset asset CLEANUP_ASSET = { .fd = -1 };
	CLEANUP(free) char *wheels = NULL;

	w.lock = writer_up_to(REQUIREMENTS_BYTES_MAX);
	if (file_read(requirements, REQUIREMENTS_BYTES_MAX, &w.text, &w.text_len, e) < 0 ||
	    requirements_check(w.text, w.text_len, e) < 0 || make_top(&w, e) < 0 ||
	    path_in(&w, "bundle/wheels/", &wheels, e) < 0 || copy_folder(&w, wheels, e) < 0 ||
	    make_lock(&w, wheels, e) < 0 || make_bundle(&w, &asset, e) < 0)
		return err_code(e);
	memcpy(digest, asset.digest, SHA3_256_LEN);
	return 0;
}
