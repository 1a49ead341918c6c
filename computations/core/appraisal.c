/* SPDX-License-Identifier: Apache-2.0 */
/* appraisal.c — the settings that evidence is judged by, and the judging of one case. */
#include "attestation/verify/verify.h"
#include "common/base/file.h"
#include "computations/core/appraisal_state.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 1 << 20, SKEW = 300 };

/* ---- settings ---- */

static int read_span(const char *path, uint8_t **bytes, struct span *span, struct err *e)
{
	if (!path)
		return 0;
	if (file_read(path, FILE_MAX, bytes, &span->len, e) < 0)
		return err_code(e);
	if (!span->len)
		return err_set(e, ERR_INVALID, "'%s' is empty", path);
	span->bytes = *bytes;
	return 0;
}

static int read_policy(struct appraisal *a, const char *path, struct err *e)
{
	struct policy_file file = { .name = path };

	if (file_read(path, POLICY_FILE_MAX, &a->policy_file, &file.len, e) < 0)
		return err_code(e);
	file.bytes = a->policy_file;
	a->files.policy = (struct span){ file.bytes, file.len };
	return policy_parse(&file, 1, &a->policy, e);
}

static int load(struct appraisal *a, const struct config *c, struct err *e)
{
	struct endorsements_config fetched = {
		.cache = c->attestation_cache,
		.kds = c->attestation_kds,
		.pcs = c->attestation_pcs,
		.ca = c->attestation_endorsements_ca,
		.offline = true,
	};
	struct verify_input *in = &a->input;
	struct span root = { NULL, 0 };

	policy_init(&a->policy);
	if (signatures_new(&a->signatures, e) < 0)
		return err_code(e);
	in->signatures = a->signatures;
	if (read_policy(a, c->attestation_policy, e) < 0 ||
	    read_span(c->attestation_root, &a->root, &root, e) < 0 ||
	    read_span(c->attestation_ak, &a->ak, &in->tpm.binding.named, e) < 0)
		return err_code(e);
	if (c->attestation_collateral &&
	    tdx_collateral_load(c->attestation_collateral, &a->collateral, e) < 0)
		return err_code(e);
	a->files.root = root;
	a->files.ak = in->tpm.binding.named;
	in->mode = EVIDENCE_EAT;
	in->policy = &a->policy;
	in->skew = SKEW;
	in->snp.trusted_root = root;
	in->tdx.endorsements.trusted_root = root;
	in->tdx.endorsements.collateral = a->collateral;
	in->tpm.binding.root = root;
	if (!fetched.cache) {
		if (text_format(&a->cache, e, "%s/endorsements", c->state_dir) < 0)
			return err_code(e);
		fetched.cache = a->cache;
	}
	if (endorsements_new(&fetched, &a->endorsements[LANE_CACHE], e) < 0)
		return err_code(e);
	if (c->attestation_offline || a->policy.offline)
		return 0;
	fetched.offline = false;
	return endorsements_new(&fetched, &a->endorsements[LANE_FETCH], e);
}

int appraisal_new(uv_loop_t *loop, const struct config *config, struct appraisal **made,
		  struct err *e)
{
	struct appraisal *a;

	*made = NULL;
	if (!config->attestation_policy)
		return 0;
	a = calloc(1, sizeof(*a));
	if (!a)
		return err_nomem(e);
	a->loop = loop;
	for (size_t i = 0; i < LANES; i++)
		TAILQ_INIT(&a->waiting[i]);
	if (appraisal_queue_open(a, e) < 0 || load(a, config, e) < 0) {
		appraisal_free(a);
		return err_wrap(e, "attestation");
	}
	*made = a;
	return 0;
}

void appraisal_free(struct appraisal *a)
{
	if (!a)
		return;
	policy_done(&a->policy);
	signatures_free(a->signatures);
	tdx_collateral_done(&a->collateral);
	for (size_t i = 0; i < LANES; i++)
		endorsements_free(a->endorsements[i]);
	keyed_rate_free(a->fetched_of);
	free(a->cache);
	free(a->policy_file);
	free(a->root);
	free(a->ak);
	free(a);
}

struct appraisal_files appraisal_files(const struct appraisal *a)
{
	return a->files;
}

uint8_t appraisal_type(const struct appraisal *a)
{
	enum evidence_kind kind = a->policy.has_snp   ? evidence_kind_of(TEE_SNP, a->policy.has_tpm)
				  : a->policy.has_tdx ? EVIDENCE_TDX
						      : EVIDENCE_VTPM;

	return (uint8_t)evidence_kind_rows[kind].type;
}

/* ---- one case ---- */

static void add(struct appraisal_verdict *out, const char *words)
{
	size_t used = strlen(out->line);

	snprintf(out->line + used, sizeof(out->line) - used, "; %s", words);
}

/* The line for a person, to `out->verified`; `why` it is not. */
static void put_line(struct appraisal_verdict *out, const struct verdict *v, const char *kind,
		     const char *why, const char *missing)
{
	if (out->verified)
		snprintf(out->line, sizeof(out->line), "%s: %s evidence, %zu checks",
			 verdict_word(v), kind, v->count);
	else
		snprintf(out->line, sizeof(out->line), "%s: %s", verdict_word(v), why);
	if (*missing)
		add(out, missing);
	for (size_t i = 0; i < v->note_count; i++)
		/* What limits a yes is part of it. */
		if (notes_limit(v->notes[i].id))
			add(out, v->notes[i].text);
}

void appraisal_judge(void *data)
{
	struct appraisal_entry *entry = data;
	struct appraisal *a = entry->appraisal;
	struct endorsements *endorsements = a->endorsements[entry->lane];
	const struct binding_nonce nonce = { .tee = entry->which.nonce,
					     .tee_len = APPRAISAL_NONCE_LEN };
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));
	CLEANUP(free) struct verify_result *result = calloc(1, sizeof(*result));
	struct verify_input in = a->input;
	struct err e = { 0 }, missing = { 0 };

	if (!v || !result) {
		snprintf(entry->verdict.line, sizeof(entry->verdict.line),
			 "refused: out of memory");
		return;
	}
	in.evidence = (struct span){ entry->token, entry->len };
	in.binding.nonce = &nonce;
	in.binding.group = &entry->which.group;
	in.before_run = !entry->which.has_manifest;
	in.manifests = entry->which.has_manifest
			       ? (const uint8_t(*)[SHA3_256_LEN])entry->which.manifest
			       : NULL;
	in.manifest_count = entry->which.has_manifest;
	in.at = time(NULL);
	bool judged = endorsements_verify(endorsements, &in, v, result, &missing, &e) == 0;
	entry->wants_more = a->endorsements[LANE_FETCH] && endorsements_wanted(endorsements);
	entry->verdict.verified = judged && verdict_ok(v);
	if (entry->verdict.verified && result->has_identity) {
		entry->verdict.has_identity = true;
		memcpy(entry->verdict.identity, result->identity, sizeof(result->identity));
	}
	put_line(&entry->verdict, v, evidence_kind_name(result->mode),
		 judged ? verdict_reason(v).text : e.text, missing.text);
}
