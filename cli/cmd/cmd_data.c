/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_data.c — an owner sends a dataset to the agent. */
#include "cli/base/private_key.h"
#include "cli/client/agent_waiting.h"
#include "cli/client/attested.h"
#include "cli/client/upload.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/manifest/manifest_keep.h"

#include <string.h>

struct dataset {
	char *filename; /* as the manifest calls it, else the file's own name */
	bool decompress;
	enum manifest_keep keep;
};

static int describe(const struct upload *u, const Agent__StatusResponse *status,
		    struct rpc_metadata *metadata, struct writer *parameters, struct err *e)
{
	const struct dataset *dataset = u->data;
	const char *decompress = dataset->decompress ? "true" : "false";

	proof_parameter_text(parameters, "filename", dataset->filename);
	proof_parameter_text(parameters, "decompress", decompress);
	if (rpc_metadata_add(metadata, "decompress", decompress, e) < 0)
		return err_code(e);
	if (dataset->keep == MANIFEST_KEEP_NOTHING)
		return 0;
	proof_parameter_text(parameters, PROOF_KEEP_KEY, manifest_keep_word(dataset->keep));
	return rpc_metadata_add(metadata, PROOF_KEEP_KEY, manifest_keep_word(dataset->keep), e);
}

static int send_piece(const struct upload *u, struct rpc_sync *sync, bool requirements,
		      uint8_t *bytes, size_t len, struct err *e)
{
	const struct dataset *dataset = u->data;
	Agent__DataRequest rest = AGENT__DATA_REQUEST__INIT;

	rest.filename = dataset->filename;
	return rpc_sync_send_bytes(sync, &rest.base, 1, bytes, len, e);
}

static bool is_it(const Agent__StatusAsset *row, const struct asset *asset)
{
	return row->hash.len == SHA3_256_LEN &&
	       memcmp(row->hash.data, asset->digest, SHA3_256_LEN) == 0;
}

/* The manifest's row with this content. Of several, the one of this name, else one that has not
 * come. */
static const Agent__StatusAsset *find_row(const Agent__StatusResponse *status,
					  const struct asset *asset, const char *name)
{
	const Agent__StatusAsset *found = NULL;

	for (size_t i = 0; i < status->n_datasets; i++) {
		const Agent__StatusAsset *row = status->datasets[i];

		if (!is_it(row, asset))
			continue;
		if (strcmp(row->filename, name) == 0)
			return row;
		if (!found || (found->received && !row->received))
			found = row;
	}
	return found;
}

/* The one row of that name, if it has not come. */
static const Agent__StatusAsset *find_named(const Agent__StatusResponse *status, const char *name)
{
	const Agent__StatusAsset *found = NULL;

	for (size_t i = 0; i < status->n_datasets; i++) {
		const Agent__StatusAsset *row = status->datasets[i];

		if (strcmp(row->filename, name) != 0)
			continue;
		if (found || row->received || row->hash.len != SHA3_256_LEN)
			return NULL;
		found = row;
	}
	return found;
}

static int refuse(const struct asset *asset, struct err *e)
{
	char hex[2 * SHA3_256_LEN + 1];

	hex_encode(asset->digest, SHA3_256_LEN, hex);
	return err_set(e, ERR_INVALID,
		       "no dataset of this computation has the content of %s (%s)%s",
		       log_quote(asset->name).text, hex,
		       asset->bundled ? "; a directory's digest holds the modes of its files: "
					"compare 'ls -lR' with the manifest's author"
				      : "");
}

static int rename_to(struct dataset *dataset, const char *filename, struct err *e)
{
	if (!*filename || strcmp(filename, dataset->filename) == 0)
		return 0;
	char *name = strdup(filename);
	if (!name)
		return err_nomem(e);
	free(dataset->filename);
	dataset->filename = name;
	return 0;
}

/* A large file that the manifest knows by its name is read once, as it is sent: it is signed as
 * what the manifest says, and the agent refuses it at its end if it is not. */
static int check(const struct upload *u, const Agent__StatusResponse *status, uint64_t *kept,
		 struct err *e)
{
	struct dataset *dataset = u->data;
	struct asset *asset = u->asset;
	const Agent__StatusAsset *row =
		asset->digested ? NULL : find_named(status, dataset->filename);

	if (row) {
		memcpy(asset->digest, row->hash.data, SHA3_256_LEN);
	} else {
		if (asset_digest_now(asset, e) < 0)
			return err_code(e);
		row = find_row(status, asset, dataset->filename);
	}
	if (!row)
		return refuse(asset, e);
	if (row->received)
		return upload_is_there(u, status, e);
	*kept = row->bytes_kept <= asset->size ? row->bytes_kept : 0;
	return rename_to(dataset, row->filename, e);
}

/* What nobody but the owner can allow: a signature over the role would let anybody. */
static int read_keep(const struct cli *cli, enum manifest_keep *keep, struct err *e)
{
	const char *word = cli_value(cli, "keep");

	if (!word)
		return 0;
	if (!manifest_keep_find(word, keep))
		return err_set(e, ERR_INVALID, "--keep %s", log_quote(word).text);
	if (cli_flag(cli, "role-signature"))
		return err_set(e, ERR_INVALID,
			       "--keep and --role-signature: that signature does not cover what "
			       "you allow");
	return 0;
}

/* What was allowed with --keep. */
static enum cli_exit forget(struct cli *cli, struct err *e)
{
	static const char *const others[] = { "keep", "decompress", "wait", "grace",
					      "role-signature" };
	Agent__ForgetRequest request = AGENT__FORGET_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	ProtobufCMessage *response;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (cli_value(cli, others[i]) || cli_flag(cli, others[i]))
			return cli_usage(e, "--forget and --%s don't go together", others[i]);
	if (cli->operand_count != 1)
		return cli_usage(e, "--forget takes a PRIVATE_KEY alone: all that is kept of its "
				    "owner's is forgotten");
	if (private_key_load(cli, cli->operands[0], &key, e) < 0 ||
	    attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	if (agent_client_ask_as(&client, PROOF_ROLE_DATA, &agent_forget, key, &request.base,
				&response, e) < 0)
		return CLI_FAILED;
	uint32_t count = ((const Agent__ForgetResponse *)response)->forgotten;

	fprintf(cli->out, "%u kept dataset%s\n", count,
		count == 1 ? " is forgotten" : "s are forgotten");
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

static enum cli_exit send_data(struct cli *cli, struct err *e)
{
	struct asset asset CLEANUP_ASSET = { .fd = -1 };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct dataset dataset = { .decompress = cli_flag(cli, "decompress") };
	struct upload upload = {
		.method = &agent_data,
		.role = PROOF_ROLE_DATA,
		.label = "sending",
		.asset = &asset,
		.role_signature = cli_flag(cli, "role-signature"),
		.describe = describe,
		.send = send_piece,
		.check = check,
		.data = &dataset,
	};
	struct agent_waiting waiting = { &client, AGENT_WANTED_DATA, NULL, &upload };
	bool there;
	int failed;

	if (agent_waiting_check(cli, e) < 0 || read_keep(cli, &dataset.keep, e) < 0 ||
	    private_key_load(cli, cli->operands[1], &key, e) < 0 ||
	    (asset_open(&asset, cli->operands[0], e) < 0 && asset_hint(cli, e) < 0) ||
	    attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	upload.key = waiting.key = key;
	dataset.filename = strdup(asset.name);
	if (!dataset.filename) {
		err_nomem(e);
		return CLI_FAILED;
	}
	failed = agent_waiting_run(&waiting, e);
	if (!failed)
		failed = upload_run(&client, &upload, e);
	/* Of this content, by its owner: as was wanted, unless leave is given with it, which is heard with the upload alone. */
	there = err_is(failed, ERR_EXISTS) && dataset.keep == MANIFEST_KEEP_NOTHING;
	if (err_is(failed, ERR_EXISTS) && !there) {
		err_record(e, ERR_EXISTS,
			   "dataset %s is there already: what was not said when it came, --keep "
			   "does not add",
			   log_quote(dataset.filename).text);
		cli_hint(cli, "of a run that fails, what may not be kept is sent again");
	}
	if (!failed || there)
		fprintf(cli->out, "dataset %s %s\n", log_quote(dataset.filename).text,
			there ? "is there already" : "accepted");
	free(dataset.filename);
	return failed && !there ? CLI_FAILED : CLI_OK;
}

static enum cli_exit run_data(struct cli *cli, struct err *e)
{
	if (cli_flag(cli, "forget"))
		return forget(cli, e);
	if (cli->operand_count != 2)
		return cli_usage(e, "too few operands: give the PATH of a dataset, and its "
				    "owner's PRIVATE_KEY");
	return send_data(cli, e);
}

/* clang-format off */
static const char *const keep_words[] = { "retry", "algorithm", NULL };
static const struct cli_option options[] = {
	{ .letter = 'd', .name = "decompress",
	  .help = "have the agent unpack it (a zip or a directory)" },
	{ .name = "keep", .value = "WHAT", .words = keep_words,
	  .help = "if the run fails, it may be used again: for a retry, or another algorithm, too" },
	{ .name = "forget",
	  .help = "send nothing: have the agent wipe what it keeps of this owner's" },
	WAIT_OPTION,
	GRACE_OPTION,
	ROLE_SIGNATURE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_data = {
	.name = "data",
	.common = true,
	.args = "[PATH] PRIVATE_KEY",
	.help = "send a dataset to the agent (a directory as its bundle)",
	.operands_min = 1,
	.operands_max = 2,
	.options = options,
	.run = run_data,
	.more = "A directory travels as the zip of its files with their modes (rwx), under its own name;\n"
		"empty directories in it are left out, and a link in it is refused.\n"
		"--keep retry lets the agent keep it, if the run fails, for the very same manifest; --keep\n"
		"algorithm also for another algorithm of the same provider. It is signed with the upload,\n"
		"so nobody else can allow it. What a manifest differs in otherwise wipes it, as do results.\n"
		"--forget takes that back, with the key alone: nothing of yours is kept beyond the run that has it.",
};
