/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_crl.h — is any certificate in a TDX verification revoked? The root's CRL covers the
 * intermediate and the TCB signers, the intermediate's covers the PCK.
 */
#pragma once

#include "attestation/tdx/tdx_chain.h"
#include "attestation/tdx/tdx_collateral.h"

/* Adds crl.root, crl.pck, crl.age where there is a limit, crl.intermediate, crl.crl_issuer and
 * crl.leaf, and keeps the root's CRL in `chains`. The chains TDX_CHAIN_PCK and
 * TDX_CHAIN_CRL_ISSUER have to be good. */
bool tdx_crl_check_platform(struct tdx_chains *chains, const struct tdx_collateral *collateral,
			    struct verdict *v);

/* Adds the check `name`: the signer of that (good) chain is not in the root's CRL, as
 * tdx_crl_check_platform() left it. */
bool tdx_crl_check_signer(struct tdx_chains *chains, enum tdx_chain_kind kind, enum check_id id,
			  struct verdict *v);
