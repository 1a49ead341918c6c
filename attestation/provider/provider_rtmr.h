/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_rtmr.h — RTMR3 and MRCONFIGID of a TDX guest, through the guest device's measurement
 * files (kernel 6.16 on; Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest). The TDX
 * module fills them (TDREPORT); the host has no part in it. Blocking.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { RTMR_LEN = 48 };

/* Does this kernel have them? `dir` as in provider_paths; NULL: no. */
bool rtmr_is_there(const char *dir);

int rtmr_read(const char *dir, uint8_t value[RTMR_LEN], struct err *e) MUST_CHECK;
int rtmr_read_mrconfigid(const char *dir, uint8_t value[RTMR_LEN], struct err *e) MUST_CHECK;

/* Extends RTMR3 by these bytes, reads back and compares with SHA-384(old ‖ digest); another value is
 * ERR_DATA_LOSS. */
int rtmr_extend(const char *dir, const uint8_t digest_bytes[RTMR_LEN], struct err *e) MUST_CHECK;
