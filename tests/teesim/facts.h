/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.h — what simulated hardware knows about one launch: a JSON file.
 *
 *   {"tee":"snp","measurement":HEX,…} or {"tee":"tdx","mrtd":HEX,…}
 *
 * Members are the rows of the tables in facts.c, named as the report's or quote's fields;
 * hexadecimal unless said otherwise. What is left out has a default; the launch measurement has
 * none. SNP: product (Milan, Genoa, Turin), report_version (2, 3, 5), signing_key (vcek, vlek), tcb
 * (an object of bootloader, tee, snp, microcode and, for Turin, fmc), chip_id, measurement,
 * host_data, policy, platform_info, guest_svn (numbers), family_id, image_id, id_key_digest,
 * author_key_digest. TDX: quote_version (4, 5), body ("1.0", "1.5"), mrtd, rtmr0 to rtmr3,
 * mrconfigid, mrowner, mrownerconfig, tdattributes, xfam. `credentials` is what a host passes if it
 * does not have the keys' folder: see vendor.h.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "attestation/tdx/tdx_quote.h"
#include "tests/forge/snp_forge.h"
#include "tests/forge/tdx_forge.h"

#include <stdbool.h>

/* Where a simulated machine finds them. */
#define TEESIM_FW_CFG "/sys/firmware/qemu_fw_cfg/by_name/opt/org.cocos.teesim/raw"

enum { FACTS_MAX = 262144 };

enum facts_tee { FACTS_SNP, FACTS_TDX };

/* A leaf's key and its certificates, for hardware without the vendor's keys. */
struct facts_credentials {
	char *leaf_key, *attestation_key; /* PEM; the second with TDX */
	uint8_t *table;                   /* SNP: the certificate table */
	size_t table_len;
	char *pck_chain; /* TDX: PEM */
};

struct facts {
	enum facts_tee tee;
	struct forge_chip chip;   /* SNP */
	struct snp_report report; /* SNP: as it will be except report data and signature */
	struct forge_quote quote; /* TDX: the same */
	bool has_credentials;
	struct facts_credentials credentials;
};

/* ERR_INVALID names the member. facts_done() it. */
int facts_parse(const void *json, size_t len, struct facts *facts, struct err *e) MUST_CHECK;
int facts_load(const char *path, struct facts *facts, struct err *e) MUST_CHECK;
void facts_done(struct facts *facts);
#define CLEANUP_FACTS __attribute__((cleanup(facts_done)))
