/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/manager_console.h"

#include "common/rpc/stream.h"
#include "computations/machines/machine_said.h"
#include "manager_paths.h"

#include <stdlib.h>

static const struct rpc_method console_method = { PROTO_MANAGER_CONSOLE, RPC_SERVER_STREAM,
						  &manager__console_req__descriptor,
						  &manager__console_part__descriptor };

struct manager_console {
	const char *manager; /* its name; the link's */
	struct rpc_stream *stream;
	const struct manager_console_events *events;
	void *data;
	struct err bad; /* code ERR_OK: what it said can be */
};

static void on_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	const Manager__ConsolePart *part = (const Manager__ConsolePart *)message;
	struct manager_console *c = rpc_stream_user(stream);

	if (c->bad.code != ERR_OK)
		return;
	if (part->data.len > CONSOLE_PIECE_MAX) {
		(void)err_set(&c->bad, ERR_DATA_LOSS,
			      "a piece of a console has %zu bytes, at most %d are one",
			      part->data.len, CONSOLE_PIECE_MAX);
		rpc_stream_cancel(stream);
		return;
	}
	rpc_stream_pause(stream);
	c->events->piece(c->data, part->data.data, part->data.len, part->skipped);
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct manager_console *c = rpc_stream_user(stream);
	const struct err *why = c->bad.code != ERR_OK ? &c->bad : status;
	struct err e;

	if (why->code == ERR_NOT_FOUND) /* under a name that nobody but that manager has heard of */
		(void)err_set(&e, why->code,
			      "manager %s has no such CVM: it is not made yet, or is gone "
			      "('cocos-cli cvm show', with --workspace, says which)",
			      c->manager);
	else if (why->code != ERR_OK)
		(void)err_set(&e, machine_said_code(why->code), "manager %s: %.300s", c->manager,
			      why->text);
	c->events->ended(c->data, why->code != ERR_OK ? &e : NULL);
	free(c);
}

static const struct rpc_stream_events events = { .message = on_message, .closed = on_closed };

int manager_console_open(struct manager_link *link, const struct machine *m,
			 const struct console_wish *wish, const struct manager_console_events *told,
			 void *data, struct manager_console **console, struct err *e)
{
	Manager__ConsoleReq request = MANAGER__CONSOLE_REQ__INIT;
	struct manager_console *c = calloc(1, sizeof(*c));
	const struct rpc_stream_options options = { .user = c };
	struct err late;

	if (!c)
		return err_nomem(e);
	c->manager = manager_link_name(link);
	c->events = told;
	c->data = data;
	request.id = *m->cvm_id ? m->cvm_id : m->tag;
	request.lines = wish->lines;
	request.follow = wish->follow;
	if (rpc_stream_open(manager_link_channel(link), &console_method, &events, &options,
			    &c->stream, e) < 0) {
		free(c);
		return err_code(e);
	}
	/* If it is over already, closed() says why. */
	(void)!rpc_stream_send(c->stream, &request.base, &late);
	*console = c;
	return 0;
}

void manager_console_go_on(struct manager_console *c)
{
	rpc_stream_resume(c->stream);
}

void manager_console_cancel(struct manager_console *c)
{
	rpc_stream_cancel(c->stream);
}
