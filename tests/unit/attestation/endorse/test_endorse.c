/* SPDX-License-Identifier: Apache-2.0 */
/* What fetching endorsements rests on, without a server: addresses, headers, cache, needs. Servers
 * are tests/integration/endorsements.py's. */
#include "attestation/endorse/endorse_cache.h"
#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorse_http.h"
#include "attestation/endorse/endorse_need.h"
#include "attestation/endorse/endorsements.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static void an_address_is_https_or_this_machine(void **state)
{
	static const char *const good[] = { "https://kdsintf.amd.com", "https://h:8443/a/b",
					    "http://127.0.0.1:80", "http://localhost",
					    "http://[::1]:1/x" };
	static const char *const bad[] = { "",
					   "h",
					   "http://",
					   "https://",
					   "https:///",
					   "https://h/",
					   "http://h",
					   "http://127.0.0.10",
					   "http://localhost.h",
					   "https://u@h",
					   "https://h?q",
					   "https://h#f",
					   "https://h h",
					   "HTTPS://h",
					   "file:///etc" };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(endorse_http_base(good[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(endorse_http_base(bad[i], &e), -ERR_INVALID);
}

static void an_address_has_a_longest_length(void **state)
{
	char text[ENDORSE_URL_MAX / 2 + 2] = "https://";
	struct err e;

	memset(text + 8, 'h', sizeof(text) - 9);
	assert_int_equal(endorse_http_base(text, &e), -ERR_INVALID);
	text[ENDORSE_URL_MAX / 2] = '\0';
	assert_ok(endorse_http_base(text, &e), e);
}

static void escapes_are_read_and_halves_refused(void **state)
{
	static const char good[] = "a%20b%0A%2b%2B+";
	CLEANUP(free) char *text = NULL;
	size_t len;
	struct err e;

	assert_ok(endorse_unescape(good, sizeof(good) - 1, &text, &len, &e), e);
	assert_string_equal(text, "a b\n+++");
	assert_int_equal(len, 7);
	for (size_t cut = 0; cut < sizeof(good) - 1; cut++) {
		bool half = (cut && good[cut - 1] == '%') || (cut > 1 && good[cut - 2] == '%');
		char *got = NULL;
		int rc = endorse_unescape(good, cut, &got, &len, &e);

		assert_int_equal(rc, half ? -ERR_INVALID : 0);
		free(got);
	}
	assert_int_equal(endorse_unescape("%00", 3, &text, &len, &e), -ERR_INVALID);
	assert_int_equal(endorse_unescape("%g0", 3, &text, &len, &e), -ERR_INVALID);
	assert_int_equal(endorse_unescape("\0", 1, &text, &len, &e), -ERR_INVALID);
}

/* ---- the cache ---- */

static void what_was_written_is_read_up_to_its_limit(void **state)
{
	struct endorse_group g;
	uint8_t *bytes;
	int64_t written;
	size_t len;
	struct stat st;
	struct err e;

	assert_ok(endorse_group_open(&g, test_folder, "snp/Milan", &e), e);
	assert_int_equal(endorse_group_read(&g, "x", 8, &bytes, &len, &written, &e),
			 -ERR_NOT_FOUND);
	assert_ok(endorse_group_lock(&g, clock_ms(CLOCK_MONOTONIC) + 10000, &e), e);
	assert_ok(endorse_group_write(&g, "x", "12345678", 8, &e), e);
	assert_ok(endorse_group_read(&g, "x", 8, &bytes, &len, &written, &e), e);
	assert_int_equal(len, 8);
	assert_memory_equal(bytes, "12345678", 8);
	assert_true(written > 0);
	free(bytes);
	assert_int_equal(endorse_group_read(&g, "x", 7, &bytes, &len, &written, &e),
			 -ERR_NOT_FOUND);
	assert_ok(endorse_group_write(&g, "x", "", 0, &e), e);
	assert_int_equal(endorse_group_read(&g, "x", 8, &bytes, &len, &written, &e),
			 -ERR_NOT_FOUND);
	assert_int_equal(stat(g.folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	endorse_group_done(&g);
	endorse_group_done(&g); /* twice is once */
}

static void a_link_or_a_folder_is_no_file_of_the_cache(void **state)
{
	CLEANUP(free) char *path = NULL;
	struct endorse_group g;
	uint8_t *bytes;
	int64_t written;
	size_t len;
	struct err e;

	assert_ok(endorse_group_open(&g, test_folder, "links", &e), e);
	assert_ok(endorse_group_lock(&g, clock_ms(CLOCK_MONOTONIC) + 10000, &e), e);
	assert_ok(endorse_group_write(&g, "real", "x", 1, &e), e);
	assert_ok(text_format(&path, &e, "%s/link", g.folder), e);
	assert_int_equal(symlink("real", path), 0);
	assert_int_equal(endorse_group_read(&g, "link", 8, &bytes, &len, &written, &e),
			 -ERR_NOT_FOUND);
	assert_int_equal(endorse_group_read(&g, ".", 8, &bytes, &len, &written, &e),
			 -ERR_NOT_FOUND);
	/* Writing replaces the link, not what it leads to. */
	assert_ok(endorse_group_write(&g, "link", "yy", 2, &e), e);
	assert_ok(endorse_group_read(&g, "real", 8, &bytes, &len, &written, &e), e);
	assert_int_equal(len, 1);
	free(bytes);
	endorse_group_done(&g);
}

static void a_group_is_filled_by_one_at_a_time(void **state)
{
	struct endorse_group a, b;
	struct err e;

	assert_ok(endorse_group_open(&a, test_folder, "locked", &e), e);
	assert_ok(endorse_group_open(&b, test_folder, "locked", &e), e);
	assert_ok(endorse_group_lock(&a, clock_ms(CLOCK_MONOTONIC) + 10000, &e), e);
	assert_ok(endorse_group_lock(&a, 0, &e), e); /* has it */
	assert_refused(endorse_group_lock(&b, clock_ms(CLOCK_MONOTONIC), &e), e, ERR_DEADLINE,
		       "another process");
	endorse_group_done(&a);
	assert_ok(endorse_group_lock(&b, clock_ms(CLOCK_MONOTONIC) + 10000, &e), e);
	endorse_group_done(&b);
}

static void the_folder_comes_from_the_name_or_the_environment(void **state)
{
	char *got;
	struct err e;

	setenv("HOME", "/h", 1);
	setenv("XDG_CACHE_HOME", "/x", 1);
	assert_ok(endorse_cache_folder("named", &got, &e), e);
	assert_string_equal(got, "named");
	free(got);
	assert_ok(endorse_cache_folder(NULL, &got, &e), e);
	assert_string_equal(got, "/x/cocos");
	free(got);
	setenv("XDG_CACHE_HOME", "x", 1); /* relative: to be ignored */
	assert_ok(endorse_cache_folder(NULL, &got, &e), e);
	assert_string_equal(got, "/h/.cache/cocos");
	free(got);
	unsetenv("HOME");
	assert_int_equal(endorse_cache_folder(NULL, &got, &e), -ERR_PRECONDITION);
	assert_int_equal(endorse_cache_folder("", &got, &e), -ERR_INVALID);
}

/* ---- the object ---- */

static void a_configuration_that_makes_no_sense_is_refused(void **state)
{
	const struct endorsements_config bad[] = { { .kds = "http://example.org" },
						   { .pcs = "x" },
						   { .deadline = ENDORSEMENTS_DEADLINE_MAX + 1 } };
	const struct endorsements_config good = { .deadline = ENDORSEMENTS_DEADLINE_MAX };
	struct endorsements *n = NULL;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(endorsements_new(&bad[i], &n, &e), -ERR_INVALID);
	assert_ok(endorsements_new(&good, &n, &e), e);
	endorsements_free(n);
	endorsements_free(NULL);
}

static void evidence_that_cannot_be_read_needs_nothing(void **state)
{
	static uint8_t zeros[SNP_REPORT_LEN + 100] = { 0xD2, 0x84 };
	const struct endorsements_config config = { .cache = "/proc/nowhere", .offline = true };
	CLEANUP(endorsements_free) struct endorsements *n = NULL;
	CLEANUP(free) struct verify_input *in = calloc(1, sizeof(*in));
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));
	struct err e, missing;

	assert_ok(endorsements_new(&config, &n, &e), e);
	for (int mode = EVIDENCE_SNP; mode <= EVIDENCE_EAT; mode++)
		for (size_t from = 0; from < 3; from++)
			for (size_t len = 0; len < sizeof(zeros) - from; len += 37) {
				in->mode = (enum evidence_kind)mode;
				in->evidence = (struct span){ zeros + from, len };
				in->binding.tpm_nonce = (struct span){ zeros, 32 };
				assert_ok(endorsements_verify(n, in, v, NULL, &missing, &e), e);
				assert_false(verdict_ok(v));
				assert_string_equal(missing.text, "");
				assert_int_equal(in->snp.vek.len + in->snp.crl_count, 0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_https_or_this_machine),
		cmocka_unit_test(an_address_has_a_longest_length),
		cmocka_unit_test(escapes_are_read_and_halves_refused),
		cmocka_unit_test(what_was_written_is_read_up_to_its_limit),
		cmocka_unit_test(a_link_or_a_folder_is_no_file_of_the_cache),
		cmocka_unit_test(a_group_is_filled_by_one_at_a_time),
		cmocka_unit_test(the_folder_comes_from_the_name_or_the_environment),
		cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused),
		cmocka_unit_test(evidence_that_cannot_be_read_needs_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
