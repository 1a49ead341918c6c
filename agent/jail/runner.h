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
#include "agent/jail/runner_spec.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct runner_callbacks {
	/* A line of output, without its newline: valid UTF-8, no zero, at most JAIL_LINE_MAX. */
	jail_line_fn *on_line;
	/* The end, once, whatever happened; nothing of the run is alive any more. `results`: the
	 * directory's descriptor when exit->ok, else -1; the receiver owns it (bundle_make() reads
	 * it). The runner may be freed from within. */
	void (*on_exit)(void *data, const struct jail_exit *exit, int results);
	void *data;
	/* What the algorithm itself uses, about once a second; or NULL. */
	void (*on_usage)(void *data, const struct jail_usage *usage);
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
