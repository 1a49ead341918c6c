/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verify/verify_run.h"

#include "attestation/envelope/tpm_attestation.h"
#include "attestation/token/run_statement.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <string.h>

/* What a host may set at boot even if no policy allows it: where the agent reports to, as whom, and
 * how much it logs. None of it reaches an asset. */
static const char *const default_boot_keys[] = {
	"AGENT_LOG_LEVEL",
	"AGENT_CVM_ID",
	"AGENT_GRPC_HOST",
	"AGENT_CVM_GRPC_URL",
	"AGENT_CVM_GRPC_TIMEOUT",
	"AGENT_CVM_GRPC_CLIENT_CERT",
	"AGENT_CVM_GRPC_CLIENT_KEY",
	"AGENT_CVM_GRPC_SERVER_CA_CERTS",
	"AGENT_CVM_CA_URL",
	"AGENT_CERTS_TOKEN",
	"AGENT_VMPL",
	"AGENT_OS_BUILD",
	"AGENT_OS_DISTRO",
	"AGENT_OS_TYPE",
	"AGENT_PIP_INDEX_URL",
};

static const char stock_word[] = "a stock agent's word, which vouches for any statement";

/* One judgement of a statement. */
struct run {
	const struct verify_input *in;
	enum evidence_kind mode;
	const struct evidence_kind_row *row; /* of that mode */
	const struct eat *token;
	verify_run_judge_fn *judge;
	const struct verify_result *result; /* of the evidence beside the statement */
	struct run_statement statement;
	struct verdict *v;
};

/* ---- what each TEE tells of a launch ---- */

static struct span fixed_none(const struct verify_result *result)
{
	return (struct span){ NULL, 0 };
}

static struct span fixed_snp(const struct verify_result *result)
{
	const struct snp_report *r = &result->snp.report;

	return (struct span){ r->host_data, sizeof(r->host_data) };
}

static struct span fixed_tdx(const struct verify_result *result)
{
	const struct tdx_body *b = &result->tdx.quote.body;

	return (struct span){ b->mrconfigid, sizeof(b->mrconfigid) };
}

static void same_none(const struct run *r, const struct verify_result *other)
{
}

static void same_snp(const struct run *r, const struct verify_result *other)
{
	const struct snp_report *a = &r->result->snp.report, *b = &other->snp.report;

	verdict_bytes(r->v, CHECK_RUN_SAME_MEASUREMENT, b->measurement, a->measurement,
		      sizeof(a->measurement));
	verdict_bytes(r->v, CHECK_RUN_SAME_REPORT_ID, b->report_id, a->report_id,
		      sizeof(a->report_id));
	verdict_bytes(r->v, CHECK_RUN_SAME_CHIP, b->chip_id, a->chip_id, sizeof(a->chip_id));
	verdict_bytes(r->v, CHECK_RUN_SAME_HOST_DATA, b->host_data, a->host_data,
		      sizeof(a->host_data));
}

/* TDX has no identifier of one launch; what it has of the platform and the TD has to agree. */
static void same_tdx(const struct run *r, const struct verify_result *other)
{
	const struct tdx_result *a = &r->result->tdx, *b = &other->tdx;

	verdict_bytes(r->v, CHECK_RUN_SAME_MEASUREMENT, b->quote.body.mrtd, a->quote.body.mrtd,
		      sizeof(a->quote.body.mrtd));
	verdict_bytes(r->v, CHECK_RUN_SAME_RTMRS, b->quote.body.rtmr, a->quote.body.rtmr,
		      sizeof(a->quote.body.rtmr));
	verdict_bytes(r->v, CHECK_RUN_SAME_MRCONFIGID, b->quote.body.mrconfigid,
		      a->quote.body.mrconfigid, sizeof(a->quote.body.mrconfigid));
	verdict_bytes(r->v, CHECK_RUN_SAME_MROWNER, b->quote.body.mrowner, a->quote.body.mrowner,
		      sizeof(a->quote.body.mrowner));
	verdict_bytes(r->v, CHECK_RUN_SAME_MROWNERCONFIG, b->quote.body.mrownerconfig,
		      a->quote.body.mrownerconfig, sizeof(a->quote.body.mrownerconfig));
	verdict_bytes(r->v, CHECK_RUN_SAME_PLATFORM, b->pck.ppid, a->pck.ppid, sizeof(a->pck.ppid));
}

static const struct {
	/* Where the digest of the boot configuration is, all zero if nothing was fixed. */
	struct span (*fixed)(const struct verify_result *result);
	/* The statement's own evidence is of this launch. */
	void (*same)(const struct run *r, const struct verify_result *other);
} tees[] = {
	[TEE_NONE] = { fixed_none, same_none },
	[TEE_SNP] = { fixed_snp, same_snp },
	[TEE_TDX] = { fixed_tdx, same_tdx },
};
_Static_assert(ARRAY_LEN(tees) == TEES, "one for each TEE");

static bool has_key(const struct policy_run *p, const char *key)
{
	for (size_t i = 0; p->has_boot_keys && i < p->boot_key_count; i++)
		if (strcmp(p->boot_keys[i], key) == 0)
			return true;
	for (size_t i = 0; !p->has_boot_keys && i < ARRAY_LEN(default_boot_keys); i++)
		if (strcmp(default_boot_keys[i], key) == 0)
			return true;
	return false;
}

static void judge_boot(const struct run *r)
{
	const struct policy_run *p = &r->in->policy->run;
	const struct run_statement *s = &r->statement;
	const char *stranger = NULL;

	for (size_t i = 0; i < s->entry_count && !stranger; i++)
		if (!has_key(p, s->entries[i].key))
			stranger = s->entries[i].key;
	verdict_check(r->v, CHECK_RUN_BOOT_KEYS, !stranger,
		      stranger ? log_quote(stranger).text : "known ones",
		      "only keys that the policy lets the host set");
	if (!s->fixed)
		verdict_note(r->v, NOTE_BOOT_NOT_FIXED,
			     "the boot configuration was not fixed at launch");
}

/* Something, that is: what HOST_DATA or MRCONFIGID hold, an agent has to have compared. */
static bool launch_fixed(const struct run *r)
{
	const struct span fixed = tees[r->row->tee].fixed(r->result);

	return !bytes_are(fixed.bytes, fixed.len, 0);
}

/* The launch that the TEE vouches for fixed the boot configuration: the agent compared it before it
 * went on, and says so; one that could not read what was fixed may have been given anything else.
 * Of SNP the statement has the digest itself; RTMR3 is compared with that of the statement's
 * evidence (run.same_rtmrs). */
static void judge_fixed(const struct run *r)
{
	const struct run_statement *s = &r->statement;
	if (!r->in->policy->run.fixed_boot && !launch_fixed(r))
		return;
	verdict_check(r->v, CHECK_RUN_FIXED_BOOT, s->fixed,
		      s->fixed ? "fixed at launch" : "not fixed at launch", "fixed at launch");
	if (r->row->tee == TEE_SNP)
		verdict_bytes(r->v, CHECK_RUN_HOST_DATA, r->result->snp.report.host_data, s->boot,
			      sizeof(s->boot));
}

static void judge_words(const struct run *r)
{
	const struct policy_run *p = &r->in->policy->run;
	const char *weak = NULL;

	for (size_t i = 0; i < r->statement.weak_count && !weak; i++) {
		weak = r->statement.weak[i];
		for (size_t k = 0; weak && k < p->weak_word_count; k++)
			if (strcmp(p->weak_words[k], weak) == 0)
				weak = NULL;
	}
	verdict_check(r->v, CHECK_RUN_WEAK_WORDS, !weak, weak ? log_quote(weak).text : "none",
		      "no weakening word on the command line");
}

static void judge_identity(const struct run *r)
{
	const struct run_statement *s = &r->statement;

	if (r->token)
		verdict_check(r->v, CHECK_RUN_IDENTITY,
			      r->token->spki && r->token->spki_len == s->identity_len &&
				      memcmp(r->token->spki, s->identity, s->identity_len) == 0,
			      "the statement's key", "the key of this evidence");
	verdict_check(r->v, CHECK_RUN_IDENTITY_MADE_INSIDE,
		      !s->external || r->in->policy->run.allow_external_identity,
		      s->external ? "supplied from outside" : "made inside", "made inside");
}

static bool names_manifest(const struct verify_input *in)
{
	return in->manifest_count || in->policy->run.manifests.count;
}

/* The relying party's manifest and the policy's list: whichever is given has to agree. */
static bool is_named(const struct verify_input *in, const uint8_t manifest[SHA3_256_LEN])
{
	const struct value_set *set = &in->policy->run.manifests;
	const struct value_set named = { in->manifest_count ? in->manifests[0] : NULL,
					 in->manifest_count };

	return (!named.count || value_set_has(&named, manifest, SHA3_256_LEN)) &&
	       (!set->count || value_set_has(set, manifest, SHA3_256_LEN));
}

static void judge_manifest(const struct run *r, struct verify_result *out)
{
	const uint8_t *manifest = r->statement.manifest;
	char hex[2 * SHA3_256_LEN + 1];

	hex_encode(manifest, SHA3_256_LEN, hex);
	if (names_manifest(r->in)) {
		verdict_check(r->v, CHECK_RUN_MANIFEST, is_named(r->in, manifest), hex,
			      "the manifest that was named");
	} else {
		verdict_not_asked(r->v, CHECK_RUN_MANIFEST, hex);
		verdict_note(r->v, NOTE_MANIFEST,
			     "no manifest was named; this agent's is sha3-256:%s", hex);
	}
	memcpy(out->manifest, manifest, SHA3_256_LEN);
	out->has_manifest = true;
}

/* ---- the statement's own evidence ---- */

static bool same_boot(const struct tpm_evidence *one, const struct tpm_evidence *other,
		      struct err *e)
{
	struct tpm_attest a, b;

	return one->quote_count && other->quote_count &&
	       tpm_attest_parse(one->quotes[0].quote, &a, e) == 0 &&
	       tpm_attest_parse(other->quotes[0].quote, &b, e) == 0 &&
	       a.reset_count == b.reset_count && a.restart_count == b.restart_count;
}

/* The statement's evidence must not be of another boot either: the same TPM measured something else
 * then. */
static void same_ak(const struct run *r)
{
	struct span one = { r->token->raw_report.bytes, r->token->raw_report.len };
	struct span other = { r->token->run_evidence.bytes, r->token->run_evidence.len };
	CLEANUP(free) struct tpm_evidence *a = calloc(2, sizeof(*a));
	struct err e;

	bool parsed = a && tpm_attestation_parse(one, &a[0], &e) == 0 &&
		      tpm_attestation_parse(other, &a[1], &e) == 0;
	verdict_check(
		r->v, CHECK_RUN_SAME_AK,
		parsed && a[0].ak_public.len && a[0].ak_public.len == a[1].ak_public.len &&
			memcmp(a[0].ak_public.bytes, a[1].ak_public.bytes, a[0].ak_public.len) == 0,
		"the statement's attestation key", "the one of this evidence");
	verdict_check(r->v, CHECK_RUN_SAME_BOOT, parsed && same_boot(&a[0], &a[1], &e),
		      "another boot's quote beside the statement", "the boot of this evidence");
}

/* Nobody stands behind a statement whose evidence is genuine and over something else, or was never
 * compared with it. */
static bool is_over_statement(const struct verdict *inner)
{
	static const enum check_id bindings[] = { CHECK_POLICY_REPORT_DATA, CHECK_POLICY_REPORTDATA,
						  CHECK_QUOTE_NONCE };
	bool some = false;

	for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
		const struct check *check = verdict_find(inner, bindings[i]);

		if (check && check->outcome != CHECK_PASSED)
			return false;
		some = some || check;
	}
	return some;
}

/* Judged like the evidence beside it, under the same policy and endorsements, but bound
 * to the statement, and without a statement of its own. */
static void judge_evidence(const struct run *r)
{
	CLEANUP(free) struct verify_result *other = calloc(1, sizeof(*other));
	CLEANUP(free) struct verdict *inner = calloc(1, sizeof(*inner));
	CLEANUP(free) struct policy *policy = malloc(sizeof(*policy));
	struct verify_input in = *r->in;
	struct binding binding;
	struct err e = { 0 };

	if (!other || !inner || !policy) {
		err_nomem(&e);
		verdict_err(r->v, CHECK_RUN_EVIDENCE, &e);
		return;
	}
	/* A token would bring a run statement of its own, and so on without an end. */
	if (!r->token->run_evidence.len || r->token->run_evidence.bytes[0] == 0xD2) {
		verdict_check(r->v, CHECK_RUN_EVIDENCE, false, "a token, or nothing",
			      "bare evidence, as the TEE made it");
		return;
	}
	if (binding_run(r->token->run.bytes, r->token->run.len, &binding, &e) < 0) {
		verdict_err(r->v, CHECK_RUN_EVIDENCE, &e);
		return;
	}
	*policy = *r->in->policy; /* shares the memory behind it */
	memset(&policy->run, 0, sizeof(policy->run));
	memset(&policy->token, 0, sizeof(policy->token)); /* it is bare by its form */
	policy->run.relayable = true;
	policy->has_report_data = false;
	in.policy = policy;
	in.mode = r->mode;
	in.evidence = (struct span){ r->token->run_evidence.bytes, r->token->run_evidence.len };
	in.binding = (struct verify_binding){
		.report_data = r->row->tee && !in.hcl_report.len ? binding.report_data : NULL,
	};
	if (r->row->tpm)
		in.binding.tpm_nonce = (struct span){ binding.tpm_nonce, BINDING_TPM_NONCE_LEN };
	in.manifest_count = 0;
	in.beside_statement = true;
	in.token_key = NULL; /* there is no token for it */
	if (r->judge(&in, inner, other, &e) < 0) {
		verdict_err(r->v, CHECK_RUN_EVIDENCE, &e);
		return;
	}
	if (!verdict_ok(inner) && !(verdict_is_genuine(inner) && is_over_statement(inner))) {
		verdict_check(r->v, CHECK_RUN_EVIDENCE, false, verdict_reason(inner).text, NULL);
		return;
	}
	verdict_check(r->v, CHECK_RUN_EVIDENCE, true, "genuine, over this statement", NULL);
	verdict_check(r->v, CHECK_RUN_EVIDENCE_POLICY, verdict_ok(inner),
		      verdict_reason(inner).text, NULL);
	tees[r->row->tee].same(r, other);
	if (r->row->tpm)
		same_ak(r);
}

/* What the statement says, whatever vouches for it. */
static void judge_statement(struct run *r, struct span bytes, struct verify_result *result)
{
	struct err e;

	if (run_statement_parse(bytes.bytes, bytes.len, &r->statement, &e) < 0) {
		verdict_err(r->v, CHECK_RUN_FORM, &e);
		return;
	}
	judge_identity(r);
	judge_boot(r);
	judge_fixed(r);
	judge_words(r);
	if (!r->in->policy->run.relayable)
		judge_manifest(r, result);
	if (r->token)
		judge_evidence(r);
	run_statement_done(&r->statement);
}

/* The evidence itself is over the statement, so that it has been judged already: here is what the
 * statement says. A stock agent gets evidence over whatever bytes it is given: over a statement, too, that
 * the one who asked wrote. */
static void judge_own(struct run *r, struct verify_result *result)
{
	verdict_require(r->v, CHECK_RUN_STATEMENT);
	if (names_manifest(r->in))
		verdict_require(r->v, CHECK_RUN_MANIFEST);
	if (verdict_check(r->v, CHECK_RUN_STATEMENT, !r->in->policy->run.relayable,
			  "a policy that takes a stock agent, which vouches for any statement",
			  "one that takes agents of ours alone"))
		verdict_check(r->v, CHECK_RUN_STATEMENT, is_over_statement(r->v),
			      "evidence that nobody compared with it", "evidence over it");
	judge_statement(r, r->in->statement, result);
}

/* Nobody can hold a stock agent to what is asked of a run: without a statement nothing tells it, and
 * one with evidence may be a forger's, who had the agent ask for that. False: something is asked. */
static bool asks_nothing_of_run(const struct run *r)
{
	const struct policy_run *p = &r->in->policy->run;
	const struct {
		bool asked;
		enum check_id check;
		const char *wanted;
	} rows[] = {
		{ names_manifest(r->in), CHECK_RUN_MANIFEST, "the manifest that was named" },
		{ p->fixed_boot, CHECK_RUN_FIXED_BOOT, "one that tells what was fixed at launch" },
		{ p->has_boot_keys, CHECK_RUN_BOOT_KEYS,
		  "one that tells what the host set at boot" },
	};
	bool stated = r->token && r->token->run.bytes;
	bool nothing = true;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].asked)
			nothing = verdict_check(r->v, rows[i].check, false,
						stated ? stock_word : "no run statement",
						rows[i].wanted);
	return nothing;
}

/* What such an agent states, or a forger with its help, can only speak against it. */
static void judge_stock(struct run *r, struct verify_result *result)
{
	const struct eat *token = r->token;
	size_t before = r->v->count;

	if (!asks_nothing_of_run(r) || !token || !token->run.bytes)
		return;
	if (verdict_check(r->v, CHECK_RUN_STATEMENT, token->run_evidence.bytes != NULL,
			  "one without evidence", "a run statement with evidence, or none"))
		judge_statement(r, (struct span){ token->run.bytes, token->run.len }, result);
	verdict_withdraw(r->v, before, stock_word);
}

/* Where the policy has it judged by the run statement, any value passed; here is none to judge it by. */
static void leave_boot(const struct run *r)
{
	static const char why[] = "no run statement yet, which it is compared with";
	const struct policy *p = r->in->policy;
	const struct {
		bool of_run;
		enum tee tee;
		enum check_id check;
	} rows[] = {
		{ p->snp.host_data_of_run && !p->snp.host_data.count, TEE_SNP,
		  CHECK_POLICY_HOST_DATA },
		{ p->tdx.of_run && !p->tdx.mrconfigid.count, TEE_TDX, CHECK_POLICY_MRCONFIGID },
		{ p->tdx.of_run && !p->tdx.rtmr[3].count &&
			  !event_rules_cover(&p->tdx.events, 3, DIGEST_SHA384),
		  TEE_TDX, CHECK_POLICY_RTMR3 },
	};
	bool some = false;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].of_run || rows[i].tee != r->row->tee)
			continue;
		verdict_leave(r->v, rows[i].check, why);
		some = true;
	}
	if (some)
		verdict_note(r->v, NOTE_BOOT_UNCOMPARED,
			     "what the host chose at boot is compared with nothing yet: the policy "
			     "has a run statement say it (run.fixed_boot)");
}

/* An agent that has no manifest yet has a key alone. */
static void judge_before_run(const struct run *r)
{
	const struct verify_input *in = r->in;

	verdict_require(r->v, CHECK_RUN_KEY);
	verdict_check(r->v, CHECK_RUN_KEY,
		      r->token && r->token->spki && in->binding.nonce && !in->manifest_count,
		      "no key of its own that a nonce binds", "a token with cnf");
	verdict_note(r->v, NOTE_NO_MANIFEST_YET, "no manifest yet: nothing is said about the run");
	leave_boot(r);
}

void verify_run(const struct verify_input *in, enum evidence_kind mode, const struct eat *token,
		verify_run_judge_fn *judge, struct verify_result *result, struct verdict *v)
{
	struct run r = { .in = in,
			 .mode = mode,
			 .row = &evidence_kind_rows[mode],
			 .token = token,
			 .judge = judge,
			 .result = result,
			 .v = v };

	if (!in->policy)
		return; /* refused for that already */
	if (in->statement.len) {
		judge_own(&r, result);
		return;
	}
	if (in->policy->run.relayable) {
		judge_stock(&r, result);
		return;
	}
	if (in->before_run && !(token && token->run.bytes)) {
		judge_before_run(&r);
		return;
	}
	verdict_require(v, CHECK_RUN_STATEMENT);
	verdict_require(v, CHECK_RUN_EVIDENCE);
	verdict_require(v, CHECK_RUN_EVIDENCE_POLICY);
	if (names_manifest(in))
		verdict_require(v, CHECK_RUN_MANIFEST);
	if (!verdict_check(v, CHECK_RUN_STATEMENT,
			   token && token->run.bytes && token->run_evidence.bytes,
			   "none, or none with evidence",
			   "a run statement (or a policy that takes a stock agent)"))
		return;
	judge_statement(&r, (struct span){ token->run.bytes, token->run.len }, result);
}
