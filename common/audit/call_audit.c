/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/call_audit.h"

#include "common/base/log.h"

#include <string.h>

static const struct call_audit_method *find(const struct call_audit *a, const struct rpc_call *call)
{
	static const struct call_audit_method unknown = { .reads = false };
	const char *path = rpc_call_method(call)->path;

	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->methods[i].path, path) == 0)
			return &a->methods[i];
	return &unknown;
}

void call_audit_note(const struct call_audit *a, struct rpc_call *call,
		     const ProtobufCMessage *message)
{
	const struct call_audit_method *m = find(a, call);

	if (m->has_id)
		rpc_call_is_about(call, *(char *const *)((const char *)message + m->id));
}

static struct audit_entry entry_of(const struct rpc_call *call, enum audit_event event)
{
	const char *path = rpc_call_method(call)->path;

	return (struct audit_entry){ .event = event,
				     .call = rpc_call_number(call),
				     .method = path + 1,
				     .who = rpc_call_identity(call),
				     .peer = rpc_call_peer(call),
				     .id = rpc_call_about(call) };
}

int call_audit_admit(struct call_audit *a, struct rpc_call *call, const ProtobufCMessage *message,
		     struct err *e)
{
	struct audit_entry entry;

	if (find(a, call)->reads)
		return 0;
	call_audit_note(a, call, message);
	entry = entry_of(call, AUDIT_ASKED);
	return audit_trail_write(a->audit, &entry, e);
}

void call_audit_ended(struct call_audit *a, const struct rpc_call *call, bool admitted,
		      const struct err *e)
{
	bool for_rights = e && (e->code == ERR_DENIED || e->code == ERR_UNAUTHENTICATED);
	struct audit_entry entry;
	struct err why;

	if (find(a, call)->reads && !for_rights)
		return;
	entry = entry_of(call, admitted ? AUDIT_DONE : AUDIT_REFUSED);
	entry.error = e;
	if (audit_trail_write(a->audit, &entry, &why) < 0)
		log_error("%s of %s: %s", entry.method, entry.peer, why.text);
}
