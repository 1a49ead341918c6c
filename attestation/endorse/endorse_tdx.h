/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_tdx.h — what Intel's Provisioning Certification Service has of a platform.
 */
#pragma once

#include "common/base/err.h"

struct endorsements;
struct endorse_need;
struct verify_input;

/* Whether `in` lacks something of what a quote needs. */
bool endorse_tdx_lacks(const struct verify_input *in);

/* Fills what `in` lacks, as endorsements_verify() says: 0 if nothing is missing any more. Else the
 * negative code, and `e` names the document and why it could not be had; what could be is filled in. */
int endorse_tdx(struct endorsements *n, const struct endorse_need *need, struct verify_input *in,
		struct err *e) MUST_CHECK;
