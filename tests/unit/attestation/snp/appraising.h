/* SPDX-License-Identifier: Apache-2.0 */
/* appraising.h — evidence of our own making and what its appraisal came to; one of each in a
 * program. */
#pragma once

#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"

static struct forge f;
static struct verdict v;

/* The call is a no, and its first failed check is that one. */
static inline void assert_fails_at(const char *check)
{
	assert_false(forge_appraise(&f, &v));
	for (size_t i = 0; i < v.count; i++)
		if (v.checks[i].outcome == CHECK_FAILED) {
			if (strcmp(v.checks[i].name, check) != 0)
				fail_msg("%s failed first, not %s", v.checks[i].name, check);
			return;
		}
	fail_msg("no check failed: %s", verdict_reason(&v).text);
}

static inline void assert_passes(void)
{
	if (!forge_appraise(&f, &v))
		fail_msg("%s", verdict_reason(&v).text);
}

static inline void good(void)
{
	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
}

static inline size_t give_crl(const long *serials, size_t count)
{
	static uint8_t der[FORGE_CRL_MAX];
	size_t len =
		forge_crl(f.root_key, "ARK-Genoa", serials, count, FORGE_AT - 9, FORGE_AT + 9, der);

	f.input.crls[f.input.crl_count++] = (struct span){ der, len };
	return len;
}
