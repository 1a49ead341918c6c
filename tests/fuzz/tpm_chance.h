/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_chance.h — no chance in what tpm2-tss draws: sessions are salted, and a TPM that was recorded answers the same salt and
 * nonces alone.
 */
#pragma once

#include <stdint.h>
#include <openssl/rand.h>

static uint32_t tpm_chance;

static inline int tpm_chance_bytes(unsigned char *bytes, int len)
{
	for (int i = 0; i < len; i++) {
		tpm_chance = tpm_chance * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(tpm_chance >> 24);
	}
	return 1;
}

/* Before each run. */
static inline void tpm_chance_none(void)
{
	static const RAND_METHOD method = { .bytes = tpm_chance_bytes,
					    .pseudorand = tpm_chance_bytes };

	tpm_chance = 1;
/* RAND_METHOD is on its way out, and nothing that took its place is so small. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	(void)RAND_set_rand_method(&method);
#pragma GCC diagnostic pop
}
