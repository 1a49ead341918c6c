/* SPDX-License-Identifier: Apache-2.0 */
/* check_aael.h — the one kind of log that is not TCG's; for check_log.c. */
#pragma once

#include "attestation/tpm/tpm_pcrs.h"
#include "cli/check/check.h"

int check_aael(const struct check_input *in, const struct tpm_pcrs *pcrs, struct verdict *v,
	       struct writer *show, struct err *e) MUST_CHECK;
