/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/computation_client.h"

#include "cli/base/text.h"
#include "cli/client/going.h"
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "computations_paths.h"
#include "google/protobuf/empty.pb-c.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

DEFINE_CLEANUP(struct json *, json_free)

#define METHOD(variable, path_, kind_, request_, response_)         \
	const struct rpc_method variable = {                        \
		.path = path_,                                      \
		.kind = kind_,                                      \
		.request = &computations__##request_##__descriptor, \
		.response = &response_##__descriptor,               \
	}
#define ONE(variable, path, request, response) METHOD(variable, path, RPC_UNARY, request, response)

/* clang-format off */
ONE(computation_create, PROTO_COMPUTATIONS_CREATE, create_request, computations__computation);
ONE(computation_list, PROTO_COMPUTATIONS_LIST, list_request, computations__list_response);
ONE(computation_show, PROTO_COMPUTATIONS_SHOW, computation_request, computations__computation);
ONE(computation_manifest, PROTO_COMPUTATIONS_MANIFEST, computation_request, computations__manifest_response);
ONE(computation_import, PROTO_COMPUTATIONS_IMPORT, import_request, computations__import_response);
ONE(computation_export, PROTO_COMPUTATIONS_EXPORT, export_request, computations__export_response);
ONE(computation_run, PROTO_COMPUTATIONS_RUN, run_request, computations__computation);
ONE(computation_stop, PROTO_COMPUTATIONS_STOP, computation_request, computations__computation);
ONE(computation_remove, PROTO_COMPUTATIONS_REMOVE, remove_request, google__protobuf__empty);
ONE(computation_update, PROTO_COMPUTATIONS_UPDATE, update_request, computations__computation);
ONE(computation_rename, PROTO_COMPUTATIONS_RENAME, rename_request, computations__computation);
METHOD(computation_console, PROTO_COMPUTATIONS_CONSOLE, RPC_SERVER_STREAM, console_request, computations__console_part);
METHOD(computation_logs, PROTO_COMPUTATIONS_LOGS, RPC_SERVER_STREAM, logs_request, computations__record);
ONE(computation_journal, PROTO_COMPUTATIONS_JOURNAL, journal_request, computations__journal_response);
ONE(computation_witness, PROTO_COMPUTATIONS_WITNESS, witness_request, computations__witness_response);
ONE(computation_witness_leaves, PROTO_COMPUTATIONS_WITNESS_LEAVES, witness_leaves_request, computations__witness_leaves_response);
ONE(computation_audit, PROTO_COMPUTATIONS_AUDIT, audit_request, computations__audit_response);
ONE(computation_trim_audit, PROTO_COMPUTATIONS_TRIM_AUDIT, trim_audit_request, google__protobuf__empty);
ONE(computation_list_cvms, PROTO_COMPUTATIONS_LIST_CVMS, list_request, computations__list_cvms_response);
ONE(computation_show_cvm, PROTO_COMPUTATIONS_SHOW_CVM, cvm_request, computations__cvm);
ONE(computation_release_cvm, PROTO_COMPUTATIONS_RELEASE_CVM, cvm_request, computations__cvm);
ONE(computation_create_cvm, PROTO_COMPUTATIONS_CREATE_CVM, create_cvm_request, computations__machine);
ONE(computation_remove_cvm, PROTO_COMPUTATIONS_REMOVE_CVM, remove_cvm_request, computations__machine);
ONE(computation_list_machines, PROTO_COMPUTATIONS_LIST_MACHINES, list_request, computations__list_machines_response);
ONE(computation_show_machine, PROTO_COMPUTATIONS_SHOW_MACHINE, machine_request, computations__machine);
ONE(computation_usage, PROTO_COMPUTATIONS_USAGE, usage_request, computations__usage_response);
/* clang-format on */

enum cli_exit computation_call(struct cli *cli, const struct rpc_method *method,
			       const ProtobufCMessage *request, ProtobufCMessage **response,
			       struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };

	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (client_call(&client, method, request, response, e) < 0) {
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* Of whom the command is about: a user's session or token is among the user's. */
static const char *what_is_there(const char *command)
{
	static const struct {
		const char *command, *hint;
	} of[] = {
		{ "computation create", "'cocos-cli workspace list', 'cocos-cli asset list', with "
					"--workspace of one, and 'cocos-cli key list USER' show "
					"what is there" },
		{ "computation list",
		  "'cocos-cli workspace list' shows which workspaces there are" },
		{ "cvm ",
		  "'cocos-cli cvm list', with --workspace of one, and 'cocos-cli workspace list' "
		  "show what is there" },
		{ "user remove-identity",
		  "'cocos-cli user list' and 'cocos-cli user identities NAME' show what is there" },
		{ "user ", "'cocos-cli user list' shows who is there" },
		{ "workspace member add",
		  "'cocos-cli workspace list' and 'cocos-cli user list' show what is there" },
		{ "workspace ", "'cocos-cli workspace list' and 'cocos-cli workspace member list "
				"WORKSPACE' show what is there" },
		{ "asset ", "'cocos-cli asset list', with --workspace of one, 'cocos-cli workspace "
			    "list' and 'cocos-cli computation list' show what is there" },
		{ "invitation ", "'cocos-cli workspace list' and 'cocos-cli invitation list "
				 "WORKSPACE' show what is there" },
		{ "webhook redeliver", "'cocos-cli webhook list', with --workspace of one, and "
				       "'cocos-cli webhook deliveries NUMBER' show what is there" },
		{ "webhook ", "'cocos-cli workspace list' and 'cocos-cli webhook list', with "
			      "--workspace of one, show what is there" },
		{ "billing ", "'cocos-cli billing list', 'billing plans' and 'cocos-cli workspace "
			      "list' show what is there" },
		{ "certificate ", "'cocos-cli certificate list' shows what is there" },
		{ "usage", "'cocos-cli workspace list' and 'cocos-cli billing list' show what is "
			   "there" },
		{ "workflow ", "'cocos-cli workspace list' and 'cocos-cli workflow list', with "
			       "--workspace of one, show what is there" },
		{ "executor ", "'cocos-cli workspace list' and 'cocos-cli executor list', with "
			       "--workspace of one, show what is there" },
		{ "audit ", "'cocos-cli audit export' prints the head of what is there" },
		{ "session ", "'cocos-cli user list' and 'cocos-cli session list USER' show what "
			      "is there" },
		{ "token ", "'cocos-cli user list' and 'cocos-cli token list USER' show what is "
			    "there" },
		{ "key ",
		  "'cocos-cli computation list' and 'cocos-cli key list' show what is there" },
		{ "role ", "'cocos-cli computation list', 'cocos-cli user list' and 'cocos-cli "
			   "role list COMPUTATION' show what is there" },
	};

	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (strncmp(command, of[i].command, strlen(of[i].command)) == 0)
			return of[i].hint;
	return "'cocos-cli computation list' and 'cocos-cli cvm list' show what is there";
}

void computation_hint(struct client *client, const struct err *e)
{
	if (e->code == ERR_NOT_FOUND && !client->cli->hint[0])
		cli_hint(client->cli, "%s", what_is_there(client->cli->command->name));
	/* Not of the way there, which client_call() has told of. */
	if (e->code == ERR_UNAVAILABLE && !client->cli->hint[0] &&
	    strcmp(client->cli->command->name, "computation run") == 0)
		cli_hint(client->cli, "'cocos-cli cvm list' shows which CVMs are connected, and "
				      "which computation each has");
	if (e->code == ERR_UNAUTHENTICATED && !client->cli->hint[0])
		cli_hint(client->cli, "'cocos-cli login' gets a token by way of the page");
	client_hint(client, e);
}

void computation_time(const Google__Protobuf__Timestamp *time, char text[COMPUTATION_TIME_MAX])
{
	time_t seconds = time ? (time_t)time->seconds : 0;
	char day[24];
	struct tm utc;

	if (!time || !gmtime_r(&seconds, &utc) || utc.tm_year > 8099 || utc.tm_year < -1899 ||
	    !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc)) {
		snprintf(text, COMPUTATION_TIME_MAX, "-");
		return;
	}
	snprintf(text, COMPUTATION_TIME_MAX, "%s.%03dZ", day,
		 time->nanos >= 0 && time->nanos <= 999999999 ? time->nanos / 1000000 : 0);
}

int64_t computation_ms(const Google__Protobuf__Timestamp *time)
{
	int64_t seconds = time ? time->seconds : 0;

	if (seconds > INT64_MAX / 1000)
		return INT64_MAX;
	return seconds < INT64_MIN / 1000 ? INT64_MIN : seconds * 1000;
}

void computation_time_to_json(struct json_out *out, const char *key,
			      const Google__Protobuf__Timestamp *time)
{
	char text[COMPUTATION_TIME_MAX];

	computation_time(time, text);
	json_out_text(out, key, text);
}

void computation_to_json(struct json_out *out, const char *key, const Computations__Computation *c)
{
	computation_to_json_open(out, key, c);
	json_out_end(out);
}

void computation_to_json_open(struct json_out *out, const char *key,
			      const Computations__Computation *c)
{
	json_out_object(out, key);
	json_out_text(out, "id", c->id);
	json_out_text(out, "name", c->name);
	json_out_text(out, "description", c->description);
	json_out_text(out, "workspace", c->workspace);
	json_out_text(out, "state", c->state);
	json_out_text(out, "agent_state", c->agent_state);
	json_out_bool(out, "finished", c->finished);
	json_out_bool(out, "stopping", c->stopping);
	if (*c->failure)
		json_out_text(out, "failure", c->failure);
	if (*c->notice)
		json_out_text(out, "notice", c->notice);
	json_out_text(out, "cvm", c->cvm_id);
	if (*c->new_cvm)
		json_out_text(out, "new_cvm", c->new_cvm);
	if (*c->cvm_verdict)
		json_out_text(out, "cvm_verdict", c->cvm_verdict);
	json_out_bool(out, "cvm_connected", c->cvm_connected);
	json_out_hex(out, "manifest_digest", c->manifest_digest.data, c->manifest_digest.len);
	json_out_number(out, "datasets", c->datasets);
	json_out_number(out, "consumers", c->consumers);
	json_out_number(out, "records", c->records);
	json_out_number(out, "records_dropped", c->records_dropped);
	if (c->progress)
		going_to_json(out, c->progress);
	if (c->created)
		computation_time_to_json(out, "created", c->created);
	if (c->changed)
		computation_time_to_json(out, "changed", c->changed);
	if (c->sent)
		computation_time_to_json(out, "sent", c->sent);
	if (c->ended)
		computation_time_to_json(out, "ended", c->ended);
}

static void print_time(FILE *out, const char *what, const Google__Protobuf__Timestamp *time)
{
	char text[COMPUTATION_TIME_MAX];

	if (!time)
		return;
	computation_time(time, text);
	fprintf(out, "%-13s%s\n", what, text);
}

/* An agent's details of its event, {"error":"..."}, by what they say; anything else as it is. */
static void print_failure(FILE *out, const char *failure)
{
	CLEANUP(json_free) struct json *details = NULL;
	const struct json *error = NULL;
	struct err ignored;

	if (json_parse(failure, strlen(failure), &details, &ignored) == 0 &&
	    details->type == JSON_OBJECT && details->count == 1)
		error = json_get(details, "error");
	fprintf(out, "failure      %s\n",
		text_plain(error && error->type == JSON_STRING ? error->text : failure).text);
}

static void print_going(FILE *out, const Cvms__Progress *p)
{
	char here[GOING_TEXT_MAX];

	for (size_t i = 0; p && i < p->n_uploads; i++) {
		const Cvms__UploadProgress *u = p->uploads[i];

		going_text(u, here);
		fprintf(out, "%-13s", u->asset ? "dataset" : "algorithm");
		if (u->asset)
			fprintf(out, "%" PRIu32 ": ", u->asset);
		fprintf(out, "%s%s\n", here, u->waits ? ", and then it was cut off" : "");
	}
	going_print_run(out, 13, p, false);
}

void computation_print(FILE *out, const Computations__Computation *c)
{
	char hex[2 * 32 + 1] = "?";

	if (c->manifest_digest.len == 32)
		hex_encode(c->manifest_digest.data, 32, hex);
	fprintf(out, "computation  %s\n", text_plain(c->id).text);
	fprintf(out, "name         %s\n", text_plain(c->name).text);
	if (*c->description)
		fprintf(out, "description  %s\n", text_plain(c->description).text);
	fprintf(out, "workspace    %s\n", text_plain(c->workspace).text);
	fprintf(out, "state        %s%s\n", text_plain(c->state).text,
		c->stopping ? " (its agent has not confirmed the stop)" : "");
	if (*c->failure)
		print_failure(out, c->failure);
	if (*c->notice)
		fprintf(out, "notice       %s\n", text_plain(c->notice).text);
	if (*c->new_cvm)
		fprintf(out, "new CVM      %s%s\n", text_plain(c->new_cvm).text,
			*c->cvm_id ? "" : " (it waits for it)");
	if (*c->cvm_id)
		fprintf(out, "CVM          %s (%s%s%s)\n", text_plain(c->cvm_id).text,
			c->cvm_connected ? "connected" : "not connected",
			*c->agent_state ? ", agent " : "", text_plain(c->agent_state).text);
	if (*c->cvm_verdict)
		fprintf(out, "evidence     %s\n", text_plain(c->cvm_verdict).text);
	fprintf(out, "manifest     %s\n", hex);
	fprintf(out, "wants        1 algorithm, %u dataset%s; %u consumer%s\n", c->datasets,
		c->datasets == 1 ? "" : "s", c->consumers, c->consumers == 1 ? "" : "s");
	print_going(out, c->progress);
	print_time(out, "created", c->created);
	print_time(out, "sent", c->sent);
	print_time(out, "ended", c->ended);
	fprintf(out, "records      %" PRIu64 " kept", c->records);
	if (c->records_dropped)
		fprintf(out, ", %" PRIu64 " older ones dropped", c->records_dropped);
	fputc('\n', out);
}

enum cli_exit computation_report(struct cli *cli, const Computations__Computation *c, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	if (!cli_flag(cli, "json")) {
		computation_print(cli->out, c);
		return CLI_OK;
	}
	computation_to_json(&out, NULL, c);
	return json_out_print(&out, cli->out, e) < 0 ? CLI_FAILED : CLI_OK;
}
