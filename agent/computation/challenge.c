/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/challenge.h"

#include "common/crypto/ticket.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

/* A challenge: a ticket, then as much of its seal as there is room for. */
enum { TICKET_LEN = 16, SEAL_LEN = PROOF_SESSION_LEN - TICKET_LEN, FIRST_ROOM = 16 };

struct challenge_claim {
	LIST_ENTRY(challenge_claim) link;
	struct challenges *challenges;
	uint8_t value[PROOF_SESSION_LEN];
	bool used;
	struct err refused; /* code 0: it was not */
};

/* Of whoever has this key. */
struct challenge_user {
	uint8_t key[SHA256_LEN];
	uint8_t (*used)[PROOF_SESSION_LEN];
	size_t count, room;
};

/* ---- the listener's ---- */

int challenges_begin(struct challenges *c, struct err *e)
{
	challenges_end(c);
	if (random_bytes(c->secret, sizeof(c->secret), e) < 0)
		return err_code(e);
	c->begun = true;
	return 0;
}

void challenges_end(struct challenges *c)
{
	for (size_t i = 0; i < c->user_count; i++)
		free(c->users[i].used);
	free(TAKE_PTR(c->users));
	c->user_count = 0;
	c->begun = false;
	OPENSSL_cleanse(c->secret, sizeof(c->secret));
}

static int seal(const struct challenges *c, uint8_t value[PROOF_SESSION_LEN], struct err *e)
{
	uint8_t whole[SHA256_LEN];

	if (!c->begun)
		return err_set(e, ERR_PRECONDITION,
			       "there is no computation to give challenges for");
	if (ticket_seal((struct span){ c->secret, sizeof(c->secret) }, "proof",
			(struct span){ value, TICKET_LEN }, "", whole, e) < 0)
		return err_code(e);
	memcpy(value + TICKET_LEN, whole, SEAL_LEN);
	return 0;
}

int challenge_make(const struct challenges *c, uint64_t now_ms, uint8_t value[PROOF_SESSION_LEN],
		   struct err *e)
{
	uint8_t made[PROOF_SESSION_LEN];

	if (ticket_make(now_ms, made, TICKET_LEN, e) < 0 || seal(c, made, e) < 0)
		return err_code(e);
	memcpy(value, made, sizeof(made));
	return 0;
}

/* ---- one on its way ---- */

static int refuse(struct err *e)
{
	return err_set(e, ERR_DENIED,
		       "%s: not one of this agent's, or used or expired; ask Status for a new one",
		       PROOF_CHALLENGE_KEY);
}

static int check_ours(const struct challenges *c, const uint8_t value[PROOF_SESSION_LEN],
		      struct err *e)
{
	uint8_t ours[PROOF_SESSION_LEN];

	if (!c->begun)
		return refuse(e);
	memcpy(ours, value, TICKET_LEN);
	if (seal(c, ours, e) < 0)
		return err_code(e);
	return bytes_equal(ours + TICKET_LEN, value + TICKET_LEN, SEAL_LEN) ? 0 : refuse(e);
}

static bool is_held(const struct challenges *c, const uint8_t value[PROOF_SESSION_LEN])
{
	const struct challenge_claim *claim;

	LIST_FOREACH(claim, &c->claims, link)
		if (memcmp(claim->value, value, sizeof(claim->value)) == 0)
			return true;
	return false;
}

static bool is_used(const struct challenges *c, const uint8_t value[PROOF_SESSION_LEN])
{
	for (size_t i = 0; i < c->user_count; i++)
		for (size_t j = 0; j < c->users[i].count; j++)
			if (memcmp(c->users[i].used[j], value, PROOF_SESSION_LEN) == 0)
				return true;
	return false;
}

int challenge_hold(struct challenges *c, uint64_t now_ms, const uint8_t value[PROOF_SESSION_LEN],
		   struct challenge_claim **claim, struct err *e)
{
	struct challenge_claim *held;

	if (check_ours(c, value, e) < 0)
		return err_code(e);
	if (!ticket_is_fresh(value, now_ms, CHALLENGE_LIFE_MS) || is_held(c, value) ||
	    is_used(c, value))
		return refuse(e);
	held = calloc(1, sizeof(*held));
	if (!held)
		return err_nomem(e);
	held->challenges = c;
	memcpy(held->value, value, sizeof(held->value));
	LIST_INSERT_HEAD(&c->claims, held, link);
	*claim = held;
	return 0;
}

void challenge_release(struct challenge_claim *claim)
{
	if (!claim)
		return;
	LIST_REMOVE(claim, link);
	free(claim);
}

/* ---- used up ---- */

static int user_of(struct challenges *c, struct span spki, struct challenge_user **user,
		   struct err *e)
{
	struct challenge_user *more;
	uint8_t key[SHA256_LEN];

	if (digest(DIGEST_SHA256, spki.bytes, spki.len, key, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < c->user_count; i++)
		if (memcmp(c->users[i].key, key, sizeof(key)) == 0) {
			*user = &c->users[i];
			return 0;
		}
	if (c->user_count >= CHALLENGE_USERS_MAX)
		return err_set(e, ERR_INTERNAL, "%s: more than %d keys have used some",
			       PROOF_CHALLENGE_KEY, CHALLENGE_USERS_MAX);
	more = reallocarray(c->users, c->user_count + 1, sizeof(*more));
	if (!more)
		return err_nomem(e);
	c->users = more;
	*user = &more[c->user_count++];
	**user = (struct challenge_user){ .count = 0 };
	memcpy((*user)->key, key, sizeof(key));
	return 0;
}

/* They are refused by their age from now on. */
static void drop_old(struct challenge_user *user, uint64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < user->count; i++)
		if (ticket_is_fresh(user->used[i], now_ms, CHALLENGE_LIFE_MS))
			memmove(user->used[kept++], user->used[i], PROOF_SESSION_LEN);
	user->count = kept;
}

static int make_room(struct challenge_user *user, struct err *e)
{
	uint8_t(*more)[PROOF_SESSION_LEN];
	size_t room = user->room ? 2 * user->room : FIRST_ROOM;

	if (user->count >= CHALLENGES_OF_ONE)
		return err_set(
			e, ERR_EXHAUSTED,
			"%s: this key has used %d within %d minutes; try again when these are over",
			PROOF_CHALLENGE_KEY, CHALLENGES_OF_ONE, CHALLENGE_LIFE_MS / 60000);
	if (user->count < user->room)
		return 0;
	more = reallocarray(user->used, room, sizeof(*more));
	if (!more)
		return err_nomem(e);
	user->used = more;
	user->room = room;
	return 0;
}

static int use(struct challenge_claim *claim, uint64_t now_ms, struct span spki, struct err *e)
{
	struct challenges *c = claim->challenges;
	struct challenge_user *user;

	/* It may be an earlier listener's. */
	if (check_ours(c, claim->value, e) < 0 || user_of(c, spki, &user, e) < 0)
		return err_code(e);
	drop_old(user, now_ms);
	if (make_room(user, e) < 0)
		return err_code(e);
	memcpy(user->used[user->count++], claim->value, sizeof(claim->value));
	return 0;
}

int challenge_use(struct challenge_claim *claim, uint64_t now_ms, struct span spki, struct err *e)
{
	if (claim->used)
		return 0;
	if (use(claim, now_ms, spki, &claim->refused) < 0) {
		*e = claim->refused;
		return err_code(e);
	}
	claim->used = true;
	return 0;
}

bool challenge_was_refused(const struct challenge_claim *claim, struct err *e)
{
	if (!claim || claim->used || !claim->refused.code)
		return false;
	*e = claim->refused;
	return true;
}
