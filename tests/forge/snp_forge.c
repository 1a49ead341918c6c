/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/forge/snp_forge.h"

#include "tests/forge/must.h"

#include <string.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define AMD_ARC "1.3.6.1.4.1.3704.1."

const char *forge_organization = "Nobody";

enum { YEAR = 365 * 86400 };

static void set_name(X509_NAME *name, const char *common_name)
{
	MUST(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
					(const unsigned char *)forge_organization, -1, -1, 0) == 1);
	MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					(const unsigned char *)common_name, -1, -1, 0) == 1);
}

static void add_text_extension(X509 *x, int nid, const char *text)
{
	X509_EXTENSION *ext;

	if (!text)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
	MUST(ext);
	MUST(X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static void add_raw_extension(X509 *x, const struct forge_extension *want)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(want->oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	MUST(ASN1_OCTET_STRING_set(value, want->bytes, (int)want->len) == 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, want->critical, value);
	MUST(ext);
	MUST(X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

static EVP_MD_CTX *signer(EVP_PKEY *key, enum forge_algorithm algorithm)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;

	MUST(EVP_DigestSignInit(md, &ctx, algorithm == FORGE_ECDSA ? EVP_sha256() : EVP_sha384(),
				NULL, key) == 1);
	if (algorithm == FORGE_PSS) {
		MUST(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1);
		MUST(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48) == 1);
	}
	return md;
}

size_t forge_make(const struct forge_cert *want, uint8_t der[FORGE_CERT_MAX])
{
	X509 *x = X509_new();
	EVP_MD_CTX *md = signer(want->issuer_key, want->algorithm);
	int len;

	MUST(X509_set_version(x, X509_VERSION_3) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), want->serial);
	set_name(X509_get_subject_name(x), want->subject);
	set_name(X509_get_issuer_name(x), want->issuer);
	MUST(ASN1_TIME_set(X509_getm_notBefore(x), want->not_before));
	MUST(ASN1_TIME_set(X509_getm_notAfter(x), want->not_after));
	MUST(X509_set_pubkey(x, want->key) == 1);
	add_text_extension(x, NID_basic_constraints, want->constraints);
	add_text_extension(x, NID_key_usage, want->usage);
	for (size_t i = 0; i < want->extension_count; i++)
		add_raw_extension(x, &want->extensions[i]);
	MUST(X509_sign_ctx(x, md) > 0);
	len = i2d_X509(x, NULL);
	MUST(len > 0 && len <= FORGE_CERT_MAX);
	i2d_X509(x, &der);
	EVP_MD_CTX_free(md);
	X509_free(x);
	return (size_t)len;
}

void forge_add(struct forge_cert *want, const char *oid, const void *bytes, size_t len)
{
	struct forge_extension *x = &want->extensions[want->extension_count++];

	MUST(want->extension_count <= FORGE_EXTENSIONS_MAX && len <= sizeof(x->bytes));
	x->oid = oid;
	memcpy(x->bytes, bytes, len);
	x->len = len;
}

struct forge_extension *forge_find(struct forge_cert *want, const char *oid)
{
	size_t i = 0;

	while (i < want->extension_count && strcmp(want->extensions[i].oid, oid) != 0)
		i++;
	MUST(i < want->extension_count);
	return &want->extensions[i];
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

static const struct {
	const char *ark, *ask, *asvk;
	uint8_t family, model;
} names[] = {
	[SNP_MILAN] = { "ARK-Milan", "SEV-Milan", "SEV-VLEK-Milan", 0x19, 0x01 },
	[SNP_GENOA] = { "ARK-Genoa", "SEV-Genoa", "SEV-VLEK-Genoa", 0x19, 0x11 },
	[SNP_TURIN] = { "ARK-Turin", "SEV-Turin", "SEV-VLEK-Turin", 0x1a, 0x02 },
};

static void add_amd_extensions(const struct forge_chip *chip, struct forge_cert *leaf)
{
	add_number(leaf, AMD_ARC "1", chip->product == SNP_TURIN);
	add_text(leaf, AMD_ARC "2",
		 chip->product == SNP_MILAN ? "Milan-B0" : snp_product_name(chip->product));
	add_number(leaf, AMD_ARC "3.1", chip->tcb.bootloader);
	add_number(leaf, AMD_ARC "3.2", chip->tcb.tee);
	add_number(leaf, AMD_ARC "3.3", chip->tcb.snp);
	if (chip->product == SNP_TURIN)
		add_number(leaf, AMD_ARC "3.9", chip->tcb.fmc);
	else
		add_number(leaf, AMD_ARC "3.4", 0);
	add_number(leaf, AMD_ARC "3.5", 0);
	add_number(leaf, AMD_ARC "3.6", 0);
	add_number(leaf, AMD_ARC "3.7", 0);
	add_number(leaf, AMD_ARC "3.8", chip->tcb.microcode);
	if (chip->key == SNP_KEY_VLEK)
		add_text(leaf, AMD_ARC "5", "CN=cloud.example");
	else
		forge_add(leaf, AMD_ARC "4", chip->chip_id,
			  chip->product == SNP_TURIN ? SNP_TURIN_HWID_LEN : SNP_CHIP_ID_LEN);
}

void forge_chip(struct forge_chip *chip, enum snp_product product, enum snp_signing_key key)
{
	*chip = (struct forge_chip){
		.product = product,
		.key = key,
		.tcb = { .fmc = product == SNP_TURIN ? 1 : 0,
			 .bootloader = 4,
			 .tee = 1,
			 .snp = 24,
			 .microcode = 219 },
	};
	if (key == SNP_KEY_VCEK)
		memset(chip->chip_id, 0xc4,
		       product == SNP_TURIN ? SNP_TURIN_HWID_LEN : SNP_CHIP_ID_LEN);
}

void forge_chip_report(const struct forge_chip *chip, uint32_t version, struct snp_report *r)
{
	*r = (struct snp_report){
		.version = version,
		.guest_svn = 5,
		.policy = SNP_POLICY_RESERVED_ONE,
		.signature_algo = 1,
		.platform_info = SNP_PLATFORM_ALIAS_CHECK_COMPLETE,
		.flags = (uint32_t)chip->key << SNP_FLAG_SIGNING_KEY_SHIFT,
		.current_build = 40,
		.current_minor = 55,
		.current_major = 1,
		.committed_build = 40,
		.committed_minor = 55,
		.committed_major = 1,
	};
	memset(r->report_data, 0xd1, sizeof(r->report_data));
	memset(r->measurement, 0xa2, sizeof(r->measurement));
	memset(r->report_id, 0x73, sizeof(r->report_id));
	memset(r->report_id_ma, 0xff, sizeof(r->report_id_ma));
	memcpy(r->chip_id, chip->chip_id, sizeof(r->chip_id));
	snp_tcb_bytes(&chip->tcb, chip->product, r->reported_tcb);
	memcpy(r->committed_tcb, r->reported_tcb, SNP_TCB_LEN);
	memcpy(r->current_tcb, r->reported_tcb, SNP_TCB_LEN);
	memcpy(r->launch_tcb, r->reported_tcb, SNP_TCB_LEN);
	if (version >= 3) {
		r->cpuid_fam_id = names[chip->product].family;
		r->cpuid_mod_id = names[chip->product].model;
		r->cpuid_step = 1;
	}
	if (version >= 5)
		r->launch_mit_vector = r->current_mit_vector = 3;
}

void forge_chip_chain(const struct forge_chip *chip, const struct forge_keys *keys, int64_t at,
		      struct forge_chain *chain)
{
	const char *ark = names[chip->product].ark;
	const char *ca =
		chip->key == SNP_KEY_VLEK ? names[chip->product].asvk : names[chip->product].ask;
	struct forge_cert common = { .algorithm = FORGE_PSS,
				     .not_before = at - YEAR,
				     .not_after = at + YEAR };

	chain->root = chain->ca = chain->leaf = common;
	chain->root.subject = chain->root.issuer = chain->ca.issuer = ark;
	chain->ca.subject = chain->leaf.issuer = ca;
	chain->leaf.subject = chip->key == SNP_KEY_VLEK ? "SEV-VLEK" : "SEV-VCEK";
	chain->root.key = chain->root.issuer_key = chain->ca.issuer_key = keys->root;
	chain->ca.key = chain->leaf.issuer_key = keys->ca;
	chain->leaf.key = keys->leaf;
	chain->root.serial = 65536;
	chain->ca.serial = 65537;
	chain->root.constraints = "critical,CA:TRUE";
	chain->ca.constraints = "critical,CA:TRUE,pathlen:0";
	chain->root.usage = "critical,keyCertSign,cRLSign";
	chain->ca.usage = "critical,keyCertSign";
	add_amd_extensions(chip, &chain->leaf);
}

void forge_sign(struct snp_report *report, EVP_PKEY *key, uint8_t bytes[SNP_REPORT_LEN])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const uint8_t *at;
	uint8_t der[256];
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	snp_report_write(report, bytes);
	MUST(EVP_DigestSignInit(md, NULL, EVP_sha384(), NULL, key) == 1);
	MUST(EVP_DigestSign(md, der, &len, bytes, SNP_REPORT_SIGNED_LEN) == 1);
	at = der;
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	MUST(sig);
	BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), report->signature_r, SNP_SIGNATURE_PART_LEN);
	BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), report->signature_s, SNP_SIGNATURE_PART_LEN);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(md);
	snp_report_write(report, bytes);
}

static void add_revoked(X509_CRL *crl, long serial, int64_t when)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, when);

	ASN1_INTEGER_set(number, serial);
	MUST(X509_REVOKED_set_serialNumber(entry, number) == 1);
	MUST(X509_REVOKED_set_revocationDate(entry, at) == 1);
	MUST(X509_CRL_add0_revoked(crl, entry) == 1);
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
	MUST(X509_CRL_set_version(crl, 1) == 1);
	MUST(X509_CRL_set_issuer_name(crl, name) == 1);
	MUST(X509_CRL_set1_lastUpdate(crl, from) == 1);
	MUST(X509_CRL_set1_nextUpdate(crl, to) == 1);
	MUST(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1);
	for (size_t i = 0; i < count; i++)
		add_revoked(crl, serials[i], this_update);
	MUST(X509_CRL_sign_ctx(crl, md) > 0);
	len = i2d_X509_CRL(crl, NULL);
	MUST(len > 0 && len <= FORGE_CRL_MAX);
	i2d_X509_CRL(crl, &der);
	X509_CRL_free(crl);
	X509_NAME_free(name);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_INTEGER_free(number);
	EVP_MD_CTX_free(md);
	return (size_t)len;
}
