/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_receipt.c — receipts for results: judged without the agent, and shown. */
#include "attestation/claims/claims.h"
#include "cli/base/judged.h"
#include "cli/base/moment.h"
#include "cli/base/text.h"
#include "cli/base/verdict_line.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/evidence_options.h"
#include "cli/evidence/receipt_check.h"
#include "cli/show/show.h"
#include "cli/show/show_receipt.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <string.h>

enum { SHOW_MAX = 16 << 20 };

/* ---- verify ---- */

static int print_json(struct cli *cli, const struct verify_input *in, const struct receipt *r,
		      const struct verdict *v, const struct verify_result *result, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(VERDICT_JSON_MAX);
	CLEANUP_WRITER struct writer claims = writer_up_to(CLAIMS_MAX);
	CLEANUP_WRITER struct writer receipt = writer_up_to(SHOW_MAX);

	if (r->computation && claims_json(in, result, v, &claims, e) < 0)
		return err_code(e);
	verdict_json(v, (struct span){ claims.bytes, claims.len }, &w);
	if (r->computation)
		show_receipt(r, &receipt);
	if (writer_check(&w, "output", e) < 0 || writer_check(&receipt, "output", e) < 0)
		return err_code(e);
	fprintf(cli->out, "{\"receipt\":{%.*s},%.*s\n", (int)receipt.len,
		receipt.len ? (const char *)receipt.bytes : "", (int)w.len - 1,
		(const char *)w.bytes + 1);
	return 0;
}

static void print_text(struct cli *cli, const struct verify_input *in, const struct receipt *r,
		       const struct verdict *v)
{
	const char *what = cli->operand_count ? "results" : "receipt";
	const struct text_plain id = text_plain(r->computation ? r->computation : "");

	if (in->genuine_only)
		verdict_line(
			cli, cli->out, v, VERDICT_OF_SESSION,
			"the %s of computation %s, %s evidence; nothing is said about what ran",
			what, id.text, evidence_kind_name(r->platform));
	else
		verdict_line(cli, cli->out, v, VERDICT_OF_SESSION,
			     "the %s of computation %s, %s evidence, %zu checks", what, id.text,
			     evidence_kind_name(r->platform), v->count);
}

/* What is trusted, and the moment; a policy is no must here, but then the verifier says no. */
static int read_options(const struct cli *cli, struct evidence_options *o, struct err *e)
{
	o->input.genuine_only = cli_flag(cli, "genuine-only");
	if (evidence_check_genuine(cli, e) < 0 ||
	    evidence_policies(cli, "policy", NULL, o, e) < 0 || evidence_trust_read(cli, o, e) < 0)
		return err_code(e);
	return evidence_moment(cli, o, e);
}

static int judge(struct cli *cli, struct evidence_options *o, struct span bytes, struct receipt *r,
		 struct verdict *v, struct verify_result *result, struct err *e)
{
	CLEANUP(endorsements_free) struct endorsements *endorsements = NULL;
	struct receipt_results found;
	struct receipt_check check = { .bytes = bytes };

	if (cli->operand_count) {
		if (receipt_check_results(cli->operands[0], &found, e) < 0)
			return err_code(e);
		check.found = &found;
	}
	if (endorse_open(cli, o->policy.offline, &endorsements, e) < 0)
		return err_code(e);
	check.endorsements = endorsements;
	if (receipt_check_judge(&check, &o->input, r, v, result, e) <
	    0) /* see verdict_ok() below */
		return err_code(e);
	if (!check.found && r->computation) {
		verdict_not_asked(v, CHECK_RECEIPT_RESULTS, "no results were shown");
		verdict_note(v, NOTE_NO_RESULTS,
			     "no results were shown: of which it is, nobody has judged");
	}
	return 0;
}

static int read_receipt(struct cli *cli, uint8_t **bytes, size_t *len, struct err *e)
{
	const char *named = cli_value(cli, "receipt");
	CLEANUP(free) char *beside = NULL;

	if (!named && !cli->operand_count)
		return err_set(e, ERR_INVALID,
			       "name the results, or a receipt that is shown without them "
			       "(--receipt FILE)");
	if (!named && receipt_check_name(cli->operands[0], &beside, e) < 0)
		return err_code(e);
	/* A file that is longer than any is refused as a receipt. */
	if (file_read(named ? named : beside, EVIDENCE_FILE_MAX, bytes, len, e) < 0) {
		cli_hint(cli, "the receipt that 'cocos-cli result' wrote is looked for beside the "
			      "results, without their '.zip'; --receipt FILE names another");
		return err_code(e);
	}
	return 0;
}

static enum cli_exit run_verify(struct cli *cli, struct err *e)
{
	CLEANUP(free) struct evidence_options *o = malloc(sizeof(*o));
	CLEANUP(free) struct verdict *v = calloc(1, sizeof(*v));
	CLEANUP(free) struct verify_result *result = calloc(1, sizeof(*result));
	CLEANUP(free) uint8_t *bytes = NULL;
	struct receipt r = { .computation = NULL };
	size_t len = 0;

	if (!o || !v || !result) {
		err_nomem(e);
		return CLI_USAGE;
	}
	evidence_options_init(o);
	bool judged = read_options(cli, o, e) == 0 && read_receipt(cli, &bytes, &len, e) == 0 &&
		      judge(cli, o, (struct span){ bytes, len }, &r, v, result, e) == 0;
	if (judged && cli_flag(cli, "json"))
		judged = print_json(cli, &o->input, &r, v, result, e) == 0;
	else if (judged)
		print_text(cli, &o->input, &r, v);
	receipt_done(&r);
	evidence_options_done(o);
	if (!judged)
		return CLI_USAGE;
	e->text[0] = '\0'; /* of what was tried on the way; the output has said it all */
	return judged_exit(v);
}

/* clang-format off */
static const struct cli_option verify_options[] = {
	{ .name = "receipt", .value = "FILE",
	  .help = "the receipt (results.receipt.cbor beside results.zip)" },
	{ .name = "policy", .value = "FILE", .times = CLI_MANY, .help = "what to expect (JSON)" },
	EVIDENCE_TRUST_OPTIONS,
	{ .name = "genuine-only", .help = "only ask whether it is real hardware's, not what ran" },
	MOMENT_AT_OPTION,
	CLI_JSON_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_receipt_verify = {
	.name = "receipt verify",
	.common = true,
	.args = "[RESULTS]",
	.help = "judge the receipt for results: whose they are, and from what",
	.operands_min = 0,
	.operands_max = 1,
	.options = verify_options,
	.run = run_verify,
	.more = "Prints 'verified: …' (exit 0) if the agent that a policy describes made this file and says so in\n"
		"its receipt, else 'refused: CHECK: found …, wanted …' with the exit statuses of 'attestation\n"
		"validate'. Nobody but the receipt says when it was made, and its clock is the host's: everything is\n"
		"judged now, or at the moment that you name (--at), and a note says the receipt's time. Without\n"
		"--policy the answer is 'refused', except with --genuine-only, whose 'genuine: …' says nothing\n"
		"about what ran. Without RESULTS the receipt of --receipt is judged alone, a provider's copy,\n"
		"too, which does not say of which results it is. 'receipt show' prints what went in.",
};

/* ---- show ---- */

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(SHOW_MAX);
	CLEANUP(free) uint8_t *bytes = NULL;
	bool slsa = cli_flag(cli, "slsa"), json = cli_flag(cli, "json");
	struct receipt r;
	size_t len;

	if (slsa && json)
		return cli_usage(e, "--json and --slsa: one of them");
	if (file_read(cli->operands[0], EVIDENCE_FILE_MAX, &bytes, &len, e) < 0)
		return CLI_USAGE;
	if (receipt_parse(bytes, len, &r, e) < 0) {
		cli_hint(cli, "is it a receipt? 'cocos-cli result' writes NAME.receipt.cbor beside "
			      "NAME.zip");
		err_wrap(e, "'%s'", cli->operands[0]);
		return e->code == ERR_EXHAUSTED ? CLI_FAILED : judged_exit_of(FAULT_MALFORMED);
	}
	if (slsa && !r.is_open) {
		receipt_done(&r);
		return cli_usage(
			e, "--slsa: a Statement names its subject's digest, and this copy says "
			   "of no results: take a consumer's");
	}
	if (slsa)
		show_receipt_slsa(&r, &w);
	else
		show_receipt(&r, &w);
	receipt_done(&r);
	if (writer_check(&w, "output", e) < 0)
		return CLI_FAILED;
	if (slsa)
		fprintf(cli->out, "%.*s\n", (int)w.len, (const char *)w.bytes);
	else if (json)
		fprintf(cli->out, "{%.*s}\n", (int)w.len, (const char *)w.bytes);
	else
		return show_text(&w, cli->out, e) < 0 ? CLI_FAILED : CLI_OK;
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option show_options[] = {
	CLI_JSON_OPTION,
	{ .name = "slsa", .help = "print an in-toto Statement with SLSA provenance" },
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_receipt_show = {
	.name = "receipt show",
	.args = "RECEIPT",
	.help = "print what a receipt says; nothing is judged",
	.operands_min = 1,
	.operands_max = 1,
	.options = show_options,
	.run = run_show,
	.more = "Anybody can write a receipt: believe one only after 'receipt verify'. --slsa prints an in-toto\n"
		"Statement (v1) with SLSA Provenance (v1) for tools that read those; it is not signed.",
};
