/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_snp.c — AMD's Key Distribution Service (publication 57230, chapter 4). */
#include "attestation/endorse/endorse_snp.h"

#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorse_need.h"
#include "attestation/formats/x509_crl.h"
#include "attestation/snp/snp_vcek.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

enum { GROUP_MAX = 64, ROOT_ID_BYTES = 8, CAS_BELOW_ROOT = 1 };

/* One product's documents, as they are asked for and judged. */
struct snp_ask {
	struct endorsements *n;
	enum snp_product product;
	enum snp_signing_key key;
	int64_t at;
	uint32_t skew;
	uint8_t root[SHA256_LEN]; /* of the key to trust */
	bool own_root;
	const struct snp_report *report;
	struct endorse_group group;
	struct x509 *intermediate, *ark; /* once believed */
};

static void ask_done(struct snp_ask *a)
{
	endorse_group_done(&a->group);
	x509_free(a->intermediate);
	x509_free(a->ark);
}
#define CLEANUP_ASK __attribute__((cleanup(ask_done)))

/* ---- checks ---- */

static int check_time(const struct snp_ask *a, const struct x509 *cert, struct err *e)
{
	return x509_valid_at(cert, x509_moment(a->at, a->skew, cert->not_before, cert->not_after),
			     e);
}

static int check_names(const struct snp_ask *a, const struct x509 *ark,
		       const struct x509 *intermediate, struct err *e)
{
	const char *prefix = a->key == SNP_KEY_VLEK ? "SEV-VLEK-" : "SEV-";
	char upper[64], lower[64];

	if (x509_common_name(ark->subject, upper, sizeof(upper), e) < 0 ||
	    x509_common_name(intermediate->subject, lower, sizeof(lower), e) < 0)
		return err_code(e);
	if (snp_product_of_name(upper, "ARK-") != a->product ||
	    snp_product_of_name(lower, prefix) != a->product)
		return err_set(e, ERR_DENIED, "the certificates are of %s and %s",
			       log_quote(upper).text, log_quote(lower).text);
	return 0;
}

static int verify(const struct snp_ask *a, const struct x509 *cert, const struct x509 *issuer,
		  struct err *e)
{
	const bool is_leaf = issuer == a->intermediate;
	const struct x509_known known = { a->n->signatures,
					  is_leaf ? SIGNATURES_LEAVES : SIGNATURES_AUTHORITIES };

	return x509_verify_known(cert, issuer, X509_RSA4096_PSS_SHA384,
				 is_leaf ? 0 : CAS_BELOW_ROOT, &known, e);
}

static int check_pair(const struct snp_ask *a, const struct x509 *ark,
		      const struct x509 *intermediate, struct err *e)
{
	if (memcmp(ark->key_digest, a->root, SHA256_LEN) != 0)
		return err_set(e, ERR_DENIED, "the root's key is not the trusted one");
	if (check_names(a, ark, intermediate, e) < 0 || verify(a, ark, ark, e) < 0 ||
	    verify(a, intermediate, ark, e) < 0 || check_time(a, ark, e) < 0 ||
	    check_time(a, intermediate, e) < 0)
		return err_code(e);
	return 0;
}

static int check_chain(const void *data, const struct endorse_parts *parts, int64_t *dated,
		       struct err *e)
{
	struct x509_chain chain;
	int failed;

	*dated = 0;
	if (x509_chain_from_pem(parts->body.bytes, parts->body.len, &chain, e) < 0)
		return err_code(e);
	if (chain.count == 2)
		failed = check_pair(data, chain.certs[1], chain.certs[0], e);
	else
		failed = err_set(e, ERR_INVALID, "%zu certificates; wanted two", chain.count);
	x509_chain_done(&chain);
	return failed;
}

/* Of this chip, at the TCB that the report speaks of. */
static int check_vcek(const void *data, const struct endorse_parts *parts, int64_t *dated,
		      struct err *e)
{
	const struct snp_ask *a = data;
	CLEANUP(x509_free) struct x509 *cert = NULL;
	uint8_t tcb[SNP_TCB_LEN];
	struct snp_vcek vcek;

	*dated = 0;
	if (x509_from_der(parts->body.bytes, parts->body.len, &cert, e) < 0 ||
	    verify(a, cert, a->intermediate, e) < 0 || check_time(a, cert, e) < 0 ||
	    snp_vcek_read(cert, &vcek, e) < 0)
		return err_code(e);
	snp_tcb_bytes(&vcek.tcb, a->product, tcb);
	if (vcek.kind != SNP_KEY_VCEK || vcek.product != a->product)
		return err_set(e, ERR_DENIED, "no VCEK of %s", snp_product_name(a->product));
	if (memcmp(vcek.hwid, a->report->chip_id, SNP_CHIP_ID_LEN) != 0)
		return err_set(e, ERR_DENIED, "another chip's VCEK");
	if (memcmp(tcb, a->report->reported_tcb, SNP_TCB_LEN) != 0)
		return err_set(e, ERR_DENIED, "a VCEK of another TCB");
	return 0;
}

static int check_crl(const void *data, const struct endorse_parts *parts, int64_t *dated,
		     struct err *e)
{
	const struct snp_ask *a = data;
	CLEANUP(x509_crl_free) struct x509_crl *crl = NULL;

	if (x509_crl_load(parts->body.bytes, parts->body.len, &crl, e) < 0 ||
	    x509_crl_verify_known(crl, a->ark, X509_RSA4096_PSS_SHA384,
				  x509_moment(a->at, a->skew, crl->this_update, crl->next_update),
				  a->n->signatures, e) < 0)
		return err_code(e);
	*dated = crl->this_update;
	return 0;
}

/* ---- requests ---- */

static const char *base_of(const struct snp_ask *a)
{
	return a->n->config.kds ? a->n->config.kds : ENDORSEMENTS_KDS;
}

static const char *kind_of(const struct snp_ask *a)
{
	return a->key == SNP_KEY_VLEK ? "vlek" : "vcek";
}

static int get(struct snp_ask *a, const struct endorse_document *d, const char *url,
	       struct span *body, struct err *e)
{
	struct endorse_parts parts;

	if (endorse_document_get(a->n, &a->group, d, url, a->at, &parts, e) < 0)
		return err_code(e);
	*body = parts.body;
	return 0;
}

static int get_chain(struct snp_ask *a, struct span *pem, struct err *e)
{
	const struct endorse_document d = {
		.name = a->key == SNP_KEY_VLEK ? "ASVK and ARK" : "ASK and ARK",
		.file = a->key == SNP_KEY_VLEK ? "asvk_ark.pem" : "ask_ark.pem",
		.max = X509_PEM_MAX,
		.check = check_chain,
		.data = a,
	};
	CLEANUP(free) char *url = NULL;

	if (text_format(&url, e, "%s/%s/v1/%s/cert_chain", base_of(a), kind_of(a),
			snp_product_name(a->product)) < 0)
		return err_code(e);
	return get(a, &d, url, pem, e);
}

static int get_crl(struct snp_ask *a, struct endorse_parts *list, struct err *e)
{
	const struct endorse_document d = {
		.name = "the ARK's revocation list",
		.file = a->key == SNP_KEY_VLEK ? "vlek_crl.der" : "vcek_crl.der",
		.max = X509_CRL_MAX,
		.ages = true,
		.is_crl = true,
		.check = check_crl,
		.data = a,
	};
	CLEANUP(free) char *url = NULL;

	if (text_format(&url, e, "%s/%s/v1/%s/crl", base_of(a), kind_of(a),
			snp_product_name(a->product)) < 0)
		return err_code(e);
	return endorse_document_get(a->n, &a->group, &d, url, a->at, list, e);
}

/* What the report has and the address does not: no certificate would agree with it. */
static int check_named(const struct snp_ask *a, const struct snp_tcb *t, struct err *e)
{
	const uint8_t *chip = a->report->chip_id;

	if (!bytes_are(t->spl, sizeof(t->spl), 0))
		return err_set(
			e, ERR_DENIED,
			"REPORTED_TCB has reserved bytes that are not zero: nobody can ask for "
			"its VCEK");
	if (a->product == SNP_TURIN &&
	    !bytes_are(chip + SNP_TURIN_HWID_LEN, SNP_CHIP_ID_LEN - SNP_TURIN_HWID_LEN, 0))
		return err_set(
			e, ERR_DENIED,
			"CHIP_ID has more than the %d bytes of Turin's: nobody can ask for its "
			"VCEK",
			SNP_TURIN_HWID_LEN);
	return 0;
}

static int get_vcek(struct snp_ask *a, struct span *der, struct err *e)
{
	bool turin = a->product == SNP_TURIN;
	const struct snp_tcb t = snp_tcb_of(a->report->reported_tcb, a->product);
	char chip[2 * SNP_CHIP_ID_LEN + 1], tcb[2 * SNP_TCB_LEN + 1], fmc[24] = "";
	CLEANUP(free) char *url = NULL;
	CLEANUP(free) char *file = NULL;

	if (check_named(a, &t, e) < 0)
		return err_code(e);
	/* Turin's chips have ids of eight bytes. */
	hex_encode(a->report->chip_id, turin ? SNP_TURIN_HWID_LEN : SNP_CHIP_ID_LEN, chip);
	hex_encode(a->report->reported_tcb, SNP_TCB_LEN, tcb);
	if (turin)
		snprintf(fmc, sizeof(fmc), "fmcSPL=%u&", t.fmc);
	if (text_format(&file, e, "vcek-%s-%s.der", chip, tcb) < 0 ||
	    text_format(&url, e, "%s/vcek/v1/%s/%s?%sblSPL=%u&teeSPL=%u&snpSPL=%u&ucodeSPL=%u",
			base_of(a), snp_product_name(a->product), chip, fmc, t.bootloader, t.tee,
			t.snp, t.microcode) < 0)
		return err_code(e);
	const struct endorse_document d = { .name = "the chip's VCEK",
					    .file = file,
					    .max = X509_DER_MAX,
					    .check = check_vcek,
					    .data = a };
	return get(a, &d, url, der, e);
}

/* ---- one product ---- */

static int ask_open(struct snp_ask *a, struct span trusted_root, struct err *e)
{
	CLEANUP(x509_free) struct x509 *root = NULL;
	const uint8_t *amd = snp_product_root(a->product);
	char name[GROUP_MAX], id[2 * ROOT_ID_BYTES + 1] = "";

	if (trusted_root.len && x509_load(trusted_root.bytes, trusted_root.len, &root, e) < 0)
		return err_wrap(e, "the trusted root");
	a->own_root = root && memcmp(root->key_digest, amd, SHA256_LEN) != 0;
	memcpy(a->root, root ? root->key_digest : amd, SHA256_LEN);
	/* Another root's documents don't mix with AMD's. */
	if (a->own_root)
		hex_encode(a->root, ROOT_ID_BYTES, id);
	snprintf(name, sizeof(name), "snp/%s%s%s", snp_product_name(a->product), *id ? "-" : "",
		 id);
	return endorse_group_of(a->n, name, &a->group, e);
}

static int load_pair(struct snp_ask *a, struct span intermediate, struct span ark, struct err *e)
{
	if (x509_load(intermediate.bytes, intermediate.len, &a->intermediate, e) < 0 ||
	    x509_load(ark.bytes, ark.len, &a->ark, e) < 0)
		return err_code(e);
	return check_pair(a, a->ark, a->intermediate, e);
}

/* The two certificates above the leaf, from the service. */
static int fetch_pair(struct snp_ask *a, struct span *intermediate, struct span *ark, struct err *e)
{
	struct x509_chain chain;
	struct span pem;
	int failed;

	if (get_chain(a, &pem, e) < 0 || x509_chain_from_pem(pem.bytes, pem.len, &chain, e) < 0)
		return err_code(e);
	failed = endorse_keep(a->n, (struct span){ chain.certs[0]->der, chain.certs[0]->len },
			      intermediate, e);
	if (failed == 0)
		failed = endorse_keep(
			a->n, (struct span){ chain.certs[1]->der, chain.certs[1]->len }, ark, e);
	x509_chain_done(&chain);
	return failed;
}

/* A list of the host's is as good as its signature, but it is the host who chose it: one that is still
 * current and older than the last revocation, say. So it does not stand for the service's. */
static bool wants_crl(const struct verify_input *in)
{
	bool asked = in->snp.require_crl || (in->policy && in->policy->require_crl);

	return asked && in->snp.crl_count < SNP_CRLS_MAX;
}

/* One that was given may be the ASK's: only the issuer tells. */
static bool has_crl_of(const struct x509 *ark, const struct verify_input *in)
{
	for (size_t i = 0; i < in->snp.crl_count; i++) {
		CLEANUP(x509_crl_free) struct x509_crl *crl = NULL;
		struct err ignored;

		if (x509_crl_load(in->snp.crls[i].bytes, in->snp.crls[i].len, &crl, &ignored) ==
			    0 &&
		    span_equal(crl->issuer, ark->subject))
			return true;
	}
	return false;
}

static int complete(struct snp_ask *a, const struct endorse_need *need, struct verify_input *in,
		    struct err *e)
{
	struct span intermediate = need->intermediate, ark = need->ark, vek = { 0 };
	bool leaf_missing = !need->vek.len, crl_missing = wants_crl(in);
	struct endorse_parts list;

	if ((!intermediate.len || !ark.len) && fetch_pair(a, &intermediate, &ark, e) < 0)
		return err_code(e);
	if (!need->intermediate.len)
		in->snp.intermediate = intermediate;
	if (!need->ark.len)
		in->snp.ark = ark;
	if (!leaf_missing && !crl_missing)
		return 0;
	/* What was given and is no good is verify()'s to refuse; nothing can be checked under it.
	 */
	if (load_pair(a, intermediate, ark, e) < 0)
		return err_wrap(e, "the chain that was given");
	if (leaf_missing && get_vcek(a, &vek, e) < 0)
		return err_code(e);
	if (leaf_missing)
		in->snp.vek = vek;
	if (!crl_missing || has_crl_of(a->ark, in))
		return 0;
	if (get_crl(a, &list, e) < 0)
		return err_code(e);
	in->snp.crl_asked[in->snp.crl_count] = list.asked;
	in->snp.crls[in->snp.crl_count++] = list.body;
	return 0;
}

/* ---- which product ---- */

/* Hints for asking; the verifier decides by the root and the certificate. */
static enum snp_product product_hint(const struct endorse_need *need, const struct verify_input *in)
{
	enum snp_product p = SNP_PRODUCT_ANY;
	CLEANUP(x509_free) struct x509 *vek = NULL;
	struct snp_vcek vcek;
	struct err ignored;

	if (need->report->version >= 3)
		p = snp_product_of_cpuid(need->report->cpuid_fam_id, need->report->cpuid_mod_id);
	if (p == SNP_PRODUCT_ANY)
		p = in->product;
	if (p == SNP_PRODUCT_ANY && need->vek.len &&
	    x509_load(need->vek.bytes, need->vek.len, &vek, &ignored) == 0 &&
	    snp_vcek_read(vek, &vcek, &ignored) == 0)
		p = vcek.product;
	return p;
}

static int check_askable(const struct endorse_need *need, const struct verify_input *in,
			 struct err *e)
{
	static const uint8_t masked[SNP_CHIP_ID_LEN];

	if (need->vek.len)
		return 0;
	if (in->snp.need_vcek || in->snp.need_vlek)
		return err_set(e, ERR_NOT_FOUND, "the certificate that was named is empty");
	if (snp_report_signing_key(need->report) == SNP_KEY_VLEK)
		return err_set(e, ERR_NOT_FOUND,
			       "no service hands out a VLEK: ask the cloud, and give it (--vlek)");
	if (memcmp(need->report->chip_id, masked, SNP_CHIP_ID_LEN) == 0)
		return err_set(e, ERR_NOT_FOUND, "CHIP_ID is masked: nobody can ask for its VCEK");
	return 0;
}

int endorse_snp(struct endorsements *n, const struct endorse_need *need, struct verify_input *in,
		struct err *e)
{
	/* Reports before version 3 don't say of which product they are. */
	static const enum snp_product guesses[] = { SNP_MILAN, SNP_GENOA };
	enum snp_product hint = product_hint(need, in);
	size_t count = hint == SNP_PRODUCT_ANY ? ARRAY_LEN(guesses) : 1;
	/* snp_chain_load() takes the named root for the ARK. */
	bool ark = need->ark.len || in->snp.trusted_root.len;
	struct endorse_need known = *need;
	int failed = 0;

	if (need->vek.len && need->intermediate.len && ark && !wants_crl(in))
		return 0;
	if (check_askable(need, in, e) < 0)
		return err_code(e);
	if (!known.ark.len)
		known.ark = in->snp.trusted_root;
	for (size_t i = 0; i < count; i++) {
		CLEANUP_ASK struct snp_ask a = {
			.n = n,
			.product = count == 1 ? hint : guesses[i],
			.key = snp_report_signing_key(need->report),
			.at = in->at,
			.skew = in->skew,
			.report = need->report,
			.group = { .lock = -1 },
		};

		if (ask_open(&a, in->snp.trusted_root, e) < 0)
			return err_code(e);
		failed = complete(&a, &known, in, e);
		if (!err_is(failed, ERR_NOT_FOUND) || i + 1 == count)
			break;
		/* The other product's certificates would not do. */
		if (!need->intermediate.len)
			in->snp.intermediate = (struct span){ 0 };
		if (!need->ark.len)
			in->snp.ark = (struct span){ 0 };
	}
	if (err_is(failed, ERR_NOT_FOUND) && count > 1)
		return err_wrap(e, "neither Milan's nor Genoa's (--product says which)");
	return failed;
}

int endorse_snp_bundle(struct endorsements *n, enum snp_product product, enum snp_signing_key key,
		       struct span trusted_root, int64_t at, struct endorse_snp_bundle *bundle,
		       struct err *e)
{
	CLEANUP_ASK struct snp_ask a = {
		.n = n, .product = product, .key = key, .at = at, .group = { .lock = -1 }
	};
	struct endorse_snp_bundle made = { 0 };
	struct span intermediate, ark, folder;
	struct endorse_parts list;

	endorse_begin(n);
	n->must_keep = true; /* the caller hands out the files */
	if (ask_open(&a, trusted_root, e) < 0 || get_chain(&a, &made.chain, e) < 0 ||
	    fetch_pair(&a, &intermediate, &ark, e) < 0 || load_pair(&a, intermediate, ark, e) < 0 ||
	    get_crl(&a, &list, e) < 0)
		return err_code(e);
	made.crl = list.body;
	const struct span name = { (const uint8_t *)a.group.folder, strlen(a.group.folder) + 1 };
	if (endorse_keep(n, name, &folder, e) < 0)
		return err_code(e);
	made.folder = (const char *)folder.bytes;
	*bundle = made;
	return 0;
}
