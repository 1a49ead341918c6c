/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/vendor.h"

#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "tests/forge/must.h"

#include <string.h>
#include <time.h>
#include <openssl/pem.h>

enum { TABLE_MAX = 32768, CRL_DAYS = 30, DAY = 86400 };

enum make { RSA_4096, P_384, P_256 };

static const struct {
	const char *file;
	enum make make;
} rows[VENDOR_KEYS] = {
	[VENDOR_ARK] = { "ark", RSA_4096 },
	[VENDOR_ASK] = { "ask", RSA_4096 },
	[VENDOR_ASVK] = { "asvk", RSA_4096 },
	[VENDOR_VCEK] = { "vcek", P_384 },
	[VENDOR_VLEK] = { "vlek", P_384 },
	[(int)VENDOR_TDX + (int) FORGE_ROOT] = { "tdx-root", P_256 },
	[(int)VENDOR_TDX + (int) FORGE_CA] = { "tdx-ca", P_256 },
	[(int)VENDOR_TDX + (int) FORGE_PCK] = { "tdx-pck", P_256 },
	[(int)VENDOR_TDX + (int) FORGE_SIGNING] = { "tdx-signing", P_256 },
	[(int)VENDOR_TDX + (int) FORGE_ATTESTATION] = { "tdx-attestation", P_256 },
};

static int make_key(enum make how, EVP_PKEY **key, struct err *e)
{
	if (how != P_384)
		return key_generate(how == RSA_4096 ? KEY_RSA : KEY_ECDSA, key, e);
	*key = EVP_EC_gen("P-384");
	return *key ? 0 : err_openssl(e, ERR_INTERNAL, "make a P-384 key");
}

static int make_file(const char *path, enum make how, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;

	if (make_key(how, &key, e) < 0 || key_to_private_pem(key, &pem, e) < 0)
		return err_code(e);
	if (file_write_new(path, pem, strlen(pem), 0600, e) < 0 && e->code != ERR_EXISTS)
		return err_code(e); /* if another process has just made one, that is as good */
	return 0;
}

static int load_key(struct vendor *vendor, enum vendor_key which, struct err *e)
{
	CLEANUP(free) char *path = NULL, *pem = NULL;

	if (vendor->keys[which])
		return 0;
	if (text_format(&path, e, "%s/%s.pem", vendor->dir, rows[which].file) < 0)
		return err_code(e);
	if (access(path, F_OK) < 0 && make_file(path, rows[which].make, e) < 0)
		return err_code(e);
	if (file_read_text(path, PEM_MAX, &pem, e) < 0 ||
	    key_from_private_pem(pem, strlen(pem), NULL, NULL, &vendor->keys[which], e) < 0)
		return err_wrap(e, "'%s'", path);
	return 0;
}

int vendor_open(struct vendor *vendor, const char *dir, struct err *e)
{
	*vendor = (struct vendor){ .at = time(NULL) };
	forge_organization = "SIMULATED, not AMD: made by cocos-teesim";
	if (dir_make(dir, 0700, e) < 0)
		return err_code(e);
	vendor->dir = strdup(dir);
	return vendor->dir ? 0 : err_nomem(e);
}

void vendor_done(struct vendor *vendor)
{
	for (size_t i = 0; i < VENDOR_KEYS; i++)
		EVP_PKEY_free(vendor->keys[i]);
	free(vendor->dir);
	memset(vendor, 0, sizeof(*vendor));
}

/* ---- AMD ---- */

static void write_table(struct vendor_chain *chain, bool vlek)
{
	/* In the order in which they are written; GHCB specification, table of GUIDs. */
	static const uint8_t guids[][16] = {
		{ 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b,
		  0xe8, 0xac, 0xcd }, /* VCEK */
		{ 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45,
		  0xa0, 0xb8, 0xa1 }, /* VLEK */
		{ 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3,
		  0x27, 0xc7, 0x82 }, /* ASK */
		{ 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01,
		  0x4c, 0xd0, 0xae }, /* ARK */
	};
	const struct {
		const uint8_t *guid, *der;
		size_t len;
	} entries[] = {
		{ guids[vlek], chain->leaf, chain->leaf_len },
		{ guids[2], chain->ca, chain->ca_len },
		{ guids[3], chain->ark, chain->ark_len },
	};
	size_t at = (ARRAY_LEN(entries) + 1) * 24;

	chain->table = writer_up_to(TABLE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		writer_bytes(&chain->table, entries[i].guid, 16);
		writer_le32(&chain->table, (uint32_t)at);
		writer_le32(&chain->table, (uint32_t)entries[i].len);
		at += entries[i].len;
	}
	writer_zeros(&chain->table, 24);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		writer_bytes(&chain->table, entries[i].der, entries[i].len);
}

int vendor_chain(struct vendor *vendor, const struct forge_chip *chip, struct vendor_chain *chain,
		 struct err *e)
{
	bool vlek = chip->key == SNP_KEY_VLEK;
	enum vendor_key ca = vlek ? VENDOR_ASVK : VENDOR_ASK,
			leaf = vlek ? VENDOR_VLEK : VENDOR_VCEK;
	struct forge_chain certs = { 0 };

	if (load_key(vendor, VENDOR_ARK, e) < 0 || load_key(vendor, ca, e) < 0 ||
	    load_key(vendor, leaf, e) < 0)
		return err_code(e);
	memset(chain, 0, sizeof(*chain));
	chain->leaf_key = vendor->keys[leaf];
	forge_chip_chain(
		chip,
		&(struct forge_keys){ vendor->keys[VENDOR_ARK], vendor->keys[ca], chain->leaf_key },
		vendor->at, &certs);
	chain->ark_len = forge_make(&certs.root, chain->ark);
	chain->ca_len = forge_make(&certs.ca, chain->ca);
	chain->leaf_len = forge_make(&certs.leaf, chain->leaf);
	write_table(chain, vlek);
	return writer_check(&chain->table, "the certificate table", e);
}

void vendor_chain_done(struct vendor_chain *chain)
{
	writer_done(&chain->table);
}

/* ---- Intel ---- */

int vendor_tdx_platform(struct vendor *vendor, uint8_t platform, struct tdx_forge *forge,
			struct err *e)
{
	*forge = (struct tdx_forge){ .platform = platform };
	for (size_t i = 0; i < FORGE_KEY_COUNT; i++) {
		if (load_key(vendor, (enum vendor_key)(VENDOR_TDX + i), e) < 0) {
			tdx_forge_done(forge);
			return err_code(e);
		}
		forge->keys[i] = vendor->keys[VENDOR_TDX + i];
		EVP_PKEY_up_ref(forge->keys[i]);
	}
	forge->organization = "SIMULATED, not Intel: made by cocos-teesim";
	forge->at = vendor->at;
	forge->lasts = (int64_t)CRL_DAYS * DAY;
	tdx_forge_make(forge);
	return 0;
}

int vendor_tdx(struct vendor *vendor, struct tdx_forge *forge, struct err *e)
{
	return vendor_tdx_platform(vendor, 0, forge, e);
}

/* ---- what their services serve ---- */

static int save(const char *out, const char *name, const void *bytes, size_t len, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	return text_format(&path, e, "%s/%s", out, name) < 0
		       ? err_code(e)
		       : file_write(path, bytes, len, 0644, e);
}

/* Appends DER as PEM. */
static void put_pem(struct writer *w, const uint8_t *der, size_t len)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long text_len;

	MUST(bio && PEM_write_bio(bio, PEM_STRING_X509, "", der, (long)len) > 0);
	text_len = BIO_get_mem_data(bio, &text);
	writer_bytes(w, text, (size_t)text_len);
}

static int save_pem(const char *out, const char *name, const uint8_t *const ders[],
		    const size_t lens[], size_t count, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(2 * TABLE_MAX);

	for (size_t i = 0; i < count; i++)
		put_pem(&w, ders[i], lens[i]);
	return writer_check(&w, name, e) < 0 ? err_code(e) : save(out, name, w.bytes, w.len, e);
}

static int endorse_snp(struct vendor *vendor, const struct facts *facts, const char *out,
		       struct err *e)
{
	CLEANUP_VENDOR_CHAIN struct vendor_chain chain = { 0 };
	const struct forge_chip *chip = &facts->chip;
	uint8_t crl[FORGE_CRL_MAX];
	char ark[32];
	size_t len;

	if (vendor_chain(vendor, chip, &chain, e) < 0)
		return err_code(e);
	const uint8_t *const ders[] = { chain.ca, chain.ark };
	const size_t lens[] = { chain.ca_len, chain.ark_len };
	snprintf(ark, sizeof(ark), "ARK-%s", snp_product_name(chip->product));
	len = forge_crl(vendor->keys[VENDOR_ARK], ark, NULL, 0, vendor->at - DAY,
			vendor->at + (int64_t)CRL_DAYS * DAY, crl);
	if (save_pem(out, "ask.pem", ders, lens, 1, e) < 0 ||
	    save_pem(out, "ark.pem", ders + 1, lens + 1, 1, e) < 0 ||
	    save_pem(out, "ca_bundle.pem", ders, lens, 2, e) < 0 ||
	    save(out, "crl.der", crl, len, e) < 0 ||
	    save(out, "certs.bin", chain.table.bytes, chain.table.len, e) < 0)
		return err_code(e);
	return save(out, chip->key == SNP_KEY_VLEK ? "vlek.der" : "vcek.der", chain.leaf,
		    chain.leaf_len, e);
}

static int endorse_tdx(struct vendor *vendor, const char *out, struct err *e)
{
	struct tdx_forge f;

	if (vendor_tdx(vendor, &f, e) < 0)
		return err_code(e);
	const struct tdx_collateral *c = &f.collateral;
	const struct {
		const char *name;
		struct span bytes;
	} files[] = {
		{ "tcb_info.json", c->tcb_info },
		{ "tcb_info_issuer_chain.pem", c->tcb_info_chain },
		{ "qe_identity.json", c->qe_identity },
		{ "qe_identity_issuer_chain.pem", c->qe_identity_chain },
		{ "pck_crl.der", c->pck_crl },
		{ "pck_crl_issuer_chain.pem", c->pck_crl_chain },
		{ "root_ca_crl.der", c->root_crl },
		{ "root_ca.pem", { (const uint8_t *)f.root_pem, strlen(f.root_pem) } },
	};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(files) && !failed; i++)
		failed = save(out, files[i].name, files[i].bytes.bytes, files[i].bytes.len, e);
	tdx_forge_done(&f);
	return failed;
}

int vendor_endorse(struct vendor *vendor, const struct facts *facts, const char *out, struct err *e)
{
	if (dir_make(out, 0755, e) < 0)
		return err_code(e);
	return facts->tee == FACTS_TDX ? endorse_tdx(vendor, out, e)
				       : endorse_snp(vendor, facts, out, e);
}

/* ---- for hardware elsewhere ---- */

static int give_snp(struct vendor *vendor, struct facts *facts, struct err *e)
{
	CLEANUP_VENDOR_CHAIN struct vendor_chain chain = { 0 };
	struct facts_credentials *c = &facts->credentials;

	if (vendor_chain(vendor, &facts->chip, &chain, e) < 0 ||
	    key_to_private_pem(chain.leaf_key, &c->leaf_key, e) < 0)
		return err_code(e);
	c->table = writer_take(&chain.table, &c->table_len);
	return c->table ? 0 : err_nomem(e);
}

static int give_tdx(struct vendor *vendor, struct facts *facts, struct err *e)
{
	struct facts_credentials *c = &facts->credentials;
	struct tdx_forge f;
	int failed = vendor_tdx(vendor, &f, e);

	if (failed)
		return failed;
	failed = key_to_private_pem(f.keys[FORGE_PCK], &c->leaf_key, e);
	if (!failed)
		failed = key_to_private_pem(f.keys[FORGE_ATTESTATION], &c->attestation_key, e);
	c->pck_chain = TAKE_PTR(f.pck_chain);
	tdx_forge_done(&f);
	return failed;
}

int vendor_credentials(struct vendor *vendor, struct facts *facts, struct err *e)
{
	facts->has_credentials = true;
	return facts->tee == FACTS_TDX ? give_tdx(vendor, facts, e) : give_snp(vendor, facts, e);
}
