/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/audit_row.h"

#include "common/base/encode.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

/* The texts in the order in which they are digested and written. */
static const struct {
	const char *key;
	size_t at;
} texts[] = {
	{ "who", offsetof(struct audit_row, who) },
	{ "from", offsetof(struct audit_row, from) },
	{ "what", offsetof(struct audit_row, what) },
	{ "object", offsetof(struct audit_row, object) },
	{ "about", offsetof(struct audit_row, about) },
	{ "before", offsetof(struct audit_row, before) },
	{ "after", offsetof(struct audit_row, after) },
	{ "outcome", offsetof(struct audit_row, outcome) },
	{ "cause", offsetof(struct audit_row, cause) },
};

static const char **place_of(struct audit_row *row, size_t i)
{
	return (const char **)(void *)((char *)row + texts[i].at);
}

static const char *text_of(const struct audit_row *row, size_t i)
{
	const char *text = *(const char *const *)(const void *)((const char *)row + texts[i].at);

	return text ? text : "";
}

/* ---- digests ---- */

static int row_digest(const struct audit_row *row, const struct audit_head *before,
		      uint8_t digest_out[SHA3_256_LEN], struct err *e)
{
	static const char domain[] = "cocos-audit-row-v1"; /* with its zero byte */
	CLEANUP_WRITER struct writer w = writer_up_to(sizeof(domain) + 8 + SHA3_256_LEN + 8 +
						      ARRAY_LEN(texts) * (4 + AUDIT_ROW_TEXT_MAX));

	writer_bytes(&w, domain, sizeof(domain));
	writer_be64(&w, row->number);
	writer_bytes(&w, before->digest, SHA3_256_LEN);
	writer_be64(&w, row->time);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = text_of(row, i);

		writer_be32(&w, (uint32_t)strlen(text));
		writer_text(&w, text);
	}
	if (writer_check(&w, "a row of the audit log", e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA3_256, w.bytes, w.len, digest_out, e);
}

int audit_row_chain(struct audit_row *row, struct audit_head *head, struct err *e)
{
	uint8_t made[SHA3_256_LEN];

	row->number = head->number + 1;
	if (row_digest(row, head, made, e) < 0)
		return err_code(e);
	head->number = row->number;
	memcpy(head->digest, made, sizeof(made));
	return 0;
}

void audit_head_text(const struct audit_head *head, char text[AUDIT_HEAD_TEXT_MAX + 1])
{
	int len = snprintf(text, AUDIT_HEAD_TEXT_MAX + 1, "%" PRIu64 ":", head->number);

	hex_encode(head->digest, SHA3_256_LEN, text + len);
}

int audit_head_parse(const char *text, struct audit_head *head, struct err *e)
{
	struct audit_head got = { .number = 0 };
	char again[AUDIT_HEAD_TEXT_MAX + 1];
	const char *at = text;
	struct err ignored;

	while (*at >= '0' && *at <= '9' && got.number <= INT64_MAX / 10 - 1)
		got.number = 10 * got.number + (uint64_t)(*at++ - '0');
	if (*at == ':' && hex_decode(at + 1, got.digest, SHA3_256_LEN, &ignored) == 0) {
		audit_head_text(&got, again);
		if (strcmp(again, text) == 0) {
			*head = got;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID,
		       "a head of the audit log is NUMBER:DIGEST, with 64 digits 0-9 a-f");
}

/* ---- lines ---- */

void audit_row_write(const struct audit_row *row, const uint8_t row_digest_is[SHA3_256_LEN],
		     struct writer *w)
{
	writer_printf(w, "{\"number\":%" PRIu64 ",\"time\":%" PRIu64, row->number, row->time);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = text_of(row, i);

		json_put_key(w, texts[i].key);
		json_quote(w, text, strlen(text));
	}
	json_put_hex(w, "digest", row_digest_is, SHA3_256_LEN);
	writer_text(w, "}");
}

static int read_members(const struct json *json, struct audit_row *row,
			uint8_t digest_is[SHA3_256_LEN], struct err *e)
{
	if (json_get_u64(json, "number", &row->number, e) < 0 ||
	    json_get_u64(json, "time", &row->time, e) < 0 ||
	    json_get_hex(json, "digest", digest_is, SHA3_256_LEN, e) < 0)
		return err_code(e);
	if (!row->number || row->number > INT64_MAX || row->time > INT64_MAX)
		return err_set(e, ERR_INVALID, "a number that no row has");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text;

		if (json_get_string(json, texts[i].key, &text, e) < 0)
			return err_code(e);
		if (strlen(text) > AUDIT_ROW_TEXT_MAX)
			return err_set(e, ERR_INVALID, "%s: more than %d bytes", texts[i].key,
				       AUDIT_ROW_TEXT_MAX);
		*place_of(row, i) = text;
	}
	return 0;
}

/* Other white space, orders and escapes would say the same, and no digest would tell. */
static int check_form(const struct audit_row *row, const uint8_t digest_is[SHA3_256_LEN],
		      const char *line, size_t len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(AUDIT_ROW_LINE_MAX);

	audit_row_write(row, digest_is, &w);
	if (writer_check(&w, "a row of the audit log", e) < 0)
		return err_code(e);
	if (w.len == len && memcmp(w.bytes, line, len) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "row %" PRIu64 " is not written as rows are", row->number);
}

int audit_row_read(const char *line, size_t len, struct json **json, struct audit_row *row,
		   uint8_t digest_is[SHA3_256_LEN], struct err *e)
{
	struct audit_row got = { .number = 0 };
	struct json *parsed;

	if (len > AUDIT_ROW_LINE_MAX)
		return err_set(e, ERR_INVALID, "a line of %zu bytes", len);
	if (json_parse(line, len, &parsed, e) < 0)
		return err_code(e);
	if (read_members(parsed, &got, digest_is, e) < 0 ||
	    check_form(&got, digest_is, line, len, e) < 0) {
		json_free(parsed);
		return err_code(e);
	}
	*json = parsed;
	*row = got;
	return 0;
}

static int check_place(const struct audit_head *head, const struct audit_row *row,
		       const uint8_t digest_is[SHA3_256_LEN], struct audit_head *next,
		       struct err *e)
{
	if (row->number != head->number + 1)
		return err_set(e, ERR_DATA_LOSS,
			       "row %" PRIu64 " stands where row %" PRIu64 " has to", row->number,
			       head->number + 1);
	next->number = row->number;
	if (row_digest(row, head, next->digest, e) < 0)
		return err_code(e);
	if (memcmp(next->digest, digest_is, SHA3_256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "row %" PRIu64
			       " does not fit: it was changed, or the ones before it "
			       "were",
			       row->number);
	return 0;
}

int audit_row_follow(struct audit_head *head, const char *line, size_t len, struct json **json,
		     struct audit_row *row, struct err *e)
{
	uint8_t digest_is[SHA3_256_LEN];
	struct audit_head next;
	struct json *parsed;
	struct audit_row got;

	if (audit_row_read(line, len, &parsed, &got, digest_is, e) < 0) {
		e->code = ERR_DATA_LOSS;
		return err_wrap(e, "row %" PRIu64 " can't be read", head->number + 1);
	}
	if (check_place(head, &got, digest_is, &next, e) < 0) {
		json_free(parsed);
		return err_code(e);
	}
	*head = next;
	*json = parsed;
	*row = got;
	return 0;
}

void audit_row_clean(const char *text, char clean[AUDIT_ROW_TEXT_MAX + 1])
{
	size_t left = text ? strlen(text) : 0, len = 0;

	while (left) {
		size_t step = utf8_char(text, left), take = step ? step : 1;

		if (len + take > AUDIT_ROW_TEXT_MAX)
			break;
		memcpy(clean + len, step ? text : "?", take);
		len += take;
		text += take;
		left -= take;
	}
	clean[len] = '\0';
}
