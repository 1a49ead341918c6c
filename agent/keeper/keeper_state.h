/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_state.h — what the keeper's process holds, and how it answers; for keeper*.c only.
 */
#pragma once

#include "agent/keeper/keeper_budget.h"
#include "agent/keeper/keeper_log.h"
#include "agent/keeper/keeper_protocol.h"
#include "attestation/provider/provider.h"
#include "attestation/provider/provider_tpm.h"
#include "attestation/token/binding.h"
#include "attestation/token/eat.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"

struct keeper_state {
	/* Of the command line. */
	const char *tcti, *tsm, *securityfs;
	bool development;

	uint32_t permitted; /* set of 1 << request */
	struct keeper_budget budget;
	int64_t (*now_ms)(void); /* the clock that never goes back */

	/* What the machine has; `looked` once that is known. */
	bool looked;
	struct provider_options options;
	const struct provider *tee; /* NULL: none */
	bool wants_tpm, has_rtmr;
	bool bound; /* the TPM is the SVSM's, so that SNP reports may bind it */
	struct provider_tpm *tpm;
	char tsm_report[512], measurements[512], sev_guest[512];

	/* What was measured. */
	struct err broken; /* code 0 while the registers are known to hold what the log says */
	struct keeper_log_entry log[KEEPER_EVENTS_MAX];
	size_t count;
	uint8_t events[3][SHA3_256_LEN]; /* the last of each kind */
	bool booted, fixed;

	/* Whose evidence it is: made at boot, and the one in force. */
	uint8_t own[SPKI_MAX], identity[SPKI_MAX];
	size_t own_len, identity_len;

	/* Of this computation's journal; key NULL: there is none, or it has ended. */
	EVP_PKEY *journal_key;
	uint8_t journal[SPKI_MAX];
	size_t journal_len;
	struct journal_head journal_head; /* behind all that was signed */
	unsigned int receipts;
};

struct keeper_row;
typedef int keeper_answer_fn(struct keeper_state *state, const struct keeper_row *row,
			     struct reader *in, struct writer *out, struct err *e);

/* One request of the table. Number 0 is none: its bit may be set or not. */
struct keeper_row {
	enum keeper_request type;
	unsigned int flags;
	enum keeper_use use;
	keeper_answer_fn *answer;
	enum keeper_event event;
	enum keeper_request then[3];      /* become permitted when this one has succeeded */
	enum keeper_request then_bare[2]; /* so do these, where neither TEE nor TPM was found */
	enum keeper_request ends[5];      /* stop being permitted as soon as this one is tried */
};

/* keeper_main.c: what is permitted at the start; then one request after the other. */
void keeper_state_init(struct keeper_state *state);
int keeper_dispatch(struct keeper_state *state, uint8_t type, struct reader *in, struct writer *out,
		    struct err *e) MUST_CHECK;

/* keeper_platform.c: looks once; opens the TPM that is wanted. */
int keeper_need_platform(struct keeper_state *state, struct err *e) MUST_CHECK;
enum evidence_kind keeper_platform(const struct keeper_state *state);
keeper_answer_fn keeper_answer_check;

/* keeper_measure.c */
keeper_answer_fn keeper_answer_identity, keeper_answer_measure, keeper_answer_log;

/* keeper_forms.c */
keeper_answer_fn keeper_answer_run, keeper_answer_channel, keeper_answer_nonce;

/* keeper_tpm.c */
keeper_answer_fn keeper_answer_ima, keeper_answer_endorsement, keeper_answer_activate;

/* keeper_journal.c; keeper_journal_end() wipes key and head. */
keeper_answer_fn keeper_answer_journal_key, keeper_answer_journal_sign, keeper_answer_receipt;
void keeper_journal_end(struct keeper_state *state);

/* keeper_events.c: the event logs in the platform's form, empty where there is nothing to tell. */
int keeper_write_logs(const struct keeper_state *state, enum evidence_kind platform,
		      struct writer *whole, struct writer *own, struct err *e) MUST_CHECK;

void keeper_put_part(struct writer *out, const void *bytes, size_t len);
