/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_log.h — logs of journals' heads that a hostile service may show: of each of its histories, which part from the
 * first one somewhere, every size is signed by every key. What no row of these tables has, nobody has signed.
 */
#pragma once

#include "attestation/journal/witness.h"
#include "common/crypto/key.h"
#include "tests/fuzz/orders_service_answers.h"

struct service_log_head {
	struct witness_head head;
	uint8_t bytes[SVA_LOG_KEYS][WITNESS_SIGNED_MAX];
	size_t len[SVA_LOG_KEYS];
};

struct service_log {
	EVP_PKEY *keys[SVA_LOG_KEYS];
	uint8_t *spki[SVA_LOG_KEYS];
	size_t spki_len[SVA_LOG_KEYS];
	struct witness_leaf leaves[SVA_HISTORIES][SVA_LEAVES];
	struct service_log_head heads[SVA_HISTORIES][SVA_LEAVES + 1]; /* by size */
};
extern struct service_log service_log;

/* Once. */
void service_log_open(void);

/* The number of that key; -1: it is none of them. */
int service_log_key(struct span spki);
/* What that key signed with these bytes; NULL: nothing. */
const struct witness_head *service_log_signed(int key, struct span bytes);
/* A history in which the log was first that, and then this. */
bool service_log_goes_on(const struct witness_head *before, const struct witness_head *now);
/* A log with that head has that leaf. */
bool service_log_has(const struct witness_head *head, const struct witness_leaf *leaf);

/* Proofs, which hold. `size` and `index` are within. */
void service_log_path(unsigned history, uint64_t old, uint64_t size, struct merkle_path *path);
void service_log_inclusion(unsigned history, uint64_t index, uint64_t size,
			   struct merkle_path *path);
/* The newest leaf of that computation's run (0: of any) below `size`; -1: there is none. */
int service_log_find(unsigned history, uint64_t size, const char *computation, uint64_t run);
