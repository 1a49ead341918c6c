/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/transcript.h"

#include "common/base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void transcript_done(struct transcript *t)
{
	free(t->head);
	free(t->tail);
	*t = (struct transcript){ 0 };
}

/* Both at once, so that a line is never half there; pages are taken as they are written. */
static bool has_room(struct transcript *t)
{
	if (!t->head)
		t->head = malloc(TRANSCRIPT_HEAD_MAX);
	if (!t->tail)
		t->tail = malloc(TRANSCRIPT_TAIL_MAX);
	return t->head && t->tail;
}

static void tail_put(struct transcript *t, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t at = (size_t)(t->tail_written % TRANSCRIPT_TAIL_MAX);
		size_t n = len < TRANSCRIPT_TAIL_MAX - at ? len : TRANSCRIPT_TAIL_MAX - at;

		memcpy(t->tail + at, bytes, n);
		t->tail_written += n;
		bytes += n;
		len -= n;
	}
}

void transcript_add(struct transcript *t, const char *line, size_t len)
{
	if (!has_room(t)) {
		t->lost++;
	} else if (t->tail_written == 0 && len + 1 <= TRANSCRIPT_HEAD_MAX - t->head_len) {
		memcpy(t->head + t->head_len, line, len);
		t->head[t->head_len + len] = '\n';
		t->head_len += len + 1;
	} else {
		tail_put(t, line, len);
		tail_put(t, "\n", 1);
	}
}

/* The ring from its oldest byte on; malloc'ed. */
static char *unroll(const struct transcript *t, size_t *len)
{
	bool full = t->tail_written > TRANSCRIPT_TAIL_MAX;
	size_t n = full ? TRANSCRIPT_TAIL_MAX : (size_t)t->tail_written;
	size_t from = full ? (size_t)(t->tail_written % TRANSCRIPT_TAIL_MAX) : 0;
	char *text = malloc(n + 1);

	if (!text)
		return NULL;
	if (n > 0) {
		memcpy(text, t->tail + from, n - from);
		memcpy(text + n - from, t->tail, from);
	}
	text[n] = '\0';
	*len = n;
	return text;
}

int transcript_text(const struct transcript *t, char **text, size_t *len, struct err *e)
{
	CLEANUP(free) char *tail = NULL;
	char note[128] = "";
	const char *whole;
	uint64_t left_out;
	size_t tail_len = 0;
	char *out;

	tail = unroll(t, &tail_len);
	if (!tail)
		return err_nomem(e);
	whole = tail;
	if (t->tail_written > TRANSCRIPT_TAIL_MAX) {
		/* The oldest line there may have lost its beginning. */
		const char *end = memchr(tail, '\n', tail_len);

		whole = end ? end + 1 : tail + tail_len;
		tail_len -= (size_t)(whole - tail);
	}
	left_out = t->tail_written - tail_len;
	if (left_out > 0 || t->lost > 0)
		snprintf(note, sizeof(note),
			 "[%" PRIu64 " bytes and %" PRIu64 " lines are left out here]\n", left_out,
			 t->lost);
	out = malloc(t->head_len + strlen(note) + tail_len + 1);
	if (!out)
		return err_nomem(e);
	*len = t->head_len + strlen(note) + tail_len;
	if (t->head_len)
		memcpy(out, t->head, t->head_len);
	memcpy(out + t->head_len, note, strlen(note));
	memcpy(out + t->head_len + strlen(note), whole, tail_len);
	out[*len] = '\0';
	*text = out;
	return 0;
}

void transcript_last(const struct transcript *t, char text[TRANSCRIPT_LAST_MAX + 1])
{
	CLEANUP(free) char *all = NULL;
	size_t len = 0, from, lines = 0;
	struct err e;

	text[0] = '\0';
	if (transcript_text(t, &all, &len, &e) < 0)
		return;
	from = len;
	for (size_t i = len; i > 0 && len - (i - 1) <= TRANSCRIPT_LAST_MAX; i--) {
		if (i - 1 > 0 && all[i - 2] != '\n')
			continue;
		from = i - 1; /* a line begins here */
		if (++lines == TRANSCRIPT_LAST_LINES)
			break;
	}
	/* A single line that is longer: its end, from a character's first byte on. */
	if (from == len && len > TRANSCRIPT_LAST_MAX)
		for (from = len - TRANSCRIPT_LAST_MAX; from < len; from++)
			if (((unsigned char)all[from] & 0xC0) != 0x80)
				break;
	memcpy(text, all + from, len - from);
	text[len - from] = '\0';
}
