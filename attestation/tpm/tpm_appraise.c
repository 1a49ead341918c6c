/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/tpm_appraise.h"

#include "attestation/tpm/hcl_report.h"
#include "common/base/encode.h"
#include "common/crypto/key.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { INTERMEDIATES_MAX = TPM_INTERMEDIATES_MAX + 8, FIRMWARE_PCRS = 10 };

/* Too large for a stack. */
struct state {
	const struct tpm_input *in;
	struct verdict *v;
	const struct tpm_evidence *message;
	struct tpm_evidence bare; /* one quote, put in the form of a message */
	struct tpm_quote quotes[TPM_QUOTES_MAX];
	struct tpm_pcrs pcrs; /* vouched for by all quotes together */
	EVP_PKEY *runtime_ak; /* Azure's */
	EVP_PKEY *ak;
	struct event_log log;
	bool has_log;
};

static void state_free(struct state *s)
{
	EVP_PKEY_free(s->runtime_ak);
	EVP_PKEY_free(s->ak);
	event_log_done(&s->log);
	free(s);
}
DEFINE_CLEANUP(struct state *, state_free)

static bool message_open(struct state *s)
{
	const struct tpm_input *in = s->in;

	s->message = in->evidence;
	if (in->unreadable)
		return verdict_require_step(s->v, CHECK_PARSE_ATTESTATION, err_code(in->unreadable),
					    in->unreadable);
	if (in->evidence)
		return verdict_require_step(s->v, CHECK_PARSE_ATTESTATION, 0, NULL);
	s->message = &s->bare;
	s->bare.ak_public = in->ak_public;
	s->bare.quote_count = 1;
	s->bare.quotes[0].quote = in->quote;
	s->bare.quotes[0].signature = in->signature;
	if (in->pcrs)
		s->bare.quotes[0].pcrs = *in->pcrs;
	return true;
}

/* Azure names the AK in data whose digest the TEE vouches for. */
static bool runtime_open(struct state *s)
{
	const struct tpm_binding *b = &s->in->binding;
	uint8_t wanted[SNP_REPORT_DATA_LEN];
	struct err e;

	if (b->runtime.len == 0)
		return true;
	if (!b->tee_report_data) {
		verdict_require(s->v, CHECK_AK_RUNTIME_DATA);
		return verdict_check(s->v, CHECK_AK_RUNTIME_DATA, false,
				     "runtime data without a verified TEE report",
				     "the report whose REPORT_DATA is their digest");
	}
	if (hcl_report_data(b->runtime, wanted, &e) < 0)
		return verdict_require_step(s->v, CHECK_AK_RUNTIME_DATA, -1, &e);
	verdict_require(s->v, CHECK_AK_RUNTIME_DATA);
	if (!verdict_bytes(s->v, CHECK_AK_RUNTIME_DATA, b->tee_report_data, wanted, sizeof(wanted)))
		return false;
	if (!verdict_require_step(s->v, CHECK_AK_RUNTIME_KEY,
				  hcl_report_ak(b->runtime, &s->runtime_ak, &e), &e))
		return false;
	if (!b->by_anybody)
		verdict_note(s->v, NOTE_AK_OF_PARAVISOR,
			     "the AK and its attributes are the word of Azure's paravisor");
	return true;
}

/* All values that hold, each once: two quotes that speak of one register could disagree. */
static int pcrs_merge(struct tpm_pcrs *all, const struct tpm_pcrs *some, struct err *e)
{
	for (size_t i = 0; i < some->count; i++) {
		const struct tpm_pcr_bank *bank = &some->banks[i];

		for (uint32_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
			struct span value = { bank->values[pcr], digest_len(bank->kind) };

			if ((bank->present & (UINT32_C(1) << pcr)) &&
			    tpm_pcrs_add(all, bank->kind, pcr, value, e) < 0)
				return err_code(e);
		}
	}
	return 0;
}

/* Quotes of two boots must not be put together to one: a register of each could be shown. */
static bool same_boot(const struct state *s, size_t i)
{
	const struct tpm_attest *first = &s->quotes[0].attest, *other = &s->quotes[i].attest;

	if (i == 0)
		return true;
	verdict_require(s->v, CHECK_QUOTE_SAME_BOOT);
	return verdict_checkf(s->v, CHECK_QUOTE_SAME_BOOT,
			      other->reset_count == first->reset_count &&
				      other->restart_count == first->restart_count,
			      "one boot's quotes",
			      "quote %zu is of boot %" PRIu32 ".%" PRIu32 ", the first of %" PRIu32
			      ".%" PRIu32,
			      i, other->reset_count, other->restart_count, first->reset_count,
			      first->restart_count);
}

static bool quotes_check(struct state *s)
{
	bool ok = true;
	struct err e;

	for (size_t i = 0; i < s->message->quote_count; i++) {
		const struct tpm_evidence_quote *q = &s->message->quotes[i];
		struct tpm_quote_input in = {
			.quote = q->quote,
			.signature = q->signature,
			.ak_public = s->message->ak_public,
			.ak_key = s->runtime_ak,
			.nonce = s->in->nonce,
			.pcrs = &q->pcrs,
		};

		ok &= tpm_quote_check(&in, s->v, &s->quotes[i]);
		ok = ok && verdict_require_step(s->v, CHECK_QUOTE_ONCE,
						pcrs_merge(&s->pcrs, &q->pcrs, &e), &e);
		ok = ok && same_boot(s, i);
	}
	/* Refuses by itself; what rests on the quotes can be judged all the same. */
	verdict_checkf(s->v, CHECK_QUOTE_NONCE_LENGTH, s->in->nonce.len >= TPM_NONCE_MIN,
		       "16 bytes or more", "%zu", s->in->nonce.len);
	return ok;
}

static bool ak_open(struct state *s)
{
	struct err e;

	if (!s->quotes[0].has_public)
		return s->runtime_ak && EVP_PKEY_up_ref(s->runtime_ak) &&
		       (s->ak = s->runtime_ak, true);
	if (!verdict_require_step(s->v, CHECK_AK_KEY, tpm_public_key(&s->quotes[0].ak, &s->ak, &e),
				  &e))
		return false;
	if (!s->runtime_ak)
		return true;
	verdict_require(s->v, CHECK_AK_RUNTIME_MATCH);
	return verdict_check(s->v, CHECK_AK_RUNTIME_MATCH, ak_cert_same_key(s->ak, s->runtime_ak),
			     "the AK that is presented", "the key that the runtime data name");
}

/* TPMT_PUBLIC to the byte, or a public key. */
static int named_check(const struct state *s, struct err *e)
{
	struct span named = s->in->binding.named, presented = s->message->ak_public;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (presented.len > 0 && span_equal(named, presented))
		return 0;
	if ((named.len > 0 && named.bytes[0] == '-'
		     ? key_from_public_pem((const char *)named.bytes, named.len, &key, e)
		     : key_from_spki(named.bytes, named.len, &key, e)) < 0)
		return err_set(e, ERR_DENIED,
			       "the AK that you named is neither the one that is "
			       "presented nor a public key");
	return ak_cert_same_key(key, s->ak)
		       ? 0
		       : err_set(e, ERR_DENIED, "the AK is not the one that you named");
}

/* The certificate's key, by the intermediates of the message and the relying party's. */
static int certified_key(const struct state *s, struct ak_cert_input *in, EVP_PKEY **key,
			 struct err *e)
{
	const struct tpm_binding *b = &s->in->binding;
	struct span offered[INTERMEDIATES_MAX];

	in->at = s->in->at;
	in->intermediates = offered;
	for (size_t i = 0; i < s->message->intermediate_count; i++)
		offered[in->intermediate_count++] = s->message->intermediates[i];
	for (size_t i = 0; i < b->intermediate_count; i++) {
		if (in->intermediate_count == INTERMEDIATES_MAX)
			return err_set(e, ERR_INVALID, "more than %d intermediates",
				       INTERMEDIATES_MAX);
		offered[in->intermediate_count++] = b->intermediates[i];
	}
	if (in->cert.len == 0)
		return err_set(e, ERR_DENIED, "no %s certificate, though a root is named",
			       in->is_ek ? "EK" : "AK");
	return ak_cert_verify(in, key, e);
}

static int cert_check(const struct state *s, struct err *e)
{
	const struct tpm_binding *b = &s->in->binding;
	struct ak_cert_input in = { .cert = b->cert.len ? b->cert : s->message->ak_cert,
				    .root = b->root };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	ak_cert_names(&in, s->v);
	if (certified_key(s, &in, &key, e) < 0)
		return err_code(e);
	return ak_cert_same_key(key, s->ak)
		       ? 0
		       : err_set(e, ERR_DENIED, "the certificate is another key's than the AK");
}

/* The area that the quotes were checked against is the one whose name the credential has; so its
 * attributes are the TPM's word, not the operator's. */
static int activation_check(const struct state *s, struct err *e)
{
	const struct tpm_binding *b = &s->in->binding;
	struct ak_cert_input in = { .is_ek = true, .cert = b->ek_cert, .root = b->ek_root };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ek = NULL;

	ak_cert_names(&in, s->v);
	if (!b->ek_root.len)
		return err_set(e, ERR_DENIED, "an EK without a root that was named");
	if (certified_key(s, &in, &ek, e) < 0)
		return err_code(e);
	if (!b->activated || !s->message->ak_public.len)
		return err_set(e, ERR_DENIED, "no credential was activated for this AK");
	return credential_check(b->activated, ek, s->message->ak_public, e);
}

static void root_note(struct state *s)
{
	CLEANUP(x509_free) struct x509 *root = NULL;
	char hex[2 * SHA256_LEN + 1], name[128];
	struct span bytes = s->in->binding.ek_root;
	struct err e;

	if (x509_load(bytes.bytes, bytes.len, &root, &e) < 0)
		return;
	hex_encode(root->key_digest, SHA256_LEN, hex);
	if (x509_common_name(root->subject, name, sizeof(name), &e) < 0)
		name[0] = 0;
	verdict_note(s->v, NOTE_EK_ROOT,
		     "the TPM's EK chains to the root that you named: '%s', key SHA-256 %s", name,
		     hex);
}

static bool report_check(struct state *s)
{
	const struct tpm_binding *b = &s->in->binding;
	uint8_t wanted[TPM_REPORT_DATA_LEN];
	struct err e;

	verdict_require(s->v, CHECK_AK_REPORT);
	if (!b->report_data || s->message->ak_public.len == 0)
		return verdict_check(s->v, CHECK_AK_REPORT, false,
				     "no report data or no AK public area",
				     "SHA3-512(report data and AK public area)");
	if (tpm_report_data(b->report_data, s->message->ak_public, wanted, &e) < 0)
		return verdict_err(s->v, CHECK_AK_REPORT, &e);
	return verdict_bytes(s->v, CHECK_AK_REPORT, b->tee_report_data, wanted, sizeof(wanted));
}

/* A verdict rests on each chain that is given: demanded lists are demanded of all of them. */
static bool lists_check(struct state *s, enum check_id check)
{
	if (s->in->require_crl)
		return verdict_check(s->v, check, false,
				     "no revocation list is read for a TPM's certificates",
				     "one of each issuer, as was asked for");
	verdict_not_asked(s->v, check, "no list is read for a TPM's certificates");
	return true;
}

/* Each binding that is given, and that there is one. */
static bool binding_check(struct state *s)
{
	const struct tpm_binding *b = &s->in->binding;
	unsigned given = 0, good = 0;
	bool lists;
	struct err e;

	if (b->named.len > 0) {
		given++;
		good += verdict_require_step(s->v, CHECK_AK_NAMED, named_check(s, &e), &e);
		verdict_note(s->v, NOTE_AK_NAMED,
			     "AK named by you: the operator of that TPM is trusted");
		if (!span_equal(b->named, s->message->ak_public))
			verdict_note(s->v, NOTE_AK_NAMED,
				     "named by its key alone: its attributes are your word");
	}
	if (b->root.len > 0) {
		given++;
		lists = lists_check(s, CHECK_CRL_AK);
		good += verdict_require_step(s->v, CHECK_AK_CERTIFICATE, cert_check(s, &e), &e) &&
			lists;
		verdict_note(s->v, NOTE_AK_CERTIFIED,
			     "AK certified under the root that you named, whose owner vouches for "
			     "its attributes");
	}
	if (b->ek_root.len > 0 || b->ek_cert.len > 0 || b->activated) {
		given++;
		lists = lists_check(s, CHECK_CRL_EK);
		good += verdict_require_step(s->v, CHECK_AK_ACTIVATED, activation_check(s, &e),
					     &e) &&
			lists;
		root_note(s);
	}
	if (b->tee_report_data) {
		given++;
		good += b->runtime.len > 0 ? s->runtime_ak != NULL : report_check(s);
	}
	if (b->by_anybody && b->tee_report_data && given == 1)
		return verdict_check(s->v, CHECK_AK_BINDING, false,
				     "a stock agent's report, which anybody gets over any key",
				     b->runtime.len
					     ? "the AK named, certified or activated as well, or "
					       "a policy for a paravisor alone "
					       "(run.azure_paravisor)"
					     : "the AK named, certified or activated as well");
	return verdict_check(s->v, CHECK_AK_BINDING, given > 0 && good == given,
			     given ? "given" : "nothing says which TPM the AK is in",
			     "an AK certificate to a named root, an EK that does, with the AK "
			     "activated, a TEE report, or the AK named");
}

/* One bank: what the log has events for is quoted so; what it has none for in the firmware's
 * registers was never extended. Later registers belong to software that keeps logs of its own. */
static int bank_agrees(const struct event_log *log, const struct tpm_pcr_bank *bank, struct err *e)
{
	static const uint8_t zero[DIGEST_MAX];
	struct event_replay replay;

	if (event_log_replay(log, bank->kind, &replay, e) < 0)
		return err_code(e);
	for (uint32_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
		uint32_t bit = UINT32_C(1) << pcr;
		const uint8_t *wanted = replay.touched & bit ? replay.values[pcr] : zero;

		if (!(bank->present & bit) || (!(replay.touched & bit) && pcr >= FIRMWARE_PCRS))
			continue;
		if (memcmp(bank->values[pcr], wanted, replay.len) != 0)
			return err_set(e, ERR_DENIED, "replay differs from the quoted PCR %u of %s",
				       pcr, digest_name(bank->kind));
	}
	return 0;
}

/* Every quoted bank that the log has, and at least one that counts: under SHA-1 alone another log
 * may come to the same values. */
static int log_agrees(const struct event_log *log, const struct tpm_pcrs *pcrs, bool sha1_counts,
		      struct err *e)
{
	size_t banks = 0;

	for (size_t i = 0; i < pcrs->count; i++) {
		if (event_log_bank(log, pcrs->banks[i].kind) < 0)
			continue;
		if (bank_agrees(log, &pcrs->banks[i], e) < 0)
			return err_code(e);
		banks += sha1_counts || pcrs->banks[i].kind != DIGEST_SHA1;
	}
	return banks ? 0
		     : err_set(e, ERR_DENIED, "the log has none of the banks quoted, SHA-1 aside");
}

static bool log_check(struct state *s)
{
	struct span bytes = s->in->event_log.len ? s->in->event_log : s->message->event_log;
	struct event_log_form form = { .separators_optional = s->in->policy &&
							      s->in->policy->separators_optional };
	bool sha1 = s->in->policy && s->in->policy->allow_sha1_bank;
	struct err e;

	if (bytes.len == 0)
		return true;
	if (!verdict_require_step(s->v, CHECK_LOG_PARSE, event_log_parse(bytes, form, &s->log, &e),
				  &e))
		return false;
	s->has_log = verdict_require_step(s->v, CHECK_LOG_REPLAY,
					  log_agrees(&s->log, &s->pcrs, sha1, &e), &e);
	return s->has_log;
}

static void policy_check(struct state *s)
{
	struct tpm_facts facts = { s->quotes, s->message->quote_count, &s->pcrs,
				   s->has_log ? &s->log : NULL };

	if (s->v->scope == VERDICT_SCOPE_GENUINE_ONLY)
		return;
	if (verdict_check(s->v, CHECK_POLICY_GIVEN, s->in->policy != NULL,
			  s->in->policy ? "yes" : "none",
			  "a policy: nothing else says which measurement is right"))
		tpm_policy_judge(s->in->policy, &facts, s->v);
}

static int keep_result(const struct state *s, struct tpm_result *result, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (!result || !s->ak)
		return 0;
	if (key_to_spki(s->ak, &spki, &len, e) < 0 ||
	    digest(DIGEST_SHA256, spki, len, result->ak, e) < 0)
		return err_code(e);
	result->has_ak = true;
	result->reset_count = s->quotes[0].attest.reset_count;
	result->restart_count = s->quotes[0].attest.restart_count;
	return 0;
}

static void appraise(struct state *s)
{
	if (!message_open(s) || !runtime_open(s) || !quotes_check(s) || !ak_open(s))
		return;
	if (!binding_check(s) || !log_check(s))
		return;
	policy_check(s);
}

/* What every piece of TPM evidence has to pass, whether its step is reached or not; steps that not
 * every one takes require their own. */
static void require(const struct tpm_input *in, struct verdict *v)
{
	if (in->evidence || in->unreadable)
		verdict_require(v, CHECK_PARSE_ATTESTATION);
	tpm_quote_require(v);
	verdict_require(v, CHECK_QUOTE_ONCE);
	verdict_require(v, CHECK_QUOTE_NONCE_LENGTH);
	verdict_require(v, CHECK_AK_BINDING);
	if (v->scope == VERDICT_SCOPE_GENUINE_ONLY)
		return;
	verdict_require(v, CHECK_POLICY_GIVEN);
	tpm_policy_require(v);
}

void tpm_appraise(const struct tpm_input *in, struct tpm_result *result, struct verdict *v)
{
	CLEANUP(state_free) struct state *s = calloc(1, sizeof(*s));
	struct err e;

	require(in, v);
	if (!s) {
		err_record(&e, ERR_EXHAUSTED, "out of memory");
		verdict_err(v, CHECK_QUOTE_PARSE, &e);
		return;
	}
	s->in = in;
	s->v = v;
	appraise(s);
	if (keep_result(s, result, &e) < 0)
		verdict_err(v, CHECK_AK_KEY, &e);
}

int tpm_report_data(const uint8_t report_data[TPM_REPORT_DATA_LEN], struct span ak_public,
		    uint8_t out[TPM_REPORT_DATA_LEN], struct err *e)
{
	struct digest_part parts[] = { { report_data, TPM_REPORT_DATA_LEN },
				       { ak_public.bytes, ak_public.len } };

	return digest_parts(DIGEST_SHA3_512, parts, ARRAY_LEN(parts), out, e);
}
