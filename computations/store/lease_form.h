/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease_form.h — the table that says which of several instances serves (store_lease.h).
 */
#pragma once

/* At most one row, number 1. `tenure` 0: nobody's, or of a service that is alone. */
#define LEASE_FORM                                                                   \
	"CREATE TABLE lease ("                                                       \
	" number {integer} PRIMARY KEY,"                                             \
	" holder TEXT NOT NULL,"                                                     \
	" tenure {integer} NOT NULL,"   /* by chance, for each that takes it */      \
	" fence {integer} NOT NULL,"    /* one more for each that takes it */        \
	" until_ms {integer} NOT NULL," /* by the database's clock; 0: given back */ \
	" authority TEXT NOT NULL);"    /* the digest of its issuer's key; '' */

/* Where others pass callers on to its instance, and what makes its secret (lease_secret.h). '': nowhere. */
#define LEASE_PLACE_FORM                                                 \
	"ALTER TABLE lease ADD COLUMN address TEXT NOT NULL DEFAULT '';" \
	"ALTER TABLE lease ADD COLUMN secret TEXT NOT NULL DEFAULT '';"
