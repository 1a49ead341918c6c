/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verdict/crl_age.h"

#include <inttypes.h>
#include <stdio.h>

void crl_age_require(const struct crl_age *limit, struct verdict *v)
{
	if (limit->max)
		verdict_require(v, CHECK_CRL_AGE);
}

bool crl_age_judge(const struct crl_age *limit, const struct x509_crl *crl, int64_t asked,
		   const char *whose, struct verdict *v)
{
	int64_t age = limit->at - (asked > crl->this_update ? asked : crl->this_update);
	char wanted[64];

	if (!limit->max)
		return true;
	snprintf(wanted, sizeof(wanted), "at most %" PRIu64 " s", limit->max);
	return verdict_checkf(v, CHECK_CRL_AGE, age - (int64_t)limit->skew <= (int64_t)limit->max,
			      wanted, "%s, %" PRId64 " s old", whose, age);
}
