/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h — the answer of an appraisal: a list of checks, and a word that follows from it.
 *
 * RFC 9334 calls this the attestation result. The overall word is computed from the list each time
 * and can't be set: it is a yes only if there is at least one check, none failed, the list did not
 * overflow, and every step that this kind of evidence requires (verdict_require) is in it as
 * passed. The struct is plain memory of fixed size: no allocation, nothing to free.
 *
 * A check is one of the table's (checks.h). The first failed check is the reason that a person is
 * given.
 */
#pragma once

#include "attestation/verdict/checks.h"
#include "attestation/verdict/notes.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <stdint.h>

enum {
	VERDICT_CHECKS_MAX = 192,
	VERDICT_NAME_MAX = 48,
	VERDICT_TEXT_MAX = 200,
	VERDICT_NOTES_MAX = 32,
	VERDICT_JSON_MAX = 4 << 20, /* bytes, with claims */
};

enum check_outcome {
	CHECK_PASSED,
	CHECK_FAILED,
	CHECK_NOT_ASKED, /* neither yes nor no, and never enough for a required step */
};

struct check {
	enum check_id id;
	unsigned index;              /* of a family, else 0 */
	char name[VERDICT_NAME_MAX]; /* as people read it, with the index */
	enum check_outcome outcome;
	/* For people; long values are cut. */
	char found[VERDICT_TEXT_MAX], wanted[VERDICT_TEXT_MAX];
};

struct note {
	enum note_id id;
	char text[VERDICT_TEXT_MAX];
};

/* What a yes is about. */
enum verdict_scope {
	VERDICT_SCOPE_FULL,         /* "verified": evidence and policy */
	VERDICT_SCOPE_GENUINE_ONLY, /* "genuine": nothing is said about what runs */
};

struct verdict {
	enum verdict_scope scope;
	bool overflow;
	bool simulated; /* set by verdict_name(): no hardware stands behind any of it */
	size_t count, required_count, note_count;
	struct check checks[VERDICT_CHECKS_MAX];
	enum check_id required[CHECK_COUNT];  /* each once: never too many */
	struct note notes[VERDICT_NOTES_MAX]; /* what a reader must know beside the word */
};

void verdict_init(struct verdict *v, enum verdict_scope scope);

/* Adds a check and returns whether it passed. `found` and `wanted` may be NULL. */
bool verdict_check(struct verdict *v, enum check_id id, bool passed, const char *found,
		   const char *wanted);
/* One of a family: "policy.pcr16" is CHECK_POLICY_PCR, 16. */
bool verdict_check_of(struct verdict *v, enum check_id id, unsigned index, bool passed,
		      const char *found, const char *wanted);
/* The same with the first text formatted, and `wanted` as it is. */
bool verdict_checkf(struct verdict *v, enum check_id id, bool passed, const char *wanted,
		    const char *found_fmt, ...) __attribute__((format(printf, 5, 6)));
/* Passed if the `len` bytes are equal; both in hexadecimal. */
bool verdict_bytes(struct verdict *v, enum check_id id, const void *found, const void *wanted,
		   size_t len);
/* Passed if found >= floor. */
bool verdict_at_least(struct verdict *v, enum check_id id, uint64_t found, uint64_t floor);
/* A failed check whose found is the error's text; returns false. */
bool verdict_err(struct verdict *v, enum check_id id, const struct err *e);
/* The outcome of a call that returned `failed`: passed if that is 0, else its error's text. */
bool verdict_step(struct verdict *v, enum check_id id, int failed, const struct err *e);
/* The same, and required. */
bool verdict_require_step(struct verdict *v, enum check_id id, int failed, const struct err *e);
void verdict_not_asked(struct verdict *v, enum check_id id, const char *why);
/* What passed since there were `from` checks says nothing after all, and is not asked; what failed stays. */
void verdict_withdraw(struct verdict *v, size_t from, const char *why);
/* The same of one check, which is no longer required either: nobody could have compared it. */
void verdict_leave(struct verdict *v, enum check_id id, const char *why);
void verdict_note(struct verdict *v, enum note_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The check has to be there and passed for a yes. Asking twice is asking once. */
void verdict_require(struct verdict *v, enum check_id id);

/* A Name of the chain that the evidence leads along: one of a simulator's makes the verdict's word
 * begin with "SIMULATED", whatever the word is. Simulators are known by a text of theirs that begins
 * with "SIMULATED" (tests/teesim), or with "swtpm" (swtpm-localca's CAs, and swtpm's model in the
 * certificates that it makes). It changes no check, and its absence says nothing: a simulator can
 * call itself anything, and is trusted only under a root that somebody names. */
void verdict_name(struct verdict *v, struct span name);
/* The same of the root that the evidence leads to, or that was named. */
struct x509;
void verdict_root(struct verdict *v, const struct x509 *root);

/* "verified", "genuine" or "refused", behind "SIMULATED " where a root says so: what every
 * program prints of a verdict begins with this. A string constant. */
const char *verdict_word(const struct verdict *v);

/* The only yes. What judges has no other way to say it: the appraisals return nothing, and verify()
 * returns whether there is a verdict. `house.py check` looks for this call behind each of them. */
bool verdict_ok(const struct verdict *v) MUST_CHECK;

/* Why it is a no, in one line: the first failed check, "CHECK: found …, wanted …", or what else is
 * missing. Empty for a yes. A no is no error; who denies something for it sets ERR_DENIED himself. */
struct verdict_reason {
	char text[ERR_TEXT_MAX];
};
struct verdict_reason verdict_reason(const struct verdict *v);
/* The line of the failed check number `n`, counted from 0 in the order in which they were made; false
 * if there are not so many. */
bool verdict_failed(const struct verdict *v, size_t n, struct verdict_reason *reason);

/* Of a no, the gravest fault of what failed, or else of what is missing; FAULT_NONE of a yes. */
enum check_fault verdict_fault(const struct verdict *v);

/* Every required step that says whose evidence it is was taken, and nothing was found malformed or not
 * genuine; what a policy says of it left aside. No yes: see verdict_ok(). */
bool verdict_is_genuine(const struct verdict *v);

/* The first of that check, or NULL. */
const struct check *verdict_find(const struct verdict *v, enum check_id id);

/* One JSON object on one line: {"verdict":verdict_word(),"reason":…,"fault":…,"notes":[…],
 * "checks":[{"name","outcome","found","wanted","section"}…],"claims":{…}}. `claims` is that object as
 * claims_json() wrote it; empty: the member is left out. */
struct writer;
void verdict_json(const struct verdict *v, struct span claims, struct writer *w);
