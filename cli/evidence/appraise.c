/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence/appraise.h"

#include "attestation/claims/claims.h"
#include "attestation/verify/same_agent.h"
#include "cli/base/verdict_line.h"
#include "cli/evidence/presented.h"
#include "cli/evidence/receipt_check.h"
#include "cli/evidence/session_receipt.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <string.h>
#include <time.h>

enum session_state { SESSION_NONE, SESSION_PENDING, SESSION_VERIFIED, SESSION_FORGOTTEN };

/* A copy of what the channel brought, to be judged again. */
struct session {
	enum session_state state;
	struct authenticator authenticator;
	bool wants_log, wants_credential;
};

struct appraise {
	struct evidence_options options;
	struct endorsements *endorsements;
	const char *receipt_dir;
	int64_t at;
	uint8_t context[EA_CONTEXT_LEN];
	bool has_context, may_pend;

	struct span ek_root;
	uint8_t *ek_root_bytes, *ek_cert, *log;
	size_t ek_cert_len, log_len;
	struct credential credential;

	struct same_agent first, now;
	bool has_first;
	unsigned sessions;
	uint8_t *claims; /* of the last verdict, for its receipt */
	size_t claims_len;
	struct session session;
	struct verdict verdict;
};

/* ---- options ---- */

static int read_context(const char *text, struct appraise *a, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len = 0;
	struct err ignored;

	if (!text)
		return 0;
	if (hex_decode(text, a->context, EA_CONTEXT_LEN, &ignored) == 0) {
		a->has_context = true;
		return 0;
	}
	if (base64_decode(text, strlen(text), &bytes, &len, &ignored) < 0 || len != EA_CONTEXT_LEN)
		return err_set(e, ERR_INVALID,
			       "attestation request context: %d bytes in hexadecimal or base64 are "
			       "wanted",
			       EA_CONTEXT_LEN);
	memcpy(a->context, bytes, len);
	a->has_context = true;
	return 0;
}

static int read_policy(const struct cli *cli, const char *fallback, struct appraise *a,
		       struct err *e)
{
	if (evidence_policies(cli, "attestation-policy", fallback, &a->options, e) < 0)
		return err_code(e);
	if (a->options.input.policy)
		return 0;
	return err_set(e, ERR_INVALID,
		       "attested TLS without a policy: nothing says what the agent has to prove. "
		       "'cocos-cli policy create --image DIR' makes one; name it with "
		       "--attestation-policy or AGENT_GRPC_ATTESTATION_POLICY");
}

static int read_ek_root(const struct cli *cli, struct appraise *a, struct err *e)
{
	const char *path = cli_value(cli, "ek_root");
	size_t len;

	if (!path)
		return 0;
	if (file_read(path, EVIDENCE_FILE_MAX, &a->ek_root_bytes, &len, e) < 0)
		return err_wrap(e, "--ek_root");
	if (!len)
		return err_set(e, ERR_INVALID, "--ek_root: '%s' is empty", path);
	a->ek_root = (struct span){ a->ek_root_bytes, len };
	return 0;
}

int appraise_new(const struct cli *cli, const struct appraise_settings *settings,
		 struct appraise **made, struct err *e)
{
	const char *context = cli_value(cli, "attestation-request-context");
	CLEANUP(appraise_free) struct appraise *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem(e);
	evidence_options_init(&a->options);
	a->options.input.mode = EVIDENCE_EAT;
	a->at = settings->at;
	a->receipt_dir = cli_value(cli, "receipt-dir");
	if (read_policy(cli, settings->policy, a, e) < 0 ||
	    read_context(context ? context : settings->context, a, e) < 0 ||
	    read_ek_root(cli, a, e) < 0 || evidence_trust_read(cli, &a->options, e) < 0 ||
	    (!cli_value(cli, "product") &&
	     evidence_product(settings->product, &a->options, e) < 0) ||
	    endorse_open(cli, a->options.policy.offline, &a->endorsements, e) < 0)
		return err_code(e);
	*made = TAKE_PTR(a);
	return 0;
}

void appraise_free(struct appraise *a)
{
	if (!a)
		return;
	evidence_options_done(&a->options);
	endorsements_free(a->endorsements);
	authenticator_done(&a->session.authenticator);
	free(a->ek_root_bytes);
	free(a->ek_cert);
	free(a->log);
	free(a->claims);
	explicit_bzero(&a->credential, sizeof(a->credential));
	free(a);
}

const uint8_t *appraise_context(const struct appraise *a)
{
	return a->has_context ? a->context : NULL;
}

/* ---- the judgement ---- */

/* The EK, once it was activated; else, where that may come later, the AK taken for named. */
static bool bind_ek(struct appraise *a, const struct eat *token, bool may_pend,
		    struct tpm_evidence *attestation, struct verify_input *in)
{
	struct tpm_binding *b = &in->tpm.binding;
	bool answered = a->credential.answered;

	if (!a->ek_root.len)
		return false;
	if (!answered && may_pend) {
		if (!b->named.len)
			b->named = presented_ak(token, attestation);
		return true;
	}
	b->ek_root = a->ek_root;
	b->ek_cert = (struct span){ a->ek_cert, a->ek_cert_len };
	b->activated = answered ? &a->credential : NULL;
	return false;
}

/* Nothing but values that a log would account for. */
static bool only_a_log_is_missing(const struct appraise *a)
{
	const struct policy *p = &a->options.policy;
	bool rules = p->tpm.events.count > 0 || p->tdx.events.count > 0;

	for (size_t i = 0; i < a->verdict.count; i++) {
		const struct check *c = &a->verdict.checks[i];

		if (c->outcome == CHECK_FAILED &&
		    !(checks_row(c->id)->attributes & CHECK_OF_REGISTERS))
			return false;
	}
	return rules && !a->log && !a->verdict.overflow;
}

/* What the evidence says, for the receipt. */
static int keep_claims(struct appraise *a, const struct verify_input *in, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(CLAIMS_MAX);

	free(a->claims);
	a->claims = NULL;
	a->claims_len = 0;
	if (!a->receipt_dir)
		return 0;
	if (claims_json(in, &a->now.result, &a->verdict, &w, e) < 0)
		return err_code(e);
	a->claims = writer_take(&w, &a->claims_len);
	return a->claims ? 0 : err_nomem(e);
}

/* The judgement with what was fetched, and the comparison with the first session: 0 says that there is
 * a verdict. */
static int judge_input(struct appraise *a, struct verify_input *in, struct err *e)
{
	const struct authenticator *auth = &a->session.authenticator;

	verdict_init(&a->verdict, VERDICT_SCOPE_FULL); /* none, until there is a new one */
	memset(&a->now, 0, sizeof(a->now));
	if (digest(DIGEST_SHA256, auth->spki, auth->spki_len, a->now.key, e) < 0)
		return err_code(e);
	if (endorsements_verify(a->endorsements, in, &a->verdict, &a->now.result, NULL, e) < 0)
		return err_code(e);
	if (a->has_first && verdict_ok(&a->verdict))
		same_agent_judge(&a->first, &a->now, &a->verdict);
	return keep_claims(a, in, e);
}

/* 0 if the session is verified or pending, as its state says; a no denies the peer. */
static int judge_token(struct appraise *a, const struct eat *token, bool may_pend, struct err *e)
{
	CLEANUP(free) struct tpm_evidence *attestation = calloc(1, sizeof(*attestation));
	const struct authenticator *auth = &a->session.authenticator;
	struct verify_input in = a->options.input;
	struct session *s = &a->session;
	bool yes;

	if (!attestation)
		return err_nomem(e);
	in.evidence = (struct span){ auth->evidence, auth->evidence_len };
	in.binding = (struct verify_binding){ .channel = &auth->binding,
					      .channel_spki = { auth->spki, auth->spki_len },
					      .group = &auth->group };
	in.at = a->at ? a->at : (int64_t)time(NULL);
	in.tpm.event_log = in.tdx.event_log = (struct span){ a->log, a->log_len };
	s->wants_credential = bind_ek(a, token, may_pend, attestation, &in);
	if (judge_input(a, &in, e) < 0)
		return err_code(e);
	yes = verdict_ok(&a->verdict);
	s->wants_log = !yes && may_pend && only_a_log_is_missing(a);
	if (!yes && !s->wants_log)
		return err_set(e, ERR_DENIED, "%s", verdict_reason(&a->verdict).text);
	s->state = s->wants_log || s->wants_credential ? SESSION_PENDING : SESSION_VERIFIED;
	return 0;
}

static int keep_receipt(struct appraise *a, struct err *e)
{
	const struct session_receipt receipt = { .dir = a->receipt_dir,
						 .number = a->sessions,
						 .at = (int64_t)time(NULL),
						 .authenticator = &a->session.authenticator,
						 .verdict = &a->verdict,
						 .claims = { a->claims, a->claims_len } };

	return a->receipt_dir ? session_receipt_keep(&receipt, e) : 0;
}

static int judge(struct appraise *a, bool may_pend, struct err *e)
{
	const struct authenticator *auth = &a->session.authenticator;
	struct eat token = { .spki = NULL };
	struct err receipt;
	int failed;

	a->session.state = SESSION_NONE;
	if (eat_parse(auth->evidence, auth->evidence_len, &token, e) < 0)
		token = (struct eat){ .platform = EVIDENCE_NONE }; /* the verdict says why */
	failed = judge_token(a, &token, may_pend, e);
	eat_done(&token);
	if (failed)
		err_wrap(e, "attestation");
	if (a->session.state == SESSION_PENDING)
		return 0;
	/* Refusals are kept too; a session whose receipt can't be kept is none. */
	if (keep_receipt(a, &receipt) < 0 && !failed) {
		a->session.state = SESSION_NONE;
		*e = receipt;
		return err_code(e);
	}
	if (a->session.state == SESSION_VERIFIED && !a->has_first) {
		a->first = a->now;
		a->has_first = true;
	}
	return failed;
}

static int copy(const void *bytes, size_t len, uint8_t **out, struct err *e)
{
	uint8_t *made = malloc(len ? len : 1);

	if (!made)
		return err_nomem(e);
	if (len)
		memcpy(made, bytes, len);
	free(*out);
	*out = made;
	return 0;
}

int appraise_session(void *data, const struct authenticator *authenticator, struct err *e)
{
	struct appraise *a = data;
	struct authenticator *mine = &a->session.authenticator;

	a->session.state = SESSION_NONE;
	a->sessions++;
	if (copy(authenticator->evidence, authenticator->evidence_len, &mine->evidence, e) < 0 ||
	    copy(authenticator->spki, authenticator->spki_len, &mine->spki, e) < 0)
		return err_code(e);
	mine->evidence_len = authenticator->evidence_len;
	mine->spki_len = authenticator->spki_len;
	mine->binding = authenticator->binding;
	mine->group = authenticator->group;
	return judge(a, a->may_pend, e);
}

void appraise_allow_pending(struct appraise *a, bool allow)
{
	a->may_pend = allow;
	if (allow) { /* registers may have grown since */
		free(a->log);
		a->log = NULL;
		a->log_len = 0;
	}
}

void appraise_forget(struct appraise *a, bool another_chance)
{
	a->session.state = another_chance ? SESSION_FORGOTTEN : SESSION_NONE;
}

bool appraise_is_forgotten(const struct appraise *a)
{
	return a->session.state == SESSION_FORGOTTEN;
}

/* ---- what a pending session has to show ---- */

bool appraise_wants_log(const struct appraise *a)
{
	return a->session.state == SESSION_PENDING && a->session.wants_log;
}

bool appraise_wants_credential(const struct appraise *a)
{
	return a->session.state == SESSION_PENDING && a->session.wants_credential;
}

int appraise_set_log(struct appraise *a, const void *bytes, size_t len, struct err *e)
{
	if (len == 0 || len > APPRAISE_LOG_MAX)
		return err_set(e, ERR_INVALID, "an event log of %zu bytes; 1 to %d", len,
			       APPRAISE_LOG_MAX);
	if (copy(bytes, len, &a->log, e) < 0)
		return err_code(e);
	a->log_len = len;
	return 0;
}

/* The first certificate that chains to the root, with its key. */
static int choose_ek(struct appraise *a, const struct span *certs, size_t count, EVP_PKEY **ek,
		     struct err *e)
{
	struct ak_cert_input in = {
		.intermediates = a->options.input.tpm.binding.intermediates,
		.intermediate_count = a->options.input.tpm.binding.intermediate_count,
		.root = a->ek_root,
		.at = a->at ? a->at : (int64_t)time(NULL),
		.is_ek = true,
	};

	err_set(e, ERR_DENIED, "the TPM shows no EK certificate");
	if (count > APPRAISE_EK_CERTS_MAX)
		count = APPRAISE_EK_CERTS_MAX;
	for (size_t i = 0; i < count; i++) {
		in.cert = certs[i];
		if (ak_cert_verify(&in, ek, e) < 0)
			continue;
		a->ek_cert_len = certs[i].len;
		return copy(certs[i].bytes, certs[i].len, &a->ek_cert, e);
	}
	return err_wrap(e, "attestation: ak.activated");
}

int appraise_challenge(struct appraise *a, const struct span *ek_certs, size_t count,
		       const struct credential **credential, struct err *e)
{
	CLEANUP(free) struct tpm_evidence *attestation = calloc(1, sizeof(*attestation));
	const struct authenticator *auth = &a->session.authenticator;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ek = NULL;
	struct eat token = { .spki = NULL };
	int failed;

	if (!attestation)
		return err_nomem(e);
	if (choose_ek(a, ek_certs, count, &ek, e) < 0 ||
	    eat_parse(auth->evidence, auth->evidence_len, &token, e) < 0)
		return err_code(e);
	failed = credential_make(ek, presented_ak(&token, attestation), &a->credential, e);
	eat_done(&token);
	if (!failed)
		*credential = &a->credential;
	return failed;
}

int appraise_answer(struct appraise *a, const void *bytes, size_t len, struct err *e)
{
	return credential_answer(&a->credential, bytes, len, e);
}

int appraise_again(struct appraise *a, struct err *e)
{
	if (a->session.state != SESSION_PENDING)
		return err_set(e, ERR_PRECONDITION, "attestation: no session is waiting for more");
	return judge(a, false, e);
}

/* ---- what came out ---- */

bool appraise_is_verified(const struct appraise *a)
{
	return a->session.state == SESSION_VERIFIED;
}

bool appraise_takes_stock(const struct appraise *a)
{
	return a->options.policy.run.relayable;
}

uint32_t appraise_tls_groups(const struct appraise *a)
{
	return a->options.policy.tls_groups;
}

bool appraise_takes_given_key(const struct appraise *a)
{
	return a->options.policy.run.allow_external_identity || appraise_takes_stock(a);
}

uint8_t appraise_wire_type(const struct appraise *a)
{
	return (uint8_t)evidence_kind_rows[a->now.result.mode].type;
}

int appraise_pcr(const struct appraise *a, unsigned pcr, uint8_t value[SHA256_LEN], struct err *e)
{
	CLEANUP(free) struct tpm_evidence *attestation = calloc(1, sizeof(*attestation));
	const struct authenticator *auth = &a->session.authenticator;
	struct eat token = { .spki = NULL };
	bool found = false;

	if (!attestation)
		return err_nomem(e);
	if (appraise_is_verified(a) && eat_parse(auth->evidence, auth->evidence_len, &token, e) < 0)
		return err_code(e);
	found = presented_pcr(&token, attestation, pcr, value);
	eat_done(&token);
	return found ? 0
		     : err_set(e, ERR_PRECONDITION,
			       "this agent's evidence has no quote of PCR %u in the bank SHA-256",
			       pcr);
}

int appraise_receipt(struct appraise *a, const struct receipt_check *check, struct receipt *r,
		     struct verdict *v, struct err *e)
{
	CLEANUP(free) struct verify_result *result = calloc(1, sizeof(*result));
	struct receipt_check c = *check;
	struct verify_input in = a->options.input;

	if (!result)
		return err_nomem(e);
	c.endorsements = a->endorsements;
	in.at = a->at ? a->at : (int64_t)time(NULL);
	bind_ek(a, NULL, false, NULL, &in);
	if (receipt_check_judge(&c, &in, r, v, result, e) < 0)
		return err_code(e);
	return receipt_check_agent(r, a->first.key, v, e); /* the caller asks verdict_ok() */
}

const char *appraise_word(const struct appraise *a)
{
	return verdict_word(&a->verdict);
}

void appraise_tell(const struct appraise *a, const struct cli *cli, FILE *to)
{
	verdict_line(cli, to, &a->verdict, VERDICT_OF_SESSION,
		     "%s evidence over this connection, %zu checks",
		     evidence_kind_name(a->now.result.mode), a->verdict.count);
}
