/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_validate.c — the verdict on one piece of evidence, or on many of a batch. */
#include <string.h>

#include "cli/commands.h"
#include "cli/batch.h"
#include "cli/evidence_options.h"
#include "common/base/writer.h"

enum { VERDICT_JSON_MAX = 1 << 20 };

static void print_json(struct cli *cli, const struct verdict *v)
{
	CLEANUP_WRITER struct writer w = writer_up_to(VERDICT_JSON_MAX);

	verdict_json(v, &w);
	fprintf(cli->out, "%.*s\n", (int)w.len, (const char *)w.bytes);
}

static void print_text(struct cli *cli, const struct verify_input *in, const struct verdict *v,
		       const struct err *reason, bool yes)
{
	if (!yes)
		fprintf(cli->out, "refused: %s\n", reason->text);
	else if (in->genuine_only)
		fprintf(cli->out, "genuine: %s evidence; nothing is said about what runs\n",
			verify_mode_name(in->mode));
	else
		fprintf(cli->out, "verified: %s evidence, %zu checks\n", verify_mode_name(in->mode),
			v->count);
	for (size_t i = 0; i < v->note_count; i++)
		fprintf(stderr, "note: %s\n", v->notes[i]);
}

/* One evidence file and its options; `json` whatever --json says, for batches. */
static enum cli_exit judge(struct cli *cli, const char *path, bool json, struct err *e)
{
	CLEANUP(free) struct evidence_options *o = malloc(sizeof(*o));
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));

	if (!o || !v) {
		err_nomem(e);
		return CLI_USAGE;
	}
	int failed = evidence_options_read(cli, path, o, e);
	if (!failed)
		failed = verify(&o->input, v, NULL, e);
	if (failed && failed != -ERR_DENIED) {
		evidence_options_done(o);
		return CLI_USAGE;
	}
	if (json)
		print_json(cli, v);
	else
		print_text(cli, &o->input, v, e, !failed);
	e->text[0] = '\0'; /* the output has said it */
	evidence_options_done(o);
	return failed ? CLI_FAILED : CLI_OK;
}

static enum cli_exit judge_row(struct cli *cli, struct err *e)
{
	return judge(cli, cli->operands[0], true, e);
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	const char *batch = cli_value(cli, "batch");

	if (batch)
		return batch_run(cli, batch, judge_row, e);
	if (cli->operand_count != 1)
		return cli_usage(e, "which file? One with a report, quote, protobuf or token");
	return judge(cli, cli->operands[0], cli_flag(cli, "json"), e);
}

const struct command cmd_attestation_validate = {
	.name = "attestation validate",
	.args = "FILE",
	.help = "judge evidence: is it genuine, and what the policy asks?",
	.operands_max = 1,
	.options = evidence_option_table,
	.run = run,
	.more = "Prints 'verified: …' (exit 0), or 'refused: CHECK: found …, wanted …' (exit 1); exit 2\n"
		"says that the call or an input was no good. One of --report_data, --tee, --nonce says what\n"
		"the evidence has to be bound to. Without --policy the answer is 'refused', but for\n"
		"--genuine-only, whose 'genuine: …' says nothing about what runs.",
};
