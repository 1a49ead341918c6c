/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_attestation_explain.c — what a check of a verdict is good for, from the verifier's own table. */
#include "attestation/verdict/checks.h"
#include "cli/base/judged.h"
#include "cli/cmd/commands.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <string.h>

enum { JSON_MAX = 1 << 20 };

/* "policy.pcr16": a family's index is part of the name. */
static void explain(struct cli *cli, const char *name, const struct check_row *row)
{
	fprintf(cli->out, "%s\n", name);
	fprintf(cli->out, "  means:       %s\n", row->means);
	fprintf(cli->out, "  without it:  %s\n", row->without);
	fprintf(cli->out, "  what to do:  %s\n", row->remedy);
	fprintf(cli->out, "  a no says:   %s (exit %d)\n", check_fault_word(row->fault),
		judged_exit_of(row->fault));
	if (row->section)
		fprintf(cli->out, "  see:         %s\n", row->section);
}

static void put_row(struct writer *w, const struct check_row *row)
{
	const char *const members[][2] = {
		{ "name", row->name },     { "section", row->section ? row->section : "" },
		{ "means", row->means },   { "without", row->without },
		{ "remedy", row->remedy }, { "fault", check_fault_word(row->fault) },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		writer_printf(w, "%s\"%s\":", i ? "," : "{", members[i][0]);
		json_quote_shown(w, members[i][1], strlen(members[i][1]));
	}
	writer_printf(w, ",\"family\":%s}", row->attributes & CHECK_FAMILY ? "true" : "false");
}

static enum cli_exit print_json(struct cli *cli, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JSON_MAX);

	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		writer_text(&w, i ? "," : "[");
		put_row(&w, checks_row((enum check_id)i));
	}
	writer_text(&w, "]");
	if (writer_check(&w, "output", e) < 0)
		return CLI_FAILED;
	fprintf(cli->out, "%.*s\n", (int)w.len, (const char *)w.bytes);
	return CLI_OK;
}

/* Of one stage, or of all. Returns how many there were. */
static size_t list(struct cli *cli, const char *stage)
{
	size_t len = stage ? strlen(stage) : 0, count = 0;

	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		const struct check_row *row = checks_row((enum check_id)i);

		if (stage && (strncmp(row->name, stage, len) != 0 || row->name[len] != '.'))
			continue;
		fprintf(cli->out, "%-33s  %s\n", row->name, row->means);
		count++;
	}
	return count;
}

static enum cli_exit run(struct cli *cli, struct err *e)
{
	const char *name = cli->operand_count ? cli->operands[0] : NULL;
	enum check_id id;
	unsigned index;

	if (cli_flag(cli, "json") && name)
		return cli_usage(e, "--json is the whole table: name no check beside it");
	if (cli_flag(cli, "json"))
		return print_json(cli, e);
	if (name && checks_find(name, &id, &index)) {
		explain(cli, name, checks_row(id));
		return CLI_OK;
	}
	if (list(cli, name))
		return CLI_OK;
	cli_hint(cli, "'cocos-cli explain' lists the checks");
	return cli_usage(e, "no check or stage is named %s", log_quote(name).text);
}

/* For completion; of a family the stem. */
static const char *const names[] = {
#define CHECK(id, name, section, fault, attributes, means, without, remedy) name,
#include "attestation/verdict/checks_receipt.def"
#include "attestation/verdict/checks_snp.def"
#include "attestation/verdict/checks_snp_policy.def"
#include "attestation/verdict/checks_tdx.def"
#include "attestation/verdict/checks_token.def"
#include "attestation/verdict/checks_tpm.def"
#undef CHECK
	NULL,
};

static const struct cli_option options[] = { CLI_JSON_OPTION, { .name = NULL } };

static const char more[] =
	"CHECK is a name as 'refused: CHECK: …' has it, or a stage (its first word): then, and\n"
	"without CHECK, a list with one line each.";

const struct command cmd_explain = {
	.name = "explain",
	.args = "[CHECK]",
	.help = "say what a check of a verdict is good for",
	.operands_max = 1,
	.options = options,
	.run = run,
	.more = more,
	.operand_words = names,
};

/* Its name before there was the short one. */
const struct command cmd_attestation_explain = {
	.name = "attestation explain",
	.args = "[CHECK]",
	.help = "say what a check of a verdict is good for",
	.operands_max = 1,
	.options = options,
	.run = run,
	.more = more,
	.hidden = true,
	.operand_words = names,
};
