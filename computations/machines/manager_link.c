/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/manager_link.h"

#include "common/base/file.h"
#include "common/base/settings.h"
#include "common/base/wipe.h"
#include "common/preflight/preflight_crl.h"
#include "common/rpc/revocation.h"
#include "common/rpc/stream.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager_paths.h"

#include <string.h>

enum { AGENT_FILE_MAX = 64 << 10, CONNECT_MS = 10 * 1000 };

struct manager_link {
	const struct manager_row *row;
	struct rpc_channel *channel;
	struct revocation *revocation; /* NULL: no lists are asked */
	char *agents_ca, *agents_cert, *agents_key;
	unsigned calls;
};

static const struct rpc_method create_vm = { PROTO_MANAGER_CREATE_VM, RPC_UNARY,
					     &manager__create_req__descriptor,
					     &manager__create_res__descriptor };
static const struct rpc_method remove_vm = { PROTO_MANAGER_REMOVE_VM, RPC_UNARY,
					     &manager__remove_req__descriptor,
					     &google__protobuf__empty__descriptor };
static const struct rpc_method get_vm = { PROTO_MANAGER_GET_VM, RPC_UNARY,
					  &manager__get_vm_req__descriptor,
					  &manager__vm__descriptor };

/* ---- a call ---- */

struct link_call {
	struct manager_link *link;
	manager_answered_fn *answered;
	void *data;
	char tag[MACHINE_TAG_LEN + 1], id[MACHINE_ID_LEN + 1];
	struct machine_said said;
	struct err bad; /* code ERR_OK: what it said can be */
	bool has_said;
};

static void on_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	struct link_call *c = rpc_stream_user(stream);
	const char *target = c->link->row->address;

	c->has_said = true;
	if (message->descriptor == &manager__create_res__descriptor)
		(void)!machine_said_created((const Manager__CreateRes *)message, target, &c->said,
					    &c->bad);
	else if (message->descriptor == &manager__vm__descriptor)
		(void)!machine_said_vm((const Manager__Vm *)message, target, c->tag, c->id,
				       &c->said, &c->bad);
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct link_call *c = rpc_stream_user(stream);
	const struct err *e = NULL;

	c->link->calls--;
	if (status->code != ERR_OK)
		e = status;
	else if (!c->has_said)
		(void)err_set(&c->bad, ERR_DATA_LOSS, "the manager answered nothing");
	if (!e && c->bad.code != ERR_OK)
		e = &c->bad;
	c->answered(c->data, e ? NULL : &c->said, e);
	free(c);
}

static const struct rpc_stream_events events = { .message = on_message, .closed = on_closed };

static int start(struct manager_link *link, const struct rpc_method *method,
		 const ProtobufCMessage *request, unsigned timeout_ms, const struct link_call *call,
		 struct err *e)
{
	struct link_call *c = malloc(sizeof(*c));
	struct rpc_stream_options options = { .timeout_ms = timeout_ms, .user = c };
	struct rpc_stream *stream;
	struct err late;

	if (!c)
		return err_nomem(e);
	*c = *call;
	c->link = link;
	if (rpc_stream_open(link->channel, method, &events, &options, &stream, e) < 0) {
		free(c);
		return err_code(e);
	}
	link->calls++;
	/* If it is over already, closed() says why. */
	(void)!rpc_stream_send(stream, request, &late);
	return 0;
}

static struct link_call call_of(const struct machine *m, manager_answered_fn *answered, void *data)
{
	struct link_call c = { .answered = answered, .data = data };

	snprintf(c.tag, sizeof(c.tag), "%s", m->tag);
	snprintf(c.id, sizeof(c.id), "%s", m->cvm_id);
	return c;
}

/* ---- what is asked ---- */

static ProtobufCBinaryData bytes_of(const char *text)
{
	return (ProtobufCBinaryData){ text ? strlen(text) : 0, (uint8_t *)(uintptr_t)text };
}

int manager_link_create(struct manager_link *link, const struct machine *m,
			manager_answered_fn *answered, void *data, struct err *e)
{
	const struct link_call c = call_of(m, answered, data);
	Manager__CreateReq request = MANAGER__CREATE_REQ__INIT;
	char ttl[DURATION_TEXT_MAX] = "";

	if (m->ttl_ms)
		duration_text((uint64_t)m->ttl_ms, ttl);
	request.name = m->tag;
	request.agent_cvm_server_url = (char *)(uintptr_t)link->row->agents;
	request.agent_cvm_server_ca_cert = bytes_of(link->agents_ca);
	request.agent_cvm_client_cert = bytes_of(link->agents_cert);
	request.agent_cvm_client_key = bytes_of(link->agents_key);
	request.image = m->image;
	request.tee = m->tee;
	request.cpus = (uint32_t)m->cpus;
	request.memory = (uint64_t)m->memory;
	request.ttl = ttl;
	return start(link, &create_vm, &request.base, MANAGER_CREATE_MS, &c, e);
}

int manager_link_get(struct manager_link *link, const struct machine *m,
		     manager_answered_fn *answered, void *data, struct err *e)
{
	const struct link_call c = call_of(m, answered, data);
	Manager__GetVmReq request = MANAGER__GET_VM_REQ__INIT;

	request.id = *m->cvm_id ? m->cvm_id : m->tag;
	return start(link, &get_vm, &request.base, MANAGER_GET_MS, &c, e);
}

int manager_link_remove(struct manager_link *link, const struct machine *m,
			manager_answered_fn *answered, void *data, struct err *e)
{
	const struct link_call c = call_of(m, answered, data);
	Manager__RemoveReq request = MANAGER__REMOVE_REQ__INIT;

	request.cvm_id = m->cvm_id;
	return start(link, &remove_vm, &request.base, MANAGER_REMOVE_MS, &c, e);
}

struct rpc_channel *manager_link_channel(const struct manager_link *link)
{
	return link->channel;
}

const char *manager_link_name(const struct manager_link *link)
{
	return link->row->name;
}

bool manager_link_is_full(const struct manager_link *link)
{
	return link->calls >= MANAGER_CALLS_MAX;
}

/* ---- the connection ---- */

static int read_file(const struct manager_row *row, enum manager_file file, char **pem,
		     struct err *e)
{
	*pem = NULL;
	if (!*row->files[file])
		return 0;
	if (file_read_text(row->files[file], AGENT_FILE_MAX, pem, e) < 0)
		return err_wrap(e, "manager %s", row->name);
	return 0;
}

static int load_lists(uv_loop_t *loop, const struct manager_row *row, const char *ca,
		      struct revocation **revocation, struct err *e)
{
	const struct revocation_config config = {
		.setting = "COMPUTATIONS_MANAGERS, crl=", .path = row->files[MANAGER_CRL], .ca = ca
	};

	return *config.path && loop ? revocation_new(loop, &config, revocation, e) : 0;
}

/* `loop` NULL: for a look alone, without the lists. */
static int load_tls(uv_loop_t *loop, const struct manager_row *row, struct revocation **revocation,
		    struct rpc_tls **tls, struct err *e)
{
	CLEANUP(free) char *ca = NULL, *cert = NULL;
	CLEANUP(wipe) char *key = NULL;

	if (!*row->files[MANAGER_CA])
		return 0;
	if (read_file(row, MANAGER_CA, &ca, e) < 0 || read_file(row, MANAGER_CERT, &cert, e) < 0 ||
	    read_file(row, MANAGER_KEY, &key, e) < 0)
		return err_code(e);
	if (load_lists(loop, row, ca, revocation, e) < 0 ||
	    rpc_tls_new_client(
		    &(struct rpc_tls_config){
			    .ca = ca, .cert = cert, .key = key, .revocation = *revocation },
		    tls, e) < 0)
		return err_wrap(e, "manager %s", row->name);
	return 0;
}

static int load_agents(const struct manager_row *row, struct manager_link *made, struct err *e)
{
	if (read_file(row, MANAGER_AGENTS_CA, &made->agents_ca, e) < 0 ||
	    read_file(row, MANAGER_AGENTS_CERT, &made->agents_cert, e) < 0)
		return err_code(e);
	return read_file(row, MANAGER_AGENTS_KEY, &made->agents_key, e);
}

static void free_agents(struct manager_link *link)
{
	free(link->agents_ca);
	free(link->agents_cert);
	cleanup_wipe(&link->agents_key);
}

int manager_link_check(const struct manager_row *row, struct err *e)
{
	__attribute__((cleanup(free_agents))) struct manager_link none = { .row = row };
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	char found[PREFLIGHT_TEXT_MAX];

	if (load_agents(row, &none, e) < 0 || load_tls(NULL, row, &none.revocation, &tls, e) < 0)
		return err_code(e);
	if (!*row->files[MANAGER_CRL])
		return 0;
	if (preflight_crl(&(struct preflight_crl){ .path = row->files[MANAGER_CRL],
						   .authorities = row->files[MANAGER_CA] },
			  found, e) < 0)
		return err_wrap(e, "manager %s: crl=", row->name);
	return 0;
}

int manager_link_new(uv_loop_t *loop, const struct manager_row *row, struct manager_link **link,
		     struct err *e)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_limits limits = rpc_limits_default();
	struct manager_link *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->row = row;
	limits.message_max = MANAGER_ANSWER_MAX;
	if (load_agents(row, made, e) == 0 &&
	    load_tls(loop, row, &made->revocation, &tls, e) == 0 &&
	    rpc_channel_new(loop,
			    &(struct rpc_channel_config){ .target = row->address,
							  .tls = tls,
							  .connect_ms = CONNECT_MS,
							  .limits = &limits },
			    &made->channel, e) == 0) {
		*link = made;
		return 0;
	}
	manager_link_free(made);
	return err_code(e);
}

void manager_link_free(struct manager_link *link)
{
	if (!link)
		return;
	if (link->channel)
		rpc_channel_free(link->channel);
	revocation_close(link->revocation);
	free_agents(link);
	free(link);
}
