/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of documents of computations, and documents that end too soon. */
#include "common/transfer/csv.h"
#include "common/transfer/strip.h"
#include "computations/transfer/document.h"
#include "tests/unit.h"

#define ITEM(more) "{\"name\":\"c\"" more "}"

static struct err e;

static bool reads(const char *text)
{
	CLEANUP(document_free) struct document *d = NULL;

	return document_read(text, strlen(text), &d, &e) == 0;
}

static void refused(const char *text, const char *words)
{
	assert_false(reads(text));
	if (!strstr(e.text, words))
		fail_msg("%s: not of %s", e.text, words);
}

/* `count` times `part`, with commas, between `before` and `after`; %zu in `part` is the number. */
static char *many(const char *before, const char *part, size_t count, const char *after)
{
	CLEANUP_WRITER struct writer w = writer_up_to(64 << 20);
	const char *number = strstr(part, "%zu");
	size_t len;

	writer_text(&w, before);
	for (size_t i = 0; i < count; i++) {
		writer_text(&w, i ? "," : "");
		if (number) {
			writer_bytes(&w, part, (size_t)(number - part));
			writer_printf(&w, "%zu", i);
			writer_text(&w, number + 3);
		} else {
			writer_text(&w, part);
		}
	}
	writer_text(&w, after);
	return (char *)writer_take(&w, &len);
}

static char *long_text(const char *before, size_t count, const char *after)
{
	CLEANUP_WRITER struct writer w = writer_up_to(64 << 20);
	size_t len;

	writer_text(&w, before);
	for (size_t i = 0; i < count; i++)
		writer_u8(&w, 'a');
	writer_text(&w, after);
	return (char *)writer_take(&w, &len);
}

static void each_count_has_its_limit(void **state)
{
	static const char hash[] =
		"{\"hash\":\"abababababababababababababababababababababababababab"
		"abababababab\"}";
	static const struct {
		const char *before, *part, *after, *words;
		size_t max;
	} rows[] = {
		{ "[", ITEM(""), "]", "1 to 256", DOCUMENT_ITEMS_MAX },
		{ "{\"name\":\"c\",\"roles\":[", "{\"role_name\":\"r%zu\"}", "]}", "more than 24",
		  DOCUMENT_ROLES_MAX },
		{ "{\"name\":\"c\",\"roles\":[{\"role_name\":\"r\",\"members\":[", "\"u%zu\"",
		  "]}]}", "members: 257", DOCUMENT_MEMBERS_MAX },
		{ "{\"name\":\"c\",\"result_consumers\":[", "\"u%zu\"", "]}",
		  "result_consumers: 257", DOCUMENT_MEMBERS_MAX },
		{ "{\"name\":\"c\",\"datasets\":[", hash, "]}", "datasets: 257",
		  MANIFEST_DATASETS_MAX },
		{ "{\"name\":\"c\",\"assets\":[",
		  "{\"asset_type\":\"dataset\",\"id\":\"%zu\",\"Checksum\":\"abababababababababababababab"
		  "abababababababababababababababababab\"}",
		  "]}", "assets: 258", DOCUMENT_ASSETS_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free)
		char *most = many(rows[i].before, rows[i].part, rows[i].max, rows[i].after);
		CLEANUP(free)
		char *more = many(rows[i].before, rows[i].part, rows[i].max + 1, rows[i].after);

		if (!reads(most))
			fail_msg("row %zu: %s", i, e.text);
		refused(more, rows[i].words);
	}
}

/* Of all roles together, and of assets together with datasets. */
static void sums_have_theirs(void **state)
{
	CLEANUP(free)
	char *members = many("{\"name\":\"c\",\"owner\":\"o\",\"result_consumers\":[", "\"u%zu\"",
			     DOCUMENT_MEMBERS_MAX, "]}");
	CLEANUP(free)
	char *twice = many("{\"name\":\"c\",\"owner\":\"o\",\"result_consumers\":[", "\"u\"",
			   DOCUMENT_MEMBERS_MAX, "]}");

	refused(members, "more than 256 members");
	assert_true(reads(twice));
}

static void each_text_has_its_limit(void **state)
{
	static const struct {
		const char *before, *after;
		size_t max;
	} rows[] = {
		{ "{\"name\":\"", "\"}", MANIFEST_NAME_MAX },
		{ "{\"name\":\"c\",\"id\":\"", "\"}", MANIFEST_ID_MAX },
		{ "{\"name\":\"c\",\"description\":\"", "\"}", MANIFEST_DESCRIPTION_MAX },
		{ "{\"name\":\"c\",\"owner\":\"", "\"}", DOCUMENT_WORD_MAX },
		{ "{\"name\":\"c\",\"result_consumers\":[\"", "\"]}", DOCUMENT_WORD_MAX },
		{ "{\"name\":\"c\",\"backend_id\":\"", "\"}", DOCUMENT_WORD_MAX },
		{ "{\"name\":\"c\",\"roles\":[{\"role_name\":\"", "\"}]}", DOCUMENT_WORD_MAX },
#define ASSET                                                                                             \
	"{\"name\":\"c\",\"assets\":[{\"asset_type\":\"dataset\",\"Checksum\":\"abababababababababababab" \
	"abababababababababababababababababababab\",\""
		{ ASSET "id\":\"", "\"}]}", DOCUMENT_WORD_MAX },
		{ ASSET "UserID\":\"", "\"}]}", DOCUMENT_WORD_MAX },
		{ ASSET "mime_type\":\"", "\"}]}", DOCUMENT_WORD_MAX },
		{ ASSET "file_name\":\"", "\"}]}", MANIFEST_FILENAME_MAX },
		{ ASSET "description\":\"", "\"}]}", DOCUMENT_NOTE_MAX },
		{ ASSET "UserKey\":\"", "\"}]}", DOCUMENT_KEY_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *most = long_text(rows[i].before, rows[i].max, rows[i].after);
		CLEANUP(free)
		char *more = long_text(rows[i].before, rows[i].max + 1, rows[i].after);

		if (!reads(most))
			fail_msg("row %zu: %s", i, e.text);
		assert_false(reads(more));
	}
}

static void a_document_has_its_limit(void **state)
{
	const size_t most = DOCUMENT_MAX - sizeof(ITEM("")) + 1;
	CLEANUP(free) char *text = long_text(ITEM(""), most + 1, "");

	memset(text + sizeof(ITEM("")) - 1, ' ', most + 1);
	assert_int_equal(strlen(text), DOCUMENT_MAX + 1);
	refused(text, "more than");
	text[DOCUMENT_MAX] = 0;
	assert_true(reads(text));
}

static char *table_of(size_t rows)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	size_t len;

	writer_text(&w, "name\n");
	for (size_t i = 0; i < rows; i++)
		writer_text(&w, "x\n");
	return (char *)writer_take(&w, &len);
}

static void tables_have_theirs(void **state)
{
	CLEANUP(free) char *most = table_of(CSV_ROWS_MAX), *more = table_of(CSV_ROWS_MAX + 1);
	CLEANUP(free) uint8_t *json = NULL, *none = NULL;
	size_t len;

	assert_ok(csv_to_json(most, strlen(most), strlen(most), &json, &len, &e), e);
	assert_int_equal(csv_to_json(most, strlen(most), strlen(most) - 1, &none, &len, &e),
			 -ERR_INVALID);
	assert_int_equal(csv_to_json(more, strlen(more), DOCUMENT_MAX, &none, &len, &e),
			 -ERR_INVALID);
	assert_non_null(strstr(e.text, "more than 256"));
}

/* No beginning of a document is one, nor of a quoted table. */
static void what_ends_too_soon_is_refused(void **state)
{
	static const char text[] =
		"[{\"computation\":{\"name\":\"c\",\"start_time\":\"2025-11-12T14:00:01.5Z\"},"
		"\"roles\":[{\"role_name\":\"viewer\",\"actions\":[\"view\"],\"members\":[\"x\"]}],"
		"\"assets\":null,\"asset_links\":null}]";
	static const char table[] = "name,roles\n\"c\",\"[]\"";
	CLEANUP(free) uint8_t *json = NULL;
	struct stripped what;
	size_t len;

	assert_true(reads(text));
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		CLEANUP(document_free) struct document *d = NULL;
		CLEANUP(free) char *exact = strndup(text, i); /* for the address sanitizer */

		assert_int_equal(document_read(exact, i, &d, &e), -ERR_INVALID);
		assert_int_equal(strip(exact, i, &json, &len, &what, &e), -ERR_INVALID);
	}
	for (size_t i = 0; i < sizeof(table) - 1; i++) {
		CLEANUP(free) uint8_t *out = NULL;
		CLEANUP(free) char *exact = strndup(table, i);

		/* A column, a row, or what a cell has, less is a table too; a row that is cut is none. */
		if (i >= sizeof("name,roles\n") && i != sizeof("name,roles\n\"c\",") - 1)
			assert_int_equal(csv_to_json(exact, i, i, &out, &len, &e), -ERR_INVALID);
	}
}

static void cells_begin_no_formula_and_are_what_they_were(void **state)
{
	static const char *const texts[] = { "=1",     "+1",    "-1",    "@x",   "\tx",     "\rx",
					     "\nx",    " =1",   "'=",    "''=x", "'",       "'a",
					     "a=1",    "\"=\"", "",      "a,b",  "\uff1dx", "' =x",
					     "\uff20", "  ",    "a\"\"b" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(100);
		CLEANUP(document_free) struct document *d = NULL;
		CLEANUP(free) uint8_t *json = NULL;
		size_t len;

		writer_text(&w, "name,description\nc,");
		csv_put(&w, texts[i]);
		assert_int_equal(w.bytes[sizeof("name,description\nc,") - 1], '"');
		assert_null(memchr("=+-@\t\r\n", w.bytes[sizeof("name,description\nc,\"") - 1], 7));
		assert_ok(csv_to_json(w.bytes, w.len, w.len, &json, &len, &e), e);
		assert_ok(document_read(json, len, &d, &e), e);
		assert_string_equal(d->items[0].description, texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_count_has_its_limit),
		cmocka_unit_test(sums_have_theirs),
		cmocka_unit_test(each_text_has_its_limit),
		cmocka_unit_test(a_document_has_its_limit),
		cmocka_unit_test(tables_have_theirs),
		cmocka_unit_test(what_ends_too_soon_is_refused),
		cmocka_unit_test(cells_begin_no_formula_and_are_what_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
