/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cvm.c — the CVMs whose agents the computation service has seen. */
#include <string.h>

#include "cli/commands.h"
#include "cli/computation_client.h"
#include "cli/text.h"

static void to_json(struct json_out *out, const Computations__Cvm *c)
{
	char first[COMPUTATION_TIME_MAX], last[COMPUTATION_TIME_MAX];

	computation_time(c->first_seen, first);
	computation_time(c->last_seen, last);
	json_out_object(out, NULL);
	json_out_text(out, "id", c->id);
	json_out_bool(out, "connected", c->connected);
	json_out_text(out, "agent_state", c->agent_state);
	json_out_text(out, "computation", c->computation_id);
	json_out_text(out, "peer", c->peer);
	json_out_text(out, "first_seen", first);
	json_out_text(out, "last_seen", last);
	json_out_end(out);
}

static void print_row(FILE *out, const char *id, const char *connected, const char *state,
		      const char *computation)
{
	fprintf(out, "%-36s  %-13s  %-18s  %s\n", text_plain(id).text, connected,
		text_plain(state).text, text_plain(computation).text);
}

static enum cli_exit list_pages(struct client *client, struct json_out *out, struct err *e)
{
	bool json = cli_flag(client->cli, "json");
	char after[256] = "";

	do {
		Computations__ListRequest request = COMPUTATIONS__LIST_REQUEST__INIT;
		const Computations__ListCvmsResponse *page;
		ProtobufCMessage *response;

		request.after = after;
		if (client_call(client, &computation_list_cvms, &request.base, &response, e) < 0)
			return CLI_FAILED;
		page = (const Computations__ListCvmsResponse *)response;
		for (size_t i = 0; i < page->n_cvms; i++) {
			const Computations__Cvm *c = page->cvms[i];

			if (json)
				to_json(out, c);
			else
				print_row(client->cli->out, c->id,
					  c->connected ? "connected" : "not connected",
					  *c->agent_state ? c->agent_state : "-",
					  *c->computation_id ? c->computation_id : "-");
		}
		if (strcmp(after, page->next) == 0)
			after[0] = 0;
		else
			snprintf(after, sizeof(after), "%s", page->next);
		protobuf_c_message_free_unpacked(response, NULL);
	} while (after[0]);
	return CLI_OK;
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct json_out out CLEANUP_JSON_OUT;
	enum cli_exit status;

	json_out_init(&out);
	json_out_list(&out, NULL);
	if (client_open(&client, CLIENT_COMPUTATIONS, cli, e) < 0)
		return CLI_USAGE;
	if (!cli_flag(cli, "json"))
		print_row(cli->out, "ID", "", "AGENT", "COMPUTATION");
	status = list_pages(&client, &out, e);
	json_out_end(&out);
	if (status == CLI_OK && cli_flag(cli, "json") && json_out_print(&out, cli->out, e) < 0)
		return CLI_FAILED;
	return status;
}

const struct command cmd_cvm_list = {
	.name = "cvm list",
	.args = "",
	.help = "list the CVMs that the computation service knows",
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, CLIENT_OPTIONS, { .name = NULL } },
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
	fprintf(out, "computation  %s\n",
		*c->computation_id ? text_plain(c->computation_id).text : "none");
	fprintf(out, "first seen   %s\nlast seen    %s\n", first, last);
}

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	Computations__CvmRequest request = COMPUTATIONS__CVM_REQUEST__INIT;
	struct json_out out CLEANUP_JSON_OUT;
	ProtobufCMessage *response;
	enum cli_exit status;

	json_out_init(&out);
	request.id = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &computation_show_cvm, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	if (cli_flag(cli, "json")) {
		to_json(&out, (const Computations__Cvm *)response);
		status = json_out_print(&out, cli->out, e) < 0 ? CLI_FAILED : CLI_OK;
	} else {
		print_cvm(cli->out, (const Computations__Cvm *)response);
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

const struct command cmd_cvm_show = {
	.name = "cvm show",
	.args = "ID",
	.help = "show one CVM",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ CLI_JSON_OPTION, CLIENT_OPTIONS, { .name = NULL } },
	.run = run_show,
};
