/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_extension.h — what our manifests say beyond the stock ones (message Extension, "cocos" in
 * JSON), and what is true of a manifest that leaves it out.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "cvms.pb-c.h"

#include <stdbool.h>

/* Where the content of archives lies. */
enum manifest_layout {
	MANIFEST_LAYOUT_STOCK,   /* in datasets/ itself, of all together */
	MANIFEST_LAYOUT_FOLDERS, /* in a folder for each */
};

/* Who sees what the algorithm writes to stdout and stderr, and why it failed. */
enum manifest_logs {
	MANIFEST_LOGS_ALL,       /* everybody, the computation service as well */
	MANIFEST_LOGS_CONSUMERS, /* who fetches the results */
	MANIFEST_LOGS_PROVIDER,  /* who provided the algorithm */
};

/* Of a manifest that passed manifest_check(). */
enum manifest_layout manifest_layout(const Cvms__ComputationRunReq *manifest);
enum manifest_logs manifest_logs(const Cvms__ComputationRunReq *manifest);
bool manifest_may_replace(const Cvms__ComputationRunReq *manifest);

/* The digest that the requirements must have, lent; NULL where the manifest names none. */
const uint8_t *manifest_requirements_hash(const Cvms__ComputationRunReq *manifest);

struct manifest_faults;

/* Part of manifest_check(): words, lengths, and what this build does not offer. */
void manifest_extension_check(const Cvms__ComputationRunReq *manifest,
			      struct manifest_faults *faults);
