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
			   "limit_memory_gib_hours\r\n");
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
	writer_text(&s->w, "\r\n");
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
		"<p>As their managers said, until %s. Times are in UTC.</p>\n<div>\n<table>\n"
		"<thead><tr><th scope=\"col\">Workspace</th><th scope=\"col\">For</th>"
		"<th class=\"n\" scope=\"col\">CVMs</th><th class=\"n\" scope=\"col\">CVM hours</th>"
		"<th class=\"n\" scope=\"col\">CPU hours</th>"
		"<th class=\"n\" scope=\"col\">GiB hours</th></tr></thead>\n<tbody>\n",
		s->month, s->month, s->until);
}

static void html_numbers(struct usage_statement *s, unsigned long long cvm_ms,
			 unsigned long long cpu_ms, unsigned long long memory_mib_seconds)
{
	char cvm[USAGE_HOURS_MAX], cpu[USAGE_HOURS_MAX], memory[USAGE_HOURS_MAX];

	usage_hours(cvm_ms, cvm);
	usage_hours(cpu_ms, cpu);
	usage_gib_hours(memory_mib_seconds, memory);
	writer_printf(
		&s->w,
		"<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n", cvm,
		cpu, memory);
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
	html_numbers(s, row->cvm_ms, row->cpu_ms, row->memory_mib_seconds);
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
	html_numbers(s, s->cvm_ms, s->cpu_ms, s->memory_mib_seconds);
	writer_text(&s->w, "</tfoot>\n</table>\n</div>\n");
	writer_bytes(&s->w, s->limits.bytes, s->limits.len);
	writer_text(&s->w, "</body>\n</html>\n");
}

const struct usage_form usage_html = { html_begin, html_row, html_share, html_end };

void usage_statement_add(struct usage_statement *s, const struct usage_form *form,
			 const Computations__Usage *row)
{
	form->row(s, row);
	s->cvm_ms += row->cvm_ms;
	s->cpu_ms += row->cpu_ms;
	s->memory_mib_seconds += row->memory_mib_seconds;
}

void usage_statement_done(struct usage_statement *s)
{
	writer_done(&s->w);
	writer_done(&s->limits);
}
