/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_audit.h — a server's calls in the audit log: those that change something, and those refused.
 */
#pragma once

#include "common/audit/audit_trail.h"
#include "common/rpc/observer.h"

/* What is known of a method. One that is in no table counts as changing: a new one is in the log until
 * somebody says that it only reads. */
struct call_audit_method {
	const char *path;
	bool reads;
	bool has_id;
	size_t id; /* if has_id: offset of the `char *` in the request's message that says what it is about */
};

struct call_audit {
	struct audit_trail *audit;
	const struct call_audit_method *methods;
	size_t count;
};

/* For an observer. Of those that only read, refusals for want of the right alone are told (ERR_DENIED,
 * ERR_UNAUTHENTICATED). */
int call_audit_admit(struct call_audit *a, struct rpc_call *call, const ProtobufCMessage *message,
		     struct err *e) MUST_CHECK;
void call_audit_ended(struct call_audit *a, const struct rpc_call *call, bool admitted,
		      const struct err *e);

/* For a call that somebody else refuses before call_audit_admit(): notes what it is about. */
void call_audit_note(const struct call_audit *a, struct rpc_call *call,
		     const ProtobufCMessage *message);
