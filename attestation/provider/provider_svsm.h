/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_svsm.h — is this TPM the one of the SVSM (AMD 58019, Secure VM Service Module), which
 * runs in the guest's own VMPL0, out of the host's reach? Then and only then an SEV-SNP report may
 * bind its attestation key.
 *
 * The SVSM's vTPM service answers with a report whose REPORT_DATA is SHA-512(nonce ‖ manifest), and
 * with the manifest: TPMT_PUBLIC of the vTPM's endorsement key (EK). That EK has to be the one of
 * the TPM that we talk to, and a credential made for it and our attestation key has to be opened by
 * that TPM: so EK and AK are in it.
 */
#pragma once

#include "attestation/provider/provider.h"
#include "attestation/provider/provider_tpm_ak.h"

/* Does the service vouch for this endorsement key? `report` and `manifest` as configfs-tsm gave
 * them for `nonce`. ERR_DENIED says why not: no report, not of VMPL0, another nonce or manifest,
 * another key. */
int provider_svsm_check(struct span report, struct span manifest,
			const uint8_t nonce[PROVIDER_REPORT_DATA_LEN], struct span ek_public,
			struct err *e) MUST_CHECK;

/* All of it. `*bound` is false, without an error, where the kernel has no service attributes or no
 * SVSM answers. An SVSM whose TPM is not this one is ERR_DENIED. */
int provider_svsm_binds(const struct provider_options *options, struct provider_tpm *tpm,
			bool *bound, struct err *e) MUST_CHECK;
