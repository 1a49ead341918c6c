/* SPDX-License-Identifier: Apache-2.0 */
/* The table of providers of identities, and of who becomes a user; then claims behind a zero byte, that meet its rules. */
#include "computations/oidc/provider_table.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct provider_table t;

static void check_provider(size_t at)
{
	const struct provider *row = &t.rows[at];

	assert(*row->name && *row->issuer && *row->client && !*row->secret);
	assert(strncmp(row->scopes, "openid", 6) == 0 &&
	       (!row->scopes[6] || row->scopes[6] == ' '));
	assert(!*row->secret_path || *row->secret_path == '/');
	assert(!*row->ca_path || *row->ca_path == '/');
	assert(provider_table_find(&t, row->name) == row);
	for (size_t k = 0; k < at; k++)
		assert(strcmp(row->issuer, t.rows[k].issuer) != 0);
}

static void check_rule(const struct provider_rule *rule)
{
	assert(rule->provider < t.count && *t.rows[rule->provider].name_claim);
	assert(*rule->claim && *rule->value && *rule->workspace);
	assert(rule->role > MEMBERSHIP_NONE && rule->role < MEMBERSHIPS);
}

/* Whatever is claimed: rules of another provider are met by nobody. */
static void check_claims(const uint8_t *bytes, size_t len)
{
	struct id_token token = { .claims = NULL };
	struct provider_matches m;
	struct err e;

	if (json_parse(bytes, len, &token.claims, &e) < 0)
		return;
	for (size_t i = 0; i < t.count; i++) {
		provider_table_match(&t, &t.rows[i], &token, &m);
		for (size_t k = 0; k < PROVIDER_RULES_MAX; k++)
			if (m.bits[k / 64] >> k % 64 & 1)
				assert(m.any && k < t.rule_count && t.rules[k].provider == i);
		if (provider_is_strong(&t.rows[i], &token))
			assert(*t.rows[i].acr || *t.rows[i].amr);
	}
	id_token_done(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint8_t *zero = len ? memchr(bytes, 0, len) : NULL;
	size_t text = zero ? (size_t)(zero - bytes) : len;
	struct err e;

	if (provider_table_parse((const char *)bytes, text, "oidc", &t, &e) < 0) {
		assert(strncmp(e.text, "oidc:", 5) == 0);
		return 0;
	}
	assert(t.count > 0 && t.count <= PROVIDERS_MAX && t.rule_count <= PROVIDER_RULES_MAX);
	for (size_t i = 0; i < t.count; i++)
		check_provider(i);
	for (size_t i = 0; i < t.rule_count; i++)
		check_rule(&t.rules[i]);
	assert(!provider_table_find(&t, "none at all"));
	if (zero)
		check_claims(zero + 1, len - text - 1);
	return 0;
}
