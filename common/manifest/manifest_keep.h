/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_keep.h — what the owner of a dataset may allow beyond one run: that an agent keeps it when
 * the run fails, for a run that comes after it.
 */
#pragma once

#include "common/manifest/agent_config.h"
#include "common/manifest/manifest.h"

#include <stdbool.h>

enum manifest_keep {
	MANIFEST_KEEP_NOTHING,
	MANIFEST_KEEP_RETRY,     /* for this very manifest, once more */
	MANIFEST_KEEP_ALGORITHM, /* also for another algorithm of the same provider */
};

/* "retry", "algorithm": the words of metadata and command line. False for any other. */
bool manifest_keep_find(const char *word, enum manifest_keep *keep);
const char *manifest_keep_word(enum manifest_keep keep);

/* Of two manifests the same if an owner who gave that leave with the one has given it for the other:
 * SHA3-256 over the leave, the canonical agent configuration and the canonical manifest, in which
 * MANIFEST_KEEP_ALGORITHM passes over the id, and digest, type, arguments and requirements_hash of the
 * algorithm. Datasets, owners, consumers, the algorithm's provider, layout and logs always count. */
int manifest_keep_digest(const Cvms__ComputationRunReq *manifest, const struct agent_config *config,
			 enum manifest_keep keep, uint8_t out[SHA3_256_LEN],
			 struct err *e) MUST_CHECK;
