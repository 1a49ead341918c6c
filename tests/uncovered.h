/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uncovered.h — what may change in evidence without changing a verdict, found by mutation.
 *
 * The places are rows of uncovered.def. A change that is accepted elsewhere fails the test; so does,
 * at its end, a row of this test's file where no change was accepted.
 */
#pragma once

#include "common/base/span.h"
#include "tests/unit.h"

enum uncovered {
	UNCOVERED_NONE,
#define UNCOVERED(section, id, ...) UNCOVERED_##id,
#include "tests/uncovered.def"
#undef UNCOVERED
	UNCOVERED_COUNT,
	UNCOVERED_EVERY = 1 << 16, /* beside a place: each bit there may be flipped */
};

struct uncovered_row {
	const char *section, *file, *where, *what, *why;
};
extern const struct uncovered_row uncovered_rows[UNCOVERED_COUNT]; /* the first is empty */

/* One piece of evidence, and the call that judges it with other bytes in its place. */
struct uncovered_subject {
	const char *name;
	struct span original;
	bool (*accepts)(struct span changed);
	/* What is open at that byte of the original, or just before it; NULL: nothing anywhere. */
	int (*open)(struct span original, size_t at);
};

/* A change at that byte was accepted, or not. */
void uncovered_judge(const struct uncovered_subject *s, size_t at, bool accepted, bool flipped,
		     const char *how);

/* Each step-th bit flipped, byte taken out, byte put in; the last place is always one of them. */
void uncovered_mutate(const struct uncovered_subject *s, size_t step);

/* That very change is accepted, and is one of `place`. */
void uncovered_accepts(const struct uncovered_subject *s, enum uncovered place,
		       struct span changed);

/* The spellings of one or more PEM blocks that are one; white space before them if `indented`. */
void uncovered_pem(const struct uncovered_subject *s, enum uncovered place, bool indented);

/* Puts n−s into the place of s, in the group of that NID. */
void uncovered_twin(int group, uint8_t *s, size_t len, bool little_endian);
/* The same of the signature at the end of a certificate or CRL in DER; `out` has room for one byte
 * more, since s may grow. Returns the new length. */
size_t uncovered_twin_of_der(int group, struct span der, uint8_t *out);

void uncovered_found(enum uncovered place);
/* Fails unless each row of that file was found; prints how often. */
void uncovered_all_found(const char *file);
