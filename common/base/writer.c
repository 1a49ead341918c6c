/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"

#include "common/base/bytes.h"
#include "common/base/encode.h"

#include <stdarg.h>
#include <string.h>

void writer_done(struct writer *w)
{
	if (w->bytes)
		explicit_bzero(w->bytes, w->room);
	free(w->bytes);
	*w = writer_up_to(w->max);
}

/* Grows by doubling into new memory, so that the old one can be wiped. */
static bool make_room(struct writer *w, size_t len)
{
	if (w->bad || len > w->max - w->len) {
		w->bad = true;
		return false;
	}
	if (w->len + len + 1 <= w->room)
		return true;

	size_t room = w->room ? w->room : 256;
	while (room < w->len + len + 1)
		room *= 2;
	uint8_t *bytes = malloc(room);
	if (!bytes) {
		w->bad = w->no_memory = true;
		return false;
	}
	if (w->bytes) {
		memcpy(bytes, w->bytes, w->len);
		explicit_bzero(w->bytes, w->room);
		free(w->bytes);
	}
	w->bytes = bytes;
	w->room = room;
	return true;
}

void writer_bytes(struct writer *w, const void *bytes, size_t len)
{
	if (!len || !make_room(w, len))
		return;
	memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
}

void writer_text(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text));
}

void writer_zeros(struct writer *w, size_t len)
{
	if (!len || !make_room(w, len))
		return;
	memset(w->bytes + w->len, 0, len);
	w->len += len;
}

static void little(struct writer *w, uint64_t v, size_t len)
{
	uint8_t b[8];

	bytes_put_le(b, v, len);
	writer_bytes(w, b, len);
}

static void big(struct writer *w, uint64_t v, size_t len)
{
	uint8_t b[8];

	bytes_put_be(b, v, len);
	writer_bytes(w, b, len);
}

void writer_u8(struct writer *w, uint8_t v)
{
	writer_bytes(w, &v, 1);
}

void writer_le16(struct writer *w, uint16_t v)
{
	little(w, v, 2);
}

void writer_le32(struct writer *w, uint32_t v)
{
	little(w, v, 4);
}

void writer_le64(struct writer *w, uint64_t v)
{
	little(w, v, 8);
}

void writer_be16(struct writer *w, uint16_t v)
{
	big(w, v, 2);
}

void writer_be24(struct writer *w, uint32_t v)
{
	big(w, v, 3);
}

void writer_be32(struct writer *w, uint32_t v)
{
	big(w, v, 4);
}

void writer_be64(struct writer *w, uint64_t v)
{
	big(w, v, 8);
}

void writer_hex(struct writer *w, const void *bytes, size_t len)
{
	enum { STEP = 64 };
	char text[2 * STEP + 1];
	const uint8_t *b = bytes;

	for (size_t at = 0; at < len; at += STEP) {
		size_t part = len - at < STEP ? len - at : STEP;

		hex_encode(b + at, part, text);
		writer_bytes(w, text, 2 * part);
	}
}

void writer_printf(struct writer *w, const char *fmt, ...)
{
	size_t left = w->room - w->len; /* nothing counts there before `len` does */
	va_list args, again;

	va_start(args, fmt);
	va_copy(again, args);
	int need = vsnprintf(left ? (char *)w->bytes + w->len : NULL, left, fmt, args);
	va_end(args);
	if (need < 0)
		w->bad = true;
	else if (make_room(w, (size_t)need)) {
		if ((size_t)need >= left)
			vsnprintf((char *)w->bytes + w->len, (size_t)need + 1, fmt, again);
		w->len += (size_t)need;
	}
	va_end(again);
}

size_t writer_reserve(struct writer *w, size_t width)
{
	size_t at = w->len;

	writer_zeros(w, width);
	return at;
}

void writer_patch(struct writer *w, size_t at, size_t width)
{
	if (w->bad)
		return;
	size_t len = w->len - at - width;
	if (width < 8 && (uint64_t)len >> (8 * width)) {
		w->bad = true;
		return;
	}
	bytes_put_be(w->bytes + at, len, width);
}

int writer_check(const struct writer *w, const char *what, struct err *e)
{
	if (w->no_memory)
		return err_set(e, ERR_EXHAUSTED, "%s: out of memory", what);
	if (w->bad)
		return err_set(e, ERR_EXHAUSTED, "%s: does not fit into %zu bytes", what, w->max);
	return 0;
}

uint8_t *writer_take(struct writer *w, size_t *len)
{
	if (!make_room(w, 0))
		return NULL;
	w->bytes[w->len] = 0;
	*len = w->len;
	uint8_t *bytes = TAKE_PTR(w->bytes);
	*w = writer_up_to(w->max);
	return bytes;
}
