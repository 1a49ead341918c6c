/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge.h — whole cases of SNP evidence for unit tests, around what tests/forge makes.
 */
#pragma once

#include "attestation/snp/idblock.h"
#include "attestation/snp/snp_appraise.h"
#include "tests/forge/snp_forge.h"

/* A whole case: fill in, change what a test is about, then forge_finish(). */
struct forge {
	enum snp_product product;
	EVP_PKEY *root_key, *ca_key, *leaf_key;
	struct forge_cert root, ca, leaf;
	struct snp_report report;
	struct snp_tcb tcb;

	uint8_t root_der[FORGE_CERT_MAX], ca_der[FORGE_CERT_MAX], leaf_der[FORGE_CERT_MAX];
	size_t root_len, ca_len, leaf_len;
	uint8_t bytes[SNP_REPORT_LEN];
	uint8_t report_data[SNP_REPORT_DATA_LEN];
	struct snp_policy policy; /* wants the report's own measurement */
	struct snp_input input;
};

/* A good case of that product, report version and key; everything in it agrees. Keys stay loaded
 * for the whole program. */
void forge_init(struct forge *f, enum snp_product product, uint32_t version,
		enum snp_signing_key key);

/* Certificates made and report signed again, from the fields. */
void forge_certificates(struct forge *f);
void forge_report(struct forge *f);

/* The verdict of the case. */
bool forge_appraise(struct forge *f, struct verdict *v);

#define FORGE_AT INT64_C(1772366400) /* 2026-03-01T12:00:00Z: the moment of every case */
