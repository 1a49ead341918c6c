/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_manifest_check.c — would an agent take a manifest, and what speaks against it, all at once. */
#include "cli/base/json_out.h"
#include "cli/base/manifest_file.h"
#include "cli/base/text.h"
#include "cli/cmd/commands.h"
#include "common/manifest/agent_certs.h"
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest_faults.h"

#include <string.h>

enum { REASONS_MAX = 256 };

/* What no agent minds, and somebody else will. */
static void print_notes(const Cvms__ComputationRunReq *manifest)
{
	const Cvms__AgentConfig *config = manifest->agent_config;
	struct err note;

	if (!manifest->id[0])
		fputs("note: there is no id; the computation service gives it one, and with it "
		      "another digest\n",
		      stderr);
	if (!manifest->n_result_consumers)
		fputs("note: result_consumers is empty: nobody can fetch the results\n", stderr);
	if (agent_config_check(config, &note) == 0 &&
	    agent_config_check_shown(config, NULL, &note) < 0)
		fprintf(stderr, "note: 'computation create' refuses it: %s\n",
			text_plain(note.text).text);
	if (config && agent_certs_outdated("client_ca_file", config->client_ca_file, &note))
		fprintf(stderr, "note: agent_config: %s\n", text_plain(note.text).text);
}

static int print_json(struct cli *cli, const struct manifest_faults *faults, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_bool(&out, "taken", faults->count == 0);
	json_out_list(&out, "reasons");
	for (size_t i = 0; i < faults->count; i++)
		json_out_text(&out, NULL, faults->list[i].text);
	json_out_end(&out);
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

static void print_text(struct cli *cli, const struct manifest_faults *faults)
{
	if (!faults->count)
		fputs("taken: an agent takes this manifest\n", cli->out);
	for (size_t i = 0; i < faults->count; i++)
		fprintf(cli->out, "refused: %s\n", text_plain(faults->list[i].text).text);
	if (faults->count == faults->room)
		fprintf(cli->out, "refused: and perhaps for more than these %zu\n", faults->count);
}

static enum cli_exit run_check(struct cli *cli, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	CLEANUP(free) struct err *list = calloc(REASONS_MAX, sizeof(*list));
	struct manifest_faults faults = { .list = list, .room = REASONS_MAX };

	if (!list) {
		err_nomem(e);
		return CLI_FAILED;
	}
	if (manifest_file_read_all(cli->operands[0], &manifest, &faults, e) < 0) {
		cli_hint(cli, "cocos-cli(1) describes the form of a manifest");
		return CLI_USAGE;
	}
	e->text[0] = '\0'; /* of what was gone on behind; it is in the list */
	print_notes(manifest);
	if (!cli_flag(cli, "json"))
		print_text(cli, &faults);
	else if (print_json(cli, &faults, e) < 0)
		return CLI_USAGE;
	return faults.count ? CLI_FAILED : CLI_OK;
}

const struct command cmd_manifest_check = {
	.name = "manifest check",
	.common = true,
	.args = "FILE",
	.help = "would an agent take this manifest? prints every reason against it",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, { .name = NULL } },
	.run = run_check,
	.more = "Judged by what an agent itself does, as far as it can be said here: certificates that are\n"
		"named by a path, the image's runtimes and what hardware there is only the agent knows.\n"
		"Exit status 0: it takes it; 1: it refuses it; 2: there is no manifest to be judged.",
};
