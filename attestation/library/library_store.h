/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library_store.h — copies of the bytes that a caller handed over, each under the number by which the
 * public header calls it. Private to attestation/library.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

enum { LIBRARY_ITEMS_MAX = 48 };

/* What a number stands for. The table is the only list of numbers that are known. */
struct library_row {
	unsigned number;
	const char *name; /* for errors */
	size_t min, max;  /* bytes */
	size_t times;     /* how often it may be given */
};

struct library_store {
	size_t count;
	struct library_item {
		unsigned number;
		uint8_t *bytes;
		size_t len;
	} items[LIBRARY_ITEMS_MAX];
};

void library_store_done(struct library_store *store);

/* Copies. INVALID for a number without a row, for one too many and below the row's minimum;
 * EXHAUSTED above its maximum. */
int library_store_add(struct library_store *store, const struct library_row *rows, size_t count,
		      unsigned number, struct span bytes, struct err *e) MUST_CHECK;

/* The `nth` of a number, from 0; empty if there is none. */
struct span library_store_get(const struct library_store *store, unsigned number, size_t nth);
bool library_store_has(const struct library_store *store, unsigned number);
