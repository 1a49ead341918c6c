/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_note.h — what an entry of a journal says: a type and its fields, both of the one table that
 * docs/journal.md shows.
 */
#pragma once

#include "common/base/datum.h"
#include "common/base/span.h"

enum { JOURNAL_FIELDS_MAX = 6, JOURNAL_VALUE_MAX = 1 << 20 };

enum journal_kind { JOURNAL_NUMBER, JOURNAL_FLAG, JOURNAL_TEXT, JOURNAL_BYTES, JOURNAL_DIGEST };

/* Values of texts and bytes are lent. */
struct journal_field {
	const char *name;
	enum journal_kind kind; /* DIGEST: 32 bytes */
	uint64_t number;        /* FLAG: 0 or 1 */
	struct span bytes;
};

struct journal_note {
	const char *type;
	struct journal_field fields[JOURNAL_FIELDS_MAX];
	size_t count;
};

/* A row of the table; fields in the order in which they are encoded. */
struct journal_type {
	const char *name;
	struct {
		const char *name;
		enum journal_kind kind;
		bool optional;
	} fields[JOURNAL_FIELDS_MAX];
};
const struct journal_type *journal_type_of(const char *name, size_t len); /* NULL: there is none */
const struct journal_type *journal_type_row(size_t i);                    /* NULL behind the last */

/* In any order; one too many is seen when it is written. A text that is not UTF-8 is the caller's
 * mistake. */
void journal_put_number(struct journal_note *note, const char *name, uint64_t number);
void journal_put_flag(struct journal_note *note, const char *name, bool flag);
void journal_put_text(struct journal_note *note, const char *name, const char *text, size_t len);
void journal_put_bytes(struct journal_note *note, const char *name, const void *bytes, size_t len);
void journal_put_digest(struct journal_note *note, const char *name, const uint8_t digest[32]);

/* NULL: it has none of that name. */
const struct journal_field *journal_field_of(const struct journal_note *note, const char *name);

struct writer;

/* Type and content as CBOR. ERR_INTERNAL for fields that are not the type's. */
int journal_note_write(const struct journal_note *note, struct writer *w, struct err *e) MUST_CHECK;

/* Of that type, with exactly its fields in their order; spans lead into what `content` was read from,
 * names into the table. */
int journal_note_read(const struct datum *type, const struct datum *content,
		      struct journal_note *note, struct err *e) MUST_CHECK;
