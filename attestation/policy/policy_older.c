/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The older form: fields of go-sev-guest's check.Policy and RootOfTrust and of go-tdx-guest's
 * checkconfig, beside Cocos's pcr_values and eat_validation. Their meaning is kept where it is
 * stricter than ours and never where it is laxer.
 */
#include "attestation/policy/policy_fields.h"
#include "common/base/bytes.h"

#include <string.h>

#define SNP(member) offsetof(struct policy, snp.member)

enum { CHIP_ID_LEN = 64, TURIN_HWID_LEN = 8, REPORT_DATA_LEN = 64 };

/* The most permissive guest policy; the reserved bit that is always one may be left out. */
static int read_guest_policy(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	if (policy_read_u64(r, value, UINT64_MAX, &v) < 0)
		return err_code(r->e);
	r->policy->snp.guest_policy = v | SNP_POLICY_RESERVED_ONE;
	return 0;
}

/* To go-sev-guest SMT and TSME are what a platform may have, and what isn't here is refused; the rest
 * it has to have. The alias check is demanded whatever the older form says. */
static int read_platform_info(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	if (policy_read_u64(r, value, UINT64_MAX, &v) < 0)
		return err_code(r->e);
	r->policy->snp.platform_info = v | SNP_PLATFORM_ALIAS_CHECK_COMPLETE;
	r->policy->snp.platform_refused = ~v & (SNP_PLATFORM_SMT_EN | SNP_PLATFORM_TSME_EN);
	return 0;
}

static int read_tcb(struct policy_reading *r, const struct json *value)
{
	r->has_tcb[0] = true;
	return policy_read_u64(r, value, UINT64_MAX, &r->min_tcb[0]);
}

static int read_launch_tcb(struct policy_reading *r, const struct json *value)
{
	r->has_launch_tcb[0] = true;
	return policy_read_u64(r, value, UINT64_MAX, &r->min_launch_tcb[0]);
}

static int read_tcb_turin(struct policy_reading *r, const struct json *value)
{
	r->has_tcb[1] = true;
	return policy_read_u64(r, value, UINT64_MAX, &r->min_tcb[1]);
}

static int read_launch_tcb_turin(struct policy_reading *r, const struct json *value)
{
	r->has_launch_tcb[1] = true;
	return policy_read_u64(r, value, UINT64_MAX, &r->min_launch_tcb[1]);
}

static int read_report_data(struct policy_reading *r, const struct json *value)
{
	r->policy->has_report_data = true;
	return policy_read_bytes(r, value, REPORT_DATA_LEN, r->policy->report_data);
}

/* 64 bytes, or the 8 of a Turin's hwID, which CHIP_ID fills up with zeros. */
static int read_chip_id(struct policy_reading *r, const struct json *value)
{
	uint8_t chip[CHIP_ID_LEN] = { 0 };
	struct err ignored, *e = r->e;

	r->e = &ignored;
	int is_short = policy_read_bytes(r, value, TURIN_HWID_LEN, chip);
	r->e = e;
	if (is_short < 0 && policy_read_bytes(r, value, CHIP_ID_LEN, chip) < 0)
		return err_code(e);
	return policy_add_value(r, &r->policy->snp.chip_ids, chip, CHIP_ID_LEN);
}

static int read_require_id_block(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	r->require_id_block = value->boolean;
	return 0;
}

/* Certificates of launch keys: their digest is over AMD's format of the key. */
static int refuse_keys(struct policy_reading *r, const struct json *value)
{
	if (value->type == JSON_ARRAY && value->count == 0)
		return 0;
	return err_set(r->e, ERR_INVALID,
		       "keys as certificates are not taken; give their digests as "
		       "trusted_id_key_hashes or trusted_author_key_hashes");
}

/* An empty list is what a stock generator writes for 'none'. */
static int read_hashes(struct policy_reading *r, const struct json *value, struct value_set *set)
{
	uint8_t digest[SHA384_LEN];

	if (value->type != JSON_ARRAY || value->count > POLICY_LIST_MAX)
		return policy_wrong(r, value, "an array");
	for (size_t i = 0; i < value->count; i++)
		if (policy_read_bytes(r, &value->items[i], sizeof(digest), digest) < 0 ||
		    policy_add_value(r, set, digest, sizeof(digest)) < 0)
			return err_wrap(r->e, "value %zu", i + 1);
	return 0;
}

static int read_id_hashes(struct policy_reading *r, const struct json *value)
{
	return read_hashes(r, value, &r->policy->snp.id_key_digests);
}

static int read_author_hashes(struct policy_reading *r, const struct json *value)
{
	return read_hashes(r, value, &r->policy->snp.author_key_digests);
}

/* sevsnp.SevProduct.SevProductName, by number or name. */
static int read_product_name(struct policy_reading *r, const struct json *value)
{
	static const struct {
		const char *name;
		enum snp_product product;
	} names[] = {
		{ "SEV_PRODUCT_UNKNOWN", SNP_PRODUCT_ANY },
		{ "SEV_PRODUCT_MILAN", SNP_MILAN },
		{ "SEV_PRODUCT_GENOA", SNP_GENOA },
		{ "SEV_PRODUCT_TURIN", SNP_TURIN },
	};
	uint64_t number = ARRAY_LEN(names);

	if (value->type == JSON_NUMBER &&
	    policy_read_u64(r, value, ARRAY_LEN(names) - 1, &number) < 0)
		return err_code(r->e);
	for (size_t i = 0; value->type == JSON_STRING && i < ARRAY_LEN(names); i++)
		if (strcmp(value->text, names[i].name) == 0)
			number = i;
	if (number == ARRAY_LEN(names))
		return policy_wrong(r, value, "a product such as SEV_PRODUCT_MILAN");
	return number ? policy_set_product(r, names[number].product) : 0;
}

static int read_stepping(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	if (policy_read_u64(r, value, 15, &v) < 0)
		return err_code(r->e);
	r->policy->snp.stepping = (int)v;
	return 0;
}

/* Deprecated by its authors and never compared by them; a number all the same. */
static int ignore_number(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	return policy_read_u64(r, value, UINT32_MAX, &v);
}

static const struct policy_row product_rows[] = {
	{ .key = "name", .kind = POLICY_CUSTOM, .read = read_product_name },
	{ .key = "stepping", .kind = POLICY_CUSTOM, .read = ignore_number },
	{ .key = "machine_stepping", .kind = POLICY_CUSTOM, .read = read_stepping },
	{ .key = NULL },
};

const struct policy_row policy_older_snp_rows[] = {
	{ "minimum_guest_svn", POLICY_U32, SNP(min_guest_svn), 0, NULL, NULL },
	{ "policy", POLICY_CUSTOM, 0, 0, read_guest_policy, NULL },
	{ "family_id", POLICY_ONE, SNP(family_ids), 16, NULL, NULL },
	{ "image_id", POLICY_ONE, SNP(image_ids), 16, NULL, NULL },
	{ "vmpl", POLICY_CUSTOM, 0, 0, policy_read_vmpl, NULL },
	{ "minimum_tcb", POLICY_CUSTOM, 0, 0, read_tcb, NULL },
	{ "minimum_launch_tcb", POLICY_CUSTOM, 0, 0, read_launch_tcb, NULL },
	{ "minimum_tcb_turin", POLICY_CUSTOM, 0, 0, read_tcb_turin, NULL },
	{ "minimum_launch_tcb_turin", POLICY_CUSTOM, 0, 0, read_launch_tcb_turin, NULL },
	{ "platform_info", POLICY_CUSTOM, 0, 0, read_platform_info, NULL },
	{ "require_author_key", POLICY_BOOL, SNP(require_author_key), 0, NULL, NULL },
	{ "report_data", POLICY_CUSTOM, 0, REPORT_DATA_LEN, read_report_data, NULL },
	{ "measurement", POLICY_ONE, SNP(measurements), 48, NULL, NULL },
	{ "host_data", POLICY_ONE, SNP(host_data), 32, NULL, NULL },
	{ "report_id", POLICY_ONE, SNP(report_ids), 32, NULL, NULL },
	{ "report_id_ma", POLICY_ONE, SNP(report_id_mas), 32, NULL, NULL },
	{ "chip_id", POLICY_CUSTOM, 0, CHIP_ID_LEN, read_chip_id, NULL },
	{ "minimum_build", POLICY_U8, SNP(min_build), 0, NULL, NULL },
	{ "minimum_version", POLICY_CUSTOM, 0, 0, policy_read_version, NULL },
	{ "permit_provisional_firmware", POLICY_BOOL, SNP(allow_provisional), 0, NULL, NULL },
	{ "require_id_block", POLICY_CUSTOM, 0, 0, read_require_id_block, NULL },
	{ "trusted_author_keys", POLICY_CUSTOM, 0, 0, refuse_keys, NULL },
	{ "trusted_author_key_hashes", POLICY_CUSTOM, 0, 0, read_author_hashes, NULL },
	{ "trusted_id_keys", POLICY_CUSTOM, 0, 0, refuse_keys, NULL },
	{ "trusted_id_key_hashes", POLICY_CUSTOM, 0, 0, read_id_hashes, NULL },
	{ "product", POLICY_OBJECT, 0, 0, NULL, product_rows },
	{ .key = NULL },
};

static int read_policy(struct policy_reading *r, const struct json *value)
{
	bool tdx = json_get(value, "header_policy") || json_get(value, "headerPolicy") ||
		   json_get(value, "td_quote_body_policy") || json_get(value, "tdQuoteBodyPolicy");

	if (policy_begin(r, tdx ? &r->policy->has_tdx : &r->policy->has_snp) < 0)
		return err_code(r->e);
	return policy_read_object(r, value, tdx ? policy_older_tdx_rows : policy_older_snp_rows,
				  true);
}

const struct policy_row policy_older_rows[] = {
	{ "policy", POLICY_CUSTOM, 0, 0, read_policy, NULL },
	{ "root_of_trust", POLICY_OBJECT, 0, 0, NULL, policy_older_root_rows },
	{ "pcr_values", POLICY_CUSTOM, 0, 0, policy_read_pcrs, NULL },
	{ "eat_validation", POLICY_OBJECT, 0, 0, NULL, policy_older_eat_rows },
	{ .key = NULL },
};

static struct snp_tcb tcb_of(enum snp_product product, uint64_t number)
{
	uint8_t bytes[SNP_TCB_LEN];

	bytes_put_le(bytes, number, sizeof(bytes));
	return snp_tcb_of(bytes, product);
}

/* A report without an ID block has zeros for its key. */
static int check_id_block(struct policy_reading *r)
{
	static const uint8_t none[SHA384_LEN];
	const struct value_set *set = &r->policy->snp.id_key_digests;

	if (!set->count)
		return err_set(
			r->e, ERR_INVALID,
			"require_id_block without trusted_id_key_hashes: nothing says whose");
	for (size_t i = 0; i < set->count; i++)
		if (memcmp(set->values + i * SHA384_LEN, none, SHA384_LEN) == 0)
			return err_set(
				r->e, ERR_INVALID,
				"require_id_block, and zeros among trusted_id_key_hashes: they "
				"are of no ID block");
	return 0;
}

int policy_finish_older(struct policy_reading *r)
{
	struct snp_policy *snp = &r->policy->snp;
	bool turin = snp->product == SNP_TURIN;

	if (r->has_tcb[turin])
		snp->min_tcb = tcb_of(snp->product, r->min_tcb[turin]);
	if (r->has_launch_tcb[turin]) {
		snp->min_launch_tcb = tcb_of(snp->product, r->min_launch_tcb[turin]);
		/* 0 is unset in that form, in a number's parts as well. */
		snp->launch_floors = snp_tcb_named(&snp->min_launch_tcb);
	}
	/* A floor that would silently fall away is a missing check. */
	if ((r->has_tcb[!turin] && !r->has_tcb[turin]) ||
	    (r->has_launch_tcb[!turin] && !r->has_launch_tcb[turin]))
		return err_set(r->e, ERR_INVALID,
			       "a TCB floor of another product than the one that is named");
	if (snp->product == SNP_PRODUCT_ANY && (r->has_tcb[1] || r->has_launch_tcb[1]))
		return err_set(r->e, ERR_INVALID,
			       "TCB floors of two products: say which it is (product)");
	if (r->require_id_block && check_id_block(r) < 0)
		return err_code(r->e);
	return policy_finish_older_mrtd(r);
}
