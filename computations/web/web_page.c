/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_page.h"

#include "common/base/encode.h"
#include "common/base/timestamp.h"
#include "common/crypto/key.h"
#include "common/http/html.h"
#include "computations/web/web_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void page_put(struct writer *w, const char *markup, ...)
{
	va_list values;

	va_start(values, markup);
	for (; *markup; markup++) {
		if (*markup != '%') {
			writer_bytes(w, markup, 1);
			continue;
		}
		markup++;
		if (*markup == 't')
			html_text(w, va_arg(values, const char *));
		else if (*markup == 'a')
			html_attribute(w, va_arg(values, const char *));
		else if (*markup == 'u')
			html_url(w, va_arg(values, const char *));
		else if (*markup == 'q')
			html_query(w, va_arg(values, const char *));
		else if (*markup == 's')
			writer_text(w, va_arg(values, const char *));
		else if (*markup == 'd')
			writer_printf(w, "%" PRId64, va_arg(values, int64_t));
		else
			w->bad = true;
	}
	va_end(values);
}

/* What is about no computation. */
static const struct {
	const char *path, *icon, *word;
	enum deed deed;
} entries[] = {
	{ "/", "comp", "Computations", DEED_BE },
	{ "/workspaces", "place", "Workspaces", DEED_BE },
	{ "/cvms", "cvm", "CVMs", DEED_OPERATE },
	{ "/users", "user", "Users", DEED_OPERATE },
	{ "/billing", "log", "Billing", DEED_OPERATE },
	{ "/certificates", "cert", "Certificates", DEED_OPERATE },
	{ "/audit", "log", "Audit log", DEED_AUDIT },
	{ "/api", "audit", "API", DEED_BE },
	{ "/me", "who", "You", DEED_BE },
};

static void put_entries(struct writer *w, const struct admin_caller *caller, const char *here)
{
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const char *path = entries[i].path;

		if (entries[i].deed != DEED_BE &&
		    (!caller ||
		     decide(&caller->rights, entries[i].deed, DECIDE_CREATED) != DECIDE_YES))
			continue;
		page_put(w,
			 "<li><a href=\"%s\"%s><svg class=\"i\" aria-hidden=\"true\"><use "
			 "href=\"/icons.svg#%s\"/></svg>%s</a></li>\n",
			 path, strcmp(here, path) == 0 ? " aria-current=\"page\"" : "",
			 entries[i].icon, entries[i].word);
	}
}

/* blocking="render": the first thing drawn is the whole page, with times of one's own zone. Nothing moves then, and
 * the script is smaller than the sheet. */
void page_begin(struct writer *w, const struct admin_caller *caller, const char *title,
		const char *here)
{
	page_put(
		w,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<title>%t · Cocos</title>\n<link rel=\"icon\" href=\"/mark.svg\">\n"
		"<link rel=\"stylesheet\" href=\"/page.css\">\n"
		"<script type=\"module\" src=\"/page.js\" blocking=\"render\"></script>\n</head>\n<body>\n"
		"<a class=\"skip\" href=\"#main\">Skip to content</a>\n<div class=\"frame\">\n"
		"<header class=\"side\">\n<a class=\"brand\" href=\"/\"><svg class=\"i\" "
		"aria-hidden=\"true\"><use href=\"/icons.svg#mark\"/></svg>Cocos</a>\n"
		"<nav aria-label=\"Service\"><ul>\n",
		title);
	put_entries(w, caller, here);
	page_put(w, "</ul></nav>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n");
}

void page_end(struct writer *w)
{
	page_put(w,
		 "</main>\n<footer class=\"foot\">%t</footer>\n</div>\n"
		 "<p id=\"said\" class=\"sr\" role=\"status\"></p>\n</body>\n</html>\n",
		 WEB_FOOT);
}

void page_state(struct writer *w, enum computation_state state)
{
	page_put(w,
		 "<span class=\"state %s\"><svg class=\"i\" aria-hidden=\"true\"><use "
		 "href=\"/icons.svg#%s\"/></svg>%s</span>",
		 web_state_class(state), web_state_icon(state), state_words(state));
}

void page_time(struct writer *w, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (!ms) {
		page_put(w, "<span class=\"dim\">–</span>");
		return;
	}
	timestamp_format(ms / 1000, text);
	page_put(w, "<time datetime=\"%a\" title=\"%a\">", text, text);
	for (char *c = text; *c; c++) /* "2026-06-15 00:00:00 UTC" */
		if (*c == 'T')
			*c = ' ';
		else if (*c == 'Z')
			*c = 0;
	page_put(w, "%t UTC</time>", text);
}

void page_digest(struct writer *w, const char *id, const char *what, const uint8_t digest[32])
{
	char hex[65] = "";

	hex_encode(digest, 32, hex);
	page_put(
		w,
		"<figure class=\"digest\"><figcaption><span><b>%s</b> · SHA3-256</span> <span "
		"class=\"row\"><span class=\"word say\"><svg class=\"i\" aria-hidden=\"true\"><use "
		"href=\"/icons.svg#say\"/></svg>This service’s word</span> <button class=\"btn quiet\" "
		"type=\"button\" data-copy=\"%s\">Copy<span class=\"sr\"> %s</span></button>"
		"</span></figcaption>\n<code class=\"dg\" id=\"%s\">",
		what, id, what, id);
	for (size_t i = 0; i < 64; i += 8) {
		page_put(w, "<span>");
		writer_bytes(w, hex + i, 8);
		page_put(w, "</span>");
	}
	page_put(w, "</code></figure>\n");
}

void page_fingerprint(struct writer *w, const void *spki, size_t len)
{
	uint8_t print[KEY_FINGERPRINT_LEN];
	struct err ignored;

	if (key_fingerprint(spki, len, print, &ignored) < 0) {
		w->bad = true;
		return;
	}
	page_key(w, print);
}

void page_key(struct writer *w, const uint8_t fingerprint[KEY_FINGERPRINT_LEN])
{
	char hex[2 * KEY_FINGERPRINT_LEN + 1] = "";

	hex_encode(fingerprint, KEY_FINGERPRINT_LEN, hex);
	page_put(w, "<code class=\"hex\">%s</code>", hex);
}

void page_head_begin(struct writer *w, const char *what)
{
	page_put(w,
		 "<section class=\"panel\" aria-label=\"%a\"><div class=\"scroll\" tabindex=\"0\" "
		 "role=\"region\" aria-label=\"Table: %a\"><table class=\"cards\" role=\"table\">"
		 "<caption class=\"sr\">%t</caption><thead role=\"rowgroup\"><tr role=\"row\">",
		 what, what, what);
}

void page_column(struct writer *w, const struct page_column *column)
{
	page_put(w, "<th role=\"columnheader\" scope=\"col\"%s>%t</th>",
		 column->is_number ? " class=\"num\"" : "", column->word);
}

void page_sorted_column(struct writer *w, const char *sorted)
{
	page_put(w, "<th role=\"columnheader\" scope=\"col\" aria-sort=\"%s\">", sorted);
}

void page_head_end(struct writer *w)
{
	page_put(w, "</tr></thead><tbody role=\"rowgroup\">\n");
}

void page_table_begin(struct writer *w, const char *what, const struct page_column *columns,
		      size_t count)
{
	page_head_begin(w, what);
	for (size_t i = 0; i < count; i++)
		page_column(w, &columns[i]);
	page_head_end(w);
}

void page_table_end(struct writer *w)
{
	page_put(w, "</tbody></table></div></section>\n");
}

void page_row_begin(struct writer *w)
{
	page_put(w, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">");
}

void page_cell(struct writer *w, const char *column)
{
	page_put(w, "<td role=\"cell\" data-l=\"%a\">", column);
}

void page_number_cell(struct writer *w, const char *column)
{
	page_put(w, "<td role=\"cell\" class=\"num\" data-l=\"%a\">", column);
}

void page_empty(struct writer *w, const char *title, const char *text, const char *command)
{
	page_put(w,
		 "<section class=\"panel empty\" aria-labelledby=\"h-empty\"><h2 id=\"h-empty\">%t"
		 "</h2><p>%t</p>\n",
		 title, text);
	page_command(w, "next", command, NULL, "");
	page_put(w, "</section>\n");
}

void page_command(struct writer *w, const char *id, const char *command, const char *argument,
		  const char *rest)
{
	/* No region, which is a landmark: a page has many of these, all of one name. */
	page_put(w,
		 "<div class=\"cmd\"><pre id=\"%s\" tabindex=\"0\" role=\"group\" "
		 "aria-label=\"Command\"><code>%t",
		 id, command);
	if (argument) {
		page_put(w, " '");
		for (const char *c = argument; *c; c++) {
			const char one[2] = { *c, 0 };

			html_text(w, *c == '\'' ? "'\\''" : one);
		}
		page_put(w, "'");
	}
	page_put(w,
		 "%t</code></pre><button class=\"btn quiet\" type=\"button\" "
		 "data-copy=\"%s\">Copy<span class=\"sr\"> the command</span></button></div>\n",
		 rest, id);
}

bool page_can_link(const char *id)
{
	return strcmp(id, ".") != 0 && strcmp(id, "..") != 0 && !strchr(id, '\\');
}
