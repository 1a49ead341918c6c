/* SPDX-License-Identifier: Apache-2.0 */
/* show_manifest.h — a manifest as its parties read it before they agree: who brings what. */
#pragma once

#include "cli/base/json_out.h"
#include "cli/base/own_keys.h"
#include "common/manifest/manifest.h"
#include "people.pb-c.h"

struct show_manifest {
	const Cvms__ComputationRunReq *manifest; /* decoded, and perhaps one that no agent takes */
	const struct own_keys *own;
	const char *file; /* where it is from; NULL: the computation service */
	const struct manifest_digests *digests; /* NULL: it has no canonical form */
	const People__KeyOwners
		*owners;           /* whose keys, by the service's word; NULL: it was not asked */
	const struct err *refusal; /* why agents refuse it; NULL: they don't */
};

/* For people: nothing in it that a stranger wrote passes for ours. */
int show_manifest_text(const struct show_manifest *s, FILE *out, struct err *e) MUST_CHECK;

/* One object. */
int show_manifest_json(const struct show_manifest *s, struct json_out *out,
		       struct err *e) MUST_CHECK;
