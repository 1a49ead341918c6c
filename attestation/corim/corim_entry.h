/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corim_entry.h — one entry of reference values, and the names that a CoRIM has for what is in it:
 * what reading (corim_values.h) and writing (corim_write.h) have in common.
 */
#pragma once

#include "attestation/snp/snp_product.h"
#include "attestation/snp/snp_report.h"
#include "attestation/tdx/tdx_quote.h"

enum { CORIM_MRS = 6 }; /* MRTD, MRSEAM, RTMR0 to 3, in the order of Cocos's CoMIDs */

/* A number as a reference: exactly, or at least. */
struct corim_svn {
	bool given, at_least;
	uint64_t number;
};

struct corim_entry {
	bool tdx;
	struct corim_svn svn; /* GUEST_SVN; of TDX the module's minor SVN, TEE_TCB_SVN[0] */
	/* SNP */
	enum snp_product product; /* by the environment's instance */
	uint8_t measurement[SNP_DIGEST_LEN];
	bool has_policy, has_host_data;
	uint64_t policy;
	uint8_t host_data[SNP_HOST_DATA_LEN];
	struct corim_svn launch_tcb; /* a TCB_VERSION; "at least" is by component */
	/* TDX */
	bool has_mr[CORIM_MRS];
	uint8_t mr[CORIM_MRS][TDX_MR_LEN];
};

enum {
	CORIM_UUID_LEN = 16,
	CORIM_KEY_POLICY = 2,
	CORIM_KEY_HOST_DATA = 642,
	CORIM_KEY_LAUNCH_TCB = 3968,
};

/* "mrtd", "mrseam", "rtmr0", … */
extern const char *const corim_mr_names[CORIM_MRS];

/* Version and variant of a UUID whose other bits are made already (RFC 9562, 4). */
void corim_uuid_finish(uint8_t uuid[CORIM_UUID_LEN], unsigned version);

/* RFC 9562, version 5, of the product's name in the name space of OIDs: what an environment names
 * its product by. */
int corim_product_uuid(const char *name, uint8_t uuid[CORIM_UUID_LEN], struct err *e) MUST_CHECK;
