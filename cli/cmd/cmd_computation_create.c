/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_computation_create.c — a manifest for the computation service, from a JSON file or made from
 * options; and the manifest of a computation, fetched back.
 *
 * What the options say is made into JSON first (manifest_options.h), so there is one reader.
 */
#include "cli/base/manifest_file.h"
#include "cli/base/text.h"
#include "cli/client/computation_client.h"
#include "cli/client/user_keys.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/manifest_options.h"
#include "common/manifest/agent_certs.h"
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest.h"

#include <string.h>

/* As the agent will; and what its clients are going to be shown. */
static int check(Cvms__ComputationRunReq *manifest, const char *host, struct err *e)
{
	if (manifest_file_judge(manifest, e) < 0)
		return err_code(e);
	return agent_config_check_shown(manifest->agent_config, host, e);
}

/* What was given, as JSON; `file` NULL: by options. */
static int read_text(struct cli *cli, const char *file, uint8_t **text, size_t *len, struct err *e)
{
	if (!file)
		return manifest_options_build(cli, text, len, e);
	if (manifest_options_refuse(cli, e) < 0)
		return err_code(e);
	return manifest_file_text(file, text, len, e);
}

/* `id` "": of a new computation. `*asked`: it is the service that refused, with a hint: it has no such key, or there is no service. */
static int read_manifest(struct cli *cli, const char *id, const char *file,
			 Cvms__ComputationRunReq **manifest, bool *asked, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t len = 0;
	int failed;

	if (read_text(cli, file, &text, &len, e) < 0)
		return err_code(e);
	failed = user_keys_fill(cli, id, &text, &len, e);
	*asked = failed && cli->hint[0];
	if (!failed)
		failed = manifest_from_json(text, len, manifest, e);
	explicit_bzero(text, len); /* the agent's private key may be there */
	if (!failed)
		failed = check(*manifest, cli_value(cli, "agent-host"), e);
	return failed && file ? err_wrap(e, "'%s'", file) : failed;
}

/* What is measured, and no more: people publish it and compare its digest, and the rest holds a key. */
static int print_manifest(struct cli *cli, const Cvms__ComputationRunReq *manifest, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (manifest_canonical(manifest, &text, &len, e) < 0)
		return err_code(e);
	fprintf(cli->out, "%s\n", text);
	return 0;
}

/* Of client_ca_file nobody but its clients would miss one that is not valid. */
static void note_dates(const Cvms__AgentConfig *config)
{
	struct err note;

	if (config && agent_certs_outdated("client_ca_file", config->client_ca_file, &note))
		fprintf(stderr, "note: agent_config: %s\n", note.text);
}

static int dry_run(struct cli *cli, const Cvms__ComputationRunReq *manifest, struct err *e)
{
	if (print_manifest(cli, manifest, e) < 0)
		return err_code(e);
	if (manifest->agent_config)
		fprintf(stderr,
			"note: agent_config is not in this canonical form, which is what the "
			"manifest's digest is of; it goes to the service with the manifest\n");
	return 0;
}

/* What `cli_exit` a manifest that can't be read is. */
static enum cli_exit unread(struct cli *cli, bool asked)
{
	if (!cli->hint[0])
		cli_hint(cli, "cocos-cli(1) describes manifests; 'cocos-cli computation "
			      "create --help' the options that make one");
	return asked ? CLI_FAILED : CLI_USAGE;
}

static enum cli_exit run_create(struct cli *cli, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	Computations__CreateRequest request = COMPUTATIONS__CREATE_REQUEST__INIT;
	const Computations__Computation *c;
	ProtobufCMessage *response;
	enum cli_exit status;
	bool asked = false;

	if (read_manifest(cli, "", cli->operand_count ? cli->operands[0] : NULL, &manifest, &asked,
			  e) < 0)
		return unread(cli, asked);
	note_dates(manifest->agent_config);
	if (cli_flag(cli, "dry-run"))
		return dry_run(cli, manifest, e) < 0 ? CLI_FAILED : CLI_OK;
	request.manifest = manifest;
	if (cli_value(cli, "workspace"))
		request.workspace = (char *)(uintptr_t)cli_value(cli, "workspace");
	status = computation_call(cli, &computation_create, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	c = (const Computations__Computation *)response;
	if (cli_flag(cli, "json"))
		status = computation_report(cli, c, e);
	else
		fprintf(cli->out, "%s\n", text_plain(c->id).text);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option options[] = {
	MANIFEST_OPTIONS,
	{ .name = "workspace", .value = "NAME",
	  .help = "that it is in (your only one, or 'default')" },
	{ .name = "dry-run", .help = "print the canonical manifest and send nothing" },
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_create = {
	.name = "computation create",
	.common = true,
	.args = "[MANIFEST.json]",
	.help = "hand a manifest to the computation service; prints the computation's id",
	.operands_max = 1,
	.options = options,
	.run = run_create,
	.more = "The manifest comes from the file, or from the options. Where it says user:NAME instead of a key, it\n"
		"gets the one that this user registered ('key register'), and says which that was. A name that another\n"
		"computation of the workspace has is refused; of those without a name there may be several.",
};

/* One without an id is of the computation that is named. */
static int take_id(Cvms__ComputationRunReq *manifest, const char *id, struct err *e)
{
	char *copy;

	if (*manifest->id)
		return strcmp(manifest->id, id) == 0
			       ? 0
			       : err_set(e, ERR_INVALID,
					 "the manifest's id is %s: it is of another computation; "
					 "leave it out",
					 text_plain(manifest->id).text);
	copy = strdup(id);
	if (!copy)
		return err_nomem(e);
	if (manifest->id != protobuf_c_empty_string)
		free(manifest->id);
	manifest->id = copy;
	return 0;
}

static enum cli_exit run_update(struct cli *cli, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	Computations__UpdateRequest request = COMPUTATIONS__UPDATE_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;
	bool asked = false;

	if (read_manifest(cli, cli->operands[0], cli->operand_count > 1 ? cli->operands[1] : NULL,
			  &manifest, &asked, e) < 0)
		return unread(cli, asked);
	if (take_id(manifest, cli->operands[0], e) < 0)
		return CLI_USAGE;
	note_dates(manifest->agent_config);
	request.manifest = manifest;
	status = computation_call(cli, &computation_update, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	status = computation_report(cli, (const Computations__Computation *)response, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option update_options[] = {
	MANIFEST_OPTIONS,
	{ .name = "workspace", .value = "NAME",
	  .help = "where asset:NAME is looked for (your only one, or 'default')" },
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_update = {
	.name = "computation update",
	.args = "ID [MANIFEST.json]",
	.help = "put another manifest in place of a computation's, until it is first run",
	.operands_min = 1,
	.operands_max = 2,
	.options = update_options,
	.run = run_update,
	.more = "For its editors and owners. The manifest comes from the file, or from the options, and is the whole of it:\n"
		"the private key of the agent's listener has to be given again. It has another digest then, so who has\n"
		"confirmed the one before compares anew. A name that 'computation rename' has given stays. user:NAME is the\n"
		"key that this user registered for this computation, else the one of all, as at the page.\n"
		"After the first run its agent has the manifest, which is frozen: create another computation.",
};

static enum cli_exit run_manifest(struct cli *cli, struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	const Computations__ManifestResponse *manifest;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.id = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &computation_manifest, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	manifest = (const Computations__ManifestResponse *)response;
	if (!manifest->manifest) {
		err_set(e, ERR_INTERNAL, "the service sent no manifest");
		status = CLI_FAILED;
	} else if (print_manifest(cli, manifest->manifest, e) < 0) {
		status = CLI_FAILED;
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

const struct command cmd_computation_manifest = {
	.name = "computation manifest",
	.args = "ID",
	.help = "print a computation's manifest in its canonical form",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_manifest,
	.more = "'cocos-cli checksum --manifest' of the output is the digest that evidence shows.",
};
