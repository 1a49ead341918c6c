/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_attestation_validate.c — the verdict on one piece of evidence, or on many of a batch. */
#include "attestation/claims/claims.h"
#include "cli/base/batch.h"
#include "cli/base/judged.h"
#include "cli/base/verdict_line.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/endorse.h"
#include "cli/evidence/evidence_options.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <string.h>

/* What a reader of the verdict wants of TDX beside the checks. */
static void show_tdx(const struct tdx_result *r, struct writer *w)
{
	writer_printf(w,
		      "\"tdx\":{\"tcb_status\":\"%s\",\"level_tcb_status\":\"%s\","
		      "\"qe_tcb_status\":\"%s\",\"module_tcb_status\":",
		      tdx_status_name(r->status), tdx_status_name(r->level_status),
		      tdx_status_name(r->qe_status));
	/* The first modules have no version, and no status of their own. */
	if (r->has_module)
		writer_printf(w, "\"%s\"", tdx_status_name(r->module_status));
	else
		writer_text(w, "null");
	writer_text(w, ",\"advisories\":[");
	for (size_t i = 0; i < r->advisory_count; i++) {
		writer_text(w, i ? "," : "");
		json_quote_shown(w, r->advisories[i], strlen(r->advisories[i]));
	}
	writer_text(w, "]},");
}

static int print_json(struct cli *cli, const struct verify_input *in, const struct verdict *v,
		      const struct verify_result *result, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(VERDICT_JSON_MAX);
	CLEANUP_WRITER struct writer claims = writer_up_to(CLAIMS_MAX);
	CLEANUP_WRITER struct writer tdx = writer_up_to(VERDICT_JSON_MAX);

	if (result->tdx.has_status)
		show_tdx(&result->tdx, &tdx);
	if (claims_json(in, result, v, &claims, e) < 0)
		return err_code(e);
	verdict_json(v, (struct span){ claims.bytes, claims.len }, &w);
	if (writer_check(&tdx, "output", e) < 0 || writer_check(&w, "output", e) < 0)
		return err_code(e);
	fprintf(cli->out, "{%.*s%.*s\n", (int)tdx.len, tdx.len ? (const char *)tdx.bytes : "",
		(int)w.len - 1, (const char *)w.bytes + 1);
	return 0;
}

static void print_text(struct cli *cli, const struct verify_input *in, const struct verdict *v)
{
	if (in->genuine_only)
		verdict_line(cli, cli->out, v, VERDICT_OF_NONCE,
			     "%s evidence; nothing is said about what runs",
			     evidence_kind_name(in->mode));
	else
		verdict_line(cli, cli->out, v, VERDICT_OF_NONCE, "%s evidence, %zu checks",
			     evidence_kind_name(in->mode), v->count);
}

/* The verdict, with what is missing fetched before. */
static int judge_input(const struct cli *cli, bool offline, struct verify_input *in,
		       struct verdict *v, struct verify_result *result, struct err *e)
{
	CLEANUP(endorsements_free) struct endorsements *n = NULL;

	offline = offline || (in->policy && in->policy->offline);
	if (endorse_open(cli, offline, &n, e) < 0)
		return err_code(e);
	return endorsements_verify(n, in, v, result, NULL, e); /* the caller asks verdict_ok() */
}

/* One evidence file and its options. A row of a batch is answered in JSON, and fetches nothing:
 * thousands of rows must not become thousands of requests. */
static enum cli_exit judge(struct cli *cli, const char *path, bool batch, struct err *e)
{
	CLEANUP(free) struct evidence_options *o = malloc(sizeof(*o));
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));
	CLEANUP(free) struct verify_result *result = calloc(1, sizeof(*result));

	if (!o || !v || !result) {
		err_nomem(e);
		return CLI_USAGE;
	}
	bool judged = evidence_options_read(cli, path, o, e) == 0;
	o->input.signatures = cli->shared;
	judged = judged && judge_input(cli, batch, &o->input, v, result, e) == 0;
	if (judged && o->problem[0])
		verdict_note(v, NOTE_EVIDENCE, "evidence: %s", o->problem);
	if (judged && (batch || cli_flag(cli, "json")))
		judged = print_json(cli, &o->input, v, result, e) == 0;
	else if (judged)
		print_text(cli, &o->input, v);
	evidence_options_done(o);
	if (!judged)
		return CLI_USAGE;
	e->text[0] = '\0'; /* of what was tried on the way; the output has said it all */
	return judged_exit(v);
}

static enum cli_exit judge_row(struct cli *cli, struct err *e)
{
	return judge(cli, cli->operands[0], true, e);
}

/* A fleet has few CAs, lists and documents: their signatures are verified once. */
static enum cli_exit run_batch(struct cli *cli, const char *path, struct err *e)
{
	CLEANUP(signatures_free) struct signatures *signatures = NULL;

	if (signatures_new(&signatures, e) < 0)
		return CLI_USAGE;
	cli->shared = signatures;
	return batch_run(cli, path, judge_row, e);
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	const char *batch = cli_value(cli, "batch");

	if (batch)
		return run_batch(cli, batch, e);
	if (cli->operand_count != 1)
		return cli_usage(e, "which file? One with a report, quote, protobuf or token");
	return judge(cli, cli->operands[0], false, e);
}

const struct command cmd_attestation_validate = {
	.name = "attestation validate",
	.common = true,
	.args = "FILE",
	.help = "judge evidence: is it genuine, and what the policy asks?",
	.operands_max = 1,
	.options = evidence_option_table,
	.run = run,
	.more = "Prints 'verified: …' (exit 0), or 'refused: CHECK: found …, wanted …', with 'and: …' for each\n"
		"further check that failed; 'explain CHECK' tells what it means. Exit 4: malformed,\n"
		"3: not genuine, 1: not what you or the policy ask for, 2: a wrong call or an input that can't be\n"
		"used. A batch ends with 2 if a row does, else with the highest. --json tells what the evidence says, too ('claims').\n"
		"One of --report_data, --tee, --nonce says what the evidence has to be bound to. Without --policy the answer is 'refused', except with\n"
		"--genuine-only, whose 'genuine: …' says nothing about what runs.\n"
		"FILE is a report with or without certificate table, a quote, a token, or sevsnp.Attestation (snp)\n"
		"or attest.Attestation (vtpm, snp-vtpm, tdx-vtpm) as protobuf or in its JSON form.\n"
		"Vendors' certificates, revocation lists (with --check_crl) and TCB documents that are neither\n"
		"given nor in the evidence come from the cache, or unless --offline from AMD's and Intel's\n"
		"services; each is believed only once it is verified. When one can't be had, the answer is\n"
		"'refused', and a note says why. A batch fetches nothing.",
};
