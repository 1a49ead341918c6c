/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/json_out.h"

#include "common/base/json.h"
#include "common/base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void json_out_init(struct json_out *out)
{
	*out = (struct json_out){ .w = writer_up_to(JSON_OUT_MAX) };
}

void json_out_done(struct json_out *out)
{
	writer_done(&out->w);
}

static void begin(struct json_out *out, const char *key)
{
	if (out->depth == 0)
		return;
	if (out->some[out->depth - 1])
		writer_text(&out->w, ",");
	out->some[out->depth - 1] = true;
	if (key) {
		json_quote_shown(&out->w, key, strlen(key));
		writer_text(&out->w, ":");
	}
}

static void open_value(struct json_out *out, const char *key, const char *opening, char closing)
{
	begin(out, key);
	assert(out->depth < JSON_OUT_DEPTH);
	writer_text(&out->w, opening);
	out->some[out->depth] = false;
	out->closing[out->depth++] = closing;
}

void json_out_object(struct json_out *out, const char *key)
{
	open_value(out, key, "{", '}');
}

void json_out_list(struct json_out *out, const char *key)
{
	open_value(out, key, "[", ']');
}

void json_out_end(struct json_out *out)
{
	assert(out->depth > 0);
	writer_u8(&out->w, (uint8_t)out->closing[--out->depth]);
}

void json_out_text(struct json_out *out, const char *key, const char *text)
{
	size_t len = strlen(text);

	begin(out, key);
	/* What a peer sends may be anything. */
	if (utf8_valid(text, len))
		json_quote_shown(&out->w, text, len);
	else
		writer_text(&out->w, "\"(not UTF-8)\"");
}

void json_out_number(struct json_out *out, const char *key, uint64_t number)
{
	begin(out, key);
	writer_printf(&out->w, "%" PRIu64, number);
}

void json_out_bool(struct json_out *out, const char *key, bool value)
{
	begin(out, key);
	writer_text(&out->w, value ? "true" : "false");
}

void json_out_hex(struct json_out *out, const char *key, const void *bytes, size_t len)
{
	begin(out, key);
	json_quote_hex(&out->w, bytes, len);
}

int json_out_print(struct json_out *out, FILE *to, struct err *e)
{
	assert(out->depth == 0);
	if (writer_check(&out->w, "output", e) < 0)
		return err_code(e);
	if (fwrite(out->w.bytes, 1, out->w.len, to) != out->w.len || fputc('\n', to) == EOF)
		return err_errno(e, "standard output");
	return 0;
}
