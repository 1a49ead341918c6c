/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_audit.h — a server's calls in the audit log: those that change something, and those refused.
 */
#pragma once

#include "common/audit/audit_trail.h"
#include "common/crypto/keyed_rate.h"
#include "common/rpc/observer.h"

/* A member of a request's message that the log tells of, if it is not empty. */
struct call_audit_field {
	const char *key;
	bool is_flag;   /* a bool; else a `char *` */
	bool is_number; /* a uint64_t, of which 0 is none */
	bool is_inner;  /* of the message that `in` points to, if it does */
	size_t in, at;  /* offsets */
};

enum { CALL_AUDIT_FIELDS_MAX = 5 };

/* What is known of a method. One that is in no table counts as changing: a new one is in the log until
 * somebody says that it only reads. */
struct call_audit_method {
	const char *path;
	bool reads;
	bool is_proven; /* what it shows is looked at by its handler, which enters it behind that (rpc_call_enter()) */
	struct call_audit_field fields[CALL_AUDIT_FIELDS_MAX];
};

#define CALL_AUDIT_TEXT(key_, message_, member_) { .key = key_, .at = offsetof(message_, member_) }
#define CALL_AUDIT_FLAG(key_, message_, member_) \
	{ .key = key_, .is_flag = true, .at = offsetof(message_, member_) }
#define CALL_AUDIT_NUMBER(key_, message_, member_) \
	{ .key = key_, .is_number = true, .at = offsetof(message_, member_) }
#define CALL_AUDIT_INNER(key_, message_, member_, inner_, inner_member_) \
	{ .key = key_,                                                   \
	  .is_inner = true,                                              \
	  .in = offsetof(message_, member_),                             \
	  .at = offsetof(inner_, inner_member_) }

/* How many refusals have an entry of their own: whoever may not call could fill the disk, and bury the others' entries. At once, and
 * the time for one more: of one caller, and of all together. At most 86,400 a day. */
enum {
	AUDIT_LIMIT_SETS = 64, /* keyed_rate.h */
	AUDIT_LIMIT_WAYS = 4,
	AUDIT_LIMIT_BURST = 20,
	AUDIT_LIMIT_MS = 30 * 1000,
	AUDIT_LIMIT_ALL_BURST = 200,
	AUDIT_LIMIT_ALL_MS = 1000,
	/* Of what is put off, because it came too often: one tells of it. At most 8,640 a day. */
	AUDIT_PUT_OFF_MS = 60 * 1000,
	AUDIT_PUT_OFF_ALL_BURST = 20,
	AUDIT_PUT_OFF_ALL_MS = 10 * 1000,
};

/* Refusals of one kind. */
struct call_audit_room {
	struct keyed_rate *rate;
	uint64_t left_out; /* without an entry, that were not told of */
	bool leaves_out;   /* the last one had none */
};

struct call_audit {
	struct audit_trail *audit;
	const struct call_audit_method *methods;
	size_t count;
	struct call_audit_room refused, put_off;
	int64_t open_spent_until; /* of what anybody may call (rate.h) */
	/* Told of each entry that was written, where somebody keeps them as well; NULL: nobody. */
	void (*keep)(void *data, const struct audit_entry *entry);
	void *keep_data;
};

/* `a` zeroed but for its methods. Its trail is audit_trail_open()'s. */
int call_audit_open(struct call_audit *a, const char *program, const char *path,
		    struct err *e) MUST_CHECK;

/* For an observer. A call that changes something is refused if that can't be written. What is refused before it
 * begins has an entry; of those that only read, so has a refusal for want of the right (ERR_DENIED,
 * ERR_UNAUTHENTICATED) later. Refusals beyond AUDIT_LIMIT_ are counted. What comes too often (ERR_EXHAUSTED) takes no room of others'
 * refusals: it has AUDIT_PUT_OFF_, and how many more there were is told with the next of them. */
int call_audit_admit(struct call_audit *a, struct rpc_call *call, const ProtobufCMessage *message,
		     struct err *e) MUST_CHECK;
/* The same where it is found out later whether that caller may call at all: what has entries is limited as
 * refusals are, and beyond that the call is one (ERR_EXHAUSTED). So that nobody uses up others' room, one that is proven has its
 * entry behind its proof, and no such limit; without a proof it is a refusal. */
int call_audit_admit_stranger(struct call_audit *a, struct rpc_call *call,
			      const ProtobufCMessage *message, struct err *e) MUST_CHECK;
/* The same of what anybody may call, and whose handler shares out what it takes: as many have entries as refusals of all callers
 * together, and by themselves, so that neither keeps the other from any. One beyond them goes on without an entry: it is
 * counted, and put off for good (rpc_call_defer()). */
int call_audit_admit_open(struct call_audit *a, struct rpc_call *call,
			  const ProtobufCMessage *message, struct err *e) MUST_CHECK;
/* Of an observer's enter(). */
int call_audit_enter(struct call_audit *a, struct rpc_call *call, struct err *e) MUST_CHECK;
void call_audit_ended(struct call_audit *a, const struct rpc_call *call, bool admitted,
		      const struct err *e);

/* An entry for what was refused and is no call, limited as those are; `who` is who it counts for. */
void call_audit_refused(struct call_audit *a, const struct audit_entry *entry, const char *who);

/* For a call that somebody else refuses before call_audit_admit(): notes what it is about. */
int call_audit_note(const struct call_audit *a, struct rpc_call *call,
		    const ProtobufCMessage *message, struct err *e) MUST_CHECK;

/* Tells what was left out last: while there is still somebody who keeps it. */
void call_audit_flush(struct call_audit *a);
/* The same, and closes the log. Fine if it was not opened. */
void call_audit_close(struct call_audit *a);
