/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraisal_state.h — what appraisal.c (settings, one case) and appraisal_queue.c (who is next) share.
 */
#pragma once

#include "attestation/endorse/endorsements.h"
#include "common/base/log_about.h"
#include "common/crypto/keyed_rate.h"
#include "computations/core/appraisal.h"

#include <sys/queue.h>

/* Each has one thread of the pool at a time: what is judged without a network never waits for what is
 * not, and a crowd of agents does not take every thread from the database. */
enum appraisal_lane {
	LANE_CACHE, /* what was given, and the cache */
	LANE_FETCH, /* what the first lane lacked something for */
	LANES,
};

struct appraisal_entry {
	TAILQ_ENTRY(appraisal_entry) next;
	struct appraisal *appraisal;
	enum appraisal_lane lane;
	char *cvm_id;
	struct appraisal_case which;
	uint8_t *token;
	size_t len;
	void (*done)(void *data, const struct appraisal_verdict *verdict);
	void *data;
	struct log_about about;
	bool wants_more; /* a service could know what is missing, or something newer */
	struct appraisal_verdict verdict;
};

struct appraisal {
	uv_loop_t *loop;
	struct policy policy;
	struct appraisal_files files;
	uint8_t *policy_file, *root, *ak; /* which own these */
	char *cache;
	struct tdx_collateral collateral;
	struct verify_input input;                /* what is the same for every case */
	struct signatures *signatures;            /* of both lanes */
	struct endorsements *endorsements[LANES]; /* the second NULL: nothing is fetched */

	TAILQ_HEAD(, appraisal_entry) waiting[LANES]; /* of a CVM, one in both */
	size_t waiting_count[LANES];
	struct appraisal_entry *running[LANES];     /* in the pool */
	char last_client[APPRAISAL_CLIENT_MAX + 1]; /* for whom something was fetched */
	struct keyed_rate *fetched_of;              /* for each CVM */
	int64_t fetched;                            /* of all, as rate_take() has it */
	uv_timer_t *timer;                          /* until more may be fetched; else NULL */
	bool stopped;
};

/* How often endorsements are fetched for one CVM. It is a share of what all may have: who has many names gains no more than that. */
enum { RATE_CVMS_SETS = 256, RATE_CVMS_WAYS = 4 };
int appraisal_queue_open(struct appraisal *a, struct err *e) MUST_CHECK;

/* Fills the entry's verdict. In the pool. */
void appraisal_judge(void *entry);
