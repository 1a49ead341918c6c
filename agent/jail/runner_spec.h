/* SPDX-License-Identifier: Apache-2.0 */
/* runner_spec.h — what the jail runs: which kind of algorithm, with which files and limits. */
#pragma once

#include "agent/jail/jail_spec.h"
#include "common/base/err.h"

enum { RUNNER_ARGS_MAX = 256, RUNNER_ARGS_BYTES_MAX = 65536 };

enum runner_kind { RUNNER_BIN, RUNNER_PYTHON, RUNNER_WASM, RUNNER_DOCKER, RUNNER_KINDS };

/* "bin", "python", "wasm", "docker"; "" is bin. Wasm without its runtime is ERR_UNIMPLEMENTED,
 * anything else ERR_INVALID. */
int runner_spec_kind(const char *word, enum runner_kind *kind, struct err *e) MUST_CHECK;
/* The word for it. */
const char *runner_kind_name(enum runner_kind kind);

/* Copied by runner_start(); paths are absolute. */
struct runner_spec {
	enum runner_kind kind;
	/* the uploaded file: program, module, script, zip of a script, archive of an image */
	const char *algorithm;
	const char *requirements;   /* python: the uploaded text's file, or NULL */
	const char *wheels;         /* python: the directory of those that came with it, or NULL */
	const char *python_runtime; /* python: NULL or "" is python3 */
	const char *pip_index_url;  /* AGENT_PIP_INDEX_URL, or NULL */
	const char *datasets;       /* directory; the algorithm sees it as datasets/ */
	const char *cache;          /* directory that it sees as ~/.cache, or NULL */
	const char *scratch;        /* empty directory for this run; the caller removes it after */
	const char *const *args;    /* NULL at the end; NULL for none */
	bool strict; /* where no control group or no layer can be made, it is not run */
	struct jail_limits limits;
	const char *program; /* the one with the hidden argument "jail"; NULL: this one */
};
