/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/tdx/tdx_case.h"

static struct value_set one(const uint8_t *value)
{
	return (struct value_set){ value, 1 };
}

static void statuses_read(struct tdx_policy *policy, const struct json *list)
{
	struct err e;

	policy->statuses = 0;
	for (size_t i = 0; i < list->count; i++) {
		enum tdx_status status;

		assert_ok(tdx_status_parse(list->items[i].text, &status, &e), e);
		policy->statuses |= 1u << status;
	}
}

void tdx_case_policy(struct tdx_policy *policy, const struct tdx_quote *parsed,
		     const struct json *changes)
{
	const struct tdx_body *b = &parsed->body;

	tdx_policy_init(policy);
	policy->statuses = UINT32_MAX;
	policy->mrtd = one(b->mrtd);
	policy->mrconfigid = one(b->mrconfigid);
	policy->mrowner = one(b->mrowner);
	policy->mrownerconfig = one(b->mrownerconfig);
	policy->mrseam = one(b->mrseam);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		policy->rtmr[i] = one(b->rtmr[i]);
	for (size_t i = 0; changes && i < changes->count; i++) {
		const struct json *c = &changes->items[i];

		if (strcmp(c->key, "tcb_status") == 0)
			statuses_read(policy, c);
		else if (strcmp(c->key, "allow_sept_ve") == 0)
			policy->allow_sept_ve = c->boolean;
		else if (strcmp(c->key, "allow_service_td") == 0)
			policy->mrservicetd = one(b->mrservicetd);
		else if (strcmp(c->key, "allow_debug") != 0) /* which nothing allows */
			fail_msg("unknown policy '%s'", c->key);
	}
}

static const struct json *member(const struct json *expected, const struct json *also,
				 const char *key)
{
	const struct json *m = json_get(also, key);

	return m ? m : json_get(expected, key);
}

static const char *member_text(const struct json *expected, const struct json *also,
			       const char *key)
{
	const struct json *m = member(expected, also, key);

	return m && m->type == JSON_STRING ? m->text : NULL;
}

/* Files in `collateral_override` replace those of the same name. */
static void override(struct tdx_case *c, const struct json *overrides)
{
	static const struct {
		const char *name;
		size_t offset;
	} files[] = {
		{ "tcb_info.json", offsetof(struct tdx_collateral, tcb_info) },
		{ "tcb_info_issuer_chain.pem", offsetof(struct tdx_collateral, tcb_info_chain) },
		{ "qe_identity.json", offsetof(struct tdx_collateral, qe_identity) },
		{ "qe_identity_issuer_chain.pem",
		  offsetof(struct tdx_collateral, qe_identity_chain) },
		{ "pck_crl.der", offsetof(struct tdx_collateral, pck_crl) },
		{ "pck_crl_issuer_chain.pem", offsetof(struct tdx_collateral, pck_crl_chain) },
		{ "root_ca_crl.der", offsetof(struct tdx_collateral, root_crl) },
	};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *path = case_text(overrides, files[i].name);
		struct span *s = (struct span *)((char *)&c->collateral + files[i].offset);

		if (!path)
			continue;
		case_free(s);
		*s = case_file(c->folder, path);
		found++;
	}
	assert_int_equal(found, overrides ? overrides->count : 0);
}

void tdx_case_load(struct tdx_case *c, const char *folder, const struct json *expected,
		   const struct json *also)
{
	const char *collateral = member_text(expected, also, "collateral");
	const char *root = member_text(expected, also, "trust_root");
	const char *quote = member_text(expected, also, "quote");
	const char *at = member_text(expected, also, "at");
	char path[CASE_PATH_MAX];
	struct err e;

	memset(c, 0, sizeof(*c));
	c->folder = folder;
	c->quote = case_file(folder, quote ? quote : "quote.bin");
	assert_non_null(c->quote.bytes);
	if (!collateral || strcmp(collateral, "none") != 0) {
		case_path(path, "%s/%s", folder, collateral ? collateral : "collateral");
		assert_ok(tdx_collateral_load(path, &c->collateral, &e), e);
		c->root = case_file(path, "root_ca.pem");
		override(c, member(expected, also, "collateral_override"));
	}
	if (root) {
		case_free(&c->root);
		c->root = case_file(folder, root);
	}
	assert_non_null(c->root.bytes);
	c->input.quote = c->quote;
	c->input.endorsements.collateral = c->collateral;
	c->input.endorsements.trusted_root = c->root;
	if (at)
		assert_ok(timestamp_parse(at, &c->input.endorsements.at, &e), e);
	else
		c->input.endorsements.at = 1750000000; /* within the certificates' years */
	if (tdx_quote_parse(c->quote.bytes, c->quote.len, &c->parsed, &e) < 0)
		memset(&c->parsed, 0, sizeof(c->parsed));
	memcpy(c->report_data, c->parsed.body.reportdata, sizeof(c->report_data));
	tdx_case_policy(&c->policy, &c->parsed, member(expected, also, "policy"));
	c->input.report_data = c->report_data;
	c->input.policy = &c->policy;
}

void tdx_case_done(struct tdx_case *c)
{
	case_free(&c->quote);
	case_free(&c->root);
	tdx_collateral_done(&c->collateral);
}
