/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor.h — programs at home that run nodes of workflows: for which type, where, and with which key.
 *
 * Whoever registers one gets a secret that only the key's holder can open, and shows it with every call: nobody takes the
 * nodes that are meant for another one's key. Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/crypto/digest.h"
#include "common/crypto/hpke.h"
#include "common/db/db.h"
#include "common/workflow/executor_secret.h"
#include "common/workflow/workflow_spec.h"
#include "computations/people/user.h"

enum {
	EXECUTORS_MAX =
		32, /* of a user in a workspace; the one that was seen longest ago gives way, if it is not seen */
	EXECUTOR_IDLE_MS = 24 * 3600 * 1000, /* from then on it is not seen */
	EXECUTOR_SEEN_MS = 60 * 1000,        /* as exactly as that */
	EXECUTOR_PAGE_MAX = 128,
};

struct executor {
	int64_t number, workspace, person, created, seen, served;
	char *workspace_name, *user;
	char type[WORKFLOW_NAME_MAX + 1];
	uint8_t key[HPKE_KEY_LEN], secret[SHA256_LEN];
};
void executor_done(struct executor *x);
#define CLEANUP_EXECUTOR __attribute__((cleanup(executor_done)))

/* What its registration answers: the secret, sealed. */
struct executor_pass {
	uint8_t enc[HPKE_KEY_LEN], sealed[EXECUTOR_SECRET_LEN + HPKE_TAG_LEN];
};

/* The same again: with a new secret. Fills in the number. ERR_EXHAUSTED: the user has EXECUTORS_MAX there that are in use. */
int executor_register(struct db *db, struct executor *x, int64_t now, struct executor_pass *pass,
		      struct err *e) MUST_CHECK;

/* ERR_NOT_FOUND. */
int executor_find(struct db *db, int64_t number, struct executor *x, struct err *e) MUST_CHECK;
/* In the words of executor_find(), of one that somebody may not see. */
int executor_unknown(int64_t number, struct err *e);
/* ERR_PRECONDITION: it was registered again since. It is seen. */
int executor_enter(struct db *db, struct executor *x, const uint8_t *secret, size_t len,
		   int64_t now, struct err *e) MUST_CHECK;

/* Of a workspace, behind that number. */
int executor_list(struct db *db, int64_t workspace, int64_t after,
		  struct executor rows[EXECUTOR_PAGE_MAX], size_t *count, struct err *e) MUST_CHECK;

int executor_remove(struct db *db, int64_t number, struct err *e) MUST_CHECK;
