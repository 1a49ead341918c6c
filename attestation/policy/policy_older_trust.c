/* SPDX-License-Identifier: Apache-2.0 */
/* The older form's `root_of_trust` and `eat_validation`: who is believed, and how a token looks. */
#include "attestation/policy/policy_fields.h"

#include <string.h>
#include <strings.h>

static int read_offline(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	r->policy->offline |= value->boolean;
	return 0;
}

/* Collateral is always demanded; 'true' says nothing new and 'false' changes nothing. */
static int read_get_collateral(struct policy_reading *r, const struct json *value)
{
	return value->type == JSON_BOOL ? 0 : policy_wrong(r, value, "true or false");
}

/* A policy that brings its own roots would vouch for itself. */
static int refuse_bundles(struct policy_reading *r, const struct json *value)
{
	if (value->type == JSON_ARRAY && value->count == 0)
		return 0;
	return err_set(r->e, ERR_INVALID,
		       "certificates are not taken from a policy; give them as endorsements "
		       "(--CA_bundles_paths), and a root of your own as --trusted_root");
}

/* "" stands in files of the stock generator for TDX. */
static int read_root_product(struct policy_reading *r, const struct json *value)
{
	if (value->type == JSON_STRING && !*value->text)
		return 0;
	return policy_read_product(r, value);
}

const struct policy_row policy_older_root_rows[] = {
	{ "product", POLICY_CUSTOM, 0, 0, read_root_product, NULL },
	{ "product_line", POLICY_CUSTOM, 0, 0, read_root_product, NULL },
	{ "cabundle_paths", POLICY_CUSTOM, 0, 0, refuse_bundles, NULL },
	{ "cabundles", POLICY_CUSTOM, 0, 0, refuse_bundles, NULL },
	{ "check_crl", POLICY_CUSTOM, 0, 0, policy_read_check_crl, NULL },
	{ "disallow_network", POLICY_CUSTOM, 0, 0, read_offline, NULL },
	{ "get_collateral", POLICY_CUSTOM, 0, 0, read_get_collateral, NULL },
	{ .key = NULL },
};

/* Signatures are always verified; the claims of this list are looked for. */
static int read_required_claims(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_ARRAY)
		return policy_wrong(r, value, "an array");
	for (size_t i = 0; i < value->count; i++) {
		const char *name = value->items[i].text;

		if (value->items[i].type != JSON_STRING)
			return policy_wrong(r, &value->items[i], "a string");
		if (strcmp(name, "ueid") == 0)
			r->policy->token.require_ueid = true;
		else if (strcmp(name, "measurements") == 0)
			r->policy->token.require_measurements = true;
		else if (strcmp(name, "eat_nonce") != 0 && strcmp(name, "platform_type") != 0)
			return policy_wrong(r, &value->items[i],
					    "a claim that a policy can ask for");
	}
	return 0;
}

static int read_required(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	r->policy->token.required |= value->boolean;
	return 0;
}

static int ignore_flag(struct policy_reading *r, const struct json *value)
{
	return value->type == JSON_BOOL ? 0 : policy_wrong(r, value, "true or false");
}

/* Only CBOR tokens are taken, so a list that leaves CBOR out can't be met. */
static int read_formats(struct policy_reading *r, const struct json *value)
{
	bool cbor = false;

	if (value->type != JSON_ARRAY)
		return policy_wrong(r, value, "an array");
	for (size_t i = 0; i < value->count; i++) {
		if (value->items[i].type != JSON_STRING)
			return policy_wrong(r, &value->items[i], "a string");
		cbor = cbor || strcasecmp(value->items[i].text, "cbor") == 0;
	}
	return cbor || !value->count ? 0 : err_set(r->e, ERR_INVALID, "only CBOR tokens are read");
}

const struct policy_row policy_older_eat_rows[] = {
	{ "require_eat_format", POLICY_CUSTOM, 0, 0, read_required, NULL },
	{ "allowed_formats", POLICY_CUSTOM, 0, 0, read_formats, NULL },
	{ "max_token_age_seconds", POLICY_CUSTOM, 0, 0, policy_read_max_age, NULL },
	{ "require_claims", POLICY_CUSTOM, 0, 0, read_required_claims, NULL },
	{ "verify_signature", POLICY_CUSTOM, 0, 0, ignore_flag, NULL },
	{ .key = NULL },
};
