/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about certificates, and what is answered. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "computations/ca/ca_record.h"
#include "computations/ca/ocsp.h"
#include "computations/ca/ocsp_request.h"
#include "computations/ca/signing_request.h"
#include "tests/unit/computations/store_room.h"

#include <string.h>
#include <openssl/ocsp.h>

#define NOW INT64_C(1800000000000)
enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };

struct ocsp_room {
	struct store_room *store;
	struct authority *authority;
	struct ocsp_responder *responder;
	EVP_PKEY *key;
	struct ca_record issued;
	struct err e;
};

static struct db *db_of(struct ocsp_room *f)
{
	return &f->store->store.db;
}

static void issue(struct ocsp_room *f)
{
	const struct ca_wish wish = { "cvm-1", CA_AGENT, 7, 0 };
	X509_REQ *request = X509_REQ_new();
	char text[CA_TOKEN_TEXT_LEN + 1];
	CLEANUP(free) char *pem = NULL;
	unsigned char *der = NULL;
	int len;

	assert_true(request && X509_REQ_set_pubkey(request, f->key) &&
		    X509_REQ_sign(request, f->key, EVP_sha256()));
	len = i2d_X509_REQ(request, &der);
	assert_true(len > 0);
	assert_ok(ca_token_add(db_of(f), &wish, "", NOW, &f->issued, text, &f->e), f->e);
	assert_ok(ca_issue(db_of(f), f->authority, text, (struct span){ der, (size_t)len }, NOW,
			   &f->issued, &pem, &f->e),
		  f->e);
	OPENSSL_free(der);
	X509_REQ_free(request);
}

static int enter(void **state)
{
	struct ocsp_room *f = calloc(1, sizeof(*f));
	char cert[128], key[128];
	bool is_new;

	if (store_room_enter((void **)&f->store) < 0)
		return -1;
	snprintf(cert, sizeof(cert), "%s/ca.pem", f->store->dir);
	snprintf(key, sizeof(key), "%s/ca-key.pem", f->store->dir);
	assert_ok(authority_make("example.org", cert, key, NOW, &is_new, &f->e), f->e);
	assert_ok(authority_load(cert, key, NOW, &f->authority, &f->e), f->e);
	assert_ok(ocsp_responder_new(f->authority, &f->responder, &f->e), f->e);
	assert_ok(key_generate(KEY_ECDSA, &f->key, &f->e), f->e);
	issue(f);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct ocsp_room *f = *state;
	int failed;

	ocsp_responder_free(f->responder);
	authority_free(f->authority);
	EVP_PKEY_free(f->key);
	failed = store_room_leave((void **)&f->store);
	free(f);
	return failed;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

/* What OpenSSL asks about these serial numbers of that issuer. */
static struct span question(const X509 *issuer, const char *const *serials, size_t count, int nonce)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	unsigned char *der = NULL;
	int len;

	assert_non_null(request);
	for (size_t i = 0; i < count; i++) {
		ASN1_INTEGER *serial = ASN1_INTEGER_new();
		struct err e;
		OCSP_CERTID *id;

		assert_ok(authority_serial_read(serials[i], serial, &e), e);
		id = OCSP_cert_id_new(i % 2 ? EVP_sha256() : EVP_sha1(),
				      X509_get_subject_name(issuer),
				      X509_get0_pubkey_bitstr(issuer), serial);
		assert_true(id && OCSP_request_add0_id(request, id));
		ASN1_INTEGER_free(serial);
	}
	if (nonce)
		assert_true(OCSP_request_add1_nonce(request, NULL, nonce));
	len = i2d_OCSP_REQUEST(request, &der);
	assert_true(len > 0);
	OCSP_REQUEST_free(request);
	return (struct span){ der, (size_t)len };
}

static void free_span(struct span s)
{
	OPENSSL_free((void *)(uintptr_t)s.bytes);
}

static enum ocsp_outcome ask(struct ocsp_room *f, struct span request, int64_t now,
			     OCSP_BASICRESP **basic)
{
	struct ocsp_answer answer;
	const uint8_t *at;
	OCSP_RESPONSE *response;
	enum ocsp_outcome outcome;

	assert_ok(ocsp_answer_make(db_of(f), f->responder, request, now, &answer, &f->e), f->e);
	at = answer.der;
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.len);
	assert_true(response && at == answer.der + answer.len);
	outcome = answer.outcome;
	assert_int_equal(OCSP_response_status(response), outcome);
	*basic = OCSP_response_get1_basic(response);
	assert_int_equal(*basic != NULL, outcome == OCSP_SUCCESSFUL);
	assert_false(answer.is_cacheable && outcome != OCSP_SUCCESSFUL);
	OCSP_RESPONSE_free(response);
	ocsp_answer_done(&answer);
	return outcome;
}

/* By the responder's key, whose certificate the authority signed. */
static X509 *check_signed(struct ocsp_room *f, OCSP_BASICRESP *basic)
{
	X509 *signer = NULL;

	assert_int_equal(OCSP_resp_get0_signer(basic, &signer, NULL), 1);
	assert_int_equal(X509_verify(signer, f->authority->key), 1);
	assert_int_equal(OCSP_basic_verify(basic, NULL, NULL, OCSP_NOVERIFY), 1);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(signer), f->authority->key), 0);
	return signer;
}

static int status_of(OCSP_BASICRESP *basic, int number, int64_t *revoked)
{
	ASN1_GENERALIZEDTIME *when = NULL;
	struct tm tm;
	int status;

	status = OCSP_single_get0_status(OCSP_resp_get0(basic, number), NULL, &when, NULL, NULL);
	if (when && ASN1_TIME_to_tm(when, &tm))
		*revoked = (int64_t)timegm(&tm) * 1000;
	return status;
}

static void each_is_good_or_revoked_or_unknown(void **state)
{
	struct ocsp_room *f = *state;
	char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1], text[CA_TOKEN_TEXT_LEN + 1];
	struct ca_record was, open;
	OCSP_BASICRESP *basic;
	int64_t revoked = 0;
	struct span request;
	size_t count;

	assert_ok(ca_token_add(db_of(f), &(struct ca_wish){ "b", CA_AGENT, 0, 0 }, "", NOW, &open,
			       text, &f->e),
		  f->e);
	const char *const asked[] = { f->issued.serial, open.serial,
				      "41414141414141414141414141414141", f->issued.serial };
	request = question(f->authority->cert, asked, ARRAY_LEN(asked), 0);
	assert_int_equal(ask(f, request, NOW, &basic), OCSP_SUCCESSFUL);
	check_signed(f, basic);
	assert_int_equal(OCSP_resp_count(basic), 4);
	assert_int_equal(status_of(basic, 0, &revoked), V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(status_of(basic, 1, &revoked), V_OCSP_CERTSTATUS_UNKNOWN);
	assert_int_equal(status_of(basic, 2, &revoked), V_OCSP_CERTSTATUS_UNKNOWN);
	assert_int_equal(status_of(basic, 3, &revoked), V_OCSP_CERTSTATUS_GOOD);
	OCSP_BASICRESP_free(basic);
	assert_ok(ca_revoke(db_of(f), f->issued.serial, NOW + HOUR, &was, serials, &count, &f->e),
		  f->e);
	assert_int_equal(ask(f, request, NOW + 2 * HOUR, &basic), OCSP_SUCCESSFUL);
	assert_int_equal(status_of(basic, 0, &revoked), V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(revoked, NOW + HOUR);
	assert_int_equal(status_of(basic, 2, &revoked), V_OCSP_CERTSTATUS_UNKNOWN);
	OCSP_BASICRESP_free(basic);
	free_span(request);
}

static void another_authoritys_are_not_answered(void **state)
{
	struct ocsp_room *f = *state;
	const char *const asked[] = { f->issued.serial };
	struct authority *other;
	OCSP_BASICRESP *basic;
	char cert[128], key[128];
	struct span request;
	bool is_new;

	/* Of the same name. */
	snprintf(cert, sizeof(cert), "%s/other.pem", f->store->dir);
	snprintf(key, sizeof(key), "%s/other-key.pem", f->store->dir);
	assert_ok(authority_make("example.org", cert, key, NOW, &is_new, &f->e), f->e);
	assert_ok(authority_load(cert, key, NOW, &other, &f->e), f->e);
	request = question(other->cert, asked, 1, 0);
	assert_int_equal(ask(f, request, NOW, &basic), OCSP_UNAUTHORIZED);
	free_span(request);
	authority_free(other);
	/* Nor what an authority of before has issued, whose key is another. */
	request = question(f->authority->cert, asked, 1, 0);
	f->authority->fingerprint[0] ^= 1;
	assert_int_equal(ask(f, request, NOW, &basic), OCSP_SUCCESSFUL);
	assert_int_equal(status_of(basic, 0, &(int64_t){ 0 }), V_OCSP_CERTSTATUS_UNKNOWN);
	OCSP_BASICRESP_free(basic);
	free_span(request);
}

/* It has a responder of its own beside the one that issues now. */
static void the_authority_of_before_is_answered(void **state)
{
	struct ocsp_room *f = *state;
	const char *const asked[] = { f->issued.serial };
	CLEANUP(ocsp_responder_free) struct ocsp_responder *both = NULL;
	CLEANUP(authority_free) struct authority *next = NULL;
	struct ocsp_answer answer;
	char cert[128], key[128];
	struct span of_old, of_next;
	bool is_new;

	snprintf(cert, sizeof(cert), "%s/next.pem", f->store->dir);
	snprintf(key, sizeof(key), "%s/next-key.pem", f->store->dir);
	assert_ok(authority_make("example.org", cert, key, NOW, &is_new, &f->e), f->e);
	assert_ok(authority_load(cert, key, NOW, &next, &f->e), f->e);
	of_old = question(f->authority->cert, asked, 1, 0);
	of_next = question(next->cert, asked, 1, 0);
	next->old = f->authority;
	assert_ok(ocsp_responder_new(next, &both, &f->e), f->e);
	const struct {
		struct span request;
		EVP_PKEY *by;
		int status;
	} all[] = {
		{ of_old, f->authority->key, V_OCSP_CERTSTATUS_GOOD },
		{ of_next, next->key, V_OCSP_CERTSTATUS_UNKNOWN },
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		assert_ok(db_begin(db_of(f), &f->e), f->e);
		assert_ok(ocsp_answer_make(db_of(f), both, all[i].request, NOW, &answer, &f->e),
			  f->e);
		assert_ok(db_commit(db_of(f), &f->e), f->e);
		assert_int_equal(answer.outcome, OCSP_SUCCESSFUL);
		const unsigned char *at = answer.der;
		OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.len);
		OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
		assert_non_null(basic);
		assert_int_equal(status_of(basic, 0, &(int64_t){ 0 }), all[i].status);
		X509 *signer = sk_X509_value(OCSP_resp_get0_certs(basic), 0);
		assert_int_equal(X509_verify(signer, all[i].by), 1);
		OCSP_BASICRESP_free(basic);
		OCSP_RESPONSE_free(response);
		ocsp_answer_done(&answer);
		free_span(all[i].request);
	}
	next->old = NULL; /* the room's */
}

static void so_many_and_no_more(void **state)
{
	struct ocsp_room *f = *state;
	const char *asked[OCSP_CERTS_MAX + 1];
	OCSP_BASICRESP *basic;
	struct span request;

	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		asked[i] = f->issued.serial;
	request = question(f->authority->cert, asked, OCSP_CERTS_MAX, OCSP_NONCE_MAX);
	assert_int_equal(ask(f, request, NOW, &basic), OCSP_SUCCESSFUL);
	assert_int_equal(OCSP_resp_count(basic), OCSP_CERTS_MAX);
	OCSP_BASICRESP_free(basic);
	free_span(request);
	request = question(f->authority->cert, asked, OCSP_CERTS_MAX + 1, 0);
	assert_int_equal(ask(f, request, NOW, &basic), OCSP_MALFORMED);
	free_span(request);
}

static void nonces_come_back(void **state)
{
	static const int lengths[] = { 1, 32, OCSP_NONCE_MAX };
	struct ocsp_room *f = *state;
	const char *const asked[] = { f->issued.serial };
	OCSP_BASICRESP *basic;
	struct span request;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		const uint8_t *at;
		OCSP_REQUEST *sent;

		request = question(f->authority->cert, asked, 1, lengths[i]);
		at = request.bytes;
		sent = d2i_OCSP_REQUEST(NULL, &at, (long)request.len);
		assert_int_equal(ask(f, request, NOW, &basic), OCSP_SUCCESSFUL);
		assert_int_equal(OCSP_check_nonce(sent, basic), 1);
		OCSP_BASICRESP_free(basic);
		OCSP_REQUEST_free(sent);
		free_span(request);
	}
	request = question(f->authority->cert, asked, 1, OCSP_NONCE_MAX + 1);
	assert_int_equal(ask(f, request, NOW, &basic), OCSP_MALFORMED);
	free_span(request);
}

static void every_truncation_is_malformed(void **state)
{
	struct ocsp_room *f = *state;
	const char *const asked[] = { f->issued.serial, f->issued.serial };
	struct span request = question(f->authority->cert, asked, 2, 32);
	struct ocsp_request read;

	for (size_t len = 0; len < request.len; len++)
		assert_int_equal(ocsp_request_read(request.bytes, len, &read, &f->e), -ERR_INVALID);
	assert_ok(ocsp_request_read(request.bytes, request.len, &read, &f->e), f->e);
	assert_int_equal(read.count, 2);
	assert_int_equal(read.certs[0].hash, OCSP_SHA1);
	assert_int_equal(read.certs[1].hash, OCSP_SHA256);
	assert_int_equal(read.nonce.len, 32);
	free_span(request);
}

static void the_responder_is_renewed_by_itself(void **state)
{
	struct ocsp_room *f = *state;
	const char *const asked[] = { f->issued.serial };
	struct span request = question(f->authority->cert, asked, 1, 0);
	const int64_t half = (int64_t)OCSP_RESPONDER_HOURS * HOUR / 2;
	const struct {
		int64_t now;
		bool is_another;
	} rows[] = { { NOW, true },
		     { NOW + half - 1, false },
		     { NOW + half, true },
		     { NOW + half - 1, true },
		     { NOW + 30 * (int64_t)DAY, true } };
	X509 *last = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		time_t at = (time_t)(rows[i].now / 1000), next = at + OCSP_FRESH_S;
		OCSP_BASICRESP *basic;
		X509 *signer;

		assert_int_equal(ask(f, request, rows[i].now, &basic), OCSP_SUCCESSFUL);
		signer = check_signed(f, basic);
		assert_int_equal(!last || X509_cmp(last, signer) != 0, rows[i].is_another);
		/* It outlives what it signs. */
		assert_true(X509_cmp_time(X509_get0_notBefore(signer), &at) < 0 &&
			    X509_cmp_time(X509_get0_notAfter(signer), &next) > 0);
		X509_free(last);
		last = X509_dup(signer);
		OCSP_BASICRESP_free(basic);
	}
	X509_free(last);
	free_span(request);
}

static void nothing_outlives_the_authority(void **state)
{
	struct ocsp_room *f = *state;
	const char *const asked[] = { f->issued.serial };
	struct span request = question(f->authority->cert, asked, 1, 0);
	struct ocsp_answer answer;
	OCSP_BASICRESP *basic;

	f->authority->ends = NOW + HOUR / 2;
	assert_ok(ocsp_answer_make(db_of(f), f->responder, request, NOW, &answer, &f->e), f->e);
	assert_int_equal(answer.until, NOW + HOUR / 2);
	assert_true(answer.is_cacheable && answer.len < OCSP_ANSWER_MAX);
	ocsp_answer_done(&answer);
	assert_int_equal(ask(f, request, NOW + HOUR / 2, &basic), OCSP_INTERNAL);
	free_span(request);
}

static void a_database_that_fails_is_no_status(void **state)
{
	struct ocsp_room *f = *state;
	const char *const asked[] = { f->issued.serial };
	struct span request = question(f->authority->cert, asked, 1, 0);
	struct ocsp_answer answer = { .der = NULL };

	assert_ok(db_run(db_of(f), &f->e, "UPDATE certificates SET revoked = -1", ""), f->e);
	assert_refused(ocsp_answer_make(db_of(f), f->responder, request, NOW, &answer, &f->e), f->e,
		       ERR_DATA_LOSS, "revoked");
	assert_null(answer.der);
	free_span(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(each_is_good_or_revoked_or_unknown),
		ROW(another_authoritys_are_not_answered),
		ROW(the_authority_of_before_is_answered),
		ROW(so_many_and_no_more),
		ROW(nonces_come_back),
		ROW(every_truncation_is_malformed),
		ROW(the_responder_is_renewed_by_itself),
		ROW(nothing_outlives_the_authority),
		ROW(a_database_that_fails_is_no_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
