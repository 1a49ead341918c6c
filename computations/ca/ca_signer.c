/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_signer.h"

#include "common/base/log.h"
#include "computations/ca/ca_signer_desk.h"
#include "computations/ca/ca_signer_kind.h"

#include <string.h>
#include <openssl/err.h>

enum { CHALLENGE_LEN = 32 };

struct ca_signer {
	const struct ca_signer_kind *kind;
	EVP_PKEY *public;            /* lent */
	void *state;                 /* of a file */
	struct ca_signer_desk *desk; /* of a device */
};

/* ---- which kind ---- */

static const struct ca_signer_kind *const kinds[] = { &ca_signer_file, &ca_signer_pkcs11,
						      &ca_signer_tpm };

static int open_kind(const char *where, const struct ca_signer_kind **kind, void **state,
		     struct err *e)
{
	if (strlen(where) > CA_SIGNER_WHERE_MAX)
		return err_set(e, ERR_INVALID, "%zu bytes are too long; the limit is %d",
			       strlen(where), CA_SIGNER_WHERE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strncmp(where, kinds[i]->scheme, strlen(kinds[i]->scheme)) != 0)
			continue;
		*kind = kinds[i];
		return kinds[i]->open(where, state, e);
	}
	return err_set(e, ERR_INVALID,
		       "%s is neither an absolute path nor pkcs11:… (RFC 7512) nor tpm:…",
		       log_quote(where).text);
}

int ca_signer_check(const char *where, struct err *e)
{
	const struct ca_signer_kind *kind;
	void *state;

	if (open_kind(where, &kind, &state, e) < 0)
		return err_code(e);
	kind->close(state);
	return 0;
}

int ca_signer_new(const char *where, EVP_PKEY *public, struct ca_signer **signer, struct err *e)
{
	CLEANUP(ca_signer_free) struct ca_signer *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	s->public = public;
	if (open_kind(where, &s->kind, &s->state, e) < 0)
		return err_code(e);
	if (s->kind->is_device &&
	    ca_signer_desk_new(s->kind, TAKE_PTR(s->state), public, &s->desk, e) < 0)
		return err_code(e);
	*signer = TAKE_PTR(s);
	return 0;
}

void ca_signer_free(struct ca_signer *s)
{
	if (!s)
		return;
	ca_signer_desk_leave(s->desk);
	if (s->state)
		s->kind->close(s->state);
	free(s);
}

/* ---- signing ---- */

static int prepare(const struct ca_signer *s, const void *bytes, size_t len,
		   struct ca_signing *what, struct err *e)
{
	unsigned int size = 0;

	*what = (struct ca_signing){ .bytes = { bytes, len }, .md = ca_signature_md(s->public) };
	if (!s->kind->is_device)
		return 0;
	what->bytes = (struct span){ NULL, 0 };
	if (key_kind_of(s->public) != KEY_ECDSA)
		return err_set(e, ERR_PRECONDITION,
			       "a key in a device is ECDSA of P-256, P-384 or P-521");
	if (EVP_Digest(bytes, len, what->digest, &size, what->md, NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "digest");
	what->digest_len = size;
	return 0;
}

/* Of a file: a desk has looked itself. */
static int check(const struct ca_signer *s, const void *bytes, size_t len, const uint8_t *sig,
		 size_t sig_len, struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx ||
	    EVP_DigestVerifyInit(ctx, NULL, ca_signature_md(s->public), NULL, s->public) != 1)
		return err_openssl(e, ERR_INTERNAL, "check a signature");
	if (EVP_DigestVerify(ctx, sig, sig_len, bytes, len) == 1)
		return 0;
	ERR_clear_error();
	return err_set(e, ERR_PRECONDITION, "the key is another certificate's");
}

int ca_signer_sign(struct ca_signer *s, const void *bytes, size_t len,
		   uint8_t sig[CA_SIGNATURE_MAX], size_t *sig_len, struct err *e)
{
	struct ca_signing what;
	int failed;

	if (prepare(s, bytes, len, &what, e) < 0)
		return err_code(e);
	if (s->desk)
		return ca_signer_desk_sign(s->desk, &what, sig, sig_len, e);
	failed = s->kind->sign(s->state, &what, sig, sig_len, e);
	return failed ? failed : check(s, bytes, len, sig, *sig_len, e);
}

/* Neither a certificate nor a list begins so. */
int ca_signer_prove(struct ca_signer *s, struct err *e)
{
	struct {
		char words[32];
		uint8_t random[CHALLENGE_LEN];
	} challenge = { .words = "cocos: is this the right key?" };
	uint8_t sig[CA_SIGNATURE_MAX];
	size_t len;

	if (random_bytes(challenge.random, sizeof(challenge.random), e) < 0)
		return err_code(e);
	return ca_signer_sign(s, &challenge, sizeof(challenge), sig, &len, e);
}

bool ca_signer_may_wait(const struct err *e)
{
	return e->code == ERR_UNAVAILABLE || e->code == ERR_DENIED;
}

bool ca_signer_is_well(struct ca_signer *s, struct err *why)
{
	return !s->desk || ca_signer_desk_is_well(s->desk, why);
}

/* ---- a new one ---- */

int ca_signer_make(const char *where, EVP_PKEY **public, bool *is_new, struct err *e)
{
	const struct ca_signer_kind *kind;
	void *state;
	int failed;

	if (open_kind(where, &kind, &state, e) < 0)
		return err_code(e);
	failed = kind->make(state, public, is_new, e);
	kind->close(state);
	return failed;
}
