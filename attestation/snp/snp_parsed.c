/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_parsed.h"

#include "common/base/bytes.h"

/* As snp_evidence_split(); `table` is filled where there is one. */
static void split(struct span raw, struct span *report, struct span *cert_table,
		  struct snp_cert_table *table)
{
	struct span tail = { 0 };
	struct err e;

	if (raw.len > SNP_REPORT_LEN)
		tail = (struct span){ .bytes = raw.bytes + SNP_REPORT_LEN,
				      .len = raw.len - SNP_REPORT_LEN };
	*report = raw;
	*cert_table = (struct span){ 0 };
	/* An empty table is its end and the rest of its page: zeros, and nothing that one could mean. */
	if (tail.len == 0 || snp_cert_table_parse(tail, table, &e) < 0 ||
	    (snp_cert_table_is_empty(table) && !bytes_are(tail.bytes, tail.len, 0)))
		return;
	report->len = SNP_REPORT_LEN;
	*cert_table = tail;
}

void snp_evidence_split(struct span raw, struct span *report, struct span *cert_table)
{
	struct snp_cert_table table;

	split(raw, report, cert_table, &table);
}

static void parse_report(struct snp_parsed *p)
{
	p->has_report = snp_report_parse(p->report_bytes.bytes, p->report_bytes.len, &p->report,
					 &p->report_why) == 0;
}

void snp_parsed_of(struct span report, struct span cert_table, struct snp_parsed *parsed)
{
	*parsed = (struct snp_parsed){ .report_bytes = report, .table_bytes = cert_table };
	parse_report(parsed);
	if (cert_table.len)
		parsed->has_table =
			snp_cert_table_parse(cert_table, &parsed->table, &parsed->table_why) == 0;
}

void snp_parsed_of_raw(struct span raw, struct snp_parsed *parsed)
{
	struct snp_cert_table table = { 0 };

	*parsed = (struct snp_parsed){ .has_report = false };
	split(raw, &parsed->report_bytes, &parsed->table_bytes, &table);
	parsed->has_table = parsed->table_bytes.len > 0;
	if (parsed->has_table)
		parsed->table = table;
	parse_report(parsed);
}
