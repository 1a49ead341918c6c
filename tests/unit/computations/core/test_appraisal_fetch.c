/* SPDX-License-Identifier: Apache-2.0 */
/* Agents whose evidence makes the service ask AMD, and an AMD that is slow, or knows no such chip. */
#include "attestation/token/binding.h"
#include "attestation/token/eat.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "computations/core/appraisal.h"
#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/hostile_http.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <openssl/pem.h>

enum { TOKEN_MAX = 1 << 16, YEARS_50 = 50 * 366 * 86400, PEMS_MAX = 4 * FORGE_CERT_MAX };

static char dir[] = "/tmp/cocos-fetch-XXXXXX", policy_path[64], root_path[64];
static struct forge forge;
static EVP_PKEY *key;
static uv_loop_t loop;
static struct appraisal *appraisal;
static struct hostile_http amd;
static char chain[PEMS_MAX];
static atomic_bool slow; /* about chips */
static atomic_uint chips_asked;

/* ---- AMD's side ---- */

static struct hostile_answer answer(void *data, const char *request)
{
	if (strstr(request, "/cert_chain"))
		return (struct hostile_answer){ .head = chain };
	atomic_fetch_add(&chips_asked, 1);
	if (atomic_load(&slow))
		return (struct hostile_answer){ .head = "", .then = THEN_HOLD };
	return (struct hostile_answer){
		.head = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"
	};
}

static void add_pem(const uint8_t *der, size_t len, struct writer *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *x = d2i_X509(NULL, &der, (long)len);
	char *text;
	long text_len;

	assert_true(x && PEM_write_bio_X509(bio, x) == 1);
	text_len = BIO_get_mem_data(bio, &text);
	writer_bytes(out, text, (size_t)text_len);
	X509_free(x);
	BIO_free(bio);
}

static void make_chain(void)
{
	struct writer pem = writer_up_to(PEMS_MAX - 256);

	add_pem(forge.ca_der, forge.ca_len, &pem);
	add_pem(forge.root_der, forge.root_len, &pem);
	snprintf(chain, sizeof(chain), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s",
		 pem.len, (int)pem.len, (const char *)pem.bytes);
	writer_done(&pem);
}

/* ---- the service ---- */

static int setup(void **state)
{
	char text[256], hex[2 * SNP_DIGEST_LEN + 1];
	struct err e;

	forge_init(&forge, SNP_GENOA, 5, SNP_KEY_VCEK);
	/* The service judges at the present moment, whenever the test runs. */
	forge.root.not_after = forge.ca.not_after = forge.leaf.not_after = FORGE_AT + YEARS_50;
	forge_certificates(&forge);
	make_chain();
	assert_non_null(mkdtemp(dir));
	snprintf(policy_path, sizeof(policy_path), "%s/policy", dir);
	snprintf(root_path, sizeof(root_path), "%s/root", dir);
	hex_encode(forge.report.measurement, SNP_DIGEST_LEN, hex);
	snprintf(text, sizeof(text), "{\"cocos\":1,\"snp\":{\"measurements\":[\"%s\"]}}", hex);
	assert_ok(file_write(policy_path, text, strlen(text), 0600, &e), e);
	assert_ok(file_write(root_path, forge.root_der, forge.root_len, 0600, &e), e);
	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	return 0;
}

static int teardown(void **state)
{
	struct err e;

	EVP_PKEY_free(key);
	assert_ok(dir_remove(dir, &e), e);
	return 0;
}

static int begin(void **state)
{
	struct config config = { .state_dir = dir,
				 .attestation_policy = policy_path,
				 .attestation_root = root_path,
				 .attestation_kds = amd.url };
	struct err e;

	atomic_store(&slow, false);
	atomic_store(&chips_asked, 0);
	amd.answer = answer;
	hostile_http_start(&amd);
	uv_loop_init(&loop);
	assert_ok(appraisal_new(&loop, &config, &appraisal, &e), e);
	return 0;
}

static int end(void **state)
{
	appraisal_stop(appraisal);
	uv_run(&loop, UV_RUN_DEFAULT);
	appraisal_free(appraisal);
	assert_int_equal(uv_loop_close(&loop), 0);
	hostile_http_stop(&amd);
	return 0;
}

/* ---- an agent ---- */

enum what {
	LACKS_NOTHING, /* it brings its chip's certificate along */
	NAMES_A_CHIP,  /* and no certificate */
	NOT_BOUND,     /* the same, with another session's report data */
};

static void put_certificate(struct writer *out)
{
	static const uint8_t vcek_guid[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					       0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };

	writer_bytes(out, vcek_guid, sizeof(vcek_guid));
	writer_le32(out, 48);
	writer_le32(out, (uint32_t)forge.leaf_len);
	writer_zeros(out, 24);
	writer_bytes(out, forge.leaf_der, forge.leaf_len);
}

static void make_token(const struct appraisal_case *which, enum what what, uint8_t chip,
		       struct writer *token)
{
	const struct binding_nonce nonce = { .tee = which->nonce, .tee_len = APPRAISAL_NONCE_LEN };
	CLEANUP_WRITER struct writer evidence = writer_up_to(TOKEN_MAX);
	struct eat_content content = { .issuer = "cocos-agent",
				       .platform = EVIDENCE_SNP,
				       .nonce_use = EAT_USE_NONCE,
				       .issued = time(NULL) - 10,
				       .expires = time(NULL) + 3000 };
	CLEANUP(free) uint8_t *spki = NULL;
	const struct snp_report good = forge.report;
	struct binding bound;
	size_t len;
	struct err e;

	assert_ok(key_to_spki(key, &spki, &len, &e), e);
	assert_ok(binding_nonce(&nonce, spki, len, &bound, &e), e);
	memcpy(forge.report.report_data, bound.report_data, SNP_REPORT_DATA_LEN);
	forge.report.report_data[0] ^= what == NOT_BOUND;
	forge.report.chip_id[0] ^= chip;
	forge_report(&forge);
	forge.report = good;
	writer_bytes(&evidence, forge.bytes, SNP_REPORT_LEN);
	if (what == LACKS_NOTHING)
		put_certificate(&evidence);
	content.nonce = (struct eat_bytes){ bound.tpm_nonce, BINDING_TPM_NONCE_LEN };
	content.raw_report = (struct eat_bytes){ evidence.bytes, evidence.len };
	*token = writer_up_to(TOKEN_MAX);
	assert_ok(eat_write(&content, key, token, &e), e);
}

struct answered {
	bool done;
	struct appraisal_verdict verdict;
};

static unsigned answers; /* so far: in which order they come */

static void on_answer(void *data, const struct appraisal_verdict *verdict)
{
	struct answered *a = data;

	assert_false(a->done);
	a->done = true;
	a->verdict = *verdict;
	answers++;
}

static void say_by(const char *client, const char *cvm, enum what what, uint8_t chip,
		   struct answered *a)
{
	struct appraisal_case which = { .cvm_id = cvm };
	CLEANUP_WRITER struct writer token = { 0 };
	struct err e;

	snprintf(which.client, sizeof(which.client), "%s", client);
	*a = (struct answered){ .done = false };
	assert_ok(random_bytes(which.nonce, sizeof(which.nonce), &e), e);
	make_token(&which, what, chip, &token);
	assert_ok(appraisal_start(appraisal, &which, token.bytes, token.len, on_answer, a, &e), e);
	assert_false(a->done);
}

static void say(const char *cvm, enum what what, uint8_t chip, struct answered *a)
{
	say_by("somebody", cvm, what, chip, a);
}

static void wait_for(const struct answered *a)
{
	while (!a->done)
		uv_run(&loop, UV_RUN_ONCE);
}

static struct answered judge(const char *cvm, enum what what, uint8_t chip)
{
	struct answered a;

	say(cvm, what, chip, &a);
	wait_for(&a);
	return a;
}

static void says(const struct answered *a, const char *words)
{
	assert_true(a->done);
	if (!strstr(a->verdict.line, words))
		fail_msg("'%s' does not say '%s'", a->verdict.line, words);
}

/* Until the server holds a request about a chip, the loop going on. */
static void wait_for_chip_request(void)
{
	while (!atomic_load(&chips_asked))
		uv_run(&loop, UV_RUN_NOWAIT);
}

/* ---- what holds ---- */

static void a_slow_service_delays_nobody_who_needs_none(void **state)
{
	struct answered waits, good;

	judge("warm", LACKS_NOTHING, 0); /* the chain is in the cache now */
	atomic_store(&slow, true);
	say("hostile", NAMES_A_CHIP, 1, &waits);
	wait_for_chip_request();
	for (int i = 0; i < 3; i++) {
		good = judge("honest", LACKS_NOTHING, 0);
		assert_true(good.verdict.verified);
		says(&good, "verified: snp");
	}
	assert_false(waits.done);
	appraisal_stop(appraisal);
	wait_for(&waits);
	assert_false(waits.verdict.verified);
}

static void what_is_not_bound_to_the_session_is_no_reason_to_ask(void **state)
{
	struct answered a = judge("cvm", NOT_BOUND, 1);

	says(&a, "refused: ");
	says(&a, "policy.report_data");
	assert_int_equal(atomic_load(&chips_asked), 0);
	a = judge("cvm", NAMES_A_CHIP, 1);
	says(&a, "404");
	assert_int_equal(atomic_load(&chips_asked), 1);
}

static void a_chip_that_nobody_knows_is_asked_for_once(void **state)
{
	static const char *const cvms[] = { "a", "a", "b", "c" };

	for (size_t i = 0; i < ARRAY_LEN(cvms); i++) {
		struct answered a = judge(cvms[i], NAMES_A_CHIP, 1);

		says(&a, "404");
		assert_false(a.verdict.verified);
		assert_int_equal(atomic_load(&chips_asked), 1);
	}
}

static void one_cvm_has_a_share_and_no_more(void **state)
{
	enum { SHARE = 6, MORE = 20 };
	struct answered a;

	judge("warm", LACKS_NOTHING, 0);
	for (uint8_t i = 1; i <= MORE; i++) {
		a = judge("hostile", NAMES_A_CHIP, i);
		says(&a, i <= SHARE ? "404" : "too often for this CVM");
		assert_int_equal(atomic_load(&chips_asked), i <= SHARE ? i : SHARE);
	}
	/* It is heard all the same where nothing has to be fetched. */
	a = judge("hostile", LACKS_NOTHING, 0);
	assert_true(a.verdict.verified);
	a = judge("honest", NAMES_A_CHIP, MORE + 1);
	says(&a, "404");
	assert_int_equal(atomic_load(&chips_asked), SHARE + 1);
}

static void newer_evidence_takes_the_place_of_what_waits(void **state)
{
	struct answered first, second, third, other;

	judge("warm", LACKS_NOTHING, 0);
	atomic_store(&slow, true);
	say("a", NAMES_A_CHIP, 1, &first); /* held by the service */
	wait_for_chip_request();
	say("a", LACKS_NOTHING, 0, &second);
	say("a", LACKS_NOTHING, 0, &third);
	says(&second, "newer evidence");
	say("b", LACKS_NOTHING, 0, &other);
	wait_for(&other);
	assert_true(other.verdict.verified);
	assert_false(first.done || third.done); /* of one CVM, one after the other */
	appraisal_stop(appraisal);
	wait_for(&first);
	says(&third, "the service stops");
}

static void those_who_wait_take_turns(void **state)
{
	struct answered held, hostile[3], honest;
	unsigned before;

	judge("warm", LACKS_NOTHING, 0);
	atomic_store(&slow, true);
	say("held", NAMES_A_CHIP, 1, &held);
	wait_for_chip_request();
	/* However often one asks: whoever came after its first stands before its last. */
	say("hostile", NAMES_A_CHIP, 2, &hostile[0]);
	say("honest", NAMES_A_CHIP, 3, &honest);
	say("hostile", NAMES_A_CHIP, 4, &hostile[1]);
	say("hostile", NAMES_A_CHIP, 5, &hostile[2]);
	says(&hostile[1], "newer evidence");
	atomic_store(&slow, false);
	before = answers;
	hostile_http_release(&amd);
	wait_for(&honest);
	assert_true(held.done && hostile[0].done);
	assert_int_equal(answers, before + 3); /* these two and this one */
	assert_false(hostile[2].done);
	wait_for(&hostile[2]);
}

/* One client with many names has every second turn, and half of the places; and what needs no service
 * has nothing to do with either. */
static void many_names_are_one_client(void **state)
{
	enum { NAMES = 128 };
	static struct answered hostile[NAMES + 1];
	struct answered held, honest, good;
	char name[16];

	judge("warm", LACKS_NOTHING, 0);
	atomic_store(&slow, true);
	say_by("hostile", "held", NAMES_A_CHIP, 1, &held);
	wait_for_chip_request();
	for (int i = 0; i <= NAMES; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		say_by("hostile", name, NAMES_A_CHIP, 2, &hostile[i]);
	}
	say_by("honest", "honest", NAMES_A_CHIP, 3, &honest);
	good = judge("good", LACKS_NOTHING, 0); /* behind them all in the first line */
	assert_true(good.verdict.verified);
	says(&hostile[NAMES], "too many wait");
	assert_false(hostile[0].done || honest.done);
	atomic_store(&slow, false);
	hostile_http_release(&amd);
	wait_for(&honest);
	assert_true(held.done);
	assert_false(hostile[0].done);
	appraisal_stop(appraisal);
	for (int i = 0; i < NAMES; i++)
		wait_for(&hostile[i]);
}

static void nothing_starts_when_the_service_stops(void **state)
{
	struct appraisal_case which = { .cvm_id = "late" };
	struct answered a = { .done = false };
	struct err e;

	appraisal_stop(appraisal);
	assert_refused(
		appraisal_start(appraisal, &which, (const uint8_t *)"x", 1, on_answer, &a, &e), e,
		ERR_UNAVAILABLE, "stops");
	assert_false(a.done);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(a_slow_service_delays_nobody_who_needs_none),
		EACH(what_is_not_bound_to_the_session_is_no_reason_to_ask),
		EACH(a_chip_that_nobody_knows_is_asked_for_once),
		EACH(one_cvm_has_a_share_and_no_more),
		EACH(newer_evidence_takes_the_place_of_what_waits),
		EACH(those_who_wait_take_turns),
		EACH(many_names_are_one_client),
		EACH(nothing_starts_when_the_service_stops),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
