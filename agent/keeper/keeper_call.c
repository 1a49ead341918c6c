/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper/keeper_call.h"

#include "common/base/reader.h"
#include "common/crypto/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

static bool read_log(const struct keeper_call *call, struct reader *in)
{
	size_t count = reader_left(in) / KEEPER_ENTRY_LEN;
	CLEANUP(free) struct keeper_log_entry *entries = calloc(count + 1, sizeof(*entries));

	if (!entries)
		return false;
	for (size_t i = 0; i < count; i++) {
		entries[i].pcr = reader_u8(in);
		entries[i].event = reader_u8(in);
		reader_copy(in, entries[i].sha256_bank, sizeof(entries[i].sha256_bank));
		reader_copy(in, entries[i].sha384_bank, sizeof(entries[i].sha384_bank));
	}
	if (!reader_done(in))
		return false;
	call->done.log(call->data, entries, count, NULL);
	return true;
}

static bool read_check(struct keeper *keeper, const struct keeper_call *call, struct reader *in)
{
	uint8_t measured = reader_u8(in), type = reader_u8(in);
	enum evidence_kind platform = EVIDENCE_NONE;
	size_t len = reader_left(in);
	const char *text = (const char *)reader_take(in, len);
	struct err ignored;

	if (!reader_done(in) || measured > 1 ||
	    (type != evidence_kind_rows[EVIDENCE_NONE].type &&
	     evidence_kind_of_type(type, &platform, &ignored) < 0))
		return false;
	keeper->facts.platform = platform;
	snprintf(keeper->facts.text, sizeof(keeper->facts.text), "%.*s", (int)len,
		 text ? text : "");
	call->done.measured(call->data, measured, NULL);
	return true;
}

static bool read_measured(struct keeper *keeper, const struct keeper_call *call, struct reader *in)
{
	uint8_t measured = reader_u8(in), fixed = reader_u8(in);

	if (!reader_done(in) || measured > 1 || fixed > 1)
		return false;
	keeper->facts.fixed = fixed;
	call->done.measured(call->data, measured, NULL);
	return true;
}

static struct span read_part(struct reader *in)
{
	uint32_t len = reader_be32(in);

	return span_take(in, len);
}

static bool read_evidence(const struct keeper_call *call, struct reader *in)
{
	struct keeper_evidence evidence = { .platform = EVIDENCE_NONE };
	uint8_t type = reader_u8(in);
	struct err ignored;

	evidence.raw = read_part(in);
	evidence.tee_report = read_part(in);
	evidence.nonce = read_part(in);
	evidence.log = read_part(in);
	evidence.own_log = read_part(in);
	if (!reader_done(in) || evidence_kind_of_type(type, &evidence.platform, &ignored) < 0 ||
	    !evidence.raw.len || evidence.nonce.len != BINDING_TPM_NONCE_LEN)
		return false;
	call->done.evidence(call->data, &evidence, NULL);
	return true;
}

static bool read_parts(const struct keeper_call *call, struct reader *in)
{
	struct span parts[KEEPER_PARTS_MAX];
	size_t count = 0;

	while (reader_ok(in) && reader_left(in) && count < KEEPER_PARTS_MAX)
		parts[count++] = read_part(in);
	if (!reader_done(in) || count == 0)
		return false;
	call->done.parts(call->data, parts, count, NULL);
	return true;
}

bool keeper_call_answer(struct keeper *keeper, const struct keeper_call *call, const uint8_t *bytes,
			size_t len)
{
	struct reader in = reader_over(bytes, len);

	switch (call->shape) {
	case SHAPE_CHECK:
		return read_check(keeper, call, &in);
	case SHAPE_MEASURED:
		return read_measured(keeper, call, &in);
	case SHAPE_LOG:
		return read_log(call, &in);
	case SHAPE_EVIDENCE:
		return read_evidence(call, &in);
	case SHAPE_PARTS:
		return read_parts(call, &in);
	}
	return false;
}

void keeper_call_fail(const struct keeper_call *call, const struct err *e)
{
	switch (call->shape) {
	case SHAPE_CHECK:
	case SHAPE_MEASURED:
		call->done.measured(call->data, false, e);
		break;
	case SHAPE_LOG:
		call->done.log(call->data, NULL, 0, e);
		break;
	case SHAPE_EVIDENCE:
		call->done.evidence(call->data, NULL, e);
		break;
	case SHAPE_PARTS:
		call->done.parts(call->data, NULL, 0, e);
		break;
	}
}

/* ---- requests ---- */

int keeper_check(struct keeper *keeper, keeper_measured_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_CHECK,
					  .done.measured = done,
					  .data = data };

	return keeper_ask(keeper, KEEPER_CHECK, NULL, &call, e);
}

int keeper_identity(struct keeper *keeper, const uint8_t *spki, size_t len,
		    keeper_measured_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_MEASURED,
					  .done.measured = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(SPKI_MAX);

	writer_bytes(&content, spki, len);
	return keeper_ask(keeper, KEEPER_IDENTITY, &content, &call, e);
}

int keeper_measure(struct keeper *keeper, enum keeper_event event, const void *bytes, size_t len,
		   keeper_measured_fn *done, void *data, struct err *e)
{
	static const enum keeper_request types[] = {
		[KEEPER_EVENT_BOOT] = KEEPER_MEASURE_BOOT,
		[KEEPER_EVENT_CONFIG] = KEEPER_MEASURE_CONFIG,
		[KEEPER_EVENT_MANIFEST] = KEEPER_MEASURE_MANIFEST,
	};
	const struct keeper_call call = { .shape = SHAPE_MEASURED,
					  .done.measured = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(KEEPER_DIGESTS_LEN);
	uint8_t digests[KEEPER_DIGESTS_LEN];

	if ((size_t)event >= ARRAY_LEN(types))
		return err_set(e, ERR_INTERNAL, "keeper: no such event");
	if (digest(DIGEST_SHA3_256, bytes, len, digests, e) < 0 ||
	    digest(DIGEST_SHA3_384, bytes, len, digests + SHA3_256_LEN, e) < 0)
		return err_code(e);
	writer_bytes(&content, digests, sizeof(digests));
	return keeper_ask(keeper, types[event], &content, &call, e);
}

int keeper_log(struct keeper *keeper, keeper_log_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_LOG, .done.log = done, .data = data };

	return keeper_ask(keeper, KEEPER_LOG, NULL, &call, e);
}

int keeper_run(struct keeper *keeper, const uint8_t *statement, size_t len,
	       keeper_evidence_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_EVIDENCE,
					  .done.evidence = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(RUN_STATEMENT_MAX);

	writer_bytes(&content, statement, len);
	return keeper_ask(keeper, KEEPER_RUN, &content, &call, e);
}

int keeper_channel(struct keeper *keeper, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], keeper_evidence_fn *done,
		   void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_EVIDENCE,
					  .done.evidence = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(1 + BINDING_EXPORTER_LEN);

	writer_u8(&content, (uint8_t)hash);
	writer_bytes(&content, exporter, BINDING_EXPORTER_LEN);
	return keeper_ask(keeper, KEEPER_CHANNEL, &content, &call, e);
}

int keeper_nonce(struct keeper *keeper, const struct binding_nonce *nonce, keeper_evidence_fn *done,
		 void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_EVIDENCE,
					  .done.evidence = done,
					  .data = data };
	CLEANUP_WRITER struct writer content =
		writer_up_to(3 + BINDING_TEE_NONCE_MAX + BINDING_VTPM_NONCE_MAX);

	if (nonce->tee_len > BINDING_TEE_NONCE_MAX || nonce->vtpm_len > BINDING_VTPM_NONCE_MAX)
		return err_set(e, ERR_INVALID, "nonces of %zu and %zu bytes; at most %d and %d",
			       nonce->tee_len, nonce->vtpm_len, BINDING_TEE_NONCE_MAX,
			       BINDING_VTPM_NONCE_MAX);
	writer_u8(&content, nonce->type);
	writer_u8(&content, (uint8_t)nonce->tee_len);
	writer_bytes(&content, nonce->tee, nonce->tee_len);
	writer_u8(&content, (uint8_t)nonce->vtpm_len);
	writer_bytes(&content, nonce->vtpm, nonce->vtpm_len);
	return keeper_ask(keeper, KEEPER_NONCE, &content, &call, e);
}

int keeper_ima(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };

	return keeper_ask(keeper, KEEPER_IMA, NULL, &call, e);
}

int keeper_endorsement(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };

	return keeper_ask(keeper, KEEPER_ENDORSEMENT, NULL, &call, e);
}

int keeper_activate(struct keeper *keeper, struct span blob, struct span secret,
		    keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(4 + 2 * PROVIDER_TPM_CREDENTIAL_MAX);

	writer_be16(&content, (uint16_t)blob.len);
	writer_bytes(&content, blob.bytes, blob.len);
	writer_be16(&content, (uint16_t)secret.len);
	writer_bytes(&content, secret.bytes, secret.len);
	if (blob.len > PROVIDER_TPM_CREDENTIAL_MAX || secret.len > PROVIDER_TPM_CREDENTIAL_MAX)
		return err_set(e, ERR_INVALID, "a credential of %zu and %zu bytes is too long",
			       blob.len, secret.len);
	return keeper_ask(keeper, KEEPER_ACTIVATE, &content, &call, e);
}
