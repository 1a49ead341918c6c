/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/evidence/evidence_token.h"

#include "attestation/formats/pb.h"
#include "attestation/snp/snp_appraise.h"
#include "attestation/snp/snp_report.h"
#include "attestation/tdx/tdx_quote.h"
#include "attestation/token/eat.h"

#include <stdlib.h>
#include <time.h>

enum { ATTESTATION_EVENT_LOG = 3 /* attest.proto */ };

static struct eat_bytes bytes_of(struct span s)
{
	return (struct eat_bytes){ s.bytes, s.len };
}

/* What a token says beside the evidence must be the evidence's own. */
struct claims {
	struct snp_report snp;
	struct tdx_quote tdx;
};

static int claim_snp(struct span raw, struct claims *claims, struct eat_content *content,
		     struct err *e)
{
	struct span report, table;

	snp_evidence_split(raw, &report, &table);
	if (snp_report_parse(report.bytes, report.len, &claims->snp, e) < 0)
		return err_code(e);
	content->ueid = (struct eat_bytes){ claims->snp.chip_id, sizeof(claims->snp.chip_id) };
	content->measurement =
		(struct eat_bytes){ claims->snp.measurement, sizeof(claims->snp.measurement) };
	return 0;
}

static int claim_tdx(struct span raw, struct claims *claims, struct eat_content *content,
		     struct err *e)
{
	enum { UEID_LEN = 32 }; /* as stock tokens have it: the first half of MRTD */

	if (tdx_quote_parse(raw.bytes, raw.len, &claims->tdx, e) < 0)
		return err_code(e);
	content->ueid = (struct eat_bytes){ claims->tdx.body.mrtd, UEID_LEN };
	content->measurement =
		(struct eat_bytes){ claims->tdx.body.mrtd, sizeof(claims->tdx.body.mrtd) };
	return 0;
}

/* A TPM's quotes say nothing that these claims could repeat. */
static int claim(const struct keeper_evidence *raw, struct claims *claims,
		 struct eat_content *content, struct err *e)
{
	if (raw->platform == EVIDENCE_SNP)
		return claim_snp(raw->raw, claims, content, e);
	if (raw->platform == EVIDENCE_TDX)
		return claim_tdx(raw->raw, claims, content, e);
	return 0;
}

/* What goes along of event logs. A TPM's message has a field for the firmware's, where others look for
 * it; so its claim is the agent's own alone, and nothing stands there twice. */
struct logs {
	struct span in_raw, claim;
};

static void choose(const struct keeper_evidence *from, struct logs logs[3])
{
	bool tpm = evidence_kind_rows[from->platform].tpm;
	const struct span none = { NULL, 0 };

	logs[0].in_raw = tpm ? from->log : none;
	logs[0].claim = tpm || !from->log.len ? from->own_log : from->log;
	logs[1] = (struct logs){ none, from->own_log };
	logs[2] = (struct logs){ none, none };
}

static int write_with(const struct evidence_token *token, const struct logs *logs,
		      EVP_PKEY *identity, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer raw = writer_up_to(EAT_RAW_REPORT_MAX);
	CLEANUP(free) struct claims *claims = calloc(1, sizeof(*claims));
	struct eat_content content = {
		.issuer = "cocos-agent",
		.platform = token->raw->platform,
		.nonce_use = token->use,
		.issued = (int64_t)time(NULL),
		.nonce = bytes_of(token->raw->nonce),
		.tee_report = bytes_of(token->raw->tee_report),
		.run = bytes_of(token->run->statement),
		.run_evidence = bytes_of(token->run->evidence),
		.event_log = bytes_of(logs->claim),
	};

	if (!claims)
		return err_nomem(e);
	writer_bytes(&raw, token->raw->raw.bytes, token->raw->raw.len);
	if (logs->in_raw.len)
		pb_put_bytes(&raw, ATTESTATION_EVENT_LOG, logs->in_raw.bytes, logs->in_raw.len);
	if (writer_check(&raw, "evidence", e) < 0)
		return err_code(e);
	content.raw_report = (struct eat_bytes){ raw.bytes, raw.len };
	content.expires = content.issued + EVIDENCE_TOKEN_LIFE_S;
	if (claim(token->raw, claims, &content, e) < 0)
		return err_code(e);
	return eat_write(&content, identity, out, e);
}

int evidence_token_write(const struct evidence_token *token, EVP_PKEY *identity, struct writer *out,
			 struct err *e)
{
	struct logs logs[3];

	choose(token->raw, logs);
	for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
		CLEANUP_WRITER struct writer written = writer_up_to(EAT_MAX);

		if (write_with(token, &logs[i], identity, &written, e) < 0)
			return err_code(e);
		if (written.len > token->max)
			continue;
		writer_bytes(out, written.bytes, written.len);
		return writer_check(out, "token", e);
	}
	return err_set(e, ERR_EXHAUSTED,
		       "evidence with run statement has more than the %zu bytes that fit: let the "
		       "boot configuration be smaller",
		       token->max);
}
