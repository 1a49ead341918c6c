/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_tcb.h — how recent a TDX platform is: its TCB level, its module's and QE's levels, and what
 * they come to together.
 *
 * Pure functions over parsed structures (Intel PCS API v4, "Get TDX TCB Info"; the vendor's QVL:
 * TcbLevelCheck, TdxModuleCheck, TDRelaunchCheck).
 */
#pragma once

#include "attestation/tdx/tdx_collateral.h"
#include "attestation/tdx/tdx_pck.h"
#include "attestation/tdx/tdx_quote.h"

/* The identity of the module that wrote `tee_tcb_svn`: its byte 1 is the version. NULL if the
 * document has none of that version. */
const struct tdx_module *tdx_tcb_module_of(const struct tdx_tcb_info *info,
					   const uint8_t tee_tcb_svn[TDX_SVN_LEN]);

/* The first level with isvsvn <= the given one, or NULL. */
const struct tdx_isv_level *tdx_isv_level_of(const struct tdx_isv_level *levels, size_t count,
					     unsigned isvsvn);

/* What a platform's parts come to. */
struct tdx_tcb_state {
	const struct tdx_tcb_level *level;
	const struct tdx_isv_level *module; /* NULL for module version 0, which has none */
	const struct tdx_isv_level *qe;
	enum tdx_status status; /* of all together */
};

/* `qe` is the QE's level. ERR_DENIED if no level matches the platform or its module: TCB of a
 * TD 1.5 at launch (TEE_TCB_SVN) and now (TEE_TCB_SVN_2) both need one, and where the current one
 * is worse, its levels are those that are told and the status is never better than its own. */
int tdx_tcb_evaluate(const struct tdx_tcb_info *info, const struct tdx_pck *pck,
		     const struct tdx_quote *quote, const struct tdx_isv_level *qe,
		     struct tdx_tcb_state *state, struct err *e) MUST_CHECK;
