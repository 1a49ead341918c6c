/* SPDX-License-Identifier: Apache-2.0 */
/* An exported audit log: nothing that is changed in it goes unnoticed. */
#include "common/audit/audit_file.h"
#include "common/base/writer.h"
#include "tests/unit.h"

#include <stdio.h>

enum { SMALL = 3, LARGE = 2000, FLIPS = 100000, SEED = 20261122 };

/* A file in memory, and where its lines begin: its first one, the rows', its last one, and its end. */
struct log {
	char *text;
	size_t len, rows, starts[LARGE + 3];
	struct audit_head head;
};

static void log_done(struct log *log)
{
	free(log->text);
}
#define CLEANUP_LOG __attribute__((cleanup(log_done)))

static struct log make(size_t rows, const struct audit_head *after)
{
	struct writer w = writer_up_to(4 << 20);
	struct log log = { .rows = rows, .head = *after };
	struct err e;

	audit_file_begin_write(after, &w);
	writer_u8(&w, '\n');
	for (size_t i = 0; i < rows; i++) {
		char object[32];
		struct audit_row row = { .time = 1000 + i,
					 .who = "user alice",
					 .from = "[::1]:4000",
					 .what = "people.PeopleService/AddUser",
					 .object = object,
					 .about = "{\"administrator\":true}",
					 .outcome = AUDIT_OK };

		snprintf(object, sizeof(object), "user u%zu", i);
		log.starts[i + 1] = w.len;
		assert_ok(audit_row_chain(&row, &log.head, &e), e);
		audit_row_write(&row, log.head.digest, &w);
		writer_u8(&w, '\n');
	}
	log.starts[rows + 1] = w.len;
	audit_file_end_write(&log.head, &w);
	writer_u8(&w, '\n');
	log.starts[rows + 2] = log.len = w.len;
	log.text = (char *)writer_take(&w, &log.len);
	return log;
}

static const struct audit_head start;

/* From where `f` stands to the end of the text. */
static int feed(struct audit_file *f, const char *text, size_t len, struct err *e)
{
	for (const char *end; len; len -= (size_t)(end - text) + 1, text = end + 1) {
		end = memchr(text, '\n', len);
		if (!end)
			return err_set(e, ERR_DATA_LOSS, "cut");
		if (audit_file_line(f, text, (size_t)(end - text), e) < 0)
			return err_code(e);
	}
	return audit_file_end(f, e);
}

static int read_all(const char *text, size_t len, struct err *e)
{
	struct audit_file f = { .begun = false };

	return feed(&f, text, len, e);
}

static int count_row(void *data, const struct audit_row *row, struct err *e)
{
	size_t *count = data;

	assert_int_equal(row->number, ++*count);
	return 0;
}

static void a_whole_file_is_read(void **state)
{
	struct log log CLEANUP_LOG = make(SMALL, &start);
	size_t count = 0;
	struct audit_file f = { .take = count_row, .data = &count };
	struct err e;

	assert_ok(feed(&f, log.text, log.len, &e), e);
	assert_int_equal(count, SMALL);
	assert_memory_equal(&f.head, &log.head, sizeof(f.head));
	struct log empty CLEANUP_LOG = make(0, &log.head); /* behind a cut, say */

	assert_ok(read_all(empty.text, empty.len, &e), e);
}

static void every_bit_counts(void **state)
{
	struct log log CLEANUP_LOG = make(SMALL, &start);
	struct err e;

	for (size_t bit = 0; bit < 8 * log.len; bit++) {
		log.text[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(read_all(log.text, log.len, &e), -ERR_DATA_LOSS);
		log.text[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_ok(read_all(log.text, log.len, &e), e);
}

/* xorshift64* */
static uint64_t draw(uint64_t *x)
{
	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return *x * 0x2545f4914f6cdd1dU;
}

/* What stands before a line was read as it is without the change: it is read once, up to each of them. */
static void of_a_large_one_too(void **state)
{
	struct log log CLEANUP_LOG = make(LARGE, &start);
	CLEANUP(free) struct audit_file *at = calloc(LARGE + 2, sizeof(*at));
	uint64_t x = SEED;
	struct err e;

	for (size_t i = 0; i <= LARGE; i++) {
		at[i + 1] = at[i];
		assert_ok(audit_file_line(&at[i + 1], log.text + log.starts[i],
					  log.starts[i + 1] - log.starts[i] - 1, &e),
			  e);
	}
	for (size_t n = 0; n < FLIPS; n++) {
		size_t bit = draw(&x) % (8 * log.len), line = 0;
		struct audit_file f;

		while (log.starts[line + 1] <= bit / 8)
			line++;
		f = at[line];
		log.text[bit / 8] ^= (char)(1 << bit % 8);
		if (feed(&f, log.text + log.starts[line], log.len - log.starts[line], &e) !=
		    -ERR_DATA_LOSS)
			fail_msg("seed %d: bit %zu is not noticed", SEED, bit);
		log.text[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_ok(read_all(log.text, log.len, &e), e);
}

/* The lines of `order`, which ends with -1. */
static int read_in_order(const struct log *log, const int *order, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);

	for (; *order >= 0; order++)
		writer_bytes(&w, log->text + log->starts[*order],
			     log->starts[*order + 1] - log->starts[*order]);
	return read_all((char *)w.bytes, w.len, e);
}

static void rows_stay_where_they_are(void **state)
{
	static const struct {
		int order[8];
		const char *words;
	} edits[] = {
		{ { 0, 2, 3, 4, -1 }, "row 2 stands where row 1 has to" },
		{ { 0, 1, 3, 4, -1 }, "row 3 stands where row 2 has to" },
		{ { 0, 1, 2, 4, -1 }, "the last line names row 3, and the rows end with 2" },
		{ { 0, 2, 1, 3, 4, -1 }, "row 2 stands where row 1 has to" },
		{ { 0, 1, 3, 2, 4, -1 }, "row 3 stands where row 2 has to" },
		{ { 0, 1, 1, 2, 3, 4, -1 }, "row 1 stands where row 2 has to" },
		{ { 0, 1, 2, 3, 3, 4, -1 }, "row 3 stands where row 4 has to" },
		{ { 0, 1, 2, 3, -1 }, "behind row 3 without its last line" },
		{ { 0, -1 }, "behind row 0 without its last line" },
		{ { -1 }, "it is empty" },
		{ { 1, 2, 3, 4, -1 }, "the first line is not that of an audit log" },
		{ { 0, 0, 1, 2, 3, 4, -1 }, "row 1 can't be read" },
		{ { 0, 1, 2, 3, 4, 4, -1 }, "more behind its last line" },
		{ { 0, 1, 2, 3, 4, 1, -1 }, "more behind its last line" },
	};
	struct log log CLEANUP_LOG = make(SMALL, &start);
	struct err e;

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		assert_refused(read_in_order(&log, edits[i].order, &e), e, ERR_DATA_LOSS,
			       edits[i].words);
}

static void a_head_that_is_known_has_to_be_there(void **state)
{
	struct log log CLEANUP_LOG = make(SMALL, &start);
	struct log later CLEANUP_LOG = make(SMALL, &log.head), other CLEANUP_LOG = make(5, &start);
	const struct {
		const struct log *log;
		struct audit_head wanted;
		const char *words; /* NULL: it is there */
	} rows[] = {
		{ &log, log.head, NULL },
		{ &log, start, NULL },
		{ &later, log.head, NULL }, /* where it begins */
		{ &other, log.head, NULL }, /* it goes on */
		{ &log, other.head,
		  "it has the rows from 1 to 3, and the head that was given is row 5" },
		{ &later, start,
		  "it has the rows from 4 to 6, and the head that was given is row 0" },
		{ &log, { 3, { 1 } }, "row 3 has another digest than the head that was given" },
		{ &log, { 0, { 1 } }, "row 0 has another digest" },
	};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct audit_file f = { .wanted = &rows[i].wanted };
		int failed = feed(&f, rows[i].log->text, rows[i].log->len, &e);

		if (rows[i].words)
			assert_refused(failed, e, ERR_DATA_LOSS, rows[i].words);
		else
			assert_ok(failed, e);
	}
}

static int read_file(const char *text, size_t len, struct err *e)
{
	struct audit_file f = { .begun = false };
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int failed;

	assert_non_null(in);
	failed = audit_file_read(&f, in, "f", e);
	fclose(in);
	return failed;
}

/* Of files: each truncation, and what has no lines. */
static void files_are_read_line_by_line(void **state)
{
	struct log log CLEANUP_LOG = make(1, &start);
	CLEANUP(free) char *endless = malloc(2 * AUDIT_ROW_LINE_MAX);
	struct err e;

	assert_ok(read_file(log.text, log.len, &e), e);
	for (size_t len = 1; len < log.len; len++)
		assert_refused(read_file(log.text, len, &e), e, ERR_DATA_LOSS, "'f'");
	memset(endless, 'x', 2 * AUDIT_ROW_LINE_MAX);
	assert_refused(read_file(endless, 2 * AUDIT_ROW_LINE_MAX, &e), e, ERR_DATA_LOSS,
		       "'f': the line behind row 0 has no end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(of_a_large_one_too),
		cmocka_unit_test(rows_stay_where_they_are),
		cmocka_unit_test(a_head_that_is_known_has_to_be_there),
		cmocka_unit_test(files_are_read_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
