/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igvm_boot.h — whether an IGVM file starts that very kernel on SEV-SNP: a measurement of the file says
 * something about an image only then.
 *
 * Known is the way of OVMF's AmdSev build: the firmware, which ends at 4 GiB, names a place for the table
 * of SHA-256 digests of kernel, initrd and command line, and starts nothing else. A file whose firmware
 * has no such place, or that leaves the place to the host, is launched with whatever the host brings.
 * Each VMSA has to be that of a processor after reset, which starts at the firmware's last 16 bytes; so
 * whatever lies in memory besides runs only if the firmware starts it. That firmware is believed as it
 * stands, like the one that `cocos-cli policy create --firmware` names: whoever takes a file from somebody
 * has to know whose firmware is inside.
 */
#pragma once

#include "attestation/measure/igvm.h"
#include "attestation/measure/snp_measure.h"

/* `boot` has kernel, initrd and cmdline; nothing else of it counts. ERR_PRECONDITION says what the file
 * lacks: a VMSA that starts the firmware, firmware, the table, or these three digests in it. */
int igvm_boot_check(const struct igvm *igvm, const struct snp_measure *boot,
		    struct err *e) MUST_CHECK;
