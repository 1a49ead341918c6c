/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h — the answer of an appraisal: a list of checks, and a word that follows from it.
 *
 * RFC 9334 calls this the attestation result. The overall word is computed from the list each time
 * and can't be set: it is a yes only if there is at least one check, none failed, the list did not
 * overflow, and every step that this kind of evidence requires (verdict_require) is in it as
 * passed. The struct is plain memory of fixed size: no allocation, nothing to free.
 *
 * A check's name is "stage.what", for instance "chain.signature" or "policy.measurement"; stages:
 * parse, certtable, time, chain, crl, signature, binding, collateral, tcb, module, identity, quote,
 * ak, log, token, policy, run. The first failed check is the reason that a person is given.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VERDICT_CHECKS_MAX = 192,
	VERDICT_NAME_MAX = 48,
	VERDICT_TEXT_MAX = 200,
	VERDICT_REQUIRED_MAX = 96,
	VERDICT_NOTES_MAX = 32,
};

enum check_outcome {
	CHECK_PASSED,
	CHECK_FAILED,
	CHECK_NOT_ASKED, /* neither yes nor no, and never enough for a required step */
};

struct check {
	char name[VERDICT_NAME_MAX];
	enum check_outcome outcome;
	char found[VERDICT_TEXT_MAX],
		wanted[VERDICT_TEXT_MAX]; /* for people; long values are cut */
	const char *section; /* of the specification, a string constant: "56860 table 23" */
};

/* What a yes is about. */
enum verdict_scope {
	VERDICT_SCOPE_FULL,         /* "verified": evidence and policy */
	VERDICT_SCOPE_GENUINE_ONLY, /* "genuine": nothing is said about what runs */
};

struct verdict {
	enum verdict_scope scope;
	bool overflow;
	bool simulated; /* set by verdict_root(): no hardware stands behind any of it */
	size_t count, required_count, note_count;
	struct check checks[VERDICT_CHECKS_MAX];
	const char *required[VERDICT_REQUIRED_MAX];      /* string constants */
	char notes[VERDICT_NOTES_MAX][VERDICT_TEXT_MAX]; /* what a reader must know beside the word:
						            "operator trusted", … */
};

void verdict_init(struct verdict *v, enum verdict_scope scope);

/* Adds a check and returns whether it passed. `found` and `wanted` may be NULL. */
bool verdict_check(struct verdict *v, const char *name, const char *section, bool passed,
		   const char *found, const char *wanted);
/* The same with both texts formatted: "%s found", and `wanted` a constant text. */
bool verdict_checkf(struct verdict *v, const char *name, const char *section, bool passed,
		    const char *wanted, const char *found_fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* Passed if the `len` bytes are equal; both in hexadecimal. */
bool verdict_bytes(struct verdict *v, const char *name, const char *section, const void *found,
		   const void *wanted, size_t len);
/* Passed if found >= floor. */
bool verdict_at_least(struct verdict *v, const char *name, const char *section, uint64_t found,
		      uint64_t floor);
/* A failed check whose found is the error's text; returns false. */
bool verdict_err(struct verdict *v, const char *name, const char *section, const struct err *e);
void verdict_not_asked(struct verdict *v, const char *name, const char *section, const char *why);
void verdict_note(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The named check (exact name) has to be there and passed for a yes. Asking twice is asking once. */
void verdict_require(struct verdict *v, const char *name);

/* A root that the evidence leads to, or that was named: one whose subject says "SIMULATED" (as that
 * of the simulator in tests/teesim does) makes the verdict's word begin with it, whatever the word
 * is. It changes no check: such a root is trusted only where somebody names it. */
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

/* The check of that name, or NULL. */
const struct check *verdict_find(const struct verdict *v, const char *name);

/* One JSON object on one line: {"verdict":verdict_word(),"reason":…,"notes":[…],
 * "checks":[{"name","outcome","found","wanted","section"}…]}. */
struct writer;
void verdict_json(const struct verdict *v, struct writer *w);
