/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper as a real process (this program again) against a real software TPM (swtpm), read back
 * by tpm2-tools.
 */
#include "agent/keeper/keeper.h"
#include "agent/keeper/keeper_protocol.h"
#include "agent/process/child.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "tests/unit.h"
#include "tests/unit/agent/keeper/swtpm.h"

#include <errno.h>
#include <stdio.h>
#include <uv.h>

struct world {
	struct swtpm tpm;
	uv_loop_t loop;
};

/* What the last answer said. */
static struct {
	int answers, deaths;
	bool measured;
	struct err e; /* code 0: none */
	struct keeper_log_entry log[16];
	size_t count;
} seen;

static int enter_with(void **state, const char *banks)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(w->tpm.dir, sizeof(w->tpm.dir), "/tmp/test-keeper-XXXXXX");
	if (!mkdtemp(w->tpm.dir) || uv_loop_init(&w->loop) < 0)
		return -1;
	memset(&seen, 0, sizeof(seen));
	if (banks)
		swtpm_start(&w->tpm, banks);
	*state = w;
	return 0;
}

static int enter(void **state)
{
	return enter_with(state, "sha256,sha384");
}

static int enter_without(void **state)
{
	return enter_with(state, NULL);
}

static int enter_one_bank(void **state)
{
	return enter_with(state, "sha256");
}

static int leave(void **state)
{
	struct world *w = *state;
	struct err e;

	swtpm_stop(&w->tpm);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int result = uv_loop_close(&w->loop); /* EBUSY if a keeper left a handle behind */
	if (dir_remove(w->tpm.dir, &e) < 0)
		result = -1;
	free(w);
	return result;
}

static void on_measured(void *data, bool measured, const struct err *e)
{
	seen.answers++;
	seen.measured = measured;
	seen.e = e ? *e : (struct err){ 0 };
}

static void on_log(void *data, const struct keeper_log_entry *entries, size_t count,
		   const struct err *e)
{
	seen.answers++;
	seen.e = e ? *e : (struct err){ 0 };
	seen.count = count;
	assert_true(count <= ARRAY_LEN(seen.log));
	if (count)
		memcpy(seen.log, entries, count * sizeof(*entries));
}

static void on_death(void *data)
{
	seen.deaths++;
}

static struct keeper *start(struct world *w)
{
	struct keeper *keeper = NULL;
	struct err e;

	const struct keeper_options options = { .tcti = w->tpm.tcti };
	assert_ok(keeper_start(&w->loop, &options, &keeper, &e), e);
	keeper_on_death(keeper, on_death, NULL);
	return keeper;
}

static void wait_answer(struct world *w)
{
	int before = seen.answers;

	while (seen.answers == before)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void check(struct world *w, struct keeper *keeper)
{
	struct err e;

	assert_ok(keeper_check(keeper, on_measured, NULL, &e), e);
	wait_answer(w);
}

static void measure(struct world *w, struct keeper *keeper, enum keeper_event event,
		    const char *text)
{
	struct err e;

	assert_ok(keeper_measure(keeper, event, text, strlen(text), on_measured, NULL, &e), e);
	wait_answer(w);
}

static void measured(struct world *w, struct keeper *keeper, enum keeper_event event,
		     const char *text)
{
	measure(w, keeper, event, text);
	if (seen.e.code)
		fail_msg("%s", seen.e.text);
	assert_true(seen.measured);
}

static void assert_failed(enum err_code code, const char *words)
{
	assert_int_equal(seen.e.code, code);
	if (!strstr(seen.e.text, words))
		fail_msg("'%s' does not speak of '%s'", seen.e.text, words);
	assert_false(seen.measured);
}

/* The keeper has to be gone: swtpm serves one connection. */
static void read_back(struct world *w, const char *selection, uint8_t *out, size_t len)
{
	char path[96];
	uint8_t *bytes;
	size_t got;
	struct err e;

	uv_run(&w->loop, UV_RUN_DEFAULT);
	snprintf(path, sizeof(path), "%s/value", w->tpm.dir);
	setenv("TPM2TOOLS_TCTI", w->tpm.tcti, 1);
	const char *argv[] = { "tpm2_pcrread", "-o", path, selection, NULL };
	swtpm_tool(argv, NULL);
	assert_ok(file_read(path, 4096, &bytes, &got, &e), e);
	assert_int_equal(got, len);
	memcpy(out, bytes, len);
	free(bytes);
}

/* The rule of wire.md, written a second time. */
static void extend(enum digest_kind bank, enum digest_kind content, uint8_t *value,
		   const char *text)
{
	uint8_t both[2 * 48];
	size_t len = digest_len(bank);
	struct err e;

	memcpy(both, value, len);
	assert_ok(digest(content, text, strlen(text), both + len, &e), e);
	assert_ok(digest(bank, both, 2 * len, value, &e), e);
}

static void assert_registers(struct world *w, const char *const *events, size_t count,
			     const char *manifest)
{
	uint8_t in256[32] = { 0 }, in384[48] = { 0 }, got[48];

	for (size_t i = 0; i < count; i++) {
		extend(DIGEST_SHA256, DIGEST_SHA3_256, in256, events[i]);
		extend(DIGEST_SHA384, DIGEST_SHA3_384, in384, events[i]);
	}
	read_back(w, "sha256:14", got, 32);
	assert_memory_equal(got, in256, 32);
	read_back(w, "sha384:14", got, 48);
	assert_memory_equal(got, in384, 48);
	memset(in256, 0, sizeof(in256));
	memset(in384, 0, sizeof(in384));
	extend(DIGEST_SHA256, DIGEST_SHA3_256, in256, manifest);
	extend(DIGEST_SHA384, DIGEST_SHA3_384, in384, manifest);
	read_back(w, "sha256:16", got, 32);
	assert_memory_equal(got, in256, 32);
	read_back(w, "sha384:16", got, 48);
	assert_memory_equal(got, in384, 48);
}

static void the_tpm_holds_what_was_measured(void **state)
{
	static const char *const events[] = { "boot", "config", "manifest" };
	struct world *w = *state;
	struct keeper *keeper = start(w);

	check(w, keeper);
	assert_true(seen.measured);
	measured(w, keeper, KEEPER_EVENT_BOOT, "boot");
	measured(w, keeper, KEEPER_EVENT_CONFIG, "config");
	measured(w, keeper, KEEPER_EVENT_MANIFEST, "manifest");
	keeper_free(keeper);
	assert_registers(w, events, 3, "manifest");
	assert_int_equal(seen.deaths, 0);
}

static void a_second_computation_adds_to_14_and_starts_16_anew(void **state)
{
	static const char *const events[] = { "boot", "c1", "m1", "c2", "m2" };
	struct world *w = *state;
	struct keeper *keeper = start(w);

	measured(w, keeper, KEEPER_EVENT_BOOT, "boot");
	measured(w, keeper, KEEPER_EVENT_CONFIG, "c1");
	measured(w, keeper, KEEPER_EVENT_MANIFEST, "m1");
	measured(w, keeper, KEEPER_EVENT_CONFIG, "c2");
	measured(w, keeper, KEEPER_EVENT_MANIFEST, "m2");
	keeper_free(keeper);
	assert_registers(w, events, 5, "m2");
}

static void the_manifest_of_the_vectors_gives_their_pcr16(void **state)
{
	const char *vectors = getenv("COCOS_VECTORS");
	char path[512], hex[2 * 48 + 1];
	struct world *w = *state;
	uint8_t *canonical, *expected, got[48];
	size_t len, expected_len;
	struct err e;

	if (!vectors)
		skip();
	snprintf(path, sizeof(path), "%s/manifest/02-one-dataset.canonical.json", vectors);
	if (access(path, R_OK) < 0)
		skip();
	assert_ok(file_read(path, 65536, &canonical, &len, &e), e);
	snprintf(path, sizeof(path), "%s/manifest/expected.json", vectors);
	assert_ok(file_read(path, 1 << 20, &expected, &expected_len, &e), e);

	struct keeper *keeper = start(w);
	measured(w, keeper, KEEPER_EVENT_BOOT, "boot");
	measured(w, keeper, KEEPER_EVENT_CONFIG, "config");
	assert_ok(keeper_measure(keeper, KEEPER_EVENT_MANIFEST, canonical, len, on_measured, NULL,
				 &e),
		  e);
	wait_answer(w);
	assert_true(seen.measured);
	keeper_free(keeper);
	read_back(w, "sha256:16", got, 32);
	hex_encode(got, 32, hex);
	assert_non_null(strstr((char *)expected, hex));
	read_back(w, "sha384:16", got, 48);
	hex_encode(got, 48, hex);
	assert_non_null(strstr((char *)expected, hex));
	free(canonical);
	free(expected);
}

static void the_log_says_what_was_extended(void **state)
{
	static const struct {
		uint32_t pcr;
		enum keeper_event event;
		const char *text;
	} rows[] = { { 14, KEEPER_EVENT_BOOT, "b" },
		     { 14, KEEPER_EVENT_CONFIG, "c" },
		     { 14, KEEPER_EVENT_MANIFEST, "m" },
		     { 16, KEEPER_EVENT_MANIFEST, "m" } };
	struct world *w = *state;
	struct keeper *keeper = start(w);
	uint8_t digest_[48];
	struct err e;

	measured(w, keeper, KEEPER_EVENT_BOOT, "b");
	measured(w, keeper, KEEPER_EVENT_CONFIG, "c");
	measured(w, keeper, KEEPER_EVENT_MANIFEST, "m");
	assert_ok(keeper_log(keeper, on_log, NULL, &e), e);
	wait_answer(w);
	assert_int_equal(seen.count, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(seen.log[i].pcr, rows[i].pcr);
		assert_int_equal(seen.log[i].event, rows[i].event);
		assert_ok(digest(DIGEST_SHA3_256, rows[i].text, 1, digest_, &e), e);
		assert_memory_equal(seen.log[i].sha256_bank, digest_, 32);
		assert_ok(digest(DIGEST_SHA3_384, rows[i].text, 1, digest_, &e), e);
		assert_memory_equal(seen.log[i].sha384_bank, digest_, 48);
	}
	keeper_free(keeper);
}

static void events_out_of_order_change_nothing(void **state)
{
	static const char *const events[] = { "boot", "config", "manifest" };
	struct world *w = *state;
	struct keeper *keeper = start(w);

	measure(w, keeper, KEEPER_EVENT_MANIFEST, "early");
	assert_failed(ERR_PRECONDITION, "out of order");
	measure(w, keeper, KEEPER_EVENT_CONFIG, "early");
	assert_failed(ERR_PRECONDITION, "out of order");
	measured(w, keeper, KEEPER_EVENT_BOOT, "boot");
	measure(w, keeper, KEEPER_EVENT_BOOT, "again");
	assert_failed(ERR_PRECONDITION, "out of order");
	measure(w, keeper, KEEPER_EVENT_MANIFEST, "early");
	assert_failed(ERR_PRECONDITION, "out of order");
	measured(w, keeper, KEEPER_EVENT_CONFIG, "config");
	measured(w, keeper, KEEPER_EVENT_MANIFEST, "manifest");
	measure(w, keeper, KEEPER_EVENT_MANIFEST, "again");
	assert_failed(ERR_PRECONDITION, "out of order");
	keeper_free(keeper);
	assert_registers(w, events, 3, "manifest");
}

static void a_register_that_others_wrote_is_refused(void **state)
{
	struct world *w = *state;

	setenv("TPM2TOOLS_TCTI", w->tpm.tcti, 1);
	const char *argv[] = { "tpm2_pcrextend",
			       "14:sha256="
			       "0101010101010101010101010101010101010101010101010101010101010101",
			       NULL };
	swtpm_tool(argv, NULL);
	struct keeper *keeper = start(w);
	measure(w, keeper, KEEPER_EVENT_BOOT, "boot");
	assert_failed(ERR_PRECONDITION, "PCR14 is not zero");
	keeper_free(keeper);
}

static void a_missing_bank_is_a_failure(void **state)
{
	struct world *w = *state;
	struct keeper *keeper = start(w);

	check(w, keeper);
	assert_failed(ERR_PRECONDITION, "SHA-384 is not active");
	measure(w, keeper, KEEPER_EVENT_BOOT, "boot");
	assert_failed(ERR_PRECONDITION, "SHA-384 is not active");
	keeper_free(keeper);
}

static void a_tpm_that_dies_is_a_failure_for_good(void **state)
{
	struct world *w = *state;
	struct keeper *keeper = start(w);

	measured(w, keeper, KEEPER_EVENT_BOOT, "boot");
	swtpm_stop(&w->tpm);
	measure(w, keeper, KEEPER_EVENT_CONFIG, "config");
	assert_failed(ERR_UNAVAILABLE, "TPM");
	check(w, keeper);
	assert_failed(ERR_UNAVAILABLE, "TPM");
	measure(w, keeper, KEEPER_EVENT_CONFIG, "config");
	assert_int_not_equal(seen.e.code, ERR_OK);
	keeper_free(keeper);
}

static void no_tpm_is_a_failure_unless_told(void **state)
{
	struct world *w = *state;
	struct keeper *keeper = NULL;
	struct err e;

	snprintf(w->tpm.tcti, sizeof(w->tpm.tcti), "device:%s/no-such-device", w->tpm.dir);
	keeper = start(w);
	check(w, keeper);
	assert_failed(ERR_UNAVAILABLE, "TPM");
	measure(w, keeper, KEEPER_EVENT_BOOT, "boot");
	assert_failed(ERR_UNAVAILABLE, "TPM");
	keeper_free(keeper);

	const struct keeper_options told = { .development = true };
	assert_ok(keeper_start(&w->loop, &told, &keeper, &e), e);
	check(w, keeper);
	assert_int_equal(seen.e.code, ERR_OK);
	assert_false(seen.measured);
	measure(w, keeper, KEEPER_EVENT_BOOT, "boot");
	assert_int_equal(seen.e.code, ERR_OK);
	assert_false(seen.measured);
	measure(w, keeper, KEEPER_EVENT_MANIFEST, "early"); /* the order holds all the same */
	assert_failed(ERR_PRECONDITION, "out of order");
	assert_ok(keeper_log(keeper, on_log, NULL, &e), e);
	wait_answer(w);
	assert_int_equal(seen.count, 0);
	keeper_free(keeper);
}

static void a_keeper_that_dies_fails_what_waits(void **state)
{
	struct world *w = *state;
	struct keeper *keeper = NULL;
	struct err e;

	const struct keeper_options options = { .tcti = "die" }; /* see main() */
	assert_ok(keeper_start(&w->loop, &options, &keeper, &e), e);
	keeper_on_death(keeper, on_death, NULL);
	assert_ok(keeper_check(keeper, on_measured, NULL, &e), e);
	wait_answer(w);
	assert_failed(ERR_UNAVAILABLE, "keeper");
	while (seen.deaths == 0)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_refused(keeper_check(keeper, on_measured, NULL, &e), e, ERR_UNAVAILABLE, "ended");
	assert_int_equal(seen.deaths, 1);
	keeper_free(keeper);
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
	struct world *w = *state;
	struct keeper *keeper = NULL;
	struct err e;

	const struct keeper_options options = { .development = true, .program = "/no/such" };
	assert_refused(keeper_start(&w->loop, &options, &keeper, &e), e, ERR_UNAVAILABLE,
		       "/no/such");
}

static void freed_while_it_works_it_calls_nobody(void **state)
{
	struct world *w = *state;
	struct keeper *keeper = NULL;
	struct err e;

	const struct keeper_options told = { .development = true };
	assert_ok(keeper_start(&w->loop, &told, &keeper, &e), e);
	keeper_on_death(keeper, on_death, NULL);
	assert_ok(keeper_check(keeper, on_measured, NULL, &e), e);
	keeper_free(keeper);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(seen.answers, 0);
	assert_int_equal(seen.deaths, 0);
}

/* Raw packets, as a taken-over agent might send them. */
static void on_child_exit(uv_process_t *process, int64_t status, int signal_number)
{
	seen.deaths++;
	uv_close((uv_handle_t *)process, NULL);
}

static void malformed_packets_are_refused_or_end_it(void **state)
{
	static const char *const args[] = { "keeper", "--development", NULL };
	static const uint8_t unknown[] = { 0, 0, 0, 9, 77 };
	static const uint8_t no_digests[] = { 0, 0, 0, 1, KEEPER_MEASURE_BOOT, 1, 2, 3 };
	const struct child_options options = { .args = args, .out = 2, .err = 2 };
	struct world *w = *state;
	uv_process_t process;
	uint8_t answer[512];
	struct err e;
	int sock;

	assert_ok(child_start(&w->loop, &process, &options, on_child_exit, &sock, &e), e);
	assert_int_equal(fcntl(sock, F_SETFL, 0), 0);
	assert_int_equal(send(sock, unknown, sizeof(unknown), 0), sizeof(unknown));
	assert_true(recv(sock, answer, sizeof(answer), 0) > 5);
	assert_int_equal(answer[3], 9);
	assert_int_equal(answer[4], ERR_UNIMPLEMENTED);
	assert_int_equal(send(sock, no_digests, sizeof(no_digests), 0), sizeof(no_digests));
	assert_true(recv(sock, answer, sizeof(answer), 0) > 5);
	assert_int_equal(answer[4], ERR_INVALID);
	assert_int_equal(send(sock, unknown, 4, 0), 4); /* no whole head */
	assert_int_equal(recv(sock, answer, sizeof(answer), 0), 0);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(seen.deaths, 1);
	close(sock);
}

#define ROW(test, enter_) cmocka_unit_test_setup_teardown(test, enter_, leave)

int main(int argc, char **argv)
{
	char byte;

	/* One that hears a request and dies of it. */
	if (argc == 4 && strcmp(argv[3], "die") == 0)
		return recv(CHILD_SOCKET, &byte, 1, 0) == 1;
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_main(argc, argv);

	const struct CMUnitTest tests[] = {
		ROW(the_tpm_holds_what_was_measured, enter),
		ROW(a_second_computation_adds_to_14_and_starts_16_anew, enter),
		ROW(the_manifest_of_the_vectors_gives_their_pcr16, enter),
		ROW(the_log_says_what_was_extended, enter),
		ROW(events_out_of_order_change_nothing, enter),
		ROW(a_register_that_others_wrote_is_refused, enter),
		ROW(a_missing_bank_is_a_failure, enter_one_bank),
		ROW(a_tpm_that_dies_is_a_failure_for_good, enter),
		ROW(no_tpm_is_a_failure_unless_told, enter_without),
		ROW(a_keeper_that_dies_fails_what_waits, enter_without),
		ROW(a_program_that_is_not_there_is_an_error, enter_without),
		ROW(freed_while_it_works_it_calls_nobody, enter_without),
		ROW(malformed_packets_are_refused_or_end_it, enter_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
