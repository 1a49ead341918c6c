/* SPDX-License-Identifier: Apache-2.0 */
/* crl_verify.c — who signed a list. */
#include "common/crypto/crl.h"
#include "common/crypto/crl_parts.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

DEFINE_CLEANUP(X509_ALGOR *, X509_ALGOR_free)
DEFINE_CLEANUP(ASN1_BIT_STRING *, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(ASN1_TYPE *, ASN1_TYPE_free)
DEFINE_CLEANUP(RSA_PSS_PARAMS *, RSA_PSS_PARAMS_free)

/* None by a digest that others can collide. */
static bool is_sound_digest(int nid)
{
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* RFC 4055, section 3.1: without a digest's name it is SHA-1. */
static bool is_sound_pss(const X509_ALGOR *algorithm)
{
	const void *value = NULL;
	int type = V_ASN1_UNDEF;
	CLEANUP(RSA_PSS_PARAMS_free) RSA_PSS_PARAMS *params = NULL;
	const ASN1_OBJECT *digest = NULL;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return false;
	params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (!params || !params->hashAlgorithm)
		return false;
	X509_ALGOR_get0(&digest, NULL, NULL, params->hashAlgorithm);
	return is_sound_digest(OBJ_obj2nid(digest));
}

static bool is_sound(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;
	int nid, digest, key;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(object);
	if (nid == NID_ED25519 || nid == NID_ED448)
		return true;
	if (nid == NID_rsassaPss)
		return is_sound_pss(algorithm);
	return OBJ_find_sigid_algs(nid, &digest, &key) == 1 && is_sound_digest(digest);
}

/* Over the bytes as they came: OpenSSL encodes a value of any type as it was. */
static bool is_signed(const struct crl *crl, EVP_PKEY *key)
{
	const unsigned char *algorithm_at = crl->algorithm.bytes, *tbs_at = crl->tbs.bytes;
	CLEANUP(X509_ALGOR_free)
	X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &algorithm_at, (long)crl->algorithm.len);
	CLEANUP(ASN1_TYPE_free)
	ASN1_TYPE *tbs = d2i_ASN1_TYPE(NULL, &tbs_at, (long)crl->tbs.len);
	CLEANUP(ASN1_BIT_STRING_free) ASN1_BIT_STRING *signature = ASN1_BIT_STRING_new();

	if (!algorithm || !tbs || !signature || !is_sound(algorithm) ||
	    ASN1_BIT_STRING_set(signature, (unsigned char *)(uintptr_t)crl->signature.bytes,
				(int)crl->signature.len) != 1)
		return false;
	signature->flags &= ~(long)(ASN1_STRING_FLAG_BITS_LEFT | 7);
	signature->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* none is left over */
	return ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature, tbs, key) == 1;
}

bool crl_is_of(const struct crl *crl, X509 *issuer)
{
	return X509_NAME_cmp(crl->issuer, X509_get_subject_name(issuer)) == 0;
}

X509 *crl_signer(const struct crl *crl)
{
	return crl->signer;
}

/* RFC 5280, section 6.3.3 (f). One without keyUsage may do all. */
static bool may_sign_lists(X509 *issuer)
{
	return (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0;
}

bool crl_is_signed_by(const struct crl *crl, X509 *issuer)
{
	return crl->signer && crl_is_of(crl, issuer) && may_sign_lists(issuer) &&
	       EVP_PKEY_eq(X509_get0_pubkey(crl->signer), X509_get0_pubkey(issuer)) == 1;
}

static int check_issuer(const struct crl *crl, X509 *issuer, struct err *e)
{
	if (!crl_is_of(crl, issuer))
		return err_set(e, ERR_DENIED, "list of %s: another issuer's", crl->text);
	if (!may_sign_lists(issuer))
		return err_set(e, ERR_DENIED,
			       "list of %s: its certificate may not sign lists (keyUsage cRLSign)",
			       crl->text);
	return 0;
}

static void take_signer(struct crl *crl, X509 *issuer)
{
	X509_up_ref(issuer);
	X509_free(crl->signer);
	crl->signer = issuer;
}

int crl_verify(struct crl *crl, X509 *issuer, struct err *e)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	if (check_issuer(crl, issuer, e) < 0)
		return err_code(e);
	if (!key || !is_signed(crl, key)) {
		ERR_clear_error();
		return err_set(e, ERR_DENIED,
			       "list of %s: its authority did not sign it, or by a digest weaker "
			       "than SHA-256",
			       crl->text);
	}
	take_signer(crl, issuer);
	return 0;
}

int crl_vouch(struct crl *crl, X509 *issuer, struct err *e)
{
	if (check_issuer(crl, issuer, e) < 0)
		return err_code(e);
	take_signer(crl, issuer);
	return 0;
}
