/* SPDX-License-Identifier: Apache-2.0 */
/* What an authority answers: the certificate that was asked for, and nothing like it. */
#include "agent/certificate/ca_answer.h"
#include "agent/certificate/ca_client.h"
#include "agent/certificate/ca_request.h"
#include "common/base/encode.h"
#include "tests/self_signed.h"
#include "tests/unit.h"

#include <openssl/bn.h>

#define NOW  INT64_C(1800000000)
#define NAME "cvm-1"
enum { HOUR = 3600, DAY = 24 * HOUR };

/* What is signed, and said of it. Texts are in OpenSSL's words; NULL: there is none. */
struct plan {
	EVP_PKEY *key, *signer;
	X509 *authority;
	int64_t from, until;
	const char *common, *uri, *usage, *purpose, *constraints;
	const char *name, *role; /* said */
	size_t serial_len;
	const EVP_MD *md;
	long version;
};

struct room {
	EVP_PKEY *own, *ca_key;
	X509 *ca;
	char *ca_pem;
	struct ca_issued issued;
	struct err e;
};

static int enter(void **state)
{
	static const struct self_signed_extension is_ca = { NID_basic_constraints,
							    "critical,CA:TRUE" };
	struct room *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	assert_ok(key_generate(KEY_ECDSA, &r->own, &r->e), r->e);
	assert_ok(key_generate(KEY_ECDSA, &r->ca_key, &r->e), r->e);
	r->ca = self_signed(r->ca_key, "authority", &is_ca, 1);
	r->ca_pem = self_signed_pem(r->ca);
	assert_non_null(r->ca_pem);
	*state = r;
	return 0;
}

static int leave(void **state)
{
	struct room *r = *state;

	ca_issued_done(&r->issued);
	EVP_PKEY_free(r->own);
	EVP_PKEY_free(r->ca_key);
	X509_free(r->ca);
	free(r->ca_pem);
	free(r);
	return 0;
}

static struct plan good(const struct room *r)
{
	return (struct plan){ .key = r->own,
			      .signer = r->ca_key,
			      .authority = r->ca,
			      .from = NOW - 300,
			      .until = NOW + DAY,
			      .common = NAME,
			      .uri = "URI:spiffe://example.org/agent/" NAME,
			      .usage = "critical,digitalSignature",
			      .purpose = "clientAuth",
			      .constraints = "critical,CA:FALSE",
			      .name = NAME,
			      .role = "agent",
			      .serial_len = 16,
			      .md = EVP_sha256(),
			      .version = X509_VERSION_3 };
}

static void extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *made = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;

	assert_true(!value || (made && X509_add_ext(cert, made, -1) == 1));
	X509_EXTENSION_free(made);
}

static X509 *sign(const struct plan *p, char serial[2 * 64 + 1])
{
	X509 *cert = X509_new();
	uint8_t number[64];
	BIGNUM *big;

	memset(number, 0x41, sizeof(number));
	hex_encode(number, p->serial_len, serial);
	big = BN_bin2bn(number, (int)p->serial_len, NULL);
	assert_true(cert && big && X509_set_version(cert, X509_VERSION_3) == 1 &&
		    BN_to_ASN1_INTEGER(big, X509_get_serialNumber(cert)) &&
		    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)p->from) &&
		    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)p->until) &&
		    X509_set_issuer_name(cert, X509_get_subject_name(p->authority)) == 1 &&
		    X509_set_pubkey(cert, p->key) == 1);
	BN_free(big);
	if (p->common)
		assert_int_equal(
			X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
						   (const unsigned char *)p->common, -1, -1, 0),
			1);
	extend(cert, NID_basic_constraints, p->constraints);
	extend(cert, NID_key_usage, p->usage);
	extend(cert, NID_ext_key_usage, p->purpose);
	extend(cert, NID_subject_alt_name, p->uri);
	assert_true(X509_sign(cert, p->signer, p->md) > 0);
	/* OpenSSL 3.5 signs what has extensions as version 3 whatever was asked for. */
	if (p->version != X509_VERSION_3)
		assert_int_equal(X509_set_version(cert, p->version), 1);
	return cert;
}

static int read_plan(struct room *r, const struct plan *p, const struct ca_issued *before)
{
	CLEANUP(X509_free) X509 *cert = NULL;
	CLEANUP(free) char *pem = NULL, *authority = self_signed_pem(p->authority);
	Certificates__IssueResponse m = CERTIFICATES__ISSUE_RESPONSE__INIT;
	const struct ca_wish wish = { .key = r->own, .name = NAME, .before = before, .now = NOW };
	char serial[2 * 64 + 1];

	cert = sign(p, serial);
	pem = self_signed_pem(cert);
	assert_true(pem && authority);
	m.certificate = pem;
	m.authority = authority;
	m.name = (char *)(uintptr_t)p->name;
	m.role = (char *)(uintptr_t)p->role;
	m.serial = serial;
	ca_issued_done(&r->issued);
	return ca_answer_read(&m, &wish, &r->issued, &r->e);
}

#define refuses(room, plan, words) \
	assert_refused(read_plan(room, plan, NULL), (room)->e, ERR_INVALID, words)

static void the_one_that_was_asked_for_is_taken(void **state)
{
	struct room *r = *state;
	struct plan p = good(r);

	assert_ok(read_plan(r, &p, NULL), r->e);
	assert_int_equal(r->issued.from, NOW - 300);
	assert_int_equal(r->issued.until, NOW + DAY);
	assert_string_equal(r->issued.serial, "41414141414141414141414141414141");
	assert_ptr_equal(r->issued.key, r->own);
	/* Who signed itself is not shown. */
	assert_null(strstr(strstr(r->issued.chain_pem, "END"), "BEGIN"));
}

static void a_time_has_limits(void **state)
{
	struct room *r = *state;
	const struct {
		int64_t from, until;
		const char *words; /* NULL: taken */
	} rows[] = {
		{ NOW + 300, NOW + DAY, NULL },
		{ NOW + 301, NOW + DAY, "it is not valid before 2027-01-15T08:05:01Z" },
		{ NOW - DAY, NOW + 1, NULL },
		{ NOW - DAY, NOW, "it has ended, at 2027-01-15T08:00:00Z" },
		{ NOW, NOW + 31 * DAY, NULL },
		{ NOW, NOW + 31 * DAY + 1, "it is for more than 31 days" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan p = good(r);

		p.from = rows[i].from;
		p.until = rows[i].until;
		if (rows[i].words)
			refuses(r, &p, rows[i].words);
		else
			assert_ok(read_plan(r, &p, NULL), r->e);
	}
}

static void another_name_is_refused(void **state)
{
	struct room *r = *state;
	static const char *const uris[] = { "URI:spiffe://example.org/agent/cvm-2",
					    "URI:spiffe://example.org/person/" NAME,
					    "URI:spiffe:///agent/" NAME,
					    "URI:spiffe://a/b/agent/" NAME,
					    "URI:https://a/agent/" NAME,
					    "URI:spiffe://a/agent/" NAME "/",
					    "URI:spiffe://a/agent/x" NAME,
					    "DNS:" NAME,
					    "URI:spiffe://a/agent/" NAME ",DNS:host",
					    NULL };
	struct plan p = good(r);

	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		p.uri = uris[i];
		refuses(r, &p, "it is not for '" NAME "'");
	}
	p = good(r);
	p.common = "cvm-12";
	refuses(r, &p, "it is not for '" NAME "'");
	p.common = NULL;
	refuses(r, &p, "it is not for '" NAME "'");
	p = good(r);
	p.name = "cvm-2";
	refuses(r, &p, "it is for 'cvm-2', and not for '" NAME "'");
	p = good(r);
	p.role = "manager";
	refuses(r, &p, "it is of role 'manager', and not an agent's");
}

static void another_use_is_refused(void **state)
{
	struct room *r = *state;
	const struct {
		const char *usage, *purpose, *constraints, *words;
	} rows[] = {
		{ "digitalSignature", "clientAuth", NULL, NULL },
		{ "digitalSignature", "clientAuth", "CA:TRUE", "it is an authority's" },
		{ "digitalSignature,keyCertSign", "clientAuth", "CA:FALSE",
		  "it is an authority's" },
		{ "digitalSignature,cRLSign", "clientAuth", "CA:FALSE", "it is an authority's" },
		{ "keyAgreement", "clientAuth", "CA:FALSE", "its key may not sign" },
		{ NULL, "clientAuth", "CA:FALSE", "its key may not sign" },
		{ "digitalSignature", "serverAuth", "CA:FALSE", "and for nothing else" },
		{ "digitalSignature", "clientAuth,serverAuth", "CA:FALSE", "and for nothing else" },
		{ "digitalSignature", "clientAuth,anyExtendedKeyUsage", "CA:FALSE",
		  "and for nothing else" },
		{ "digitalSignature", "clientAuth,1.2.3.4", "CA:FALSE", "and for nothing else" },
		{ "digitalSignature", NULL, "CA:FALSE", "and for nothing else" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan p = good(r);

		p.usage = rows[i].usage;
		p.purpose = rows[i].purpose;
		p.constraints = rows[i].constraints;
		if (rows[i].words)
			refuses(r, &p, rows[i].words);
		else
			assert_ok(read_plan(r, &p, NULL), r->e);
	}
}

static void another_key_serial_or_signer_is_refused(void **state)
{
	struct room *r = *state;
	struct plan p = good(r);

	p.key = r->ca_key;
	refuses(r, &p, "it is for another key");
	p = good(r);
	p.signer = r->own;
	refuses(r, &p, "it is not signed by the authority that came with it");
	p = good(r);
	p.serial_len = RENEWAL_SERIAL_MAX / 2;
	assert_ok(read_plan(r, &p, NULL), r->e);
	p.serial_len++;
	refuses(r, &p, "its serial number is not of 1 to 32 bytes");
	p.serial_len = 0;
	refuses(r, &p, "its serial number is not of 1 to 32 bytes");
	p = good(r);
	p.md = EVP_sha1();
	refuses(r, &p, "its signature is weak");
	p = good(r);
	p.version = X509_VERSION_1;
	refuses(r, &p, "its version is not 3");
}

/* Who may sign nothing, or has a key of a kind that is not taken. */
static void another_authority_is_refused(void **state)
{
	struct room *r = *state;
	static const struct self_signed_extension is_ca = { NID_basic_constraints,
							    "critical,CA:TRUE" };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *rsa = EVP_RSA_gen(1024), *next = NULL;
	CLEANUP(X509_free) X509 *weak = NULL, *none = NULL, *other = NULL;
	struct plan p = good(r);
	struct ca_issued before;

	none = self_signed(r->ca_key, "authority", NULL, 0);
	p.authority = none;
	refuses(r, &p, "it is not signed by the authority that came with it");
	weak = self_signed(rsa, "authority", &is_ca, 1);
	p.authority = weak;
	p.signer = rsa;
	refuses(r, &p, "its authority's key is of no kind that is taken");
	/* A renewal is of the same authority as what it renews. */
	p = good(r);
	assert_ok(read_plan(r, &p, NULL), r->e);
	before = r->issued;
	r->issued = (struct ca_issued){ 0 };
	assert_ok(read_plan(r, &p, &before), r->e);
	assert_ok(key_generate(KEY_ECDSA, &next, &r->e), r->e);
	other = self_signed(next, "authority", &is_ca, 1);
	p.authority = other;
	p.signer = next;
	assert_ok(read_plan(r, &p, NULL), r->e);
	assert_refused(read_plan(r, &p, &before), r->e, ERR_INVALID,
		       "it is of another authority than the certificate that it renews");
	ca_issued_done(&before);
}

static void one_between_is_shown(void **state)
{
	struct room *r = *state;
	struct plan p = good(r);
	CLEANUP(X509_free) X509 *between = NULL;
	char serial[2 * 64 + 1];

	p.key = r->own;
	p.common = "between";
	p.constraints = "critical,CA:TRUE";
	p.usage = "critical,keyCertSign";
	p.purpose = NULL;
	between = sign(&p, serial);
	p = good(r);
	p.authority = between;
	p.signer = r->own;
	assert_ok(read_plan(r, &p, NULL), r->e);
	assert_non_null(strstr(strstr(r->issued.chain_pem, "END"), "BEGIN"));
}

/* All of it, nothing behind it, not too much. */
static void a_text_is_one_certificate(void **state)
{
	struct room *r = *state;
	struct plan p = good(r);
	Certificates__IssueResponse m = CERTIFICATES__ISSUE_RESPONSE__INIT;
	ProtobufCMessageUnknownField unknown = { 0 };
	const struct ca_wish wish = { .key = r->own, .name = NAME, .now = NOW };
	CLEANUP(X509_free) X509 *cert = NULL;
	CLEANUP(free) char *pem = NULL, *text = NULL;
	char serial[2 * 64 + 1];
	size_t len;

	cert = sign(&p, serial);
	pem = self_signed_pem(cert);
	text = calloc(1, CA_ANSWER_PEM_MAX + 2);
	assert_true(pem && text);
	m.certificate = text;
	m.authority = r->ca_pem;
	m.name = (char *)(uintptr_t)NAME;
	m.role = (char *)(uintptr_t)"agent";
	m.serial = serial;
	len = strlen(pem);
	for (size_t cut = 0; cut + 1 < len; cut++) {
		memcpy(text, pem, cut);
		text[cut] = '\0';
		assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
			       "certificate: ");
	}
	memcpy(text, pem, len + 1);
	assert_ok(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e);
	ca_issued_done(&r->issued);
	strcpy(text + len, "\n");
	assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
		       "something is behind the certificate");
	strcpy(text + len, pem);
	assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
		       "something is behind the certificate");
	memset(text + len, 'x', CA_ANSWER_PEM_MAX - len);
	assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
		       "something is behind the certificate");
	text[CA_ANSWER_PEM_MAX] = 'x';
	assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
		       "certificate: more than 16384 bytes of PEM");
	memcpy(text, pem, len + 1);
	m.authority = text + len;
	assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
		       "authority: there is no certificate in PEM");
	m.authority = r->ca_pem;
	m.serial = (char *)(uintptr_t)"4141";
	assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
		       "and the answer says '4141'");
	m.base.n_unknown_fields = 1;
	m.base.unknown_fields = &unknown;
	assert_refused(ca_answer_read(&m, &wish, &r->issued, &r->e), r->e, ERR_INVALID,
		       "it has a field that nobody knows");
}

/* What is asked says whose key it is, and nothing else. */
static void a_request_is_for_a_new_key(void **state)
{
	struct room *r = *state;
	struct plan p = good(r);
	struct ca_place place;
	struct ca_request request, second;
	CLEANUP(free) uint8_t *message = NULL;
	struct renewal renewal;
	size_t len;

	assert_ok(ca_place_read("https://h", "s3cret", NAME, &place, &r->e), r->e);
	assert_ok(ca_request_make(&place, NULL, &request, &r->e), r->e);
	assert_string_equal(request.issue.token, "s3cret");
	assert_true(request.issue.request.len > 0 && request.renew.request.len == 0);
	assert_int_equal(EVP_PKEY_get_bits(request.key), 256);
	assert_ok(read_plan(r, &p, NULL), r->e);
	assert_ok(ca_request_make(&place, &r->issued, &second, &r->e), r->e);
	assert_int_equal(EVP_PKEY_eq(request.key, second.key), 0);
	assert_int_equal(EVP_PKEY_eq(r->own, second.key), 0);
	assert_string_equal(second.issue.token, "");
	renewal = (struct renewal){ second.renew.serial,
				    second.renew.nonce.data,
				    false,
				    { second.renew.request.data, second.renew.request.len } };
	assert_ok(renewal_message(&renewal, &message, &len, &r->e), r->e);
	assert_ok(key_verify(r->own, message, len, second.renew.signature.data,
			     second.renew.signature.len, &r->e),
		  r->e);
	ca_request_done(&request);
	ca_request_done(&second);
}

static void a_renewal_is_due_at_two_thirds(void **state)
{
	const struct ca_issued day = { .from = NOW, .until = NOW + 24 * HOUR };

	assert_int_equal(ca_renewal_due(&day, NOW), NOW + 16 * HOUR);
	assert_int_equal(ca_renewal_due(&day, NOW + 16 * HOUR - CA_RENEWAL_GAP_S - 1),
			 NOW + 16 * HOUR);
	assert_int_equal(ca_renewal_due(&day, NOW + 20 * HOUR), NOW + 20 * HOUR + CA_RENEWAL_GAP_S);
}

static void what_passes_is_asked_again(void **state)
{
	static const enum err_code passes[] = { ERR_CANCELLED,  ERR_UNKNOWN, ERR_DEADLINE,
						ERR_EXHAUSTED,  ERR_ABORTED, ERR_INTERNAL,
						ERR_UNAVAILABLE };
	size_t count = 0;

	for (int code = ERR_OK; code <= (int)ERR_CODE_MAX; code++)
		count += ca_may_pass((enum err_code)code);
	assert_int_equal(count, ARRAY_LEN(passes));
	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		assert_true(ca_may_pass(passes[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
		TEST(the_one_that_was_asked_for_is_taken),
		TEST(a_time_has_limits),
		TEST(another_name_is_refused),
		TEST(another_use_is_refused),
		TEST(another_key_serial_or_signer_is_refused),
		TEST(another_authority_is_refused),
		TEST(one_between_is_shown),
		TEST(a_text_is_one_certificate),
		TEST(a_request_is_for_a_new_key),
		cmocka_unit_test(a_renewal_is_due_at_two_thirds),
		cmocka_unit_test(what_passes_is_asked_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
