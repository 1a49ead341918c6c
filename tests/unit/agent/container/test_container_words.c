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
		cmocka_unit_test(a_document_is_so_long),
		cmocka_unit_test(an_index_leads_to_one_image),
		cmocka_unit_test(one_spelling_of_a_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
