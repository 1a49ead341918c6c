/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_lines.h"

#include "common/base/utf8.h"

#include <stdio.h>
#include <string.h>

enum { WINDOW_MS = 1000, CLEAN_MAX = JAIL_LINE_MAX, MARK_LEN = 3 };

static const char mark[] = "…", unknown[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* Into `clean`, which holds CLEAN_MAX; what does not fit is cut at a character, and marked. */
static size_t clean_up(const struct jail_lines *lines, char *clean)
{
	bool cut = lines->cut;
	size_t at = 0;

	for (size_t i = 0; i < lines->len;) {
		const char *next = lines->line + i;
		size_t n = utf8_char(next, lines->len - i);
		bool good = n > 0 && (*next == '\t' || !utf8_is_control(next, n));
		const char *from = good ? next : unknown;
		size_t width = good ? n : sizeof(unknown) - 1;

		if (at + width + MARK_LEN > CLEAN_MAX) {
			cut = true;
			break;
		}
		memcpy(clean + at, from, width);
		at += width;
		i += n ? n : 1;
	}
	if (cut) {
		memcpy(clean + at, mark, MARK_LEN);
		at += MARK_LEN;
	}
	return at;
}

static void say_dropped(struct jail_lines *lines)
{
	char text[96];

	if (!lines->dropped)
		return;
	int len = snprintf(text, sizeof(text), "(%llu lines dropped: more than %d in a second)",
			   (unsigned long long)lines->dropped, JAIL_LINES_PER_SECOND);
	lines->dropped = 0;
	lines->emit(lines->data, lines->stream, text, (size_t)len);
}

static void end_line(struct jail_lines *lines, uint64_t now)
{
	char clean[CLEAN_MAX];

	if (lines->len > 0 && lines->line[lines->len - 1] == '\r')
		lines->len--;
	if (now - lines->window >= WINDOW_MS) {
		lines->window = now;
		lines->count = 0;
		say_dropped(lines);
	}
	if (lines->count < JAIL_LINES_PER_SECOND) {
		lines->count++;
		lines->emit(lines->data, lines->stream, clean, clean_up(lines, clean));
	} else {
		lines->dropped++;
	}
	lines->len = 0;
	lines->cut = false;
}

void jail_lines_feed(struct jail_lines *lines, const char *bytes, size_t len, uint64_t now)
{
	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t part = newline ? (size_t)(newline - bytes) : len;
		size_t room = sizeof(lines->line) - lines->len;
		size_t kept = part < room ? part : room;

		memcpy(lines->line + lines->len, bytes, kept);
		lines->len += kept;
		lines->cut = lines->cut || kept < part;
		if (newline) {
			end_line(lines, now);
			part++;
		}
		bytes += part;
		len -= part;
	}
}

void jail_lines_end(struct jail_lines *lines, uint64_t now)
{
	if (lines->len > 0 || lines->cut)
		end_line(lines, now);
	say_dropped(lines);
}
