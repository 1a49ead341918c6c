/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_quote.h — an Intel TDX quote, versions 4 and 5 (Intel TDX DCAP Quoting Library API,
 * appendix 3): header, TD report body, and the signature data that certifies them.
 *
 * Parsing only: nothing here says that the quote is genuine; see tdx_verify.h. There is exactly one
 * reading: certification data type 6 (the QE's report) that holds type 5 (the PCK chain), and every
 * size accounts for the bytes to the last one. After the quote only zero bytes may follow, since
 * hosts deliver it in a padded buffer.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	TDX_QUOTE_MAX = 131072, /* bytes, padding included */
	TDX_HEADER_LEN = 48,
	TDX_BODY10_LEN = 584,
	TDX_BODY15_LEN = 648,
	TDX_MR_LEN = 48,
	TDX_SVN_LEN = 16,
	TDX_RTMR_COUNT = 4,
	TDX_REPORT_DATA_LEN = 64,
	TDX_SIGNATURE_LEN = 64, /* raw r ‖ s, big-endian */
	TDX_KEY_LEN = 64,       /* raw x ‖ y */
	TDX_QE_REPORT_LEN = 384,
	TDX_VENDOR_LEN = 16,
	TDX_USER_DATA_LEN = 20,
};

/* The TD's own report. Multi-byte integers stay as they lie in memory: little-endian. */
struct tdx_body {
	uint8_t tee_tcb_svn[TDX_SVN_LEN];
	uint8_t mrseam[TDX_MR_LEN];
	uint8_t mrsignerseam[TDX_MR_LEN];
	uint8_t seamattributes[8];
	uint8_t tdattributes[8];
	uint8_t xfam[8];
	uint8_t mrtd[TDX_MR_LEN];
	uint8_t mrconfigid[TDX_MR_LEN];
	uint8_t mrowner[TDX_MR_LEN];
	uint8_t mrownerconfig[TDX_MR_LEN];
	uint8_t rtmr[TDX_RTMR_COUNT][TDX_MR_LEN];
	uint8_t reportdata[TDX_REPORT_DATA_LEN];
	/* TD 1.5 only (quote v5, body type 3); zero before. */
	uint8_t tee_tcb_svn2[TDX_SVN_LEN];
	uint8_t mrservicetd[TDX_MR_LEN];
};

enum tdx_body_type { TDX_BODY_10 = 2, TDX_BODY_15 = 3 };

enum { SGX_ATTR_DEBUG = 0x02 }; /* of ATTRIBUTES byte 0 (Intel SDM volume 3D, table 37-4) */

/* The report of the quoting enclave (Intel SDM volume 3D, table 37-21). */
struct tdx_qe_report {
	uint8_t cpusvn[16];
	uint8_t miscselect[4];
	uint8_t attributes[16];
	uint8_t mrenclave[32];
	uint8_t mrsigner[32];
	uint16_t isvprodid, isvsvn;
	uint8_t reportdata[64];
};

/* Spans point into the bytes that were parsed. */
struct tdx_quote {
	uint16_t version;
	uint16_t key_type;
	uint32_t tee_type;
	uint16_t qe_svn, pce_svn; /* reserved in newer documents; kept and shown */
	uint8_t qe_vendor_id[TDX_VENDOR_LEN];
	uint8_t user_data[TDX_USER_DATA_LEN];
	enum tdx_body_type body_type; /* of v4: TDX_BODY_10 */
	struct tdx_body body;
	struct span signed_bytes; /* header and body, with the v5 body descriptor */
	struct span signature;    /* over them, by the attestation key */
	struct span key;          /* the attestation key */
	struct span qe_report_bytes;
	struct tdx_qe_report qe_report;
	struct span qe_signature; /* over the QE report, by the PCK */
	struct span qe_auth;
	struct span pck_chain; /* PEM: leaf, intermediate, root */
	size_t padding;        /* zero bytes after the quote */
};

/* ERR_INVALID names the field and what it should hold. `bytes` have to outlive `quote`. */
int tdx_quote_parse(const void *bytes, size_t len, struct tdx_quote *quote,
		    struct err *e) MUST_CHECK;

/* A quote taken apart once for all who look into it, or why it can't be. Points into the bytes. */
struct tdx_parsed {
	bool has_quote;
	struct tdx_quote quote;
	struct err why; /* if not */
};
void tdx_parsed_of(struct span bytes, struct tdx_parsed *parsed);
