/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs of our own making: both forms of a TPM's, and a CC log. */
#include "tests/unit/attestation/tpm/tpm_forge.h"

enum { LOG_MAX = 1 << 21 };

static const struct event_log_form tpm_form, cc_form = { .cc = true },
					     lax_form = { .separators_optional = true };

static int parse(struct span bytes, struct event_log_form form, struct err *e)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };

	return event_log_parse(bytes, form, &log, e);
}

static void every_form_is_read_and_replayed(void **state)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct event_replay replay;
	struct writer w;
	struct err e;

	tpm_forge_log(&w, false);
	assert_ok(event_log_parse(tpm_forge_span(&w), tpm_form, &log, &e), e);
	assert_int_equal(log.count, 10);
	assert_ok(event_log_replay(&log, DIGEST_SHA256, &replay, &e), e);
	assert_int_equal(replay.touched, 0x1ff);
	assert_refused(event_log_replay(&log, DIGEST_SHA384, &replay, &e), e, ERR_NOT_FOUND,
		       "bank");
	event_log_done(&log);
	writer_done(&w);
	tpm_forge_log(&w, true);
	assert_ok(event_log_parse(tpm_forge_span(&w), tpm_form, &log, &e), e);
	assert_true(log.legacy);
	assert_int_equal(log.count, 10);
	assert_ok(event_log_replay(&log, DIGEST_SHA1, &replay, &e), e);
	event_log_done(&log);
	writer_done(&w);
	tpm_forge_cc_log(&w);
	assert_ok(event_log_parse(tpm_forge_span(&w), cc_form, &log, &e), e);
	assert_int_equal(log.count, 4);
	assert_ok(event_log_replay(&log, DIGEST_SHA384, &replay, &e), e);
	assert_int_equal(replay.touched, 0x1e);
	writer_done(&w);
}

/* Between two events a CC log may end; a TPM's may not, since its separators are missing then. */
static void every_truncation_is_refused(void **state)
{
	struct writer w;
	struct err e;

	tpm_forge_log(&w, false);
	for (size_t len = 0; len < w.len; len++) {
		uint8_t *exact = malloc(len + 1);

		memcpy(exact, w.bytes, len);
		if (parse((struct span){ exact, len }, tpm_form, &e) == 0)
			assert_true(len > w.len - 100); /* without the event of PCR 8 */
		free(exact);
	}
	writer_done(&w);
	tpm_forge_log(&w, true);
	for (size_t len = 0; len < w.len; len++)
		if (parse((struct span){ w.bytes, len }, tpm_form, &e) == 0)
			assert_true(len > w.len - 100);
	writer_done(&w);
}

static void only_cc_logs_may_be_padded(void **state)
{
	struct writer w;
	struct err e;

	tpm_forge_cc_log(&w);
	writer_zeros(&w, 100);
	assert_ok(parse(tpm_forge_span(&w), cc_form, &e), e);
	memset(w.bytes + w.len - 100, 0xff, 100);
	assert_ok(parse(tpm_forge_span(&w), cc_form, &e), e);
	w.bytes[w.len - 1] = 0; /* neither: something may hide behind it */
	assert_int_equal(parse(tpm_forge_span(&w), cc_form, &e), -ERR_INVALID);
	memset(w.bytes + w.len - 100, 0, 99);
	w.bytes[w.len - 1] = 1;
	assert_int_equal(parse(tpm_forge_span(&w), cc_form, &e), -ERR_INVALID);
	writer_done(&w);
	tpm_forge_log(&w, false);
	writer_zeros(&w, 100);
	assert_int_equal(parse(tpm_forge_span(&w), tpm_form, &e), -ERR_INVALID);
	writer_done(&w);
}

/* A legacy event: the digest is of the data, or zero. */
static void put(struct writer *w, uint32_t pcr, uint32_t type, const void *data, size_t len)
{
	uint8_t value[20] = { 0 };
	struct err e;

	if (type != EVENT_NO_ACTION)
		assert_ok(digest(DIGEST_SHA1, data, len, value, &e), e);
	writer_le32(w, pcr);
	writer_le32(w, type);
	writer_bytes(w, value, sizeof(value));
	writer_le32(w, (uint32_t)len);
	writer_bytes(w, data, len);
}

/* One event alone, in a log that needs no separators. */
static int judge(uint32_t pcr, uint32_t type, const void *data, size_t len, size_t flip,
		 struct err *e)
{
	struct writer w = writer_up_to(LOG_MAX);

	put(&w, pcr, type, data, len);
	if (flip)
		w.bytes[w.len - flip] ^= 1;

	int rc = parse(tpm_forge_span(&w), lax_form, e);

	writer_done(&w);
	return rc;
}

static void data_are_hashed_again_where_the_type_says_so(void **state)
{
	static const uint32_t types[] = { EVENT_SEPARATOR,
					  EVENT_ACTION,
					  EVENT_EFI_ACTION,
					  EVENT_EFI_GPT,
					  EVENT_EFI_VARIABLE_DRIVER_CONFIG,
					  EVENT_EFI_VARIABLE_BOOT,
					  EVENT_EFI_VARIABLE_BOOT2,
					  EVENT_EFI_VARIABLE_AUTHORITY };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_ok(judge(9, types[i], "some data", 9, 0, &e), e);
		assert_refused(judge(9, types[i], "some data", 9, 9, &e), e, ERR_DENIED,
			       "not of the event's data");
	}
	/* Others are hints. */
	assert_ok(judge(9, EVENT_IPL, "some data", 9, 9, &e), e);
	assert_ok(judge(9, 0x80000003, "some data", 9, 9, &e), e);
	assert_ok(judge(9, 0x12345678, "some data", 9, 9, &e), e);
	/* A card's option ROM, a driver for boot or for later: measured is what the data lead to. */
	assert_ok(judge(2, 0x80000004, "its place", 9, 9, &e), e);
	assert_ok(judge(2, 0x80000005, "its place", 9, 9, &e), e);
}

/* GRUB's text is measured without prefix and final zero. */
static void grub_s_strings_are_hashed_without_their_prefix(void **state)
{
	static const char data[] = "grub_cmd: set default";
	struct writer w = writer_up_to(LOG_MAX);
	uint8_t value[20];
	struct err e;

	assert_ok(digest(DIGEST_SHA1, data + 10, sizeof(data) - 11, value, &e), e);
	writer_le32(&w, 8);
	writer_le32(&w, EVENT_IPL);
	writer_bytes(&w, value, sizeof(value));
	writer_le32(&w, sizeof(data));
	writer_bytes(&w, data, sizeof(data));
	assert_ok(parse(tpm_forge_span(&w), lax_form, &e), e);
	w.bytes[w.len - 3] ^= 1;
	assert_int_equal(parse(tpm_forge_span(&w), lax_form, &e), -ERR_DENIED);
	writer_done(&w);
	/* The digest of the whole is not what GRUB measures. */
	assert_int_equal(judge(8, EVENT_IPL, data, sizeof(data), 0, &e), -ERR_DENIED);
}

/* Measured bytes can't be given the name of another variable. */
static void only_boot_variables_may_be_measured_by_their_data(void **state)
{
	uint8_t variable[16 + 16 + 2 + 4] = { [16] = 1, [24] = 4, [32] = 'X' };
	struct writer w = writer_up_to(LOG_MAX);
	uint8_t value[20];
	struct err e;

	memcpy(variable + 34, "data", 4);
	assert_ok(digest(DIGEST_SHA1, "data", 4, value, &e), e);
	writer_le32(&w, 1);
	writer_le32(&w, EVENT_EFI_VARIABLE_BOOT);
	writer_bytes(&w, value, sizeof(value));
	writer_le32(&w, sizeof(variable));
	writer_bytes(&w, variable, sizeof(variable));
	assert_ok(parse(tpm_forge_span(&w), lax_form, &e), e);
	w.bytes[4] = 0x01; /* EV_EFI_VARIABLE_DRIVER_CONFIG */
	assert_refused(parse(tpm_forge_span(&w), lax_form, &e), e, ERR_DENIED, "DRIVER_CONFIG");
	writer_done(&w);
}

static void separators_and_locality_have_rules(void **state)
{
	static const char locality[] = "StartupLocality\0\3";
	struct err e;

	assert_ok(judge(0, EVENT_SEPARATOR, "\0\0\0\0", 4, 0, &e), e);
	assert_ok(judge(7, EVENT_SEPARATOR, "\xff\xff\xff\xff", 4, 0, &e), e);
	assert_refused(judge(7, EVENT_SEPARATOR, "\1\0\0\0", 4, 0, &e), e, ERR_DENIED, "neither");
	assert_refused(judge(7, EVENT_SEPARATOR, "\0\0\0", 3, 0, &e), e, ERR_DENIED, "neither");
	assert_ok(judge(12, EVENT_SEPARATOR, "WBCL", 4, 0, &e), e);
	assert_ok(judge(0, EVENT_NO_ACTION, locality, 17, 0, &e), e);
	assert_refused(judge(1, EVENT_NO_ACTION, locality, 17, 0, &e), e, ERR_DENIED, "PCR 0");
	assert_refused(judge(0, EVENT_NO_ACTION, locality, 16, 0, &e), e, ERR_INVALID, "16 bytes");
	assert_refused(judge(0, EVENT_NO_ACTION, "StartupLocality\0\1", 17, 0, &e), e, ERR_DENIED,
		       "wanted 0, 3 or 4");
	assert_refused(judge(24, EVENT_IPL, "x", 1, 0, &e), e, ERR_INVALID, "register 24");
	assert_ok(judge(UINT32_MAX, EVENT_NO_ACTION, "x", 1, 0, &e), e);
	assert_refused(judge(UINT32_MAX, EVENT_IPL, "x", 1, 0, &e), e, ERR_INVALID, "register");
}

/* What stands in no register may have the digest of its own data, as Windows writes it, and no other. */
static void no_action_has_no_digest_but_its_own_in_no_register(void **state)
{
	static const struct {
		uint32_t pcr;
		bool own, ok;
	} rows[] = { { UINT32_MAX, true, true },
		     { UINT32_MAX, false, false },
		     { 0, true, false },
		     { 5, true, false } };
	uint8_t value[20];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct writer w = writer_up_to(LOG_MAX);

		assert_ok(digest(DIGEST_SHA1, "data", 4, value, &e), e);
		value[19] ^= !rows[i].own;
		writer_le32(&w, rows[i].pcr);
		writer_le32(&w, EVENT_NO_ACTION);
		writer_bytes(&w, value, sizeof(value));
		writer_le32(&w, 4);
		writer_bytes(&w, "data", 4);
		if (rows[i].ok)
			assert_ok(parse(tpm_forge_span(&w), lax_form, &e), e);
		else
			assert_refused(parse(tpm_forge_span(&w), lax_form, &e), e, ERR_DENIED,
				       "EV_NO_ACTION with a digest");
		writer_done(&w);
	}
}

static void there_are_only_so_many_events(void **state)
{
	struct writer w = writer_up_to(LOG_MAX);
	struct err e;

	for (size_t i = 0; i < EVENT_LOG_EVENTS_MAX; i++)
		put(&w, 8, EVENT_IPL, "x", 1);
	assert_ok(parse(tpm_forge_span(&w), lax_form, &e), e);
	put(&w, 8, EVENT_IPL, "x", 1);
	assert_false(w.bad);
	assert_refused(parse(tpm_forge_span(&w), lax_form, &e), e, ERR_INVALID, "more than 16384");
	writer_done(&w);
}

/* A log with `count` banks and no event. */
static int judge_banks(uint32_t count, struct err *e)
{
	struct writer w = writer_up_to(LOG_MAX);

	writer_le32(&w, 0);
	writer_le32(&w, EVENT_NO_ACTION);
	writer_zeros(&w, 20);
	writer_le32(&w, 16 + 12 + 4 * count + 1);
	writer_bytes(&w, "Spec ID Event03", 16);
	writer_zeros(&w, 8);
	writer_le32(&w, count);
	for (uint32_t i = 0; i < count; i++) {
		writer_le16(&w, (uint16_t)(0x100 + i));
		writer_le16(&w, 32);
	}
	writer_u8(&w, 0);

	int rc = parse(tpm_forge_span(&w), lax_form, e);

	writer_done(&w);
	return rc;
}

static void there_are_only_so_many_banks(void **state)
{
	struct err e;

	assert_refused(judge_banks(0, &e), e, ERR_INVALID, "0 algorithms");
	assert_ok(judge_banks(1, &e), e);
	assert_ok(judge_banks(EVENT_BANKS_MAX, &e), e);
	assert_refused(judge_banks(EVENT_BANKS_MAX + 1, &e), e, ERR_INVALID, "9 algorithms");
}

/* What is not known is stepped over by the size that the log gives it, whatever that is. */
static void an_unknown_bank_may_be_of_any_size(void **state)
{
	static const uint16_t sizes[] = { 1, 65, 4096 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
		static const uint8_t zeros[4096];
		struct event_log log;
		struct err e;

		writer_le32(&w, 0);
		writer_le32(&w, EVENT_NO_ACTION);
		writer_bytes(&w, zeros, 20);
		writer_le32(&w, 16 + 8 + 4 + 4 + 1);
		writer_bytes(&w, "Spec ID Event03", 16);
		writer_bytes(&w, zeros, 8);
		writer_le32(&w, 1);
		writer_le16(&w, 0x1234);
		writer_le16(&w, sizes[i]);
		writer_u8(&w, 0);
		writer_le32(&w, 3);
		writer_le32(&w, EVENT_NO_ACTION);
		writer_le32(&w, 1);
		writer_le16(&w, 0x1234);
		writer_bytes(&w, zeros, sizes[i]);
		writer_le32(&w, 0);
		assert_ok(event_log_parse((struct span){ w.bytes, w.len },
					  (struct event_log_form){ .separators_optional = true },
					  &log, &e),
			  e);
		assert_int_equal(log.count, 1);
		event_log_done(&log);
	}
}

/*
 * Each bit of a log changed: refused, or another replay, but in what nothing covers: the data of
 * events that are hints, and the Spec ID event's platform class and versions.
 */
static void every_bit_of_a_log_counts_or_is_named(void **state)
{
	CLEANUP_EVENT_LOG struct event_log good = { 0 };
	struct event_replay wanted, found;
	size_t uncovered = 0, tried = 0;
	struct writer w, copy = writer_up_to(LOG_MAX);
	struct err e;

	tpm_forge_log(&w, false);
	writer_bytes(&copy, w.bytes, w.len);
	assert_ok(event_log_parse(tpm_forge_span(&w), tpm_form, &good, &e), e);
	assert_ok(event_log_replay(&good, DIGEST_SHA256, &wanted, &e), e);
	for (size_t bit = 0; bit < 8 * copy.len; bit++, tried++) {
		CLEANUP_EVENT_LOG struct event_log log = { 0 };
		size_t at = bit / 8;
		bool open = at >= 48 && at < 56; /* platformClass, versions */

		for (size_t i = 0; i < good.count; i++)
			open |= good.events[i].type == EVENT_IPL &&
				at >= (size_t)(good.events[i].data.bytes - w.bytes) - 4 - 32 - 2 -
						8 &&
				at < (size_t)(good.events[i].data.bytes - w.bytes) +
						good.events[i].data.len;
		copy.bytes[at] ^= (uint8_t)(1 << bit % 8);
		if (event_log_parse(tpm_forge_span(&copy), tpm_form, &log, &e) == 0 &&
		    event_log_replay(&log, DIGEST_SHA256, &found, &e) == 0 &&
		    memcmp(&found, &wanted, sizeof(found)) == 0) {
			if (!open)
				fail_msg("bit %zu of byte %zu says nothing", bit % 8, at);
			uncovered++;
		}
		copy.bytes[at] ^= (uint8_t)(1 << bit % 8);
	}
	print_message("# %zu bits, %zu of them uncovered: hints and the Spec ID event's versions\n",
		      tried, uncovered);
	writer_done(&w);
	writer_done(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read_and_replayed),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(only_cc_logs_may_be_padded),
		cmocka_unit_test(data_are_hashed_again_where_the_type_says_so),
		cmocka_unit_test(grub_s_strings_are_hashed_without_their_prefix),
		cmocka_unit_test(only_boot_variables_may_be_measured_by_their_data),
		cmocka_unit_test(separators_and_locality_have_rules),
		cmocka_unit_test(no_action_has_no_digest_but_its_own_in_no_register),
		cmocka_unit_test(there_are_only_so_many_events),
		cmocka_unit_test(there_are_only_so_many_banks),
		cmocka_unit_test(an_unknown_bank_may_be_of_any_size),
		cmocka_unit_test(every_bit_of_a_log_counts_or_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
