/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_message.h — a workflow's order as workflows.proto carries it.
 */
#pragma once

#include "common/workflow/workflow_order.h"
#include "workflows.pb-c.h"

/* Of a message that is not trusted: the spec is read, all lengths and numbers are checked, the id is filled in; the signature
 * is not looked at. `order` is written on success alone. */
int workflow_order_read(const Workflows__Order *m, struct workflow_order *order,
			struct err *e) MUST_CHECK;
/* The same, and the signature is the submitter's. */
int workflow_order_open(const Workflows__Order *m, struct workflow_order *order,
			struct err *e) MUST_CHECK;

/* Malloc'ed; workflows__order__free_unpacked(m, NULL) frees it. */
int workflow_order_message(const struct workflow_order *order, Workflows__Order **m,
			   struct err *e) MUST_CHECK;
