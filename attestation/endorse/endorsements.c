/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorsements.h"

#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorse_need.h"
#include "attestation/endorse/endorse_snp.h"
#include "attestation/endorse/endorse_tdx.h"
#include "attestation/verify/verify.h"

#include <string.h>

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
	free(n->cache);
	free(n);
}

static int complete(struct endorsements *n, const struct evidence_parts *parts,
		    struct verify_input *in, struct err *e)
{
	struct endorse_need need;

	endorse_begin(n);
	endorse_need_of(in, parts, &need);
	if (need.snp)
		return endorse_snp(n, &need, in, e);
	return need.tdx ? endorse_tdx(n, &need, in, e) : 0;
}

int endorsements_complete(struct endorsements *n, struct verify_input *in, struct err *e)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *parts = NULL;

	if (evidence_parts_new(in, &parts, e) < 0)
		return err_code(e);
	return complete(n, parts, in, e);
}

static bool is_bound(const struct verify_binding *b)
{
	return b->report_data || b->nonce || b->channel || b->tpm_nonce.len;
}

int endorsements_verify(struct endorsements *n, struct verify_input *in, struct verdict *v,
			struct verify_result *result, struct err *missing, struct err *e)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *parts = NULL;
	struct err why = { 0 };
	int failed;

	if (missing)
		*missing = why;
	verdict_init(v, in->genuine_only ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	if (evidence_parts_new(in, &parts, e) < 0)
		return err_code(e);
	/* A call that makes no sense is no reason to ask a service. */
	bool fetched = !is_bound(&in->binding) || complete(n, parts, in, &why) == 0;

	failed = verify_parts(in, parts, v, result, e);
	if (fetched || verdict_ok(v))
		return failed;
	verdict_note(v, NOTE_ENDORSEMENTS, "endorsements: %s", why.text);
	if (missing)
		*missing = why;
	return failed;
}
