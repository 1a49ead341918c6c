/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_algo.c — an owner sends the algorithm to the agent. */
#include "cli/base/private_key.h"
#include "cli/client/agent_waiting.h"
#include "cli/client/attested.h"
#include "cli/client/upload.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/manifest_options.h"
#include "cli/python/wheels.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/manifest/manifest.h"

#include <fcntl.h>
#include <string.h>

static const char *type_of(const struct cli *cli)
{
	const char *type = cli_value(cli, "algorithm");

	return type ? type : "bin";
}

static int describe_args(struct cli *cli, struct rpc_metadata *metadata, struct writer *parameters,
			 struct err *e)
{
	const char *arg;

	for (size_t i = 0; (arg = cli_value_at(cli, "args", i)) != NULL; i++) {
		if (rpc_metadata_add(metadata, "algo_args", arg, e) < 0) {
			cli_hint(cli,
				 "a call carries 16 KiB of printable ASCII: leave --args out where "
				 "the manifest has all arguments ('cocos-cli computation "
				 "create --args'), which may be any text");
			return err_wrap(e, "--args");
		}
		proof_parameter_text(parameters, "algo_args", arg);
	}
	return 0;
}

/* The agent takes a bundle in only once it knows that its provider sends it. */
static int describe_requirements(const struct upload *u, struct rpc_metadata *metadata,
				 struct writer *parameters, struct err *e)
{
	char hex[2 * SHA3_256_LEN + 1];

	proof_parameter(parameters, "requirements", u->requirements->digest, SHA3_256_LEN);
	if (u->role_signature)
		return 0;
	hex_encode(u->requirements->digest, SHA3_256_LEN, hex);
	return rpc_metadata_add(metadata, PROOF_REQUIRED_KEY, hex, e);
}

static int describe(const struct upload *u, const Agent__StatusResponse *status,
		    struct rpc_metadata *metadata, struct writer *parameters, struct err *e)
{
	struct cli *cli = u->data;
	const char *runtime = cli_value(cli, "python-runtime");

	if (rpc_metadata_add(metadata, "algo_type", type_of(cli), e) < 0)
		return err_code(e);
	proof_parameter_text(parameters, "algo_type", type_of(cli));
	if (runtime) {
		if (rpc_metadata_add(metadata, "python_runtime", runtime, e) < 0)
			return err_wrap(e, "--python-runtime");
		proof_parameter_text(parameters, "python_runtime", runtime);
	}
	if (describe_args(cli, metadata, parameters, e) < 0)
		return err_code(e);
	if (u->requirements)
		return describe_requirements(u, metadata, parameters, e);
	return 0;
}

static int send_piece(const struct upload *u, struct rpc_sync *sync, bool requirements,
		      uint8_t *bytes, size_t len, struct err *e)
{
	return rpc_sync_send_bytes(sync, NULL, requirements ? 2 : 1, bytes, len, e);
}

static int check(const struct upload *u, const Agent__StatusResponse *status, uint64_t *kept,
		 struct err *e)
{
	const Agent__StatusAsset *row = status->algorithm;
	char want[2 * SHA3_256_LEN + 1], have[2 * SHA3_256_LEN + 1];

	if (!row || row->hash.len != SHA3_256_LEN)
		return err_set(e, ERR_PRECONDITION, "the agent has no manifest yet (state %s)",
			       status->state);
	if (asset_digest_now(u->asset, e) < 0)
		return err_code(e);
	hex_encode(row->hash.data, SHA3_256_LEN, want);
	hex_encode(u->asset->digest, SHA3_256_LEN, have);
	if (strcmp(want, have) != 0)
		return err_set(
			e, ERR_INVALID,
			"%s is not the algorithm of this computation: it is %s, the manifest "
			"wants %s",
			log_quote(u->asset->name).text, have, want);
	if (row->received)
		return upload_is_there(u, status, e);
	*kept = row->bytes_kept <= u->asset->size && !u->requirements ? row->bytes_kept : 0;
	return 0;
}

static int open_wheels(struct cli *cli, const Agent__StatusPython *python,
		       const struct wheels_options *options, struct asset *requirements,
		       struct err *e)
{
	int failed = wheels_open(cli, python, options, requirements, e);

	if (failed && !cli->hint[0] && strstr(e->text, "--lock"))
		cli_hint(cli, "a lock that is there is taken as it is: name a file that is not "
			      "there yet, and it is written");
	return failed;
}

/* What travels as requirements: the file, or the wheels that it asks for. */
static int open_requirements(struct client *client, struct asset *requirements, struct err *e)
{
	struct cli *cli = client->cli;
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;
	const struct wheels_options options = {
		.requirements = cli_value(cli, "requirements"),
		.runtime = cli_value(cli, "python-runtime"),
		.folder = cli_value(cli, "wheels"),
		.lock = cli_value(cli, "lock"),
		.hashes = cli_flag(cli, "hashes"),
	};

	if (!options.requirements)
		return 0;
	if (!cli_flag(cli, "role-signature")) {
		if (agent_client_python(client, &status, e) < 0) {
			agent_client_hint(client, e);
			return err_code(e);
		}
		if (status->python)
			return open_wheels(cli, status->python, &options, requirements, e);
		if (options.folder || options.lock || options.hashes)
			return err_set(e, ERR_PRECONDITION,
				       "the agent does not say which Python it has");
	}
	return asset_open(requirements, options.requirements, e);
}

/* What would have no effect is a slip: nothing is sent without what was meant to go along. */
static int check_options(struct cli *cli, struct err *e)
{
	static const char *const of_requirements[] = { "wheels", "lock", "hashes" };
	static const char *const of_python[] = { "requirements", "python-runtime" };

	for (size_t i = 0; i < ARRAY_LEN(of_python); i++)
		if (cli_flag(cli, of_python[i]) && strcmp(type_of(cli), "python") != 0)
			return err_set(e, ERR_INVALID, "--%s goes with -a python alone",
				       of_python[i]);
	if (cli_value_at(cli, "args", MANIFEST_ARGS_MAX)) {
		cli_hint(cli, "put them into a file that it reads, as one of its datasets");
		return err_set(e, ERR_INVALID, "--args: an algorithm gets at most %d arguments",
			       MANIFEST_ARGS_MAX);
	}
	if (agent_waiting_check(cli, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(of_requirements); i++) {
		if (!cli_flag(cli, of_requirements[i]))
			continue;
		if (!cli_flag(cli, "requirements"))
			return err_set(e, ERR_INVALID,
				       "--%s has no effect without the file of requirements (-r)",
				       of_requirements[i]);
		if (cli_flag(cli, "role-signature"))
			return err_set(e, ERR_INVALID,
				       "--%s and --role-signature: stock agents take the file of "
				       "requirements alone",
				       of_requirements[i]);
	}
	return 0;
}

static int check_folder(const struct cli *cli, struct err *e)
{
	const char *path = cli_value(cli, "wheels");
	CLEANUP(close) int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return path && fd < 0 ? err_errno(e, "--wheels '%s'", path) : 0;
}

static enum cli_exit run_algo(struct cli *cli, struct err *e)
{
	struct asset asset CLEANUP_ASSET = { .fd = -1 };
	struct asset requirements CLEANUP_ASSET = { .fd = -1 };
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	const char *requirements_path = cli_value(cli, "requirements");
	struct upload upload = {
		.method = &agent_algo,
		.role = PROOF_ROLE_ALGORITHM,
		.label = "sending",
		.asset = &asset,
		.requirements = requirements_path ? &requirements : NULL,
		.role_signature = cli_flag(cli, "role-signature"),
		.describe = describe,
		.send = send_piece,
		.check = check,
		.data = cli,
	};
	struct agent_waiting waiting = { &client, AGENT_WANTED_ALGORITHM, NULL, &upload };
	uint8_t ignored[SHA3_256_LEN];
	bool there;
	int failed;

	if (check_options(cli, e) < 0 || check_folder(cli, e) < 0 ||
	    private_key_load(cli, cli->operands[1], &key, e) < 0 ||
	    (asset_open(&asset, cli->operands[0], e) < 0 && asset_hint(cli, e) < 0) ||
	    (requirements_path && asset_digest(requirements_path, ignored, e) < 0) ||
	    attested_open(&client, cli, e) < 0)
		return CLI_USAGE;
	upload.key = waiting.key = key;
	if (agent_waiting_run(&waiting, e) < 0)
		return CLI_FAILED;
	if (open_requirements(&client, &requirements, e) < 0 ||
	    (requirements_path && asset_digest_now(&requirements, e) < 0))
		return CLI_FAILED;
	if (!requirements.size) /* of an empty file no message is sent, so nothing is signed */
		upload.requirements = NULL;
	failed = upload_run(&client, &upload, e);
	/* Whether the same arguments and requirements came with it the first time nobody can tell. */
	there = err_is(failed, ERR_EXISTS) && !upload.requirements && !cli_value_at(cli, "args", 0);
	if (failed && !there)
		return CLI_FAILED;
	fprintf(cli->out, "algorithm %s %s\n", log_quote(asset.name).text,
		there ? "is there already" : "accepted");
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'a', .name = "algorithm", .value = "TYPE", .words = manifest_type_words,
	  .help = "what it is: bin (the default), python, wasm or docker" },
	{ .letter = 'r', .name = "requirements", .value = "FILE",
	  .help = "python: the packages it needs; wheels of what the image lacks travel along" },
	{ .name = "wheels", .value = "DIR",
	  .help = "python: send the wheels of this folder, instead of asking pip" },
	{ .name = "lock", .value = "FILE",
	  .help = "python: exactly these wheels; written if it is not there" },
	{ .name = "hashes",
	  .help = "python: send hashes for the agent's package index, and no wheels" },
	{ .name = "python-runtime", .value = "NAME",
	  .help = "python: the interpreter (the agent's default is python3)" },
	{ .name = "args", .value = "ARG", .times = CLI_MANY,
	  .help = "an argument for it; repeat for more, in order" },
	WAIT_OPTION,
	GRACE_OPTION,
	ROLE_SIGNATURE_OPTION,
	CLIENT_AGENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_algo = {
	.name = "algo",
	.common = true,
	.args = "FILE PRIVATE_KEY",
	.help = "send the algorithm to the agent",
	.operands_min = 2,
	.operands_max = 2,
	.options = options,
	.run = run_algo,
};
