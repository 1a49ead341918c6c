/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's key in a PKCS#11 token (SoftHSM): made there, taken there, gone, back, another one, and its PIN. */
#include "common/base/file.h"
#include "computations/ca/authority.h"
#include "computations/ca/certificate.h"
#include "tests/unit.h"
#include "tests/unit/computations/ca/device_room.h"

#include <stdio.h>
#include <sys/stat.h>
#include <openssl/x509v3.h>

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define NOW    INT64_C(1800000000000)

struct hsm {
	char dir[64], uri[512], pin[128], tokens[128], away[128], cert[128];
	struct err e;
};

static void make_token(const char *label)
{
	const char *argv[] = { "softhsm2-util", "--init-token", "--free", "--label", label,
			       "--so-pin",      "87654321",     "--pin",  "123456",  NULL };

	run_tool(argv);
}

static int enter(void **state)
{
	struct hsm *h = calloc(1, sizeof(*h));
	char conf[96], text[256];

	snprintf(h->dir, sizeof(h->dir), "/tmp/test-hsm.XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	snprintf(h->tokens, sizeof(h->tokens), "%s/tokens", h->dir);
	snprintf(h->away, sizeof(h->away), "%s/away", h->dir);
	snprintf(h->pin, sizeof(h->pin), "%s/pin", h->dir);
	snprintf(h->cert, sizeof(h->cert), "%s/ca.pem", h->dir);
	assert_int_equal(mkdir(h->tokens, 0700), 0);
	snprintf(conf, sizeof(conf), "%s/softhsm2.conf", h->dir);
	snprintf(text, sizeof(text), "directories.tokendir = %s\nobjectstore.backend = file\n",
		 h->tokens);
	assert_ok(file_write(conf, text, strlen(text), 0600, &h->e), h->e);
	assert_ok(file_write(h->pin, "123456\n", 7, 0600, &h->e), h->e);
	assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
	make_token("cocos");
	snprintf(h->uri, sizeof(h->uri),
		 "pkcs11:token=cocos;object=authority?module-path=" MODULE "&pin-source=%s",
		 h->pin);
	*state = h;
	return 0;
}

static int leave(void **state)
{
	struct hsm *h = *state;
	int failed = dir_remove(h->dir, &h->e);

	free(h);
	return failed;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

static EVP_PKEY *make_key(struct hsm *h)
{
	EVP_PKEY *public;
	bool is_new;

	assert_ok(ca_signer_make(h->uri, &public, &is_new, &h->e), h->e);
	assert_true(is_new);
	return public;
}

static struct ca_signer *signer_of(struct hsm *h, EVP_PKEY *public)
{
	struct ca_signer *s;

	assert_ok(ca_signer_new(h->uri, public, &s, &h->e), h->e);
	return s;
}

static void a_token_makes_an_authority(void **state)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	struct hsm *h = *state;
	struct err why;
	bool is_new;

	assert_ok(authority_make("example.org", h->cert, h->uri, NOW, &is_new, &h->e), h->e);
	assert_true(is_new);
	assert_ok(authority_load(h->cert, h->uri, NOW, &a, &h->e), h->e);
	assert_true(ca_signer_is_well(a->signer, &why));
	assert_int_equal(X509_verify(a->cert, a->key), 1);
	assert_false(authority_is_below(a));
	/* Another certificate of the same key: its file is there. */
	assert_refused(authority_make("example.org", h->cert, h->uri, NOW, &is_new, &h->e), h->e,
		       ERR_EXISTS, "ca.pem");
}

static void what_it_signs_is_right(void **state)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	CLEANUP(free) uint8_t *der = NULL;
	struct hsm *h = *state;
	const unsigned char *at;
	char serial[SERIAL_TEXT_LEN + 1];
	size_t len;
	bool is_new;

	assert_ok(authority_make("example.org", h->cert, h->uri, NOW, &is_new, &h->e), h->e);
	assert_ok(authority_load(h->cert, h->uri, NOW, &a, &h->e), h->e);
	assert_ok(key_generate(KEY_ECDSA, &key, &h->e), h->e);
	assert_ok(authority_serial(serial, &h->e), h->e);
	assert_ok(certificate_sign(a,
				   &(struct certificate_plan){ "web-1", serial, CA_AGENT, NOW,
							       NOW + 86400000 },
				   key, &pem, &h->e),
		  h->e);
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);
	CLEANUP(X509_free) X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_int_equal(X509_verify(cert, a->key), 1);
	assert_int_equal(X509_check_issued(a->cert, cert), X509_V_OK);
	assert_ok(certificate_list_sign(a,
					&(struct certificate_list){ 1, NOW, NOW + 1000, NULL, 0 },
					&der, &len, &h->e),
		  h->e);
	at = der;
	X509_CRL *list = d2i_X509_CRL(NULL, &at, (long)len);
	assert_non_null(list);
	assert_ptr_equal(at, der + len);
	assert_int_equal(X509_CRL_verify(list, a->key), 1);
	X509_CRL_free(list);
}

static void a_key_that_is_there_is_taken(void **state)
{
	struct hsm *h = *state;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = make_key(h);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *again = NULL;
	bool is_new;

	assert_ok(ca_signer_make(h->uri, &again, &is_new, &h->e), h->e);
	assert_false(is_new);
	assert_int_equal(EVP_PKEY_eq(public, again), 1);
}

/* pkcs11-tool logs in, as an operator would. */
static void enter_pin(const char *pin)
{
	const char *argv[] = { "pkcs11-tool", "--module", MODULE, "--token-label",  "cocos",
			       "--login",     "--pin",    pin,    "--list-objects", NULL };

	run_tool(argv);
}

static void a_wrong_pin_is_tried_once(void **state)
{
	struct hsm *h = *state;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = make_key(h);
	CLEANUP(ca_signer_free) struct ca_signer *s = NULL, *next = NULL;

	assert_ok(file_write(h->pin, "654321\n", 7, 0600, &h->e), h->e);
	s = signer_of(h, public);
	assert_refused(ca_signer_prove(s, &h->e), h->e, ERR_DENIED, "is refused: ");
	assert_true(ca_signer_may_wait(&h->e));
	/* Nor when it is right by now. */
	assert_ok(file_write(h->pin, "123456\n", 7, 0600, &h->e), h->e);
	usleep(2 * CA_SIGNER_RETRY_MS * 1000);
	assert_refused(ca_signer_prove(s, &h->e), h->e, ERR_DENIED, "not tried again");
	/* Started anew, with a wrong or a right one: the token knows that one was wrong. */
	next = signer_of(h, public);
	assert_refused(ca_signer_prove(next, &h->e), h->e, ERR_DENIED, "by hand");
	assert_refused(ca_signer_prove(next, &h->e), h->e, ERR_DENIED, "by hand");
	enter_pin("123456");
	wait_until_well(next);
	assert_ok(ca_signer_prove(next, &h->e), h->e);
}

static void a_token_that_is_gone_comes_back(void **state)
{
	struct hsm *h = *state;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = make_key(h);
	CLEANUP(ca_signer_free) struct ca_signer *s = signer_of(h, public);
	struct err why;

	assert_int_equal(rename(h->tokens, h->away), 0);
	assert_int_equal(mkdir(h->tokens, 0700), 0);
	assert_refused(ca_signer_prove(s, &h->e), h->e, ERR_UNAVAILABLE, "token: none");
	assert_true(ca_signer_may_wait(&h->e));
	assert_false(ca_signer_is_well(s, &why));
	assert_string_equal(why.text, h->e.text);
	assert_int_equal(rmdir(h->tokens), 0);
	assert_int_equal(rename(h->away, h->tokens), 0);
	wait_until_well(s);
	assert_ok(ca_signer_prove(s, &h->e), h->e);
}

/* What there was of a session is of no use then. */
static void a_key_that_goes_and_comes_back_is_found(void **state)
{
	struct hsm *h = *state;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = make_key(h);
	CLEANUP(ca_signer_free) struct ca_signer *s = signer_of(h, public);
	struct err why;

	assert_ok(ca_signer_prove(s, &h->e), h->e);
	assert_int_equal(rename(h->tokens, h->away), 0);
	assert_true(ca_signer_prove(s, &h->e) < 0);
	assert_false(ca_signer_is_well(s, &why));
	assert_int_equal(rename(h->away, h->tokens), 0);
	wait_until_well(s);
	assert_ok(ca_signer_prove(s, &h->e), h->e);
}

static void two_keys_of_one_module_sign(void **state)
{
	struct hsm *h = *state;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = make_key(h), *second = NULL;
	CLEANUP(ca_signer_free) struct ca_signer *s = signer_of(h, public), *other = NULL;
	char uri[512];
	bool is_new;

	snprintf(uri, sizeof(uri),
		 "pkcs11:token=cocos;object=next?module-path=" MODULE "&pin-source=%s", h->pin);
	assert_ok(ca_signer_prove(s, &h->e), h->e);
	assert_ok(ca_signer_make(uri, &second, &is_new, &h->e), h->e);
	assert_ok(ca_signer_new(uri, second, &other, &h->e), h->e);
	for (int i = 0; i < 3; i++) {
		assert_ok(ca_signer_prove(other, &h->e), h->e);
		assert_ok(ca_signer_prove(s, &h->e), h->e);
	}
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = NULL;
	struct hsm *h = *state;
	char uri[512];
	bool is_new;

	assert_ok(authority_make("example.org", h->cert, h->uri, NOW, &is_new, &h->e), h->e);
	snprintf(uri, sizeof(uri),
		 "pkcs11:token=cocos;object=other?module-path=" MODULE "&pin-source=%s", h->pin);
	assert_ok(ca_signer_make(uri, &other, &is_new, &h->e), h->e);
	assert_refused(authority_load(h->cert, uri, NOW, &a, &h->e), h->e, ERR_PRECONDITION,
		       "another certificate's");
	assert_null(a);
}

static void a_key_that_is_not_there_is_no_waiting(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	CLEANUP(ca_signer_free) struct ca_signer *s = NULL;
	struct hsm *h = *state;

	assert_ok(key_generate(KEY_ECDSA, &public, &h->e), h->e);
	s = signer_of(h, public);
	assert_refused(ca_signer_prove(s, &h->e), h->e, ERR_NOT_FOUND, "no private key");
	assert_false(ca_signer_may_wait(&h->e));
}

static void two_of_a_name_are_refused(void **state)
{
	struct hsm *h = *state;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = make_key(h);
	CLEANUP(ca_signer_free) struct ca_signer *keys = NULL, *tokens = NULL;
	const char *argv[] = { "pkcs11-tool",
			       "--module",
			       MODULE,
			       "--token-label",
			       "cocos",
			       "--login",
			       "--pin",
			       "123456",
			       "--keypairgen",
			       "--key-type",
			       "EC:prime256v1",
			       "--label",
			       "authority",
			       "--id",
			       "07",
			       NULL };

	run_tool(argv);
	keys = signer_of(h, public);
	assert_refused(ca_signer_prove(keys, &h->e), h->e, ERR_PRECONDITION, "several keys");
	make_token("cocos");
	tokens = signer_of(h, public);
	assert_refused(ca_signer_prove(tokens, &h->e), h->e, ERR_PRECONDITION, "2 of them");
}

static void a_pin_that_others_read_is_refused(void **state)
{
	struct hsm *h = *state;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = make_key(h);
	static const struct {
		const char *text;
		mode_t mode;
		const char *words;
	} all[] = {
		{ "123456\n", 0640, "chmod 600" },
		{ "", 0600, "is not one line" },
		{ "\n", 0600, "is not one line" },
		{ "1\n2\n", 0600, "is not one line" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CLEANUP(ca_signer_free) struct ca_signer *s = NULL;

		assert_ok(file_write(h->pin, all[i].text, strlen(all[i].text), all[i].mode, &h->e),
			  h->e);
		s = signer_of(h, public);
		assert_true(ca_signer_prove(s, &h->e) < 0);
		assert_non_null(strstr(h->e.text, all[i].words));
	}
	/* None was tried. */
	assert_ok(file_write(h->pin, "123456", 6, 0600, &h->e), h->e);
	CLEANUP(ca_signer_free) struct ca_signer *s = signer_of(h, public);
	assert_ok(ca_signer_prove(s, &h->e), h->e);
}

static void a_module_that_is_none_is_refused(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	CLEANUP(ca_signer_free) struct ca_signer *s = NULL;
	struct hsm *h = *state;

	assert_ok(key_generate(KEY_ECDSA, &public, &h->e), h->e);
	assert_ok(
		ca_signer_new("pkcs11:token=a;object=b?module-path=/etc/passwd", public, &s, &h->e),
		h->e);
	assert_refused(ca_signer_prove(s, &h->e), h->e, ERR_PRECONDITION, "can't be loaded");
}

static void forms_are_read_strictly(void **state)
{
	static const struct {
		const char *where, *words;
	} all[] = {
		{ "", "neither" },
		{ "ca-key.pem", "neither" },
		{ "PKCS11:object=a?module-path=/a", "neither" },
		{ "pkcs11:", "module-path=" },
		{ "pkcs11:object=a", "module-path=" },
		{ "pkcs11:object=a?module-path=a.so", "module-path=" },
		{ "pkcs11:?module-path=/a", "object= or id=" },
		{ "pkcs11:token=a?module-path=/a", "object= or id=" },
		{ "pkcs11:object=a;type=public?module-path=/a", "type=" },
		{ "pkcs11:object=a;colour=red?module-path=/a", "not known" },
		{ "pkcs11:object=a;library-manufacturer=b?module-path=/a", "not known" },
		{ "pkcs11:object=a;slot-id=1?module-path=/a", "not known" },
		{ "pkcs11:object=a?module-path=/a&module-name=b", "module-name" },
		{ "pkcs11:object=a?module-path=/a&pin-value=1234", "the PIN itself" },
		{ "pkcs11:object=a?module-path=/a&pin-source=pin", "pin-source=" },
		{ "pkcs11:object=a?module-path=/a&pin-source=file://host/pin", "pin-source=" },
		{ "pkcs11:object=a?module-path=/a&pin-source=|cat", "" },
		{ "pkcs11:object=%4?module-path=/a", "RFC 7512" },
		{ "tpm:", "neither a handle" },
		{ "tpm:/", "neither a handle" },
		{ "tpm:key", "neither a handle" },
		{ "tpm:0x8101000", "persistent handle" },
		{ "tpm:0x810100011", "persistent handle" },
		{ "tpm:0x8101000g", "persistent handle" },
		{ "tpm:0x80ffffff", "persistent handle" },
		{ "tpm:0x81800000", "persistent handle" },
		{ "tpm:0x81000000?", "only auth-source" },
		{ "tpm:0x81000000?auth-source=", "only auth-source" },
		{ "tpm:0x81000000?auth-source=pin", "absolute path" },
		{ "tpm:0x81000000?auth-source=/a&auth-source=/b", "twice" },
		{ "tpm:0x81000000?tcti=a&", "only auth-source" },
		{ "tpm:0x81000000?colour=red", "only auth-source" },
	};
	static const char *const good[] = {
		"/a",
		"pkcs11:object=a?module-path=/a",
		"pkcs11:id=%01?module-path=/a&pin-source=/pin",
		"pkcs11:token=a;object=b;type=private?module-path=/a&pin-source=file:/pin",
		"tpm:0x81000000",
		"tpm:0x817FFFFF?auth-source=/a&tcti=swtpm:host=127.0.0.1,port=2321",
		"tpm:/a",
	};
	char long_one[CA_SIGNER_WHERE_MAX + 2] = "/";
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_refused(ca_signer_check(all[i].where, &e), e, ERR_INVALID, all[i].words);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(ca_signer_check(good[i], &e), e);
	memset(long_one + 1, 'a', CA_SIGNER_WHERE_MAX - 1);
	assert_ok(ca_signer_check(long_one, &e), e);
	long_one[CA_SIGNER_WHERE_MAX] = 'a';
	assert_refused(ca_signer_check(long_one, &e), e, ERR_INVALID, "too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_token_makes_an_authority),
		ROW(what_it_signs_is_right),
		ROW(a_key_that_is_there_is_taken),
		ROW(a_wrong_pin_is_tried_once),
		ROW(a_token_that_is_gone_comes_back),
		ROW(a_key_that_goes_and_comes_back_is_found),
		ROW(two_keys_of_one_module_sign),
		ROW(a_key_of_another_certificate_is_refused),
		ROW(a_key_that_is_not_there_is_no_waiting),
		ROW(two_of_a_name_are_refused),
		ROW(a_pin_that_others_read_is_refused),
		ROW(a_module_that_is_none_is_refused),
		cmocka_unit_test(forms_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
