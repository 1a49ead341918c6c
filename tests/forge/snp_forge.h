/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_forge.h — makes SNP evidence: certificates like AMD's, CRLs and reports, under keys that
 * nobody trusts. For unit tests and for the simulator.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "attestation/snp/snp_vcek.h"

#include <openssl/x509.h>

enum { FORGE_EXTENSIONS_MAX = 24, FORGE_CERT_MAX = 4096, FORGE_CRL_MAX = 4096 };

/* The O of every name. */
extern const char *forge_organization;

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
	int64_t not_before, not_after;
	const char *constraints, *usage; /* as openssl.cnf has them; NULL: none */
	struct forge_extension extensions[FORGE_EXTENSIONS_MAX];
	size_t extension_count;
};

/* DER into `der`; returns its length. */
size_t forge_make(const struct forge_cert *want, uint8_t der[FORGE_CERT_MAX]);
void forge_add(struct forge_cert *want, const char *oid, const void *bytes, size_t len);
struct forge_extension *forge_find(struct forge_cert *want, const char *oid);

/* A CRL of that issuer with those serials; returns its length. */
size_t forge_crl(EVP_PKEY *issuer_key, const char *issuer, const long *serials, size_t count,
		 int64_t this_update, int64_t next_update, uint8_t der[FORGE_CRL_MAX]);

/* A processor, as its certificates and reports describe it. */
struct forge_chip {
	enum snp_product product;
	enum snp_signing_key key;
	struct snp_tcb tcb;
	uint8_t chip_id[SNP_CHIP_ID_LEN]; /* in reports; zero with a VLEK */
};
void forge_chip(struct forge_chip *chip, enum snp_product product, enum snp_signing_key key);

/* A good report of it, unsigned. */
void forge_chip_report(const struct forge_chip *chip, uint32_t version, struct snp_report *report);

struct forge_keys {
	EVP_PKEY *root, *ca, *leaf; /* RSA-4096, RSA-4096, P-384 */
};
struct forge_chain {
	struct forge_cert root, ca, leaf;
};
/* Its certificates, to be made with forge_make(); valid a year before and after `at`. */
void forge_chip_chain(const struct forge_chip *chip, const struct forge_keys *keys, int64_t at,
		      struct forge_chain *chain);

/* Signs the report, and gives its bytes. */
void forge_sign(struct snp_report *report, EVP_PKEY *key, uint8_t bytes[SNP_REPORT_LEN]);
