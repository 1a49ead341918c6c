/* SPDX-License-Identifier: Apache-2.0 */
/* show_kind.c — which function takes which kind of evidence apart. */
#include "cli/show/show.h"
#include "common/base/cleanup.h"

static int (*const showers[])(struct span evidence, struct writer *w, struct err *e) = {
	[EVIDENCE_SNP] = show_snp,      [EVIDENCE_TDX] = show_tdx,      [EVIDENCE_VTPM] = show_tpm,
	[EVIDENCE_SNP_VTPM] = show_tpm, [EVIDENCE_TDX_VTPM] = show_tpm, [EVIDENCE_EAT] = show_token,
};
_Static_assert(ARRAY_LEN(showers) == EVIDENCE_HARDWARE_COUNT + 1, "the hardware's, and a token");

bool show_kind_is_known(enum evidence_kind kind)
{
	return kind < ARRAY_LEN(showers) && showers[kind];
}

int show_kind(enum evidence_kind kind, struct span evidence, struct writer *w, struct err *e)
{
	if (!show_kind_is_known(kind))
		return err_set(e, ERR_INVALID, "nothing shows evidence of kind %s",
			       evidence_kind_name(kind));
	return showers[kind](evidence, w, e);
}
