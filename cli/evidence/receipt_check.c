/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence/receipt_check.h"

#include "attestation/token/run_statement.h"
#include "common/base/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

int receipt_check_name(const char *results, char **name, struct err *e)
{
	static const char zip[] = ".zip";
	size_t len = strlen(results), stem = len;

	if (len > sizeof(zip) - 1 && strcmp(results + len - (sizeof(zip) - 1), zip) == 0)
		stem -= sizeof(zip) - 1;
	return text_format(name, e, "%.*s.receipt.cbor", (int)stem, results);
}

int receipt_check_results(const char *path, struct receipt_results *results, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	if (receipt_results_of(fd, results, e) < 0)
		return err_wrap(e, "'%s'", path);
	return 0;
}

int receipt_check_judge(const struct receipt_check *c, struct verify_input *in, struct receipt *r,
			struct verdict *v, struct verify_result *result, struct err *e)
{
	struct err why;

	memset(r, 0, sizeof(*r));
	memset(result, 0, sizeof(*result));
	verdict_init(v, in->genuine_only ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	if (receipt_parse(c->bytes.bytes, c->bytes.len, r, &why) < 0) {
		verdict_err(v, CHECK_RECEIPT_FORM, &why);
		return 0; /* a no: verdict_ok() says it */
	}
	receipt_evidence(r, in);
	if (endorsements_verify(c->endorsements, in, v, result, NULL, e) < 0)
		return err_code(e);
	verdict_check(v, CHECK_RECEIPT_FORM, true, NULL, NULL);
	return receipt_judge(r, c->found, in, v, e); /* the caller asks verdict_ok() */
}

int receipt_check_agent(const struct receipt *r, const uint8_t key[SHA256_LEN], struct verdict *v,
			struct err *e)
{
	CLEANUP(free) struct run_statement *s = calloc(1, sizeof(*s));
	uint8_t found[SHA256_LEN];
	struct err why;
	int failed;

	verdict_require(v, CHECK_RECEIPT_AGENT);
	if (!s)
		return err_nomem(e);
	if (run_statement_parse(r->proof.statement.bytes, r->proof.statement.len, s, &why) < 0) {
		verdict_err(v, CHECK_RECEIPT_AGENT, &why);
		return 0;
	}
	failed = digest(DIGEST_SHA256, s->identity, s->identity_len, found, e);
	if (!failed)
		verdict_bytes(v, CHECK_RECEIPT_AGENT, found, key, SHA256_LEN);
	run_statement_done(s);
	return failed;
}

/* ---- beside a journal ---- */

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_DENIED, "refused: the receipt %s", why);
}

static int compare(const struct receipt *r, struct span journal, const struct journal_check *c,
		   struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct err why;

	if (cose_verify(&r->cose, c->key, JOURNAL_RECEIPT_AAD, strlen(JOURNAL_RECEIPT_AAD), &why) <
	    0)
		return refuse(e, "is not signed by the key of this journal");
	if (!r->has_journal)
		return refuse(e, "names no head of a journal");
	if (r->journal.count > c->head.count)
		return err_set(e, ERR_DENIED,
			       "refused: the journal has %" PRIu64
			       " entries, and the receipt says %" PRIu64,
			       c->head.count, r->journal.count);
	if (journal_check_digest_at(journal, &c->head, r->journal.count, digest, e) < 0)
		return err_is(err_code(e), ERR_OUT_OF_RANGE)
			       ? refuse(e, "names a head of no entries")
			       : err_code(e);
	return memcmp(digest, r->journal.digest, SHA256_LEN) == 0
		       ? 0
		       : refuse(e, "names another head than this journal had");
}

int receipt_check_journal(struct span receipt, struct span journal, const struct journal_check *c,
			  uint64_t *entries, struct err *e)
{
	struct receipt r;

	if (receipt_parse(receipt.bytes, receipt.len, &r, e) < 0)
		return err_code(e);
	int failed = compare(&r, journal, c, e);
	if (!failed)
		*entries = r.journal.count;
	receipt_done(&r);
	return failed;
}
