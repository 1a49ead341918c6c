/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtmr0.h — a TD's RTMR0: the digests of what the host gives its firmware, in the order in which
 * OvmfPkg/IntelTdx extends them when QEMU boots a kernel directly.
 *
 *   the list of memory (td_hob.h), the configuration volume (cfv.h),
 *   from 2025.05 on: whether to show a boot menu, the order of boot devices,
 *   Secure Boot's switch and lists, a separator,
 *   the ACPI tables (launch_tables.h),
 *   the boot options: firmware's own, in their order; before 2024.11 a separator
 *
 * Which of these ways a firmware has stands in its code, which MRTD is about. So all of them are
 * acceptable together with that MRTD: the host can't choose among them.
 */
#pragma once

#include "attestation/measure/launch_tables.h"
#include "attestation/measure/tdvf.h"

struct rtmr0_parts {
	uint8_t hob[SHA384_LEN], cfv[SHA384_LEN];
	const struct launch_tables *tables; /* borrowed */
};

/* ERR_PRECONDITION or ERR_INVALID: what such firmware measures can't be foreseen. */
int rtmr0_measure(struct span firmware, uint64_t memory, const struct launch_tables *tables,
		  struct rtmr0_parts *parts, struct err *e) MUST_CHECK;

enum { RTMR0_VALUES = 6 };

/* The acceptable values. */
int rtmr0_values(const struct rtmr0_parts *parts, uint8_t values[RTMR0_VALUES][SHA384_LEN],
		 struct err *e) MUST_CHECK;
