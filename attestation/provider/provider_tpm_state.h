/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_tpm_state.h — a TPM's connection and attestation key; for provider_tpm*.c only.
 */
#pragma once

#include "attestation/provider/provider_tpm.h"

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

enum { TPM_CERT_MAX = 8192 };

struct provider_tpm {
	TSS2_TCTI_CONTEXT *tcti;
	bool from_loader; /* who frees it */
	ESYS_CONTEXT *esys;
	uint32_t needed;

	ESYS_TR ak; /* ESYS_TR_NONE: not made yet */
	bool ak_persistent;
	TPM2B_PUBLIC *ak_public;
	uint8_t *ak_cert; /* DER; NULL: the platform has none */
	size_t ak_cert_len;

	uint8_t *ek_public,
		*ek_cert; /* NULL: not asked for yet; the certificate: or there is none */
	size_t ek_public_len, ek_cert_len;
};

/* ESYS gives out blocks of several types that are all freed by one call. */
static inline void cleanup_esys(void *owned)
{
	Esys_Free(*(void **)owned);
}

int provider_tpm_fault(struct err *e, TSS2_RC code, const char *what);

/* Makes or finds the key, if that was not done yet. */
int provider_tpm_need_ak(struct provider_tpm *tpm, struct err *e) MUST_CHECK;
void provider_tpm_drop_ak(struct provider_tpm *tpm);

/* A whole NV index, malloc'ed; ERR_NOT_FOUND if it isn't defined. */
int provider_tpm_nv_read(struct provider_tpm *tpm, TPM2_HANDLE index, uint8_t **bytes, size_t *len,
			 struct err *e) MUST_CHECK;
