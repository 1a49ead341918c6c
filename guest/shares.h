/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shares.h — the two folders that the host offers by 9p, taken over once.
 *
 * Their files are copied to memory and the share is unmounted, so that what the agent measures is
 * what it later uses: the host cannot exchange a file between two reads. Nothing here judges the
 * content.
 */
#pragma once

#include "common/base/err.h"

#include <sys/types.h>

enum {
	SHARES_FILES_MAX = 16,
	SHARES_FILE_MAX = 1 << 20, /* bytes */
};

/* Copies the plain files of the folder `from` into the existing folder `to`, for `owner` alone to read
 * ((uid_t)-1: for who calls). A folder, link or device, an odd name, too many or too large files are
 * refused. */
int shares_copy(const char *from, const char *to, uid_t owner, struct err *e) MUST_CHECK;

/* env_share to /etc/cocos and certs_share to /etc/certs of MOUNTS_ROOT, for the agent. -ERR_NOT_FOUND when the
 * machine has no such share. */
int shares_take(struct err *e) MUST_CHECK;
