/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorsements.h"

#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorse_need.h"
#include "attestation/endorse/endorse_snp.h"
#include "attestation/endorse/endorse_tdx.h"
#include "attestation/verify/verify.h"

#include <stdio.h>
#include <string.h>

enum { AGE_TEXT_MAX = 32 };

static int check_base(const char *what, const char *base, struct err *e)
{
	if (base && endorse_http_base(base, e) < 0)
		return err_wrap(e, "%s", what);
	return 0;
}

int endorsements_new(const struct endorsements_config *config, struct endorsements **made,
		     struct err *e)
{
	CLEANUP(endorsements_free) struct endorsements *n = NULL;

	if (check_base("AMD's service", config->kds, e) < 0 ||
	    check_base("Intel's service", config->pcs, e) < 0)
		return err_code(e);
	if (config->deadline > ENDORSEMENTS_DEADLINE_MAX)
		return err_set(e, ERR_INVALID, "a deadline of %u s; at most %d", config->deadline,
			       ENDORSEMENTS_DEADLINE_MAX);
	n = calloc(1, sizeof(*n));
	if (!n)
		return err_nomem(e);
	n->config = *config;
	if (!n->config.deadline)
		n->config.deadline = ENDORSEMENTS_DEADLINE;
	*made = TAKE_PTR(n);
	return 0;
}

void endorsements_free(struct endorsements *n)
{
	if (!n)
		return;
	endorse_forget(n);
	endorse_http_free(n->http);
	endorse_failures_done(&n->failures);
	free(n->cache);
	free(n);
}

void endorsements_stop(struct endorsements *n)
{
	atomic_store(&n->stopped, true);
}

bool endorsements_wanted(const struct endorsements *n)
{
	return n->wanted;
}

/* `hold`: why nothing is fetched, or NULL. */
static int complete(struct endorsements *n, const struct evidence_parts *parts, const char *hold,
		    struct verify_input *in, struct err *e)
{
	struct endorse_need need;

	endorse_begin(n);
	n->hold = hold;
	n->signatures = in->signatures;
	n->crl_max_age = in->policy ? in->policy->crl_max_age : 0;
	endorse_need_of(in, parts, &need);
	if (need.snp)
		return endorse_snp(n, &need, in, e);
	return need.tdx ? endorse_tdx(n, &need, in, e) : 0;
}

/* "18 days", "5 hours". */
static const char *age_text(int64_t seconds, char text[AGE_TEXT_MAX])
{
	long long hours = seconds > 0 ? seconds / 3600 : 0;

	if (hours < 48)
		snprintf(text, AGE_TEXT_MAX, "%lld hours", hours);
	else
		snprintf(text, AGE_TEXT_MAX, "%lld days", hours / 24);
	return text;
}

/* Beside a yes as well: who keeps the service from the verifier chooses what it goes by. */
static void note_stale(const struct endorsements *n, int64_t at, struct verdict *v)
{
	char asked[AGE_TEXT_MAX], issued[AGE_TEXT_MAX];

	for (size_t i = 0; i < n->stale_count; i++) {
		const struct endorse_stale *s = &n->stale[i];

		verdict_note(v, NOTE_STALE, "%s is from the cache, issued %s ago, fetched %s%s: %s",
			     s->name, age_text(at - s->issued, issued),
			     s->asked ? age_text(at - s->asked, asked) : "nobody knows when",
			     s->asked ? " ago" : "", s->why.text);
	}
}

/* What can't be right, whatever a service says, is no reason to ask one. False: something is missing,
 * and `e` says why. A call that makes no sense is verify()'s to refuse. */
static bool complete_if_worth(struct endorsements *n, const struct evidence_parts *parts,
			      struct verify_input *in, struct err *e)
{
	CLEANUP(free) struct verdict *before = calloc(1, sizeof(*before));
	char hold[ERR_TEXT_MAX + 48];
	struct endorse_need need;
	struct err ignored;
	int failed;

	endorse_need_of(in, parts, &need);
	/* A quote would be verified twice, although nothing is to be asked for. */
	if (need.tdx && !endorse_tdx_lacks(in))
		return complete(n, parts, NULL, in, e) == 0;
	if (!before || verify_before(in, parts, before, &ignored) < 0)
		return true;
	snprintf(hold, sizeof(hold), "nothing is fetched for such evidence: %s",
		 verdict_reason(before).text);
	failed = complete(n, parts, verdict_ok(before) ? NULL : hold, in, e);
	n->hold = NULL;
	return failed == 0;
}

int endorsements_verify(struct endorsements *n, struct verify_input *in, struct verdict *v,
			struct verify_result *result, struct err *missing, struct err *e)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *parts = NULL;
	struct err why = { 0 };
	int failed;

	if (missing)
		*missing = why;
	n->stale_count = 0;
	verdict_init(v, in->genuine_only ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	if (evidence_parts_new(in, &parts, e) < 0)
		return err_code(e);
	bool whole = complete_if_worth(n, parts, in, &why);

	failed = verify_parts(in, parts, v, result, e);
	if (failed == 0)
		note_stale(n, in->at, v);
	if (whole || verdict_ok(v))
		return failed;
	verdict_note(v, NOTE_ENDORSEMENTS, "endorsements: %s", why.text);
	if (missing)
		*missing = why;
	return failed;
}
