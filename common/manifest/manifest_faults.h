/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_faults.h — every reason for which an agent refuses a manifest, by the very checks that an
 * agent makes, which ends at the first.
 */
#pragma once

#include "common/base/err.h"
#include "cvms.pb-c.h"

#include <stdbool.h>

/* As many as there is room for; `list` is the caller's, and one error alone is an agent's room. */
struct manifest_faults {
	struct err *list;
	size_t room, count;
	const struct manifest_keys *keys; /* of manifest_check_by(); NULL: none */
};

/* manifest_check() and agent_config_check() that go on behind a fault. False: it can't be said (ERR_EXHAUSTED),
 * the last of the list says why. */
bool manifest_check_all(const Cvms__ComputationRunReq *manifest, struct manifest_faults *faults);
bool agent_config_check_all(const Cvms__AgentConfig *message, struct manifest_faults *faults);

/* manifest_from_json() that goes on behind a fault of the manifest, as it does where `all` is NULL. What a fault leaves
 * empty is checked as such. An error: it is no JSON object at all, or memory has run out. */
int manifest_from_json_all(const void *text, size_t len, struct manifest_faults *all,
			   Cvms__ComputationRunReq **manifest, struct err *e) MUST_CHECK;

/* ---- for those who check ---- */

/* Where a check that is asked for puts its reason; only while there is room. */
static inline struct err *manifest_faults_next(struct manifest_faults *faults)
{
	return &faults->list[faults->count];
}

/* Out of memory nothing more can be said. */
static inline bool manifest_faults_ended(const struct manifest_faults *faults)
{
	return faults->count == faults->room ||
	       (faults->count && faults->list[faults->count - 1].code == ERR_EXHAUSTED);
}

/* Makes one check, `failed` with manifest_faults_next() for its reason, unless it has come to its end; the rest
 * is the place, as for err_wrap(). */
#define MANIFEST_FAULT(faults, failed, ...)                                            \
	do {                                                                           \
		if (!manifest_faults_ended(faults) && (failed) < 0) {                  \
			(void)err_wrap(&(faults)->list[(faults)->count], __VA_ARGS__); \
			(faults)->count++;                                             \
		}                                                                      \
	} while (0)
