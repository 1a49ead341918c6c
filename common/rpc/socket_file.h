/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_file.h — the file of a unix socket that is listened on. For this folder only.
 *
 * Beside PATH is PATH.lock, which whoever listens holds: so a file is only replaced if nobody listens
 * on it, and of two programs that start at a time one is refused. The lock's file stays.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <sys/un.h>

struct socket_file;

/* A socket that is bound and listens, for the caller to close. Without `group` the file is for this
 * user (mode 0600), with it for that group, too (0660); where the system has no such group, or does
 * not let us give it away, for this user alone, and the log says so. ERR_EXISTS if somebody listens
 * there. */
int socket_file_open(const struct sockaddr_un *path, const char *group, struct socket_file **file,
		     int *fd, struct err *e) MUST_CHECK;

/* Removes the file if it is still the one that was made. */
void socket_file_free(struct socket_file *file);
DEFINE_CLEANUP(struct socket_file *, socket_file_free)
