/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_trail.h — the audit log: a line of JSON for each entry, in a file of its own or in the normal log.
 *
 * Whoever changes something writes the entry first, and does not change it if that fails: what happened
 * without an entry could be denied later.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/rpc/fact.h"
#include "common/rpc/identity.h"

#include <stdint.h>

enum {
	AUDIT_LINE_MAX = 32768, /* bytes, the newline among them */
	AUDIT_TEXT_MAX = 512,   /* of each text that a peer had a hand in */
};

/* What the normal log's lines begin with where there is no file. */
#define AUDIT_MARK "audit: "

enum audit_event {
	AUDIT_ASKED,    /* a call that changes something is about to begin */
	AUDIT_DONE,     /* and this is how it ended */
	AUDIT_REFUSED,  /* a call that did not begin */
	AUDIT_LEFT_OUT, /* of these, so many have no entry; with nothing but `count` */
};

struct audit_entry {
	enum audit_event event;
	uint64_t call; /* the same number in AUDIT_ASKED and AUDIT_DONE */
	const char *method;
	struct rpc_identity who;
	const char *peer;             /* its address */
	const struct rpc_fact *facts; /* what it is about, and what it asks for */
	size_t fact_count;
	bool has_left;           /* the caller, before it was done */
	const struct err *error; /* NULL: none */
	uint64_t count;
};

struct audit_trail;

/* `program` is kept, not copied; `path` NULL: the normal log. The file is made with mode 0600 and only appended to; a
 * link, or what is no regular file, is refused. */
int audit_trail_open(const char *program, const char *path, struct audit_trail **audit,
		     struct err *e) MUST_CHECK;
void audit_trail_close(struct audit_trail *audit);
DEFINE_CLEANUP(struct audit_trail *, audit_trail_close)

/* Opens the path anew, where another file may be by now. If that fails nothing can be written until it can. */
int audit_trail_reopen(struct audit_trail *audit, struct err *e) MUST_CHECK;

/* With the kernel when it returns. ERR_UNAVAILABLE: it is not written, and what it speaks of must not happen. */
int audit_trail_write(struct audit_trail *audit, const struct audit_entry *entry,
		      struct err *e) MUST_CHECK;
