/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_weak.h — what in a manifest protects its owners less than it could, in words (docs/security.md).
 *
 * None of it is refused by an agent: the owners have to want it.
 */
#pragma once

#include "cvms.pb-c.h"

#include <stddef.h>

/* The `n`-th thing that weakens this manifest, counted from 0; NULL: no more. */
const char *manifest_weak(const Cvms__ComputationRunReq *manifest, size_t n);
