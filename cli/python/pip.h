/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pip.h — the owner's own pip (22.2 or later), asked for wheels of another Python and machine: those
 * of an agent's image. No code of a package is run: only wheels are taken.
 *
 * Index, proxies and the like are what pip is configured for (pip.conf, PIP_INDEX_URL,
 * PIP_FIND_LINKS).
 */
#pragma once

#include "cli/base/command.h"
#include "common/python/python_target.h"

struct pip {
	const struct python_target *target;
	const char *image; /* a folder of .dist-info folders: what need not be fetched */
	const char *log;   /* where pip's words go */
};

/* What the requirements file asks for beyond the image, with its dependencies, as a lock
 * (common/python/wheel_lock.h) in the new file `lock`. */
int pip_resolve(struct cli *cli, const struct pip *pip, const char *requirements, const char *lock,
		struct err *e) MUST_CHECK;

/* Fetches the lock's wheels, and nothing else, into the folder `dir`. */
int pip_download(struct cli *cli, const struct pip *pip, const char *lock, const char *dir,
		 struct err *e) MUST_CHECK;
