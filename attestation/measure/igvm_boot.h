/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igvm_boot.h — whether an IGVM file starts that very kernel on SEV-SNP: a measurement of the file says
 * something about an image only then.
 *
 * Known is the way of OVMF's AmdSev build: the firmware, which ends at 4 GiB, names a place for the table
 * of SHA-256 digests of kernel, initrd and command line, and starts nothing else. A file whose firmware
 * has no such place, or that leaves the place to the host, is launched with whatever the host brings.
 * What lies in memory besides is not looked at: nothing says that it is what runs.
 */
#pragma once

#include "attestation/measure/igvm.h"
#include "attestation/measure/snp_measure.h"

/* `boot` has kernel, initrd and cmdline; nothing else of it counts. ERR_PRECONDITION says what the file
 * lacks: a VMSA, firmware, the table, or these three digests in it. */
int igvm_boot_check(const struct igvm *igvm, const struct snp_measure *boot,
		    struct err *e) MUST_CHECK;
