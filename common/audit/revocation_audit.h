/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation_audit.h — entries of the audit log for connections that were refused, or ended, by a revocation list.
 */
#pragma once

#include "common/audit/call_audit.h"
#include "common/rpc/revocation.h"

/* For struct revocation_config; its data is a struct call_audit, whose log may be closed by then. */
void revocation_audit(void *call_audit, const struct revocation_refused *refused);
