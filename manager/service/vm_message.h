/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_message.h — a CVM as it is told to clients, for the methods that do.
 */
#pragma once

#include "manager.pb-c.h"
#include "manager/fleet/fleet_view.h"

/* "removed", and so on; "" for CVM_WHY_NONE. */
const char *vm_why_name(enum cvm_why why);

/* The message and what it points into; also into what the view does. */
struct vm_message {
	Manager__Vm message;
	Manager__Label labels[CVM_LABELS_COUNT_MAX], *rows[CVM_LABELS_COUNT_MAX];
	char text[CVM_LABELS_MAX + 1], tee[24];
};

void vm_message(const struct vm_view *view, struct vm_message *out);
