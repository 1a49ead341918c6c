/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_sealed_script.h — what is asked of a TPM with a sealed key by a fuzz target, and by what records answers for it. By
 * chance nothing is: sessions are salted, and a TPM that was recorded answers the same ones alone.
 */
#pragma once

#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD, which is to have no other like it here */

#include "computations/tpm/tpm_sealed.h"

#include <string.h>
#include <openssl/rand.h>

enum { TPM_SEALED_SEALS = 0x80, TPM_SEALED_READS = 0x40, TPM_SEALED_SCRIPT_MAX = 65536 };

static const char *const tpm_sealed_words[] = {
	"tpm:/x",
	"tpm:/x?pcrs=sha256:7,14",
	"tpm:/x?parent=0x81000001",
	"tpm:/x?parent=0x81000001&pcrs=sha384:0,22",
};

static uint32_t tpm_sealed_chance;

static inline int tpm_sealed_bytes(unsigned char *bytes, int len)
{
	for (int i = 0; i < len; i++) {
		tpm_sealed_chance = tpm_sealed_chance * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(tpm_sealed_chance >> 24);
	}
	return 1;
}

/* Before each run. */
static inline void tpm_sealed_leave_nothing_to_chance(void)
{
	static const RAND_METHOD method = { .bytes = tpm_sealed_bytes,
					    .pseudorand = tpm_sealed_bytes };

	tpm_sealed_chance = 1;
	(void)RAND_set_rand_method(&method);
}

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
