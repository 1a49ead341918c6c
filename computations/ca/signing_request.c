/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/signing_request.h"

#include <string.h>
#include <openssl/err.h>

DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)

static const int algorithms[] = {
	NID_ecdsa_with_SHA256,
	NID_ecdsa_with_SHA384,
	NID_ecdsa_with_SHA512,
	NID_sha256WithRSAEncryption,
	NID_sha384WithRSAEncryption,
	NID_sha512WithRSAEncryption,
	NID_ED25519,
};

/* One request, one encoding, and nothing behind it. */
static int parse(const uint8_t *der, size_t len, X509_REQ **request, struct err *e)
{
	const uint8_t *at = der;
	uint8_t *again = NULL;
	int again_len;
	bool same;

	if (len < 1 || len > SIGNING_REQUEST_MAX)
		return err_set(e, ERR_INVALID, "a certificate request of %zu bytes; wanted 1 to %d",
			       len, SIGNING_REQUEST_MAX);
	CLEANUP(X509_REQ_free) X509_REQ *read = d2i_X509_REQ(NULL, &at, (long)len);
	if (!read || at != der + len)
		return err_openssl(e, ERR_INVALID, "not a certificate request (PKCS#10, DER)");
	again_len = i2d_X509_REQ(read, &again);
	same = again_len > 0 && (size_t)again_len == len && memcmp(again, der, len) == 0;
	OPENSSL_free(again);
	if (!same)
		return err_openssl(e, ERR_INVALID, "a certificate request in an unusual encoding");
	*request = TAKE_PTR(read);
	return 0;
}

/* Whoever asks with 'openssl req' says who he is. */
static int check_subject(const X509_REQ *request, const char *name, struct err *e)
{
	X509_NAME *subject = X509_REQ_get_subject_name(request);
	const ASN1_STRING *text;
	X509_NAME_ENTRY *entry;

	if (X509_NAME_entry_count(subject) == 0)
		return 0;
	entry = X509_NAME_get_entry(subject, 0);
	text = X509_NAME_ENTRY_get_data(entry);
	if (X509_NAME_entry_count(subject) != 1 ||
	    OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName ||
	    (ASN1_STRING_type(text) != V_ASN1_UTF8STRING &&
	     ASN1_STRING_type(text) != V_ASN1_PRINTABLESTRING) ||
	    (size_t)ASN1_STRING_length(text) != strlen(name) ||
	    memcmp(ASN1_STRING_get0_data(text), name, strlen(name)) != 0)
		return err_set(e, ERR_INVALID,
			       "the request names another than %s: leave its subject empty, or "
			       "CN=%s alone",
			       name, name);
	return 0;
}

static int check_form(const X509_REQ *request, struct err *e)
{
	int algorithm = X509_REQ_get_signature_nid(request);

	if (X509_REQ_get_version(request) != X509_REQ_VERSION_1)
		return err_set(e, ERR_INVALID, "a certificate request of version %ld; wanted 1",
			       X509_REQ_get_version(request) + 1);
	if (X509_REQ_get_attr_count(request) != 0)
		return err_set(e, ERR_INVALID,
			       "the request asks for more than a certificate for its key: leave "
			       "extensions and other attributes out, which the service gives");
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (algorithms[i] == algorithm)
			return 0;
	return err_set(e, ERR_INVALID,
		       "the request is signed in another way than ECDSA, RSA (PKCS #1) or Ed25519 "
		       "with SHA-256, -384 or -512");
}

static int take_key(const X509_REQ *request, EVP_PKEY **key, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;
	unsigned char *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY((X509_REQ *)(uintptr_t)request), &spki);
	int failed;

	if (len <= 0)
		return err_openssl(e, ERR_INVALID, "a certificate request without a key");
	/* Before half a second of work is put into a large one. */
	failed = key_parse_spki(spki, (size_t)len, &read, e);
	if (!failed && key_kind_of(read) == KEY_RSA &&
	    EVP_PKEY_get_bits(read) > SIGNING_RSA_BITS_MAX)
		failed = err_set(e, ERR_INVALID, "an RSA key of %d bits; the limit is %d",
				 EVP_PKEY_get_bits(read), SIGNING_RSA_BITS_MAX);
	if (!failed)
		failed = key_from_spki(spki, (size_t)len, key, e);
	OPENSSL_free(spki);
	return failed;
}

int signing_request_read(const uint8_t *der, size_t len, const char *name, EVP_PKEY **key,
			 struct err *e)
{
	CLEANUP(X509_REQ_free) X509_REQ *request = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;

	if (parse(der, len, &request, e) < 0 || check_form(request, e) < 0 ||
	    check_subject(request, name, e) < 0 || take_key(request, &read, e) < 0)
		return err_code(e);
	if (X509_REQ_verify(request, read) != 1) {
		ERR_clear_error();
		return err_set(e, ERR_DENIED,
			       "the request is not signed by the key that it asks a certificate "
			       "for");
	}
	*key = TAKE_PTR(read);
	return 0;
}
