/* SPDX-License-Identifier: Apache-2.0 */
/*
 * td_hob.h — the list of hand-off blocks (PI 1.8, volume 3) in which QEMU tells a TD's firmware its
 * memory: what was added at launch, and what is still to be accepted. Firmware measures it into RTMR0
 * before anything else.
 */
#pragma once

#include "attestation/measure/tdvf.h"
#include "common/crypto/digest.h"

/* The most memory of a TD: 52 bits of address, of which the highest tells shared pages. */
#define TD_HOB_MEMORY_MAX (UINT64_C(1) << 51)

/* The digest of the list as QEMU's machine q35 makes it of `memory` bytes, without its end, as
 * firmware takes it. ERR_INVALID: no whole pages, or too many; ERR_PRECONDITION: sections that QEMU
 * would not launch, or not in so little memory. */
int td_hob_measure(const struct tdvf *tdvf, uint64_t memory, uint8_t out[SHA384_LEN],
		   struct err *e) MUST_CHECK;
