/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_status.h — the TCB statuses of Intel's PCS API, and how a component's status changes that of
 * the platform.
 */
#pragma once

#include "common/base/err.h"

/* The last two are in no document: they come out of the relaunch rule (tdx_tcb.h). */
enum tdx_status {
	TDX_UP_TO_DATE,
	TDX_SW_HARDENING_NEEDED,
	TDX_CONFIGURATION_NEEDED,
	TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED,
	TDX_OUT_OF_DATE,
	TDX_OUT_OF_DATE_CONFIGURATION_NEEDED,
	TDX_REVOKED,
	TDX_RELAUNCH_ADVISED,
	TDX_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
	TDX_STATUS_COUNT,
};

/* In Intel's spelling: "UpToDate", "TDRelaunchAdvised". */
const char *tdx_status_name(enum tdx_status status);
/* Exactly that spelling; else ERR_INVALID. */
int tdx_status_parse(const char *name, enum tdx_status *status, struct err *e) MUST_CHECK;

/* What a component's status (a module's or the QE's: UpToDate, OutOfDate or Revoked) makes of the
 * platform's. */
enum tdx_status tdx_status_merge(enum tdx_status platform, enum tdx_status component);

/* All that is wrong with either of two statuses of documents: never better than one of them. */
enum tdx_status tdx_status_worse(enum tdx_status a, enum tdx_status b);
