/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_age.h — how old a revocation list may be, where an owner's policy says so.
 *
 * A list is current until its nextUpdate, which may be a year away: whoever keeps newer ones from the
 * verifier has that long. The age counts from thisUpdate, which the issuer signed, or from when the
 * service last handed that list out, whichever is later: Intel makes its root's list about once a year,
 * so that the newest there is may be old.
 */
#pragma once

#include "attestation/formats/x509_crl.h"
#include "attestation/verdict/verdict.h"

enum { CRL_AGE_MAX = 10 * 365 * 86400 }; /* seconds; a larger limit would be none */

struct crl_age {
	uint64_t max;  /* seconds; 0: nobody asked */
	int64_t at;    /* the moment to judge at */
	uint32_t skew; /* by which clocks may differ */
};

/* Requires "crl.age" where there is a limit. */
void crl_age_require(const struct crl_age *limit, struct verdict *v);

/* Adds "crl.age" where there is a limit: `at` is at most `max` seconds, and the skew, after thisUpdate
 * or after `asked`, when the service last handed it out (seconds since 1970; 0: nobody knows). `whose`
 * is for people: "the ARK's". False if the list is too old. */
bool crl_age_judge(const struct crl_age *limit, const struct x509_crl *crl, int64_t asked,
		   const char *whose, struct verdict *v);
