/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's key: made for each computation after its manifest was measured, named in its run
 * statement, gone with the last head or the next computation.
 *
 * It signs heads that the keeper itself brings forward by the digests of entries, so that an agent
 * which was taken over can't have two histories signed; and receipts, whose words are the agent's: the
 * keeper does not read them, it counts them. Each is a COSE_Sign1 under a name of its own, so that neither
 * passes for the other, nor for anything else; and neither comes before the evidence that names the key,
 * where there is any (keeper_main.c).
 */
#include "agent/keeper/keeper_state.h"
#include "attestation/formats/cose.h"

#include <string.h>

void keeper_journal_end(struct keeper_state *state)
{
	EVP_PKEY_free(state->journal_key); /* OpenSSL wipes what is private */
	state->journal_key = NULL;
	state->journal_len = 0;
	state->journal_head = (struct journal_head){ 0 };
	state->receipts = 0;
}

static int make_key(struct keeper_state *state, uint8_t **spki, size_t *len, struct err *e)
{
	if (key_generate(KEY_ECDSA, &state->journal_key, e) < 0 ||
	    key_to_spki(state->journal_key, spki, len, e) < 0)
		return err_code(e);
	return *len <= sizeof(state->journal) ? 0
					      : err_set(e, ERR_INTERNAL, "it has %zu bytes", *len);
}

int keeper_answer_journal_key(struct keeper_state *state, const struct keeper_row *row,
			      struct reader *in, struct writer *out, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len = 0;

	if (!reader_done(in))
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	keeper_journal_end(state);
	if (make_key(state, &spki, &len, e) < 0) {
		keeper_journal_end(state); /* RUN would not ask for one whose name is not kept */
		return err_wrap(e, "the journal's key");
	}
	memcpy(state->journal, spki, len);
	state->journal_len = len;
	keeper_put_part(out, spki, len);
	return 0;
}

static int need_key(const struct keeper_state *state, struct err *e)
{
	if (state->journal_key)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "keeper: this computation's journal has ended, or never began");
}

int keeper_answer_journal_sign(struct keeper_state *state, const struct keeper_row *row,
			       struct reader *in, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer message = writer_up_to(JOURNAL_SIGNED_MAX);
	struct journal_head head = state->journal_head;
	uint8_t final = reader_u8(in);
	size_t count = reader_left(in) / SHA256_LEN;

	if (need_key(state, e) < 0)
		return err_code(e);
	if (!reader_ok(in) || final > 1 || reader_left(in) != count * SHA256_LEN || count == 0 ||
	    count > JOURNAL_BATCH_MAX)
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	for (size_t i = 0; i < count; i++)
		if (journal_head_add(&head, reader_take(in, SHA256_LEN), e) < 0)
			return err_code(e);
	/* From here on these entries are the history, whether or not the signature arrives. */
	state->journal_head = head;
	if (journal_head_sign(&head, final, state->journal_key, &message, e) < 0)
		return err_code(e);
	keeper_put_part(out, message.bytes, message.len);
	if (final)
		keeper_journal_end(state);
	return 0;
}

int keeper_answer_receipt(struct keeper_state *state, const struct keeper_row *row,
			  struct reader *in, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer message =
		writer_up_to(JOURNAL_RECEIPT_MAX + JOURNAL_SIGNED_MAX);
	struct cose_content content = { .payload_len = reader_left(in),
					.aad = JOURNAL_RECEIPT_AAD,
					.aad_len = strlen(JOURNAL_RECEIPT_AAD),
					.content_type = JOURNAL_RECEIPT_TYPE };

	content.payload = reader_take(in, content.payload_len);
	if (need_key(state, e) < 0)
		return err_code(e);
	if (content.payload_len == 0 || content.payload_len > JOURNAL_RECEIPT_MAX)
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (state->receipts == KEEPER_RECEIPTS_MAX)
		return err_set(e, ERR_EXHAUSTED, "keeper: %d receipts of one computation",
			       KEEPER_RECEIPTS_MAX);
	state->receipts++;
	if (cose_sign(&content, state->journal_key, &message, e) < 0)
		return err_code(e);
	keeper_put_part(out, message.bytes, message.len);
	return 0;
}
