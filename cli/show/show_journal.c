/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show/show_journal.h"

#include "cli/base/text.h"
#include "common/base/encode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put_time(uint64_t ms, FILE *out)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	if (ms / 1000 > UINT32_MAX || !gmtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm))
		fprintf(out, "%" PRIu64 " ms", ms);
	else
		fprintf(out, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

/* In quotes, so that no text passes for further fields. Control characters, zeros too, and what is
 * not UTF-8 could write other lines, or hide the rest. */
static void put_text(struct span text, FILE *out)
{
	char *copy = malloc(text.len + 1);

	if (!copy) {
		fputs("?", out);
		return;
	}
	memcpy(copy, text.bytes, text.len);
	copy[text.len] = '\0';
	for (size_t i = 0; i < text.len; i++)
		if (!copy[i])
			copy[i] = '?';
	text_make_plain(copy);
	fputc('"', out);
	for (const char *c = copy; *c; c++)
		fprintf(out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
	fputc('"', out);
	free(copy);
}

static void put_bytes(struct span bytes, FILE *out)
{
	char hex[2 * SHA256_LEN + 1];
	uint8_t hash[SHA256_LEN];
	struct err ignored;

	if (bytes.len == SHA256_LEN) {
		hex_encode(bytes.bytes, SHA256_LEN, hex);
		fputs(hex, out);
		return;
	}
	if (digest(DIGEST_SHA256, bytes.bytes, bytes.len, hash, &ignored) < 0)
		memset(hash, 0, sizeof(hash));
	hex_encode(hash, SHA256_LEN, hex);
	fprintf(out, "(%zu bytes, SHA-256 %s)", bytes.len, hex);
}

void show_journal_entry(const struct journal_entry *entry, FILE *out)
{
	put_time(entry->time_ms, out);
	fprintf(out, "  %" PRIu64 "  %s", entry->sequence, entry->note.type);
	for (size_t i = 0; i < entry->note.count; i++) {
		const struct journal_field *f = &entry->note.fields[i];

		fprintf(out, "%s%s=", i ? " " : "  ", f->name);
		switch (f->kind) {
		case JOURNAL_NUMBER:
			fprintf(out, "%" PRIu64, f->number);
			break;
		case JOURNAL_FLAG:
			fputs(f->number ? "yes" : "no", out);
			break;
		case JOURNAL_TEXT:
			put_text(f->bytes, out);
			break;
		case JOURNAL_BYTES:
		case JOURNAL_DIGEST:
			put_bytes(f->bytes, out);
			break;
		}
	}
	fputc('\n', out);
}
