/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_spec.h — what the agent sends the jail's process, and what that sends back.
 *
 * One packet each over SOCK_SEQPACKET. To the jail: first the spec, then at any time one of any
 * content, which means stop (as does the socket's end). From it: type(1) and content, below.
 */
#pragma once

#include "agent/jail/jail.h"
#include "common/base/cleanup.h"
#include "common/base/writer.h"

enum jail_news {
	JAIL_FAILED = 1,  /* text: it could not be built, or the program not executed */
	JAIL_STARTED = 2, /* results/'s descriptor comes along */
	JAIL_EXITED = 3,  /* the program's wait status(4), big endian */
	JAIL_MEMORY = 4,  /* it was killed for using more than its memory */
	JAIL_NEWS_MAX = 1 + ERR_TEXT_MAX,
};

enum { JAIL_STRINGS_MAX = 512 };

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
