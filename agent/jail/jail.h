/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail.h — one program run with nothing but what it was given. The state machine uses runner.h.
 *
 * The jail is this program again with the hidden first argument "jail". It makes user, mount, pid,
 * ipc, uts, cgroup and net namespaces, a private root of the image's /usr and the named mounts, a
 * pid 1 that reaps, and starts the program in it as nobody: no capabilities, no_new_privs, a
 * seccomp allow-list, Landlock where there is, limits. Works as root and, where the kernel lets
 * users make namespaces, without; else it is refused with a line that says so.
 *
 * Inside: working directory /task (a small memory file system) with results/ in it, which outlives
 * the run by its descriptor; /tmp; /dev with null, zero, full, random, urandom, shm; /proc with
 * the jail's own processes alone.
 */
#pragma once

#include "agent/jail/jail_lines.h"
#include "agent/jail/jail_spec.h"
#include "agent/jail/jail_usage.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

enum { JAIL_BYTES_PER_SECOND = 4 << 20 }; /* more waits in the pipe, and so does the program */

/* How it ended. `cause` is one line for people: "exit code 3", "killed by signal 11 (Segmentation
 * fault)", "out of memory (limit 512 MiB)", "ran longer than AGENT_RUN_TIME=2h", "stopped",
 * "jail: user namespaces …". */
struct jail_exit {
	bool ok;      /* exit code 0 */
	bool stopped; /* by jail_stop() */
	bool late;    /* it ran longer than its limit */
	bool started; /* false: the jail could not be built, nothing of the program ran */
	int code;     /* -1 unless it exited */
	int signal;   /* 0 unless one killed it */
	char cause[ERR_TEXT_MAX];
};

struct jail_callbacks {
	jail_line_fn *on_line;
	/* Once: every process of the jail is dead, all output delivered. `results` is results/'s
	 * descriptor for the receiver to own, -1 unless it started. */
	void (*on_exit)(void *data, const struct jail_exit *exit, int results);
	void *data;
	void (*on_usage)(void *data, const struct jail_usage *usage); /* or NULL */
};

struct jail;

int jail_start(uv_loop_t *loop, const struct jail_spec *spec,
	       const struct jail_callbacks *callbacks, struct jail **jail,
	       struct err *e) MUST_CHECK;

/* Kills every process in it; on_exit follows within 2 s. */
void jail_stop(struct jail *jail);

/* After on_exit, or before: then it is stopped and reaped without any callback. */
void jail_free(struct jail *jail);

/* The program's other half, for main() when argv[1] is "jail": reads the spec from the socket on
 * descriptor 3. Returns the exit code. */
int jail_main(int argc, char **argv);
