/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requirements.h — a requirements file, read strictly: what pip would take from it and no more.
 *
 * A line is a name, version specifiers (PEP 440) and --hash options. What could bring in something
 * else than it says is refused by line: options, files, URLs, "@", extras, environment markers.
 */
#pragma once

#include "agent/python/python_version.h"
#include "common/base/writer.h"

enum {
	REQUIREMENTS_MAX = 512,
	REQUIREMENTS_BYTES_MAX = 262144, /* of the whole file */
	REQUIREMENT_NAME_MAX = 128,
	REQUIREMENT_HASHES_MAX = 256,
};

struct requirement {
	char name[REQUIREMENT_NAME_MAX]; /* normalized (PEP 503): lower case, dashes */
	struct python_spec specs[PYTHON_SPECS_MAX];
	size_t spec_count;
	size_t hash_count;
	char *text; /* name and specifiers as written */
	char *line; /* the same with its hashes, as one line for pip */
};

struct requirements {
	struct requirement *items;
	size_t count;
};

/* A name twice is refused too. */
int requirements_parse(const void *bytes, size_t len, struct requirements *requirements,
		       struct err *e) MUST_CHECK;
void requirements_done(struct requirements *requirements);

/* PEP 503. `out` holds REQUIREMENT_NAME_MAX; false if it is no name of a package. */
bool requirement_normalize(const char *name, size_t len, char *out);

/* An empty version is an unknown one: it meets only what asks for none. */
bool requirement_met(const struct requirement *requirement, const char *version);
