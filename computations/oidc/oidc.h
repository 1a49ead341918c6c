/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oidc.h — the providers of identities, each asked in a thread of its own: one that is slow keeps nobody waiting but
 * those who sign in with it, and takes none of the pool's threads from the database.
 */
#pragma once

#include "common/base/log_about.h"
#include "common/rpc/source.h"
#include "computations/oidc/oidc_client.h"

#include <uv.h>

enum {
	OIDC_WAITING_MAX = 64,   /* for one provider */
	OIDC_WAITING_SOURCE = 8, /* of one address */
};

struct oidc;

/* Reads the file. `origin`: where the page is, as browsers have it; "": the table's own line says so. */
int oidc_new(uv_loop_t *loop, const char *path, const char *origin, struct oidc **made,
	     struct err *e) MUST_CHECK;
/* What waits ends with ERR_CANCELLED, now. Then the loop has to run until its handle is closed. NULL is fine. */
void oidc_close(struct oidc *oidc);
void oidc_free(struct oidc *oidc);

const struct provider_table *oidc_table(const struct oidc *oidc);

struct oidc_job {
	struct rpc_source source;
	size_t provider; /* of the table's rows */
	bool is_back;
	/* Which of the two it is; texts in it live until `done`. */
	struct oidc_begin begin;
	struct oidc_finish finish;
	/* On the loop, always, once; `e` NULL: it is done. */
	void (*done)(struct oidc_job *job, const struct err *e);
	/* Of oidc.c. */
	struct oidc_job *next;
	struct log_about about; /* whose call it is */
	int64_t deadline;       /* ms of CLOCK_MONOTONIC, from when it was added */
	struct err err;
	bool failed;
};
/* ERR_EXHAUSTED: too many wait; ERR_CANCELLED: after oidc_close(). Nothing is called then. */
int oidc_add(struct oidc *oidc, struct oidc_job *job, struct err *e) MUST_CHECK;
