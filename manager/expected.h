/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expected.h — what AttestationPolicy answers: what a verifier should find in a CVM's launch.
 *
 * It is the operator's word. An owner computes the same from the image alone and compares.
 */
#pragma once

#include "manager/config.h"
#include "common/image.h"
#include "manager/registry.h"

/* A policy (docs/policy.md, 'Our form') into cvm->expected. For a plain CVM: the TPM registers that
 * its launch determines, by bank, before an agent configuration and a manifest are measured. For SNP
 * and TDX: measurement and what binds the boot configuration. Refused where the measurement can't be
 * computed, as with a CPU type of unknown signature. Blocking. */
int expected_compute(const struct image *image, const struct config *config, struct cvm *cvm,
		     struct err *e) MUST_CHECK;
