/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/json.h"
#include "common/base/writer.h"
#include "tests/unit.h"

#include <stdio.h>

DEFINE_CLEANUP(struct json *, json_free)

static struct json *parsed(const char *text)
{
	struct json *root = NULL;
	struct err e;

	assert_ok(json_parse(text, strlen(text), &root, &e), e);
	return root;
}

static void members_come_by_type(void **state)
{
	CLEANUP(json_free)
	struct json *root = parsed("{\"a\":\"x\\u00e9\",\"b\":[1,{}],\"c\":true,\"d\":null}");
	const char *text;
	const struct json *array;
	bool yes;
	uint64_t v;
	struct err e;

	assert_ok(json_get_string(root, "a", &text, &e), e);
	assert_string_equal(text, "x\xC3\xA9");
	assert_ok(json_get_array(root, "b", &array, &e), e);
	assert_int_equal(array->count, 2);
	assert_ptr_equal(array->items[1].parent->parent, root);
	assert_ok(json_get_bool(root, "c", &yes, &e), e);
	assert_true(yes);
	assert_refused(json_get_u64(root, "c", &v, &e), e, ERR_INVALID, "'c' is a boolean");
	assert_refused(json_get_u64(root, "z", &v, &e), e, ERR_NOT_FOUND, "'z' is missing");
	assert_int_equal(json_get(root, "d")->type, JSON_NULL);
}

static void every_uint64_is_exact(void **state)
{
	static const char *const bad[] = { "18446744073709551616", "1.0", "1e3", "-1", "\"1\"" };
	struct err e;
	uint64_t v;

	CLEANUP(json_free) struct json *max = parsed("18446744073709551615");
	assert_ok(json_u64(max, &v, &e), e);
	assert_true(v == UINT64_MAX);
	CLEANUP(json_free) struct json *tcb = parsed("15352208179752599555");
	assert_ok(json_u64(tcb, &v, &e), e);
	assert_true(v == UINT64_C(15352208179752599555));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(json_free) struct json *root = parsed(bad[i]);
		assert_int_equal(json_u64(root, &v, &e), -ERR_INVALID);
	}
}

static void what_is_not_json_is_refused(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		/* white space that JSON does not know */
		"\f{}", "{\v}", "[1]\f", "[\"\f\"]",
		/* cut short, one comma too many, a key twice, something after the end */
		"", " ", "{", "[1", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}",
		"{\"a\":1,\"\\u0061\":2}", "{} x", "{}{}",
		/* words and numbers of other languages */
		"01", "'a'", "NaN", "Infinity", "+1", "1.",
		/* lone surrogates */
		"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"",
		/* bytes that no string may hold */
		"\"\x80\"", "\"\\u0000\"", "\"\n\"",
		/* comments, a byte order mark, an escape of C's */
		"/* c */ 1", "[1] // c", "\xEF\xBB\xBF{}", "\"\\x41\"",
	};
	/* clang-format on */
	struct json *root;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (json_parse(bad[i], strlen(bad[i]), &root, &e) != -ERR_INVALID)
			fail_msg("%s was taken for JSON", bad[i]);
}

static void a_pair_of_surrogates_is_one_character(void **state)
{
	CLEANUP(json_free) struct json *root = parsed("\"\\\\ud800 \\ud83d\\ude00\"");

	assert_string_equal(root->text, "\\ud800 \xF0\x9F\x98\x80");
}

static void depth_has_a_limit(void **state)
{
	char text[4 * JSON_DEPTH_MAX];
	struct json *root;
	struct err e;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_ok(json_parse(text, 2 * JSON_DEPTH_MAX, &root, &e), e);
	json_free(root);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_refused(json_parse(text, 2 * JSON_DEPTH_MAX + 2, &root, &e), e, ERR_INVALID,
		       "too deep");
}

static void every_truncation_is_refused(void **state)
{
	static const char good[] = "{\"a\":[true,null,\"\\u00e9\",12],\"b\":{\"c\":{}}}";
	struct json *root;
	struct err e;

	for (size_t len = 0; len < sizeof(good) - 1; len++)
		assert_int_equal(json_parse(good, len, &root, &e), -ERR_INVALID);
}

static void containers_know_where_they_stood(void **state)
{
	static const char text[] = "{ \"tcbInfo\" : {\"a\": [1, 2]} ,\"signature\":\"00\"}";
	CLEANUP(json_free) struct json *root = parsed(text);
	const struct json *body = json_get(root, "tcbInfo");
	static const char wanted[] = "{\"a\": [1, 2]}";

	assert_int_equal(body->end - body->start, sizeof(wanted) - 1);
	assert_memory_equal(text + body->start, wanted, sizeof(wanted) - 1);
}

/* Where room is tightest: a value that is the whole input, and many values next to each other. */
static void texts_have_room_where_there_is_least(void **state)
{
	/* clang-format off */
	static const char *const rows[] = {
		"1", "12", "\"\"", "\"a\"",
		"[1,2,3]", "{\"\":\"\"}", "{\"\":1}", "{\"\":{\"\":[1,2,\"\",\"\"]}}",
		"[\"\\n\",0]", "\"\\u00e4\\ud83d\\ude00\"",
	};
	/* clang-format on */
	struct json *root;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *exact = strndup(rows[i], strlen(rows[i]));

		assert_ok(json_parse(exact, strlen(exact), &root, &e), e);
		json_free(root);
	}
	assert_ok(json_parse_zeros("[\"\\u0000\",7]", 12, &root, &e), e);
	assert_string_equal(root->items[0].text, "\xC0\x80");
	assert_string_equal(root->items[1].text, "7");
	json_free(root);
}

/* The place of the first control character, whichever it is. */
static void feeds_are_refused_where_they_stand(void **state)
{
	struct json *root;
	struct err e;

	assert_refused(json_parse("[1,\f2\v]", 7, &root, &e), e, ERR_INVALID, "byte 3: a control");
	assert_refused(json_parse("[1,\v2\f]", 7, &root, &e), e, ERR_INVALID, "byte 3: a control");
	assert_refused(json_parse("[1]\f", 4, &root, &e), e, ERR_INVALID, "byte 3: a control");
	assert_refused(json_parse("[1]\v", 4, &root, &e), e, ERR_INVALID, "byte 3: a control");
}

static void a_backslash_at_the_end_ends_the_search(void **state)
{
	struct json *root;
	struct err e;

	for (size_t len = 1; len < 14; len++) {
		CLEANUP(free) char *exact = strndup("\"\\ud83d\\ude00\\", len);

		assert_true(json_parse(exact, len, &root, &e) < 0);
	}
	assert_true(json_parse("\\", 1, &root, &e) < 0);
	assert_true(json_parse("\"\\\\\\", 4, &root, &e) < 0);
}

static void unknown_keys_are_named(void **state)
{
	static const char *const known[] = { "a", NULL };
	CLEANUP(json_free) struct json *root = parsed("{\"a\":1,\"b\":2}");
	struct err e;

	assert_refused(json_only_keys(root, known, &e), e, ERR_INVALID, "unknown key 'b'");
}

static void hexadecimal_members_have_their_length(void **state)
{
	static const char text[] = "{\"a\":\"01fF\",\"n\":1,\"odd\":\"01f\",\"bad\":\"01fg\"}";
	CLEANUP(json_free) struct json *root = parsed(text);
	uint8_t b[4] = { 0xcc, 0xcc, 0xcc, 0xcc };
	struct err e;

	assert_ok(json_get_hex(root, "a", b, 2, &e), e);
	assert_memory_equal(b, "\x01\xff\xcc", 3);
	assert_refused(json_get_hex(root, "a", b, 1, &e), e, ERR_INVALID, "'a'");
	assert_refused(json_get_hex(root, "a", b, 3, &e), e, ERR_INVALID, "'a'");
	assert_refused(json_get_hex(root, "odd", b, 2, &e), e, ERR_INVALID, "'odd'");
	assert_refused(json_get_hex(root, "bad", b, 2, &e), e, ERR_INVALID, "'bad'");
	assert_refused(json_get_hex(root, "n", b, 2, &e), e, ERR_INVALID, "a number");
	assert_refused(json_get_hex(root, "none", b, 2, &e), e, ERR_NOT_FOUND, "'none'");
}

static void members_are_written_with_commas_between_them(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);
	size_t len;

	json_put_hex(&w, "first", "\x01\xff", 2);
	json_put_key(&w, "object");
	writer_text(&w, "{");
	json_put_hex(&w, "none", NULL, 0);
	json_put_key(&w, "brace");
	json_quote(&w, "{", 1);
	json_put_key(&w, "n");
	writer_text(&w, "1}");
	json_put_key(&w, "list");
	writer_text(&w, "[");
	json_quote_hex(&w, "\x80", 1);
	writer_text(&w, "]");
	CLEANUP(free) char *text = (char *)writer_take(&w, &len);
	assert_string_equal(text,
			    "\"first\":\"01ff\",\"object\":{\"none\":\"\",\"brace\":\"{\",\"n\":1},"
			    "\"list\":[\"80\"]");
}

static void text_is_written_as_go_does(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);
	static const char text[] =
		"\"\\\b\f\n\r\t\x01\x1f<>&/\xE2\x80\xA8\xE2\x80\xA9\xE2\x82\xAC\x7f";
	size_t len;

	json_quote(&w, text, sizeof(text) - 1);
	CLEANUP(free) char *out = (char *)writer_take(&w, &len);
	assert_string_equal(out, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u003c\\u003e\\u0026/"
				 "\\u2028\\u2029\xE2\x82\xAC\x7f\"");
}

/* The same text, but nothing in it moves a cursor, turns the direction, or hides. */
static void text_that_is_shown_hides_nothing(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);
	static const char text[] =
		"\"\x01<\x7f\xC2\x9b|\xC2\xA0|\xC2\xAD|\xD8\x9C|\xE1\xA0\x8E|\xE2\x80\x8B|"
		"\xE2\x80\xAE|\xE2\x80\xA8|\xE2\x81\xA0|\xE2\x81\xA9|\xE2\x82\xAC|\xEF\xBB\xBF|"
		"\xF3\xA0\x80\x81|\xF0\x9F\x98\x80|\xff";
	struct err e;
	size_t len;

	json_quote_shown(&w, text, sizeof(text) - 1);
	CLEANUP(free) char *out = (char *)writer_take(&w, &len);
	assert_string_equal(
		out, "\"\\\"\\u0001\\u003c\\u007f\\u009b|\xC2\xA0|\\u00ad|\\u061c|\\u180e|\\u200b|"
		     "\\u202e|\\u2028|\\u2060|\\u2069|\xE2\x82\xAC|\\ufeff|"
		     "\\udb40\\udc01|\xF0\x9F\x98\x80|\\ufffd\"");
	CLEANUP(json_free) struct json *read = NULL;
	assert_ok(json_parse(out, len, &read, &e), e);
	assert_memory_equal(read->text, text, sizeof(text) - 2);
	assert_string_equal(read->text + sizeof(text) - 2, "\xEF\xBF\xBD");
}

static void what_is_no_utf8_is_written_as_go_does(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);
	static const char text[] =
		"a\xc3 \xe2\x82<\xed\xa0\x80\xf4\x90\x80\x80\xE2\x82\xAC\xE2\x80\xA8\xe2\x80";
	size_t len;

	json_quote(&w, text, sizeof(text) - 1);
	CLEANUP(free) char *out = (char *)writer_take(&w, &len);
	assert_string_equal(out, "\"a\\ufffd \\ufffd\\ufffd\\u003c\\ufffd\\ufffd\\ufffd"
				 "\\ufffd\\ufffd\\ufffd\\ufffd\xE2\x82\xAC\\u2028\\ufffd\\ufffd\"");
}

/* Wherever it stands, and however many others there are: 90,000 keys are done at once. */
static void a_key_twice_is_found_among_many(void **state)
{
	static const size_t counts[] = { 2, 31, 32, 33, 34, 1000, 90000 };

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		for (size_t again = 0; again < 3; again++) {
			CLEANUP_WRITER struct writer w = writer_up_to(16 << 20);
			size_t of = again == 0 ? 0 : again == 1 ? counts[i] - 1 : SIZE_MAX;
			struct json *root = NULL;
			struct err e;

			writer_text(&w, "{");
			for (size_t n = 0; n < counts[i]; n++)
				writer_printf(&w, "\"k%zu\":0,", n);
			if (of == SIZE_MAX)
				writer_text(&w, "\"other\":0}");
			else
				writer_printf(&w, "\"k%zu\":0}", of);
			if (of == SIZE_MAX) {
				assert_ok(json_parse(w.bytes, w.len, &root, &e), e);
				json_free(root);
			} else {
				assert_refused(json_parse(w.bytes, w.len, &root, &e), e,
					       ERR_INVALID, "the same key twice");
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_by_type),
		cmocka_unit_test(every_uint64_is_exact),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(a_pair_of_surrogates_is_one_character),
		cmocka_unit_test(what_is_no_utf8_is_written_as_go_does),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(containers_know_where_they_stood),
		cmocka_unit_test(texts_have_room_where_there_is_least),
		cmocka_unit_test(feeds_are_refused_where_they_stand),
		cmocka_unit_test(a_backslash_at_the_end_ends_the_search),
		cmocka_unit_test(unknown_keys_are_named),
		cmocka_unit_test(hexadecimal_members_have_their_length),
		cmocka_unit_test(members_are_written_with_commas_between_them),
		cmocka_unit_test(text_is_written_as_go_does),
		cmocka_unit_test(text_that_is_shown_hides_nothing),
		cmocka_unit_test(a_key_twice_is_found_among_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
