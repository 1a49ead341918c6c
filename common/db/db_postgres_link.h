/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_postgres_link.h — a connection to a PostgreSQL server: made, made anew, and waited for.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/db/db_postgres_place.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

DEFINE_CLEANUP(PGresult *, PQclear)

enum {
	POSTGRES_STATEMENTS_MAX = 256, /* prepared on one connection; others are, each time anew */
	POSTGRES_WHO_LEN = 16,         /* random bytes */
	POSTGRES_WORD_MAX = 24,        /* what postgres_word() gives, with its end */
};

struct postgres {
	PGconn *conn; /* NULL: none */
	struct postgres_place place;
	char *schema, *name; /* name: NULL, or of the session */
	bool exclusive, shared, look;
	bool within;                        /* a transaction */
	int64_t form;                       /* of the tables as they were seen; 0: not yet */
	char who[2 * POSTGRES_WHO_LEN + 1]; /* its row of cocos_fate, and the number of its */
	uint64_t commits;                   /* last commit, which that row has when it was kept */
	int64_t retry;                      /* CLOCK_MONOTONIC: not before */
	int64_t pause;                      /* ms, until the try after that */
	struct err last;                    /* why the last try failed */
	char *statements[POSTGRES_STATEMENTS_MAX]; /* by their number */
	size_t statement_count;
};

/* There is a connection, or why not. Within a transaction, one that is gone is not made anew. */
int postgres_ready(struct postgres *p, struct err *e) MUST_CHECK;
/* Another try, whatever the pause. */
int postgres_connect(struct postgres *p, struct err *e) MUST_CHECK;
void postgres_drop(struct postgres *p);

/* The result of what was sent (`sent`: libpq's answer to that), which the caller clears. A refusal of the
 * server's is an error. No answer in time: the connection is dropped. */
int postgres_result(struct postgres *p, int sent, const char *what, PGresult **result,
		    struct err *e) MUST_CHECK;
/* Statements without values and rows. */
int postgres_exec(struct postgres *p, const char *sql, struct err *e) MUST_CHECK;
/* The first column of the first row, as text; "" if there is none. `values`: those of $1 and $2, or NULL. */
int postgres_word(struct postgres *p, const char *sql, const char *const values[2],
		  char word[POSTGRES_WORD_MAX], struct err *e) MUST_CHECK;
/* Ends a transaction without keeping it, whatever the server says. */
void postgres_undo(struct postgres *p);
