/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/machine_policy.h"

#include "attestation/policy/policy.h"
#include "common/rpc/stream.h"
#include "computations/machines/machine_task.h"
#include "manager_paths.h"

#include <stdlib.h>
#include <string.h>

static const struct rpc_method method = { PROTO_MANAGER_ATTESTATION_POLICY, RPC_UNARY,
					  &manager__attestation_policy_req__descriptor,
					  &manager__attestation_policy_res__descriptor };

struct asked {
	const char *manager; /* its name; the link's */
	unsigned *open;      /* how many are, of that manager */
	char id[MACHINE_ID_LEN + 1];
	machine_policy_fn *answered;
	void *data;
	Manager__AttestationPolicyRes *said; /* NULL: nothing yet */
};

/* ---- what it said ---- */

/* CBOR of a CoRIM begins with a list, a map or a tag; JSON with none of their bytes. */
static int read_kind(struct span bytes, enum machine_policy_kind *kind, struct err *e)
{
	const struct policy_file file = { "its policy", bytes.bytes, bytes.len };
	const unsigned major = bytes.len ? bytes.bytes[0] >> 5 : 0;
	struct policy policy;

	*kind = MACHINE_POLICY_CORIM;
	if (major >= 4 && major <= 6)
		return 0;
	*kind = MACHINE_POLICY_JSON;
	if (!bytes.len)
		return err_set(e, ERR_DATA_LOSS, "its policy is empty");
	if (policy_parse(&file, 1, &policy, e) < 0) {
		e->code = ERR_DATA_LOSS;
		return err_code(e);
	}
	policy_done(&policy);
	return 0;
}

static int read_said(const struct asked *a, struct machine_policy *policy, struct err *e)
{
	if (!a->said)
		return err_set(e, ERR_DATA_LOSS, "it answered nothing");
	if (*a->said->id && strcmp(a->said->id, a->id) != 0)
		return err_set(e, ERR_DATA_LOSS, "its policy is of another CVM");
	policy->bytes = (struct span){ a->said->info.data, a->said->info.len };
	return read_kind(policy->bytes, &policy->kind, e);
}

/* Codes that say something of the service's own rights there, or of what it asked, say nothing of the caller's here. */
static enum err_code code_of(enum err_code code)
{
	switch (code) {
	case ERR_NOT_FOUND:
	case ERR_PRECONDITION:
	case ERR_UNIMPLEMENTED:
	case ERR_DEADLINE:
		return code;
	default:
		return ERR_UNAVAILABLE;
	}
}

/* ---- the call ---- */

static void on_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	const Manager__AttestationPolicyRes *said = (const Manager__AttestationPolicyRes *)message;
	CLEANUP(free) uint8_t *packed = NULL;
	struct asked *a = rpc_stream_user(stream);
	size_t len;

	if (a->said)
		return;
	len = manager__attestation_policy_res__get_packed_size(said);
	packed = malloc(len ? len : 1);
	if (!packed)
		return;
	(void)manager__attestation_policy_res__pack(said, packed);
	a->said = manager__attestation_policy_res__unpack(NULL, len, packed);
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct asked *a = rpc_stream_user(stream);
	struct machine_policy policy;
	struct err why = *status, e;

	--*a->open;
	if (why.code == ERR_OK && read_said(a, &policy, &why) == 0) {
		a->answered(a->data, &policy, NULL);
	} else {
		(void)err_set(&e, code_of(why.code), "manager %s: %.300s", a->manager, why.text);
		a->answered(a->data, NULL, &e);
	}
	if (a->said)
		manager__attestation_policy_res__free_unpacked(a->said, NULL);
	free(a);
}

static const struct rpc_stream_events events = { .message = on_message, .closed = on_closed };

static int start(struct machines *machines, struct manager_link *link, const struct asked *asked,
		 struct err *e)
{
	Manager__AttestationPolicyReq request = MANAGER__ATTESTATION_POLICY_REQ__INIT;
	struct asked *a = malloc(sizeof(*a));
	const struct rpc_stream_options options = { .timeout_ms = MACHINE_POLICY_MS, .user = a };
	struct rpc_stream *stream;
	struct err late;

	if (!a)
		return err_nomem(e);
	*a = *asked;
	a->manager = manager_link_name(link);
	if (rpc_stream_open(manager_link_channel(link), &method, &events, &options, &stream, e) <
	    0) {
		free(a);
		return err_code(e);
	}
	++*a->open;
	request.id = a->id;
	/* If it is over already, closed() says why. */
	(void)!rpc_stream_send(stream, &request.base, &late);
	return 0;
}

int machine_policy_ask(struct machines *machines, const struct machine *m,
		       machine_policy_fn *answered, void *data, struct err *e)
{
	struct asked a = { .answered = answered, .data = data };
	size_t i = 0;

	if (machine_is_gone(m->phase) || !*m->cvm_id)
		return err_set(e, ERR_PRECONDITION, "CVM %s is %s: there is no policy of it",
			       m->name, machine_is_gone(m->phase) ? "gone" : "not made yet");
	if (machines->is_stopping)
		return err_set(e, ERR_UNAVAILABLE, "the service is going down");
	while (i < machines->table.count &&
	       strcmp(manager_link_name(machines->links[i]), m->manager) != 0)
		i++;
	if (i == machines->table.count)
		return err_set(e, ERR_UNAVAILABLE,
			       "there is no manager %s at this service now: its administrator has "
			       "it in COMPUTATIONS_MANAGERS, or not",
			       m->manager);
	if (machines->policies[i] >= MACHINE_POLICIES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "manager %s is asked for %d policies already: try again later",
			       m->manager, MACHINE_POLICIES_MAX);
	a.open = &machines->policies[i];
	snprintf(a.id, sizeof(a.id), "%s", m->cvm_id);
	return start(machines, machines->links[i], &a, e);
}
