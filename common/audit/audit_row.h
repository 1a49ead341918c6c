/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_row.h — rows of an audit log that is a chain: each carries the digest of the one before it, so that none
 * can be altered, left out, moved or added unnoticed (docs/audit.md has every byte of it).
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/crypto/digest.h"

#include <stdint.h>

enum {
	AUDIT_ROW_TEXT_MAX = 1024, /* bytes of each text; longer ones are cut */
	/* A row as a line: nine texts, of which each byte may become six, and what is around them. */
	AUDIT_ROW_LINE_MAX = 64 << 10,
	AUDIT_HEAD_TEXT_MAX = 20 + 1 + 2 * SHA3_256_LEN,
};

/* A place in the chain: how many rows came before, and the digest of the last. 0 and zeros: before the first. */
struct audit_head {
	uint64_t number;
	uint8_t digest[SHA3_256_LEN];
};

/* Texts are UTF-8; NULL is "". */
struct audit_row {
	uint64_t number, time;       /* from 1; milliseconds since 1970 */
	const char *who, *from;      /* "user alice", "uid 0", …; the address that it came from */
	const char *what, *object;   /* "computations.ComputationService/Stop"; "computation c-1" */
	const char *about;           /* what else was asked for: a JSON object */
	const char *before, *after;  /* of the object, where that is small */
	const char *outcome, *cause; /* "OK", or the name of an error's code, and its words */
};

#define AUDIT_OK "OK"

/* "12:1f…" and the way back, which takes no other form. */
void audit_head_text(const struct audit_head *head, char text[AUDIT_HEAD_TEXT_MAX + 1]);
int audit_head_parse(const char *text, struct audit_head *head, struct err *e) MUST_CHECK;

/* Takes the place behind `head`, which moves on to this row: number and digest. */
int audit_row_chain(struct audit_row *row, struct audit_head *head, struct err *e) MUST_CHECK;

struct writer;
/* The one line, without its end, of a row with that digest. */
void audit_row_write(const struct audit_row *row, const uint8_t digest[SHA3_256_LEN],
		     struct writer *w);

/* Reads such a line and nothing that differs from it by a byte. The texts are `json`'s, which the caller frees. */
int audit_row_read(const char *line, size_t len, struct json **json, struct audit_row *row,
		   uint8_t digest[SHA3_256_LEN], struct err *e) MUST_CHECK;

/* The same, and it has to be the one behind `head`, which moves on. ERR_DATA_LOSS says which one does not fit. */
int audit_row_follow(struct audit_head *head, const char *line, size_t len, struct json **json,
		     struct audit_row *row, struct err *e) MUST_CHECK;

/* At most AUDIT_ROW_TEXT_MAX bytes of valid UTF-8: what is none of it becomes '?'. */
void audit_row_clean(const char *text, char clean[AUDIT_ROW_TEXT_MAX + 1]);
