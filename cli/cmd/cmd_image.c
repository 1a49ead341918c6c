/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_image.c — the images that a manager launches CVMs from, for its operators. */
#include "cli/base/json_out.h"
#include "cli/base/table.h"
#include "cli/client/client.h"
#include "cli/cmd/commands.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager_paths.h"

#include <stdio.h>

static const struct rpc_method list_images = { PROTO_MANAGER_LIST_IMAGES, RPC_UNARY,
					       &manager__list_images_req__descriptor,
					       &manager__list_images_res__descriptor };
static const struct rpc_method set_default = { PROTO_MANAGER_SET_DEFAULT_IMAGE, RPC_UNARY,
					       &manager__set_default_image_req__descriptor,
					       &google__protobuf__empty__descriptor };
static const struct rpc_method remove_image = { PROTO_MANAGER_REMOVE_IMAGE, RPC_UNARY,
						&manager__remove_image_req__descriptor,
						&google__protobuf__empty__descriptor };

static const struct table_column columns[] = {
	{ "NAME", "name", false },   { "DEFAULT", "default", false }, { "CVMS", "cvms", false },
	{ "IMAGE", "image", false }, { "PROBLEM", "problem", false }, { NULL, NULL, false },
};

static void add_row(struct table *t, const Manager__Image *image)
{
	struct json_out object CLEANUP_JSON_OUT;
	char cvms[16];

	snprintf(cvms, sizeof(cvms), "%u", image->cvms);
	table_text(t, image->name);
	table_text(t, image->is_default ? "default" : "");
	table_text(t, cvms);
	table_text(t, image->image);
	table_text(t, image->problem);
	json_out_init(&object);
	json_out_object(&object, NULL);
	json_out_text(&object, "name", image->name);
	json_out_bool(&object, "default", image->is_default);
	json_out_number(&object, "cvms", image->cvms);
	json_out_text(&object, "image", image->image);
	json_out_text(&object, "problem", image->problem);
	json_out_end(&object);
	table_object(t, &object);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct table t CLEANUP_TABLE;
	Manager__ListImagesReq request = MANAGER__LIST_IMAGES_REQ__INIT;
	const Manager__ListImagesRes *images;
	ProtobufCMessage *response;

	table_init(&t, columns);
	if (table_check(cli, e) < 0 || client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (client_call(&client, &list_images, &request.base, &response, e) < 0)
		return CLI_FAILED;
	images = (const Manager__ListImagesRes *)response;
	for (size_t i = 0; i < images->n_images; i++)
		add_row(&t, images->images[i]);
	protobuf_c_message_free_unpacked(response, NULL);
	return table_print(&t, cli, "none", e) < 0 ? CLI_FAILED : CLI_OK;
}

const struct command cmd_image_list = {
	.name = "image list",
	.args = "",
	.help = "list the images that a manager launches CVMs from",
	.options = (const struct cli_option[]){ TABLE_OPTIONS, CLIENT_OPTIONS, { .name = NULL } },
	.run = run_list,
	.more = "CVMS are those that were launched from it and are there; PROBLEM says why none can be.",
};

static enum cli_exit act(struct cli *cli, const struct rpc_method *method,
			 const ProtobufCMessage *request, const char *said, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	ProtobufCMessage *response;

	if (client_open(&client, CLIENT_MANAGER, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (client_call(&client, method, request, &response, e) < 0)
		return CLI_FAILED;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "image %s %s\n", cli->operands[0], said);
	return CLI_OK;
}

static enum cli_exit run_default(struct cli *cli, struct err *e)
{
	Manager__SetDefaultImageReq request = MANAGER__SET_DEFAULT_IMAGE_REQ__INIT;

	request.name = (char *)(uintptr_t)cli->operands[0];
	return act(cli, &set_default, &request.base, "is the default", e);
}

const struct command cmd_image_default = {
	.name = "image default",
	.args = "NAME",
	.help = "have CVMs launched from that image from now on, unless they ask for another",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_default,
	.more = "Each CVM keeps the image that it was launched from, and the policy that goes with it.",
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	Manager__RemoveImageReq request = MANAGER__REMOVE_IMAGE_REQ__INIT;

	request.name = (char *)(uintptr_t)cli->operands[0];
	return act(cli, &remove_image, &request.base, "removed", e);
}

const struct command cmd_image_remove = {
	.name = "image remove",
	.args = "NAME",
	.help = "remove an image that no CVM uses",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLIENT_OPTIONS, { .name = NULL } },
	.run = run_remove,
	.more = "Its folder in MANAGER_IMAGE_DIR is removed with all that is in it; of a link, the link alone. The default\n"
		"stays, and what a CVM was launched from that is there.",
};
