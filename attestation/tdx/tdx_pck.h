/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_pck.h — what a PCK certificate says about its platform: the SGX extension,
 * 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5).
 *
 * Parsing only; see tdx_verify.h.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#define TDX_PCK_EXTENSION "1.2.840.113741.1.13.1"

enum { TDX_FMSPC_LEN = 6, TDX_PCEID_LEN = 2, TDX_COMPONENTS = 16 };

struct tdx_pck {
	uint8_t ppid[16];
	uint8_t components[TDX_COMPONENTS]; /* SGX TCB component SVNs, the certificate's word */
	uint16_t pcesvn;
	uint8_t cpusvn[16];
	uint8_t pceid[TDX_PCEID_LEN];
	uint8_t fmspc[TDX_FMSPC_LEN];
	unsigned sgx_type;      /* 0 standard, 1 scalable, 2 scalable with integrity */
	bool has_instance;      /* Platform CA only */
	uint8_t instance[16];   /* Platform Instance ID */
	bool has_configuration; /* Platform CA only; the three below, if present, else false */
	bool dynamic_platform, cached_keys, smt_enabled;
};

/* The contents of the extension's OCTET STRING. Refused: anything but DER to the last byte, a
 * member missing, twice or unknown, a value out of its range. */
int tdx_pck_parse(struct span extension, struct tdx_pck *pck, struct err *e) MUST_CHECK;
