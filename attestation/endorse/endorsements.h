/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorsements.h — what AMD's Key Distribution Service (publication 57230) and Intel's Provisioning
 * Certification Service (PCS API v4) publish about a machine: fetched, kept, filled in.
 *
 * A library of its own (`endorsements_dep`), since it brings libcurl: the agent has none of it.
 * Nothing is believed for where it came from: a document, from the network or from the cache, is
 * used only after the verifier's own functions accept it for this evidence, under the built-in or
 * the named root, at the moment to judge at. What a cache holds that isn't accepted is fetched
 * again, and what was fetched is kept only once it was accepted. So a wrong answer, a mirror that
 * lies, or a poisoned cache costs a refusal at worst.
 *
 * Calls block, for as long as the deadline says: call them from a pool (rpc/job.h), never from a
 * loop.
 */
#pragma once

#include "attestation/verify/verify.h"

#define ENDORSEMENTS_KDS      "https://kdsintf.amd.com"
#define ENDORSEMENTS_PCS      "https://api.trustedservices.intel.com"
#define ENDORSEMENTS_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

enum { ENDORSEMENTS_DEADLINE = 60, ENDORSEMENTS_DEADLINE_MAX = 600 };

/* Texts are borrowed and have to outlive the object. */
struct endorsements_config {
	const char *cache; /* the folder; NULL: $XDG_CACHE_HOME/cocos, or ~/.cache/cocos */

	/* Base addresses, "https://HOST[:PORT][/PATH]", without the part that the services' own
	 * documents give; NULL: AMD's and Intel's. http:// is taken for this machine (127.0.0.1,
	 * ::1, localhost) only. A caching service for PCS (PCCS) or a mirror works; root CRLs come
	 * from it as well, then (.../sgx/certification/v4/rootcacrl). */
	const char *kds, *pcs;

	const char *ca;    /* file of certificates to verify the servers by; NULL: the system's */
	bool offline;      /* the cache alone */
	unsigned deadline; /* seconds for all that one call fetches; 0: ENDORSEMENTS_DEADLINE */
};

/* Used by one thread at a time. Keeps connections open, and what it handed out. */
struct endorsements;

int endorsements_new(const struct endorsements_config *config, struct endorsements **made,
		     struct err *e) MUST_CHECK;
void endorsements_free(struct endorsements *n);
DEFINE_CLEANUP(struct endorsements *, endorsements_free)

/* Fills those endorsements that the evidence of `in` needs and that neither `in` nor the evidence
 * has: the chip's certificate, its chain, with `require_crl` (of `in` or its policy) the ARK's
 * revocation list; Intel's seven documents. What `in` has is left as it is. Nothing is fetched
 * where nothing is missing, nor for evidence that can't be read: that is verify()'s to refuse.
 *
 * 0 if nothing is missing any more. Else the negative code, and `e` names the document and why it
 * could not be had (address, status, or the check that it failed); what could be had is filled in
 * all the same. A caller goes on to verify(), which refuses for what is missing, and shows `e` as
 * the explanation. Bytes in `in` belong to `n`, until the next call with it. */
int endorsements_complete(struct endorsements *n, struct verify_input *in,
			  struct err *e) MUST_CHECK;

/* The certificates above a product's chips or clouds ("ASK, ARK" of `key` SNP_KEY_VCEK, "ASVK, ARK"
 * of SNP_KEY_VLEK) and the ARK's revocation list, verified at `at` under AMD's root or
 * `trusted_root` (empty: AMD's). PEM and DER; they belong to `n`, until the next call. */
struct endorsements_bundle {
	struct span chain, crl;
	const char *folder; /* of the cache, where both lie as files */
};
int endorsements_bundle(struct endorsements *n, enum snp_product product, enum snp_signing_key key,
			struct span trusted_root, int64_t at, struct endorsements_bundle *bundle,
			struct err *e) MUST_CHECK;
