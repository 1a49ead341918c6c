/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_seal.h"

#include "common/base/der.h"

#include <string.h>
#include <openssl/asn1.h>

/* ---- the bytes ---- */

/* A length's bytes at most, and the one that says how many bits of the signature's last are left over. */
enum { HEADER_MAX = 8 };

static uint8_t *put(uint8_t *at, struct span bytes)
{
	memcpy(at, bytes.bytes, bytes.len);
	return at + bytes.len;
}

/* SEQUENCE { what is signed, algorithm, BIT STRING }, as certificates and lists are. */
static int assemble(struct span tbs, struct span algorithm, struct span sig, uint8_t **der,
		    size_t *len, struct err *e)
{
	const int bits = ASN1_object_size(0, (int)sig.len + 1, V_ASN1_BIT_STRING);
	const int content = (int)(tbs.len + algorithm.len) + bits;
	const int whole = ASN1_object_size(1, content, V_ASN1_SEQUENCE);
	uint8_t *made = malloc((size_t)whole), *at = made;

	if (!made)
		return err_nomem(e);
	ASN1_put_object(&at, 1, content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	at = put(at, tbs);
	at = put(at, algorithm);
	ASN1_put_object(&at, 0, (int)sig.len + 1, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
	*at++ = 0;
	put(at, sig);
	*der = made;
	*len = (size_t)whole;
	return 0;
}

static int replace(const struct authority *a, const uint8_t *formed, size_t formed_len,
		   uint8_t **der, size_t *len, struct err *e)
{
	struct reader r = reader_over(formed, formed_len);
	struct reader parts = der_enter(&r, DER_SEQUENCE);
	const struct span tbs = der_whole(&parts, DER_SEQUENCE);
	const struct span algorithm = der_whole(&parts, DER_SEQUENCE);
	uint8_t sig[CA_SIGNATURE_MAX];
	size_t sig_len;

	(void)der_bits(&parts);
	if (!reader_done(&parts) || !reader_done(&r))
		return err_set(e, ERR_INTERNAL, "what is to be signed has another form");
	if (ca_signer_sign(a->signer, tbs.bytes, tbs.len, sig, &sig_len, e) < 0)
		return err_wrap(e, "the authority's key");
	return assemble(tbs, algorithm, (struct span){ sig, sig_len }, der, len, e);
}

/* ---- what has them ---- */

int ca_seal_cert(const struct authority *a, X509 **cert, struct err *e)
{
	CLEANUP(free) uint8_t *der = NULL;
	unsigned char *formed = NULL;
	const unsigned char *at;
	size_t len;
	X509 *sealed;
	int size, failed;

	if (!X509_sign(*cert, a->form, ca_signature_md(a->form)))
		return err_openssl(e, ERR_INTERNAL, "certificate");
	size = i2d_X509(*cert, &formed);
	if (size <= 0)
		return err_openssl(e, ERR_INTERNAL, "certificate");
	failed = replace(a, formed, (size_t)size, &der, &len, e);
	OPENSSL_free(formed);
	if (failed)
		return failed;
	at = der;
	sealed = d2i_X509(NULL, &at, (long)len);
	if (!sealed)
		return err_openssl(e, ERR_INTERNAL, "certificate");
	X509_free(*cert);
	*cert = sealed;
	return 0;
}

static int form_list(const struct authority *a, X509_CRL *list, unsigned char **formed, size_t *len,
		     struct err *e)
{
	unsigned char *made = NULL;
	int size;

	if (!X509_CRL_sign(list, a->form, ca_signature_md(a->form)))
		return err_openssl(e, ERR_INTERNAL, "revocation list");
	size = i2d_X509_CRL(list, &made);
	if (size <= 0)
		return err_openssl(e, ERR_INTERNAL, "revocation list");
	*formed = made;
	*len = (size_t)size;
	return 0;
}

int ca_seal_list(const struct authority *a, X509_CRL *list, uint8_t **der, size_t *len,
		 struct err *e)
{
	unsigned char *formed = NULL;
	size_t size;
	int failed;

	if (form_list(a, list, &formed, &size, e) < 0)
		return err_code(e);
	failed = replace(a, formed, size, der, len, e);
	OPENSSL_free(formed);
	return failed;
}

int ca_seal_own_list(const struct authority *a, X509_CRL *list, uint8_t **der, size_t *len,
		     struct err *e)
{
	unsigned char *formed = NULL;
	uint8_t *copy;
	size_t size;

	if (form_list(a, list, &formed, &size, e) < 0)
		return err_code(e);
	copy = malloc(size);
	if (copy)
		memcpy(copy, formed, size);
	OPENSSL_free(formed);
	if (!copy)
		return err_nomem(e);
	*der = copy;
	*len = size;
	return 0;
}
