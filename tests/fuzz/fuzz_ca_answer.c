/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an authority answers an agent. Input: flags(1), then a certificate, DER or as the flags say a text.
 *
 * What is accepted is for our key, names nobody else, is no authority's, and is what TLS takes as a client's.
 */
#include "agent/certificate/ca_answer.h"
#include "common/base/encode.h"
#include "common/base/reader.h"
#include "common/rpc/tls.h"
#include "tests/fuzz/x509_resign.h"
#include "tests/self_signed.h"

#include <openssl/bn.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define NAME "cvm-1"
enum { NOW = 1772370000 /* 2026-03-01 */, DER_MAX = 8192 };

enum flag {
	AGAIN = 1,     /* signed again, by the authority and for our key */
	BEFORE = 2,    /* it renews one of that authority */
	TEXT = 4,      /* is the text itself */
	AUTHORITY = 8, /* is of the authority's place */
	SERIAL = 16,   /* another one is said */
	ROLE = 32,
	WHO = 64,
	OTHER = 128, /* the one that it renews is another authority's */
};

static X509 *authority, *other;
static char *authority_pem;

static void prepare(void)
{
	static const struct self_signed_extension is_ca = { NID_basic_constraints,
							    "critical,CA:TRUE" };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	authority = self_signed(x509_test_key(), "authority", &is_ca, 1);
	other = self_signed(key, "authority", &is_ca, 1);
	authority_pem = self_signed_pem(authority);
	assert(authority_pem && other);
}

static EVP_PKEY *own_key(void)
{
	static EVP_PKEY *key;

	if (!key)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert(key);
	return key;
}

/* Malloc'ed; "" where the bytes are no certificate. */
static char *make_pem(const uint8_t *bytes, size_t len, unsigned flags, char serial[129])
{
	const uint8_t *at = bytes;
	X509 *cert = len <= DER_MAX ? d2i_X509(NULL, &at, (long)len) : NULL;
	BIGNUM *number;
	uint8_t raw[64];
	char *pem = NULL;

	if (cert && flags & AGAIN && X509_set_pubkey(cert, own_key()) &&
	    X509_set_issuer_name(cert, X509_get_subject_name(authority)))
		(void)X509_sign(cert, x509_test_key(), EVP_sha256());
	number = cert ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL) : NULL;
	if (number && BN_num_bytes(number) <= (int)sizeof(raw))
		hex_encode(raw, (size_t)BN_bn2bin(number, raw), serial);
	BN_free(number);
	if (cert)
		pem = self_signed_pem(cert);
	X509_free(cert);
	return pem ? pem : strdup("");
}

static void check_accepted(const struct ca_issued *issued)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	const struct rpc_tls_config config = { .cert = issued->chain_pem,
					       .pkey = issued->key,
					       .ca = authority_pem };
	struct err e;

	assert(EVP_PKEY_eq(X509_get0_pubkey(issued->cert), own_key()) == 1);
	assert(X509_check_ca(issued->cert) == 0 && issued->serial[0]);
	assert(X509_check_purpose(issued->cert, X509_PURPOSE_SSL_CLIENT, 0) == 1);
	assert(X509_check_purpose(issued->cert, X509_PURPOSE_SSL_SERVER, 0) == 0);
	assert(issued->from <= NOW + CA_ANSWER_SKEW_S && issued->until > NOW);
	assert(issued->until - issued->from <= CA_ANSWER_LIFE_S_MAX);
	assert(X509_verify(issued->cert, x509_test_key()) == 1);
	assert(rpc_tls_new_client(&config, &tls, &e) == 0);
}

static void read_one(char *certificate, char *signer, const char *serial, unsigned flags)
{
	Certificates__IssueResponse m = CERTIFICATES__ISSUE_RESPONSE__INIT;
	const struct ca_issued before = { .cert = flags & OTHER ? other : authority };
	const struct ca_wish wish = { .key = own_key(),
				      .name = NAME,
				      .before = flags & BEFORE ? &before : NULL,
				      .now = NOW };
	struct ca_issued issued = { 0 };
	struct err e;

	m.certificate = certificate;
	m.authority = signer;
	m.serial = (char *)(uintptr_t)(flags & SERIAL ? "11" : serial);
	m.role = (char *)(uintptr_t)(flags & ROLE ? "person" : "agent");
	m.name = (char *)(uintptr_t)(flags & WHO ? "cvm-2" : NAME);
	if (ca_answer_read(&m, &wish, &issued, &e) < 0) {
		assert(!issued.cert && !issued.chain_pem && *e.text);
		return;
	}
	assert(!(flags & (SERIAL | ROLE | WHO)) && (flags & (BEFORE | OTHER)) != (BEFORE | OTHER));
	check_accepted(&issued);
	ca_issued_done(&issued);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	const unsigned flags = reader_u8(&r);
	const size_t left = reader_left(&r);
	const uint8_t *rest = reader_take(&r, left);
	CLEANUP(free) char *text = NULL;
	char serial[129] = "";

	if (!authority)
		prepare();
	if (!left)
		return 0;
	text = flags & TEXT ? strndup((const char *)rest, left)
			    : make_pem(rest, left, flags, serial);
	assert(text);
	if (flags & AUTHORITY)
		read_one(authority_pem, text, serial, flags);
	else
		read_one(text, authority_pem, serial, flags);
	return 0;
}
