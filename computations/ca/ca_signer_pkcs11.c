/* SPDX-License-Identifier: Apache-2.0 */
/* ca_signer_pkcs11.c — a key in a PKCS#11 token, named by a URI of RFC 7512. */
#include "common/base/log.h"
#include "computations/ca/ca_pkcs11.h"

#include <string.h>
#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

enum { POINT_MAX = 160, PARAMS_MAX = 32, SIGNATURE_RAW_MAX = 132 /* of P-521 */, ID_LEN = 16 };

DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free)

static void close_pkcs11(void *state)
{
	ca_pkcs11_free(state);
}

static void rest_pkcs11(void *state)
{
	ca_pkcs11_drop(state);
}

static int open_pkcs11(const char *where, void **state, struct err *e)
{
	struct ca_pkcs11 *t;

	if (ca_pkcs11_new(where, &t, e) < 0)
		return err_code(e);
	*state = t;
	return 0;
}

/* ---- signing ---- */

static int sign_once(struct ca_pkcs11 *t, const struct ca_signing *what,
		     uint8_t raw[SIGNATURE_RAW_MAX], CK_ULONG *len, struct err *e)
{
	CK_MECHANISM mechanism = { .mechanism = CKM_ECDSA };
	CK_RV rv = t->module->C_SignInit(t->session, &mechanism, t->key);

	if (rv == CKR_OK) {
		*len = SIGNATURE_RAW_MAX;
		rv = t->module->C_Sign(t->session, (CK_BYTE_PTR)(uintptr_t)what->digest,
				       what->digest_len, raw, len);
	}
	if (rv != CKR_OK)
		return ca_pkcs11_fault(e, rv, "sign");
	if (*len == 0 || *len > SIGNATURE_RAW_MAX || *len % 2)
		return err_set(e, ERR_UNAVAILABLE, "token: a signature of %lu bytes", *len);
	return 0;
}

/* A session of before may have ended with its token: a second try has one of its own. */
static int sign_pkcs11(void *state, const struct ca_signing *what, uint8_t sig[CA_SIGNATURE_MAX],
		       size_t *len, struct err *e)
{
	struct ca_pkcs11 *t = state;
	const bool was_open = t->is_open;
	uint8_t raw[SIGNATURE_RAW_MAX];
	CK_ULONG size = 0;
	int failed = ca_pkcs11_need(t, false, e);

	if (!failed)
		failed = sign_once(t, what, raw, &size, e);
	if (failed && was_open) {
		ca_pkcs11_drop(t);
		failed = ca_pkcs11_need(t, false, e);
		if (!failed)
			failed = sign_once(t, what, raw, &size, e);
	}
	if (failed) {
		ca_pkcs11_drop(t);
		return failed;
	}
	return ca_signature_der((struct span){ raw, size / 2 },
				(struct span){ raw + size / 2, size / 2 }, sig, len, e);
}

/* ---- its public key ---- */

static int curve_of(const uint8_t *params, CK_ULONG len, const char **curve, struct err *e)
{
	const uint8_t *at = params;
	CLEANUP(ASN1_OBJECT_free) ASN1_OBJECT *name = d2i_ASN1_OBJECT(NULL, &at, (long)len);

	*curve = name && at == params + len ? EC_curve_nid2nist(OBJ_obj2nid(name)) : NULL;
	return *curve ? 0
		      : err_set(e, ERR_PRECONDITION,
				"token: the key's curve is none of P-256, P-384 and P-521");
}

static int read_public(struct ca_pkcs11 *t, CK_OBJECT_HANDLE object, EVP_PKEY **public,
		       struct err *e)
{
	uint8_t point[POINT_MAX], params[PARAMS_MAX];
	CK_ATTRIBUTE wanted[] = {
		{ CKA_EC_PARAMS, params, sizeof(params) },
		{ CKA_EC_POINT, point, sizeof(point) },
	};
	CK_RV rv = t->module->C_GetAttributeValue(t->session, object, wanted, ARRAY_LEN(wanted));
	const uint8_t *at = point;
	const char *curve;

	if (rv != CKR_OK)
		return ca_pkcs11_fault(e, rv, "read the public key");
	if (wanted[0].ulValueLen > sizeof(params) || wanted[1].ulValueLen > sizeof(point))
		return err_set(e, ERR_PRECONDITION, "token: a public key of too many bytes");
	if (curve_of(params, wanted[0].ulValueLen, &curve, e) < 0)
		return err_code(e);
	CLEANUP(ASN1_OCTET_STRING_free)
	ASN1_OCTET_STRING *text = d2i_ASN1_OCTET_STRING(NULL, &at, (long)wanted[1].ulValueLen);
	if (!text || at != point + wanted[1].ulValueLen)
		return err_set(e, ERR_PRECONDITION,
			       "token: the public key is no point in an octet string");
	return ca_public_of_point(
		curve,
		(struct span){ ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text) },
		public, e);
}

/* ---- a new one ---- */

static int generate(struct ca_pkcs11 *t, CK_OBJECT_HANDLE *public, struct err *e)
{
	static const uint8_t p256[] = {
		0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07
	};
	CK_MECHANISM mechanism = { .mechanism = CKM_EC_KEY_PAIR_GEN };
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	uint8_t id[ID_LEN];
	CK_ATTRIBUTE name = { CKA_LABEL, NULL, 0 }, number = { CKA_ID, id, sizeof(id) };
	CK_OBJECT_HANDLE private;

	if (!ca_pkcs11_name(t, CKA_LABEL, &name))
		return err_set(e, ERR_INVALID,
			       "the URI has no object=, which a new key is called by");
	if (!ca_pkcs11_name(t, CKA_ID, &number) && random_bytes(id, sizeof(id), e) < 0)
		return err_code(e);
	CK_ATTRIBUTE open[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_VERIFY, &yes, sizeof(yes) },
		{ CKA_EC_PARAMS, (void *)(uintptr_t)p256, sizeof(p256) },
		name,
		number,
	};
	CK_ATTRIBUTE secret[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &no, sizeof(no) },
		{ CKA_SIGN, &yes, sizeof(yes) },
		name,
		number,
	};
	CK_RV rv = t->module->C_GenerateKeyPair(t->session, &mechanism, open, ARRAY_LEN(open),
						secret, ARRAY_LEN(secret), public, &private);

	return rv == CKR_OK ? 0 : ca_pkcs11_fault(e, rv, "make a key");
}

static int make_pkcs11(void *state, EVP_PKEY **public, bool *is_new, struct err *e)
{
	struct ca_pkcs11 *t = state;
	CK_OBJECT_HANDLE object;
	int failed = ca_pkcs11_need(t, true, e);
	bool made = false;

	if (err_is(failed, ERR_NOT_FOUND)) {
		failed = generate(t, &object, e);
		made = true;
	} else if (!failed) {
		failed = ca_pkcs11_find(t, CKO_PUBLIC_KEY, &object, e);
	}
	if (failed || read_public(t, object, public, e) < 0)
		return err_code(e);
	*is_new = made;
	return 0;
}

const struct ca_signer_kind ca_signer_pkcs11 = {
	.scheme = "pkcs11:",
	.is_device = true,
	.open = open_pkcs11,
	.close = close_pkcs11,
	.sign = sign_pkcs11,
	.rest = rest_pkcs11,
	.make = make_pkcs11,
};
