/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_computation_create.c — a manifest for the computation service, from a JSON file or made from
 * options; and the manifest of a computation, fetched back.
 *
 * Options become the same JSON that a person would write, so there is one reader and one form.
 */
#include "cli/base/text.h"
#include "cli/client/asset.h"
#include "cli/client/computation_client.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/crypto/key.h"
#include "common/manifest/agent_certs.h"
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest.h"

#include <string.h>
#include <sys/stat.h>

DEFINE_CLEANUP(struct json *, json_free)

/* Options that exclude a manifest's file. */
static const char *const building[] = {
	"id",
	"name",
	"description",
	"algorithm",
	"algorithm-key",
	"algorithm-type",
	"args",
	"dataset",
	"dataset-key",
	"dataset-name",
	"decompress",
	"consumer-key",
	"agent-port",
	"agent-cert",
	"agent-key",
	"agent-client-ca",
	"agent-server-ca",
	"agent-log-level",
	"agent-attested-tls",
	NULL,
};

/* A file or directory by its content, or 64 hexadecimal digits as they are. */
static int put_hash(struct json_out *out, const char *value, struct err *e)
{
	uint8_t digest[SHA3_256_LEN];
	struct stat about;
	struct err ignored;

	if (stat(value, &about) < 0 && hex_decode(value, digest, sizeof(digest), &ignored) == 0) {
		json_out_hex(out, "hash", digest, sizeof(digest));
		return 0;
	}
	if (asset_digest(value, digest, e) < 0)
		return err_code(e);
	json_out_hex(out, "hash", digest, sizeof(digest));
	return 0;
}

static int put_file(struct json_out *out, const char *key, const char *path, struct err *e)
{
	char *text;

	if (!path)
		return 0;
	if (file_read_text(path, PEM_MAX, &text, e) < 0)
		return err_code(e);
	json_out_text(out, key, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return 0;
}

/* The public half only, whichever the file holds. */
static int put_key(struct json_out *out, const char *option, const char *path, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL, *text = NULL;

	if (!path)
		return err_set(e, ERR_INVALID, "--%s is missing: the public key of its owner",
			       option);
	if (file_read_text(path, PEM_MAX, &text, e) < 0)
		return err_wrap(e, "--%s", option);
	if (key_from_public_pem(text, strlen(text), &key, e) < 0)
		return err_wrap(e, "--%s '%s'", option, path);
	if (key_to_public_pem(key, &pem, e) < 0)
		return err_code(e);
	json_out_text(out, "user_key", pem);
	return 0;
}

static int put_algorithm(struct cli *cli, struct json_out *out, struct err *e)
{
	const char *algorithm = cli_value(cli, "algorithm"), *arg;
	const char *type = cli_value(cli, "algorithm-type");

	if (!algorithm)
		return err_set(e, ERR_INVALID, "--algorithm is missing: a file, or its SHA3-256");
	json_out_object(out, "algorithm");
	if (put_hash(out, algorithm, e) < 0 ||
	    put_key(out, "algorithm-key", cli_value(cli, "algorithm-key"), e) < 0)
		return err_code(e);
	if (type)
		json_out_text(out, "algo_type", type);
	if (cli_flag(cli, "args")) {
		json_out_list(out, "algo_args");
		for (size_t i = 0; (arg = cli_value_at(cli, "args", i)) != NULL; i++)
			json_out_text(out, NULL, arg);
		json_out_end(out);
	}
	json_out_end(out);
	return 0;
}

static int put_dataset(struct cli *cli, struct json_out *out, size_t n, struct err *e)
{
	const char *dataset = cli_value_at(cli, "dataset", n);
	const char *key = cli_value_at(cli, "dataset-key", n);
	const char *name = cli_value_at(cli, "dataset-name", n);
	const char *slash = strrchr(dataset, '/');
	struct stat about;

	/* One key for all of them may be given once. */
	if (!key && !cli_value_at(cli, "dataset-key", 1))
		key = cli_value(cli, "dataset-key");
	if (!name && stat(dataset, &about) == 0 && S_ISREG(about.st_mode))
		name = slash ? slash + 1 : dataset;
	json_out_object(out, NULL);
	if (put_hash(out, dataset, e) < 0 || put_key(out, "dataset-key", key, e) < 0)
		return err_code(e);
	if (name)
		json_out_text(out, "filename", name);
	if (cli_flag(cli, "decompress"))
		json_out_bool(out, "decompress", true);
	json_out_end(out);
	return 0;
}

static int put_lists(struct cli *cli, struct json_out *out, struct err *e)
{
	if (cli_flag(cli, "dataset")) {
		json_out_list(out, "datasets");
		for (size_t i = 0; cli_value_at(cli, "dataset", i); i++)
			if (put_dataset(cli, out, i, e) < 0)
				return err_code(e);
		json_out_end(out);
	}
	if (put_algorithm(cli, out, e) < 0)
		return err_code(e);
	if (!cli_flag(cli, "consumer-key"))
		return err_set(e, ERR_INVALID,
			       "--consumer-key is missing: nobody could fetch the "
			       "results");
	json_out_list(out, "result_consumers");
	for (size_t i = 0; cli_value_at(cli, "consumer-key", i); i++) {
		json_out_object(out, NULL);
		if (put_key(out, "consumer-key", cli_value_at(cli, "consumer-key", i), e) < 0)
			return err_code(e);
		json_out_end(out);
	}
	json_out_end(out);
	return 0;
}

static int put_agent(struct cli *cli, struct json_out *out, struct err *e)
{
	const char *port = cli_value(cli, "agent-port");
	const char *level = cli_value(cli, "agent-log-level");
	bool attested = cli_flag(cli, "agent-attested-tls");

	if (!port && !level && !attested && !cli_value(cli, "agent-cert") &&
	    !cli_value(cli, "agent-key") && !cli_value(cli, "agent-client-ca") &&
	    !cli_value(cli, "agent-server-ca"))
		return 0;
	json_out_object(out, "agent_config");
	if (port)
		json_out_text(out, "port", port);
	if (level)
		json_out_text(out, "log_level", level);
	if (attested)
		json_out_bool(out, "attested_tls", true);
	if (put_file(out, "cert_file", cli_value(cli, "agent-cert"), e) < 0 ||
	    put_file(out, "key_file", cli_value(cli, "agent-key"), e) < 0 ||
	    put_file(out, "client_ca_file", cli_value(cli, "agent-client-ca"), e) < 0 ||
	    put_file(out, "server_ca_file", cli_value(cli, "agent-server-ca"), e) < 0)
		return err_code(e);
	json_out_end(out);
	return 0;
}

static int build(struct cli *cli, uint8_t **text, size_t *len, struct err *e)
{
	static const char *const words[] = { "id", "name", "description" };
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	json_out_object(&out, NULL);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (cli_value(cli, words[i]))
			json_out_text(&out, words[i], cli_value(cli, words[i]));
	if (put_lists(cli, &out, e) < 0 || put_agent(cli, &out, e) < 0)
		return err_code(e);
	json_out_end(&out);
	if (writer_check(&out.w, "manifest", e) < 0)
		return err_code(e);
	*text = writer_take(&out.w, len);
	return 0;
}

/* Checks it as the service will, which also gives it an id if it has none. */
static int check(Cvms__ComputationRunReq *manifest, const char *host, struct err *e)
{
	char some[] = "-", *id = manifest->id;
	int failed;

	if (!*id)
		manifest->id = some;
	failed = manifest_check(manifest, e);
	manifest->id = id;
	if (!failed)
		failed = agent_config_check(manifest->agent_config, e);
	if (!failed)
		failed = agent_config_check_shown(manifest->agent_config, host, e);
	return failed;
}

/* The key that gives an older form away, in a manifest or in one of its assets. */
static const char *older_key(const struct json *root)
{
	static const char *const keys[] = { "owner", "provider", "start_time", "end_time" };
	const struct json *datasets = json_get(root, "datasets");
	const struct json *algorithm = json_get(root, "algorithm");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_get(root, keys[i]) || json_get(algorithm, keys[i]))
			return keys[i];
	for (size_t n = 0; datasets && datasets->type == JSON_ARRAY && n < datasets->count; n++)
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			if (json_get(&datasets->items[n], keys[i]))
				return keys[i];
	return NULL;
}

/* Manifests of a backend's own, in which ids stand for people and assets: who is meant only that
 * backend knows, and keys can't be made of ids. */
static int refuse_older_form(const uint8_t *text, size_t len, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	const struct json *consumers;
	const char *older;
	struct err unread;

	if (json_parse(text, len, &root, &unread) < 0)
		return 0;
	consumers = json_get(root, "result_consumers");
	older = older_key(root);
	if (older)
		return err_set(e, ERR_INVALID,
			       "'%s': an older form, in which ids stand for people; here they are "
			       "named by their keys: make it anew with user_key in datasets, "
			       "algorithm and result_consumers (cocos-cli(1), MANIFESTS)",
			       older);
	if (consumers && consumers->type == JSON_ARRAY && consumers->count &&
	    consumers->items[0].type == JSON_STRING)
		return err_set(e, ERR_INVALID,
			       "'result_consumers': an older form, in which ids stand for people; "
			       "here it is [{\"user_key\": …}] (cocos-cli(1), MANIFESTS)");
	return 0;
}

static int read_manifest(struct cli *cli, Cvms__ComputationRunReq **manifest, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	size_t len = 0;
	int failed;

	if (cli->operand_count) {
		for (const char *const *option = building; *option; option++)
			if (cli_flag(cli, *option))
				return err_set(e, ERR_INVALID,
					       "--%s and a manifest's file exclude each other",
					       *option);
		if (file_read(cli->operands[0], MANIFEST_MAX, &text, &len, e) < 0)
			return err_code(e);
		if (refuse_older_form(text, len, e) < 0)
			return err_wrap(e, "%s", cli->operands[0]);
	} else if (build(cli, &text, &len, e) < 0) {
		return err_code(e);
	}
	failed = manifest_from_json(text, len, manifest, e);
	explicit_bzero(text, len); /* the agent's private key may be there */
	if (!failed)
		failed = check(*manifest, cli_value(cli, "agent-host"), e);
	if (failed)
		return cli->operand_count ? err_wrap(e, "%s", cli->operands[0]) : failed;
	return 0;
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

static enum cli_exit run_create(struct cli *cli, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *manifest = NULL;
	Computations__CreateRequest request = COMPUTATIONS__CREATE_REQUEST__INIT;
	const Computations__Computation *c;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (read_manifest(cli, &manifest, e) < 0) {
		cli_hint(cli, "cocos-cli(1) describes manifests; 'cocos-cli computation create "
			      "--help' the options that make one");
		return CLI_USAGE;
	}
	note_dates(manifest->agent_config);
	if (cli_flag(cli, "dry-run"))
		return dry_run(cli, manifest, e) < 0 ? CLI_FAILED : CLI_OK;
	request.manifest = manifest;
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
	{ .name = "id", .value = "ID", .help = "instead of a new one" },
	{ .name = "name", .value = "TEXT", .help = "what people call it" },
	{ .name = "description", .value = "TEXT", .help = "what it is for" },
	{ .name = "algorithm", .value = "FILE|HEX", .help = "or its SHA3-256" },
	{ .name = "algorithm-key", .value = "PEM", .help = "its owner's public key" },
	{ .name = "algorithm-type", .value = "TYPE", .help = "bin (the default) or python" },
	{ .name = "args", .value = "ARG", .times = CLI_MANY,
	  .help = "an argument for the algorithm; repeat for more" },
	{ .name = "dataset", .value = "PATH|HEX", .times = CLI_MANY,
	  .help = "or its SHA3-256; repeat for more" },
	{ .name = "dataset-key", .value = "PEM", .times = CLI_MANY,
	  .help = "the n-th for the n-th dataset; a single one for all" },
	{ .name = "dataset-name", .value = "NAME", .times = CLI_MANY,
	  .help = "file name for the algorithm (a file's own)" },
	{ .name = "decompress", .help = "datasets are zips to be unpacked" },
	{ .name = "consumer-key", .value = "PEM", .times = CLI_MANY,
	  .help = "public key of one who may fetch the results" },
	{ .name = "agent-port", .value = "PORT", .help = "of the agent (7002)" },
	{ .name = "agent-cert", .value = "PEM",
	  .help = "the agent's certificate: with it the agent speaks TLS" },
	{ .name = "agent-key", .value = "PEM", .help = "its private key" },
	{ .name = "agent-client-ca", .value = "PEM",
	  .help = "authorities of its clients' certificates (mTLS)" },
	{ .name = "agent-server-ca", .value = "PEM",
	  .help = "the authorities between its certificate and the root, in order" },
	{ .name = "agent-host", .value = "HOST",
	  .help = "where clients will connect: the agent's certificate has to be for it" },
	{ .name = "agent-log-level", .value = "LEVEL", .help = "of the agent" },
	{ .name = "agent-attested-tls",
	  .help = "the agent sends evidence on each connection, before anything else" },
	{ .name = "dry-run", .help = "print the canonical manifest and send nothing" },
	CLI_JSON_OPTION,
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_create = {
	.name = "computation create",
	.args = "[MANIFEST.json]",
	.help = "hand a manifest to the computation service; prints the computation's id",
	.operands_max = 1,
	.options = options,
	.run = run_create,
	.more = "The manifest comes from the file, or from the options.",
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
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_manifest,
	.more = "'cocos-cli checksum --manifest' of the output is the digest that evidence shows.",
};
