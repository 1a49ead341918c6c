/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_chain.h"

#include "attestation/snp/snp_key.h"
#include "attestation/snp/snp_vcek.h"
#include "attestation/verdict/crl_age.h"
#include "common/base/encode.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_CHARS = 64, VLEK_SECONDS_MAX = 366 * 86400 };

void snp_chain_done(struct snp_chain *chain)
{
	x509_free(chain->ark);
	x509_free(chain->intermediate);
	x509_free(chain->vek);
	x509_free(chain->root);
	memset(chain, 0, sizeof(*chain));
}

void snp_chain_require(const struct snp_input *in, struct verdict *v)
{
	static const enum check_id always[] = {
		CHECK_CHAIN_VEK,
		CHECK_CHAIN_INTERMEDIATE,
		CHECK_CHAIN_ARK,
		CHECK_CHAIN_NAMES,
		CHECK_CHAIN_ROOT,
		CHECK_CHAIN_ARK_SIGNATURE,
		CHECK_CHAIN_INTERMEDIATE_SIGNATURE,
		CHECK_CHAIN_VEK_SIGNATURE,
		CHECK_CHAIN_LEAF,
		CHECK_CHAIN_EXTENSIONS,
		CHECK_TIME_ARK,
		CHECK_TIME_INTERMEDIATE,
		CHECK_TIME_VEK,
	};

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		verdict_require(v, always[i]);
	if (in->trusted_root.len)
		verdict_require(v, CHECK_CHAIN_TRUSTED_ROOT);
	if (in->require_crl || in->crl_count)
		verdict_require(v, CHECK_CRL_REVOKED);
	crl_age_require(&(struct crl_age){ .max = in->crl_max_age }, v);
}

static bool load(struct x509 **cert, enum check_id check, const char *what, struct span bytes,
		 struct verdict *v)
{
	struct err e;

	if (bytes.len == 0)
		return verdict_check(v, check, false, "none given", what);
	if (x509_load(bytes.bytes, bytes.len, cert, &e) < 0)
		return verdict_err(v, check, &e);
	return verdict_check(v, check, true, NULL, NULL);
}

static struct span first_of(struct span a, struct span b)
{
	return a.len ? a : b;
}

bool snp_chain_load(struct snp_chain *chain, const struct snp_input *in,
		    const struct snp_cert_table *table, enum snp_signing_key wanted,
		    struct verdict *v)
{
	struct span leaf = first_of(in->vek, wanted == SNP_KEY_VLEK ? table->vlek : table->vcek);
	/* Who names a root has its certificate, and need not give it twice. */
	struct span ark = first_of(first_of(in->ark, table->ark), in->trusted_root);
	bool all = load(&chain->vek, CHECK_CHAIN_VEK, "a VCEK or VLEK", leaf, v);

	chain->signatures = in->signatures;

	all = load(&chain->intermediate, CHECK_CHAIN_INTERMEDIATE, "the ASK or ASVK",
		   first_of(in->intermediate, table->ask), v) &&
	      all;
	all = load(&chain->ark, CHECK_CHAIN_ARK, "the ARK", ark, v) && all;
	if (in->trusted_root.len)
		all = load(&chain->root, CHECK_CHAIN_TRUSTED_ROOT, "a root", in->trusted_root, v) &&
		      all;
	if (chain->ark)
		verdict_root(v, chain->ark);
	if (chain->root)
		verdict_root(v, chain->root);
	return all;
}

/* The product by the names from the root down, which have to agree. */
static bool check_names(struct snp_chain *chain, struct verdict *v)
{
	char ark[NAME_MAX_CHARS] = "", intermediate[NAME_MAX_CHARS] = "";
	enum snp_product by_ark, by_intermediate;
	struct err e = { 0 };

	if (x509_common_name(chain->ark->subject, ark, sizeof(ark), &e) < 0 ||
	    x509_common_name(chain->intermediate->subject, intermediate, sizeof(intermediate), &e) <
		    0 ||
	    snp_vcek_kind(chain->vek, &chain->kind, &e) < 0)
		return verdict_err(v, CHECK_CHAIN_NAMES, &e);
	by_ark = snp_product_of_name(ark, "ARK-");
	by_intermediate = snp_product_of_name(intermediate,
					      chain->kind == SNP_KEY_VLEK ? "SEV-VLEK-" : "SEV-");
	chain->product = by_ark;
	return verdict_checkf(
		v, CHECK_CHAIN_NAMES, by_ark != SNP_PRODUCT_ANY && by_ark == by_intermediate,
		chain->kind == SNP_KEY_VLEK ? "ARK-X, SEV-VLEK-X, SEV-VLEK of one product X"
					    : "ARK-X, SEV-X, SEV-VCEK of one product X",
		"%s, %s, %s", ark, intermediate,
		chain->kind == SNP_KEY_VLEK ? "SEV-VLEK" : "SEV-VCEK");
}

/* The root by its key: a name is anybody's to take. */
static bool check_root(struct snp_chain *chain, struct verdict *v)
{
	const uint8_t *wanted =
		chain->root ? chain->root->key_digest : snp_product_root(chain->product);
	char text[2 * SHA256_LEN + 1];

	if (chain->root) {
		chain->own_root = !snp_product_root(chain->product) ||
				  memcmp(wanted, snp_product_root(chain->product), SHA256_LEN) != 0;
		hex_encode(wanted, SHA256_LEN, text);
		if (chain->own_root)
			verdict_note(v, NOTE_OWN_ROOT,
				     "trusted root named by you, not AMD's: key SHA-256 %s", text);
	}
	if (!wanted)
		return verdict_check(v, CHECK_CHAIN_ROOT, false, "an unknown product",
				     "an ARK of AMD's, or a root that you name");
	return verdict_bytes(v, CHECK_CHAIN_ROOT, chain->ark->key_digest, wanted, SHA256_LEN);
}

/* The signer is the trusted root, or was verified under it: strangers have nothing remembered but
 * certificates of genuine chips. */
static bool check_link(const struct snp_chain *chain, const struct x509 *cert,
		       const struct x509 *issuer, enum check_id check, struct verdict *v)
{
	const bool is_leaf = cert == chain->vek;
	const struct x509_known known = { chain->signatures,
					  is_leaf ? SIGNATURES_LEAVES : SIGNATURES_AUTHORITIES };
	struct err e;

	if (x509_verify_known(cert, issuer, X509_RSA4096_PSS_SHA384, !is_leaf, &known, &e) < 0)
		return verdict_err(v, check, &e);
	return verdict_check(v, check, true, NULL, NULL);
}

/* A leaf signs reports and nothing else. What AMD publishes of serial and validity holds for
 * AMD's own only. */
static bool check_leaf(const struct snp_chain *chain, struct verdict *v)
{
	const struct x509 *leaf = chain->vek;
	bool zero_serial = leaf->serial.len == 1 && leaf->serial.bytes[0] == 0, all;
	EVP_PKEY *key;
	struct err e;

	if (x509_key(leaf, &key, &e) < 0)
		return verdict_err(v, CHECK_CHAIN_LEAF, &e);
	all = verdict_check(
		v, CHECK_CHAIN_LEAF,
		!leaf->is_ca && snp_key_is_p384(key) &&
			(!leaf->has_usage || (leaf->usage & X509_USE_DIGITAL_SIGNATURE)),
		leaf->is_ca ? "a CA certificate" : "the leaf's key and keyUsage",
		"a P-384 key that may sign, of no CA");
	if (chain->own_root)
		return all;
	all = verdict_check(v, CHECK_CHAIN_SERIAL, zero_serial, zero_serial ? "0" : "not 0", "0") &&
	      all;
	if (chain->kind == SNP_KEY_VLEK)
		all = verdict_checkf(v, CHECK_CHAIN_VLEK_VALIDITY,
				     leaf->not_after - leaf->not_before <= VLEK_SECONDS_MAX,
				     "a year", "%lld seconds",
				     (long long)(leaf->not_after - leaf->not_before)) &&
		      all;
	return all;
}

/* AMD's certificates have no purpose and no other names; critical ones would count. */
static bool check_extensions(const struct snp_chain *chain, struct verdict *v)
{
	struct err e;

	if (x509_nothing_unjudged(chain->ark, &e) < 0 ||
	    x509_nothing_unjudged(chain->intermediate, &e) < 0 ||
	    x509_nothing_unjudged(chain->vek, &e) < 0)
		return verdict_err(v, CHECK_CHAIN_EXTENSIONS, &e);
	return verdict_check(v, CHECK_CHAIN_EXTENSIONS, true, NULL, NULL);
}

bool snp_chain_verify(struct snp_chain *chain, struct verdict *v)
{
	return check_names(chain, v) && check_root(chain, v) && check_extensions(chain, v) &&
	       check_link(chain, chain->ark, chain->ark, CHECK_CHAIN_ARK_SIGNATURE, v) &&
	       check_link(chain, chain->intermediate, chain->ark,
			  CHECK_CHAIN_INTERMEDIATE_SIGNATURE, v) &&
	       check_link(chain, chain->vek, chain->intermediate, CHECK_CHAIN_VEK_SIGNATURE, v) &&
	       check_leaf(chain, v);
}

static bool check_time(const struct x509 *cert, const struct snp_input *in, enum check_id check,
		       struct verdict *v)
{
	struct err e;

	if (x509_valid_at(cert, x509_moment(in->at, in->skew, cert->not_before, cert->not_after),
			  &e) < 0)
		return verdict_err(v, check, &e);
	return verdict_check(v, check, true, NULL, NULL);
}

bool snp_chain_time(const struct snp_chain *chain, const struct snp_input *in, struct verdict *v)
{
	bool all;

	if (in->skew > SNP_SKEW_MAX)
		return verdict_checkf(v, CHECK_TIME_SKEW, false, "at most a day", "%u seconds",
				      in->skew);
	all = check_time(chain->ark, in, CHECK_TIME_ARK, v);

	all = check_time(chain->intermediate, in, CHECK_TIME_INTERMEDIATE, v) && all;
	return check_time(chain->vek, in, CHECK_TIME_VEK, v) && all;
}

static bool is_of_ark(const struct snp_chain *chain, const struct x509_crl *crl)
{
	return span_equal(crl->issuer, chain->ark->subject);
}

static const char *whose(const struct snp_chain *chain, const struct x509_crl *crl)
{
	return is_of_ark(chain, crl) ? "the ARK's" : "the ASK's";
}

/* One list: the issuer that it names signed it, it is current, and lists none of that issuer's.
 * The ARK's speaks about the ARK itself and the ASK or ASVK; the intermediate's about the leaf.
 * `*loaded` is the caller's, to be freed, also after a failure. */
static bool check_list(const struct snp_chain *chain, const struct snp_input *in, struct span bytes,
		       struct x509_crl **loaded, struct verdict *v)
{
	const struct x509 *issuer;
	const struct x509_crl *crl;
	struct err e;

	if (x509_crl_load(bytes.bytes, bytes.len, loaded, &e) < 0)
		return verdict_err(v, CHECK_CRL_FORMAT, &e);
	crl = *loaded;
	issuer = is_of_ark(chain, crl) ? chain->ark : chain->intermediate;
	if (x509_crl_verify_known(crl, issuer, X509_RSA4096_PSS_SHA384,
				  x509_moment(in->at, in->skew, crl->this_update, crl->next_update),
				  in->signatures, &e) < 0)
		return verdict_err(v, CHECK_CRL_LIST, &e);
	verdict_check(v, CHECK_CRL_LIST, true, whose(chain, crl), NULL);
	if (is_of_ark(chain, crl) && (x509_crl_check(crl, chain->ark, &e) < 0 ||
				      x509_crl_check(crl, chain->intermediate, &e) < 0))
		return verdict_err(v, CHECK_CRL_REVOKED, &e);
	if (!is_of_ark(chain, crl) && x509_crl_check(crl, chain->vek, &e) < 0)
		return verdict_err(v, CHECK_CRL_REVOKED, &e);
	return verdict_check(v, CHECK_CRL_REVOKED, true, "none of the chain", NULL);
}

/* What the host brought is judged; as the host chose it, it is not the one that was asked for, and
 * may be as old as the host's cache. */
static bool check_table(const struct snp_chain *chain, const struct snp_input *in,
			struct span bytes, struct verdict *v)
{
	CLEANUP(x509_crl_free) struct x509_crl *crl = NULL;

	return !bytes.len || check_list(chain, in, bytes, &crl, v);
}

/* One that was given or fetched. */
static bool check_given(const struct snp_chain *chain, const struct snp_input *in, size_t i,
			bool *have_ark, struct verdict *v)
{
	const struct crl_age limit = { in->crl_max_age, in->at, in->skew };
	CLEANUP(x509_crl_free) struct x509_crl *crl = NULL;

	if (!check_list(chain, in, in->crls[i], &crl, v))
		return false;
	*have_ark |= is_of_ark(chain, crl);
	return crl_age_judge(&limit, crl, in->crl_asked[i], whose(chain, crl), v);
}

bool snp_chain_crl(const struct snp_chain *chain, const struct snp_input *in,
		   const struct snp_cert_table *table, struct verdict *v)
{
	bool all = true, have_ark = false;

	if (in->crl_count > SNP_CRLS_MAX)
		return verdict_checkf(v, CHECK_CRL_LIST, false, "at most 8", "%zu CRLs",
				      in->crl_count);
	for (size_t i = 0; i < in->crl_count; i++)
		all &= check_given(chain, in, i, &have_ark, v);
	all &= check_table(chain, in, table->crl, v);
	/* A list that failed has said why already. */
	if (all && in->require_crl && !have_ark)
		return verdict_check(v, CHECK_CRL_REQUIRED, false,
				     table->crl.len ? "none but the host's" : "none of the ARK's",
				     "the ARK's CRL, from the service or given");
	if (!in->crl_count && !table->crl.len)
		verdict_not_asked(v, CHECK_CRL_REVOKED,
				  "no CRL given: revocation was not asked for");
	return all;
}
