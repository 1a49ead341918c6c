/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/logs/event_rules.h"

#include "attestation/logs/event_log.h"

#include <stdio.h>
#include <string.h>

bool event_rules_cover(const struct event_rules *rules, uint32_t pcr, enum digest_kind bank)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->rules[i].pcr == pcr && rules->rules[i].bank == bank)
			return true;
	return false;
}

/* One register, on both sides. */
struct account {
	const struct event_rules *rules;
	const struct event_log *log;
	uint32_t pcr, log_pcr;
	enum digest_kind kind;
	size_t bank; /* of the log */
};

static bool extends(const struct account *a, const struct event *event)
{
	return event->pcr == a->log_pcr && event->type != EVENT_NO_ACTION;
}

static bool speaks(const struct account *a, const struct event_rule *rule)
{
	return rule->pcr == a->pcr && rule->bank == a->kind;
}

static size_t named(const struct account *a, const uint8_t *digest_bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < a->rules->count; i++)
		count += speaks(a, &a->rules->rules[i]) &&
			 memcmp(a->rules->rules[i].digest, digest_bytes, digest_len(a->kind)) == 0;
	return count;
}

static size_t logged(const struct account *a, const uint8_t *digest_bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < a->log->count; i++)
		count += extends(a, &a->log->events[i]) &&
			 memcmp(a->log->events[i].digests[a->bank], digest_bytes,
				digest_len(a->kind)) == 0;
	return count;
}

static bool none_is_new(const struct account *a, char fault[EVENT_FAULT_MAX])
{
	for (size_t i = 0; i < a->log->count; i++) {
		const struct event *event = &a->log->events[i];

		if (!extends(a, event) || named(a, event->digests[a->bank]))
			continue;
		snprintf(fault, EVENT_FAULT_MAX, "event %zu in register %u is not named", i + 1,
			 a->log_pcr);
		return false;
	}
	return true;
}

static bool each_is_there(const struct account *a, char fault[EVENT_FAULT_MAX])
{
	for (size_t i = 0; i < a->rules->count; i++) {
		const struct event_rule *rule = &a->rules->rules[i];

		if (!speaks(a, rule))
			continue;
		size_t wanted = named(a, rule->digest), found = logged(a, rule->digest);
		if (found == wanted)
			continue;
		snprintf(fault, EVENT_FAULT_MAX,
			 "register %u has event %02x%02x%02x%02x… %zu times, not %zu", a->log_pcr,
			 rule->digest[0], rule->digest[1], rule->digest[2], rule->digest[3], found,
			 wanted);
		return false;
	}
	return true;
}

bool event_rules_account(const struct event_rules *rules, uint32_t pcr, enum digest_kind bank,
			 const struct event_log *log, uint32_t log_pcr, char fault[EVENT_FAULT_MAX])
{
	int at = event_log_bank(log, bank);
	const struct account a = { rules, log, pcr, log_pcr, bank, (size_t)at };

	if (at < 0) {
		snprintf(fault, EVENT_FAULT_MAX, "the log has no bank of %s", digest_name(bank));
		return false;
	}
	return none_is_new(&a, fault) && each_is_there(&a, fault);
}
