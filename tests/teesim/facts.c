/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/facts.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/crypto/digest.h"

#include <string.h>

/* One member of the JSON and where its bytes go. */
struct row {
	const char *name;
	size_t at, len;
};

#define SNP(member)                                       \
	{ #member, offsetof(struct facts, report.member), \
	  sizeof(((struct facts *)0)->report.member) }
#define TDX(name, member)                                  \
	{ name, offsetof(struct facts, quote.body.member), \
	  sizeof(((struct facts *)0)->quote.body.member) }

/* Hexadecimal. */
static const struct row snp_bytes[] = {
	SNP(measurement), SNP(host_data),     SNP(family_id),
	SNP(image_id),    SNP(id_key_digest), SNP(author_key_digest),
};
static const struct row tdx_bytes[] = {
	TDX("mrtd", mrtd),
	TDX("rtmr0", rtmr[0]),
	TDX("rtmr1", rtmr[1]),
	TDX("rtmr2", rtmr[2]),
	TDX("rtmr3", rtmr[3]),
	TDX("mrconfigid", mrconfigid),
	TDX("mrowner", mrowner),
	TDX("mrownerconfig", mrownerconfig),
	TDX("tdattributes", tdattributes),
	TDX("xfam", xfam),
};

static const char *const snp_known[] = {
	"tee",       "product",     "report_version", "signing_key",
	"tcb",       "chip_id",     "policy",         "platform_info",
	"guest_svn", "credentials", "measurement",    "host_data",
	"family_id", "image_id",    "id_key_digest",  "author_key_digest",
	NULL,
};
static const char *const tdx_known[] = {
	"tee",     "quote_version", "body",         "credentials", "mrtd",
	"rtmr0",   "rtmr1",         "rtmr2",        "rtmr3",       "mrconfigid",
	"mrowner", "mrownerconfig", "tdattributes", "xfam",        NULL,
};

static int read_bytes(const struct json *root, const struct row *rows, size_t count,
		      struct facts *facts, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (!json_get(root, rows[i].name))
			continue;
		if (json_get_hex(root, rows[i].name, (uint8_t *)facts + rows[i].at, rows[i].len,
				 e) < 0)
			return err_wrap(e, "%s", rows[i].name);
	}
	return 0;
}

static int read_number(const struct json *root, const char *name, uint64_t max, uint64_t *value,
		       struct err *e)
{
	if (!json_get(root, name))
		return 0;
	if (json_get_u64(root, name, value, e) < 0)
		return err_code(e);
	return *value <= max ? 0
			     : err_set(e, ERR_INVALID, "%s: more than %llu", name,
				       (unsigned long long)max);
}

static int read_tcb(const struct json *tcb, struct snp_tcb *out, struct err *e)
{
	static const char *const known[] = { "fmc", "bootloader", "tee", "snp", "microcode", NULL };

	if (json_only_keys(tcb, known, e) < 0)
		return err_wrap(e, "tcb");
	for (size_t i = 0; known[i]; i++) {
		uint64_t value = 0;

		if (!json_get(tcb, known[i]))
			continue;
		if (read_number(tcb, known[i], UINT8_MAX, &value, e) < 0)
			return err_wrap(e, "tcb");
		for (size_t c = 0; c < SNP_TCB_COMPONENTS; c++)
			if (strcmp(snp_tcb_components[c].name, known[i]) == 0)
				*((uint8_t *)out + snp_tcb_components[c].at) = (uint8_t)value;
	}
	return 0;
}

static int read_word(const struct json *root, const char *name, const char **word, struct err *e)
{
	return json_get(root, name) ? json_get_string(root, name, word, e) : 0;
}

static int read_chip(const struct json *root, struct facts *facts, struct err *e)
{
	const char *product = "Milan", *key = "vcek", *chip_id = NULL;
	const struct json *tcb = json_get(root, "tcb");
	struct forge_chip *chip = &facts->chip;
	size_t len;

	if (read_word(root, "product", &product, e) < 0 ||
	    read_word(root, "signing_key", &key, e) < 0 ||
	    read_word(root, "chip_id", &chip_id, e) < 0)
		return err_code(e);
	enum snp_product p = snp_product_of(product);
	if (p == SNP_PRODUCT_ANY || (strcmp(key, "vcek") != 0 && strcmp(key, "vlek") != 0))
		return err_set(e, ERR_INVALID,
			       "product: Milan, Genoa or Turin; signing_key: vcek or vlek");
	forge_chip(chip, p, strcmp(key, "vlek") == 0 ? SNP_KEY_VLEK : SNP_KEY_VCEK);
	if (tcb && read_tcb(tcb, &chip->tcb, e) < 0)
		return err_code(e);
	if (!chip_id)
		return 0;
	memset(chip->chip_id, 0, sizeof(chip->chip_id));
	len = p == SNP_TURIN ? SNP_TURIN_HWID_LEN : SNP_CHIP_ID_LEN;
	if (chip->key == SNP_KEY_VLEK || hex_decode(chip_id, chip->chip_id, len, e) < 0)
		return err_set(e, ERR_INVALID, "chip_id: %zu bytes, and none with a VLEK", len);
	return 0;
}

static int read_snp(const struct json *root, struct facts *facts, struct err *e)
{
	struct snp_report *r = &facts->report;
	uint64_t version = 3, svn;

	if (json_only_keys(root, snp_known, e) < 0 || read_chip(root, facts, e) < 0 ||
	    read_number(root, "report_version", 5, &version, e) < 0)
		return err_code(e);
	if (version != 2 && version != 3 && version != 5)
		return err_set(e, ERR_INVALID, "report_version: 2, 3 or 5");
	forge_chip_report(&facts->chip, (uint32_t)version, r);
	memset(r->measurement, 0, sizeof(r->measurement));
	svn = r->guest_svn;
	if (!json_get(root, "measurement"))
		return err_set(e, ERR_INVALID, "measurement is missing");
	if (read_bytes(root, snp_bytes, ARRAY_LEN(snp_bytes), facts, e) < 0 ||
	    read_number(root, "policy", UINT64_MAX, &r->policy, e) < 0 ||
	    read_number(root, "platform_info", UINT64_MAX, &r->platform_info, e) < 0 ||
	    read_number(root, "guest_svn", UINT32_MAX, &svn, e) < 0)
		return err_code(e);
	r->guest_svn = (uint32_t)svn;
	return random_bytes(r->report_id, sizeof(r->report_id), e);
}

static int read_tdx(const struct json *root, struct facts *facts, struct err *e)
{
	struct forge_quote *q = &facts->quote;
	uint64_t version = 4;
	const char *body = NULL;

	if (json_only_keys(root, tdx_known, e) < 0 ||
	    read_number(root, "quote_version", 5, &version, e) < 0 ||
	    read_word(root, "body", &body, e) < 0)
		return err_code(e);
	if (version != 4 && version != 5)
		return err_set(e, ERR_INVALID, "quote_version: 4 or 5");
	bool td15 = version == 5 && (!body || strcmp(body, "1.5") == 0);
	if (body && strcmp(body, td15 ? "1.5" : "1.0") != 0)
		return err_set(e, ERR_INVALID, "body: 1.0, or with version 5 also 1.5");
	tdx_forge_good_quote(q);
	q->version = (uint16_t)version;
	q->body_type = td15 ? TDX_BODY_15 : TDX_BODY_10;
	for (size_t i = 0; i < ARRAY_LEN(tdx_bytes) - 2; i++) /* but not attributes and XFAM */
		memset((uint8_t *)facts + tdx_bytes[i].at, 0, tdx_bytes[i].len);
	if (!json_get(root, "mrtd"))
		return err_set(e, ERR_INVALID, "mrtd is missing");
	return read_bytes(root, tdx_bytes, ARRAY_LEN(tdx_bytes), facts, e);
}

static int copy_text(const struct json *object, const char *name, char **out, struct err *e)
{
	const char *text;

	if (json_get_string(object, name, &text, e) < 0)
		return err_code(e);
	*out = strdup(text);
	return *out ? 0 : err_nomem(e);
}

static int read_credentials(const struct json *root, struct facts *facts, struct err *e)
{
	static const char *const known[] = { "leaf_key", "attestation_key", "table", "pck_chain",
					     NULL };
	const struct json *object = json_get(root, "credentials");
	struct facts_credentials *c = &facts->credentials;
	const char *table;

	if (!object)
		return 0;
	facts->has_credentials = true;
	if (json_only_keys(object, known, e) < 0 ||
	    copy_text(object, "leaf_key", &c->leaf_key, e) < 0)
		return err_wrap(e, "credentials");
	if (facts->tee == FACTS_TDX)
		return copy_text(object, "attestation_key", &c->attestation_key, e) < 0 ||
				       copy_text(object, "pck_chain", &c->pck_chain, e) < 0
			       ? err_code(e)
			       : 0;
	if (json_get_string(object, "table", &table, e) < 0)
		return err_code(e);
	return base64_decode(table, strlen(table), &c->table, &c->table_len, e);
}

static int read_facts(const struct json *root, struct facts *facts, struct err *e)
{
	const char *tee;

	if (json_get_string(root, "tee", &tee, e) < 0)
		return err_code(e);
	if (strcmp(tee, "snp") != 0 && strcmp(tee, "tdx") != 0)
		return err_set(e, ERR_INVALID, "tee: snp or tdx");
	facts->tee = strcmp(tee, "tdx") == 0 ? FACTS_TDX : FACTS_SNP;
	if ((facts->tee == FACTS_TDX ? read_tdx : read_snp)(root, facts, e) < 0)
		return err_code(e);
	return read_credentials(root, facts, e);
}

int facts_parse(const void *json, size_t len, struct facts *facts, struct err *e)
{
	struct json *root;
	int failed;

	memset(facts, 0, sizeof(*facts));
	if (json_parse(json, len, &root, e) < 0)
		return err_wrap(e, "launch facts");
	failed = read_facts(root, facts, e);
	json_free(root);
	if (failed)
		facts_done(facts);
	return failed ? err_wrap(e, "launch facts") : 0;
}

int facts_load(const char *path, struct facts *facts, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (file_read(path, FACTS_MAX, &bytes, &len, e) < 0)
		return err_code(e);
	return facts_parse(bytes, len, facts, e);
}

void facts_done(struct facts *facts)
{
	struct facts_credentials *c = &facts->credentials;

	free(c->leaf_key);
	free(c->attestation_key);
	free(c->table);
	free(c->pck_chain);
	memset(facts, 0, sizeof(*facts));
}
