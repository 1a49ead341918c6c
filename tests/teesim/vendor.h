/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendor.h — the simulated vendors: their keys in a folder, the certificates that their chips come
 * with, and what their services would serve to a verifier.
 *
 * The keys are made when they are first asked for and then stay, so that a verifier's root and a
 * machine's chain agree. Every name says SIMULATED.
 */
#pragma once

#include "common/base/writer.h"
#include "tests/teesim/facts.h"

enum vendor_key {
	VENDOR_ARK,
	VENDOR_ASK,
	VENDOR_ASVK,
	VENDOR_VCEK,
	VENDOR_VLEK,
	VENDOR_TDX, /* from here on: the keys of enum forge_key */
	VENDOR_KEYS = VENDOR_TDX + FORGE_KEY_COUNT,
};

struct vendor {
	char *dir;
	EVP_PKEY *keys[VENDOR_KEYS]; /* loaded on demand */
	int64_t at;                  /* around which certificates are valid */
};

int vendor_open(struct vendor *vendor, const char *dir, struct err *e) MUST_CHECK;
void vendor_done(struct vendor *vendor);
#define CLEANUP_VENDOR __attribute__((cleanup(vendor_done)))

/* AMD's part: a chip's chain, DER, and the table of it. */
struct vendor_chain {
	uint8_t ark[FORGE_CERT_MAX], ca[FORGE_CERT_MAX], leaf[FORGE_CERT_MAX];
	size_t ark_len, ca_len, leaf_len;
	EVP_PKEY *leaf_key; /* the vendor's */
	struct writer table;
};
int vendor_chain(struct vendor *vendor, const struct forge_chip *chip, struct vendor_chain *chain,
		 struct err *e) MUST_CHECK;
void vendor_chain_done(struct vendor_chain *chain);
#define CLEANUP_VENDOR_CHAIN __attribute__((cleanup(vendor_chain_done)))

/* Intel's: all of it. tdx_forge_done() it. */
int vendor_tdx(struct vendor *vendor, struct tdx_forge *forge, struct err *e) MUST_CHECK;
/* The same with a PCK certificate for another machine. */
int vendor_tdx_platform(struct vendor *vendor, uint8_t platform, struct tdx_forge *forge,
			struct err *e) MUST_CHECK;

/* Writes what a verifier of that machine's evidence needs. SNP: ark.pem, ask.pem (or the ASVK),
 * ca_bundle.pem (both), vcek.der or vlek.der, crl.der, certs.bin. TDX: root_ca.pem and the
 * documents of tdx_collateral.h. */
int vendor_endorse(struct vendor *vendor, const struct facts *facts, const char *out,
		   struct err *e) MUST_CHECK;

/* Fills in the credentials of `facts`, so that hardware without the vendor's keys can sign. */
int vendor_credentials(struct vendor *vendor, struct facts *facts, struct err *e) MUST_CHECK;
