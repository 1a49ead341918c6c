/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack.h — from an image's archive to a folder with its files, and what it wants to have run: the work
 * of a process that has nothing but the two.
 */
#pragma once

#include "agent/container/container_run.h"

/* Where a process finds things that unpacks, below its working directory (unpack_main). */
#define UNPACK_ARCHIVE "image"
#define UNPACK_ROOT    "root"
#define UNPACK_RUN     "results/run"   /* container_run.h */
#define UNPACK_FAULT   "results/fault" /* or why not, one line */

/* Stock places, which exist in every unpacked root. */
#define UNPACK_DATASETS "cocos/datasets"
#define UNPACK_RESULTS  "cocos/results"

/* `root` is an empty folder, of which nothing is worth keeping after a failure; `most` bytes may be
 * unpacked. */
int unpack(int archive, const char *machine, int root, uint64_t most, struct writer *run,
	   struct err *e) MUST_CHECK;

/* All of that by the names above. Returns the exit code. */
int unpack_main(uint64_t most);
