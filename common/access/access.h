/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h — who may do what: whose a caller is, and whether he may, decided in one place.
 */
#pragma once

#include "common/access/access_table.h"
#include "common/rpc/identity.h"

/* The table of a file, or none. */
struct access;

/* `path` NULL: without a table, whoever may connect is an operator. `authorities`: how many a client's certificate may
 * come from (identity_authorities()); of several, each can give any name to anybody, so that a table with subjects
 * or SPIFFE ids is refused then. It has to be a regular file that root or this
 * process's user owns, and nobody else may write. */
int access_open(const char *path, unsigned authorities, struct access **access,
		struct err *e) MUST_CHECK;
void access_close(struct access *access);
DEFINE_CLEANUP(struct access *, access_close)

/* Reads the file anew. If that fails the table stays as it was. */
int access_reload(struct access *access, struct err *e) MUST_CHECK;

/* A caller, as the table is now. */
struct access_caller {
	char tenant[ACCESS_NAME_MAX + 1]; /* empty: an operator */
	uint64_t limits[ACCESS_LIMITS];
};

/* ERR_DENIED if the table does not know what the caller is known by, or if two of these are not one's. */
int access_who(const struct access *access, const struct rpc_identity *identity,
	       struct access_caller *caller, struct err *e) MUST_CHECK;

/* What of the table somebody could be known by where callers come by unix socket, or with certificates, or both. */
struct access_reach {
	size_t operators, tenants; /* identities of theirs that somebody can show */
	size_t others;             /* that nobody can, and the line of the first of them */
	unsigned line;
};
struct access_reach access_reach(const struct access *access, bool by_socket, bool by_certificate);

/* What a call does. */
enum access_right {
	ACCESS_OPERATE, /* something of the host's: operators alone */
	ACCESS_MAKE,    /* something new, the caller's own */
	ACCESS_USE,     /* something that is there: see it, change it, remove it */
};

enum access_answer {
	ACCESS_GRANTED,
	ACCESS_HIDDEN,  /* for this caller it is not there */
	ACCESS_REFUSED, /* the call is not for this caller */
};

/* `owner`: the tenant whose the thing is that ACCESS_USE speaks of; empty: an operator's. */
enum access_answer access_decide(const struct access_caller *caller, enum access_right right,
				 const char *owner);
