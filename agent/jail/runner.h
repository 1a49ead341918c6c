/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner.h — from an uploaded algorithm to its end: what the agent's state machine calls.
 *
 * `bin` is executed; `python` gets a fresh virtual environment over the image's packages, with the
 * wheels that came in the algorithm's zip, or what the boot configuration's index delivers under
 * the hashes that the provider wrote. Each step runs in a jail (jail.h). One run at a time.
 */
#pragma once

#include "agent/jail/jail.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { RUNNER_ARGS_MAX = 256, RUNNER_ARGS_BYTES_MAX = 65536, RUNNER_REQUIREMENTS_MAX = 262144 };

enum runner_kind { RUNNER_BIN, RUNNER_PYTHON };

/* "bin", "python"; "" is bin. "wasm", "docker" are ERR_UNIMPLEMENTED, anything else ERR_INVALID. */
int runner_kind_parse(const char *word, enum runner_kind *kind, struct err *e) MUST_CHECK;

/* A plain name, python3 or python3.N; "" and NULL are python3. Checked again by runner_start(). */
int runner_runtime_check(const char *word, struct err *e) MUST_CHECK;

/* Copied by runner_start(); paths are absolute. */
struct runner_spec {
	enum runner_kind kind;
	const char *algorithm;      /* the uploaded file: program, script, or zip of a script */
	const char *requirements;   /* python: the uploaded text's file, or NULL */
	const char *python_runtime; /* python: NULL or "" is python3 */
	const char *pip_index_url;  /* AGENT_PIP_INDEX_URL, or NULL */
	const char *datasets;       /* directory; the algorithm sees it read-only as datasets/ */
	const char *scratch;        /* empty directory for this run; the caller removes it after */
	const char *const *args;    /* NULL at the end; NULL for none */
	struct jail_limits limits;
	const char *program; /* the one with the hidden argument "jail"; NULL: this one */
};

struct runner_callbacks {
	/* A line of output, without its newline: valid UTF-8, no zero, at most JAIL_LINE_MAX. */
	jail_line_fn *on_line;
	/* The end, once, whatever happened; nothing of the run is alive any more. `results`: the
	 * directory's descriptor when exit->ok, else -1; the receiver owns it (bundle_make() takes
	 * it). The runner may be freed from within. */
	void (*on_exit)(void *data, const struct jail_exit *exit, int results);
	void *data;
};

struct runner;

/* Checks the spec, then prepares and runs in the background. What is found out later (missing
 * requirements, no user namespaces) comes through on_exit. */
int runner_start(uv_loop_t *loop, const struct runner_spec *spec,
		 const struct runner_callbacks *callbacks, struct runner **runner,
		 struct err *e) MUST_CHECK;

/* Kills everything of the run; on_exit follows within 2 s, with `stopped`. */
void runner_stop(struct runner *runner);

/* After on_exit, or before: then all is killed and no callback comes any more (the process is
 * reaped in the background, while the loop runs). */
void runner_free(struct runner *runner);
DEFINE_CLEANUP(struct runner *, runner_free)
