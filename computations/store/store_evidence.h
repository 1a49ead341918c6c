/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_evidence.h — the evidence that an agent gave last, byte for byte, with what it was judged by.
 *
 * Of each run of a computation one piece is kept, and of each CVM one that came before it had a manifest. A run is the
 * number of its computation's row, which no other row ever gets, and the attempt: evidence of a computation that was
 * removed, or of an attempt before, is nobody's any more, whoever has its id now.
 */
#pragma once

#include "common/base/span.h"
#include "common/crypto/digest.h"
#include "computations/store/store.h"

/* Together with the files it was judged by at most this of one run: larger evidence is judged, and not kept. */
enum { EVIDENCE_KEPT_MAX = 1 << 20, EVIDENCE_NONCE_LEN = 32 };

enum evidence_part {
	EVIDENCE_TOKEN,  /* as the agent sent it */
	EVIDENCE_POLICY, /* this service's, as it was then */
	EVIDENCE_ROOT,   /* what it trusts in place of vendors' roots; empty: nothing */
	EVIDENCE_AK,     /* the TPM's key that it names; empty: none */
	EVIDENCE_PARTS
};

/* Whose it is. */
struct evidence_run {
	int64_t number;  /* of the computation's row; 0: no run's, but its CVM's */
	int64_t attempt; /* from 1; 0 without a run */
};

struct kept_evidence {
	char *cvm_id;
	struct evidence_run run;
	bool verified;
	char *verdict;
	int64_t judged; /* ms since 1970 */
	uint8_t nonce[EVIDENCE_NONCE_LEN];
	bool has_manifest; /* by whose digest it was judged; without, it came before there was one */
	uint8_t manifest[SHA3_256_LEN];
	struct span parts[EVIDENCE_PARTS]; /* its own; a token that is there is never empty */
};
void kept_evidence_free(struct kept_evidence *k);
DEFINE_CLEANUP(struct kept_evidence *, kept_evidence_free)

/* The run that the computation of that id is at. ERR_NOT_FOUND. */
int store_evidence_run(struct store *store, const char *computation_id, struct evidence_run *run,
		       struct err *e) MUST_CHECK;

/* Takes the place of what was kept of that run, or of that CVM; an empty token: nothing is kept of it any more. Nothing
 * happens if the run is over, removed or another CVM's by now. */
int store_evidence_keep(struct store *store, const struct kept_evidence *k,
			struct err *e) MUST_CHECK;
/* Of a computation's run now, or (`computation_id` "") of a CVM before it had a manifest; `*k` NULL: there is none. */
int store_evidence(struct store *store, const char *computation_id, const char *cvm_id,
		   struct kept_evidence **k, struct err *e) MUST_CHECK;

/* With what it belongs to: of a computation that begins anew (store_remove() does it itself), of a CVM. */
int store_evidence_forget(struct store *store, const char *computation_id,
			  struct err *e) MUST_CHECK;
int store_evidence_forget_cvm(struct store *store, const char *cvm_id, struct err *e) MUST_CHECK;
