/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_machine_claim.h — which CVM a machine is, before its manager has said so, and whether that can be.
 *
 * A manager says the id of what it makes when it is made, and the agent inside may connect before: by its row alone it looks
 * like one that somebody has started by hand. So one that came while machines are being made is given to nobody who could
 * not use each of them.
 */
#pragma once

#include "computations/store/store_machine.h"

/* From when its agent first connected, how long a CVM may be one that is being made: a manager that never answers keeps nobody
 * from new ones for longer. More than a call and the look behind it take. */
enum { MACHINE_DOUBT_MIN = 30 };
#define MACHINE_DOUBT_MS ((int64_t)MACHINE_DOUBT_MIN * 60 * 1000)

/* `*doubts`: it may be one that is being made, and that store_machine_check() would not let that computation have. */
int store_machine_claim_doubts(struct store *store, const char *cvm_id, const char *computation,
			       bool *doubts, struct err *e) MUST_CHECK;

/* The CVMs that connected() says are, that hold nothing, wait for a manifest, and that store_machine_check() lets that
 * computation have. */
struct store_free_cvms {
	size_t count;   /* of those that are not in doubt */
	char *one;      /* of them; NULL: there is none */
	size_t doubted; /* of the others */
};
void store_free_cvms_done(struct store_free_cvms *found);
#define CLEANUP_FREE_CVMS __attribute__((cleanup(store_free_cvms_done)))
int store_machine_claim_free(struct store *store, const char *computation,
			     bool (*connected)(const char *id, void *data), void *data,
			     struct store_free_cvms *found, struct err *e) MUST_CHECK;

/* A manager may name any CVM. ERR_DENIED: another machine's, one that was there before it was asked for this one, or one
 * that holds what is not this machine's to run. */
int store_machine_claim_check(struct store *store, const struct machine *m, const char *cvm_id,
			      struct err *e) MUST_CHECK;
