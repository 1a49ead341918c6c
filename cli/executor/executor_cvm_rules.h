/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executor_cvm_rules.h — what an executor's owner allows beside a node that is computed in a CVM (workflow_cvm.h).
 */
#pragma once

#include "cli/executor/executor_node.h"

/* What this executor's owner allows: ERR_DENIED where the order has another key for this executor beside a CVM, or a CVM with
 * another algorithm, requirements file or policy than named. 0 for nodes beside none. Part of executor_node_take(). */
int executor_cvm_check(const struct workflow_order *order, size_t node,
		       const struct executor_rules *rules, struct err *e) MUST_CHECK;
/* ERR_INVALID where what its owner named says less than he meant: one of --algorithm and --policy alone, or either of an executor
 * that has CVMs started. */
int executor_cvm_rules_check(const struct executor_rules *rules, struct err *e) MUST_CHECK;
