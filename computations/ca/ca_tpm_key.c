/* SPDX-License-Identifier: Apache-2.0 */
/* ca_tpm_key.c — the authority's key as a TPM has it: at a handle, or loaded from a file, or new. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/ca/ca_tpm.h"

#include <string.h>
#include <sys/stat.h>
#include <tss2/tss2_mu.h>

enum { BLOB_MAX = sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE) };

static int read_auth(const struct ca_tpm *t, TPM2B_AUTH *auth, struct err *e)
{
	char secret[CA_SIGNER_SECRET_MAX + 1];
	size_t len;

	*auth = (TPM2B_AUTH){ 0 };
	if (!t->auth_path)
		return 0;
	if (ca_secret_read(t->auth_path, secret, e) < 0)
		return err_code(e);
	len = strlen(secret);
	if (len > TPM2_SHA256_DIGEST_SIZE) {
		explicit_bzero(secret, sizeof(secret));
		return err_set(e, ERR_INVALID, "'%s': more than %d bytes, a TPM key's most",
			       t->auth_path, TPM2_SHA256_DIGEST_SIZE);
	}
	auth->size = (UINT16)len;
	memcpy(auth->buffer, secret, len);
	explicit_bzero(secret, sizeof(secret));
	return 0;
}

/* tpm2_createprimary -C o -G ecc makes the same. Files of before are below this one, so it stays as it is. */
static int make_primary(struct ca_tpm *t, ESYS_TR *primary, struct err *e)
{
	TSS2_RC code = tpm_storage_make(t->link.esys, 0, 0, primary);

	return code == TSS2_RC_SUCCESS ? 0 : tpm_fault(e, code, "make the owner's primary key");
}

/* ---- the session ---- */

/* Without an authorization there is nothing to hide. `primary` is there, or ESYS_TR_NONE. */
static int begin(struct ca_tpm *t, ESYS_TR primary, struct err *e)
{
	if (!t->auth_path || t->session != ESYS_TR_NONE)
		return 0;
	return tpm_session_begin(t->link.esys, primary, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT,
				 &t->session, e);
}

/* A key at a handle may be below any other one, and the owner may have a password, which we have not. */
static int begin_at_handle(struct ca_tpm *t, struct err *e)
{
	ESYS_TR primary = ESYS_TR_NONE;
	struct err why;
	int failed;

	if (!t->auth_path || t->session != ESYS_TR_NONE)
		return 0;
	if (make_primary(t, &primary, &why) < 0 && !t->has_warned) {
		log_warn("%s: the session with the TPM is not salted, and who taps its bus can "
			 "try which authorization it is: let '%s' be a long one",
			 why.text, t->auth_path);
		t->has_warned = true;
	}
	failed = begin(t, primary, e);
	tpm_let_go(t->link.esys, &primary);
	return failed;
}

static ESYS_TR session_or_none(const struct ca_tpm *t)
{
	return t->session == ESYS_TR_NONE ? ESYS_TR_PASSWORD : t->session;
}

/* ---- the file ---- */

static int read_blob(const struct ca_tpm *t, TPM2B_PUBLIC *public, TPM2B_PRIVATE *private,
		     struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len, at = 0;

	if (ca_secret_check(t->path, e) < 0 || file_read(t->path, BLOB_MAX, &bytes, &len, e) < 0)
		return err_code(e);
	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, len, &at, public) != TSS2_RC_SUCCESS ||
	    Tss2_MU_TPM2B_PRIVATE_Unmarshal(bytes, len, &at, private) != TSS2_RC_SUCCESS ||
	    at != len)
		return err_set(e, ERR_INVALID,
			       "'%s' is not a TPM2B_PUBLIC with a TPM2B_PRIVATE behind it",
			       t->path);
	return 0;
}

static int write_blob(const struct ca_tpm *t, const TPM2B_PUBLIC *public,
		      const TPM2B_PRIVATE *private, struct err *e)
{
	uint8_t bytes[BLOB_MAX];
	size_t len = 0;

	if (Tss2_MU_TPM2B_PUBLIC_Marshal(public, bytes, sizeof(bytes), &len) != TSS2_RC_SUCCESS ||
	    Tss2_MU_TPM2B_PRIVATE_Marshal(private, bytes, sizeof(bytes), &len) != TSS2_RC_SUCCESS)
		return err_set(e, ERR_INTERNAL, "TPM: the new key has no form");
	return file_write_new(t->path, bytes, len, 0600, e);
}

static int load(struct ca_tpm *t, ESYS_TR primary, const TPM2B_PUBLIC *public,
		const TPM2B_PRIVATE *private, ESYS_TR *key, struct err *e)
{
	TSS2_RC code = Esys_Load(t->link.esys, primary, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				 ESYS_TR_NONE, private, public, key);

	return code == TSS2_RC_SUCCESS ? 0 : tpm_fault(e, code, "load the key");
}

static int find_blob(struct ca_tpm *t, ESYS_TR *key, struct err *e)
{
	TPM2B_PUBLIC public = { 0 };
	TPM2B_PRIVATE private = { 0 };
	ESYS_TR primary;
	int failed;

	if (read_blob(t, &public, &private, e) < 0 || make_primary(t, &primary, e) < 0)
		return err_code(e);
	failed = begin(t, primary, e);
	if (!failed)
		failed = load(t, primary, &public, &private, key, e);
	(void)Esys_FlushContext(t->link.esys, primary);
	return failed;
}

/* ---- the one that there is ---- */

static int find_handle(struct ca_tpm *t, ESYS_TR *key, struct err *e)
{
	TSS2_RC code = Esys_TR_FromTPMPublic(t->link.esys, t->handle, ESYS_TR_NONE, ESYS_TR_NONE,
					     ESYS_TR_NONE, key);

	if (tpm_is_code(code & ~(TSS2_RC)TSS2_RC_LAYER_MASK, TPM2_RC_HANDLE))
		return err_set(e, ERR_NOT_FOUND, "TPM: it has no key at 0x%08x", t->handle);
	return code == TSS2_RC_SUCCESS ? begin_at_handle(t, e) : tpm_fault(e, code, "find the key");
}

static int check_key(struct ca_tpm *t, ESYS_TR key, struct err *e)
{
	const TPMA_OBJECT wanted = TPMA_OBJECT_SIGN_ENCRYPT;
	CLEANUP(esys) TPM2B_PUBLIC *public = NULL;
	TSS2_RC code = Esys_ReadPublic(t->link.esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				       &public, NULL, NULL);

	if (code != TSS2_RC_SUCCESS)
		return tpm_fault(e, code, "read the public key");
	if (public->publicArea.type != TPM2_ALG_ECC)
		return err_set(e, ERR_PRECONDITION, "TPM: the key is not ECDSA's");
	if ((public->publicArea.objectAttributes & (wanted | TPMA_OBJECT_RESTRICTED)) != wanted)
		return err_set(e, ERR_PRECONDITION,
			       "TPM: the key may not sign what others give it (sign, and not "
			       "restricted)");
	t->public = *public;
	return 0;
}

/* Takes `key`. */
static int keep(struct ca_tpm *t, ESYS_TR key, struct err *e)
{
	TPM2B_AUTH auth;
	TSS2_RC code;
	int failed = check_key(t, key, e);

	if (!failed)
		failed = read_auth(t, &auth, e);
	if (!failed) {
		code = Esys_TR_SetAuth(t->link.esys, key, &auth);
		explicit_bzero(&auth, sizeof(auth));
		if (code != TSS2_RC_SUCCESS)
			failed = tpm_fault(e, code, "set the key's authorization");
	}
	if (!failed)
		t->key = key;
	else if (!t->handle)
		(void)Esys_FlushContext(t->link.esys, key);
	return failed;
}

int ca_tpm_need(struct ca_tpm *t, struct err *e)
{
	ESYS_TR key;

	if (tpm_link_open(&t->link, e) < 0)
		return err_code(e);
	if (t->key != ESYS_TR_NONE)
		return 0;
	if ((t->handle ? find_handle(t, &key, e) : find_blob(t, &key, e)) < 0)
		return err_code(e);
	return keep(t, key, e);
}

/* ---- a new one ---- */

static int create(struct ca_tpm *t, ESYS_TR primary, TPM2B_PUBLIC **public, TPM2B_PRIVATE **private,
		  struct err *e)
{
	static const TPM2B_PUBLIC form = {
		.publicArea = {
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
					    TPMA_OBJECT_FIXEDPARENT |
					    TPMA_OBJECT_SENSITIVEDATAORIGIN |
					    TPMA_OBJECT_USERWITHAUTH,
			.parameters.eccDetail = {
				.symmetric.algorithm = TPM2_ALG_NULL,
				.scheme = { .scheme = TPM2_ALG_ECDSA,
					    .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
				.curveID = TPM2_ECC_NIST_P256,
				.kdf.scheme = TPM2_ALG_NULL,
			},
		},
	};
	const TPM2B_DATA outside = { 0 };
	const TPML_PCR_SELECTION none = { 0 };
	TPM2B_SENSITIVE_CREATE secret = { 0 };
	TSS2_RC code;

	if (read_auth(t, &secret.sensitive.userAuth, e) < 0)
		return err_code(e);
	code = Esys_Create(t->link.esys, primary, session_or_none(t), ESYS_TR_NONE, ESYS_TR_NONE,
			   &secret, &form, &outside, &none, private, public, NULL, NULL, NULL);
	explicit_bzero(&secret, sizeof(secret));
	return code == TSS2_RC_SUCCESS ? 0 : tpm_fault(e, code, "make a key");
}

/* A key that is loaded goes to its handle; the loaded one is let go. */
static int persist(struct ca_tpm *t, ESYS_TR loaded, struct err *e)
{
	ESYS_TR there = ESYS_TR_NONE;
	TSS2_RC code = Esys_EvictControl(t->link.esys, ESYS_TR_RH_OWNER, loaded, ESYS_TR_PASSWORD,
					 ESYS_TR_NONE, ESYS_TR_NONE, t->handle, &there);

	(void)Esys_FlushContext(t->link.esys, loaded);
	if (code != TSS2_RC_SUCCESS)
		return tpm_fault(e, code, "keep the key at its handle");
	return keep(t, there, e);
}

int ca_tpm_make(struct ca_tpm *t, struct err *e)
{
	CLEANUP(esys) TPM2B_PUBLIC *public = NULL;
	CLEANUP(esys) TPM2B_PRIVATE *private = NULL;
	ESYS_TR primary, key = ESYS_TR_NONE;
	int failed;

	if (tpm_link_open(&t->link, e) < 0 || make_primary(t, &primary, e) < 0)
		return err_code(e);
	failed = begin(t, primary, e);
	if (!failed)
		failed = create(t, primary, &public, &private, e);
	if (!failed)
		failed = load(t, primary, public, private, &key, e);
	(void)Esys_FlushContext(t->link.esys, primary);
	if (failed)
		return failed;
	if (t->handle)
		return persist(t, key, e);
	if (write_blob(t, public, private, e) < 0) {
		(void)Esys_FlushContext(t->link.esys, key);
		return err_code(e);
	}
	return keep(t, key, e);
}
