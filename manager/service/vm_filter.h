/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_filter.h — which CVMs a client wants to hear of: its VmFilter, checked.
 */
#pragma once

#include "manager/fleet/fleet_view.h"

enum { VM_FILTER_STATES_MAX = 16, VM_FILTER_TEES_MAX = 8 };

struct vm_filter {
	struct access_caller caller; /* whose eyes see them */
	unsigned states, tees;       /* bits of enum vm_state, enum domain_tee; 0: any */
	char name[CVM_NAME_MAX + 1], labels[CVM_LABELS_MAX + 1];
};

/* What the caller may see of it. `message` NULL: without a filter. ERR_INVALID names what is none: an unknown
 * state or TEE, too many of them, no name, no label. */
int vm_filter_make(const Manager__VmFilter *message, const struct access_caller *caller,
		   struct vm_filter *filter, struct err *e) MUST_CHECK;

/* Without states, one that is gone passes, too. */
bool vm_filter_passes(const struct vm_filter *filter, const struct vm_view *view);

/* Differs for different filters, as far as 64 bits go: pages of a list have one filter. */
uint64_t vm_filter_digest(const struct vm_filter *filter);
