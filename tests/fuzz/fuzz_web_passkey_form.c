/* SPDX-License-Identifier: Apache-2.0 */
/* What the page's script sends of a passkey: a byte says of which kind, the rest is the form. What is taken says the same
 * when it is written again, and nothing cut off or behind it is taken. */
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "computations/web/web_passkey_form.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void put(struct writer *w, const struct web_brought *b, enum web_brought_kind kind)
{
	for (int i = 0; i < BROUGHT_PARTS; i++) {
		enum web_brought_part part = (enum web_brought_part)i;

		if (!web_brought_has(kind, part)) {
			assert(!b->parts[i].len);
			continue;
		}
		writer_printf(w, "%s%s=", w->len ? "&" : "", web_brought_name(part));
		writer_hex(w, b->parts[i].bytes, b->parts[i].len);
	}
	assert(!w->bad);
}

static void refuse(const void *bytes, size_t len, enum web_brought_kind kind)
{
	struct web_brought *never;
	struct err e;

	assert(web_brought_read(bytes, len, kind, &never, &e) == -ERR_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BROUGHT_MAX + 2);
	CLEANUP(web_brought_free) struct web_brought *b = NULL;
	enum web_brought_kind kind;
	struct err e;

	if (!len || bytes[0] >= BROUGHT_KINDS)
		return 0;
	kind = (enum web_brought_kind)bytes[0];
	if (web_brought_read(bytes + 1, len - 1, kind, &b, &e) < 0)
		return 0;
	assert(b->parts[BROUGHT_TICKET].len == WEB_TICKET_LEN);
	assert(strlen(b->half) == (kind == BROUGHT_SECOND ? HALF_TEXT_LEN : 0));
	put(&w, b, kind);
	assert(w.len == len - 1);
	for (size_t i = 0; i < w.len; i++) {
		uint8_t c = bytes[1 + i];

		assert(w.bytes[i] == (c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
	}
	refuse(w.bytes, w.len - 1, kind);
	writer_text(&w, "&");
	refuse(w.bytes, w.len, kind);
	for (int other = 0; other < BROUGHT_KINDS; other++)
		if (other != (int)kind)
			refuse(w.bytes, w.len - 1, (enum web_brought_kind)other);
	return 0;
}
