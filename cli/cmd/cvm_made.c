/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/cvm_made.h"

#include "cli/base/number.h"
#include "cli/base/text.h"
#include "cli/client/listing.h"
#include "common/base/settings.h"

#include <inttypes.h>
#include <string.h>

const char *const cvm_made_tees[] = { "snp", "tdx", "none", NULL };

char *cvm_made_text(const struct cli *cli, const char *option)
{
	const char *value = cli_value(cli, option);

	return (char *)(uintptr_t)(value ? value : "");
}

int cvm_made_wish(const struct cli *cli, Computations__CreateCvmRequest *request, struct err *e)
{
	const char *memory = cli_value(cli, "memory"), *ttl = cli_value(cli, "ttl");
	uint64_t cpus = 0;

	if (number_option(cli, "cpus", UINT32_MAX, &cpus, e) < 0)
		return err_code(e);
	if (cli_value(cli, "cpus") && !cpus)
		return err_set(e, ERR_INVALID, "--cpus: give one or more");
	if (memory && size_parse(memory, &request->memory, e) < 0)
		return err_wrap(e, "--memory");
	if (memory && !request->memory)
		return err_set(e, ERR_INVALID, "--memory: give some");
	if (ttl && duration_parse(ttl, &request->ttl_ms, e) < 0)
		return err_wrap(e, "--ttl");
	if (ttl && !request->ttl_ms)
		return err_set(e, ERR_INVALID, "--ttl: give some");
	request->cpus = (uint32_t)cpus;
	request->manager = cvm_made_text(cli, "manager");
	request->image = cvm_made_text(cli, "image");
	request->tee = cvm_made_text(cli, "tee");
	return 0;
}

static void to_json(struct json_out *out, const Computations__Machine *m)
{
	json_out_object(out, NULL);
	json_out_text(out, "name", m->name);
	json_out_text(out, "workspace", m->workspace);
	json_out_text(out, "state", m->state);
	json_out_text(out, "reason", m->reason);
	json_out_bool(out, "leaving", m->leaving);
	json_out_text(out, "manager", m->manager);
	json_out_text(out, "id", m->cvm_id);
	json_out_bool(out, "connected", m->connected);
	json_out_text(out, "agent_grpc_url", m->address);
	json_out_text(out, "computation", m->computation_id);
	json_out_text(out, "made_for", m->made_for);
	json_out_text(out, "image", m->image);
	json_out_text(out, "tee", m->tee);
	json_out_number(out, "cpus", m->cpus);
	json_out_number(out, "memory", m->memory);
	json_out_number(out, "ttl_ms", m->ttl_ms);
	computation_time_to_json(out, "created", m->created);
	computation_time_to_json(out, "ended", m->ended);
	json_out_end(out);
}

static const struct table_column columns[] = {
	{ "NAME", "name", false },
	{ "STATE", "state", false },
	{ "REASON", "reason", false },
	{ "ID", "id", false },
	{ "CONNECTED", "connected", false },
	{ "COMPUTATION", "computation", false },
	{ "ADDRESS", "agent_grpc_url", true },
	{ "MANAGER", "manager", true },
	{ "CREATED", "created", true },
	{ "ENDED", "ended", true },
	{ NULL, NULL, false },
};

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const Computations__ListMachinesResponse *page =
		(const Computations__ListMachinesResponse *)message;

	for (size_t i = 0; i < page->n_machines; i++) {
		const Computations__Machine *m = page->machines[i];
		struct json_out object CLEANUP_JSON_OUT;

		table_text(t, m->name);
		table_text(t, m->state);
		table_text(t, m->reason);
		table_text(t, m->cvm_id);
		table_text(t, m->connected ? "connected" : "not connected");
		table_text(t, m->computation_id);
		table_text(t, m->address);
		table_text(t, m->manager);
		table_moment(t, computation_ms(m->created));
		table_moment(t, computation_ms(m->ended));
		json_out_init(&object);
		to_json(&object, m);
		table_object(t, &object);
	}
}

enum cli_exit cvm_made_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &computation_list_machines, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

static void print_asked(FILE *out, const Computations__Machine *m)
{
	char ttl[DURATION_TEXT_MAX];

	if (*m->image)
		fprintf(out, "image        %s\n", text_plain(m->image).text);
	if (*m->tee)
		fprintf(out, "TEE          %s\n", text_plain(m->tee).text);
	if (m->cpus)
		fprintf(out, "CPUs         %u\n", m->cpus);
	if (m->memory)
		fprintf(out, "memory       %" PRIu64 " MiB\n", m->memory >> 20);
	if (m->ttl_ms) {
		duration_text(m->ttl_ms, ttl);
		fprintf(out, "time to live %s\n", ttl);
	}
}

/* The last line is for a shell. */
static void print_text(FILE *out, const Computations__Machine *m)
{
	char created[COMPUTATION_TIME_MAX], ended[COMPUTATION_TIME_MAX];

	computation_time(m->created, created);
	computation_time(m->ended, ended);
	fprintf(out, "CVM          %s\n", text_plain(m->name).text);
	fprintf(out, "workspace    %s\n", text_plain(m->workspace).text);
	fprintf(out, "state        %s%s\n", text_plain(m->state).text,
		m->leaving && !m->ended ? " (to be removed)" : "");
	if (*m->reason)
		fprintf(out, "reason       %s\n", text_plain(m->reason).text);
	fprintf(out, "manager      %s\n", text_plain(m->manager).text);
	fprintf(out, "id           %s%s\n",
		*m->cvm_id ? text_plain(m->cvm_id).text : "not known yet",
		m->connected ? " (connected)" : "");
	fprintf(out, "computation  %s\n",
		*m->computation_id ? text_plain(m->computation_id).text : "none");
	if (*m->made_for)
		fprintf(out, "made for     %s, and is removed behind it\n",
			text_plain(m->made_for).text);
	print_asked(out, m);
	fprintf(out, "created      %s\n", created);
	if (m->ended)
		fprintf(out, "ended        %s\n", ended);
	if (*m->address && !m->ended)
		fprintf(out, "export AGENT_GRPC_URL=%s\n", text_plain(m->address).text);
}

enum cli_exit cvm_made_print(struct cli *cli, const Computations__Machine *m, struct err *e)
{
	struct json_out out CLEANUP_JSON_OUT;

	json_out_init(&out);
	if (listing_is_for_people(cli)) {
		print_text(cli->out, m);
		return CLI_OK;
	}
	to_json(&out, m);
	return listing_object(cli, &out, e);
}

/* It becomes words of a shell and a line of a profile. */
static void take_address(const Computations__Machine *m, char address[REACH_MAX])
{
	const char *port = strrchr(m->address, ':');
	CLEANUP(free) char *host = port ? strndup(m->address, (size_t)(port - m->address)) : NULL;
	struct err ignored;

	if (!host || !*host || m->ended ||
	    reach_address(NULL, host, port + 1, address, &ignored) < 0)
		*address = '\0';
}

/* Of one that is made for this run. */
static void ask_new(struct client *client, const Computations__Computation *c,
		    char address[REACH_MAX])
{
	Computations__MachineRequest request = COMPUTATIONS__MACHINE_REQUEST__INIT;
	ProtobufCMessage *response;
	struct err ignored;

	request.name = c->new_cvm;
	request.workspace = c->workspace;
	if (client_call(client, &computation_show_machine, &request.base, &response, &ignored) < 0)
		return;
	take_address((const Computations__Machine *)response, address);
	protobuf_c_message_free_unpacked(response, NULL);
}

static void ask_of(struct client *client, const Computations__Computation *c,
		   char address[REACH_MAX])
{
	Computations__ListRequest request = COMPUTATIONS__LIST_REQUEST__INIT;
	const Computations__ListMachinesResponse *page;
	ProtobufCMessage *response;
	struct err ignored;

	request.workspace = c->workspace;
	request.search = c->cvm_id;
	if (client_call(client, &computation_list_machines, &request.base, &response, &ignored) < 0)
		return;
	page = (const Computations__ListMachinesResponse *)response;
	for (size_t i = 0; i < page->n_machines && !*address; i++)
		if (strcmp(page->machines[i]->cvm_id, c->cvm_id) == 0)
			take_address(page->machines[i], address);
	protobuf_c_message_free_unpacked(response, NULL);
}

void cvm_made_address(struct client *client, const Computations__Computation *c,
		      char address[REACH_MAX])
{
	*address = '\0';
	if (*c->new_cvm)
		ask_new(client, c, address);
	else if (*c->cvm_id)
		ask_of(client, c, address);
	client->cli->hint[0] = '\0'; /* whoever can't be asked does not know */
}

enum cli_exit cvm_made_show(struct cli *cli, struct err *e)
{
	Computations__MachineRequest request = COMPUTATIONS__MACHINE_REQUEST__INIT;
	ProtobufCMessage *response;
	enum cli_exit status;

	request.name = (char *)(uintptr_t)cli->operands[0];
	request.workspace = (char *)(uintptr_t)cli_value(cli, "workspace");
	status = computation_call(cli, &computation_show_machine, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	status = cvm_made_print(cli, (const Computations__Machine *)response, e);
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}
