/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_version.h — versions of Python packages and what is asked of them (PEP 440).
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { PYTHON_VERSION_MAX = 96, PYTHON_RELEASE_MAX = 8, PYTHON_SPECS_MAX = 8 };

enum python_stage { PYTHON_ALPHA = 1, PYTHON_BETA = 2, PYTHON_CANDIDATE = 3 };

struct python_version {
	uint64_t epoch, release[PYTHON_RELEASE_MAX];
	size_t count;          /* of release's numbers, as written */
	enum python_stage pre; /* 0: none */
	uint64_t pre_number, post_number, dev_number;
	bool has_post, has_dev;
	char local[PYTHON_VERSION_MAX]; /* "" if none; lower case, parts divided by dots */
};

/* Exactly `len` characters. Numbers of more than 18 digits are refused. */
int python_version_parse(const char *text, size_t len, struct python_version *version,
			 struct err *e) MUST_CHECK;

struct python_spec {
	enum python_operator {
		PYTHON_EQUAL,
		PYTHON_NOT_EQUAL,
		PYTHON_LESS,
		PYTHON_LESS_EQUAL,
		PYTHON_MORE,
		PYTHON_MORE_EQUAL,
		PYTHON_COMPATIBLE,
	} operator;
	bool prefix; /* == 1.2.* */
	struct python_version version;
};

/* "==1.2.*" or ">= 3.0", one of those between commas. */
int python_spec_parse(const char *text, size_t len, struct python_spec *spec,
		      struct err *e) MUST_CHECK;
bool python_spec_met(const struct python_spec *spec, const struct python_version *version);
