/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's three forms of evidence, as a real process (this program again) against a software
 * TPM: what is quoted is computed here a second time, and nothing is quoted out of turn.
 */
#include "agent/keeper/keeper.h"
#include "agent/keeper/keeper_protocol.h"
#include "agent/process/child.h"
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/token/run_statement.h"
#include "attestation/tpm/tpm_attest.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "tests/unit.h"
#include "tests/unit/agent/keeper/swtpm.h"

#include <uv.h>

#define BOOT     "boot"
#define CONFIG   "config"
#define MANIFEST "manifest"

struct world {
	struct swtpm tpm;
	uv_loop_t loop;
	struct keeper *keeper;
	uint8_t *spki, *other; /* two identities */
	size_t spki_len, other_len;
};

/* What the last answer said. */
static struct {
	int answers;
	struct err e; /* code 0: none */
	enum evidence_kind platform;
	uint8_t nonce[BINDING_TPM_NONCE_LEN], quoted[BINDING_TPM_NONCE_LEN];
	size_t quotes, own_log;
} seen;

static void on_measured(void *data, bool measured, const struct err *e)
{
	seen.answers++;
	seen.e = e ? *e : (struct err){ 0 };
}

/* Every quote is over the nonce that the keeper says. */
static void on_evidence(void *data, const struct keeper_evidence *evidence, const struct err *e)
{
	CLEANUP(free) struct tpm_evidence *a = calloc(1, sizeof(*a));
	struct tpm_attest attest;
	struct err parse;

	seen.answers++;
	seen.e = e ? *e : (struct err){ 0 };
	if (e)
		return;
	seen.platform = evidence->platform;
	seen.own_log = evidence->own_log.len;
	assert_int_equal(evidence->nonce.len, sizeof(seen.nonce));
	memcpy(seen.nonce, evidence->nonce.bytes, sizeof(seen.nonce));
	assert_ok(tpm_attestation_parse(evidence->raw, a, &parse), parse);
	seen.quotes = a->quote_count;
	for (size_t i = 0; i < a->quote_count; i++) {
		assert_ok(tpm_attest_parse(a->quotes[i].quote, &attest, &parse), parse);
		assert_int_equal(attest.extra_data.len, sizeof(seen.quoted));
		assert_memory_equal(attest.extra_data.bytes, seen.nonce, sizeof(seen.quoted));
	}
}

static void wait_answer(struct world *w)
{
	int before = seen.answers;

	while (seen.answers == before)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void make_key(uint8_t **spki, size_t *len)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_spki(key, spki, len, &e), e);
}

static int enter_as(void **state, bool development)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e;

	snprintf(w->tpm.dir, sizeof(w->tpm.dir), "/tmp/test-forms-XXXXXX");
	if (!mkdtemp(w->tpm.dir) || uv_loop_init(&w->loop) < 0)
		return -1;
	memset(&seen, 0, sizeof(seen));
	swtpm_start(&w->tpm, "sha256,sha384");
	make_key(&w->spki, &w->spki_len);
	make_key(&w->other, &w->other_len);
	const struct keeper_options options = { .tcti = w->tpm.tcti, .development = development };
	if (keeper_start(&w->loop, &options, &w->keeper, &e) < 0)
		return -1;
	*state = w;
	return 0;
}

static int enter(void **state)
{
	return enter_as(state, false);
}

static int enter_development(void **state)
{
	return enter_as(state, true);
}

static int leave(void **state)
{
	struct world *w = *state;
	struct err e;

	keeper_free(w->keeper);
	swtpm_stop(&w->tpm);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int result = uv_loop_close(&w->loop);
	if (dir_remove(w->tpm.dir, &e) < 0)
		result = -1;
	free(w->spki);
	free(w->other);
	free(w);
	return result;
}

static void assert_good(void)
{
	if (seen.e.code)
		fail_msg("%s", seen.e.text);
}

static void assert_failed(enum err_code code, const char *words)
{
	assert_int_equal(seen.e.code, code);
	if (!strstr(seen.e.text, words))
		fail_msg("'%s' does not speak of '%s'", seen.e.text, words);
}

static void measure(struct world *w, enum keeper_event event, const char *text)
{
	struct err e;

	assert_ok(keeper_measure(w->keeper, event, text, strlen(text), on_measured, NULL, &e), e);
	wait_answer(w);
}

static void identify(struct world *w)
{
	struct err e;

	assert_ok(keeper_identity(w->keeper, w->spki, w->spki_len, on_measured, NULL, &e), e);
	wait_answer(w);
}

static const uint8_t tee_nonce[64] = { 1, 2, 3 }, vtpm_nonce[32] = { 4, 5 };

static void ask_nonce(struct world *w, uint8_t type)
{
	const struct binding_nonce nonce = { type, tee_nonce, vtpm_nonce, sizeof(tee_nonce),
					     sizeof(vtpm_nonce) };
	struct err e;

	assert_ok(keeper_nonce(w->keeper, &nonce, on_evidence, NULL, &e), e);
	wait_answer(w);
}

static const uint8_t exporter[BINDING_EXPORTER_LEN] = { 7, 7, 7 };

static void ask_channel(struct world *w, enum digest_kind hash)
{
	struct err e;

	assert_ok(keeper_channel(w->keeper, hash, exporter, on_evidence, NULL, &e), e);
	wait_answer(w);
}

/* ---- statements ---- */

static void say(struct run_statement *s, struct world *w)
{
	struct err e;

	*s = (struct run_statement){ .computation = "c-1",
				     .identity = w->spki,
				     .identity_len = w->spki_len };
	assert_ok(digest(DIGEST_SHA3_256, BOOT, strlen(BOOT), s->boot, &e), e);
	assert_ok(digest(DIGEST_SHA3_256, CONFIG, strlen(CONFIG), s->agent_config, &e), e);
	assert_ok(digest(DIGEST_SHA3_256, MANIFEST, strlen(MANIFEST), s->manifest, &e), e);
}

/* Returns the binding of the form RUN. */
static struct binding ask_run(struct world *w, const struct run_statement *s)
{
	CLEANUP_WRITER struct writer bytes = writer_up_to(RUN_STATEMENT_MAX);
	struct binding binding;
	struct err e;

	assert_ok(run_statement_write(s, &bytes, &e), e);
	assert_ok(keeper_run(w->keeper, bytes.bytes, bytes.len, on_evidence, NULL, &e), e);
	wait_answer(w);
	assert_ok(binding_run(bytes.bytes, bytes.len, &binding, &e), e);
	return binding;
}

static void measured_run(struct world *w)
{
	identify(w);
	measure(w, KEEPER_EVENT_BOOT, BOOT);
	measure(w, KEEPER_EVENT_CONFIG, CONFIG);
	measure(w, KEEPER_EVENT_MANIFEST, MANIFEST);
	assert_good();
}

/* ---- tests ---- */

static void each_form_waits_for_its_turn(void **state)
{
	struct world *w = *state;
	struct run_statement s;

	say(&s, w);
	ask_nonce(w, 1);
	assert_failed(ERR_PRECONDITION, "before the boot configuration");
	ask_channel(w, DIGEST_SHA256);
	assert_failed(ERR_PRECONDITION, "out of order");
	ask_run(w, &s);
	assert_failed(ERR_PRECONDITION, "out of order");
	identify(w);
	assert_good();
	identify(w);
	assert_failed(ERR_PRECONDITION, "out of order");
	ask_nonce(w, 1);
	assert_failed(ERR_PRECONDITION, "before the boot configuration");
	measure(w, KEEPER_EVENT_BOOT, BOOT);
	assert_good();
	ask_nonce(w, 1);
	assert_good();
	measure(w, KEEPER_EVENT_CONFIG, CONFIG);
	ask_run(w, &s);
	assert_failed(ERR_PRECONDITION, "out of order");
	measure(w, KEEPER_EVENT_MANIFEST, MANIFEST);
	ask_channel(w, DIGEST_SHA256);
	assert_failed(ERR_PRECONDITION, "out of order");
	ask_run(w, &s);
	assert_good();
	ask_run(w, &s);
	assert_failed(ERR_PRECONDITION, "out of order");
	ask_channel(w, DIGEST_SHA256);
	assert_good();
	measure(w, KEEPER_EVENT_CONFIG, "next");
	assert_good();
	ask_channel(w, DIGEST_SHA256);
	assert_failed(ERR_PRECONDITION, "out of order");
	ask_run(w, &s);
	assert_failed(ERR_PRECONDITION, "out of order");
}

static void without_an_identity_there_is_no_evidence(void **state)
{
	struct world *w = *state;

	measure(w, KEEPER_EVENT_BOOT, BOOT);
	assert_good();
	ask_nonce(w, 1);
	assert_failed(ERR_PRECONDITION, "without an identity");
	identify(w); /* too late: the boot configuration came first */
	assert_failed(ERR_PRECONDITION, "out of order");
}

static void what_is_quoted_is_the_forms_own(void **state)
{
	const struct binding_nonce nonce = { 1, tee_nonce, vtpm_nonce, sizeof(tee_nonce),
					     sizeof(vtpm_nonce) };
	struct world *w = *state;
	struct binding wanted;
	struct run_statement s;
	struct err e;

	measured_run(w);
	say(&s, w);
	wanted = ask_run(w, &s);
	assert_good();
	assert_int_equal(seen.platform, EVIDENCE_VTPM);
	assert_int_equal(seen.quotes, 2);
	assert_true(seen.own_log > 0);
	assert_memory_equal(seen.nonce, wanted.tpm_nonce, sizeof(seen.nonce));
	ask_nonce(w, 1);
	assert_ok(binding_nonce(&nonce, w->spki, w->spki_len, &wanted, &e), e);
	assert_memory_equal(seen.nonce, wanted.tpm_nonce, sizeof(seen.nonce));
	ask_channel(w, DIGEST_SHA384);
	assert_ok(binding_channel(DIGEST_SHA384, w->spki, w->spki_len, exporter, NULL, &wanted, &e),
		  e);
	assert_memory_equal(seen.nonce, wanted.tpm_nonce, sizeof(seen.nonce));
}

static void a_statement_of_anything_else_is_refused(void **state)
{
	struct world *w = *state;
	struct run_statement s;

	measured_run(w);
	say(&s, w);
	s.boot[0] ^= 1;
	ask_run(w, &s);
	assert_failed(ERR_DENIED, "boot configuration");
	say(&s, w);
	s.agent_config[31] ^= 1;
	ask_run(w, &s);
	assert_failed(ERR_DENIED, "agent configuration");
	say(&s, w);
	s.manifest[7] ^= 1;
	ask_run(w, &s);
	assert_failed(ERR_DENIED, "manifest");
	say(&s, w);
	s.fixed = true;
	ask_run(w, &s);
	assert_failed(ERR_DENIED, "fixed at launch");
	say(&s, w);
	s.identity = w->other;
	s.identity_len = w->other_len;
	ask_run(w, &s);
	assert_failed(ERR_DENIED, "identity");
	say(&s, w);
	ask_run(w, &s);
	assert_good();
}

static void another_key_is_bound_only_if_the_statement_says_external(void **state)
{
	struct world *w = *state;
	struct binding ours, theirs;
	struct run_statement s;
	struct err e;

	measured_run(w);
	say(&s, w);
	s.identity = w->other;
	s.identity_len = w->other_len;
	s.external = true;
	ask_run(w, &s);
	assert_good();
	const struct binding_nonce nonce = { 1, tee_nonce, vtpm_nonce, sizeof(tee_nonce),
					     sizeof(vtpm_nonce) };
	assert_ok(binding_nonce(&nonce, w->spki, w->spki_len, &ours, &e), e);
	assert_ok(binding_nonce(&nonce, w->other, w->other_len, &theirs, &e), e);
	ask_nonce(w, 1);
	assert_memory_equal(seen.nonce, theirs.tpm_nonce, sizeof(seen.nonce));
	measure(w, KEEPER_EVENT_CONFIG, "next"); /* the key goes with its computation */
	ask_nonce(w, 1);
	assert_memory_equal(seen.nonce, ours.tpm_nonce, sizeof(seen.nonce));
}

static void development_has_to_be_said_in_the_statement(void **state)
{
	struct world *w = *state;
	struct run_statement s;

	measured_run(w);
	say(&s, w);
	ask_run(w, &s);
	assert_failed(ERR_DENIED, "weakening words");
	s.weak[s.weak_count++] = "development";
	ask_run(w, &s);
	assert_good();
}

static void kinds_that_the_machine_lacks_are_refused(void **state)
{
	struct world *w = *state;

	identify(w);
	measure(w, KEEPER_EVENT_BOOT, BOOT);
	ask_nonce(w, 0);
	assert_failed(ERR_UNAVAILABLE, "vTPM, not SNP");
	ask_nonce(w, 2);
	assert_failed(ERR_UNAVAILABLE, "not bound by its TEE");
	ask_nonce(w, 3);
	assert_failed(ERR_UNAVAILABLE, "not Azure");
	ask_nonce(w, 5);
	assert_failed(ERR_INVALID, "type 5");
}

/* Every request type with too little, and with anything, in it: refused, and the next is answered. */
static bool child_closed;

static void on_child_closed(uv_handle_t *handle)
{
	child_closed = true;
}

static void on_child_exit(uv_process_t *process, int64_t status, int signal_number)
{
	uv_close((uv_handle_t *)process, on_child_closed);
}

static void malformed_requests_are_refused_and_change_nothing(void **state)
{
	static const char *const args[] = { "keeper", "--development", NULL };
	static const uint8_t types[] = { KEEPER_IDENTITY, KEEPER_NONCE, KEEPER_ACTIVATE };
	const struct child_options options = { .args = args, .out = 2, .err = 2 };
	struct world *w = *state;
	uv_process_t process;
	uint8_t answer[1024];
	struct err e;
	int sock;

	assert_ok(child_start(&w->loop, &process, &options, on_child_exit, &sock, &e), e);
	assert_int_equal(fcntl(sock, F_SETFL, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		for (uint8_t len = 0; len < 8; len++) {
			uint8_t packet[16] = { 0, 0, (uint8_t)i, len, types[i] };

			memset(packet + KEEPER_HEAD_LEN, 0xff, len);
			ssize_t n = KEEPER_HEAD_LEN + len;
			assert_int_equal(send(sock, packet, (size_t)n, 0), n);
			assert_true(recv(sock, answer, sizeof(answer), 0) > KEEPER_ANSWER_HEAD_LEN);
			assert_memory_equal(answer, packet, 4);
			assert_int_equal(answer[4], ERR_INVALID);
		}
	close(sock);
	while (!child_closed)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void an_answer_of_many_pieces_arrives_whole(void **state)
{
	struct world *w = *state;

	measured_run(w);
	/* Two entries of the log for each manifest, one for each configuration. */
	for (int i = 0; i < 150; i++) {
		measure(w, KEEPER_EVENT_CONFIG, CONFIG);
		measure(w, KEEPER_EVENT_MANIFEST, MANIFEST);
		assert_good();
	}
	ask_nonce(w, 1);
	assert_good();
	assert_true(seen.own_log > KEEPER_PIECE_MAX);
}

#define ROW(test, enter_) cmocka_unit_test_setup_teardown(test, enter_, leave)

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_main(argc, argv);

	const struct CMUnitTest tests[] = {
		ROW(each_form_waits_for_its_turn, enter),
		ROW(without_an_identity_there_is_no_evidence, enter),
		ROW(what_is_quoted_is_the_forms_own, enter),
		ROW(a_statement_of_anything_else_is_refused, enter),
		ROW(another_key_is_bound_only_if_the_statement_says_external, enter),
		ROW(development_has_to_be_said_in_the_statement, enter_development),
		ROW(kinds_that_the_machine_lacks_are_refused, enter),
		ROW(malformed_requests_are_refused_and_change_nothing, enter),
		ROW(an_answer_of_many_pieces_arrives_whole, enter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
