/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that both forms have. */
#include "attestation/policy/policy_fields.h"

int policy_read_vmpl(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	if (policy_read_u64(r, value, 3, &v) < 0)
		return err_code(r->e);
	r->policy->snp.vmpl = (uint32_t)v;
	return 0;
}

/* "major.minor", both up to 255. */
int policy_read_version(struct policy_reading *r, const struct json *value)
{
	unsigned number[2] = { 0, 0 };
	size_t part = 0, digits = 0;

	if (value->type != JSON_STRING)
		return policy_wrong(r, value, "a version such as \"1.55\"");
	for (const char *c = value->text; *c; c++) {
		if (*c == '.' && part == 0 && digits) {
			part = 1;
			digits = 0;
			continue;
		}
		number[part] = number[part] * 10 + (unsigned)(*c - '0');
		if (*c < '0' || *c > '9' || ++digits > 3 || number[part] > UINT8_MAX)
			return policy_wrong(r, value, "a version such as \"1.55\"");
	}
	if (part != 1 || !digits)
		return policy_wrong(r, value, "a version such as \"1.55\"");
	r->policy->snp.min_api_major = (uint8_t)number[0];
	r->policy->snp.min_api_minor = (uint8_t)number[1];
	return 0;
}

int policy_set_product(struct policy_reading *r, enum snp_product product)
{
	enum snp_product *now = &r->policy->snp.product;

	if (*now != SNP_PRODUCT_ANY && *now != product)
		return err_set(r->e, ERR_INVALID, "%s, and %s elsewhere", snp_product_name(product),
			       snp_product_name(*now));
	*now = product;
	return 0;
}

int policy_read_product(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_STRING)
		return policy_wrong(r, value, "a product: Milan, Genoa or Turin");
	enum snp_product product = snp_product_of(value->text);
	if (product == SNP_PRODUCT_ANY)
		return policy_wrong(r, value, "a product: Milan, Genoa or Turin");
	return policy_set_product(r, product);
}

/* Both forms may ask; neither takes back what the other asked for. */
int policy_read_max_age(struct policy_reading *r, const struct json *value)
{
	uint64_t *now = &r->policy->token.max_age, age;

	if (policy_read_u64(r, value, UINT64_MAX, &age) < 0)
		return err_code(r->e);
	if (age && (!*now || age < *now))
		*now = age;
	return 0;
}

int policy_read_check_crl(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	r->policy->require_crl |= value->boolean;
	return 0;
}

int policy_read_attributes(struct policy_reading *r, const struct json *value)
{
	r->policy->tdx.has_attributes = true;
	return policy_read_bytes(r, value, sizeof(r->policy->tdx.attributes),
				 r->policy->tdx.attributes);
}

int policy_read_xfam(struct policy_reading *r, const struct json *value)
{
	r->policy->tdx.has_xfam = true;
	return policy_read_bytes(r, value, sizeof(r->policy->tdx.xfam), r->policy->tdx.xfam);
}
