/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_folder.h — the fresh folder that a node's program runs in: kwargs.json, and inputs/NODENAME for each node that it
 * depends on. Gone, with all that the program put there, when it is done.
 */
#pragma once

#include "cli/executor/executor_node.h"

struct executor_folder {
	char *path; /* NULL: none */
};

/* Below `within`, for us alone. */
int executor_folder_make(const char *within, const struct executor_node *node,
			 struct executor_folder *folder, struct err *e) MUST_CHECK;
int executor_folder_put(const struct executor_folder *folder, const char *node, const void *bytes,
			size_t len, struct err *e) MUST_CHECK;
/* Says on standard error what could not be removed. */
void executor_folder_done(struct executor_folder *folder);
#define CLEANUP_EXECUTOR_FOLDER __attribute__((cleanup(executor_folder_done)))
