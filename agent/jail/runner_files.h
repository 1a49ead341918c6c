/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner_files.h — files that a run is given, made ready for the jail's nobody.
 *
 * That nobody owns them then, so that it may change them in its layer (jail_spec.h): the files
 * themselves it never gets to write. Where the agent can't give files away, nobody is the agent's own
 * user, and only modes are set.
 */
#pragma once

#include "common/base/err.h"

#include <sys/types.h>

/* ERR_INVALID for what is no file. */
int runner_files_give(const char *path, mode_t mode, struct err *e) MUST_CHECK;

/* All of a folder, files 0644 and directories 0755. ERR_INVALID for a link, a device or the like in
 * it, and for more directories in one another than RUNNER_FILES_DEPTH_MAX. */
enum { RUNNER_FILES_DEPTH_MAX = 64 };
int runner_files_give_tree(const char *folder, struct err *e) MUST_CHECK;
