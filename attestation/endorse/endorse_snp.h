/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_snp.h — what AMD's Key Distribution Service has of a chip, and of a product.
 */
#pragma once

#include "attestation/snp/snp_product.h"
#include "attestation/snp/snp_report.h"
#include "common/base/span.h"

struct endorsements;
struct endorse_need;
struct verify_input;

/* Fills what `in` lacks, as endorsements_verify() says: 0 if nothing is missing any more. Else the
 * negative code, and `e` names the document and why it could not be had; what could be is filled in. */
int endorse_snp(struct endorsements *n, const struct endorse_need *need, struct verify_input *in,
		struct err *e) MUST_CHECK;

/* The certificates above a product's chips or clouds ("ASK, ARK" of `key` SNP_KEY_VCEK, "ASVK, ARK"
 * of SNP_KEY_VLEK) and the ARK's revocation list, verified at `at` under AMD's root or
 * `trusted_root` (empty: AMD's). PEM and DER; they belong to `n`, until the next call. */
struct endorse_snp_bundle {
	struct span chain, crl;
	const char *folder; /* of the cache, where both lie as files */
};
int endorse_snp_bundle(struct endorsements *n, enum snp_product product, enum snp_signing_key key,
		       struct span trusted_root, int64_t at, struct endorse_snp_bundle *bundle,
		       struct err *e) MUST_CHECK;
