/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_vcek.h — what a VCEK or VLEK certificate says in AMD's extensions
 * (1.3.6.1.4.1.3704.1.x; AMD publication 57230, tables 8 to 11).
 *
 * Reading only. hwID is bare octets in the extension, not wrapped in an OCTET STRING; numbers are
 * INTEGERs of one byte's value; names are IA5Strings.
 */
#pragma once

#include "attestation/snp/snp_product.h"

enum { SNP_VCEK_NAME_MAX = 32, SNP_CSP_ID_MAX = 128, SNP_TURIN_HWID_LEN = 8 };

struct snp_vcek {
	enum snp_signing_key kind; /* by the subject's common name: SEV-VCEK or SEV-VLEK */
	uint64_t struct_version;
	char product_name[SNP_VCEK_NAME_MAX];
	enum snp_product product; /* by product_name */
	struct snp_tcb tcb;
	uint8_t hwid[SNP_CHIP_ID_LEN]; /* of a VCEK: CHIP_ID as the report has it */
	size_t hwid_len;               /* 64, on Turin 8; 0 in a VLEK */
	char csp_id[SNP_CSP_ID_MAX];   /* of a VLEK, else empty */
};

/* By the subject's common name alone; ERR_INVALID for another name. */
int snp_vcek_kind(const struct x509 *cert, enum snp_signing_key *kind, struct err *e) MUST_CHECK;

/* Every extension that the kind and the product call for has to be there in its only form; one of
 * those that belongs to another kind or product is refused (a VLEK with a hwID, a Milan VCEK with
 * an FMC version). Others are stepped over. */
int snp_vcek_read(const struct x509 *cert, struct snp_vcek *out, struct err *e) MUST_CHECK;
