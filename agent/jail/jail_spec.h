/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_spec.h — what a jail runs and shows, and the packets between the agent and the jail's process.
 *
 * One packet each over SOCK_SEQPACKET. To the jail: first the spec, then at any time one of any
 * content, which means stop (as does the socket's end). From it: type(1) and content, below.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/users.h"
#include "common/base/writer.h"

#include <stdbool.h>
#include <stdint.h>

enum jail_news {
	JAIL_FAILED = 1,  /* text: it could not be built, or the program not executed */
	JAIL_STARTED = 2, /* held(1), text: why folders could not be layered, or nothing;
			   * results/'s descriptor comes along */
	JAIL_EXITED = 3,  /* the program's wait status(4), big endian */
	JAIL_MEMORY = 4,  /* it was killed for using more than its memory */
	JAIL_USED = 5,    /* what it uses: jail_usage.h */
	JAIL_NEWS_MAX = 2 + ERR_TEXT_MAX,
};

enum {
	JAIL_STRINGS_MAX = 512,
	JAIL_MOUNTS_MAX = 64,       /* an image brings one for each name in its root */
	JAIL_UID = USERS_ALGORITHM, /* who the jail's nobody is outside, when root starts it */
	JAIL_SPEC_MAX = 131072,     /* bytes of a whole spec on its way to the jail */
};

/* Zero means the default in brackets, of the memory that is available when the run starts. */
struct jail_limits {
	uint64_t memory;  /* bytes, all processes together [3/4] */
	uint64_t reserve; /* address space beyond it that a runtime reserves and does not use */
	uint64_t pids;    /* processes and threads [256] */
	uint64_t files;   /* open descriptors of a process [1024, 128 without a group] */
	uint64_t results; /* bytes in results/ [1/4] */
	uint64_t result_files; /* files and directories in results/ [65534] */
	uint64_t scratch;      /* bytes in /tmp, in /dev/shm, and in /task, /home and all
				* layers together, each [1/8] */
	uint64_t time;         /* milliseconds until the agent kills it [none] */
	uint64_t processor;    /* percent of one processor, all processes together [none] */
};

enum jail_access {
	JAIL_READ,
	JAIL_WRITE,
	/* A folder that seems writable: what is written goes to a private layer over it, within
	 * limits.scratch, and is gone with the run. Who may write there is said by the owners of its
	 * files, so the jail's nobody should be that (runner_files.h). */
	JAIL_LAYER,
};

struct jail_mount {
	const char *source; /* absolute, outside */
	const char
		*target; /* absolute, inside: below /task, /home, /venv or /wasm; see image, too */
	enum jail_access access;
	bool executable;
};

struct jail_spec {
	const char *const *argv; /* argv[0] is the program's absolute path inside */
	const char *const *env;  /* NAME=value */
	const struct jail_mount *mounts;
	size_t mount_count;
	bool network; /* the machine's network: the requirements step alone */
	bool strict;  /* where no control group or no layer can be made, it is not run */
	/* The root is an image's: nothing of the machine's but devices. Mounts may have plain names
	 * below / (symbolic links stay links there), and be at its place for datasets; /cocos/results,
	 * which has to be in it, is results/, too. argv[0] may be relative, or a name for PATH. */
	bool image;
	/* Not 0: the program is our own, and unpacks an image of at most so many bytes (unpack_main());
	 * of argv nothing is looked at. */
	uint64_t unpack;
	const char *folder; /* where the program starts; NULL: /task */
	struct jail_limits limits;
	const char *program; /* the one with the hidden argument "jail"; NULL: this one */
};

/* Fails with ERR_INVALID for what the jail would not do, ERR_EXHAUSTED over JAIL_SPEC_MAX. */
int jail_spec_write(const struct jail_spec *spec, struct writer *w, struct err *e) MUST_CHECK;

/* The spec and everything it points to, for jail_spec_free(). */
struct jail_spec_box;
int jail_spec_read(const void *bytes, size_t len, struct jail_spec_box **box,
		   struct err *e) MUST_CHECK;
const struct jail_spec *jail_spec_of(const struct jail_spec_box *box);
void jail_spec_free(struct jail_spec_box *box);
DEFINE_CLEANUP(struct jail_spec_box *, jail_spec_free)

/* The limits with every zero replaced by its default on this machine. */
struct jail_limits jail_limits_filled(const struct jail_limits *limits);
