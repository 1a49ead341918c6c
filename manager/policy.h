/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h — what AttestationPolicy answers: what a verifier should find in a CVM's launch.
 *
 * It is the operator's word. An owner computes the same from the image alone and compares.
 */
#pragma once

#include "manager/registry.h"

/* JSON, malloc'ed. For a plain CVM: the TPM registers that its launch determines, by bank, before an
 * agent configuration and a manifest are measured. */
int policy_write(const struct cvm *cvm, uint8_t **json, size_t *len, struct err *e) MUST_CHECK;
