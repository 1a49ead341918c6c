/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"
#include "tests/unit/snp/forge.h"

#include "common/base/file.h"
#include "common/crypto/key.h"

#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define AMD_ARC "1.3.6.1.4.1.3704.1."

enum { YEAR = 365 * 86400 };

static EVP_PKEY *load_key(const char *name)
{
	char path[512];
	EVP_PKEY *key = NULL;
	char *pem = NULL;
	struct err e;

	snprintf(path, sizeof(path), "%s/snp/%s", TEST_DATA, name);
	assert_ok(file_read_text(path, PEM_MAX, &pem, &e), e);
	assert_ok(key_from_private_pem(pem, strlen(pem), NULL, NULL, &key, &e), e);
	free(pem);
	return key;
}

/* Made once; they live as long as the program. */
static EVP_PKEY *keys[3];

static void load_keys(struct forge *f)
{
	if (!keys[0]) {
		keys[0] = load_key("root-key.pem");
		keys[1] = load_key("ca-key.pem");
		keys[2] = EVP_EC_gen("P-384");
		assert_non_null(keys[2]);
	}
	f->root_key = keys[0];
	f->ca_key = keys[1];
	f->leaf_key = keys[2];
}

static void set_name(X509_NAME *name, const char *common_name)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
						    (const unsigned char *)"Nobody", -1, -1, 0),
			 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
						    (const unsigned char *)common_name, -1, -1, 0),
			 1);
}

static void add_text_extension(X509 *x, int nid, const char *text)
{
	X509_EXTENSION *ext;

	if (!text)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void add_raw_extension(X509 *x, const struct forge_extension *want)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(want->oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	assert_int_equal(ASN1_OCTET_STRING_set(value, want->bytes, (int)want->len), 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, want->critical, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

static EVP_MD_CTX *signer(EVP_PKEY *key, enum forge_algorithm algorithm)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;

	assert_int_equal(EVP_DigestSignInit(md, &ctx,
					    algorithm == FORGE_ECDSA ? EVP_sha256() : EVP_sha384(),
					    NULL, key),
			 1);
	if (algorithm == FORGE_PSS) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48) == 1);
	}
	return md;
}

size_t forge_make(const struct forge_cert *want, uint8_t der[FORGE_CERT_MAX])
{
	X509 *x = X509_new();
	EVP_MD_CTX *md = signer(want->issuer_key, want->algorithm);
	int len;

	assert_int_equal(X509_set_version(x, want->version), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), want->serial);
	set_name(X509_get_subject_name(x), want->subject);
	set_name(X509_get_issuer_name(x), want->issuer);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), want->not_before));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), want->not_after));
	assert_int_equal(X509_set_pubkey(x, want->key), 1);
	add_text_extension(x, NID_basic_constraints, want->constraints);
	add_text_extension(x, NID_key_usage, want->usage);
	for (size_t i = 0; i < want->extension_count; i++)
		add_raw_extension(x, &want->extensions[i]);
	assert_true(X509_sign_ctx(x, md) > 0);
	len = i2d_X509(x, NULL);
	assert_true(len > 0 && len <= FORGE_CERT_MAX);
	i2d_X509(x, &der);
	EVP_MD_CTX_free(md);
	X509_free(x);
	return (size_t)len;
}

void forge_add(struct forge_cert *want, const char *oid, const void *bytes, size_t len)
{
	struct forge_extension *x = &want->extensions[want->extension_count++];

	assert_true(want->extension_count <= FORGE_EXTENSIONS_MAX && len <= sizeof(x->bytes));
	x->oid = oid;
	memcpy(x->bytes, bytes, len);
	x->len = len;
}

struct forge_extension *forge_find(struct forge_cert *want, const char *oid)
{
	for (size_t i = 0; i < want->extension_count; i++)
		if (strcmp(want->extensions[i].oid, oid) == 0)
			return &want->extensions[i];
	fail_msg("no extension %s", oid);
	return NULL;
}

static void add_number(struct forge_cert *want, const char *oid, uint8_t value)
{
	uint8_t short_form[] = { 2, 1, value }, long_form[] = { 2, 2, 0, value };

	if (value < 0x80)
		forge_add(want, oid, short_form, sizeof(short_form));
	else
		forge_add(want, oid, long_form, sizeof(long_form));
}

static void add_text(struct forge_cert *want, const char *oid, const char *text)
{
	uint8_t bytes[64] = { 0x16, (uint8_t)strlen(text) };

	memcpy(bytes + 2, text, strlen(text));
	forge_add(want, oid, bytes, 2 + strlen(text));
}

static void add_amd_extensions(struct forge *f, enum snp_signing_key key)
{
	struct forge_cert *leaf = &f->leaf;

	add_number(leaf, AMD_ARC "1", f->product == SNP_TURIN);
	add_text(leaf, AMD_ARC "2", f->product == SNP_MILAN ? "Milan-B0"
							    : snp_product_name(f->product));
	add_number(leaf, AMD_ARC "3.1", f->tcb.bootloader);
	add_number(leaf, AMD_ARC "3.2", f->tcb.tee);
	add_number(leaf, AMD_ARC "3.3", f->tcb.snp);
	if (f->product == SNP_TURIN)
		add_number(leaf, AMD_ARC "3.9", f->tcb.fmc);
	else
		add_number(leaf, AMD_ARC "3.4", 0);
	add_number(leaf, AMD_ARC "3.5", 0);
	add_number(leaf, AMD_ARC "3.6", 0);
	add_number(leaf, AMD_ARC "3.7", 0);
	add_number(leaf, AMD_ARC "3.8", f->tcb.microcode);
	if (key == SNP_KEY_VLEK)
		add_text(leaf, AMD_ARC "5", "CN=cloud.example");
	else
		forge_add(leaf, AMD_ARC "4", f->report.chip_id,
			  f->product == SNP_TURIN ? SNP_TURIN_HWID_LEN : SNP_CHIP_ID_LEN);
}

static const struct {
	const char *ark, *ask, *asvk;
	uint8_t family, model;
} names[] = {
	[SNP_MILAN] = { "ARK-Milan", "SEV-Milan", "SEV-VLEK-Milan", 0x19, 0x01 },
	[SNP_GENOA] = { "ARK-Genoa", "SEV-Genoa", "SEV-VLEK-Genoa", 0x19, 0x11 },
	[SNP_TURIN] = { "ARK-Turin", "SEV-Turin", "SEV-VLEK-Turin", 0x1a, 0x02 },
};

static void init_report(struct forge *f, uint32_t version, enum snp_signing_key key)
{
	struct snp_report *r = &f->report;

	f->tcb = (struct snp_tcb){ .fmc = f->product == SNP_TURIN ? 1 : 0, .bootloader = 4,
				   .tee = 1, .snp = 24, .microcode = 219 };
	*r = (struct snp_report){
		.version = version,
		.guest_svn = 5,
		.policy = SNP_POLICY_RESERVED_ONE,
		.signature_algo = 1,
		.platform_info = SNP_PLATFORM_ALIAS_CHECK_COMPLETE,
		.flags = (uint32_t)key << SNP_FLAG_SIGNING_KEY_SHIFT,
		.current_build = 40, .current_minor = 55, .current_major = 1,
		.committed_build = 40, .committed_minor = 55, .committed_major = 1,
	};
	memset(r->report_data, 0xd1, sizeof(r->report_data));
	memset(r->measurement, 0xa2, sizeof(r->measurement));
	memset(r->report_id, 0x73, sizeof(r->report_id));
	memset(r->report_id_ma, 0xff, sizeof(r->report_id_ma));
	if (key == SNP_KEY_VCEK)
		memset(r->chip_id, 0xc4,
		       f->product == SNP_TURIN ? SNP_TURIN_HWID_LEN : SNP_CHIP_ID_LEN);
	snp_tcb_bytes(&f->tcb, f->product, r->reported_tcb);
	memcpy(r->committed_tcb, r->reported_tcb, SNP_TCB_LEN);
	memcpy(r->current_tcb, r->reported_tcb, SNP_TCB_LEN);
	memcpy(r->launch_tcb, r->reported_tcb, SNP_TCB_LEN);
	if (version >= 3) {
		r->cpuid_fam_id = names[f->product].family;
		r->cpuid_mod_id = names[f->product].model;
		r->cpuid_step = 1;
	}
	if (version >= 5)
		r->launch_mit_vector = r->current_mit_vector = 3;
}

static void init_chain(struct forge *f, enum snp_signing_key key)
{
	const char *ark = names[f->product].ark;
	const char *ca = key == SNP_KEY_VLEK ? names[f->product].asvk : names[f->product].ask;
	struct forge_cert common = { .algorithm = FORGE_PSS, .version = 2,
				     .not_before = FORGE_AT - YEAR, .not_after = FORGE_AT + YEAR };

	f->root = f->ca = f->leaf = common;
	f->root.subject = f->root.issuer = f->ca.issuer = ark;
	f->ca.subject = f->leaf.issuer = ca;
	f->leaf.subject = key == SNP_KEY_VLEK ? "SEV-VLEK" : "SEV-VCEK";
	f->root.key = f->root.issuer_key = f->ca.issuer_key = f->root_key;
	f->ca.key = f->leaf.issuer_key = f->ca_key;
	f->leaf.key = f->leaf_key;
	f->root.serial = 65536;
	f->ca.serial = 65537;
	f->root.constraints = "critical,CA:TRUE";
	f->ca.constraints = "critical,CA:TRUE,pathlen:0";
	f->root.usage = "critical,keyCertSign,cRLSign";
	f->ca.usage = "critical,keyCertSign";
	add_amd_extensions(f, key);
}

void forge_certificates(struct forge *f)
{
	f->root_len = forge_make(&f->root, f->root_der);
	f->ca_len = forge_make(&f->ca, f->ca_der);
	f->leaf_len = forge_make(&f->leaf, f->leaf_der);
	f->input.trusted_root = (struct span){ f->root_der, f->root_len };
	f->input.ark = f->input.trusted_root;
	f->input.intermediate = (struct span){ f->ca_der, f->ca_len };
	f->input.vek = (struct span){ f->leaf_der, f->leaf_len };
}

void forge_report(struct forge *f)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const uint8_t *at;
	uint8_t der[256];
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	snp_report_write(&f->report, f->bytes);
	assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sha384(), NULL, f->leaf_key), 1);
	assert_int_equal(EVP_DigestSign(md, der, &len, f->bytes, SNP_REPORT_SIGNED_LEN), 1);
	at = der;
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_non_null(sig);
	BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), f->report.signature_r, SNP_SIGNATURE_PART_LEN);
	BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), f->report.signature_s, SNP_SIGNATURE_PART_LEN);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(md);
	snp_report_write(&f->report, f->bytes);
	f->input.report = (struct span){ f->bytes, SNP_REPORT_LEN };
}

/* The unchanged chains, since an RSA signature takes long. */
static struct made {
	uint8_t root[FORGE_CERT_MAX], ca[FORGE_CERT_MAX], leaf[FORGE_CERT_MAX];
	size_t root_len, ca_len, leaf_len;
} chains[SNP_PRODUCTS][2];

static void use_chain(struct forge *f, struct made *made)
{
	if (!made->root_len) {
		forge_certificates(f);
		memcpy(made->root, f->root_der, f->root_len);
		memcpy(made->ca, f->ca_der, f->ca_len);
		memcpy(made->leaf, f->leaf_der, f->leaf_len);
		made->root_len = f->root_len;
		made->ca_len = f->ca_len;
		made->leaf_len = f->leaf_len;
	}
	f->input.trusted_root = f->input.ark = (struct span){ made->root, made->root_len };
	f->input.intermediate = (struct span){ made->ca, made->ca_len };
	f->input.vek = (struct span){ made->leaf, made->leaf_len };
}

void forge_init(struct forge *f, enum snp_product product, uint32_t version,
		enum snp_signing_key key)
{
	memset(f, 0, sizeof(*f));
	f->product = product;
	load_keys(f);
	init_report(f, version, key);
	init_chain(f, key);
	use_chain(f, &chains[product][key]);
	forge_report(f);
	memcpy(f->report_data, f->report.report_data, sizeof(f->report_data));
	snp_policy_init(&f->policy);
	f->policy.measurements = (struct snp_set){ f->report.measurement, 1 };
	f->policy.allow_vlek = key == SNP_KEY_VLEK;
	f->input.report_data = f->report_data;
	f->input.at = FORGE_AT;
	f->input.policy = &f->policy;
}

bool forge_appraise(struct forge *f, struct verdict *v)
{
	struct err e;

	verdict_init(v, VERDICT_SCOPE_FULL);
	return snp_appraise(&f->input, NULL, v, &e) == 0;
}

static void add_revoked(X509_CRL *crl, long serial, int64_t when)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, when);

	ASN1_INTEGER_set(number, serial);
	assert_int_equal(X509_REVOKED_set_serialNumber(entry, number), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(entry, at), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(at);
}

size_t forge_crl(EVP_PKEY *issuer_key, const char *issuer, const long *serials, size_t count,
		 int64_t this_update, int64_t next_update, uint8_t der[FORGE_CRL_MAX])
{
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *name = X509_NAME_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, this_update), *to = ASN1_TIME_set(NULL, next_update);
	EVP_MD_CTX *md = signer(issuer_key, FORGE_PSS);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	int len;

	set_name(name, issuer);
	ASN1_INTEGER_set(number, 7);
	assert_int_equal(X509_CRL_set_version(crl, 1), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, name), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, from), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, to), 1);
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), 1);
	for (size_t i = 0; i < count; i++)
		add_revoked(crl, serials[i], this_update);
	assert_true(X509_CRL_sign_ctx(crl, md) > 0);
	len = i2d_X509_CRL(crl, NULL);
	assert_true(len > 0 && len <= FORGE_CRL_MAX);
	i2d_X509_CRL(crl, &der);
	X509_CRL_free(crl);
	X509_NAME_free(name);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_INTEGER_free(number);
	EVP_MD_CTX_free(md);
	return (size_t)len;
}
