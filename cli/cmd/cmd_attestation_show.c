/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_attestation_show.c — every field of evidence by its specification's name; no verdict. */
#include "cli/base/batch.h"
#include "cli/base/judged.h"
#include "cli/cmd/commands.h"
#include "cli/evidence/evidence_options.h"
#include "cli/show/show.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <string.h>

enum { SHOW_MAX = 16 << 20 };

/* Without --mode: a token by its first byte, TDX by its version and key type, else a report. */
static enum evidence_kind guess(struct span s)
{
	static const uint8_t tdx4[] = { 4, 0, 2, 0 }, tdx5[] = { 5, 0, 2, 0 };

	if (s.len && s.bytes[0] == 0xD2)
		return EVIDENCE_EAT;
	if (s.len > 4 && (memcmp(s.bytes, tdx4, 4) == 0 || memcmp(s.bytes, tdx5, 4) == 0))
		return EVIDENCE_TDX;
	return s.len && s.bytes[0] == 0x0A ? EVIDENCE_VTPM : EVIDENCE_SNP;
}

/* The members of one JSON object; a batch's line says "shown": nobody has judged
 * it. */
static enum cli_exit run_one(struct cli *cli, bool batch, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(SHOW_MAX);
	CLEANUP(free) uint8_t *bytes = NULL;
	const char *name = cli_value(cli, "mode");
	struct span evidence;
	enum evidence_kind mode;

	if (file_read(cli->operands[0], EVIDENCE_FILE_MAX, &bytes, &evidence.len, e) < 0)
		return CLI_USAGE;
	evidence.bytes = bytes;
	mode = guess(evidence);
	if (name && evidence_kind_of_mode(name, &mode, e) < 0)
		return CLI_USAGE;
	if (!show_kind_is_known(mode))
		return show_kind(mode, evidence, &w, e) < 0 ? CLI_USAGE : CLI_OK;
	if (show_kind(mode, evidence, &w, e) < 0)
		return e->code == ERR_EXHAUSTED ? CLI_FAILED : judged_exit_of(FAULT_MALFORMED);
	if (writer_check(&w, "output", e) < 0)
		return CLI_FAILED;
	if (batch)
		fprintf(cli->out, "{\"verdict\":\"shown\",%.*s}\n", (int)w.len, (char *)w.bytes);
	else if (cli_flag(cli, "json"))
		fprintf(cli->out, "{%.*s}\n", (int)w.len, (char *)w.bytes);
	else
		return show_text(&w, cli->out, e) < 0 ? CLI_FAILED : CLI_OK;
	return CLI_OK;
}

static enum cli_exit run_row(struct cli *cli, struct err *e)
{
	return run_one(cli, true, e);
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	const char *batch = cli_value(cli, "batch");

	if (batch)
		return batch_run(cli, batch, run_row, e);
	if (cli->operand_count != 1)
		return cli_usage(e, "which file?");
	enum cli_exit status = run_one(cli, false, e);

	if (status == CLI_MALFORMED) {
		err_wrap(e, "'%s'", cli->operands[0]);
		if (!cli_value(cli, "mode"))
			cli_hint(cli, "what it is was guessed from its beginning: --mode says it");
	}
	return status;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "mode", .value = "MODE", .words = evidence_kind_modes,
	  .help = "what FILE is: " EVIDENCE_MODES },
	BATCH_OPTION,
	CLI_JSON_OPTION,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_attestation_show = {
	.name = "attestation show",
	.args = "FILE",
	.help = "print every field of a report, quote, protobuf or token; no verdict",
	.operands_max = 1,
	.options = options,
	.run = run,
	.more = "What is shown was parsed, not verified: anybody could have written it. Ask\n"
		"'attestation validate' for a verdict. Exit 4: it is malformed.",
};
