/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_waits.h — executors' calls that wait for a node, and the clock of workflows. On the loop's thread.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

struct service;
struct workflow_waits;

int workflow_waits_new(struct service *service, struct workflow_waits **waits,
		       struct err *e) MUST_CHECK;
/* All that wait are answered with none, and the clock ends: before the loop runs for the last time. Fine with NULL. */
void workflow_waits_stop(struct workflow_waits *waits);
/* When the loop has ended. Fine with NULL. */
void workflow_waits_free(struct workflow_waits *waits);
/* Nodes of that workspace may be ready now (0: of any). */
void workflow_waits_wake(struct workflow_waits *waits, int64_t workspace);
