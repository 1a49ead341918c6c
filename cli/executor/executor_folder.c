/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_folder.h"

#include "common/base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int put(const struct executor_folder *folder, const char *name, const void *bytes,
	       size_t len, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/%s", folder->path, name) < 0)
		return err_code(e);
	return file_write_new(path, bytes, len, 0600, e);
}

int executor_folder_make(const char *within, const struct executor_node *node,
			 struct executor_folder *folder, struct err *e)
{
	struct executor_folder made CLEANUP_EXECUTOR_FOLDER = { .path = NULL };
	CLEANUP(free) char *path = NULL, *inputs = NULL;

	if (text_format(&path, e, "%s/cocos-executor-XXXXXX", within) < 0)
		return err_code(e);
	if (!mkdtemp(path))
		return err_errno(e, "folder in '%s'", within);
	made.path = TAKE_PTR(path);
	if (text_format(&inputs, e, "%s/inputs", made.path) < 0)
		return err_code(e);
	if (mkdir(inputs, 0700) < 0)
		return err_errno(e, "folder '%s'", inputs);
	if (put(&made, "kwargs.json", node->node->kwargs, node->node->kwargs_len, e) < 0)
		return err_code(e);
	folder->path = TAKE_PTR(made.path);
	return 0;
}

int executor_folder_put(const struct executor_folder *folder, const char *node, const void *bytes,
			size_t len, struct err *e)
{
	char name[WORKFLOW_NAME_MAX + 16];

	snprintf(name, sizeof(name), "inputs/%s", node);
	return put(folder, name, bytes, len, e);
}

void executor_folder_done(struct executor_folder *folder)
{
	struct err e;

	if (folder->path && dir_remove(folder->path, &e) < 0)
		fprintf(stderr, "the folder %s is still there: %s\n", folder->path, e.text);
	free(folder->path);
	folder->path = NULL;
}
