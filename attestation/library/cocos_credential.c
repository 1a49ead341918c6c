/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_credential.c — EK credential activation (cocos/attestation.h). */
#include "attestation/library/library_error.h"
#include "attestation/library/library_objects.h"

#include <string.h>

int cocos_credential_make(const void *ek_cert, size_t ek_cert_len, const void *ak, size_t ak_len,
			  struct cocos_credential **credential, struct cocos_error *error)
{
	CLEANUP(x509_free) struct x509 *cert = NULL;
	struct cocos_credential *made;
	EVP_PKEY *key; /* the certificate's */
	struct err e;

	if (!ek_cert || !ak || !credential)
		return library_missing(error, "an argument");
	made = calloc(1, sizeof(*made));
	if (!made) {
		err_nomem(&e);
		return library_error(error, &e);
	}
	if (x509_load(ek_cert, ek_cert_len, &cert, &e) < 0 || x509_key(cert, &key, &e) < 0 ||
	    credential_make(key, (struct span){ ak, ak_len }, &made->credential, &e) < 0) {
		cocos_credential_free(made);
		return library_error(error, &e);
	}
	*credential = made;
	return 0;
}

void cocos_credential_free(struct cocos_credential *credential)
{
	if (!credential)
		return;
	explicit_bzero(credential, sizeof(*credential));
	free(credential);
}

struct cocos_bytes cocos_credential_blob(const struct cocos_credential *credential)
{
	if (!credential)
		return (struct cocos_bytes){ NULL, 0 };
	return (struct cocos_bytes){ credential->credential.blob, credential->credential.blob_len };
}

struct cocos_bytes cocos_credential_encrypted(const struct cocos_credential *credential)
{
	if (!credential)
		return (struct cocos_bytes){ NULL, 0 };
	return (struct cocos_bytes){ credential->credential.encrypted,
				     credential->credential.encrypted_len };
}

int cocos_credential_answer(struct cocos_credential *credential, const void *bytes, size_t len,
			    struct cocos_error *error)
{
	struct err e;

	if (!credential || !bytes)
		return library_missing(error, "an argument");
	if (credential_answer(&credential->credential, bytes, len, &e) < 0)
		return library_error(error, &e);
	return 0;
}
