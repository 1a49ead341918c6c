/* SPDX-License-Identifier: Apache-2.0 */
/* policy_show.h — a policy file as it was understood, in one spelling. */
#pragma once

#include "attestation/policy/policy.h"

struct writer;

/* The members of one file that policy_parse() has accepted, as JSON: keys in snake_case, nulls left
 * out, 64-bit numbers as decimal text, bytes in hexadecimal, product names as their numbers.
 * {"kind":"SNP"|"TDX"|"TPM"|"cocos","fields":{…}}. */
int policy_show(const struct policy_file *file, struct writer *w, struct err *e) MUST_CHECK;
