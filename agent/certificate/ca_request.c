/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/certificate/ca_request.h"

#include <string.h>

DEFINE_CLEANUP(X509_REQ *, X509_REQ_free)

void ca_request_done(struct ca_request *request)
{
	EVP_PKEY_free(request->key);
	OPENSSL_free(request->der);
	free(request->spki);
	explicit_bzero(request, sizeof(*request));
}

/* It names nobody: the authority knows whom it is for. */
static int make_pkcs10(struct ca_request *r, ProtobufCBinaryData *bytes, struct err *e)
{
	CLEANUP(X509_REQ_free) X509_REQ *made = X509_REQ_new();
	int len;

	if (!made || !X509_REQ_set_version(made, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_pubkey(made, r->key) || !X509_REQ_sign(made, r->key, EVP_sha256()))
		return err_openssl(e, ERR_INTERNAL, "make a certificate request");
	len = i2d_X509_REQ(made, &r->der);
	if (len <= 0)
		return err_openssl(e, ERR_INTERNAL, "make a certificate request");
	*bytes = (ProtobufCBinaryData){ (size_t)len, r->der };
	return 0;
}

/* By the old key, of this very request. */
static int sign(const struct ca_issued *before, struct ca_request *r, struct err *e)
{
	const struct renewal renewal = { .serial = before->serial,
					 .nonce = r->nonce,
					 .request = { r->renew.request.data,
						      r->renew.request.len } };
	CLEANUP(free) uint8_t *message = NULL;
	size_t len;

	if (random_bytes(r->nonce, sizeof(r->nonce), e) < 0 ||
	    renewal_message(&renewal, &message, &len, e) < 0)
		return err_code(e);
	r->renew.signature.data = r->signature;
	return key_sign(before->key, false, message, len, r->signature, &r->renew.signature.len, e);
}

int ca_request_make(const struct ca_place *place, const struct ca_issued *before,
		    struct ca_request *r, struct err *e)
{
	*r = (struct ca_request){ 0 };
	certificates__issue_request__init(&r->issue);
	certificates__renew_request__init(&r->renew);
	if (key_generate(KEY_ECDSA, &r->key, e) < 0)
		return err_code(e);
	if (!before) {
		r->issue.token = (char *)(uintptr_t)place->token;
		return make_pkcs10(r, &r->issue.request, e);
	}
	r->renew.serial = (char *)(uintptr_t)before->serial;
	r->renew.nonce = (ProtobufCBinaryData){ sizeof(r->nonce), r->nonce };
	if (key_to_spki(before->key, &r->spki, &r->renew.key.len, e) < 0)
		return err_code(e);
	r->renew.key.data = r->spki;
	if (make_pkcs10(r, &r->renew.request, e) < 0)
		return err_code(e);
	return sign(before, r, e);
}
