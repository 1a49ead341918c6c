/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_manifest.c — what a manifest says, for those in whose names it was written. */
#include "cli/base/manifest_file.h"
#include "cli/base/text.h"
#include "cli/client/computation_client.h"
#include "cli/client/user_keys.h"
#include "cli/cmd/commands.h"
#include "cli/show/show_manifest.h"
#include "common/base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Given back with a manifest of the caller's own, decoded by the same reader as the agent's. */
static enum cli_exit fetch(struct cli *cli, const char *id, Cvms__ComputationRunReq **manifest,
			   struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	Computations__ManifestResponse *response;
	ProtobufCMessage *message;
	enum cli_exit status;

	request.id = (char *)(uintptr_t)id;
	status = computation_call(cli, &computation_manifest, &request.base, &message, e);
	if (status != CLI_OK)
		return status;
	response = (Computations__ManifestResponse *)message;
	*manifest = TAKE_PTR(response->manifest);
	protobuf_c_message_free_unpacked(message, NULL);
	if (*manifest)
		return CLI_OK;
	err_set(e, ERR_INTERNAL, "the service sent no manifest");
	return CLI_FAILED;
}

/* What nobody takes for the id of a computation. */
static bool is_path(const char *what)
{
	size_t len = strlen(what);

	return strchr(what, '/') || (len > 5 && strcmp(what + len - 5, ".json") == 0);
}

static enum cli_exit refuse_path(const char *path, struct err *e)
{
	errno = ENOENT;
	err_errno(e, "open '%s'", path);
	return CLI_USAGE;
}

/* The file, or where there is none, the computation of that id. */
static enum cli_exit find(struct cli *cli, bool *is_file, Cvms__ComputationRunReq **manifest,
			  struct err *e)
{
	const char *what = cli->operands[0];

	*is_file = access(what, F_OK) == 0;
	if (!*is_file) {
		enum cli_exit status;

		if (is_path(what))
			return refuse_path(what, e);
		status = fetch(cli, what, manifest, e);
		if (status == CLI_OK)
			return CLI_OK;
		err_wrap(e, "%s is no file here, and as a computation", log_quote(what).text);
		/* Where there is no service, a file was meant. */
		return e->code == ERR_UNAVAILABLE ? CLI_USAGE : status;
	}
	if (manifest_file_read(what, manifest, e) == 0)
		return CLI_OK;
	cli_hint(cli, "cocos-cli(1) describes the form of a manifest");
	return CLI_USAGE;
}

static int show(struct cli *cli, const struct show_manifest *s, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	if (!cli_flag(cli, "json"))
		return show_manifest_text(s, cli->out, e);
	if (show_manifest_json(s, &out, e) < 0)
		return err_code(e);
	return json_out_print(&out, cli->out, e);
}

static void owners_free(People__KeyOwners *owners)
{
	if (owners)
		people__key_owners__free_unpacked(owners, NULL);
}
DEFINE_CLEANUP(People__KeyOwners *, owners_free)

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	CLEANUP(owners_free) People__KeyOwners *owners = NULL;
	struct own_keys own CLEANUP_OWN_KEYS = { .count = 0 };
	struct show_manifest s = { .own = &own };
	struct manifest_digests digests;
	struct err refusal, none;
	enum cli_exit status;
	bool is_file;

	if (own_keys_find(cli, &own, e) < 0)
		return CLI_USAGE;
	status = find(cli, &is_file, &manifest, e);
	if (status != CLI_OK)
		return status;
	if (!is_file && user_keys_owners(cli, cli->operands[0], &owners, e) < 0)
		return CLI_FAILED;
	s.manifest = manifest;
	s.owners = owners;
	s.file = is_file ? cli->operands[0] : NULL;
	/* The service keeps the agent's key to itself, so of its manifests the rest is judged. */
	if ((is_file ? manifest_file_judge(manifest, &refusal)
		     : manifest_check(manifest, &refusal)) < 0)
		s.refusal = &refusal;
	if (manifest_digest(manifest, &digests, &none) == 0)
		s.digests = &digests;
	return show(cli, &s, e) < 0 ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option show_options[] = {
	OWN_KEYS_OPTION,
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_manifest_show = {
	.name = "manifest show",
	.common = true,
	.args = "FILE|COMPUTATION",
	.help = "show who brings what to a computation, and what weakens its manifest",
	.operands_min = 1,
	.operands_max = 1,
	.options = show_options,
	.run = run_show,
	.more = "Where there is no file of that name, the computation service is asked for the manifest, and for the\n"
		"users who registered its keys, which is its word; what counts is the one whose digest evidence shows. 'This is you' stands beside the keys in\n"
		"public.pem and private.pem of this folder and in what --key names.",
};
