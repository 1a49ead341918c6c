/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_forge.h — our own provisioning service, with names like Intel's and keys that nobody trusts:
 * makes quotes and collateral whose signatures are all right, so that tests can change one thing at
 * a time.
 */
#pragma once

#include "attestation/tdx/tdx_appraise.h"

#include <openssl/x509.h>

enum { FORGE_AT = 1781481600 /* 2026-06-15T00:00:00Z */, FORGE_QUOTE_MAX = 16384 };

enum forge_key {
	FORGE_ROOT,
	FORGE_CA,
	FORGE_PCK,
	FORGE_SIGNING,
	FORGE_ATTESTATION,
	FORGE_KEY_COUNT,
};

/* That the PCK certificate says. */
enum { FORGE_PCESVN = 11 };

/* What a quote says; the forge's `good` is a right one. */
struct forge_quote {
	uint16_t version;
	enum tdx_body_type body_type;
	uint16_t qe_svn, pce_svn;
	struct tdx_body body;
	struct tdx_qe_report qe;
	uint8_t auth[32];
};

void tdx_forge_good_quote(struct forge_quote *q);

struct tdx_forge {
	const char *organization; /* in every name */
	int64_t at;               /* the moment around which all of it is valid */
	int64_t lasts;            /* of revocation lists: seconds before and after */
	uint8_t platform;         /* each byte of the PPID and the platform instance's id */
	EVP_PKEY *keys[FORGE_KEY_COUNT];
	char *pck_chain, *issuer_chain, *crl_chain, *root_pem; /* PEM texts */
	uint8_t *root_crl, *pck_crl;
	char *tcb_info, *qe_identity;
	struct tdx_collateral collateral; /* points to these */
	struct forge_quote good;
};

void tdx_forge_init(struct tdx_forge *f);
/* The same from keys, organization, at and lasts that the caller set in a zeroed `f`. */
void tdx_forge_make(struct tdx_forge *f);
void tdx_forge_done(struct tdx_forge *f);

/* The PCK chain of another platform of the same type, for `pck_chain`; malloc'ed. */
char *tdx_forge_other_platform(struct tdx_forge *f);

/* The bytes of a signed quote; returns their count. Needs the keys of the attestation and the PCK,
 * and the PCK's chain. */
size_t tdx_forge_quote(const struct tdx_forge *f, const struct forge_quote *q,
		       uint8_t out[FORGE_QUOTE_MAX]);

/* {"NAME":body,"signature":…} with the signing key; malloc'ed. */
char *tdx_forge_document(const struct tdx_forge *f, const char *name, const char *body);
/* The bodies that tdx_forge_init() signs. */
extern const char forge_tcb_info[], forge_qe_identity[];

/* A policy that names the values of that body, and an input around it all. */
void tdx_forge_policy(const struct tdx_body *body, struct tdx_policy *policy);
void tdx_forge_input(const struct tdx_forge *f, const uint8_t *quote, size_t len,
		     const struct tdx_body *body, const struct tdx_policy *policy,
		     struct tdx_input *in);
