/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h — the journal of the computation that runs (docs/journal.md): entries chained here, heads
 * signed by the keeper, batches kept until the computation service has them on disk.
 *
 * What became an entry of the computation that runs is never dropped; of those before it whole journals are,
 * oldest first, where the service keeps none (JOURNAL_BEFORE_MAX). Where too much waits, lines (types 'log' and 'output') do not
 * become entries; how many is an entry of its own. Everything here happens on
 * the loop thread.
 */
#pragma once

#include "agent/keeper/keeper.h"
#include "attestation/journal/journal_entry.h"
#include "cvms.pb-c.h"

enum {
	JOURNAL_SIGN_MS = 20, /* how long entries gather */
	JOURNAL_BATCH_BYTES =
		512 << 10,            /* of entries in one message, but for a single larger one */
	JOURNAL_ENTRY_COST = 96,      /* of an entry beside its bytes, of those below */
	JOURNAL_KEPT_BYTES = 4 << 20, /* beyond it no line becomes an entry */
	JOURNAL_UNSIGNED_MAX = 4096,  /* entries; the same */
	/* batches that the keeper has at a time: others need some of its few places */
	JOURNAL_SIGNING_MAX = 4,
	JOURNAL_KEPT_MAX = 32 << 20, /* beyond it nothing does */
	/* what computations before may leave to one that begins */
	JOURNAL_BEFORE_MAX = JOURNAL_KEPT_MAX - JOURNAL_KEPT_BYTES,
};

struct journal;

/* `ready` is called when there is something new to send, never from within a call. */
int journal_new(uv_loop_t *loop, struct keeper *keeper, void (*ready)(void *data), void *data,
		struct journal **made, struct err *e) MUST_CHECK;
/* After the keeper's client. NULL is fine. */
void journal_free(struct journal *journal);

/* The first entry of a computation whose key the keeper has just made; `statement` names that key. What
 * the one before has not ended stays open. After a failure there is no journal: nothing becomes an entry. */
int journal_begin(struct journal *journal, const char *computation,
		  const uint8_t manifest[SHA3_256_LEN], struct span statement,
		  struct err *e) MUST_CHECK;

/* The next entry. 0 where no computation has begun (or `journal` is NULL: the agent goes down), or its journal has ended: nobody's journal lacks
 * it. An error is for the log: the journal goes on without that entry, or (ERR_UNAVAILABLE) stays open
 * where it is. */
int journal_add(struct journal *journal, const struct journal_note *note, struct err *e) MUST_CHECK;

/* The last entry, and the final head. */
void journal_end(struct journal *journal, const char *reason);

/* Where it stands: for receipts. Zeros where no computation has begun. */
struct journal_head journal_head_of(const struct journal *journal);

/* ---- what the computation service gets ---- */

/* The next signed batch to hand to a connection, lent until the journal changes; NULL if none. */
const Cvms__ClientStreamMessage *journal_next(const struct journal *journal);
/* It was handed over. */
void journal_handed(struct journal *journal);
/* The service has that many entries of that run on disk. Of a run that is not here it says nothing; where it
 * names none (an older service), it is the oldest of the computation that was handed over. */
void journal_acknowledge(struct journal *journal, const Cvms__JournalAck *ack);
/* The connection broke: what was not acknowledged waits again. */
void journal_rewind(struct journal *journal);
