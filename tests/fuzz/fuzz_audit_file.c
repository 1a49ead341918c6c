/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An audit log as a file, from whoever kept it.
 *
 * Input: how(1), wanted(1), then of HOW_RAW the file; of HOW_MADE at(2) xor(1), the bit that its keeper flips, and rows:
 * texts of length(2) bytes each, nine to a row. Of HOW_HEAD a head. What is read is byte for byte what would be written of
 * it; what was made is read, until any bit of it is another.
 */
#include "common/audit/audit_file.h"
#include "common/base/reader.h"
#include "common/base/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum how { HOW_RAW, HOW_MADE, HOW_HEAD, HOWS };
enum { FILE_MAX = 256 << 10, ROWS_MAX = 8, TEXTS = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The file written again from what was read of it. */
struct again {
	struct writer w;
	struct audit_head head;
	bool begun;
};

static void end_line(struct writer *w)
{
	writer_text(w, "\n");
}

static int take(void *data, const struct audit_row *row, struct err *e)
{
	struct again *again = data;
	struct audit_row copy = *row;

	assert(row->number == again->head.number + 1);
	assert(audit_row_chain(&copy, &again->head, e) == 0);
	audit_row_write(&copy, again->head.digest, &again->w);
	end_line(&again->w);
	return 0;
}

/* 0: it is an audit log, and then the one that would be written. */
static int read_file(const uint8_t *bytes, size_t len, const struct audit_head *wanted)
{
	struct again again = { .w = writer_up_to(FILE_MAX) };
	struct audit_file f = { .wanted = wanted, .take = take, .data = &again };
	const uint8_t *end = bytes + len, *next;
	struct err e = { .code = 0 };
	int failed = 0;

	for (const uint8_t *line = bytes; !failed && line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (!next)
			next = end;
		failed = audit_file_line(&f, (const char *)line, (size_t)(next - line), &e);
		if (!failed && f.begun && !again.begun) {
			again = (struct again){ .w = again.w, .head = f.after, .begun = true };
			audit_file_begin_write(&f.after, &again.w);
			end_line(&again.w);
		}
	}
	if (!failed)
		failed = audit_file_end(&f, &e);
	assert(failed == 0 || failed == -ERR_DATA_LOSS);
	assert(!failed || (*e.text && !strchr(e.text, '\n')));
	if (!failed) {
		audit_file_end_write(&f.head, &again.w);
		end_line(&again.w);
		assert(!again.w.bad && again.w.len - len <= 1 &&
		       memcmp(again.w.bytes, bytes, len) == 0);
		assert(!wanted || wanted->number >= f.after.number);
	}
	writer_done(&again.w);
	return failed;
}

/* The same by a stream, which has the lengths of lines to look after as well. */
static void read_stream(const uint8_t *bytes, size_t len, const struct audit_head *wanted,
			bool is_log)
{
	FILE *in = len ? fmemopen((void *)(uintptr_t)bytes, len, "r") : NULL;
	struct audit_file f = { .wanted = wanted };
	struct err e;

	if (!in)
		return;
	int failed = audit_file_read(&f, in, "x", &e);
	assert(failed == 0 || failed == -ERR_DATA_LOSS);
	/* A line without an end is refused here alone. */
	assert(!failed == (is_log && bytes[len - 1] == '\n'));
	assert(fclose(in) == 0);
}

static void make_row(struct reader *r, struct audit_head *head, struct writer *w)
{
	char texts[TEXTS][AUDIT_ROW_TEXT_MAX + 1], given[2 * AUDIT_ROW_TEXT_MAX];
	struct audit_row row = { .time = reader_u8(r),
				 .who = texts[0],
				 .from = texts[1],
				 .what = texts[2],
				 .object = texts[3],
				 .about = texts[4],
				 .before = texts[5],
				 .after = texts[6],
				 .outcome = texts[7],
				 .cause = texts[8] };
	struct err e;

	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = reader_be16(r) % sizeof(given);

		if (len > reader_left(r))
			len = reader_left(r);
		reader_copy(r, given, len);
		given[len] = '\0';
		audit_row_clean(given, texts[i]);
	}
	assert(audit_row_chain(&row, head, &e) == 0);
	audit_row_write(&row, head->digest, w);
	end_line(w);
}

static void check_made(struct reader *r, uint8_t wanted)
{
	size_t at = reader_be16(r), flip = reader_u8(r);
	struct writer w = writer_up_to(FILE_MAX);
	struct audit_head head = { .number = wanted }, some;

	audit_file_begin_write(&head, &w);
	end_line(&w);
	some = head;
	for (int i = 0; i < ROWS_MAX && reader_left(r); i++) {
		make_row(r, &head, &w);
		if (i == wanted % ROWS_MAX)
			some = head;
	}
	audit_file_end_write(&head, &w);
	end_line(&w);
	if (w.bad)
		goto done;
	assert(read_file(w.bytes, w.len, &some) == 0);
	read_stream(w.bytes, w.len, &some, true);
	some.digest[flip % SHA3_256_LEN] ^= 1;
	assert(read_file(w.bytes, w.len, &some) == -ERR_DATA_LOSS);
	some.number = head.number + 1;
	assert(read_file(w.bytes, w.len, &some) == -ERR_DATA_LOSS);
	w.bytes[at % w.len] ^= (uint8_t)(1U << flip % 8);
	assert(read_file(w.bytes, w.len, NULL) == -ERR_DATA_LOSS);
done:
	writer_done(&w);
}

/* There is one way to write each. */
static void check_head(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = strndup((const char *)bytes, len);
	char again[AUDIT_HEAD_TEXT_MAX + 1];
	struct audit_head head;
	struct err e;

	assert(text);
	if (audit_head_parse(text, &head, &e) < 0)
		return;
	audit_head_text(&head, again);
	assert(strcmp(text, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len < FILE_MAX ? len : FILE_MAX);
	enum how how = reader_u8(&r) % HOWS;
	uint8_t wanted = reader_u8(&r);
	struct audit_head head = { .number = wanted };
	size_t left = reader_left(&r);
	const uint8_t *rest = bytes + (len < FILE_MAX ? len : FILE_MAX) - left;

	if (how == HOW_HEAD) {
		check_head(rest, left);
	} else if (how == HOW_MADE) {
		check_made(&r, wanted);
	} else {
		const struct audit_head *given = wanted ? &head : NULL;

		read_stream(rest, left, given, read_file(rest, left, given) == 0);
	}
	return 0;
}
