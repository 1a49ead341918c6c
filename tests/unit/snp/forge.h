/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge.h — SNP evidence made for tests: certificates in the shape of AMD's, CRLs and reports,
 * under keys that nobody trusts.
 */
#pragma once

#include "attestation/idblock.h"
#include "attestation/snp_appraise.h"
#include "attestation/snp_vcek.h"

#include <openssl/x509.h>

enum { FORGE_EXTENSIONS_MAX = 24, FORGE_CERT_MAX = 4096, FORGE_CRL_MAX = 4096 };

struct forge_extension {
	const char *oid;
	bool critical;
	uint8_t bytes[80];
	size_t len;
};

enum forge_algorithm { FORGE_PSS, FORGE_PKCS1, FORGE_ECDSA };

struct forge_cert {
	const char *subject, *issuer; /* common names */
	EVP_PKEY *key, *issuer_key;
	enum forge_algorithm algorithm;
	long serial;
	long version; /* as encoded: 2 is version 3 */
	int64_t not_before, not_after;
	const char *constraints, *usage; /* as openssl.cnf has them; NULL: none */
	struct forge_extension extensions[FORGE_EXTENSIONS_MAX];
	size_t extension_count;
};

/* DER into `der`; returns its length. Fails the test when it can't. */
size_t forge_make(const struct forge_cert *want, uint8_t der[FORGE_CERT_MAX]);
void forge_add(struct forge_cert *want, const char *oid, const void *bytes, size_t len);
struct forge_extension *forge_find(struct forge_cert *want, const char *oid);

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

/* A CRL of that issuer with those serials; returns its length. */
size_t forge_crl(EVP_PKEY *issuer_key, const char *issuer, const long *serials, size_t count,
		 int64_t this_update, int64_t next_update, uint8_t der[FORGE_CRL_MAX]);

#define FORGE_AT INT64_C(1772366400) /* 2026-03-01T12:00:00Z: the moment of every case */
