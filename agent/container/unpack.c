/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/unpack.h"

#include "agent/container/layer.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A folder that has to be there, as docker makes it. */
static int need_folder(int root, const char *path, struct place_room *room, struct err *e)
{
	CLEANUP(close) int folder = -1;
	const char *name;
	char clean[TAR_PATH_MAX + 1];
	struct stat st;

	if (strlen(path) > TAR_PATH_MAX)
		return err_set(e, ERR_EXHAUSTED, "path %s is longer than %d bytes",
			       log_quote(path).text, TAR_PATH_MAX);
	if (place_clean(path + (path[0] == '/'), clean, e) < 0)
		return err_code(e);
	if (!clean[0])
		return 0;
	if (place_parent(root, clean, room, &folder, &name, e) < 0)
		return err_code(e);
	if (mkdirat(folder, name, 0755) == 0) {
		if (fchmodat(folder, name, 0755, 0) < 0)
			return err_errno(e, "make '%s'", clean);
		return place_take(room, e);
	}
	/* a link may lead to one, inside */
	if (errno != EEXIST || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "make %s", log_quote(clean).text);
	if (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no folder", log_quote(clean).text);
	return 0;
}

/* Where datasets and results are put. A link would put them elsewhere. */
static int need_place(int root, const char *path, struct place_room *room, struct err *e)
{
	CLEANUP(close) int folder = -1;
	const char *name;
	struct stat st, top;

	if (need_folder(root, path, room, e) < 0 ||
	    place_parent(root, path, NULL, &folder, &name, e) < 0)
		return err_code(e);
	if (folder < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(root, "cocos", &top, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "/%s", path);
	if (!S_ISDIR(st.st_mode) || !S_ISDIR(top.st_mode))
		return err_set(e, ERR_INVALID, "/%s is no folder", path);
	return 0;
}

int unpack(int archive, const char *machine, int root, uint64_t most, struct writer *run,
	   struct err *e)
{
	CLEANUP_CONTAINER struct container container = { 0 };
	struct place_room room = { .bytes = most, .entries = TAR_ENTRIES_MAX };

	if (container_open(archive, machine, NULL, &container, e) < 0)
		return err_wrap(e, "image");
	for (size_t i = 0; i < container.config.layer_count; i++)
		if (layer_apply(&container, i, root, &room, e) < 0)
			return err_wrap(e, "image");
	if (need_place(root, UNPACK_DATASETS, &room, e) < 0 ||
	    need_place(root, UNPACK_RESULTS, &room, e) < 0 ||
	    need_folder(root, container.config.folder, &room, e) < 0)
		return err_wrap(e, "image");
	return container_run_write(&container.config, run, e);
}

static int unpack_here(uint64_t most, struct err *e)
{
	CLEANUP_WRITER struct writer run = writer_up_to(CONTAINER_RUN_MAX);
	CLEANUP(close) int archive = open(UNPACK_ARCHIVE, O_RDONLY | O_CLOEXEC);
	CLEANUP(close) int root = open(UNPACK_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (archive < 0 || root < 0)
		return err_errno(e, "image: open");
	if (unpack(archive, container_machine(), root, most, &run, e) < 0)
		return err_code(e);
	return file_write(UNPACK_RUN, run.bytes, run.len, 0600, e);
}

int unpack_main(uint64_t most)
{
	struct err e, ignored;

	if (unpack_here(most, &e) == 0)
		return EXIT_SUCCESS;
	/* Without it the agent says that there was no word. */
	(void)!file_write(UNPACK_FAULT, e.text, strlen(e.text), 0600, &ignored);
	return EXIT_FAILURE;
}
