/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_computation.c — computations at the computation service: list, show, run, stop, remove. */
#include "cli/base/text.h"
#include "cli/client/computation_waiting.h"
#include "cli/client/confirmed.h"
#include "cli/client/listing.h"
#include "cli/client/waiting.h"
#include "cli/client/witness_client.h"
#include "cli/cmd/commands.h"
#include "cli/cmd/cvm_made.h"
#include "cli/cmd/vm_reach.h"
#include "common/base/log.h"
#include "common/base/settings.h"

#include <string.h>

enum { STOP_WAIT_S = 10 };

static const struct table_column columns[] = {
	{ "ID", "id", false },
	{ "NAME", "name", false },
	{ "STATE", "state", false },
	{ "CVM", "cvm", false },
	{ "WORKSPACE", "workspace", true },
	{ "CREATED", "created", true },
	{ "CHANGED", "changed", true },
	{ "ENDED", "ended", true },
	{ NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const Computations__ListResponse *page = (const Computations__ListResponse *)message;

	for (size_t i = 0; i < page->n_computations; i++) {
		const Computations__Computation *c = page->computations[i];
		struct json_out object CLEANUP_JSON_OUT;

		table_text(t, c->id);
		table_text(t, c->name);
		table_text(t, c->state);
		table_text(t, c->cvm_id);
		table_text(t, c->workspace);
		table_moment(t, computation_ms(c->created));
		table_moment(t, computation_ms(c->changed));
		table_moment(t, computation_ms(c->ended));
		json_out_init(&object);
		computation_to_json(&object, NULL, c);
		table_object(t, &object);
	}
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &computation_list, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

/* clang-format off */
static const char *const orders[] = { "created", "changed", "name", "state",
				      "-created", "-changed", "-name", "-state", NULL };
static const struct cli_option computation_list_options[] = {
	{ .name = "workspace", .value = "NAME", .help = "those in this one (all that you may see)" },
	{ .name = "sort", .value = "ORDER", .offers = orders,
	  .help = "created, changed, name or state; with a '-' in front the greatest first" },
	{ .name = "search", .value = "TEXT", .help = "those with this in id, name or description, or with this digest" },
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_list = {
	.name = "computation list",
	.common = true,
	.args = "",
	.help = "list computations, oldest first unless --sort says otherwise",
	.options = computation_list_options,
	.run = run_list,
};

static int report(struct cli *cli, const Computations__Computation *c, const struct confirmed *seen,
		  struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	if (listing_is_for_people(cli)) {
		computation_print(cli->out, c);
		confirmed_print(cli->out, seen);
		return 0;
	}
	computation_to_json_open(&out, NULL, c);
	confirmed_to_json(&out, seen);
	json_out_end(&out);
	return listing_object(cli, &out, e) == CLI_OK ? 0 : err_code(e);
}

static enum cli_exit show(struct client *client, struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	struct confirmed seen CLEANUP_CONFIRMED = { .list = NULL };
	ProtobufCMessage *response;
	enum cli_exit status;

	request.id = (char *)(uintptr_t)client->cli->operands[0];
	if (client_call(client, &computation_show, &request.base, &response, e) < 0) {
		computation_hint(client, e);
		return CLI_FAILED;
	}
	status = confirmed_look(client, request.id, &seen, e);
	if (status == CLI_OK &&
	    report(client->cli, (const Computations__Computation *)response, &seen, e) < 0)
		status = CLI_FAILED;
	if (status == CLI_OK)
		status = confirmed_judge(&seen, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

static enum cli_exit run_show(struct cli *cli, struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };

	if (table_check(cli, e) < 0 || client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	return show(&client, e);
}

/* clang-format off */
static const struct cli_option computation_show_options[] = {
	WITNESS_KEY_OPTION,
	TABLE_OPTIONS,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_show = {
	.name = "computation show",
	.common = true,
	.args = "ID",
	.help = "show one computation, and who has confirmed its manifest",
	.operands_min = 1,
	.operands_max = 1,
	.options = computation_show_options,
	.run = run_show,
	.more = "Each confirmation is verified here: against the manifest that the service shows, the key in it, and\n"
		"the key of this service's log of heads. 'stale' is one of a manifest that has changed since,\n"
		"'retired' one by a key that its user has retired since; neither counts.\n"
		"Exit 3: one is not what it is said to be, or the service is another than the one seen before.",
};

/* clang-format off */
#define NEW_CVM_OPTIONS \
	{ .name = "new-cvm", .help = "in one that is made for this run, and removed behind it" }, \
	{ .name = "keep", .value = "DURATION", \
	  .help = "of a new one: how long results wait in it: 90m, 12h (an hour; a minute to 168h)" }, \
	CVM_MADE_WISHES
/* clang-format on */

/* How a new CVM is to be says who asks for one. */
static int take_none(const struct cli *cli, struct err *e)
{
	static const char *const options[] = { "keep", "manager", "image", "tee",
					       "cpus", "memory",  "ttl" };

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (cli_value(cli, options[i]))
			return err_set(e, ERR_INVALID, "--%s is of a new CVM: give --new-cvm too",
				       options[i]);
	return 0;
}

static int take_new(const struct cli *cli, Computations__RunRequest *run, struct err *e)
{
	Computations__CreateCvmRequest wish = COMPUTATIONS__CREATE_CVM_REQUEST__INIT;
	const char *keep = cli_value(cli, "keep");

	if (!cli_flag(cli, "new-cvm"))
		return vm_reach_check_profile(cli, e) < 0 ? err_code(e) : take_none(cli, e);
	if (cli_value(cli, "save-profile"))
		return err_set(e, ERR_INVALID,
			       "--save-profile and --new-cvm: where that CVM's agent is reached is "
			       "known once it is made; 'cvm show' says it then");
	if (cli_value(cli, "cvm"))
		return err_set(e, ERR_INVALID, "--new-cvm and --cvm: give one of them");
	if (cvm_made_wish(cli, &wish, e) < 0)
		return err_code(e);
	if (keep && duration_parse(keep, &run->keep_ms, e) < 0)
		return err_wrap(e, "--keep");
	if (keep && !run->keep_ms)
		return err_set(e, ERR_INVALID, "--keep: give some");
	run->new_cvm = true;
	run->manager = wish.manager;
	run->image = wish.image;
	run->tee = wish.tee;
	run->cpus = wish.cpus;
	run->memory = wish.memory;
	run->ttl_ms = wish.ttl_ms;
	return 0;
}

/* With where the agent is reached, for a shell, if the service knows. */
static int report_run(struct cli *cli, const Computations__Computation *c, const char *address,
		      struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	if (cli_flag(cli, "json")) {
		computation_to_json_open(&out, NULL, c);
		if (*address)
			json_out_text(&out, "agent_grpc_url", address);
		json_out_end(&out);
		return json_out_print(&out, cli->out, e);
	}
	computation_print(cli->out, c);
	if (*address)
		fprintf(cli->out, "export AGENT_GRPC_URL=%s\n", address);
	else if (*c->new_cvm)
		fprintf(stderr,
			"note: 'cocos-cli cvm show %s --workspace %s' says where its agent is "
			"reached, once it is made\n",
			text_plain(c->new_cvm).text, text_plain(c->workspace).text);
	return 0;
}

static enum cli_exit hand_over(struct client *client, const Computations__Computation *c,
			       struct err *e)
{
	struct cli *cli = client->cli;
	char address[REACH_MAX];

	cvm_made_address(client, c, address);
	if (report_run(cli, c, address, e) < 0)
		return CLI_FAILED;
	if (*address || !cli_value(cli, "save-profile"))
		return vm_reach_save(cli, address, e) < 0 ? CLI_FAILED : CLI_OK;
	cli_hint(cli,
		 "the computation is given to it all the same; who made the CVM knows the address: "
		 "'cocos-cli profile add %s --agent ADDRESS'",
		 cli_value(cli, "save-profile"));
	err_set(e, ERR_PRECONDITION,
		"--save-profile: the service did not have CVM %s made, and does not know where its "
		"agent is reached",
		log_quote(c->cvm_id).text);
	return CLI_FAILED;
}

static enum cli_exit run_run(struct cli *cli, struct err *e)
{
	Computations__RunRequest request = COMPUTATIONS__RUN_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	ProtobufCMessage *response;
	enum cli_exit status;
	uint64_t limit_ms;

	if (waiting_limit(cli, &limit_ms, e) < 0 || take_new(cli, &request, e) < 0)
		return CLI_USAGE;
	if (limit_ms && request.new_cvm) {
		err_set(e, ERR_INVALID,
			"--wait is for a CVM that is there: leave it out with --new-cvm");
		return CLI_USAGE;
	}
	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	request.id = (char *)(uintptr_t)cli->operands[0];
	request.cvm_id = cvm_made_text(cli, "cvm");
	request.unverified = cli_flag(cli, "unverified");
	if (computation_run_waiting(&client, &request, &response, e) < 0) {
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	status = hand_over(&client, (const Computations__Computation *)response, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option computation_run_options[] = {
	{ .name = "cvm", .value = "ID",
	  .help = "which one (needed unless exactly one is connected and free)" },
	{ .name = "unverified",
	  .help = "even if it has not proven what the service's policy asks for" },
	NEW_CVM_OPTIONS,
	SAVE_PROFILE_OPTION,
	WAIT_OPTION,
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_run = {
	.name = "computation run",
	.common = true,
	.args = "ID",
	.help = "give a computation to a CVM",
	.operands_min = 1,
	.operands_max = 1,
	.options = computation_run_options,
	.run = run_run,
	.more = "A service that has a policy (COMPUTATIONS_ATTESTATION_POLICY) gives computations only\n"
		"to CVMs that were verified by it; one without asks for nothing, and says so. Owners\n"
		"never rely on either: their commands verify the agent themselves (--attested-tls).\n"
		"The agent in the CVM receives the manifest and then waits for algorithm and "
		"datasets from their owners. Where it is reached is the last line, for a shell, of a CVM that the\n"
		"service had made ('cvm create'); of others their managers know it ('create-vm').\n"
		"With --new-cvm a manager of the service makes one, within the workspace's limit, for who may have\n"
		"CVMs made there ('cvm create'). It gets the computation as any other CVM would, within 30 minutes,\n"
		"or the computation fails and says why. It is removed a minute after the last result was fetched;\n"
		"at once when the computation fails or is stopped; and with results that nobody fetched after --keep.",
};

/* Waits until the agent has confirmed, its CVM is gone, or it takes too long. */
static enum cli_exit await_stop(struct client *client, ProtobufCMessage **response, struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;

	request.id = (char *)(uintptr_t)client->cli->operands[0];
	for (unsigned i = 0; i < STOP_WAIT_S * 5; i++) {
		const Computations__Computation *c = (const Computations__Computation *)*response;

		if (!c->stopping || !c->cvm_connected)
			break;
		usleep(200000);
		protobuf_c_message_free_unpacked(TAKE_PTR(*response), NULL);
		if (client_call(client, &computation_show, &request.base, response, e) < 0)
			return CLI_FAILED;
	}
	return CLI_OK;
}

static enum cli_exit run_stop(struct cli *cli, struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	ProtobufCMessage *response = NULL;
	enum cli_exit status;

	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	request.id = (char *)(uintptr_t)cli->operands[0];
	if (client_call(&client, &computation_stop, &request.base, &response, e) < 0)
		return CLI_FAILED;
	status = await_stop(&client, &response, e);
	if (status == CLI_OK)
		status = computation_report(cli, (const Computations__Computation *)response, e);
	if (response)
		protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

const struct command cmd_computation_stop = {
	.name = "computation stop",
	.common = true,
	.args = "ID",
	.help = "cancel a computation and free its CVM; its assets are wiped",
	.operands_min = 1,
	.operands_max = 1,
	.options =
		(const struct cli_option[]){ CLI_JSON_OPTION, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_stop,
};

/* Only what has ended without results is stopped: that is its state for good. */
static int must_have_ended(const Computations__Computation *c, struct err *e)
{
	if (strcmp(c->state, "Failed") == 0 || strcmp(c->state, "Cancelled") == 0)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "computation %s is %s: only one that failed or was cancelled is run again",
		       log_quote(c->id).text, log_quote(c->state).text);
}

static int retry(struct client *client, Computations__RunRequest *run, ProtobufCMessage **response,
		 struct err *e)
{
	Computations__ComputationRequest request = COMPUTATIONS__COMPUTATION_REQUEST__INIT;

	run->id = request.id = (char *)(uintptr_t)client->cli->operands[0];
	run->cvm_id = cvm_made_text(client->cli, "cvm");
	run->unverified = cli_flag(client->cli, "unverified");
	run->again = true;
	if (client_call(client, &computation_show, &request.base, response, e) < 0 ||
	    must_have_ended((const Computations__Computation *)*response, e) < 0)
		return err_code(e);
	protobuf_c_message_free_unpacked(TAKE_PTR(*response), NULL);
	if (client_call(client, &computation_stop, &request.base, response, e) < 0 ||
	    await_stop(client, response, e) != CLI_OK)
		return err_code(e);
	if (((const Computations__Computation *)*response)->stopping)
		return err_set(
			e, ERR_UNAVAILABLE,
			"its CVM has not confirmed the stop: try again when it is connected");
	protobuf_c_message_free_unpacked(TAKE_PTR(*response), NULL);
	return client_call(client, &computation_run, &run->base, response, e);
}

static enum cli_exit run_retry(struct cli *cli, struct err *e)
{
	Computations__RunRequest run = COMPUTATIONS__RUN_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	ProtobufCMessage *response = NULL;
	enum cli_exit status;

	if (take_new(cli, &run, e) < 0 ||
	    client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	status = retry(&client, &run, &response, e) < 0
			 ? CLI_FAILED
			 : hand_over(&client, (const Computations__Computation *)response, e);
	if (response)
		protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option computation_retry_options[] = {
	{ .name = "cvm", .value = "ID",
	  .help = "another than the one where it ended; nothing is kept there" },
	{ .name = "unverified",
	  .help = "even if it has not proven what the service's policy asks for" },
	NEW_CVM_OPTIONS,
	SAVE_PROFILE_OPTION,
	CLI_JSON_OPTION,
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_retry = {
	.name = "computation retry",
	.args = "ID",
	.help = "run one that failed or was cancelled again, in the same CVM",
	.operands_min = 1,
	.operands_max = 1,
	.options = computation_retry_options,
	.run = run_retry,
	.more = "The agent gets the same manifest. The algorithm has to be sent again; datasets too, but, of a run\n"
		"that failed, for those whose owners sent them with 'data --keep': these are there. Records go\n"
		"on, and the journal of each run is one of its own ('journal get --run').",
};

static enum cli_exit run_remove(struct cli *cli, struct err *e)
{
	Computations__RemoveRequest request = COMPUTATIONS__REMOVE_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.id = (char *)(uintptr_t)cli->operands[0];
	request.force = cli_flag(cli, "force");
	status = computation_call(cli, &computation_remove, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "computation %s removed\n", cli->operands[0]);
	return CLI_OK;
}

/* clang-format off */
static const struct cli_option computation_remove_options[] = {
	{ .name = "force", .help = "even if a CVM still holds it, which then stops and wipes it, results as well" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_computation_remove = {
	.name = "computation remove",
	.args = "ID",
	.help = "forget a computation and its records",
	.operands_min = 1,
	.operands_max = 1,
	.options = computation_remove_options,
	.run = run_remove,
};
