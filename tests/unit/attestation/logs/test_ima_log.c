/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/logs/ima_log.h"
#include "common/base/writer.h"
#include "tests/unit.h"

static struct writer good; /* boot aggregate, a program with a signature, a violation, a buffer */

static void put_field(struct writer *w, const void *bytes, size_t len)
{
	writer_le32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

struct want {
	uint32_t pcr;
	const char *name, *path;
	const char *algorithm; /* with its colon */
	bool violation, wrong_digest;
	size_t extra; /* bytes behind the fields */
};

static void put_entry(struct writer *w, const struct want *want)
{
	CLEANUP_WRITER struct writer data = writer_up_to(1 << 17), d_ng = writer_up_to(256);
	uint8_t logged[20] = { 0 };
	struct err e;

	writer_bytes(&d_ng, want->algorithm, strlen(want->algorithm) + 1);
	for (unsigned i = 0; i < 32; i++)
		writer_u8(&d_ng, (uint8_t)(want->violation ? 0 : i + 1));
	put_field(&data, d_ng.bytes, d_ng.len);
	put_field(&data, want->path, strlen(want->path) + 1);
	if (strcmp(want->name, "ima-ng") != 0)
		put_field(&data, "\x03\x02\x04", 3);
	writer_zeros(&data, want->extra);
	if (!want->violation)
		assert_ok(digest(DIGEST_SHA1, data.bytes, data.len, logged, &e), e);
	logged[0] ^= want->wrong_digest;
	writer_le32(w, want->pcr);
	writer_bytes(w, logged, sizeof(logged));
	put_field(w, want->name, strlen(want->name));
	put_field(w, data.bytes, data.len);
}

static const struct want right = { 10, "ima-ng", "boot_aggregate", "sha256:", false, false, 0 };

static int setup(void **state)
{
	good = writer_up_to(1 << 20);
	put_entry(&good, &right);
	put_entry(&good,
		  &(struct want){ 10, "ima-sig", "/usr/bin/true", "sha256:", false, false, 0 });
	put_entry(&good, &(struct want){ 11, "ima-ng", "/other", "sha256:", false, false, 0 });
	put_entry(&good, &(struct want){ 10, "ima-ng", "/log", "sha256:", true, false, 0 });
	put_entry(&good,
		  &(struct want){ 10, "ima-buf", "kexec-cmdline", "sha256:", false, false, 0 });
	return 0;
}

static int teardown(void **state)
{
	writer_done(&good);
	return 0;
}

static void entries_are_read_field_by_field(void **state)
{
	struct ima_log log CLEANUP_IMA_LOG = { .count = 0 };
	struct err e;

	assert_ok(ima_log_parse(good.bytes, good.len, &log, &e), e);
	assert_int_equal(log.count, 5);
	assert_string_equal(log.entries[0].template_name, "ima-ng");
	assert_string_equal(log.entries[0].algorithm, "sha256");
	assert_int_equal(log.entries[0].digest.len, 32);
	assert_int_equal(log.entries[0].digest.bytes[31], 32);
	assert_memory_equal(log.entries[1].path.bytes, "/usr/bin/true", 13);
	assert_int_equal(log.entries[1].path.len, 13);
	assert_int_equal(log.entries[1].more.len, 3);
	assert_int_equal(log.entries[2].pcr, 11);
	assert_true(log.entries[3].violation);
	assert_false(log.entries[4].violation);
	ima_log_done(&log);
	assert_ok(ima_log_parse("", 0, &log, &e), e);
	assert_int_equal(log.count, 0);
}

static void every_truncation_is_refused_but_between_entries(void **state)
{
	struct err e;
	unsigned whole = 0;

	for (size_t len = 0; len < good.len; len++) {
		struct ima_log log CLEANUP_IMA_LOG = { .count = 0 };
		uint8_t *cut = malloc(len ? len : 1);

		memcpy(cut, good.bytes, len);
		whole += ima_log_parse(cut, len, &log, &e) == 0;
		free(cut);
	}
	assert_int_equal(whole, 5); /* none, and behind each of the first four */
}

static int parse_one(const struct want *want, struct err *e)
{
	struct ima_log log CLEANUP_IMA_LOG = { .count = 0 };
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 18);

	put_entry(&w, want);
	return ima_log_parse(w.bytes, w.len, &log, e);
}

static void what_is_no_entry_is_refused(void **state)
{
	char path[IMA_PATH_MAX + 2];
	struct want want = right;
	struct err e;

	assert_ok(parse_one(&want, &e), e);
	want.wrong_digest = true;
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "not of its data");
	want = right;
	want.name = "ima";
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "template");
	want.name = "ima-ngx";
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "template");
	want = right;
	want.extra = 1;
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "its fields");
	want = right;
	want.pcr = 23;
	assert_ok(parse_one(&want, &e), e);
	want.pcr = 24;
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "PCR 24");
	want = right;
	want.algorithm = "sha256";
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "its fields");
	want.algorithm = ":";
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "its fields");
	want.algorithm = "123456789012345:";
	assert_ok(parse_one(&want, &e), e);
	want.algorithm = "1234567890123456:";
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "its fields");
	want = right;
	want.path = path;
	memset(path, 'a', sizeof(path));
	path[IMA_PATH_MAX] = 0;
	assert_ok(parse_one(&want, &e), e);
	path[IMA_PATH_MAX] = 'a';
	path[IMA_PATH_MAX + 1] = 0;
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "its fields");
	want = right;
	want.extra = IMA_DATA_MAX;
	assert_refused(parse_one(&want, &e), e, ERR_INVALID, "at most");
}

/* By hand: H(0 ‖ H(data₁)), H(that ‖ H(data₂)), H(that ‖ ff…), H(that ‖ H(data₄)). */
static void values_after(const struct ima_log *log, uint8_t values[4][32])
{
	static const size_t of_pcr10[] = { 0, 1, 3, 4 };
	uint8_t now[64] = { 0 };
	struct err e;

	for (size_t i = 0; i < 4; i++) {
		const struct ima_entry *entry = &log->entries[of_pcr10[i]];

		if (entry->violation)
			memset(now + 32, 0xff, 32);
		else
			assert_ok(digest(DIGEST_SHA256, entry->data.bytes, entry->data.len,
					 now + 32, &e),
				  e);
		assert_ok(digest(DIGEST_SHA256, now, 64, values[i], &e), e);
		memcpy(now, values[i], 32);
	}
}

static void a_log_comes_to_each_value_that_a_quote_could_have_had(void **state)
{
	static const size_t accounted[] = { 1, 2, 4, 5 };
	struct ima_log log CLEANUP_IMA_LOG = { .count = 0 };
	uint8_t values[4][32], zero[32] = { 0 };
	struct err e;
	size_t count;

	assert_ok(ima_log_parse(good.bytes, good.len, &log, &e), e);
	values_after(&log, values);
	for (size_t i = 0; i < 4; i++) {
		assert_ok(ima_log_replay(&log, DIGEST_SHA256, IMA_PCR, values[i], &count, &e), e);
		assert_int_equal(count, accounted[i]);
		values[i][31] ^= 1;
		assert_refused(ima_log_replay(&log, DIGEST_SHA256, IMA_PCR, values[i], &count, &e),
			       e, ERR_DENIED, "PCR 10");
	}
	assert_refused(ima_log_replay(&log, DIGEST_SHA256, IMA_PCR, zero, &count, &e), e,
		       ERR_DENIED, "PCR 10");
	values[0][31] ^= 1;
	assert_refused(ima_log_replay(&log, DIGEST_SHA256, 11, values[0], &count, &e), e,
		       ERR_DENIED, "PCR 11");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_read_field_by_field),
		cmocka_unit_test(every_truncation_is_refused_but_between_entries),
		cmocka_unit_test(what_is_no_entry_is_refused),
		cmocka_unit_test(a_log_comes_to_each_value_that_a_quote_could_have_had),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
