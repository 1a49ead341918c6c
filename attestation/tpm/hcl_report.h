/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hcl_report.h — what Azure's paravisor keeps in the virtual TPM (NV index 0x01400001): a hardware
 * report, and the runtime data whose digest is that report's REPORT_DATA. The data name the
 * attestation key of the virtual TPM: that is how Azure binds it.
 *
 * The key's attributes are the paravisor's word: there is no TPMT_PUBLIC. Parsing only; the report
 * has to be verified with the REPORT_DATA that hcl_report_data() gives.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

enum {
	HCL_REPORT_MAX = 65536,
	HCL_REPORT_SNP = 2,
	HCL_REPORT_TDX = 4,
	HCL_TDREPORT_LEN = 1024, /* TDREPORT_STRUCT (Intel TDX Module ABI, 348551) */
	HCL_REPORT_DATA_LEN = 64,
};

struct hcl_report {
	unsigned type;
	/* SNP: SNP_REPORT_LEN bytes, signed. TDX: HCL_TDREPORT_LEN bytes, which only the platform that
	 * made them can check: what counts is a quote made of them, which comes beside. */
	struct span report;
	struct span runtime; /* the JSON text */
};

/* The headers account for every byte; after the text only zeros may follow (the index has a fixed
 * size), and behind a TDREPORT, in the room for a report. Refused: another signature, version, report
 * type than these two, hash than SHA-256, a TDREPORT of another type than a TD's. */
int hcl_report_parse(struct span bytes, struct hcl_report *hcl, struct err *e) MUST_CHECK;

/* REPORT_DATA as the report has it: HCL_REPORT_DATA_LEN bytes of it. */
const uint8_t *hcl_report_found_data(const struct hcl_report *hcl);

/* REPORT_DATA for that runtime text: SHA-256 ‖ 32 zeros. */
int hcl_report_data(struct span runtime, uint8_t report_data[SNP_REPORT_DATA_LEN],
		    struct err *e) MUST_CHECK;

/* The one RSA key named HCLAkPub in the runtime text, for signing. */
int hcl_report_ak(struct span runtime, EVP_PKEY **key, struct err *e) MUST_CHECK;
