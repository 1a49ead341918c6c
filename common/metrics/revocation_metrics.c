/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/revocation_metrics.h"

#include <string.h>

/* Authorities may have one name, such as the old one and the next: a sample of these labels is there once, so the first of
 * their lists to end counts. False: it was told with an earlier list of that name. */
static bool first_end(const struct crl_set *set, size_t at, int64_t *ends)
{
	const char *issuer = crl_issuer(set->lists[at]);

	*ends = crl_next_update(set->lists[at]);
	for (size_t i = 0; i < set->count; i++) {
		if (i == at || strcmp(crl_issuer(set->lists[i]), issuer) != 0)
			continue;
		if (i < at)
			return false;
		if (crl_next_update(set->lists[i]) < *ends)
			*ends = crl_next_update(set->lists[i]);
	}
	return true;
}

static void write_ends(struct revocation *const *all, size_t count, struct metrics_text *t)
{
	metrics_family(t, "cocos_crl_next_update_timestamp_seconds", METRICS_GAUGE,
		       "When the list of an authority ends that a setting names, since 1970.");
	for (size_t i = 0; i < count; i++) {
		const struct crl_set *set = all[i] ? revocation_lists(all[i]) : NULL;

		for (size_t k = 0; set && k < set->count; k++) {
			const struct metrics_label labels[] = {
				{ "setting", revocation_setting(all[i]) },
				{ "issuer", crl_issuer(set->lists[k]) },
				{ 0 },
			};
			int64_t ends;

			if (first_end(set, k, &ends))
				metrics_sample(t, labels, (double)ends);
		}
	}
}

static void write_refused(struct revocation *const *all, size_t count, struct metrics_text *t)
{
	static const char *const reasons[REVOCATION_EVENTS] = {
		[REVOCATION_REVOKED] = "revoked",
		[REVOCATION_UNKNOWN] = "no_list",
		[REVOCATION_ENDED] = "ended",
	};

	metrics_family(t, "cocos_crl_refused", METRICS_COUNTER,
		       "Connections refused: the certificate is revoked, or its authority has no "
		       "current list; ended: that were open.");
	for (size_t i = 0; i < count; i++)
		for (unsigned k = 0; all[i] && k < REVOCATION_EVENTS; k++) {
			const struct metrics_label labels[] = {
				{ "setting", revocation_setting(all[i]) },
				{ "reason", reasons[k] },
				{ 0 },
			};

			metrics_sample(t, labels, (double)revocation_count(all[i], k));
		}
}

void revocation_metrics_write(struct revocation *const *all, size_t count, struct metrics_text *t)
{
	write_ends(all, count, t);
	metrics_family(t, "cocos_crl_file_refused", METRICS_GAUGE,
		       "1: the file as it is now is not taken, or a list of it is older than "
		       "what was read before, which counts.");
	for (size_t i = 0; i < count; i++) {
		const struct metrics_label labels[] = {
			{ "setting", all[i] ? revocation_setting(all[i]) : "" }, { 0 }
		};

		if (all[i])
			metrics_sample(t, labels, revocation_is_stale(all[i]));
	}
	write_refused(all, count, t);
}
