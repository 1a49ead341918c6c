/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorsements.h — what AMD's Key Distribution Service (publication 57230) and Intel's Provisioning
 * Certification Service (PCS API v4) publish about a machine: fetched, kept, filled in.
 *
 * A library of its own (`endorse_dep`), since it brings libcurl: the agent has none of it.
 * Nothing is believed for where it came from: a document, from the network or from the cache, is
 * used only after the verifier's own functions accept it for this evidence, under the built-in or
 * the named root, at the moment to judge at. What a cache holds that isn't accepted is fetched
 * again, and what was fetched is kept only once it was accepted. So a wrong answer, a mirror that
 * lies, or a poisoned cache costs a refusal at worst.
 *
 * Calls block, for as long as the deadline says: call them from a pool (rpc/job.h), never from a
 * loop.
 */
#pragma once

#include "attestation/endorse/endorse_config.h"
#include "attestation/verify/verify_input.h"

/* Used by one thread at a time. Keeps connections open, and what it handed out. */
struct endorsements;

int endorsements_new(const struct endorsements_config *config, struct endorsements **made,
		     struct err *e) MUST_CHECK;
void endorsements_free(struct endorsements *n);

/* From any thread: what a call is fetching ends within about a second, and nothing is fetched any more. */
void endorsements_stop(struct endorsements *n);
/* Whether the last call with `offline` would have asked a service: for something that is missing, or
 * that is good and a day old. */
bool endorsements_wanted(const struct endorsements *n);
DEFINE_CLEANUP(struct endorsements *, endorsements_free)

/* Takes the evidence apart once, fills those endorsements that it needs and that neither `in` nor the
 * evidence has (the chip's certificate, its chain, with `require_crl` of `in` or its policy the ARK's
 * revocation list; Intel's seven documents), and judges: verify()'s answer, `v` and `result`. What `in`
 * has is left as it is. Nothing is fetched where nothing is missing, nor for evidence that can't be
 * read. Bytes in `in` belong to `n`, until the next call with it.
 *
 * What could not be had becomes a note beside a refusal, and changes nothing about a yes: which document,
 * and why (address, status, or the check that it failed). `*missing` has it as well (an empty text:
 * nothing), if that is not NULL. The cache alone is asked for evidence that no endorsement would help
 * (verify_before()): without form, bound to something else, or whose own signatures do not hold.
 *
 * What a service did not have or could not give is remembered for a while (endorse_failures.h), so
 * that many calls for one document, or to a service that is down, cost one request. */
int endorsements_verify(struct endorsements *n, struct verify_input *in, struct verdict *v,
			struct verify_result *result, struct err *missing,
			struct err *e) MUST_CHECK;
