/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_kept.h — what the account of fuzz_service_answers has kept of the service's log: the file, what becomes of it
 * between two calls and during one, and what may be believed beside it.
 *
 * Held against the client: a head that is believed was signed with the one key, and some log was first what is kept and
 * then this; what is kept of a run's leaves does not get less; nothing is kept of what was refused.
 */
#pragma once

#include "cli/client/witness_client.h"
#include "common/base/reader.h"
#include "tests/fuzz/orders_service_answers.h"

#define SERVICE_ADDRESS "unix:/nowhere/service"

struct service_kept {
	bool has_place, is_broken;
	struct witness_kept now;                   /* as it was read the last time */
	const char *pem[SVA_WANTS_UNREADABLE + 1]; /* files for --witness-key, by enum sva_wanted */
};
extern struct service_kept service_kept;

/* Once: folders, behind service_log_open(). */
void service_kept_open(void);
/* Nothing is kept, at that place. */
void service_kept_begin(enum sva_place place);
void service_kept_damage(enum sva_file how, struct reader *in);
/* Another call keeps what it was shown, if that goes on from what is kept. */
void service_kept_meanwhile(struct reader *in);

/* A head may be believed that this key signed. */
bool service_kept_goes_on(int key, const struct witness_head *head);
/* The client believes what it was shown, of that computation's run, or (NULL) of none. */
void service_kept_check(const struct witness_seen *seen, const char *id, uint64_t run);
/* It has kept what it saw; `seen` may be NULL. */
void service_kept_check_written(const struct witness_seen *seen);
/* It has kept nothing since. */
void service_kept_check_same(void);
