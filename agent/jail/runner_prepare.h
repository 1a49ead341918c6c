/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner_prepare.h — everything of a run that only reads and writes files, so that a thread of the
 * pool can do it: the algorithm made ready, its environment, what is missing.
 */
#pragma once

#include "agent/container/container_run.h"
#include "agent/jail/runner_spec.h"
#include "agent/python/python_judge.h"

enum {
	RUNNER_MOUNTS_MAX = JAIL_MOUNTS_MAX,
	RUNNER_IMAGE_NAMES_MAX = RUNNER_MOUNTS_MAX - 6, /* in an image's root */
	RUNNER_PIP_ARGS_MAX = 24,
};

/* What was found and made. */
struct runner_plan {
	struct python_env env;
	struct requirements requirements;
	bool needs_index; /* the index has to deliver what is missing, before the run */
	char pip[320];    /* the wheel to run pip from; "" is the image's own module */
	const char **argv;
	char *wasm;          /* the runtime's program */
	char wasm_pages[24]; /* its first argument */
	uint64_t reserve;    /* jail_limits.reserve */
	struct jail_mount mounts[RUNNER_MOUNTS_MAX];
	size_t mount_count;
	char *scratch_venv, *scratch_requirements, *unpacked, *script;
	/* docker */
	char *image;         /* the folder that its image is unpacked to */
	uint64_t image_most; /* bytes */
	uint8_t *run_bytes;  /* what `run` points into */
	struct container_run run;
	char *names[RUNNER_IMAGE_NAMES_MAX]; /* paths of what lies in its root */
	size_t name_count;
	const char **variables; /* NULL: what every algorithm finds */
	const char *folder;     /* NULL: /task */
};

/* `spec` lives on until runner_plan_done(). With `cancel` true it gives up soon. */
int runner_prepare(const struct runner_spec *spec, const atomic_bool *cancel,
		   struct runner_plan *plan, struct err *e) MUST_CHECK;

/* What of that can be known before the datasets are here: the algorithm's zip, its requirements, its
 * wheels; what an image's archive says of itself; the form of a program or module. With `cancel` true
 * it gives up soon. `spec->scratch` takes what it makes, of no use afterwards. */
int runner_prepare_try(const struct runner_spec *spec, const atomic_bool *cancel,
		       struct err *e) MUST_CHECK;

/* After the index has delivered: is everything there now? */
int runner_prepare_check(const struct runner_plan *plan, const atomic_bool *cancel,
			 struct err *e) MUST_CHECK;

/* The requirements step's arguments, NULL at the end. */
void runner_prepare_pip(const struct runner_plan *plan, const char *index_url,
			const char *argv[RUNNER_PIP_ARGS_MAX], char *target, size_t target_size);

void runner_plan_done(struct runner_plan *plan);
