/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_statement.h — what CVMs ran in a month, what went in and out, and what was kept, as a statement: CSV for spreadsheets, or a page to print.
 *
 * Names are those that others gave: no cell begins a formula (common/transfer/csv.h), and none is markup of the page.
 */
#pragma once

#include "common/base/writer.h"
#include "common/usage/usage_share.h"
#include "computations.pb-c.h"

struct usage_sum {
	unsigned long long cvm_ms, cpu_ms, memory_mib_seconds, bytes_in, bytes_out,
		storage_mib_seconds;
};

struct usage_statement {
	struct writer w, limits;   /* the page; what it says of limits, behind the table */
	char month[16], until[80]; /* what it is of; how far, in words */
	struct usage_sum sum;      /* of all rows so far */
};

enum { USAGE_STATEMENT_MAX = 64 << 20 };
/* Whose time a row is: "computation", "others", "idle". */
const char *usage_kind(const Computations__Usage *row);

struct usage_form {
	void (*begin)(struct usage_statement *s);
	void (*row)(struct usage_statement *s, const Computations__Usage *row);
	void (*share)(struct usage_statement *s,
		      const struct usage_share *share); /* of each workspace */
	void (*end)(struct usage_statement *s);
};
extern const struct usage_form usage_csv, usage_html;

/* A row, and the sums with it. */
void usage_statement_add(struct usage_statement *s, const struct usage_form *form,
			 const Computations__Usage *row);
void usage_statement_done(struct usage_statement *s);
