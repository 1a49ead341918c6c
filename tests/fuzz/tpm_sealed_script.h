/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_sealed_script.h — what is asked of a TPM with a sealed key by a fuzz target, and by what records answers for it.
 */
#pragma once

#include "computations/tpm/tpm_sealed.h"

#include <string.h>

enum { TPM_SEALED_SEALS = 0x80, TPM_SEALED_READS = 0x40, TPM_SEALED_SCRIPT_MAX = 65536 };

static const char *const tpm_sealed_words[] = {
	"tpm:/x",
	"tpm:/x?pcrs=sha256:7,14",
	"tpm:/x?parent=0x81000001",
	"tpm:/x?parent=0x81000001&pcrs=sha384:0,22",
};

/* The words of that number, below `tcti` if there is one. */
static inline int tpm_sealed_new(uint8_t call, const char *tcti, struct tpm_sealing **sealing,
				 struct err *e)
{
	const char *words = tpm_sealed_words[call % ARRAY_LEN(tpm_sealed_words)];

	if (tpm_sealing_new(words, sealing, e) < 0)
		return err_code(e);
	(*sealing)->link.tcti_words = tcti ? strdup(tcti) : NULL;
	return 0;
}

static const uint8_t tpm_sealed_key[TPM_SEALED_LEN] = { 'k', 'e', 'y' };
