/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_env.h — a fresh virtual environment (PEP 405) over the image's packages, without running
 * anything: what `python3 -m venv --system-site-packages --without-pip` makes, by hand.
 *
 * Blocking; for the worker pool.
 */
#pragma once

#include "common/base/err.h"
#include "common/python/python_target.h"

#include <stdatomic.h>
#include <sys/types.h>

enum { PYTHON_WHEELS_MAX = 256, PYTHON_WHEEL_BYTES_MAX = 1 << 30 };

struct python_env {
	struct python_target target;
	char interpreter[32]; /* "/usr/bin/python3.11" */
	char site[96];        /* below the environment: "lib/python3.11/site-packages" */
	const char *system;   /* where the machine's own things are; "" but in tests */
};

/* A plain name, python3 or python3.N; "" and NULL are python3. */
int python_runtime_check(const char *word, struct err *e) MUST_CHECK;

/* The interpreter that a plain name (python3, python3.N) stands for in this image. */
int python_env_find(const char *runtime, const char *system, struct python_env *env,
		    struct err *e) MUST_CHECK;

/* Makes the environment in the empty directory `dir`. */
int python_env_make(const struct python_env *env, int dir, struct err *e) MUST_CHECK;

/* Unpacks every wheel (PEP 427) in the directory `wheels` into the environment. One for another
 * Python or platform, or two with a file of the same path, are refused by name. */
int python_env_install(const struct python_env *env, int dir, int wheels, const atomic_bool *cancel,
		       struct err *e) MUST_CHECK;
