/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_collateral.h — Intel's documents about TDX platforms, as the Provisioning Certification
 * Service (PCS API v4) serves them: TCB info v3, TD QE identity v2, and their issuers and CRLs.
 *
 * Parsing only: whether the signatures hold and the dates fit is tdx_verify.h's.
 */
#pragma once

#include "attestation/formats/x509.h"
#include "attestation/tdx/tdx_pck.h"
#include "attestation/tdx/tdx_status.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/span.h"

enum {
	TDX_COLLATERAL_FILE_MAX = 8 << 20, /* bytes of one document */
	TDX_LEVELS_MAX = 64,
	TDX_MODULES_MAX = 32,
	TDX_MODULE_LEVELS_MAX = 32,
	TDX_ADVISORIES_MAX = 64, /* of one level */
	TDX_ADVISORY_LEN_MAX = 48,
};

/* The documents as they came; borrowed. One that nobody has is empty. */
struct tdx_collateral {
	struct span tcb_info, tcb_info_chain;
	struct span qe_identity, qe_identity_chain;
	struct span pck_crl, pck_crl_chain;
	struct span root_crl;
};

/* The documents in a folder, by these names: tcb_info.json, tcb_info_issuer_chain.pem,
 * qe_identity.json, qe_identity_issuer_chain.pem, pck_crl.der, pck_crl_issuer_chain.pem,
 * root_ca_crl.der. A file that isn't there stays empty, one that can't be read is an error. A
 * root_ca.pem beside them is not looked at: nobody is trusted for lying in a folder. */
int tdx_collateral_load(const char *folder, struct tdx_collateral *c, struct err *e) MUST_CHECK;
/* Only for what tdx_collateral_load() filled. */
void tdx_collateral_done(struct tdx_collateral *c);

/* What every signed document has: {"NAME":BODY,"signature":HEX}. */
struct tdx_document {
	struct json *json;     /* owns the tree; texts below live in it */
	struct span body;      /* the exact bytes that are signed */
	uint8_t signature[64]; /* raw r ‖ s */
	int64_t issue_date, next_update;
	uint64_t evaluation; /* tcbEvaluationDataNumber */
};

struct tdx_advisories {
	const struct json *array; /* of strings, or NULL */
};

struct tdx_tcb_level {
	uint8_t sgx[TDX_COMPONENTS];
	uint8_t tdx[TDX_COMPONENTS];
	uint16_t pcesvn;
	enum tdx_status status;
	int64_t date;
	struct tdx_advisories advisories;
};

/* A level by one ISVSVN: of a module or of the QE. Status UpToDate, OutOfDate or Revoked. */
struct tdx_isv_level {
	uint16_t isvsvn;
	enum tdx_status status;
	int64_t date;
	struct tdx_advisories advisories;
};

struct tdx_module {
	uint8_t version; /* "TDX_01" is 1; of the unversioned one 0 */
	uint8_t mrsigner[48];
	uint8_t attributes[8], attributes_mask[8];
	size_t level_count;
	struct tdx_isv_level levels[TDX_MODULE_LEVELS_MAX];
};

struct tdx_tcb_info {
	struct tdx_document document;
	uint8_t fmspc[TDX_FMSPC_LEN];
	uint8_t pceid[TDX_PCEID_LEN];
	struct tdx_module module; /* "tdxModule": for module version 0 */
	size_t module_count;
	struct tdx_module modules[TDX_MODULES_MAX]; /* "tdxModuleIdentities" */
	size_t level_count;
	struct tdx_tcb_level levels[TDX_LEVELS_MAX];
};

struct tdx_qe_identity {
	struct tdx_document document;
	uint8_t miscselect[4], miscselect_mask[4];
	uint8_t attributes[16], attributes_mask[16];
	uint8_t mrsigner[32];
	uint16_t isvprodid;
	size_t level_count;
	struct tdx_isv_level levels[TDX_MODULE_LEVELS_MAX];
};

/* Malloc'ed, and `bytes` have to outlive them. Read strictly: duplicate keys, wrong types, missing
 * members, values out of range and unknown statuses are ERR_INVALID; unknown members inside of the
 * signed body are stepped over, beside it refused. */
int tdx_tcb_info_parse(struct span bytes, struct tdx_tcb_info **info, struct err *e) MUST_CHECK;
void tdx_tcb_info_free(struct tdx_tcb_info *info);
DEFINE_CLEANUP(struct tdx_tcb_info *, tdx_tcb_info_free)

int tdx_qe_identity_parse(struct span bytes, struct tdx_qe_identity **identity,
			  struct err *e) MUST_CHECK;
void tdx_qe_identity_free(struct tdx_qe_identity *identity);
DEFINE_CLEANUP(struct tdx_qe_identity *, tdx_qe_identity_free)

/* The signer's key signed the body. `signatures` may be NULL; see signatures.h. */
int tdx_document_verify(const struct tdx_document *d, const struct x509 *signer,
			struct signatures *signatures, struct err *e) MUST_CHECK;
