/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hcl_build.h — what Azure's paravisor makes around a TEE's report, and its TPM's message.
 */
#pragma once

#include "attestation/tpm/hcl_report.h"
#include "common/base/writer.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

#include <openssl/evp.h>

enum { HCL_MESSAGE_MAX = 1 << 16, HCL_NONCE_LEN = 32 };

/* Runtime data that name the RSA key `ak` for those operations. */
void hcl_put_runtime(EVP_PKEY *ak, const char *operations, const char *id, struct writer *w);

/* The report of that type, and the runtime data, in their headers. */
void hcl_put_report(uint32_t type, struct span report, struct span runtime, struct writer *w);

/* A quote over the nonce, by `signer`, without a public area, as Azure has it. */
void hcl_put_message(const struct forge_tpm *tpm, const uint8_t nonce[HCL_NONCE_LEN],
		     EVP_PKEY *signer, struct writer *w);
