/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_computation_logs.c — what a computation's agent said, from the beginning, and as it comes. */
#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/computation_client.h"
#include "cli/cmd/commands.h"

static int print_json(struct cli *cli, const Computations__Record *r, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_number(&out, "number", r->number);
	computation_time_to_json(&out, "time", r->time);
	computation_time_to_json(&out, "received", r->received);
	json_out_text(&out, "kind", r->event ? "event" : "log");
	if (r->event) {
		json_out_text(&out, "type", r->type);
		json_out_text(&out, "status", r->status);
		json_out_text(&out, "originator", r->originator);
		json_out_text(&out, "details", r->text);
	} else {
		json_out_text(&out, "level", r->level);
		json_out_text(&out, "message", r->text);
	}
	json_out_end(&out);
	return json_out_print(&out, cli->out, e);
}

static int print_record(struct cli *cli, Computations__Record *r, struct err *e)
{
	char time[COMPUTATION_TIME_MAX];

	if (cli_flag(cli, "json")) {
		if (print_json(cli, r, e) < 0)
			return err_code(e);
	} else {
		computation_time(r->time ? r->time : r->received, time);
		text_make_plain(r->text);
		if (r->event)
			fprintf(cli->out, "%s  event  %s/%s  %s\n", time, text_plain(r->type).text,
				text_plain(r->status).text, r->text);
		else
			fprintf(cli->out, "%s  %-5s  %s\n", time,
				*r->level ? text_plain(r->level).text : "info", r->text);
	}
	/* A user who follows wants to see it now; one who pipes into head wants us to end. */
	return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
}

static int print_all(struct client *client, const Computations__LogsRequest *request, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	const struct rpc_stream_options options = { .metadata = &client->shown };

	if (rpc_sync_open(client->channel, &computation_logs, &options, &sync, e) < 0 ||
	    rpc_sync_send(sync, &request->base, e) < 0)
		return err_code(e);
	for (;;) {
		ProtobufCMessage *message;
		int failed = rpc_sync_receive(sync, &message, e);

		if (failed || !message)
			return failed;
		failed = print_record(client->cli, (Computations__Record *)message, e);
		protobuf_c_message_free_unpacked(message, NULL);
		if (failed)
			return failed;
	}
}

static int read_after(struct cli *cli, uint64_t *after, struct err *e)
{
	const char *text = cli_value(cli, "after");

	*after = 0;
	if (text && !number_decimal(text, after))
		return err_set(e, ERR_INVALID, "--after: give a record's number");
	return 0;
}

static enum cli_exit run_logs(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	Computations__LogsRequest request = COMPUTATIONS__LOGS_REQUEST__INIT;
	const char *cvm = cli_value(cli, "cvm");

	if (!cvm == !cli->operand_count)
		return cli_usage(e, "give the ID of a computation, or --cvm ID");
	if (read_after(cli, &request.after, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	request.follow = cli_flag(cli, "follow");
	if (cvm)
		request.cvm_id = (char *)(uintptr_t)cvm;
	else
		request.id = (char *)(uintptr_t)cli->operands[0];
	if (print_all(&client, &request, e) < 0) {
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'f', .name = "follow", .help = "go on until the computation is finished" },
	{ .name = "after", .value = "NUMBER", .help = "begin after this record" },
	{ .name = "cvm", .value = "ID",
	  .help = "instead: what this CVM said that belongs to no computation" },
	{ .name = "json", .help = "print a JSON object in each line" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_logs = {
	.name = "computation logs",
	.common = true,
	.args = "ID",
	.help = "print the log lines and events of a computation",
	.operands_max = 1,
	.options = options,
	.run = run_logs,
};
