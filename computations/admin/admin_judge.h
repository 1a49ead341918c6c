/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_judge.h — a call that brings manifests: first whether the caller may, then their keys in the line of judge_line.h,
 * then the database, if he still may. Who leaves before that leaves nothing behind.
 */
#pragma once

#include "computations/admin/admin.h"

struct judge_way {
	size_t bytes; /* what it brings */
	/* In the pool, until it says 0: all that is judged. 1: there is more. Negative refuses the call. */
	int (*step)(struct request *r, struct err *e);
	/* As of a request that is not judged. */
	int (*run)(struct store *store, struct request *r, struct err *e);
	void (*reply)(struct request *r);
	void (*next)(struct request *r); /* as of a request, behind run(); NULL: none */
};

/* In place of request_start(). */
void request_judge(struct request *r, const struct judge_way *way);

/* For step(): as judged_keys_step(), with the request's keys. */
int judge_manifest(struct request *r, const Cvms__ComputationRunReq *manifest,
		   struct err *e) MUST_CHECK;

/* `closed` of the methods whose requests are judged. */
void judge_closed(struct rpc_call *call);

void judge_free(struct judging *judging); /* NULL is fine */
