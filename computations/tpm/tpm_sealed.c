/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/tpm/tpm_sealed.h"

#include "common/base/log.h"
#include "computations/tpm/tpm_pcrs.h"

#include <string.h>
#include <tss2/tss2_mu.h>

/* What must not leave, has no authorization (so that nobody has one to guess: noDA), and is opened by whoever has the TPM, or
 * by the policy alone. */
#define ATTRIBUTES (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA)

/* A storage key's name, if it is of SHA-256: the algorithm and a digest. */
enum { NAME_LEN = 2 + TPM2_SHA256_DIGEST_SIZE };

struct blob {
	TPM2B_NAME parent;
	TPM2B_PUBLIC public;
	TPM2B_PRIVATE private;
};

/* ---- faults ---- */

static int fault(struct err *e, TSS2_RC code, const char *what)
{
	static const struct {
		TSS2_RC code;
		enum err_code as;
		const char *words;
	} all[] = {
		{ TPM2_RC_LOCKOUT, ERR_EXHAUSTED,
		  "it is locked after wrong authorizations: wait until it lets go, or end that "
		  "with its lock-out authorization ('tpm2_dictionarylockout -c')" },
		{ TPM2_RC_INTEGRITY, ERR_DATA_LOSS,
		  "the file is damaged: bring it back from a copy, or seal the key anew from the "
		  "copy that you keep" },
		{ TPM2_RC_PCR_CHANGED, ERR_PRECONDITION, "the PCRs changed just now: try again" },
		{ TPM2_RC_AUTH_FAIL, ERR_DENIED,
		  "the owner or the storage key has a password: name a persistent storage key "
		  "without one in parent=" },
		{ TPM2_RC_BAD_AUTH, ERR_DENIED,
		  "the owner or the storage key has a password: name a persistent storage key "
		  "without one in parent=" },
		{ TPM2_RC_HIERARCHY, ERR_PRECONDITION,
		  "the owner's hierarchy is switched off: see to the firmware's settings" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (tpm_is_code(code, all[i].code))
			return err_set(e, all[i].as, "TPM: %s: %s", what, all[i].words);
	return tpm_fault(e, code, what);
}

/* ---- its words ---- */

void tpm_sealing_free(struct tpm_sealing *s)
{
	if (!s)
		return;
	tpm_link_close(&s->link);
	free(s->link.tcti_words);
	free(s->path);
	free(s);
}

static int take_words(struct tpm_sealing *s, const char *words, struct err *e)
{
	CLEANUP(free) char *pcrs = NULL, *parent = NULL, *place = NULL;
	const struct tpm_option options[] = {
		{ "pcrs=", &pcrs, false },
		{ "parent=", &parent, false },
		{ "tcti=", &s->link.tcti_words, false },
	};

	if (tpm_words_read(words, options, ARRAY_LEN(options),
			   "pcrs=BANK:NUMBERS, parent=HANDLE and tcti=WORDS", &place, e) < 0 ||
	    (pcrs && tpm_pcrs_read(pcrs, &s->pcrs, e) < 0) ||
	    (parent && tpm_words_handle(parent, &s->parent, e) < 0))
		return err_code(e);
	if (place[0] != '/' || !place[1])
		return err_set(e, ERR_INVALID, "%s is not an absolute path", log_quote(place).text);
	s->path = TAKE_PTR(place);
	return 0;
}

int tpm_sealing_new(const char *words, struct tpm_sealing **sealing, struct err *e)
{
	CLEANUP(tpm_sealing_free) struct tpm_sealing *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	if (take_words(s, words, e) < 0)
		return err_wrap(e, "tpm:");
	*sealing = TAKE_PTR(s);
	return 0;
}

/* ---- the storage key ---- */

/* Without an authorization that could be locked out. */
static int make_primary(struct tpm_sealing *s, ESYS_TR *parent, struct err *e)
{
	TSS2_RC code = tpm_storage_make(s->link.esys, TPMA_OBJECT_NODA, 32, parent);

	return code == TSS2_RC_SUCCESS ? 0 : fault(e, code, "make the owner's storage key");
}

static int find_parent(struct tpm_sealing *s, ESYS_TR *parent, struct err *e)
{
	TSS2_RC code;

	if (!s->parent)
		return make_primary(s, parent, e);
	code = Esys_TR_FromTPMPublic(s->link.esys, s->parent, ESYS_TR_NONE, ESYS_TR_NONE,
				     ESYS_TR_NONE, parent);
	if (tpm_is_code(code & ~(TSS2_RC)TSS2_RC_LAYER_MASK, TPM2_RC_HANDLE))
		return err_set(e, ERR_NOT_FOUND, "TPM: it has no storage key at 0x%08x (parent=)",
			       s->parent);
	return code == TSS2_RC_SUCCESS ? 0 : fault(e, code, "find the storage key");
}

/* Whose name it is depends on the TPM's own seed, which nobody else has and a cleared one has no more. */
static int name_parent(struct tpm_sealing *s, ESYS_TR parent, TPM2B_NAME *name, struct err *e)
{
	CLEANUP(esys) TPM2B_NAME *got = NULL;
	TSS2_RC code = Esys_TR_GetName(s->link.esys, parent, &got);

	if (code != TSS2_RC_SUCCESS)
		return fault(e, code, "name the storage key");
	if (got->size != NAME_LEN)
		return err_set(e, ERR_PRECONDITION,
			       "TPM: the storage key's name is not of SHA-256: name another one in "
			       "parent=");
	*name = *got;
	return 0;
}

/* The persistent one stays. */
static void let_parent_go(struct tpm_sealing *s, ESYS_TR *parent)
{
	if (!s->parent)
		tpm_let_go(s->link.esys, parent);
}

/* ---- the session ---- */

static int begin(struct tpm_sealing *s, ESYS_TR parent, TPM2_SE type, TPMA_SESSION attributes,
		 ESYS_TR *session, struct err *e)
{
	return tpm_session_begin(s->link.esys, parent, type, attributes, session, e);
}

/* What the PCRs come to in a policy: their values of now. */
static int take_pcrs(struct tpm_sealing *s, ESYS_TR session, TPM2B_DIGEST *policy, struct err *e)
{
	const TPM2B_DIGEST as_they_are = { 0 };
	CLEANUP(esys) TPM2B_DIGEST *got = NULL;
	TSS2_RC code = Esys_PolicyPCR(s->link.esys, session, ESYS_TR_NONE, ESYS_TR_NONE,
				      ESYS_TR_NONE, &as_they_are, &s->pcrs);

	if (code == TSS2_RC_SUCCESS)
		code = Esys_PolicyGetDigest(s->link.esys, session, ESYS_TR_NONE, ESYS_TR_NONE,
					    ESYS_TR_NONE, &got);
	if (code != TSS2_RC_SUCCESS)
		return fault(e, code, "look at the PCRs");
	if (got->size != TPM2_SHA256_DIGEST_SIZE)
		return err_set(e, ERR_UNAVAILABLE, "TPM: a policy's digest of %u bytes", got->size);
	*policy = *got;
	return 0;
}

/* The policy that a new object gets; empty without PCRs. */
static int form_policy(struct tpm_sealing *s, ESYS_TR parent, TPM2B_DIGEST *policy, struct err *e)
{
	ESYS_TR trial = ESYS_TR_NONE;
	int failed;

	*policy = (TPM2B_DIGEST){ 0 };
	if (!s->pcrs.count)
		return 0;
	if (tpm_pcrs_check(s->link.esys, &s->pcrs, e) < 0 ||
	    begin(s, parent, TPM2_SE_TRIAL, 0, &trial, e) < 0)
		return err_code(e);
	failed = take_pcrs(s, trial, policy, e);
	tpm_let_go(s->link.esys, &trial);
	return failed;
}

/* ---- the blob ---- */

static int write_blob(const struct blob *b, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(free) uint8_t *made = malloc(TPM_SEALED_BLOB_MAX);
	size_t at = 0;

	if (!made)
		return err_nomem(e);
	if (Tss2_MU_TPM2B_NAME_Marshal(&b->parent, made, TPM_SEALED_BLOB_MAX, &at) ||
	    Tss2_MU_TPM2B_PUBLIC_Marshal(&b->public, made, TPM_SEALED_BLOB_MAX, &at) ||
	    Tss2_MU_TPM2B_PRIVATE_Marshal(&b->private, made, TPM_SEALED_BLOB_MAX, &at))
		return err_set(e, ERR_INTERNAL, "TPM: what it sealed has no form");
	*bytes = TAKE_PTR(made);
	*len = at;
	return 0;
}

static bool unmarshal(const uint8_t *bytes, size_t len, struct blob *b)
{
	size_t at = 0;

	*b = (struct blob){ 0 };
	return Tss2_MU_TPM2B_NAME_Unmarshal(bytes, len, &at, &b->parent) == TSS2_RC_SUCCESS &&
	       Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, len, &at, &b->public) == TSS2_RC_SUCCESS &&
	       Tss2_MU_TPM2B_PRIVATE_Unmarshal(bytes, len, &at, &b->private) == TSS2_RC_SUCCESS &&
	       at == len && b->parent.size == NAME_LEN;
}

/* The library passes over a size that is wrong: what it makes of the bytes has to be them. */
static int read_blob(const uint8_t *bytes, size_t len, struct blob *b, struct err *e)
{
	CLEANUP(free) uint8_t *again = NULL;
	struct err ignored;
	size_t size;

	if (unmarshal(bytes, len, b) && write_blob(b, &again, &size, &ignored) == 0 &&
	    size == len && memcmp(again, bytes, len) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
		       "it is no sealed key (TPM2B_NAME, TPM2B_PUBLIC, TPM2B_PRIVATE): bring it "
		       "back from a copy, or seal the key anew");
}

/* As we make them, and bound as the setting says: no other kind of object, and none that is opened by less. */
static int check_form(const struct tpm_sealing *s, const TPMT_PUBLIC *public, struct err *e)
{
	const bool is_bound = s->pcrs.count;

	if (public->type != TPM2_ALG_KEYEDHASH || public->nameAlg != TPM2_ALG_SHA256 ||
	    public->parameters.keyedHashDetail.scheme.scheme != TPM2_ALG_NULL ||
	    (public->objectAttributes & ~TPMA_OBJECT_USERWITHAUTH) != ATTRIBUTES ||
	    !!(public->objectAttributes & TPMA_OBJECT_USERWITHAUTH) != !public->authPolicy.size)
		return err_set(e, ERR_INVALID,
			       "the file has an object of another kind: bring "
			       "it back from a copy, or seal the key anew");
	if (is_bound == !!public->authPolicy.size)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       is_bound ? "it is bound to no PCRs, and pcrs= says so: seal the key anew, "
				  "or take pcrs= away"
				: "it is bound to PCRs: say which in pcrs=, as when it was sealed");
}

/* ---- sealing ---- */

static int create(struct tpm_sealing *s, ESYS_TR parent, const uint8_t bytes[TPM_SEALED_LEN],
		  struct blob *b, struct err *e)
{
	TPM2B_SENSITIVE_CREATE secret = { .sensitive.data.size = TPM_SEALED_LEN };
	TPM2B_PUBLIC form = {
		.publicArea = { .type = TPM2_ALG_KEYEDHASH,
				.nameAlg = TPM2_ALG_SHA256,
				.objectAttributes = ATTRIBUTES,
				.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL },
	};
	const TPM2B_DATA outside = { 0 };
	const TPML_PCR_SELECTION none = { 0 };
	CLEANUP(esys) TPM2B_PUBLIC *public = NULL;
	CLEANUP(esys) TPM2B_PRIVATE *private = NULL;
	ESYS_TR session = ESYS_TR_NONE;
	TSS2_RC code;

	if (name_parent(s, parent, &b->parent, e) < 0 ||
	    form_policy(s, parent, &form.publicArea.authPolicy, e) < 0 ||
	    begin(s, parent, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT, &session, e) < 0)
		return err_code(e);
	if (!s->pcrs.count)
		form.publicArea.objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
	memcpy(secret.sensitive.data.buffer, bytes, TPM_SEALED_LEN);
	code = Esys_Create(s->link.esys, parent, session, ESYS_TR_NONE, ESYS_TR_NONE, &secret,
			   &form, &outside, &none, &private, &public, NULL, NULL, NULL);
	explicit_bzero(&secret, sizeof(secret));
	tpm_let_go(s->link.esys, &session);
	if (code != TSS2_RC_SUCCESS)
		return fault(e, code, "seal the key");
	b->public = *public;
	b->private = *private;
	return 0;
}

/* Before anybody throws the other copy away. */
static int prove(struct tpm_sealing *s, const uint8_t bytes[TPM_SEALED_LEN], const uint8_t *blob,
		 size_t len, struct err *e)
{
	uint8_t again[TPM_SEALED_LEN] = { 0 };
	const int failed = tpm_unseal(s, blob, len, again, e);
	const bool is_same = memcmp(again, bytes, TPM_SEALED_LEN) == 0;

	explicit_bzero(again, sizeof(again));
	if (failed)
		return failed;
	return is_same ? 0
		       : err_set(e, ERR_UNAVAILABLE, "TPM: it gives back another key than it got");
}

int tpm_seal(struct tpm_sealing *s, const uint8_t bytes[TPM_SEALED_LEN], uint8_t **blob,
	     size_t *len, struct err *e)
{
	CLEANUP(free) uint8_t *made = NULL;
	ESYS_TR parent = ESYS_TR_NONE;
	struct blob b = { 0 };
	size_t size;
	int failed;

	if (tpm_link_open(&s->link, e) < 0)
		return err_code(e);
	failed = find_parent(s, &parent, e);
	if (!failed)
		failed = create(s, parent, bytes, &b, e);
	let_parent_go(s, &parent);
	tpm_link_close(&s->link);
	if (failed)
		return failed;
	if (write_blob(&b, &made, &size, e) < 0 || prove(s, bytes, made, size, e) < 0)
		return err_code(e);
	*blob = TAKE_PTR(made);
	*len = size;
	return 0;
}

/* ---- opening ---- */

static int check_parent(struct tpm_sealing *s, ESYS_TR parent, const struct blob *b, struct err *e)
{
	TPM2B_NAME name = { 0 };

	if (name_parent(s, parent, &name, e) < 0)
		return err_code(e);
	if (memcmp(name.name, b->parent.name, NAME_LEN) == 0)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "another TPM sealed it, or this one was cleared%s: seal the key anew from "
		       "the copy that you keep",
		       s->parent ? ", or the key at parent= is another" : "");
}

/* Its PCRs are looked at before the object is asked for: so what is refused has a name. */
static int begin_opening(struct tpm_sealing *s, ESYS_TR parent, const struct blob *b,
			 ESYS_TR *session, struct err *e)
{
	const TPM2B_DIGEST *wanted = &b->public.publicArea.authPolicy;
	TPM2B_DIGEST policy = { 0 };

	if (!s->pcrs.count)
		return begin(s, parent, TPM2_SE_HMAC, TPMA_SESSION_ENCRYPT, session, e);
	if (begin(s, parent, TPM2_SE_POLICY, TPMA_SESSION_ENCRYPT, session, e) < 0 ||
	    take_pcrs(s, *session, &policy, e) < 0)
		return err_code(e);
	if (policy.size == wanted->size && memcmp(policy.buffer, wanted->buffer, policy.size) == 0)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "the PCRs of pcrs= are not as they were when it was sealed: start what was "
		       "started then, or seal the key anew from the copy that you keep");
}

static int ask(struct tpm_sealing *s, ESYS_TR object, ESYS_TR session,
	       uint8_t bytes[TPM_SEALED_LEN], struct err *e)
{
	TPM2B_SENSITIVE_DATA *got = NULL;
	TSS2_RC code = Esys_Unseal(s->link.esys, object, session, ESYS_TR_NONE, ESYS_TR_NONE, &got);
	int failed = 0;

	if (code != TSS2_RC_SUCCESS)
		return fault(e, code, "open the key");
	if (got->size == TPM_SEALED_LEN)
		memcpy(bytes, got->buffer, TPM_SEALED_LEN);
	else
		failed = err_set(e, ERR_INVALID, "%u bytes are sealed, and a key has %d", got->size,
				 TPM_SEALED_LEN);
	explicit_bzero(got, sizeof(*got));
	Esys_Free(got);
	return failed;
}

static int open_below(struct tpm_sealing *s, ESYS_TR parent, const struct blob *b,
		      uint8_t bytes[TPM_SEALED_LEN], struct err *e)
{
	ESYS_TR object = ESYS_TR_NONE, session = ESYS_TR_NONE;
	TSS2_RC code;
	int failed;

	if (check_parent(s, parent, b, e) < 0)
		return err_code(e);
	code = Esys_Load(s->link.esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
			 &b->private, &b->public, &object);
	if (code != TSS2_RC_SUCCESS)
		return fault(e, code, "load the key");
	failed = begin_opening(s, parent, b, &session, e);
	if (!failed)
		failed = ask(s, object, session, bytes, e);
	tpm_let_go(s->link.esys, &session);
	tpm_let_go(s->link.esys, &object);
	return failed;
}

int tpm_unseal(struct tpm_sealing *s, const uint8_t *blob, size_t len,
	       uint8_t bytes[TPM_SEALED_LEN], struct err *e)
{
	ESYS_TR parent = ESYS_TR_NONE;
	struct blob b;
	int failed;

	if (read_blob(blob, len, &b, e) < 0 || check_form(s, &b.public.publicArea, e) < 0 ||
	    tpm_link_open(&s->link, e) < 0)
		return err_code(e);
	failed = find_parent(s, &parent, e);
	if (!failed)
		failed = open_below(s, parent, &b, bytes, e);
	let_parent_go(s, &parent);
	tpm_link_close(&s->link);
	return failed;
}
