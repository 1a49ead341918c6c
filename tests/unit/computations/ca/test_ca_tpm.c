/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's key in a TPM 2.0 (swtpm): at a handle, in a file, behind an authorization; a TPM that hangs, or is gone. */
#include "common/base/file.h"
#include "computations/ca/authority.h"
#include "computations/tpm/tpm_link.h"
#include "tests/unit.h"
#include "tests/unit/agent/keeper/swtpm.h"
#include "tests/unit/computations/ca/device_room.h"
#include "tests/unit/computations/tpm/tpm_tap.h"

#include <sys/stat.h>

#define NOW INT64_C(1800000000000)

struct tpm_room {
	struct swtpm tpm;
	char cert[96], auth[96], blob[96], handle_uri[256], file_uri[384];
	struct err e;
};

static int enter(void **state)
{
	struct tpm_room *t = calloc(1, sizeof(*t));

	snprintf(t->tpm.dir, sizeof(t->tpm.dir), "/tmp/test-ca-tpm.XXXXXX");
	assert_non_null(mkdtemp(t->tpm.dir));
	swtpm_start(&t->tpm, "sha256");
	snprintf(t->cert, sizeof(t->cert), "%s/ca.pem", t->tpm.dir);
	snprintf(t->auth, sizeof(t->auth), "%s/auth", t->tpm.dir);
	snprintf(t->blob, sizeof(t->blob), "%s/ca.tpm", t->tpm.dir);
	snprintf(t->handle_uri, sizeof(t->handle_uri), "tpm:0x81010001?tcti=%s", t->tpm.tcti);
	snprintf(t->file_uri, sizeof(t->file_uri), "tpm:%s?auth-source=%s&tcti=%s", t->blob,
		 t->auth, t->tpm.tcti);
	assert_ok(file_write(t->auth, "secret\n", 7, 0600, &t->e), t->e);
	*state = t;
	return 0;
}

static int leave(void **state)
{
	struct tpm_room *t = *state;
	int failed;

	swtpm_stop(&t->tpm);
	tpm_tap_end();
	failed = dir_remove(t->tpm.dir, &t->e);
	free(t);
	return failed;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

static void make_and_load(struct tpm_room *t, const char *uri)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *again = NULL;
	struct err why;
	bool is_new;

	assert_ok(authority_make("example.org", t->cert, uri, NOW, &is_new, &t->e), t->e);
	assert_true(is_new);
	assert_ok(authority_load(t->cert, uri, NOW, &a, &t->e), t->e);
	assert_true(ca_signer_is_well(a->signer, &why));
	assert_int_equal(X509_verify(a->cert, a->key), 1);
	assert_ok(ca_signer_make(uri, &again, &is_new, &t->e), t->e);
	assert_false(is_new);
	assert_int_equal(EVP_PKEY_eq(a->key, again), 1);
}

static void a_key_is_made_at_a_handle_and_taken_there(void **state)
{
	struct tpm_room *t = *state;

	make_and_load(t, t->handle_uri);
}

static void a_key_is_made_in_a_file_with_an_authorization(void **state)
{
	struct tpm_room *t = *state;
	struct stat about;

	make_and_load(t, t->file_uri);
	assert_int_equal(stat(t->blob, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
}

/* More signatures than a TPM has room for objects: what is loaded is let go. */
static void it_signs_again_and_again(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	struct tpm_room *t = *state;
	bool is_new;

	assert_ok(ca_signer_make(t->file_uri, &public, &is_new, &t->e), t->e);
	for (int i = 0; i < 6; i++) {
		CLEANUP(ca_signer_free) struct ca_signer *s = NULL;

		assert_ok(ca_signer_new(t->file_uri, public, &s, &t->e), t->e);
		for (int k = 0; k < 3; k++)
			assert_ok(ca_signer_prove(s, &t->e), t->e);
	}
}

/* What the service does not do. */
static void sign_in_the_clear(struct tpm_room *t, const char *secret)
{
	struct tpm_link plain = { .tcti_words = t->tpm.tcti };
	ESYS_TR key;
	TPM2B_AUTH auth = { .size = (UINT16)strlen(secret) };
	TPMT_SIGNATURE *made = NULL;
	const TPM2B_DIGEST digest = { .size = TPM2_SHA256_DIGEST_SIZE };
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_ECDSA,
					 .details.ecdsa.hashAlg = TPM2_ALG_SHA256 };
	const TPMT_TK_HASHCHECK ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };

	memcpy(auth.buffer, secret, strlen(secret));
	assert_ok(tpm_link_open(&plain, &t->e), t->e);
	assert_int_equal(Esys_TR_FromTPMPublic(plain.esys, 0x81010001, ESYS_TR_NONE, ESYS_TR_NONE,
					       ESYS_TR_NONE, &key),
			 TSS2_RC_SUCCESS);
	assert_int_equal(Esys_TR_SetAuth(plain.esys, key, &auth), TSS2_RC_SUCCESS);
	assert_int_equal(Esys_Sign(plain.esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				   &digest, &scheme, &ticket, &made),
			 TSS2_RC_SUCCESS);
	Esys_Free(made);
	tpm_link_close(&plain);
}

/* While it is made, and while it signs; a password in the clear the tap does see. */
static void the_bus_does_not_show_the_authorization(void **state)
{
	static const char secret[] = "not for whoever taps the bus";
	struct tpm_room *t = *state;
	char handle_uri[384];
	const char *each[] = { t->file_uri, handle_uri };

	snprintf(handle_uri, sizeof(handle_uri), "tpm:0x81010001?auth-source=%s&tcti=%s", t->auth,
		 t->tpm.tcti);
	assert_ok(file_write(t->auth, secret, sizeof(secret) - 1, 0600, &t->e), t->e);
	for (size_t i = 0; i < ARRAY_LEN(each); i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
		CLEANUP(ca_signer_free) struct ca_signer *s = NULL;
		bool is_new;

		tpm_tap_begin();
		assert_ok(ca_signer_make(each[i], &public, &is_new, &t->e), t->e);
		assert_ok(ca_signer_new(each[i], public, &s, &t->e), t->e);
		for (int k = 0; k < 3; k++)
			assert_ok(ca_signer_prove(s, &t->e), t->e);
		ca_signer_free(TAKE_PTR(s));
		assert_true(tpm_tap.seen.len > 1024);
		assert_false(tpm_tap_has_seen(secret, sizeof(secret) - 1));
	}
	sign_in_the_clear(t, secret);
	assert_true(tpm_tap_has_seen(secret, sizeof(secret) - 1));
}

/* A key at a handle signs where the owner has a password that the service has not. */
static void an_owner_with_a_password_keeps_no_key_from_signing(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	CLEANUP(ca_signer_free) struct ca_signer *s = NULL;
	struct tpm_room *t = *state;
	char uri[384];
	const char *owner[] = { "tpm2_changeauth", "-c", "owner", "password", NULL };
	bool is_new;

	snprintf(uri, sizeof(uri), "tpm:0x81010001?auth-source=%s&tcti=%s", t->auth, t->tpm.tcti);
	assert_ok(ca_signer_make(uri, &public, &is_new, &t->e), t->e);
	assert_int_equal(setenv("TPM2TOOLS_TCTI", t->tpm.tcti, 1), 0);
	run_tool(owner);
	tpm_tap_begin();
	assert_ok(ca_signer_new(uri, public, &s, &t->e), t->e);
	assert_ok(ca_signer_prove(s, &t->e), t->e);
	assert_false(tpm_tap_has_seen("secret", 6));
}

static void a_wrong_authorization_is_tried_once(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	CLEANUP(ca_signer_free) struct ca_signer *s = NULL, *next = NULL;
	struct tpm_room *t = *state;
	bool is_new;

	assert_ok(ca_signer_make(t->file_uri, &public, &is_new, &t->e), t->e);
	assert_ok(file_write(t->auth, "wrong\n", 6, 0600, &t->e), t->e);
	assert_ok(ca_signer_new(t->file_uri, public, &s, &t->e), t->e);
	assert_refused(ca_signer_prove(s, &t->e), t->e, ERR_DENIED, "not tried again");
	assert_ok(file_write(t->auth, "secret\n", 7, 0600, &t->e), t->e);
	usleep(2 * CA_SIGNER_RETRY_MS * 1000);
	assert_refused(ca_signer_prove(s, &t->e), t->e, ERR_DENIED, "not tried again");
	assert_ok(ca_signer_new(t->file_uri, public, &next, &t->e), t->e);
	assert_ok(ca_signer_prove(next, &t->e), t->e);
}

static void a_tpm_that_hangs_is_not_waited_for_twice(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	CLEANUP(ca_signer_free) struct ca_signer *s = NULL;
	struct tpm_room *t = *state;
	struct err why;
	bool is_new;

	assert_ok(ca_signer_make(t->handle_uri, &public, &is_new, &t->e), t->e);
	assert_ok(ca_signer_new(t->handle_uri, public, &s, &t->e), t->e);
	assert_ok(ca_signer_prove(s, &t->e), t->e);
	assert_int_equal(kill(t->tpm.pid, SIGSTOP), 0);
	assert_refused(ca_signer_prove(s, &t->e), t->e, ERR_UNAVAILABLE, "does not answer");
	assert_false(ca_signer_is_well(s, &why));
	/* Were each of these to wait, the test's time would be over. */
	for (int i = 0; i < 1000; i++)
		assert_refused(ca_signer_prove(s, &t->e), t->e, ERR_UNAVAILABLE, "does not answer");
	assert_int_equal(kill(t->tpm.pid, SIGCONT), 0);
	wait_until_well(s);
	assert_ok(ca_signer_prove(s, &t->e), t->e);
}

/* It is freed while its thread is with the TPM, which gets there later. */
static void one_that_hangs_is_left_behind(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	struct ca_signer *s;
	struct tpm_room *t = *state;
	bool is_new;

	assert_ok(ca_signer_make(t->handle_uri, &public, &is_new, &t->e), t->e);
	assert_ok(ca_signer_new(t->handle_uri, public, &s, &t->e), t->e);
	assert_int_equal(kill(t->tpm.pid, SIGSTOP), 0);
	assert_refused(ca_signer_prove(s, &t->e), t->e, ERR_UNAVAILABLE, "does not answer");
	ca_signer_free(s);
	assert_int_equal(kill(t->tpm.pid, SIGCONT), 0);
}

static void a_tpm_that_is_gone_is_said(void **state)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	struct tpm_room *t = *state;
	struct err why;
	bool is_new;

	assert_ok(authority_make("example.org", t->cert, t->handle_uri, NOW, &is_new, &t->e), t->e);
	swtpm_stop(&t->tpm);
	/* A service starts all the same. */
	assert_ok(authority_load(t->cert, t->handle_uri, NOW, &a, &t->e), t->e);
	assert_false(ca_signer_is_well(a->signer, &why));
	assert_int_equal(why.code, ERR_UNAVAILABLE);
	assert_refused(ca_signer_prove(a->signer, &t->e), t->e, ERR_UNAVAILABLE, "TPM: ");
}

static void what_is_no_key_is_refused(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	struct tpm_room *t = *state;
	CLEANUP(free) uint8_t *whole = NULL;
	size_t len;
	bool is_new;

	assert_ok(ca_signer_make(t->file_uri, &public, &is_new, &t->e), t->e);
	assert_ok(file_read(t->blob, 4096, &whole, &len, &t->e), t->e);
	/* Each truncation, one byte more, and others who read it. */
	for (size_t cut = 0; cut <= len + 1; cut++) {
		CLEANUP(ca_signer_free) struct ca_signer *s = NULL;
		uint8_t bytes[4096] = { 0 };

		memcpy(bytes, whole, cut < len ? cut : len);
		assert_ok(file_write(t->blob, bytes, cut, cut == len ? 0644 : 0600, &t->e), t->e);
		assert_ok(ca_signer_new(t->file_uri, public, &s, &t->e), t->e);
		assert_refused(ca_signer_prove(s, &t->e), t->e,
			       cut == len ? ERR_PRECONDITION : ERR_INVALID,
			       cut == len ? "chmod 600" : "TPM2B_PUBLIC");
	}
}

static void a_key_that_decrypts_is_refused(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	CLEANUP(ca_signer_free) struct ca_signer *s = NULL, *none = NULL;
	struct tpm_room *t = *state;
	char context[96];
	const char *create[] = {
		"tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", context, NULL
	};
	const char *keep[] = { "tpm2_evictcontrol", "-C", "o", "-c", context, "0x81010001", NULL };

	assert_ok(key_generate(KEY_ECDSA, &public, &t->e), t->e);
	assert_ok(ca_signer_new(t->handle_uri, public, &none, &t->e), t->e);
	assert_refused(ca_signer_prove(none, &t->e), t->e, ERR_NOT_FOUND, "no key at 0x81010001");
	snprintf(context, sizeof(context), "%s/primary.ctx", t->tpm.dir);
	ca_signer_free(TAKE_PTR(none));
	assert_int_equal(setenv("TPM2TOOLS_TCTI", t->tpm.tcti, 1), 0);
	run_tool(create);
	run_tool(keep);
	assert_ok(ca_signer_new(t->handle_uri, public, &s, &t->e), t->e);
	assert_refused(ca_signer_prove(s, &t->e), t->e, ERR_PRECONDITION, "may not sign");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_key_is_made_at_a_handle_and_taken_there),
		ROW(a_key_is_made_in_a_file_with_an_authorization),
		ROW(it_signs_again_and_again),
		ROW(the_bus_does_not_show_the_authorization),
		ROW(an_owner_with_a_password_keeps_no_key_from_signing),
		ROW(a_wrong_authorization_is_tried_once),
		ROW(a_tpm_that_hangs_is_not_waited_for_twice),
		ROW(one_that_hangs_is_left_behind),
		ROW(a_tpm_that_is_gone_is_said),
		ROW(what_is_no_key_is_refused),
		ROW(a_key_that_decrypts_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
