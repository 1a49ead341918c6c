/* SPDX-License-Identifier: Apache-2.0 */
/* ca_signer_tpm.c — a key in a TPM 2.0 (ca_tpm.h has its words). */
#include "computations/ca/ca_tpm.h"

#include <string.h>
#include <openssl/ec.h>

static void close_tpm(void *state)
{
	ca_tpm_free(state);
}

static void rest_tpm(void *state)
{
	ca_tpm_drop(state);
}

static int open_tpm(const char *where, void **state, struct err *e)
{
	struct ca_tpm *t;

	if (ca_tpm_new(where, &t, e) < 0)
		return err_code(e);
	*state = t;
	return 0;
}

/* ---- signing ---- */

static int find_hash(const struct ca_signing *what, TPMI_ALG_HASH *hash, struct err *e)
{
	static const struct {
		size_t len;
		TPMI_ALG_HASH hash;
	} all[] = {
		{ TPM2_SHA256_DIGEST_SIZE, TPM2_ALG_SHA256 },
		{ TPM2_SHA384_DIGEST_SIZE, TPM2_ALG_SHA384 },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (what->digest_len == all[i].len) {
			*hash = all[i].hash;
			return 0;
		}
	return err_set(e, ERR_INTERNAL, "TPM: a digest of %zu bytes", what->digest_len);
}

static int refuse(struct ca_tpm *t, struct err *e)
{
	t->is_refused = true;
	return err_set(e, ERR_DENIED,
		       "TPM: the key's authorization%s%s is refused, or the TPM is locked after "
		       "wrong ones; it is not tried again until this program is started anew",
		       t->auth_path ? " in " : "", t->auth_path ? t->auth_path : "");
}

static int sign_once(struct ca_tpm *t, const struct ca_signing *what, TPMT_SIGNATURE **made,
		     struct err *e)
{
	static const TPMT_TK_HASHCHECK ticket = { .tag = TPM2_ST_HASHCHECK,
						  .hierarchy = TPM2_RH_NULL };
	TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_ECDSA };
	TPM2B_DIGEST digest = { .size = (UINT16)what->digest_len };
	TSS2_RC code;

	if (find_hash(what, &scheme.details.ecdsa.hashAlg, e) < 0)
		return err_code(e);
	memcpy(digest.buffer, what->digest, what->digest_len);
	code = Esys_Sign(t->link.esys, t->key,
			 t->session == ESYS_TR_NONE ? ESYS_TR_PASSWORD : t->session, ESYS_TR_NONE,
			 ESYS_TR_NONE, &digest, &scheme, &ticket, made);
	if (tpm_is_code(code, TPM2_RC_AUTH_FAIL) || tpm_is_code(code, TPM2_RC_BAD_AUTH) ||
	    tpm_is_code(code, TPM2_RC_LOCKOUT))
		return refuse(t, e);
	return code == TSS2_RC_SUCCESS ? 0 : tpm_fault(e, code, "sign");
}

static int sign_tpm(void *state, const struct ca_signing *what, uint8_t sig[CA_SIGNATURE_MAX],
		    size_t *len, struct err *e)
{
	CLEANUP(esys) TPMT_SIGNATURE *made = NULL;
	struct ca_tpm *t = state;
	const bool was_there = t->link.esys != NULL;
	int failed = 0;

	if (t->is_refused)
		return refuse(t, e);
	for (int tries = was_there ? 2 : 1; tries > 0; tries--) {
		failed = ca_tpm_need(t, e);
		if (!failed)
			failed = sign_once(t, what, &made, e);
		if (!failed || t->is_refused)
			break;
		ca_tpm_drop(t);
	}
	if (failed) {
		ca_tpm_drop(t);
		return failed;
	}
	const TPM2B_ECC_PARAMETER *r = &made->signature.ecdsa.signatureR;
	const TPM2B_ECC_PARAMETER *s = &made->signature.ecdsa.signatureS;

	if (made->sigAlg != TPM2_ALG_ECDSA || r->size > sizeof(r->buffer) ||
	    s->size > sizeof(s->buffer))
		return err_set(e, ERR_UNAVAILABLE, "TPM: its signature is none of ECDSA");
	return ca_signature_der((struct span){ r->buffer, r->size },
				(struct span){ s->buffer, s->size }, sig, len, e);
}

/* ---- its public key ---- */

static int read_public(const struct ca_tpm *t, EVP_PKEY **public, struct err *e)
{
	static const struct {
		TPMI_ECC_CURVE curve;
		const char *name;
		size_t len;
	} all[] = {
		{ TPM2_ECC_NIST_P256, "P-256", 32 },
		{ TPM2_ECC_NIST_P384, "P-384", 48 },
	};
	const TPMS_ECC_POINT *unique = &t->public.publicArea.unique.ecc;
	uint8_t point[1 + 2 * 48] = { POINT_CONVERSION_UNCOMPRESSED };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const size_t len = all[i].len;

		if (t->public.publicArea.parameters.eccDetail.curveID != all[i].curve)
			continue;
		if (unique->x.size > len || unique->y.size > len)
			break;
		/* Leading zeros may be left out. */
		memcpy(point + 1 + len - unique->x.size, unique->x.buffer, unique->x.size);
		memcpy(point + 1 + 2 * len - unique->y.size, unique->y.buffer, unique->y.size);
		return ca_public_of_point(all[i].name, (struct span){ point, 1 + 2 * len }, public,
					  e);
	}
	return err_set(e, ERR_PRECONDITION, "TPM: the key is of neither P-256 nor P-384");
}

static int make_tpm(void *state, EVP_PKEY **public, bool *is_new, struct err *e)
{
	struct ca_tpm *t = state;
	int failed = ca_tpm_need(t, e);
	bool made = false;

	if (err_is(failed, ERR_NOT_FOUND)) {
		failed = ca_tpm_make(t, e);
		made = true;
	}
	if (failed || read_public(t, public, e) < 0)
		return err_code(e);
	*is_new = made;
	return 0;
}

const struct ca_signer_kind ca_signer_tpm = {
	.scheme = "tpm:",
	.is_device = true,
	.open = open_tpm,
	.close = close_tpm,
	.sign = sign_tpm,
	.rest = rest_tpm,
	.make = make_tpm,
};
