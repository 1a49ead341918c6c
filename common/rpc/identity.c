/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/identity.h"

#include "common/crypto/key.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define SPIFFE "spiffe://"

DEFINE_CLEANUP(GENERAL_NAMES *, GENERAL_NAMES_free)

static void certs_free(STACK_OF(X509) * certs)
{
	sk_X509_pop_free(certs, X509_free);
}
DEFINE_CLEANUP(STACK_OF(X509) *, certs_free)

/* One that was renewed, or stands there twice, is the same. */
static bool has_authority(STACK_OF(X509) * certs, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		const X509 *other = sk_X509_value(certs, i);

		if (X509_NAME_cmp(X509_get_subject_name(other), X509_get_subject_name(cert)) == 0 &&
		    EVP_PKEY_eq(X509_get0_pubkey(other), X509_get0_pubkey(cert)) == 1)
			return true;
	}
	return false;
}

int identity_authorities(const char *pem, unsigned *count, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
	CLEANUP(certs_free) STACK_OF(X509) *found = sk_X509_new_null();
	X509 *cert;

	*count = 0;
	if (!found || (pem && !bio))
		return err_nomem(e);
	while (pem && (cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL))) {
		if (X509_self_signed(cert, 0) != 1 || has_authority(found, cert)) {
			X509_free(cert);
		} else if (sk_X509_push(found, cert) <= 0) {
			X509_free(cert);
			return err_nomem(e);
		}
	}
	ERR_clear_error(); /* that there is no further one */
	*count = (unsigned)sk_X509_num(found);
	return 0;
}

static char *name_text(const X509_NAME *name)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		return NULL;
	len = BIO_get_mem_data(bio, &text);
	return len > 0 && len <= RPC_SUBJECT_MAX ? strndup(text, (size_t)len) : NULL;
}

char *identity_subject(X509 *cert)
{
	return name_text(X509_get_subject_name(cert));
}

char *identity_issuer(X509 *cert)
{
	return name_text(X509_get_issuer_name(cert));
}

/* Nothing but the characters of a SPIFFE id, so that no other text looks the same. */
bool identity_is_spiffe(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_/";
	const size_t head = sizeof(SPIFFE) - 1;

	return len > head && len <= RPC_SPIFFE_MAX && memcmp(text, SPIFFE, head) == 0 &&
	       !memchr(text, '\0', len) && text[head] != '/' && text[len - 1] != '/' &&
	       strspn(text + head, allowed) == len - head;
}

char *identity_spiffe(X509 *cert)
{
	CLEANUP(GENERAL_NAMES_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const ASN1_IA5STRING *uri = NULL;
	unsigned uris = 0;
	const char *text;
	size_t len;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_URI) {
			uri = name->d.uniformResourceIdentifier;
			uris++;
		}
	}
	if (uris != 1)
		return NULL;
	text = (const char *)ASN1_STRING_get0_data(uri);
	len = (size_t)ASN1_STRING_length(uri);
	return identity_is_spiffe(text, len) ? strndup(text, len) : NULL;
}
