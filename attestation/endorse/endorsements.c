/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorsements.h"

#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorse_need.h"
#include "common/base/clock.h"

#include <string.h>

static void forget(struct endorsements *n)
{
	for (size_t i = 0; i < n->kept_count; i++)
		free(n->kept[i]);
	n->kept_count = 0;
}

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
	forget(n);
	endorse_http_free(n->http);
	free(n->cache);
	free(n);
}

void endorse_begin(struct endorsements *n)
{
	forget(n);
	n->deadline = clock_ms(CLOCK_MONOTONIC) + (int64_t)n->config.deadline * 1000;
}

int endorsements_complete(struct endorsements *n, struct verify_input *in, struct err *e)
{
	CLEANUP(free) struct endorse_need *need = calloc(1, sizeof(*need));
	int rc = 0;

	if (!need)
		return err_nomem(e);
	endorse_begin(n);
	endorse_need_open(need, in);
	if (need->snp)
		rc = endorse_snp(n, need, in, e);
	else if (need->tdx)
		rc = endorse_tdx(n, need, in, e);
	endorse_need_done(need);
	return rc;
}
