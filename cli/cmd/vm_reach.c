/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd/vm_reach.h"

#include "cli/base/text.h"
#include "cli/client/waiting.h"
#include "common/base/log.h"
#include "health.pb-c.h"
#include "health_paths.h"
#include "manager_paths.h"

#include <string.h>
#include <unistd.h>

enum { PROBE_MS = 5000 };

static const struct rpc_method get_vm = { PROTO_MANAGER_GET_VM, RPC_UNARY,
					  &manager__get_vm_req__descriptor,
					  &manager__vm__descriptor };
static const struct rpc_method health_check = {
	PROTO_HEALTH_CHECK, RPC_UNARY, &grpc__health__v1__health_check_request__descriptor,
	&grpc__health__v1__health_check_response__descriptor
};

int vm_reach_check(const struct cli *cli, struct err *e)
{
	uint64_t limit_ms;

	if (waiting_limit(cli, &limit_ms, e) < 0)
		return err_code(e);
	return vm_reach_check_profile(cli, e);
}

int vm_reach_check_profile(const struct cli *cli, struct err *e)
{
	const char *name = cli_value(cli, "save-profile");
	CLEANUP(free) char *path = NULL;

	if (!name)
		return 0;
	if (profile_path(name, &path, e) < 0)
		return err_wrap(e, "--save-profile");
	if (access(path, F_OK) == 0)
		return err_set(
			e, ERR_EXISTS,
			"--save-profile: there is a profile '%s' already: give another name, "
			"or remove it ('cocos-cli profile remove')",
			name);
	return 0;
}

int vm_reach_address(const struct client *manager, const Manager__CreateRes *made,
		     char address[REACH_MAX], struct err *e)
{
	return reach_address(client_setting(manager, "grpc-url", "URL"), made->host_address,
			     made->forwarded_port, address, e);
}

/* The profile that the command itself was called with, malloc'ed; NULL: none. */
static int base_profile(const struct cli *cli, char **name, struct err *e)
{
	const char *given = cli_value(cli, "profile");

	if (!given)
		return profile_used(name, e);
	*name = strdup(given);
	return *name ? 0 : err_nomem(e);
}

int vm_reach_save(const struct cli *cli, const char *address, struct err *e)
{
	const char *name = cli_value(cli, "save-profile");
	CLEANUP(free) char *base = NULL;
	CLEANUP(free) struct keyfile_entry *entries = NULL;
	struct keyfile file = { 0 };
	int failed;

	if (!name)
		return 0;
	if (base_profile(cli, &base, e) < 0 || (base && profile_read(base, &file, e) < 0))
		return err_code(e);
	entries = calloc(file.count + 1, sizeof(*entries));
	if (!entries) {
		keyfile_done(&file);
		return err_nomem(e);
	}
	for (size_t i = 0; i < file.count; i++)
		entries[i] = file.entries[i];
	entries[file.count] = (struct keyfile_entry){ .key = (char *)(uintptr_t)"AGENT_GRPC_URL",
						      .value = (char *)(uintptr_t)address };
	failed = profile_write(name, entries, file.count + 1, e);
	keyfile_done(&file);
	return failed ? err_wrap(e, "--save-profile") : 0;
}

/* ---- waiting ---- */

struct awaited {
	struct client *manager;
	const char *id, *address;
};

/* Whoever listens says something to the beginning of TLS, whatever it speaks; where nobody does, the host
 * takes the connection and closes it. Nothing of the caller's is sent, and nothing is believed. */
static int probe(const struct awaited *a, bool *answers, struct err *e)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	const unsigned left_ms = client_timeout(a->manager);
	const struct rpc_stream_options options = { .timeout_ms = left_ms < PROBE_MS ? left_ms
										     : PROBE_MS };
	ProtobufCMessage *response;
	struct rpc_channel *channel;
	struct err no;

	if (rpc_tls_new_client(&(struct rpc_tls_config){ .ca = NULL }, &tls, e) < 0 ||
	    rpc_channel_new(a->manager->loop,
			    &(struct rpc_channel_config){ .target = a->address,
							  .tls = tls,
							  .connect_ms = options.timeout_ms },
			    &channel, e) < 0)
		return err_code(e);
	if (rpc_sync_unary(channel, &health_check, &options, &request.base, &response, &no) == 0)
		protobuf_c_message_free_unpacked(response, NULL);
	*answers = !rpc_channel_attempt(channel)->failed ||
		   rpc_channel_attempt(channel)->contact != RPC_CONTACT_SILENT;
	rpc_channel_free(channel);
	return 0;
}

/* Managers that can't say are not asked again by this: the probe tells. */
static int check_alive(const struct awaited *a, struct err *e)
{
	const struct rpc_stream_options options = { .timeout_ms = client_timeout(a->manager) };
	Manager__GetVmReq request = MANAGER__GET_VM_REQ__INIT;
	ProtobufCMessage *response;
	const Manager__Vm *vm;
	struct err unknown;
	int failed = 0;

	request.id = (char *)(uintptr_t)a->id;
	if (rpc_sync_unary(a->manager->channel, &get_vm, &options, &request.base, &response,
			   &unknown) < 0)
		return 0;
	vm = (const Manager__Vm *)response;
	if (strcmp(vm->state, "exited") == 0 || strcmp(vm->state, "removing") == 0)
		failed = err_set(e, ERR_ABORTED, "CVM %s is gone: %s", log_quote(a->id).text,
				 *vm->exit_reason ? text_plain(vm->exit_reason).text : "exited");
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

static int look(void *data, char why[WAITING_WHY_MAX], struct err *e)
{
	const struct awaited *a = data;
	bool answers = false;

	if (check_alive(a, e) < 0 || probe(a, &answers, e) < 0)
		return err_code(e);
	if (answers)
		return 1;
	snprintf(why, WAITING_WHY_MAX,
		 "nothing answers at %s; an agent listens once it has a computation", a->address);
	return 0;
}

int vm_reach_wait(struct client *manager, const char *id, const char *address, struct err *e)
{
	struct awaited awaited = { .manager = manager, .id = id, .address = address };
	struct waiting w = {
		.client = manager,
		.until = "the agent listens",
		.kept = "the CVM runs",
		.again = "'cocos-cli vm list' shows it",
		.look = look,
		.data = &awaited,
	};

	return waiting_run(&w, e);
}
