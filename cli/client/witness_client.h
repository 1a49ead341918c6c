/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness_client.h — a service's log of journals' heads, asked for and compared with what this account
 * saw of it before (docs/journal.md, Witnessed heads).
 */
#pragma once

#include "cli/client/client.h"
#include "cli/client/witness_kept.h"
#include "computations.pb-c.h"

#define WITNESS_KEY_OPTION       \
	{ .name = "witness-key", \
	  .value = "PEM",        \
	  .help = "the public key that the log of journals' heads has to be signed with" }

/* What the service showed, all of it verified. */
struct witness_seen {
	const char *address;
	struct witness_kept kept; /* what was seen before */
	Computations__WitnessResponse *response;
	Computations__WitnessResponse *later; /* of `head`; NULL: that is the response's */
	EVP_PKEY *key;
	struct witness_head head;
	bool has_proof; /* a computation was asked for */
	struct witness_proof proof;
	uint64_t proof_size; /* of the log that the proof is of */
	bool compared; /* by the caller: a journal, with the proof and all that is kept of its run */
};
void witness_seen_done(struct witness_seen *seen);

/* `id` NULL: the log alone; `run` 0: the newest. CLI_NOT_GENUINE for a log that is not what was seen
 * before with more leaves, a key that is another, a proof that does not hold. */
enum cli_exit witness_ask(struct client *client, const char *id, uint64_t run,
			  struct witness_seen *seen, struct err *e);

/* Whether a journal that was checked is the one whose head this leaf is, so far as that goes. */
enum cli_exit witness_compare(const struct witness_leaf *leaf, struct span file,
			      const struct journal_head *head, struct err *e);

/* Whether something of that service's log was seen before; an account without a place for it saw nothing. */
int witness_is_kept(const struct client *client, bool *kept, struct err *e) MUST_CHECK;

/* From now on that is what was seen. If another call has kept a head meanwhile the service has to prove that this
 * one is of the same log (CLI_NOT_GENUINE if not), and `seen->kept` and `seen->head` are newer afterwards. */
enum cli_exit witness_keep(struct client *client, struct witness_seen *seen, struct err *e);

/* Which service this is: by the key of its log of heads, which is the one that this account saw there before, or sees
 * for the first time. CLI_NOT_GENUINE: it is another. */
enum cli_exit witness_know(struct client *client, uint8_t service[KEY_FINGERPRINT_LEN],
			   struct err *e);
