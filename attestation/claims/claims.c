/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/claims/claims.h"

#include "attestation/claims/claims_fields.h"
#include "attestation/token/run_statement.h"
#include "attestation/verify/evidence_parts.h"
#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "common/base/writer.h"

#include <string.h>

/* One verdict's claims. */
struct claims {
	const struct verify_input *in;
	const struct verify_result *result;
	const struct verdict *v;
	const struct evidence_parts *parts;
	bool genuine;    /* nothing speaks against any of it */
	struct err lack; /* a part that could not be read for want of memory */
	struct writer *w;
};

/* ---- what is verified ---- */

static bool passed(const struct claims *c, enum check_id id)
{
	const struct check *check = verdict_find(c->v, id);

	return check && check->outcome == CHECK_PASSED;
}

static bool snp_verified(const struct claims *c)
{
	return c->genuine && passed(c, CHECK_SIGNATURE_REPORT) && passed(c, CHECK_CHAIN_ROOT);
}

static bool tdx_verified(const struct claims *c)
{
	return c->genuine && passed(c, CHECK_SIGNATURE_QUOTE) && passed(c, CHECK_CHAIN_PCK);
}

/* The guest that the policy wants may be a stock agent's, which has evidence made over whatever bytes it is
 * given: over a forger's keys, too. */
static bool takes_stock(const struct claims *c)
{
	return c->in->policy && c->in->policy->run.relayable;
}

/* A TEE's report vouches for the key that its guest names, and any tenant's guest can name one: so it
 * counts where the guest is one that the policy wants, and names none that it is told (Azure's paravisor
 * asks for its reports itself, if it is one), or somebody else vouches for the key, too. */
static bool ak_vouched(const struct claims *c)
{
	bool paravisor =
		c->in->hcl_report.len && c->in->policy && c->in->policy->run.azure_paravisor;
	bool by_guest = (!takes_stock(c) || paravisor) &&
			(passed(c, CHECK_POLICY_MEASUREMENT) || passed(c, CHECK_POLICY_MRTD));

	return passed(c, CHECK_AK_BINDING) &&
	       (!evidence_kind_rows[c->result->mode].tee || passed(c, CHECK_AK_NAMED) ||
		passed(c, CHECK_AK_CERTIFICATE) || passed(c, CHECK_AK_ACTIVATED) || by_guest);
}

static bool tpm_verified(const struct claims *c)
{
	return c->genuine && passed(c, CHECK_QUOTE_SIGNATURE) && passed(c, CHECK_QUOTE_DIGEST) &&
	       ak_vouched(c);
}

static bool by_quote(const struct claims *c, enum check_id binding)
{
	return binding == CHECK_QUOTE_NONCE || c->in->hcl_report.len;
}

/* The evidence is bound to what was asked for, and so to the key that was hashed in. REPORT_DATA of Azure's
 * are the digest of the paravisor's own data: there the quote alone is bound, by the key that they name. */
static bool is_bound(const struct claims *c)
{
	static const enum check_id bindings[] = { CHECK_POLICY_REPORT_DATA, CHECK_POLICY_REPORTDATA,
						  CHECK_QUOTE_NONCE };
	const struct evidence_parts *p = c->parts;
	struct span spki = c->in->binding.channel_spki;
	bool own = c->in->binding.nonce ||
		   (c->in->binding.channel && p->token.spki && p->token.spki_len == spki.len &&
		    memcmp(p->token.spki, spki.bytes, spki.len) == 0);
	bool some = false;

	for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
		if (verdict_find(c->v, bindings[i]) && !passed(c, bindings[i]))
			return false;
		some = some ||
		       (passed(c, bindings[i]) && (!by_quote(c, bindings[i]) || ak_vouched(c)));
	}
	return own && some;
}

static bool run_verified(const struct claims *c)
{
	return c->genuine && !takes_stock(c) && passed(c, CHECK_RUN_EVIDENCE) &&
	       (!c->parts->has_tpm || tpm_verified(c));
}

/* Its own key's signature counts once the hardware vouches for that key. */
static bool token_verified(const struct claims *c)
{
	bool by_guest = !takes_stock(c) &&
			(is_bound(c) || (run_verified(c) && passed(c, CHECK_RUN_IDENTITY)));
	bool vouched = c->in->token_key || by_guest;

	return c->genuine && passed(c, CHECK_TOKEN_SIGNATURE) && vouched;
}

/* ---- the parts ---- */

static void begin(const struct claims *c, const char *name, bool verified)
{
	json_put_key(c->w, name);
	writer_printf(c->w, "{\"verified\":%s", verified ? "true" : "false");
}

static void put_object(struct writer *w, const char *name)
{
	json_put_key(w, name);
	writer_text(w, "{");
}

static void put_text(struct writer *w, const char *name, const char *text)
{
	json_put_key(w, name);
	json_quote_shown(w, text, strlen(text));
}

static void put_moment(struct writer *w, const char *name, int64_t seconds)
{
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_format(seconds, text);
	put_text(w, name, text);
}

static void put_bool(struct writer *w, const char *name, bool value)
{
	json_put_key(w, name);
	writer_text(w, value ? "true" : "false");
}

/* Whose key the chain leads to: the vendor's, or one that the caller named. */
static void put_root(struct writer *w, const uint8_t digest[SHA256_LEN], bool own)
{
	put_object(w, "root");
	json_put_hex(w, "key_sha256", digest, SHA256_LEN);
	put_bool(w, "named_by_caller", own);
	writer_text(w, "}");
}

static void put_snp(const struct claims *c)
{
	const struct snp_result *r = &c->result->snp;
	bool verified = snp_verified(c);

	if (!c->parts->has_snp || !c->parts->snp.has_report)
		return;
	begin(c, "snp", verified);
	/* Of the chain nothing is told before it is believed. */
	if (verified) {
		put_text(c->w, "product", snp_product_name(r->product));
		put_root(c->w, r->root_digest, r->own_root);
		put_object(c->w, "certificate");
		put_text(c->w, "kind", r->key == SNP_KEY_VLEK ? "VLEK" : "VCEK");
		put_moment(c->w, "not_before", r->not_before);
		put_moment(c->w, "not_after", r->not_after);
		if (r->csp_id[0])
			put_text(c->w, "csp_id", r->csp_id);
		json_put_key(c->w, "tcb");
		claims_snp_tcb(&r->tcb, c->w);
		writer_text(c->w, "}");
	}
	put_object(c->w, "report");
	claims_snp_report(&c->parts->snp.report, verified ? r->product : SNP_PRODUCT_ANY, c->w);
	writer_text(c->w, "}}");
}

static void put_tdx_status(struct writer *w, const struct tdx_result *r)
{
	put_object(w, "tcb");
	put_text(w, "status", tdx_status_name(r->status));
	put_text(w, "level_status", tdx_status_name(r->level_status));
	put_text(w, "qe_status", tdx_status_name(r->qe_status));
	/* The first modules have no version, and no status of their own. */
	if (r->has_module)
		put_text(w, "module_status", tdx_status_name(r->module_status));
	writer_text(w, ",\"advisories\":[");
	for (size_t i = 0; i < r->advisory_count; i++) {
		writer_text(w, i ? "," : "");
		json_quote_shown(w, r->advisories[i], strlen(r->advisories[i]));
	}
	writer_printf(w, "],\"evaluation\":%llu", (unsigned long long)r->tcb_evaluation);
	put_moment(w, "issued", r->issued);
	put_moment(w, "next_update", r->next_update);
	writer_text(w, "}");
}

static void put_tdx(const struct claims *c)
{
	const struct tdx_result *r = &c->result->tdx;
	const struct tdx_quote *q = &c->parts->tdx.quote;
	bool verified = tdx_verified(c);

	if (!c->parts->tdx.has_quote)
		return;
	begin(c, "tdx", verified);
	if (verified && r->has_pck) {
		put_root(c->w, r->root_digest, r->own_root);
		put_object(c->w, "pck");
		claims_tdx_pck(&r->pck, c->w);
		writer_text(c->w, "}");
	}
	if (verified && r->has_status)
		put_tdx_status(c->w, r);
	put_object(c->w, "quote");
	writer_printf(c->w, "\"version\":%u", q->version);
	claims_tdx_body(q, c->w);
	writer_text(c->w, "}");
	put_object(c->w, "qe_report");
	claims_tdx_qe(&q->qe_report, c->w);
	writer_text(c->w, "}}");
}

/* The message's quotes, or the bare one. */
static void put_tpm(const struct claims *c)
{
	const struct tpm_evidence *a = &c->parts->tpm;
	bool first = true;
	struct err unreadable;

	if (!c->parts->has_tpm)
		return;
	begin(c, "tpm", tpm_verified(c));
	if (c->result->tpm.has_ak)
		json_put_hex(c->w, "ak_sha256", c->result->tpm.ak, SHA256_LEN);
	json_put_hex(c->w, "ak_pub", a->ak_public.bytes, a->ak_public.len);
	writer_text(c->w, ",\"quotes\":[");
	for (size_t i = 0; i < a->quote_count; i++) {
		size_t before = c->w->len;

		writer_text(c->w, first ? "" : ",");
		if (claims_tpm_quote(&a->quotes[i], c->w, &unreadable) < 0)
			c->w->len = before;
		else
			first = false;
	}
	writer_text(c->w, "]}");
}

static void put_token(const struct claims *c)
{
	if (!c->parts->has_token)
		return;
	begin(c, "token", token_verified(c));
	claims_token(&c->parts->token, CLAIMS_CLAIM_MAX, c->w);
	writer_text(c->w, "}");
}

static void put_entries(struct writer *w, const struct run_statement *s)
{
	put_object(w, "boot_configuration");
	for (size_t i = 0; i < s->entry_count; i++) {
		writer_text(w, i ? "," : "");
		json_quote_shown(w, s->entries[i].key, strlen(s->entries[i].key));
		writer_text(w, ":");
		if (s->entries[i].value)
			json_quote_shown(w, s->entries[i].value, strlen(s->entries[i].value));
		else
			writer_text(w, "null"); /* a secret */
	}
	writer_text(w, "},\"weak_words\":[");
	for (size_t i = 0; i < s->weak_count; i++) {
		writer_text(w, i ? "," : "");
		json_quote_shown(w, s->weak[i], strlen(s->weak[i]));
	}
	writer_text(w, "]");
}

/* What can't be read is left out, but not what there is no memory for. */
static void note_lack(struct claims *c, const struct err *why)
{
	if (why->code == ERR_EXHAUSTED)
		c->lack = *why;
}

static void put_run(struct claims *c)
{
	const struct eat *t = &c->parts->token;
	struct run_statement s;
	struct err why;

	if (!c->parts->has_token || !t->run.len)
		return;
	if (run_statement_parse(t->run.bytes, t->run.len, &s, &why) < 0) {
		note_lack(c, &why);
		return;
	}
	begin(c, "run", run_verified(c));
	put_text(c->w, "computation", s.computation);
	json_put_hex(c->w, "manifest", s.manifest, sizeof(s.manifest));
	json_put_hex(c->w, "agent_config", s.agent_config, sizeof(s.agent_config));
	json_put_hex(c->w, "boot", s.boot, sizeof(s.boot));
	put_bool(c->w, "boot_fixed", s.fixed);
	json_put_hex(c->w, "identity", s.identity, s.identity_len);
	put_bool(c->w, "identity_from_outside", s.external);
	if (s.journal)
		json_put_hex(c->w, "journal", s.journal, s.journal_len);
	put_entries(c->w, &s);
	writer_text(c->w, "}");
	run_statement_done(&s);
}

int claims_json(const struct verify_input *in, const struct verify_result *result,
		const struct verdict *v, struct writer *w, struct err *e)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *parts = NULL;
	CLEANUP_WRITER struct writer own = writer_up_to(CLAIMS_MAX);
	struct claims c = { .in = in, .result = result, .v = v, .w = &own };

	if (evidence_parts_new(in, &parts, e) < 0)
		return err_code(e);
	c.parts = parts;
	if (in->evidence.len <= EAT_MAX) /* else that is the lack */
		note_lack(&c, &parts->token_why);
	note_lack(&c, &parts->sevsnp_why);
	note_lack(&c, &parts->hcl_why);
	note_lack(&c, &parts->tpm_why);
	c.genuine = verdict_is_genuine(v);
	writer_text(&own, "{");
	put_text(&own, "kind", evidence_kind_name(result->mode));
	put_moment(&own, "judged_at", in->at);
	put_bool(&own, "simulated", v->simulated);
	put_snp(&c);
	put_tdx(&c);
	put_tpm(&c);
	put_token(&c);
	put_run(&c);
	writer_text(&own, "}");
	if (c.lack.code != ERR_OK)
		return err_set(e, ERR_EXHAUSTED, "%s", c.lack.text);
	if (writer_check(&own, "claims", e) < 0)
		return err_code(e);
	writer_bytes(w, own.bytes, own.len);
	return writer_check(w, "claims", e);
}
