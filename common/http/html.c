/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/html.h"

#include "common/base/utf8.h"

#include <string.h>

struct escape {
	char character;
	const char *entity;
};

/* The same for text, where quotes would do no harm either: one table is checked once. */
static const char *entity_of(char character, bool is_attribute)
{
	static const struct escape escapes[] = {
		{ '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" }, { '`', "&#96;" },
	};

	for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
		if (escapes[i].character == character)
			return escapes[i].entity;
	if (is_attribute && character == '\n')
		return "&#10;";
	return is_attribute && character == '\t' ? "&#9;" : NULL;
}

static void put_character(struct writer *w, const char *at, size_t len, bool is_attribute)
{
	const char *entity = len == 1 ? entity_of(*at, is_attribute) : NULL;

	if (entity)
		writer_text(w, entity);
	else if (len == 1 && (*at == '\n' || *at == '\t'))
		writer_bytes(w, at, 1);
	else if (!utf8_shown(at, len))
		writer_printf(w, "\\u%04x", utf8_code(at, len));
	else
		writer_bytes(w, at, len);
}

static void put(struct writer *w, const char *text, bool is_attribute)
{
	size_t left = strlen(text);

	while (left) {
		size_t len = utf8_char(text, left);

		if (len)
			put_character(w, text, len, is_attribute);
		else
			writer_text(w, "\xEF\xBF\xBD");
		text += len ? len : 1;
		left -= len ? len : 1;
	}
}

void html_text(struct writer *w, const char *text)
{
	put(w, text, false);
}

void html_attribute(struct writer *w, const char *text)
{
	put(w, text, true);
}

void html_query(struct writer *w, const char *text)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			writer_bytes(w, text, 1);
		else
			writer_printf(w, "%%%02X", (unsigned char)*text);
	}
}

void html_url(struct writer *w, const char *text)
{
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		w->bad = true;
	html_query(w, text);
}
