/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/runner_image.h"

#include "agent/container/container.h"
#include "agent/container/unpack.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

/* What docker sets where an image does not. */
static const char default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int no_command(struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "image: it has neither Entrypoint nor Cmd, and there are no arguments");
}

int runner_image_judge(const struct runner_spec *spec, const atomic_bool *cancel, struct err *e)
{
	CLEANUP_CONTAINER struct container image = { 0 };
	CLEANUP(close) int archive = open(spec->algorithm, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (archive < 0)
		return err_errno(e, "open '%s'", spec->algorithm);
	if (container_open(archive, container_machine(), cancel, &image, e) < 0)
		return err_wrap(e, "image");
	if (image.config.entrypoint.count == 0 && image.config.command.count == 0 &&
	    !(spec->args && spec->args[0]))
		return no_command(e);
	return 0;
}

int runner_image_prepare(const struct runner_spec *spec, struct runner_plan *plan, struct err *e)
{
	struct statvfs fs;

	if (text_format(&plan->image, e, "%s/image", spec->scratch) < 0)
		return err_code(e);
	if (mkdir(plan->image, 0755) < 0 || chmod(plan->image, 0755) < 0 ||
	    statvfs(plan->image, &fs) < 0)
		return err_errno(e, "make '%s'", plan->image);
	/* the jail's nobody owns what is in there */
	if (geteuid() == 0 && fchownat(AT_FDCWD, plan->image, JAIL_UID, JAIL_UID, 0) < 0)
		return err_errno(e, "hand over '%s'", plan->image);
	plan->image_most = spec->limits.scratch ? spec->limits.scratch
						: (uint64_t)fs.f_bavail * fs.f_frsize / 2;
	return 0;
}

/* A file that the process left, never through a link. */
static int read_left(int results, const char *path, size_t max, uint8_t **bytes, size_t *len,
		     struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	char place[64];
	CLEANUP(close)
	int fd = openat(results, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "image: nothing was said of it");
	snprintf(place, sizeof(place), "/proc/self/fd/%d", fd);
	return file_read(place, max, bytes, len, e);
}

void runner_image_fault(int results, char *text, size_t size)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	if (results < 0 || read_left(results, UNPACK_FAULT, ERR_TEXT_MAX, &bytes, &len, &e) < 0)
		return;
	if (len > 0 && utf8_valid((const char *)bytes, len) &&
	    !utf8_has_control((const char *)bytes, len))
		snprintf(text, size, "%.*s", (int)len, (const char *)bytes);
}

static int make_argv(const struct runner_spec *spec, struct runner_plan *plan, struct err *e)
{
	const struct container_run *run = &plan->run;
	bool own = spec->args && spec->args[0]; /* they take the command's place, as docker's do */
	size_t args = 0, count = 0;

	while (own && spec->args[args])
		args++;
	plan->argv =
		calloc(run->entrypoint.count + args + run->command.count + 1, sizeof(*plan->argv));
	if (!plan->argv)
		return err_nomem(e);
	for (size_t i = 0; i < run->entrypoint.count; i++)
		plan->argv[count++] = run->entrypoint.items[i];
	for (size_t i = 0; i < (own ? args : run->command.count); i++)
		plan->argv[count++] = own ? spec->args[i] : run->command.items[i];
	return count > 0 ? 0 : no_command(e);
}

static bool names_it(const struct container_strings *env, const char *variable)
{
	size_t len = strcspn(variable, "=") + 1;

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], variable, len) == 0)
			return true;
	return false;
}

static int make_variables(const char *const *environment, struct runner_plan *plan, struct err *e)
{
	const struct container_strings *env = &plan->run.env;
	size_t count = 0, ours = 0;

	while (environment[ours])
		ours++;
	plan->variables = calloc(env->count + ours + 2, sizeof(*plan->variables));
	if (!plan->variables)
		return err_nomem(e);
	for (size_t i = 0; i < env->count; i++)
		plan->variables[count++] = env->items[i];
	if (!names_it(env, default_path))
		plan->variables[count++] = default_path;
	for (size_t i = 0; i < ours; i++)
		if (strncmp(environment[i], "PATH=", 5) != 0 && !names_it(env, environment[i]))
			plan->variables[count++] = environment[i];
	return 0;
}

/* What the jail has of its own. */
static bool is_hidden(const char *name)
{
	static const char *const names[] = { ".", "..", "dev", "proc", "sys", "task", "tmp" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int add_mount(struct runner_plan *plan, const struct jail_mount *mount, struct err *e)
{
	if (plan->mount_count == RUNNER_MOUNTS_MAX)
		return err_set(e, ERR_EXHAUSTED, "image: more than %d names in its root",
			       RUNNER_IMAGE_NAMES_MAX);
	plan->mounts[plan->mount_count++] = *mount;
	return 0;
}

/* Each name in the image's root is a mount; its target is its path behind the image's own. */
static int add_name(struct runner_plan *plan, const char *name, mode_t mode, struct err *e)
{
	char **path = &plan->names[plan->name_count];

	if (plan->name_count == RUNNER_IMAGE_NAMES_MAX)
		return err_set(e, ERR_EXHAUSTED, "image: more than %d names in its root",
			       RUNNER_IMAGE_NAMES_MAX);
	if (text_format(path, e, "%s/%s", plan->image, name) < 0)
		return err_code(e);
	plan->name_count++;
	const struct jail_mount mount = { .source = *path,
					  .target = *path + strlen(plan->image),
					  .access = S_ISDIR(mode) ? JAIL_LAYER : JAIL_READ,
					  .executable = true };
	return add_mount(plan, &mount, e);
}

static int add_names(struct runner_plan *plan, struct err *e)
{
	CLEANUP(closedir) DIR *list = opendir(plan->image);
	const struct dirent *item;
	struct stat st;
	int more;

	if (!list)
		return err_errno(e, "image: list its root");
	while ((more = dir_next(list, &item, e)) > 0) {
		if (is_hidden(item->d_name))
			continue;
		if (fstatat(dirfd(list), item->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_errno(e, "image: %s", log_quote(item->d_name).text);
		/* the run's own /home, where the caches are, is a folder */
		if (strcmp(item->d_name, "home") == 0 && !S_ISDIR(st.st_mode))
			continue;
		if (add_name(plan, item->d_name, st.st_mode, e) < 0)
			return err_code(e);
	}
	return more < 0 ? err_wrap(e, "image") : 0;
}

/* What every run has, behind the image's folders, in which it lies; datasets at the stock place. */
static int add_mounts(struct runner_plan *plan, struct err *e)
{
	struct jail_mount given[RUNNER_MOUNTS_MAX];
	size_t count = plan->mount_count;

	memcpy(given, plan->mounts, count * sizeof(*given));
	plan->mount_count = 0;
	if (add_names(plan, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(given[i].target, "/task/datasets") == 0)
			given[i].target = "/" UNPACK_DATASETS;
		if (add_mount(plan, &given[i], e) < 0)
			return err_code(e);
	}
	return 0;
}

int runner_image_plan(const struct runner_spec *spec, const char *const *environment, int results,
		      struct runner_plan *plan, struct err *e)
{
	size_t len;

	if (read_left(results, UNPACK_RUN, CONTAINER_RUN_MAX, &plan->run_bytes, &len, e) < 0 ||
	    container_run_read(plan->run_bytes, len, &plan->run, e) < 0)
		return err_code(e);
	plan->folder = plan->run.folder;
	if (make_argv(spec, plan, e) < 0 || make_variables(environment, plan, e) < 0)
		return err_code(e);
	return add_mounts(plan, e);
}
