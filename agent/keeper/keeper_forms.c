/* SPDX-License-Identifier: Apache-2.0 */
/* The three forms of evidence and no other. All that comes in is hashed under the form's name, with
 * the identity key inside, before a device sees it. */
#include "agent/keeper/keeper_state.h"
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/formats/pb.h"
#include "attestation/provider/provider_tpm_ak.h"
#include "attestation/snp/snp_appraise.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <string.h>

enum { EVIDENCE_MAX = 256 << 10 };

static int lacks(const struct keeper_state *state, enum evidence_kind platform, struct err *e)
{
	if (keeper_platform(state) == EVIDENCE_NONE)
		return err_set(e, ERR_UNAVAILABLE,
			       "this machine has no TEE and no TPM: there is no evidence");
	if (!state->bound && evidence_kind_rows[platform].tpm)
		return err_set(e, ERR_UNAVAILABLE,
			       "the TPM of this machine is not bound by its TEE: its host could "
			       "make it say anything; ask for %s evidence",
			       evidence_kind_platform(keeper_platform(state)));
	return err_set(e, ERR_UNAVAILABLE, "this machine's evidence is %s, not %s",
		       evidence_kind_platform(keeper_platform(state)),
		       evidence_kind_platform(platform));
}

static int from_tee(struct keeper_state *state, const struct binding *binding, struct writer *raw,
		    struct writer *tee, struct err *e)
{
	CLEANUP_PROVIDER_REPORT struct provider_report report = { 0 };

	if (state->tee->collect(&state->options, binding->report_data, &report, e) < 0)
		return err_wrap(e, "%s", state->tee->name);
	writer_bytes(raw, report.report, report.len);
	writer_bytes(raw, report.table, report.table_len);
	return writer_check(raw, "evidence", e);
}

static int from_tpm(struct keeper_state *state, const struct binding *binding, struct writer *raw,
		    struct writer *tee, struct err *e)
{
	return provider_tpm_quote(state->tpm, binding->tpm_nonce, sizeof(binding->tpm_nonce), raw,
				  e);
}

/* The report binds the attestation key, whose quote stands beside it; both in one message, and the
 * report as it was in `tee`. */
static int from_both(struct keeper_state *state, const struct binding *binding, struct writer *raw,
		     struct writer *tee, struct err *e)
{
	enum { ATTESTATION_SEV_SNP = 8 /* attest.proto */ };
	CLEANUP_WRITER struct writer ak = writer_up_to(PROVIDER_TPM_CREDENTIAL_MAX);
	CLEANUP_WRITER struct writer apart = writer_up_to(EVIDENCE_MAX);
	struct binding bound = *binding;
	struct span report, table;

	if (provider_tpm_ak_public(state->tpm, &ak, e) < 0 ||
	    binding_with_ak(binding->report_data, ak.bytes, ak.len, bound.report_data, e) < 0 ||
	    from_tee(state, &bound, tee, NULL, e) < 0 || from_tpm(state, binding, raw, NULL, e) < 0)
		return err_code(e);
	snp_evidence_split((struct span){ tee->bytes, tee->len }, &report, &table);
	if (sevsnp_attestation_write(report, table, &apart, e) < 0)
		return err_code(e);
	pb_put_bytes(raw, ATTESTATION_SEV_SNP, apart.bytes, apart.len);
	return writer_check(raw, "evidence", e);
}

/* By kind; there is no evidence of a kind that is not here. */
static int (*const makers[])(struct keeper_state *state, const struct binding *binding,
			     struct writer *raw, struct writer *tee, struct err *e) = {
	[EVIDENCE_SNP] = from_tee,       [EVIDENCE_TDX] = from_tee,  [EVIDENCE_VTPM] = from_tpm,
	[EVIDENCE_SNP_VTPM] = from_both, [EVIDENCE_TDX_VTPM] = NULL, /* Azure's alone */
};
_Static_assert(ARRAY_LEN(makers) == EVIDENCE_HARDWARE_COUNT, "one for each that hardware makes");

static int answer(struct keeper_state *state, enum evidence_kind platform,
		  const struct binding *binding, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer raw = writer_up_to(EVIDENCE_MAX);
	CLEANUP_WRITER struct writer tee = writer_up_to(EVIDENCE_MAX);
	CLEANUP_WRITER struct writer whole = writer_up_to(KEEPER_LOG_MAX);
	CLEANUP_WRITER struct writer own = writer_up_to(KEEPER_LOG_MAX);
	int failed;

	if (platform >= ARRAY_LEN(makers) || !makers[platform] ||
	    platform != keeper_platform(state))
		return lacks(state, platform, e);
	failed = makers[platform](state, binding, &raw, &tee, e);
	if (!failed)
		failed = keeper_write_logs(state, platform, &whole, &own, e);
	if (failed)
		return failed;
	writer_u8(out, (uint8_t)evidence_kind_rows[platform].type);
	keeper_put_part(out, raw.bytes, raw.len);
	keeper_put_part(out, tee.bytes, tee.len);
	keeper_put_part(out, binding->tpm_nonce, sizeof(binding->tpm_nonce));
	keeper_put_part(out, whole.bytes, whole.len);
	keeper_put_part(out, own.bytes, own.len);
	return 0;
}

static int need_identity(struct keeper_state *state, struct err *e)
{
	if (!state->identity_len || !state->booted)
		return err_set(e, ERR_PRECONDITION,
			       "keeper: evidence before the boot configuration was measured, or "
			       "without an identity");
	return keeper_need_platform(state, e);
}

/* ---- RUN ---- */

static int compare(const struct keeper_state *state, const struct run_statement *s, struct err *e)
{
	const struct {
		const char *what;
		bool same;
	} rows[] = {
		{ "boot configuration",
		  memcmp(s->boot, state->events[KEEPER_EVENT_BOOT], SHA3_256_LEN) == 0 },
		{ "agent configuration",
		  memcmp(s->agent_config, state->events[KEEPER_EVENT_CONFIG], SHA3_256_LEN) == 0 },
		{ "manifest",
		  memcmp(s->manifest, state->events[KEEPER_EVENT_MANIFEST], SHA3_256_LEN) == 0 },
		{ "fixed at launch", s->fixed == state->fixed },
		{ "identity",
		  s->external || (s->identity_len == state->own_len &&
				  memcmp(s->identity, state->own, state->own_len) == 0) },
		{ "journal's key", s->journal_len == state->journal_len &&
					   (!s->journal_len || memcmp(s->journal, state->journal,
								      s->journal_len) == 0) },
		{ "weakening words", !state->development || s->weak_count > 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!rows[i].same)
			return err_set(e, ERR_DENIED,
				       "keeper: the run statement's %s is not what was measured",
				       rows[i].what);
	return 0;
}

int keeper_answer_run(struct keeper_state *state, const struct keeper_row *row, struct reader *in,
		      struct writer *out, struct err *e)
{
	CLEANUP(free) struct run_statement *statement = calloc(1, sizeof(*statement));
	size_t len = reader_left(in);
	const uint8_t *bytes = reader_take(in, len);
	struct binding binding;
	int failed;

	if (!statement)
		return err_nomem(e);
	if (need_identity(state, e) < 0 || run_statement_parse(bytes, len, statement, e) < 0)
		return err_code(e);
	failed = compare(state, statement, e);
	if (!failed && statement->identity_len > sizeof(state->identity))
		failed = err_set(e, ERR_INVALID, "keeper: an identity that is none");
	if (!failed)
		failed = binding_run(bytes, len, &binding, e);
	if (!failed)
		failed = answer(state, keeper_platform(state), &binding, out, e);
	if (!failed) {
		memcpy(state->identity, statement->identity, statement->identity_len);
		state->identity_len = statement->identity_len;
	}
	run_statement_done(statement);
	return failed;
}

/* ---- CHANNEL ---- */

int keeper_answer_channel(struct keeper_state *state, const struct keeper_row *row,
			  struct reader *in, struct writer *out, struct err *e)
{
	uint8_t exporter[BINDING_EXPORTER_LEN];
	enum digest_kind hash = reader_u8(in);
	struct binding binding;

	reader_copy(in, exporter, sizeof(exporter));
	if (!reader_done(in) || (hash != DIGEST_SHA256 && hash != DIGEST_SHA384))
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (need_identity(state, e) < 0 ||
	    binding_channel(hash, state->identity, state->identity_len, exporter, NULL, &binding,
			    e) < 0)
		return err_code(e);
	return answer(state, keeper_platform(state), &binding, out, e);
}

/* ---- NONCE ---- */

int keeper_answer_nonce(struct keeper_state *state, const struct keeper_row *row, struct reader *in,
			struct writer *out, struct err *e)
{
	struct binding_nonce nonce = { .type = reader_u8(in) };
	enum evidence_kind platform;
	struct binding binding;

	nonce.tee_len = reader_u8(in);
	nonce.tee = reader_take(in, nonce.tee_len);
	nonce.vtpm_len = reader_u8(in);
	nonce.vtpm = reader_take(in, nonce.vtpm_len);
	if (!reader_done(in))
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (evidence_kind_of_type(nonce.type, &platform, e) < 0 || need_identity(state, e) < 0 ||
	    binding_nonce(&nonce, state->identity, state->identity_len, &binding, e) < 0)
		return err_code(e);
	return answer(state, platform, &binding, out, e);
}
