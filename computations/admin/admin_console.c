/* SPDX-License-Identifier: Apache-2.0 */
/* admin_console.c — Console: what a workspace's CVM says on its serial console, told on by this service. */
#include "common/rpc/observer.h"
#include "computations/admin/admin.h"
#include "computations/core/admin_access.h"
#include "computations/machines/console_reader.h"

/* A call's user is its reader, until one of them is over. */

static void on_begun(void *data)
{
	struct rpc_call *call = data;
	const struct console_reader *r = rpc_call_user(call);
	const struct admin_caller *caller = console_reader_caller(r);

	if (caller->who.person)
		(void)!rpc_call_note(call, "by", caller->who.name);
	if (*console_reader_cvm(r))
		rpc_call_is_about(call, LOG_CVM, console_reader_cvm(r));
	rpc_call_prove(call);
}

static bool on_piece(void *data, const uint8_t *bytes, size_t len, bool skipped)
{
	Computations__ConsolePart part = COMPUTATIONS__CONSOLE_PART__INIT;
	struct rpc_call *call = data;
	struct err e;

	part.data = (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)bytes };
	part.skipped = skipped;
	/* One that can't be told any more is about to be closed, which stops the reader. */
	if (rpc_call_send(call, &part.base, &e) < 0)
		return false;
	return rpc_call_queued(call) < RPC_LOW_WATER;
}

static void on_ended(void *data, const struct err *e)
{
	struct rpc_call *call = data;

	rpc_call_set_user(call, NULL);
	rpc_call_finish(call, e);
}

static const struct console_sink sink = { on_begun, on_piece, on_ended };

void admin_console(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__ConsoleRequest *m = (const Computations__ConsoleRequest *)message;
	const struct console_wish wish = { .lines = m->lines, .follow = m->follow };
	struct service *service = rpc_call_service(call);
	struct console_reader *reader;
	struct admin_caller caller;
	struct err e;

	if (admin_access_take(call, service->sign_in, &caller, &e) < 0 ||
	    console_reader_new(service, &caller, m->workspace, m->name, &wish, &sink, call, &reader,
			       &e) < 0)
		rpc_call_finish(call, &e);
	else
		rpc_call_set_user(call, reader);
}

void admin_console_writable(struct rpc_call *call)
{
	struct console_reader *r = rpc_call_user(call);

	if (r)
		console_reader_go_on(r);
}

/* Also of a call that had no message. */
void admin_console_closed(struct rpc_call *call)
{
	struct console_reader *r = rpc_call_user(call);

	if (r)
		console_reader_stop(r);
}
