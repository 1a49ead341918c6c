/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_policy.h — the policy that an order names for a node in a CVM, before anybody relies on it.
 */
#pragma once

#include "common/workflow/workflow_cvm.h"

/* ERR_INVALID: nobody can read it, it takes stock agents, which have evidence made over whatever their host tells them, so that no
 * manifest can be held against one, or it asks nothing of what booted (policy_leaves_open()). */
int node_policy_check(const struct workflow_cvm *cvm, struct err *e) MUST_CHECK;
/* That of each such node; the error names the node. */
int node_policy_check_all(const struct workflow_spec *spec, struct err *e) MUST_CHECK;
