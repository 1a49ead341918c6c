/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_parsed.h — a report and the host's certificate table, taken apart once for all who look into
 * them. Parsing only: nothing here says that either is genuine.
 */
#pragma once

#include "attestation/snp/snp_cert_table.h"
#include "attestation/snp/snp_report.h"

/* Spans point into the bytes that were given, which have to outlive this. */
struct snp_parsed {
	struct span report_bytes, table_bytes; /* the second empty: there is no table */
	struct snp_report report;
	struct snp_cert_table table;
	bool has_report, has_table; /* if not, and there are bytes, what follows says why */
	struct err report_why, table_why;
};

/* Both apart; an empty table is none. */
void snp_parsed_of(struct span report, struct span cert_table, struct snp_parsed *parsed);
/* Both in one piece, as snp_evidence_split() has it. */
void snp_parsed_of_raw(struct span raw, struct snp_parsed *parsed);

/* What an agent or a file delivers as raw report: SNP_REPORT_LEN bytes, possibly with a certificate
 * table behind them. When what follows is no well-formed table, or an empty one with anything but
 * zeros behind its end, `report` is all of it (and will be refused for
 * its length). */
void snp_evidence_split(struct span raw, struct span *report, struct span *cert_table);
