/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_cert_table.h — the certificates that a host hands over with a report (GHCB specification
 * 56421, 4.1.8.1): entries of GUID, offset and length, ended by a zero entry, then the data.
 *
 * GUIDs are in the order in which they are written (RFC 9562).
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	SNP_CERT_TABLE_MAX = 1 << 20, /* bytes */
	SNP_CERT_TABLE_ENTRIES_MAX = 32,
	SNP_CERT_TABLE_END_LEN = 24, /* of the zero entry, which is all of an empty table */
};

struct snp_cert_table {
	struct span vcek, vlek, ask, ark, crl; /* empty if not in the table; an ASVK is in `ask` */
	size_t unknown;                        /* entries with other GUIDs, stepped over */
};

/* Every entry within the buffer and behind the entries, none empty, no two overlap, no GUID twice;
 * there is an end. Gaps are allowed (pages are padded) and not looked at. */
int snp_cert_table_parse(struct span table, struct snp_cert_table *out, struct err *e) MUST_CHECK;

/* Whether no entry was there at all: what a host with nothing to give leaves in the guest's pages. */
bool snp_cert_table_is_empty(const struct snp_cert_table *table);
