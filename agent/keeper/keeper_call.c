/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper/keeper_call.h"

#include "agent/keeper/keeper_protocol.h"
#include "common/base/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool read_check(struct keeper_facts *facts, const struct keeper_call *call,
		       struct reader *in)
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
	facts->platform = platform;
	snprintf(facts->text, sizeof(facts->text), "%.*s", (int)len, text ? text : "");
	call->done.measured(call->data, measured, NULL);
	return true;
}

static bool read_measured(struct keeper_facts *facts, const struct keeper_call *call,
			  struct reader *in)
{
	uint8_t measured = reader_u8(in), fixed = reader_u8(in);

	if (!reader_done(in) || measured > 1 || fixed > 1)
		return false;
	facts->fixed = fixed;
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

bool keeper_call_answer(struct keeper_facts *facts, const struct keeper_call *call,
			const uint8_t *bytes, size_t len)
{
	struct reader in = reader_over(bytes, len);

	switch (call->shape) {
	case SHAPE_CHECK:
		return read_check(facts, call, &in);
	case SHAPE_MEASURED:
		return read_measured(facts, call, &in);
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
