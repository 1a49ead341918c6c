/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requirements.h — a requirements file, read strictly: what pip would take from it and no more.
 *
 * A line is a name, extras, version specifiers (PEP 440), an environment marker (PEP 508) and --hash
 * options. What could bring in something else than it says is refused by line: options, files, URLs,
 * "@".
 */
#pragma once

#include "common/base/writer.h"
#include "common/python/python_target.h"
#include "common/python/python_version.h"

enum {
	REQUIREMENTS_MAX = 512,
	REQUIREMENTS_BYTES_MAX = 262144, /* of the whole file */
	REQUIREMENT_NAME_MAX = 128,
	REQUIREMENT_HASHES_MAX = 256,
	REQUIREMENT_EXTRAS_MAX = 256, /* bytes of a requirement's extras, with commas */
};

struct requirement {
	char name[REQUIREMENT_NAME_MAX];     /* normalized (PEP 503): lower case, dashes */
	char extras[REQUIREMENT_EXTRAS_MAX]; /* normalized, each once, with commas; "" for none */
	struct python_spec specs[PYTHON_SPECS_MAX];
	size_t spec_count;
	size_t hash_count;
	char *text; /* name, extras and specifiers as written */
	char *line; /* the same with its hashes, as one line for pip */
};

struct requirements {
	struct requirement *items;
	size_t count;
};

/* Lines whose marker does not hold for `target` are read and left out. A name twice among the others
 * is refused. */
int requirements_parse(const void *bytes, size_t len, const struct python_target *target,
		       struct requirements *requirements, struct err *e) MUST_CHECK;
void requirements_done(struct requirements *requirements);
/* The form alone, before there is an image: it says which lines hold. */
int requirements_check(const void *bytes, size_t len, struct err *e) MUST_CHECK;

/* What a package's metadata says in Requires-Dist, as it is if `extra` is asked for ("": none): its
 * marker holds or does not. Older metadata has parentheses around specifiers. requirement_done(). */
int requirement_parse_dependency(const char *text, const struct python_target *target,
				 const char *extra, struct requirement *requirement, bool *applies,
				 struct err *e) MUST_CHECK;
void requirement_done(struct requirement *requirement);

/* The hash at `*at` of the line, as in "sha256:…"; moves on to the next. NULL after the last. */
const char *requirement_next_hash(const char **at, size_t *len);

/* PEP 503. `out` holds REQUIREMENT_NAME_MAX; false if it is no name of a package. */
bool requirement_normalize(const char *name, size_t len, char *out);

/* An empty version is an unknown one: it meets only what asks for none. */
bool requirement_met(const struct requirement *requirement, const char *version);
