/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_product.h — AMD's processor generations: names, CPUID, root keys, layout of the TCB.
 */
#pragma once

#include "attestation/formats/x509.h"
#include "attestation/snp/snp_report.h"

enum snp_product {
	SNP_PRODUCT_ANY, /* not said, or not known */
	SNP_MILAN,
	SNP_GENOA, /* with Bergamo and Siena: one root for the three */
	SNP_TURIN,
	SNP_PRODUCTS,
};

/* "Milan", "Genoa", "Turin"; "any". */
const char *snp_product_name(enum snp_product product);

/* By name, as people write it (any case; Bergamo and Siena are Genoa); SNP_PRODUCT_ANY if unknown. */
enum snp_product snp_product_of(const char *name);

/* By the end of a certificate's name: "ARK-Milan" with prefix "ARK-". */
enum snp_product snp_product_of_name(const char *common_name, const char *prefix);

/* By the productName of a VCEK or VLEK: a name, or a name with a stepping, "Milan-B0". */
enum snp_product snp_product_of_extension(const char *text);

/* By CPUID, from reports of version 3 on: extended family and model, combined. */
enum snp_product snp_product_of_cpuid(uint8_t family, uint8_t model);

/* The SHA-256 of the SubjectPublicKeyInfo of that product's ARK; NULL for SNP_PRODUCT_ANY. */
const uint8_t *snp_product_root(enum snp_product product);

/* TCB_VERSION, 56860 tables 3 and 4 (57230, 3.1): the same eight bytes mean other things on
 * Turin. Components that a product hasn't are zero. */
struct snp_tcb {
	uint8_t fmc, bootloader, tee, snp, microcode;
	uint8_t spl[4]; /* what certificates call spl_4 to spl_7: reserved, zero so far */
};

struct snp_tcb snp_tcb_of(const uint8_t bytes[SNP_TCB_LEN], enum snp_product product);
void snp_tcb_bytes(const struct snp_tcb *tcb, enum snp_product product, uint8_t bytes[SNP_TCB_LEN]);

/* Each component of `a` at least that of `b`. */
bool snp_tcb_at_least(const struct snp_tcb *a, const struct snp_tcb *b);

/* The components by name, for tables and texts: "fmc", "bootloader", … "spl_4", … */
enum { SNP_TCB_COMPONENTS = 9, SNP_TCB_TEXT_MAX = 160 };
extern const struct snp_tcb_component {
	const char *name;
	size_t at; /* in struct snp_tcb */
} snp_tcb_components[SNP_TCB_COMPONENTS];
/* The components of `from` that bit i of `which` names take the place of those in `tcb`. */
void snp_tcb_replace(struct snp_tcb *tcb, const struct snp_tcb *from, uint16_t which);
/* Those that are not zero, as such bits. */
uint16_t snp_tcb_named(const struct snp_tcb *tcb);
void snp_tcb_text(const struct snp_tcb *tcb, char text[SNP_TCB_TEXT_MAX]);
