/* SPDX-License-Identifier: Apache-2.0 */
/* What images say of themselves, at its limits. */
#include "agent/container/container_manifest.h"
#include "agent/container/container_run.h"
#include "tests/unit.h"

#define DIGEST "\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""

enum { TEXT_MAX = 4 << 20 };

/* `count` times the same, with commas. */
static void repeat(struct writer *w, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		writer_printf(w, "%s%s", i ? "," : "", text);
}

static int config_of(size_t layers, size_t words, size_t word_len, struct err *e)
{
	CLEANUP_CONTAINER_CONFIG struct container_config config = { 0 };
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);
	CLEANUP(free) char *word = calloc(1, word_len + 3);

	memset(word, 'a', word_len + 2);
	word[0] = word[word_len + 1] = '"';
	writer_text(
		&w,
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	repeat(&w, DIGEST, layers);
	writer_text(&w, "]},\"config\":{\"Cmd\":[");
	repeat(&w, word, words);
	writer_text(&w, "]}}");
	return container_config_parse(w.bytes, w.len, "amd64", &config, e);
}

static void a_configuration_has_so_much_in_it(void **state)
{
	struct err e;

	assert_ok(config_of(1, 1, 1, &e), e);
	assert_ok(config_of(CONTAINER_LAYERS_MAX, 1, 1, &e), e);
	assert_refused(config_of(CONTAINER_LAYERS_MAX + 1, 1, 1, &e), e, ERR_EXHAUSTED,
		       "129 layers");
	assert_refused(config_of(0, 1, 1, &e), e, ERR_EXHAUSTED, "0 layers");
	assert_ok(config_of(1, CONTAINER_STRINGS_MAX, 1, &e), e);
	assert_refused(config_of(1, CONTAINER_STRINGS_MAX + 1, 1, &e), e, ERR_EXHAUSTED,
		       "Cmd has more");
	assert_ok(config_of(1, 1, CONTAINER_STRINGS_BYTES_MAX - 1, &e), e);
	assert_refused(config_of(1, 1, CONTAINER_STRINGS_BYTES_MAX, &e), e, ERR_EXHAUSTED,
		       "Cmd has more");
}

static int config_with(const char *run, struct err *e)
{
	CLEANUP_CONTAINER_CONFIG struct container_config config = { 0 };
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	writer_printf(
		&w,
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[" DIGEST "]},\"config\":{%s}}",
		run);
	return container_config_parse(w.bytes, w.len, "amd64", &config, e);
}

/* Which of two counts would depend on who reads them. */
static void a_variable_has_one_value(void **state)
{
	struct err e;

	assert_ok(config_with("\"Env\":[\"A=\",\"AB=A=1\"],\"WorkingDir\":\"\"", &e), e);
	assert_refused(config_with("\"Env\":[\"A=1\",\"B=2\",\"A=1\"]", &e), e, ERR_INVALID,
		       "Env[2] names what Env[0] does");
	assert_refused(config_with("\"Env\":[\"A\"]", &e), e, ERR_INVALID,
		       "Env[0] is not NAME=value");
	assert_refused(config_with("\"Env\":[\"=1\"]", &e), e, ERR_INVALID,
		       "Env[0] is not NAME=value");
	assert_refused(config_with("\"WorkingDir\":\"a\"", &e), e, ERR_INVALID, "is not absolute");
}

/* As the process that unpacked the image would say it; `more`: bytes behind it. */
static int run_of(const char *variable, const char *folder, size_t words, size_t more,
		  struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);
	struct container_run run;

	writer_be32(&w, (uint32_t)words);
	for (size_t i = 0; i < words; i++)
		writer_bytes(&w, "w", 2);
	writer_be32(&w, 0);
	writer_be32(&w, 1);
	writer_bytes(&w, variable, strlen(variable) + 1);
	writer_bytes(&w, folder, strlen(folder) + 1);
	writer_zeros(&w, more);
	assert_false(w.bad);
	if (container_run_read(w.bytes, w.len, &run, e) < 0)
		return err_code(e);
	assert_int_equal(run.entrypoint.count, words);
	assert_string_equal(run.env.items[0], variable);
	assert_string_equal(run.folder, folder);
	for (size_t len = 0; len < w.len; len++) {
		struct err cut;

		assert_refused(container_run_read(w.bytes, len, &run, &cut), cut, ERR_INVALID,
			       "malformed");
	}
	return 0;
}

static void what_an_image_runs_is_not_believed(void **state)
{
	struct err e;

	assert_ok(run_of("A=1", "/", 2, 0, &e), e);
	assert_ok(run_of("A=", "/work", CONTAINER_STRINGS_MAX, 0, &e), e);
	assert_refused(run_of("A=1", "/", CONTAINER_STRINGS_MAX + 1, 0, &e), e, ERR_INVALID,
		       "malformed");
	assert_refused(run_of("A", "/", 2, 0, &e), e, ERR_INVALID, "malformed");
	assert_refused(run_of("=1", "/", 2, 0, &e), e, ERR_INVALID, "malformed");
	assert_refused(run_of("A=1", "work", 2, 0, &e), e, ERR_INVALID, "malformed");
	assert_refused(run_of("A=1", "", 2, 0, &e), e, ERR_INVALID, "malformed");
	assert_refused(run_of("A=1", "/", 2, 1, &e), e, ERR_INVALID, "malformed");
}

static int layout_of(size_t len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	writer_text(&w, "{\"imageLayoutVersion\":\"1.0.0\"}");
	while (w.len < len)
		writer_u8(&w, ' ');
	return container_layout_check(w.bytes, w.len, e);
}

static void a_document_is_so_long(void **state)
{
	struct err e;

	assert_ok(layout_of(CONTAINER_JSON_MAX, &e), e);
	assert_refused(layout_of(CONTAINER_JSON_MAX + 1, &e), e, ERR_EXHAUSTED, "larger than");
}

static int index_of(const char *ours, size_t others, struct container_descriptor *entry,
		    struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	writer_printf(&w, "{\"schemaVersion\":2,\"manifests\":[%s,", ours);
	repeat(&w, "{\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}}", others);
	writer_text(&w, "]}");
	return container_index_parse(w.bytes, w.len, "amd64", entry, e);
}

static void an_index_leads_to_one_image(void **state)
{
#define ENTRY(more)                                                                                        \
	"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"size\":7,\"digest\":" DIGEST more \
	"}"
	struct container_descriptor entry;
	struct err e;

	assert_ok(index_of(ENTRY(""), CONTAINER_INDEX_MAX - 1, &entry, &e), e);
	assert_int_equal(entry.size, 7);
	assert_refused(index_of(ENTRY(""), CONTAINER_INDEX_MAX, &entry, &e), e, ERR_EXHAUSTED,
		       "64 images");
	assert_refused(index_of(ENTRY("") "," ENTRY(""), 1, &entry, &e), e, ERR_INVALID,
		       "2 images");
	assert_refused(index_of("{\"platform\":{}}", 1, &entry, &e), e, ERR_INVALID, "0 images");
	assert_refused(index_of(ENTRY(",\"urls\":[]"), 1, &entry, &e), e, ERR_INVALID, "urls");
}

static void one_spelling_of_a_digest(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		"sha512:aa",
		"sha256:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	uint8_t found[BLOB_DIGEST_LEN];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(container_digest(bad[i], found, &e), e, ERR_INVALID, "digest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_has_so_much_in_it),
		cmocka_unit_test(a_variable_has_one_value),
		cmocka_unit_test(what_an_image_runs_is_not_believed),
		cmocka_unit_test(a_document_is_so_long),
		cmocka_unit_test(an_index_leads_to_one_image),
		cmocka_unit_test(one_spelling_of_a_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
