/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_run.h — what an image wants to have run, on its way from the process that unpacked it, which
 * is not trusted, to the agent.
 */
#pragma once

#include "agent/container/container_config.h"
#include "common/base/writer.h"

enum { CONTAINER_RUN_MAX = 256 << 10 /* bytes of it */ };

struct container_run {
	struct container_strings entrypoint, command,
		env; /* they point into the bytes that were read */
	const char *folder;
};

/* Each list as its count(4) and its words, each with a final zero; then the folder. */
int container_run_write(const struct container_config *config, struct writer *w,
			struct err *e) MUST_CHECK;
/* `run` lives as long as `bytes`. */
int container_run_read(const void *bytes, size_t len, struct container_run *run,
		       struct err *e) MUST_CHECK;
