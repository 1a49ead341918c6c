/* SPDX-License-Identifier: Apache-2.0 */
/*
 * computation.h — one computation: its manifest, what of it is in, who has fetched what, and its
 * folder. No network, no state machine.
 *
 * Counted references: work in the pool and calls that are open may outlive a stop. `over` is set
 * then, and nothing of it may change any more.
 */
#pragma once

#include "agent/computation/transcript.h"
#include "agent/jail/jail_usage.h"
#include "agent/jail/runner_spec.h"
#include "agent/python/requirement_bundle.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest.h"
#include "common/manifest/manifest_keep.h"
#include "common/manifest/manifest_place.h"

#include <stdbool.h>
#include <stdint.h>

struct rpc_call;
struct upload;

/* That a dataset is here since an earlier run, and what its owner had signed for. */
struct asset_kept {
	bool is;
	bool taken_back; /* its owner's leave, since it was laid in its place */
	uint64_t size;
	enum manifest_keep keep;
	uint8_t manifest[SHA3_256_LEN];
};

struct asset {
	const ProtobufCBinaryData *hash, *key; /* the manifest's */
	const char *name;                      /* datasets; "" where the manifest says none */
	bool decompress, cache;
	bool placing;  /* accepted, on its way to its place */
	bool received; /* in its place */
	bool noted;    /* in the journal */
	struct asset_kept kept_from;
	struct upload *kept; /* of an upload that was cut off, for uploads.h; NULL if none */
};

struct consumer {
	const ProtobufCBinaryData *key;
	uint8_t key_digest[SHA3_256_LEN];
	bool fetched;
	struct rpc_call *transfer; /* under way; not a reference */
};

struct computation {
	unsigned refs;
	bool over;

	Cvms__ComputationRunReq *manifest;
	struct manifest_digests digests;
	char *canonical;
	size_t canonical_len;
	struct agent_config listener;
	bool measured;    /* false: development */
	uint64_t attempt; /* by which the service knows this run of it; 0: it names none */

	struct asset algorithm;
	struct asset *datasets;
	size_t dataset_count;
	struct consumer *consumers;
	size_t consumer_count;

	/* What came with the algorithm. */
	enum runner_kind kind;
	char *runtime; /* NULL: none said */
	char **args;   /* NULL at the end, or NULL */
	bool requirements;
	uint8_t requirements_digest[SHA3_256_LEN]; /* of what was sent in their place */
	struct requirement_wheels wheels;          /* that came with them */

	/* The run, for its receipt. */
	struct jail_limits limits;
	struct jail_usage used; /* so far */
	uint64_t started;       /* seconds since 1970 */
	int exit_code;
	uint8_t *receipt; /* malloc'ed; NULL: there is none, or none yet */
	size_t receipt_len;
	uint8_t *opened; /* the same for consumers: it says of which results it is */
	size_t opened_len;

	char *dir; /* uploads/, datasets/, cache/, scratch/, algorithm, requirements/, results.zip */
	uint64_t upload_names;
	unsigned placing; /* jobs that work in the folder, or wait for the pool */
	uint64_t result_size;
	struct transcript said; /* by the algorithm */
	bool run_begun;
	bool run_over; /* it has ended, or could not be started */
	/* In state Failed: what anybody may know, and why, for those to whom the manifest shows what
	 * the algorithm writes (it chooses words of the reason, too), with its last lines. */
	char failure[ERR_TEXT_MAX];
	char reason[ERR_TEXT_MAX];
	char last_lines[TRANSCRIPT_LAST_MAX + 1];
};

/* Takes the manifest over (in every case), judges it (manifest_check()), loads its agent
 * configuration, whose paths `files` knows, and computes its digests. Nothing is on disk yet. */
int computation_new(Cvms__ComputationRunReq *manifest, const struct agent_config_files *files,
		    const char *dir, struct computation **computation, struct err *e) MUST_CHECK;

/* Makes the folder, empty: leftovers are removed. */
int computation_make_dir(struct computation *c, struct err *e) MUST_CHECK;

struct computation *computation_ref(struct computation *c);
void computation_unref(struct computation *c);
DEFINE_CLEANUP(struct computation *, computation_unref)

/* No more of this: `over` is set. Folder and kept uploads are the caller's to remove. */
void computation_end(struct computation *c);

/* What an upload of the algorithm put here beside its file: its arguments, its runtime. */
void computation_drop_algorithm(struct computation *c);

/* Where this dataset lies, if it goes by `name` and whoever sends it asks to `unpack` it. */
struct manifest_place computation_place(const struct computation *c, const struct asset *dataset,
					const char *name, bool unpack);

/* The dataset other than `but` that the manifest puts there; NULL: none. */
const struct asset *computation_at_place(const struct computation *c,
					 const struct manifest_place *place,
					 const struct asset *but);

bool computation_has_all_data(const struct computation *c);
bool computation_has_all_consumers(const struct computation *c);

/* "DIR/name", malloc'ed. */
int computation_path(const struct computation *c, const char *name, char **path,
		     struct err *e) MUST_CHECK;
