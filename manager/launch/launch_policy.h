/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_policy.h — the answer to AttestationPolicy: what a verifier should find in a CVM's launch.
 *
 * It is the operator's word. An owner computes the same bytes from the image alone
 * (attestation/measure/reference.h) and compares.
 */
#pragma once

#include "manager/registry/registry.h"
#include "manager/settings/config.h"

/* Writes a policy (docs/policy.md, 'Our form') into cvm->expected. `*boot` is what an earlier
 * call measured of that image, or NULL; it is made when needed, and the caller frees it. Fails
 * if nothing can be computed, as with a CPU type of unknown signature or firmware that measures
 * nothing. Blocking. */
int launch_policy_compute(const struct image *image, const struct config *config,
			  struct efi_boot **boot, struct cvm *cvm, struct err *e) MUST_CHECK;
