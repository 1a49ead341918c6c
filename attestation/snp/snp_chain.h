/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_chain.h — ARK, ASK or ASVK, VCEK or VLEK: loaded, linked, timely, not revoked (AMD
 * publication 57230, chapter 2).
 *
 * The steps of snp_appraise() that look at certificates only. Each adds its checks to the verdict
 * and returns whether they passed, so that the next may rely on them.
 */
#pragma once

#include "attestation/formats/x509_crl.h"
#include "attestation/snp/snp_cert_table.h"
#include "attestation/snp/snp_input.h"

struct snp_chain {
	struct x509 *ark, *intermediate, *vek;
	enum snp_product product;  /* by the names; the root agrees */
	enum snp_signing_key kind; /* by the leaf's name */
	bool own_root;
	struct x509 *root;             /* of in->trusted_root, else NULL */
	struct signatures *signatures; /* the input's */
};

void snp_chain_done(struct snp_chain *chain);

/* Requires what the steps below check, whether they are reached or not. */
void snp_chain_require(const struct snp_input *in, struct verdict *v);

/* "chain.vek", "chain.intermediate", "chain.ark": each there and well-formed. `wanted` is the key
 * that the report names, by which the leaf is chosen from the table. */
bool snp_chain_load(struct snp_chain *chain, const struct snp_input *in,
		    const struct snp_cert_table *table, enum snp_signing_key wanted,
		    struct verdict *v);

/* "chain.root", "chain.names", "chain.*_signature", "chain.leaf". */
bool snp_chain_verify(struct snp_chain *chain, struct verdict *v);

/* "time.ark", "time.intermediate", "time.vek". */
bool snp_chain_time(const struct snp_chain *chain, const struct snp_input *in, struct verdict *v);

/* "crl.…": every list that was given is usable and names none of the chain. */
bool snp_chain_crl(const struct snp_chain *chain, const struct snp_input *in,
		   const struct snp_cert_table *table, struct verdict *v);
