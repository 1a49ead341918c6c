/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cvm.c — the CVMs whose agents the computation service has seen. */
#include "cli/base/text.h"
#include "cli/client/computation_client.h"
#include "cli/client/listing.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/cvm_made.h"

static void to_json(struct json_out *out, const Computations__Cvm *c)
{
	json_out_object(out, NULL);
	json_out_text(out, "id", c->id);
	json_out_bool(out, "connected", c->connected);
	json_out_text(out, "agent_state", c->agent_state);
	json_out_text(out, "computation", c->computation_id);
	json_out_text(out, "peer", c->peer);
	json_out_bool(out, "verified", c->verified);
	json_out_text(out, "verdict", c->verdict);
	json_out_text(out, "client_key", c->client_key);
	computation_time_to_json(out, "first_seen", c->first_seen);
	computation_time_to_json(out, "last_seen", c->last_seen);
	json_out_end(out);
}

static const struct table_column columns[] = {
	{ "ID", "id", false },
	{ "CONNECTED", "connected", false },
	{ "EVIDENCE", "verified", false },
	{ "AGENT", "agent_state", false },
	{ "COMPUTATION", "computation", false },
	{ "PEER", "peer", true },
	{ "FIRST SEEN", "first_seen", true },
	{ "LAST SEEN", "last_seen", true },
	{ NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const Computations__ListCvmsResponse *page =
		(const Computations__ListCvmsResponse *)message;

	for (size_t i = 0; i < page->n_cvms; i++) {
		const Computations__Cvm *c = page->cvms[i];
		struct json_out object CLEANUP_JSON_OUT;

		table_text(t, c->id);
		table_text(t, c->connected ? "connected" : "not connected");
		table_text(t, c->verified ? "verified" : "not verified");
		table_text(t, c->agent_state);
		table_text(t, c->computation_id);
		table_text(t, c->peer);
		table_moment(t, computation_ms(c->first_seen));
		table_moment(t, computation_ms(c->last_seen));
		json_out_init(&object);
		to_json(&object, c);
		table_object(t, &object);
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &computation_list_cvms, columns, rows, NULL };

	return cli_value(cli, "workspace") ? cvm_made_list(cli, e)
					   : listing_print(cli, &listing, e);
}

/* clang-format off */
static const char *const orders[] = { "created", "changed", "name", "state",
				      "-created", "-changed", "-name", "-state", NULL };
static const struct cli_option list_options[] = {
	CVM_MADE_WORKSPACE,
	{ .name = "sort", .value = "ORDER", .offers = orders,
	  .help = "created, changed or name, of a workspace's created, name or state; with a '-' in front the greatest first" },
	{ .name = "search", .value = "TEXT",
	  .help = "those with this in id, state, computation, peer or verdict; of a workspace's in name, id, address, "
		  "manager, image or reason" },
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_cvm_list = {
	.name = "cvm list",
	.args = "",
	.help = "list the CVMs that the computation service knows, or those of a workspace, oldest first unless --sort says otherwise",
	.options = list_options,
	.run = run_list,
};

static void print_cvm(FILE *out, const Computations__Cvm *c)
{
	char first[COMPUTATION_TIME_MAX], last[COMPUTATION_TIME_MAX];

	computation_time(c->first_seen, first);
	computation_time(c->last_seen, last);
	fprintf(out, "CVM          %s\n", text_plain(c->id).text);
	fprintf(out, "connected    %s, %s from %s\n", c->connected ? "yes" : "no",
		c->connected ? "now" : "last", text_plain(c->peer).text);
	fprintf(out, "agent        %s\n",
		*c->agent_state ? text_plain(c->agent_state).text : "(state unknown)");
	fprintf(out, "evidence     %s\n", text_plain(c->verdict).text);
	fprintf(out, "computation  %s\n",
		*c->computation_id ? text_plain(c->computation_id).text : "none");
	fprintf(out, "client key   %s\n", *c->client_key ? text_plain(c->client_key).text : "none");
	fprintf(out, "first seen   %s\nlast seen    %s\n", first, last);
}

static enum cli_exit call_and_print(struct cli *cli, const struct rpc_method *method, struct err *e)
{
	Computations__CvmRequest request = COMPUTATIONS__CVM_REQUEST__INIT;
	struct json_out out CLEANUP_JSON_OUT;
	ProtobufCMessage *response;
	enum cli_exit status;

	json_out_init(&out);
	request.id = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, method, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	if (listing_is_for_people(cli)) {
		print_cvm(cli->out, (const Computations__Cvm *)response);
	} else {
		to_json(&out, (const Computations__Cvm *)response);
		status = listing_object(cli, &out, e);
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	if (table_check(cli, e) < 0)
		return CLI_USAGE;
	if (cli_value(cli, "workspace"))
		return cvm_made_show(cli, e);
	return call_and_print(cli, &computation_show_cvm, e);
}

static enum cli_exit run_release(struct cli *cli, struct err *e)
{
	return call_and_print(cli, &computation_release_cvm, e);
}

const struct command cmd_cvm_show = {
	.name = "cvm show",
	.args = "ID",
	.help = "show one CVM, with --workspace by the name that it has there",
	.operands_min = 1,
	.operands_max = 1,
	.options =
		(const struct cli_option[]){
			CVM_MADE_WORKSPACE, TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_show,
};

const struct command cmd_cvm_release = {
	.name = "cvm release",
	.args = "ID",
	.help = "free a CVM's name from its client key",
	.operands_min = 1,
	.operands_max = 1,
	.options =
		(const struct cli_option[]){ CLI_JSON_OPTION, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_release,
	.more = "The first client certificate that an agent shows binds the name of its CVM: others are\n"
		"refused. Release it when the agent has got another key. Its connections end, and the next\n"
		"agent of that name binds it again: be sure that it is the right one.",
};
