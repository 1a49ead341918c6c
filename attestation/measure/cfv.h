/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cfv.h — the configuration firmware volume of a TD's firmware (PI 1.8, volume 3: firmware volumes;
 * MdeModulePkg: VariableFormat.h): where its variables would be, Secure Boot's keys first of all.
 */
#pragma once

#include "attestation/measure/tdvf.h"

enum { CFV_MAX = 4 << 20, CFV_BLOCKS_MAX = 16 };

/* The volume is one for variables, and it holds none, so that what firmware measures of them is known.
 * ERR_NOT_FOUND: firmware without one; ERR_INVALID: malformed; ERR_PRECONDITION: it holds variables. */
int cfv_check_empty(const struct tdvf *tdvf, struct span *cfv, struct err *e) MUST_CHECK;
