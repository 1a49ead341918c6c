/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_facts.h — a manifest as a list of what it says, each by the name of what it is about, so that
 * two can be compared by meaning. Nothing in it that a stranger wrote passes for ours.
 */
#pragma once

#include "common/base/err.h"
#include "cvms.pb-c.h"

#include <stdbool.h>

struct manifest_fact {
	char *what, *value;
};

struct manifest_facts {
	struct manifest_fact *list;
	size_t count, room;
	bool bad; /* out of memory */
};

/* The caller calls manifest_facts_done() in every case. */
int manifest_facts_of(const Cvms__ComputationRunReq *manifest, struct manifest_facts *facts,
		      struct err *e) MUST_CHECK;
void manifest_facts_done(struct manifest_facts *facts);
#define CLEANUP_MANIFEST_FACTS __attribute__((cleanup(manifest_facts_done)))

/* What is said of `what`; NULL: nothing. */
const char *manifest_facts_get(const struct manifest_facts *facts, const char *what);
