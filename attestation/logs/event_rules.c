/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/logs/event_rules.h"

#include <string.h>

bool event_rules_cover(const struct event_rules *rules, uint32_t pcr, enum digest_kind bank)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->rules[i].pcr == pcr && rules->rules[i].bank == bank)
			return true;
	return false;
}

bool event_rules_allow(const struct event_rules *rules, uint32_t pcr, enum digest_kind bank,
		       const uint8_t *digest_bytes)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct event_rule *rule = &rules->rules[i];

		if (rule->pcr == pcr && rule->bank == bank &&
		    memcmp(rule->digest, digest_bytes, digest_len(bank)) == 0)
			return true;
	}
	return false;
}
