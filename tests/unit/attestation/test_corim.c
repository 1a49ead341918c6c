/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/json_same.h"
#include "tests/vectors.h"

#include "attestation/corim.h"
#include "common/base/writer.h"

static void run_case(const struct vector_case *c)
{
	size_t len, pem_len;
	CLEANUP(free) uint8_t *bytes = vector_file(c, "corim.cbor", &len);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	CLEANUP(json_free) struct json *shown = NULL;
	CLEANUP(free) struct corim *corim = malloc(sizeof(*corim));
	struct err e = { 0 };

	if (vector_has(c, "key.pem")) {
		CLEANUP(free) uint8_t *pem = vector_file(c, "key.pem", &pem_len);
		assert_ok(key_from_public_pem((char *)pem, pem_len, &key, &e), e);
	}
	int64_t at = (int64_t)vector_u64(c, "input.now", 0);
	bool yes = corim_parse(bytes, len, key, at, corim, &e) == 0;
	if (yes != vector_accepts(c))
		fail_msg("%s: %s", c->name, yes ? "accepted" : e.text);
	if (!yes)
		return;
	corim_show(corim, &w);
	assert_ok(json_parse(w.bytes, w.len, &shown, &e), e);
	if (!json_same(vector_value(c, "fields"), shown))
		fail_msg("%s: %.*s", c->name, (int)w.len, (char *)w.bytes);
	corim_done(corim);
}

static void the_shared_corims_are_read_right(void **state)
{
	VECTORS_OR_SKIP();
	assert_int_equal(vectors_walk("corim", "", run_case), 41);
}

/* {0: "id", 1: [506(<< {1: {0: "tag"}, 4: {0: [[{0: {0: 37(16)}}, [{1: {1: 3}}]]]}} >>)]}. */
static void write_small(struct writer *w)
{
	static const uint8_t uuid[16] = { 1 };
	CLEANUP_WRITER struct writer c = writer_up_to(4096);

	datum_put_map(&c, 2);
	datum_put_uint(&c, 1);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 0);
	datum_put_text(&c, "tag");
	datum_put_uint(&c, 4);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 0);
	datum_put_array(&c, 1);
	datum_put_array(&c, 2);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 0);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 0);
	datum_put_tag(&c, 37);
	datum_put_bytes(&c, uuid, sizeof(uuid));
	datum_put_array(&c, 1);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 1);
	datum_put_map(&c, 1);
	datum_put_uint(&c, 1);
	datum_put_uint(&c, 3);
	datum_put_map(w, 2);
	datum_put_uint(w, 0);
	datum_put_text(w, "id");
	datum_put_uint(w, 1);
	datum_put_array(w, 1);
	datum_put_tag(w, 506);
	datum_put_bytes(w, c.bytes, c.len);
}

static void every_truncation_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	CLEANUP(free) struct corim *c = malloc(sizeof(*c));
	struct err e;

	write_small(&w);
	assert_ok(corim_parse(w.bytes, w.len, NULL, 0, c, &e), e);
	assert_int_equal(c->tags[0].references[0].measurements[0].svn, 3);
	corim_done(c);
	for (size_t len = 0; len < w.len; len++)
		assert_true(corim_parse(w.bytes, len, NULL, 0, c, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shared_corims_are_read_right),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
