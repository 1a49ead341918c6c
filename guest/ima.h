/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ima.h — what the kernel measures of the programs that run: a policy of the image's own, before
 * anything but init runs (Linux: Documentation/ABI/testing/ima_policy).
 *
 * The kernel's built-in policies skip memory-backed file systems, from which algorithms are run.
 * Each file's SHA-256 goes into the kernel's list, and into PCR 10 where there is a TPM.
 */
#pragma once

#include "common/base/err.h"

/* Loads it; the kernel accepts one policy and no other afterwards. securityfs must be mounted. */
int ima_load(struct err *e) MUST_CHECK;
