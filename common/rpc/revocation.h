/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation.h — the revocation lists of one TLS side's peers: read from a file, read again when that is replaced, and
 * asked at each handshake; open connections of a certificate that a newer list names end.
 *
 * A file that can't be read, or holds what is no current whole list of its authority, changes nothing: what was read before
 * stays in force, until it ends itself. Then, as where an authority has none, nobody with its certificates comes in.
 */
#pragma once

#include "common/crypto/crl_set.h"

#include <uv.h>

enum {
	REVOCATION_LOOK_MS = 1000,   /* between looks whether the file is another one */
	REVOCATION_RETRY_MS = 10000, /* until one that was refused is read once more */
};

enum revocation_event {
	REVOCATION_REVOKED, /* a handshake, by a list that names its certificate, */
	REVOCATION_UNKNOWN, /* or because nobody knows: no current list; */
	REVOCATION_ENDED,   /* an open connection, by a list that names it now */
	REVOCATION_EVENTS,
};

/* Who was refused. All is lent. */
struct revocation_refused {
	enum revocation_event event;
	const struct crl_judged *judged;
	const char *peer; /* its address */
	const char *text; /* one line, with what to do */
};

struct revocation_config {
	const char *
		setting; /* that names the file, for words: "MANAGER_GRPC_CLIENT_CRL"; kept, not copied */
	const char
		*path;  /* NULL: lists come by revocation_put() alone, and who has none is let in */
	const char *ca; /* PEM: whom the peers' chains end at */
	/* Told of each refusal, on the loop; may be NULL. */
	void (*refused)(void *data, const struct revocation_refused *refused);
	void *data;
};

struct revocation;

/* Reads the file, which blocks: at the start of a program. A list that has ended is taken, so that a service which gives out
 * the next one can start; it lets nobody in. revocation_close() it, also where nothing else uses it. */
int revocation_new(uv_loop_t *loop, const struct revocation_config *config,
		   struct revocation **revocation, struct err *e) MUST_CHECK;
/* The file is looked at no more, and refused() not called any more; the loop has to run once after it. NULL is fine. */
void revocation_close(struct revocation *revocation);

/* Counted references, for who judges by it. */
struct revocation *revocation_ref(struct revocation *revocation);
void revocation_unref(struct revocation *revocation);

/* A list from elsewhere, with a signer; taken over. */
int revocation_put(struct revocation *revocation, struct crl *list, struct err *e) MUST_CHECK;

/* By the lists as they are now. Good, or `why` says why not, and what to do. */
struct crl_judged revocation_judge(struct revocation *revocation, STACK_OF(X509) * chain,
				   struct err *why);
/* Another number: lists have changed since. */
uint64_t revocation_turn(const struct revocation *revocation);
/* Counts it, and tells who wants to know. */
void revocation_tell(struct revocation *revocation, const struct revocation_refused *refused);

/* ---- for metrics ---- */

const char *revocation_setting(const struct revocation *revocation);
uint64_t revocation_count(const struct revocation *revocation, enum revocation_event event);
/* The file as it is now was refused. */
bool revocation_is_stale(const struct revocation *revocation);
const struct crl_set *revocation_lists(const struct revocation *revocation);
