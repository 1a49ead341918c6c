/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_entry.h — one entry of a journal (docs/journal.md): [sequence, previous, time, type, content]
 * in deterministic CBOR.
 */
#pragma once

#include "attestation/journal/journal_head.h"
#include "attestation/journal/journal_note.h"

enum { JOURNAL_ENTRY_MAX = JOURNAL_VALUE_MAX + 4096 };

struct journal_entry {
	uint64_t sequence; /* from 1 */
	uint8_t previous[SHA256_LEN];
	uint64_t time_ms; /* since 1970, by the agent's clock, which its host sets */
	struct journal_note note;
};

/* Writes the entry that follows `head`, and brings it forward. On failure `head` is what it was, and
 * `w` may hold a part. */
int journal_entry_write(struct journal_head *head, uint64_t time_ms,
			const struct journal_note *note, struct writer *w,
			struct err *e) MUST_CHECK;

/* The SHA-256 that goes into the head. */
int journal_entry_digest(struct span entry, uint8_t out[SHA256_LEN], struct err *e) MUST_CHECK;

/* The digest of a journal's first entry, which names its run: of one computation, too, each has another. */
int journal_run(struct span first, uint8_t run[SHA256_LEN], struct err *e) MUST_CHECK;

/* Exactly the form above, the one encoding. Spans of `entry` lead into `bytes`. Where it stands in a
 * chain is another question: journal_check.h. */
int journal_entry_parse(struct span bytes, struct journal_entry *entry, struct err *e) MUST_CHECK;
