/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/access.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/key.h"

#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_TEXT_MAX = 4 * SIGNATURE_MAX, SIGNER_TEXT_MAX = 2 * SPKI_MAX };

/* A key that must not come twice; NULL if it does not come. */
static int single(const struct rpc_metadata *m, const char *key, const char **text, struct err *e)
{
	if (rpc_metadata_count(m, key) > 1)
		return err_set(e, ERR_INVALID, "metadata %s: more than once", key);
	*text = rpc_metadata_text(m, key, 0);
	return 0;
}

static int read_role(const struct rpc_metadata *m, const char *role, struct err *e)
{
	const char *claimed;
	int failed = single(m, PROOF_ROLE_KEY, &claimed, e);

	if (failed)
		return failed;
	if (!claimed)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "metadata %s is missing: " PROOF_REFUSED_ROLE " %s", PROOF_ROLE_KEY,
			       role);
	if (strcmp(claimed, role) != 0)
		return err_set(e, ERR_DENIED, "role %s: " PROOF_REFUSED_ROLE " %s",
			       log_quote(claimed).text, role);
	return 0;
}

static int read_signature(const struct rpc_metadata *m, bool role_signature, struct access *access,
			  struct err *e)
{
	const char *proof = NULL, *signature = NULL, *text;
	int failed = single(m, PROOF_KEY, &proof, e);

	if (!failed)
		failed = single(m, "signature", &signature, e);
	if (failed)
		return failed;
	access->is_proof = proof != NULL;
	text = proof ? proof : signature;
	if (!text)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "metadata %s is missing: sign the call with "
			       "the key that the manifest names",
			       PROOF_KEY);
	if (!proof && !role_signature)
		return err_set(e, ERR_DENIED,
			       "a signature over the role alone is not taken by "
			       "this agent, since it could be replayed; send %s",
			       PROOF_KEY);
	if (strlen(text) > SIGNATURE_TEXT_MAX ||
	    base64_decode(text, strlen(text), &access->signature, &access->signature_len, e) < 0)
		return err_set(e, ERR_INVALID, "metadata %s: not base64 of a signature",
			       proof ? PROOF_KEY : "signature");
	return 0;
}

static int read_signer(const struct rpc_metadata *m, struct access *access, struct err *e)
{
	const char *text;
	int failed = single(m, PROOF_SIGNER_KEY, &text, e);

	if (failed || !text)
		return failed;
	if (strlen(text) > SIGNER_TEXT_MAX ||
	    base64_decode(text, strlen(text), &access->signer.data, &access->signer.len, e) < 0)
		return err_set(e, ERR_INVALID, "metadata %s: not base64 of a public key",
			       PROOF_SIGNER_KEY);
	return 0;
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static int read_session(const struct rpc_metadata *m, const uint8_t *session,
			struct challenges *challenges, struct access *access, struct err *e)
{
	uint8_t value[PROOF_SESSION_LEN];
	const char *text;
	int failed;

	if (session) {
		memcpy(access->session, session, PROOF_SESSION_LEN);
		return 0;
	}
	failed = single(m, PROOF_CHALLENGE_KEY, &text, e);
	if (failed)
		return failed;
	if (!text)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "metadata %s is missing: without TLS, ask "
			       "Status for a challenge",
			       PROOF_CHALLENGE_KEY);
	if (hex_decode(text, value, sizeof(value), e) < 0)
		return err_set(e, ERR_INVALID, "metadata %s: not 64 hexadecimal digits",
			       PROOF_CHALLENGE_KEY);
	failed = challenge_hold(challenges, now_ms(), value, &access->challenge, e);
	if (!failed)
		memcpy(access->session, value, sizeof(value));
	return failed;
}

static int read_bytes(const char *key, const char *text, uint64_t *bytes, struct err *e)
{
	uint64_t value = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 18 || text[digits] || (text[0] == '0' && digits > 1))
		return err_set(e, ERR_INVALID, "metadata %s: not a decimal count of bytes", key);
	for (; *text; text++)
		value = 10 * value + (uint64_t)(*text - '0');
	*bytes = value;
	return 0;
}

/* `text` may be NULL, for none. */
static int read_digest(const char *key, const char *text, uint8_t digest[PROOF_DIGEST_LEN],
		       struct err *e)
{
	if (text && hex_decode(text, digest, PROOF_DIGEST_LEN, e) < 0)
		return err_set(e, ERR_INVALID, "metadata %s: not 64 hexadecimal digits", key);
	return 0;
}

static int read_hints(const struct rpc_metadata *m, struct access *access, struct err *e)
{
	const char *digest, *required, *offset, *size;

	if (single(m, PROOF_DIGEST_KEY, &digest, e) < 0 ||
	    single(m, PROOF_REQUIRED_KEY, &required, e) < 0 ||
	    single(m, PROOF_OFFSET_KEY, &offset, e) < 0 ||
	    single(m, PROOF_SIZE_KEY, &size, e) < 0 ||
	    (size && read_bytes(PROOF_SIZE_KEY, size, &access->size, e) < 0) ||
	    read_digest(PROOF_DIGEST_KEY, digest, access->digest, e) < 0 ||
	    read_digest(PROOF_REQUIRED_KEY, required, access->required, e) < 0)
		return err_code(e);
	access->has_digest = digest != NULL;
	access->has_required = required != NULL;
	if (!offset)
		return 0;
	if (!digest)
		return err_set(e, ERR_INVALID, "metadata %s needs %s", PROOF_OFFSET_KEY,
			       PROOF_DIGEST_KEY);
	access->has_offset = true;
	return read_bytes(PROOF_OFFSET_KEY, offset, &access->offset, e);
}

static int read_all(const struct rpc_metadata *m, const char *role, bool role_signature,
		    const uint8_t *session, struct challenges *challenges, struct access *access,
		    struct err *e)
{
	int failed = read_role(m, role, e);

	if (!failed)
		failed = read_signature(m, role_signature, access, e);
	if (!failed)
		failed = read_signer(m, access, e);
	if (!failed && access->is_proof)
		failed = read_session(m, session, challenges, access, e);
	if (!failed)
		failed = read_hints(m, access, e);
	return failed;
}

int access_read_metadata(const struct rpc_metadata *metadata, const char *role, bool role_signature,
			 const uint8_t *session, struct challenges *challenges,
			 struct access *access, struct err *e)
{
	struct access a = { .role = role };
	int failed = read_all(metadata, role, role_signature, session, challenges, &a, e);

	if (failed) {
		access_done(&a);
		return failed;
	}
	*access = a;
	return 0;
}

int access_read(struct rpc_call *call, const char *role, bool role_signature,
		struct challenges *challenges, struct access *access, struct err *e)
{
	uint8_t session[PROOF_SESSION_LEN];
	bool tls = rpc_call_is_tls(call);
	int failed = 0;

	if (tls)
		failed = rpc_call_exporter(call, PROOF_EXPORTER_LABEL, NULL, 0, session,
					   sizeof(session), e);
	if (!failed)
		failed = access_read_metadata(rpc_call_metadata(call), role, role_signature,
					      tls ? session : NULL, challenges, access, e);
	if (!failed)
		access->method = rpc_call_method(call)->path;
	return failed;
}

void access_done(struct access *access)
{
	free(access->signature);
	free(access->signer.data);
	challenge_release(access->challenge);
	*access = (struct access){ 0 };
}

bool access_names(const struct access *access, const ProtobufCBinaryData *spki)
{
	return access->signer.len == spki->len &&
	       memcmp(access->signer.data, spki->data, spki->len) == 0;
}

int access_is_signed(const struct access *access, const ProtobufCBinaryData *spki,
		     const uint8_t manifest[PROOF_DIGEST_LEN], const uint8_t *asset,
		     const struct writer *parameters, struct err *e)
{
	struct proof proof = { .role = access->role, .method = access->method };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	int failed = key_parse_spki(spki->data, spki->len, &key, e);

	if (failed)
		return failed;
	if (!access->is_proof)
		return key_verify(key, access->role, strlen(access->role), access->signature,
				  access->signature_len, e);
	memcpy(proof.manifest, manifest, sizeof(proof.manifest));
	memcpy(proof.session, access->session, sizeof(proof.session));
	if (asset)
		memcpy(proof.asset, asset, sizeof(proof.asset));
	failed = proof_message(&proof, parameters, &bytes, &len, e);
	if (failed)
		return failed;
	return key_verify(key, bytes, len, access->signature, access->signature_len, e);
}

int access_verify(const struct access *access, const ProtobufCBinaryData *spki,
		  const uint8_t manifest[PROOF_DIGEST_LEN], const uint8_t *asset,
		  const struct writer *parameters, struct err *e)
{
	const struct span key = { spki->data, spki->len };

	if (access_is_signed(access, spki, manifest, asset, parameters, e) < 0)
		return err_code(e);
	return access->challenge ? challenge_use(access->challenge, now_ms(), key, e) : 0;
}
