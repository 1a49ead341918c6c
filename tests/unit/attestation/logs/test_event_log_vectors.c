/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of the event log vectors: TPM logs, CC logs, and the CCEL logs of the TDX group. */
#include "attestation/logs/event_log.h"
#include "tests/answers.h"
#include "tests/unit/attestation/tdx/tdx_case.h"

static struct {
	size_t accepted, refused;
} tally;

static const struct {
	const char *name;
	enum digest_kind kind;
} banks[] = { { "sha1", DIGEST_SHA1 }, { "sha256", DIGEST_SHA256 }, { "sha384", DIGEST_SHA384 } };

/* 0 if the replay of that bank gives each of the values ("0": hexadecimal, …). */
static int values_agree(const struct event_log *log, enum digest_kind kind,
			const struct json *values, struct err *e)
{
	struct event_replay replay;

	if (event_log_replay(log, kind, &replay, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < values->count; i++) {
		unsigned long pcr = strtoul(values->items[i].key, NULL, 10);
		char hex[2 * DIGEST_MAX + 1];

		assert_true(pcr < EVENT_PCRS);
		hex_encode(replay.values[pcr], replay.len, hex);
		if (strcmp(hex, values->items[i].text) != 0)
			return err_set(e, ERR_DENIED, "replay differs in register %lu", pcr);
	}
	return 0;
}

static int replay_agrees(const struct event_log *log, const struct json *wanted, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(banks); i++) {
		const struct json *values = json_get(wanted, banks[i].name);

		if (values && values_agree(log, banks[i].kind, values, e) < 0)
			return err_code(e);
	}
	return 0;
}

static bool flag(const struct vector_case *c, const char *keys)
{
	const struct json *v = vector_value(c, keys);

	return v && v->boolean;
}

static void judge(const struct vector_case *c)
{
	struct event_log_form form = { .cc = flag(c, "input.cc_event_log"),
				       .separators_optional =
					       flag(c, "input.separators_optional") };
	struct span bytes = case_file(c->path, "eventlog.bin");
	struct json *pcrs = case_json(c->path, "pcrs.json");
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct err e = { 0 };
	int rc = event_log_parse(bytes, form, &log, &e);

	if (rc == 0)
		rc = replay_agrees(&log, pcrs, &e);
	if (getenv("COCOS_TEST_REASONS"))
		print_message("# %s: %s [%s]\n", c->name, rc < 0 ? e.text : "verified",
			      vector_text(c, "why"));
	if ((rc == 0) != vector_accepts(c))
		fail_msg("%s: %s", c->name, rc < 0 ? e.text : "accepted");
	if (rc == 0) {
		const struct json *replay = vector_value(c, "fields.replay");

		assert_ok(replay_agrees(&log, replay, &e), e);
		assert_int_equal(vector_u64(c, "fields.events", 0), log.count);
	}
	*(rc == 0 ? &tally.accepted : &tally.refused) += 1;
	case_free(&bytes);
	json_free(pcrs);
}

static void event_logs_are_judged_as_expected(void **state)
{
	VECTORS_OR_SKIP();
	memset(&tally, 0, sizeof(tally));

	unsigned count = vectors_walk("eventlog", "", judge);

	print_message("# event logs: %u, %zu accepted, %zu refused\n", count, tally.accepted,
		      tally.refused);
	assert_true(count >= 54);
}

/* "rtmr": {"0": …}; register 1 of the log is RTMR0. */
static int rtmrs_agree(const struct event_log *log, const struct json *wanted, struct err *e)
{
	struct event_replay replay;

	if (event_log_replay(log, DIGEST_SHA384, &replay, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < wanted->count; i++) {
		unsigned long rtmr = strtoul(wanted->items[i].key, NULL, 10);
		char hex[2 * SHA384_LEN + 1];

		hex_encode(replay.values[rtmr + 1], SHA384_LEN, hex);
		if (strcmp(hex, wanted->items[i].text) != 0)
			return err_set(e, ERR_DENIED, "RTMR%lu differs", rtmr);
	}
	return 0;
}

static void judge_ccel(const struct vector_case *c)
{
	struct span bytes = case_file(c->path, "ccel.bin");
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	const struct json *wanted = json_get(c->expected, "rtmr_wanted");
	struct err e = { 0 };

	if (!bytes.bytes) {
		assert_string_equal(c->name, "aael"); /* lines of text, no CCEL */
		return;
	}
	if (!wanted)
		wanted = json_get(c->expected, "rtmr");

	int rc = event_log_parse(bytes, (struct event_log_form){ .cc = true }, &log, &e);

	if (rc == 0 && wanted)
		rc = rtmrs_agree(&log, wanted, &e);
	if ((rc == 0) != vector_accepts(c))
		fail_msg("%s: %s", c->name, rc < 0 ? e.text : "accepted");
	if (rc == 0 && json_get(c->expected, "events_end"))
		assert_int_equal(log.end, vector_u64(c, "events_end", 0));
	*(rc == 0 ? &tally.accepted : &tally.refused) += 1;
	case_free(&bytes);
}

static void ccel_logs_are_judged_as_expected(void **state)
{
	VECTORS_OR_SKIP();
	memset(&tally, 0, sizeof(tally));

	unsigned count = vectors_walk("tdx/eventlog", "", judge_ccel);

	print_message("# CCEL logs: %u, %zu accepted, %zu refused\n", count, tally.accepted,
		      tally.refused);
	assert_true(count >= 18);
}

/* The whole call, with the log of that very TD, and with another's. */
static void a_log_has_to_fit_the_quote(void **state)
{
	VECTORS_OR_SKIP();

	static struct tdx_case c;
	static struct verdict v;
	char folder[CASE_PATH_MAX], log[CASE_PATH_MAX];
	struct err e;

	case_path(folder, "%s/tdx/v4-gcp-cos113", vectors_folder());
	case_path(log, "%s/tdx/eventlog/cos113-gotdx", vectors_folder());

	struct json *expected = case_json(folder, "expected.json");
	struct span own = case_file(log, "ccel.bin");

	tdx_case_load(&c, folder, expected, NULL);
	c.input.event_log = own;
	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_ok(tdx_answer(&c.input, NULL, &v, &e), e);
	case_path(log, "%s/tdx/eventlog/trustee-ovmf", vectors_folder());

	struct span other = case_file(log, "ccel.bin");

	c.input.event_log = other;
	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_refused(tdx_answer(&c.input, NULL, &v, &e), e, ERR_DENIED, "log.rtmr0");
	case_free(&own);
	case_free(&other);
	tdx_case_done(&c);
	json_free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_logs_are_judged_as_expected),
		cmocka_unit_test(ccel_logs_are_judged_as_expected),
		cmocka_unit_test(a_log_has_to_fit_the_quote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
