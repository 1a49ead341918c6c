/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/participant.h"

#include "agent/computation/refusal.h"
#include "common/manifest/manifest_extension.h"

static const struct rule {
	const char *names, *whose;
	bool consumers, provider, owners;
} rules[] = {
	[MANIFEST_LOGS_ALL] = { "everybody", "anybody whom the manifest names", true, true, true },
	[MANIFEST_LOGS_CONSUMERS] = { "the consumers", "a consumer that the manifest names",
				      .consumers = true },
	[MANIFEST_LOGS_PROVIDER] = { "the algorithm's provider", "the algorithm's provider",
				     .provider = true },
};

static bool is_shown_to(const struct access *access, const struct computation *c,
			const struct rule *rule)
{
	bool found = rule->provider && access_names(access, c->algorithm.key);

	for (size_t i = 0; rule->consumers && i < c->consumer_count; i++)
		found = found || access_names(access, c->consumers[i].key);
	for (size_t i = 0; rule->owners && i < c->dataset_count; i++)
		found = found || access_names(access, c->datasets[i].key);
	return found;
}

int participant_check(const struct access *access, const struct computation *c, struct err *e)
{
	const struct rule *rule = &rules[manifest_logs(c->manifest)];

	if (access->is_proof && access->signer.len && is_shown_to(access, c, rule) &&
	    access_verify(access, &access->signer, c->digests.sha3_256, NULL, NULL, e) == 0)
		return 0;
	return refusal_not_signed(access, c, rule->whose, NULL, NULL, e);
}

const char *participant_names(const struct computation *c)
{
	return rules[manifest_logs(c->manifest)].names;
}
