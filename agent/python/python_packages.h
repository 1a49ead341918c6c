/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_packages.h — which packages an environment and the image below it have, by the metadata
 * that installers leave (dist-info, PEP 376; egg-info). Nothing is imported or run.
 *
 * Blocking; for the worker pool.
 */
#pragma once

#include "agent/python/python_env.h"
#include "common/python/requirements.h"

enum {
	PYTHON_PACKAGES_MAX = 2048,    /* of an image */
	PYTHON_METADATA_MAX = 1 << 20, /* bytes of one METADATA */
	PYTHON_ENTRIES_MAX = 65536,    /* looked at in one folder */
};

struct python_package {
	char name[REQUIREMENT_NAME_MAX];  /* normalized */
	char version[PYTHON_VERSION_MAX]; /* "" if it has one that can't be read */
	char info[256];                   /* the entry that tells: "x-1.0.dist-info" */
	size_t place;                     /* where it lies, for python_package_metadata() */
};

/* `dir` is the environment; -1 for the image alone. `found` is false if neither has the package; an
 * error is what could not be looked at. */
int python_package_find(const struct python_env *env, int dir, const char *name,
			struct python_package *package, bool *found, struct err *e) MUST_CHECK;

/* The METADATA of a package that was found, malloc'ed. ERR_PRECONDITION if it has none: an egg. */
int python_package_metadata(const struct python_env *env, int dir,
			    const struct python_package *package, char **text,
			    struct err *e) MUST_CHECK;

struct python_packages {
	struct python_package *items;
	size_t count;
};

/* The image's packages, each once, in the order of their names. */
int python_packages_list(const struct python_env *env, struct python_packages *packages,
			 struct err *e) MUST_CHECK;
void python_packages_done(struct python_packages *packages);
