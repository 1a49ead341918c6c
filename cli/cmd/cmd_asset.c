/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_asset.c — algorithms and datasets by name at the computation service, which gets their digests and no more. */
#include "cli/base/text.h"
#include "cli/client/asset.h"
#include "cli/client/listing.h"
#include "cli/client/people_client.h"
#include "cli/cmd/commands.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
	{ "NAME", "name", false },
	{ "TYPE", "type", false },
	{ "OWNER", "owner", false },
	{ "SHA3-256", "sha3_256", false },
	{ "MIME", "mime_type", true },
	{ "WORKSPACE", "workspace", true },
	{ "DESCRIPTION", "description", true },
	{ "CREATED", "created", true },
	{ "CHANGED", "changed", true },
	{ NULL, NULL, false },
};
/* Of one: with those that name it. */
static const struct table_column columns_of_one[] = {
	{ "NAME", "name", false },
	{ "TYPE", "type", false },
	{ "OWNER", "owner", false },
	{ "SHA3-256", "sha3_256", false },
	{ "MIME", "mime_type", false },
	{ "WORKSPACE", "workspace", false },
	{ "DESCRIPTION", "description", false },
	{ "CREATED", "created", false },
	{ "CHANGED", "changed", false },
	{ "COMPUTATIONS", "computations", false },
	{ NULL, NULL, false },
};

static void add_row(struct table *t, const People__Asset *a)
{
	char hex[2 * SHA3_256_LEN + 1] = "";

	if (a->digest.len == SHA3_256_LEN)
		hex_encode(a->digest.data, a->digest.len, hex);
	table_text(t, a->name);
	table_text(t, a->type);
	table_text(t, a->owner);
	table_text(t, hex);
	table_text(t, a->mime_type);
	table_text(t, a->workspace);
	table_text(t, a->description);
	table_moment(t, people_ms(a->created));
	table_moment(t, people_ms(a->changed));
}

static char *lent(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

/* One call that is answered with an asset, and that asset. */
static enum cli_exit ask_one(struct cli *cli, const struct rpc_method *method,
			     const ProtobufCMessage *request, struct err *e)
{
	const People__Asset *a;
	struct table t CLEANUP_TABLE;
	ProtobufCMessage *response;
	enum cli_exit status;

	table_init(&t, columns_of_one);
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	status = computation_call(cli, method, request, &response, e);
	if (status != CLI_OK)
		return status;
	a = (const People__Asset *)response;
	add_row(&t, a);
	table_words(&t, a->computations, a->n_computations);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print_one(&t, cli, e) < 0 ? CLI_FAILED : CLI_OK;
}

#define WORKSPACE_OPTION       \
	{ .name = "workspace", \
	  .value = "NAME",     \
	  .help = "that it is in (your only one, or 'default')" }

/* ---- register ---- */

/* Of a file or folder here, or as typed. */
static enum cli_exit read_digest(struct cli *cli, uint8_t digest[SHA3_256_LEN], struct err *e)
{
	const char *path = cli->operands[0], *text = cli_value(cli, "digest");
	struct err ignored;

	if (path && asset_digest(path, digest, e) < 0) {
		asset_hint(cli, e);
		return CLI_USAGE;
	}
	if (path)
		return CLI_OK;
	if (hex_decode(text, digest, SHA3_256_LEN, &ignored) == 0)
		return CLI_OK;
	return cli_usage(e, "--digest %s: 64 hexadecimal digits", log_quote(text).text);
}

/* As it is called, else the last of its path; "": there is none. */
static char *name_of(const struct cli *cli)
{
	const char *name = cli_value(cli, "name"), *path = cli->operands[0];
	size_t len = path ? strlen(path) : 0;

	if (name)
		return strdup(name);
	while (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = len; i > 0; i--)
		if (path[i - 1] == '/')
			return strndup(path + i, len - i);
	return strndup(path ? path : "", len);
}

static enum cli_exit run_register(struct cli *cli, struct err *e)
{
	People__RegisterAssetRequest request = PEOPLE__REGISTER_ASSET_REQUEST__INIT;
	CLEANUP(free) char *name = name_of(cli);
	uint8_t digest[SHA3_256_LEN];
	enum cli_exit status;

	if (!name) {
		err_nomem(e);
		return CLI_FAILED;
	}
	if (!cli->operands[0] == !cli_value(cli, "digest"))
		return cli_usage(e, "give FILE, whose SHA3-256 is computed here, or --digest");
	if (!*name)
		return cli_usage(e, "--name is missing: what the asset is called");
	if (!cli_value(cli, "type"))
		return cli_usage(e, "--type is missing: algorithm or dataset");
	status = read_digest(cli, digest, e);
	if (status != CLI_OK)
		return status;
	request.workspace = lent(cli_value(cli, "workspace"));
	request.name = name;
	request.type = lent(cli_value(cli, "type"));
	request.mime_type = lent(cli_value(cli, "mime"));
	request.description = lent(cli_value(cli, "description"));
	request.digest = (ProtobufCBinaryData){ sizeof(digest), digest };
	return ask_one(cli, &people_register_asset, &request.base, e);
}

static const char *const type_words[] = { "algorithm", "dataset", NULL };

/* clang-format off */
static const struct cli_option register_options[] = {
	{ .name = "type", .value = "TYPE", .help = "algorithm or dataset", .words = type_words },
	{ .name = "name", .value = "NAME", .help = "what it is called there (the file's name)" },
	{ .name = "mime", .value = "TYPE", .help = "its MIME type (application/octet-stream)" },
	{ .name = "description", .value = "TEXT", .help = "a line about it, at most 4096 bytes" },
	{ .name = "digest", .value = "DIGEST", .help = "its SHA3-256, in place of FILE" },
	WORKSPACE_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_asset_register = {
	.name = "asset register",
	.args = "[FILE|DIR]",
	.help = "register an algorithm or a dataset by name with the computation service",
	.operands_max = 1,
	.options = register_options,
	.run = run_register,
	.more = "The file stays here: its SHA3-256 is computed as 'checksum' and manifests have it, a folder's as of the zip that\n"
		"'data' would send. Manifests may name it as asset:NAME, where a digest is wanted. It is in a workspace,\n"
		"under a name that no other one has there, and yours.",
};

/* ---- list, show ---- */

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const People__ListAssetsResponse *page = (const People__ListAssetsResponse *)message;

	for (size_t i = 0; i < page->n_assets; i++)
		add_row(t, page->assets[i]);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &people_list_assets, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

/* clang-format off */
static const char *const orders[] = { "name", "type", "created", "changed",
				      "-name", "-type", "-created", "-changed", NULL };
static const struct cli_option list_options[] = {
	{ .name = "sort", .value = "ORDER", .offers = orders,
	  .help = "name, type, created or changed; with a '-' in front the greatest first" },
	{ .name = "search", .value = "TEXT",
	  .help = "those with this in name, description, MIME type or owner, or with this digest" },
	WORKSPACE_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
static const struct cli_option one_options[] = {
	WORKSPACE_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_asset_list = {
	.name = "asset list",
	.args = "",
	.help = "list the assets of a workspace, by name unless --sort says otherwise",
	.options = list_options,
	.run = run_list,
};

static People__AssetRequest request_of(const struct cli *cli)
{
	People__AssetRequest request = PEOPLE__ASSET_REQUEST__INIT;

	request.workspace = lent(cli_value(cli, "workspace"));
	request.name = lent(cli->operands[0]);
	return request;
}

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	const People__AssetRequest request = request_of(cli);

	return ask_one(cli, &people_show_asset, &request.base, e);
}

const struct command cmd_asset_show = {
	.name = "asset show",
	.args = "NAME",
	.help = "show one asset, and which computations name it",
	.operands_min = 1,
	.operands_max = 1,
	.options = one_options,
	.run = run_show,
	.more = "Of the computations those that you may see, 256 at most.",
};

/* ---- update, link, remove ---- */

static enum cli_exit run_update(struct cli *cli, struct err *e)
{
	People__UpdateAssetRequest request = PEOPLE__UPDATE_ASSET_REQUEST__INIT;
	const char *description = cli_value(cli, "description");

	if (!cli_value(cli, "name") && !cli_value(cli, "mime") && !description)
		return cli_usage(e, "give --name, --mime or --description: what is to change");
	request.workspace = lent(cli_value(cli, "workspace"));
	request.name = lent(cli->operands[0]);
	request.to = lent(cli_value(cli, "name"));
	request.mime_type = lent(cli_value(cli, "mime"));
	request.description = lent(description);
	request.no_description = description && !*description;
	return ask_one(cli, &people_update_asset, &request.base, e);
}

/* clang-format off */
static const struct cli_option update_options[] = {
	{ .name = "name", .value = "NAME", .help = "another name" },
	{ .name = "mime", .value = "TYPE", .help = "another MIME type" },
	{ .name = "description", .value = "TEXT", .help = "another line about it; '' for none" },
	WORKSPACE_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_asset_update = {
	.name = "asset update",
	.args = "NAME",
	.help = "change what is said of an asset of yours",
	.operands_min = 1,
	.operands_max = 1,
	.options = update_options,
	.run = run_update,
	.more = "Its digest and type stay: another file is another asset. Administrators of the workspace change any.",
};

static enum cli_exit run_link(struct cli *cli, struct err *e)
{
	People__LinkAssetRequest request = PEOPLE__LINK_ASSET_REQUEST__INIT;

	request.workspace = lent(cli_value(cli, "workspace"));
	request.name = lent(cli->operands[0]);
	request.computation_id = lent(cli->operands[1]);
	return ask_one(cli, &people_link_asset, &request.base, e);
}

const struct command cmd_asset_link = {
	.name = "asset link",
	.args = "NAME COMPUTATION",
	.help = "link an asset with a computation that was there before it",
	.operands_min = 2,
	.operands_max = 2,
	.options = one_options,
	.run = run_link,
	.more = "Its manifest has to name the digest. What is created later is linked by itself.",
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	const People__AssetRequest request = request_of(cli);
	ProtobufCMessage *response;
	enum cli_exit status =
		computation_call(cli, &people_remove_asset, &request.base, &response, e);

	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "asset %s removed\n", text_plain(cli->operands[0]).text);
	return CLI_OK;
}

const struct command cmd_asset_remove = {
	.name = "asset remove",
	.args = "NAME",
	.help = "forget an asset of yours that no computation names",
	.operands_min = 1,
	.operands_max = 1,
	.options =
		(const struct cli_option[]){ WORKSPACE_OPTION, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_remove,
	.more = "The file is with whoever has it. Administrators of the workspace remove any.",
};
