/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_file.h — a manifest that a person has as a file.
 */
#pragma once

#include "common/manifest/manifest.h"
#include "common/manifest/manifest_faults.h"

/* As it is written; an older form, in which ids stand for people, is refused by the key that shows it. Decoding
 * only: judge it, too. */
int manifest_file_read(const char *path, Cvms__ComputationRunReq **manifest,
		       struct err *e) MUST_CHECK;
/* The same, with all that is wrong in it, and what an agent has against the rest: no reason that follows from another. An
 * error: there is no manifest to be judged. */
int manifest_file_read_all(const char *path, Cvms__ComputationRunReq **manifest,
			   struct manifest_faults *faults, struct err *e) MUST_CHECK;
/* Its text, before that: for who puts something in. It may hold the agent's private key: wipe it. */
int manifest_file_text(const char *path, uint8_t **text, size_t *len, struct err *e) MUST_CHECK;

/* What an agent requires of it, its configuration too. One without an id is judged as if it had one, which
 * the computation service gives it. */
int manifest_file_judge(Cvms__ComputationRunReq *manifest, struct err *e) MUST_CHECK;

/* Its digests; a manifest that no agent would take is refused. */
int manifest_file_digests(const char *path, struct manifest_digests *digests,
			  struct err *e) MUST_CHECK;

/* Its digests, whether an agent would take it or not: `fit` says which, and `unfit` why not. */
int manifest_file_any(const char *path, struct manifest_digests *digests, bool *fit,
		      struct err *unfit, struct err *e) MUST_CHECK;
