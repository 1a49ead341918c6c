/* SPDX-License-Identifier: Apache-2.0 */
#include "common/usage/usage_statement.h"

#include "common/http/html.h"
#include "common/transfer/csv.h"

#include <stdio.h>

const char *usage_kind(const Computations__Usage *row)
{
	if (*row->computation)
		return "computation";
	return row->others ? "others" : "idle";
}

/* ---- CSV (RFC 4180) ---- */

static void csv_begin(struct usage_statement *s)
{
	writer_text(&s->w, "month,until,workspace,removed,kind,computation,cvms,cvm_seconds,"
			   "cpu_seconds,memory_mib_seconds,limit_cvm_hours,limit_cpu_hours,"
			   "limit_memory_gib_hours,bytes_in,bytes_out,storage_mib_seconds\r\n");
}

/* Empty: none. */
static void csv_limit(struct usage_statement *s, uint64_t hours)
{
	if (hours)
		writer_printf(&s->w, ",%llu", (unsigned long long)hours);
	else
		writer_text(&s->w, ",");
}

static void csv_row(struct usage_statement *s, const Computations__Usage *row)
{
	writer_printf(&s->w, "%s,%s,", s->month, s->until);
	csv_put(&s->w, row->workspace);
	writer_printf(&s->w, ",%s,%s,", row->removed ? "yes" : "no", usage_kind(row));
	csv_put(&s->w, row->computation);
	writer_printf(
		&s->w, ",%llu,%llu.%03llu,%llu.%03llu,%llu", (unsigned long long)row->cvms,
		(unsigned long long)row->cvm_ms / 1000, (unsigned long long)row->cvm_ms % 1000,
		(unsigned long long)row->cpu_ms / 1000, (unsigned long long)row->cpu_ms % 1000,
		(unsigned long long)row->memory_mib_seconds);
	csv_limit(s, row->limit ? row->limit->cvm_hours : 0);
	csv_limit(s, row->limit ? row->limit->cpu_hours : 0);
	csv_limit(s, row->limit ? row->limit->memory_gib_hours : 0);
	writer_printf(&s->w, ",%llu,%llu,%llu\r\n", (unsigned long long)row->bytes_in,
		      (unsigned long long)row->bytes_out,
		      (unsigned long long)row->storage_mib_seconds);
}

static void csv_share(struct usage_statement *s, const struct usage_share *share)
{
	(void)s;
	(void)share;
}

static void csv_end(struct usage_statement *s)
{
	(void)s;
}

const struct usage_form usage_csv = { csv_begin, csv_row, csv_share, csv_end };

/* ---- a page, by itself: it loads nothing ---- */

static void html_begin(struct usage_statement *s)
{
	writer_printf(
		&s->w,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\""
		" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<title>Usage of CVMs in %s</title>\n<style>\n"
		":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\n"
		"body{max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
		"div{overflow-x:auto}\n"
		"table{border-collapse:collapse;width:100%%;font-variant-numeric:tabular-nums}\n"
		"th,td{text-align:start;padding:.3rem .6rem;border-block-end:1px solid #8888;"
		"overflow-wrap:anywhere}\n"
		"td.n,th.n{text-align:end;white-space:nowrap}\n"
		"tfoot th,tfoot td{border-block-start:2px solid;font-weight:bold}\n"
		"@page{margin:18mm}\n"
		"@media print{:root{color-scheme:light;font-size:10pt}body{max-width:none;margin:0;"
		"padding:0}thead{display:table-header-group}tr{break-inside:avoid}}\n"
		"</style>\n</head>\n<body>\n<h1>Usage of CVMs in %s</h1>\n"
		"<p>As their managers said, until %s. Times are in UTC. Bytes in and out, by the month in "
		"which this service heard of them, are as computations’ own agents said in their journals: those "
		"without one count none, nor do results whose size the manifest hides. Storage is what the service kept of a "
		"computation, as it was looked at each hour: its manifest, sealed key, evidence, log lines, events and "
		"journals.</p>\n<div>\n<table>\n"
		"<thead><tr><th scope=\"col\">Workspace</th><th scope=\"col\">For</th>"
		"<th class=\"n\" scope=\"col\">CVMs</th><th class=\"n\" scope=\"col\">CVM hours</th>"
		"<th class=\"n\" scope=\"col\">CPU hours</th>"
		"<th class=\"n\" scope=\"col\">GiB hours</th><th class=\"n\" scope=\"col\">Bytes in</th>"
		"<th class=\"n\" scope=\"col\">Bytes out</th>"
		"<th class=\"n\" scope=\"col\">Storage MiB hours</th></tr></thead>\n<tbody>\n",
		s->month, s->month, s->until);
}

static void html_number(struct usage_statement *s, const char *text)
{
	writer_printf(&s->w, "<td class=\"n\">%s</td>", text);
}

static void html_numbers(struct usage_statement *s, const struct usage_sum *sum)
{
	char text[USAGE_HOURS_MAX];

	usage_hours(sum->cvm_ms, text);
	html_number(s, text);
	usage_hours(sum->cpu_ms, text);
	html_number(s, text);
	usage_gib_hours(sum->memory_mib_seconds, text);
	html_number(s, text);
	usage_bytes(sum->bytes_in, text);
	html_number(s, text);
	usage_bytes(sum->bytes_out, text);
	html_number(s, text);
	usage_mib_hours(sum->storage_mib_seconds, text);
	html_number(s, text);
	writer_text(&s->w, "</tr>\n");
}

static void html_row(struct usage_statement *s, const Computations__Usage *row)
{
	writer_text(&s->w, "<tr><td><bdi>");
	html_text(&s->w, row->workspace);
	writer_text(&s->w, row->removed ? "</bdi> (removed)</td><td>" : "</bdi></td><td>");
	if (*row->computation) {
		writer_text(&s->w, "<bdi>");
		html_text(&s->w, row->computation);
		writer_text(&s->w, "</bdi>");
	} else {
		writer_text(&s->w, row->others ? "other computations" : "no computation (waiting)");
	}
	writer_printf(&s->w, "</td><td class=\"n\">%llu</td>", (unsigned long long)row->cvms);
	html_numbers(s, &(struct usage_sum){ row->cvm_ms, row->cpu_ms, row->memory_mib_seconds,
					     row->bytes_in, row->bytes_out,
					     row->storage_mib_seconds });
}

static void html_share(struct usage_statement *s, const struct usage_share *share)
{
	struct usage_share_row rows[USAGE_SHARE_ROWS];
	size_t count = usage_share_rows(share, rows);

	for (size_t i = 0; i < count; i++) {
		writer_text(&s->limits, "<p><bdi>");
		html_text(&s->limits, share->workspace);
		writer_printf(&s->limits, "</bdi> has used %s of its %llu %s (%u %%).</p>\n",
			      rows[i].used, rows[i].limit, rows[i].what, rows[i].percent);
	}
}

static void html_end(struct usage_statement *s)
{
	writer_text(&s->w, "</tbody>\n<tfoot><tr><th scope=\"row\" colspan=\"3\">Together</th>");
	html_numbers(s, &s->sum);
	writer_text(&s->w, "</tfoot>\n</table>\n</div>\n");
	writer_bytes(&s->w, s->limits.bytes, s->limits.len);
	writer_text(&s->w, "</body>\n</html>\n");
}

const struct usage_form usage_html = { html_begin, html_row, html_share, html_end };

void usage_statement_add(struct usage_statement *s, const struct usage_form *form,
			 const Computations__Usage *row)
{
	form->row(s, row);
	s->sum.cvm_ms += row->cvm_ms;
	s->sum.cpu_ms += row->cpu_ms;
	s->sum.memory_mib_seconds += row->memory_mib_seconds;
	usage_bytes_add(&s->sum.bytes_in, row->bytes_in);
	usage_bytes_add(&s->sum.bytes_out, row->bytes_out);
	usage_bytes_add(&s->sum.storage_mib_seconds, row->storage_mib_seconds);
}

void usage_statement_done(struct usage_statement *s)
{
	writer_done(&s->w);
	writer_done(&s->limits);
}
