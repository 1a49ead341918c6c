/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_judge.h — what requirements ask for, and neither the environment nor the image has.
 *
 * Blocking; for the worker pool.
 */
#pragma once

#include "agent/python/python_packages.h"

enum {
	PYTHON_MISSING_TEXT_MAX = 400, /* of what is told */
	PYTHON_JUDGE_DEPTH_MAX = 4,    /* extras of extras */
	PYTHON_JUDGED_MAX = 4096,      /* packages that were looked for */
	/* Headers of METADATA that were read, again for each extra, in all. A long one counts once more
	 * for each such piece of it. */
	PYTHON_JUDGED_LINES_MAX = 100000,
	PYTHON_JUDGED_LINE_BYTES = 256,
};

struct python_missing {
	size_t count;
	struct writer text;  /* for people: "a, b>=2 (there is 1.0)"; cut off when it is bad */
	struct writer lines; /* for pip */
	bool hashed;         /* each of these lines has its hash */
};

/* `dir` is the environment. What an extra stands for counts as asked for. An error is what could not
 * be judged; what is missing is in `missing`, which python_missing_done() frees. With `cancel` true
 * (it may be NULL) it gives up soon: ERR_CANCELLED. */
int python_judge(const struct python_env *env, int dir, const struct requirements *requirements,
		 const atomic_bool *cancel, struct python_missing *missing,
		 struct err *e) MUST_CHECK;
void python_missing_done(struct python_missing *missing);
