/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_message.h"

Google__Protobuf__Timestamp *admin_message_time(Google__Protobuf__Timestamp *out, int64_t ms)
{
	google__protobuf__timestamp__init(out);
	out->seconds = ms / 1000;
	out->nanos = (int32_t)(ms % 1000) * 1000000;
	return ms ? out : NULL;
}

void admin_message_computation(struct admin_message_computation *out, const struct computation *c,
			       bool connected)
{
	Computations__Computation *m = &out->message;

	computations__computation__init(m);
	m->id = c->id;
	m->name = c->name;
	m->description = c->description;
	m->state = (char *)(uintptr_t)state_words(c->state);
	m->agent_state = c->agent_state;
	m->cvm_id = c->cvm_id;
	m->cvm_connected = connected;
	m->stopping = c->stopping;
	m->finished = c->finished;
	m->failure = c->failure;
	m->notice = c->notice;
	m->new_cvm = c->new_cvm;
	m->cvm_verdict = c->cvm_verdict;
	out->message.workspace = c->workspace;
	m->created = admin_message_time(&out->created, c->created);
	m->sent = admin_message_time(&out->sent, c->sent);
	m->ended = admin_message_time(&out->ended, c->ended);
	m->changed = admin_message_time(&out->changed, c->changed);
	m->manifest_digest.data = (uint8_t *)(uintptr_t)c->digest;
	m->manifest_digest.len = sizeof(c->digest);
	m->records = (uint64_t)c->records;
	m->records_dropped = (uint64_t)c->dropped;
	m->datasets = (uint32_t)c->datasets;
	m->consumers = (uint32_t)c->consumers;
}

void admin_message_cvm(struct admin_message_cvm *out, const struct cvm *c, bool connected)
{
	Computations__Cvm *m = &out->message;

	computations__cvm__init(m);
	m->id = c->id;
	m->connected = connected;
	m->agent_state = c->agent_state;
	m->computation_id = c->computation_id;
	m->peer = c->peer;
	m->first_seen = admin_message_time(&out->first_seen, c->first_seen);
	m->last_seen = admin_message_time(&out->last_seen, c->last_seen);
	m->verified = c->verified;
	m->verdict = c->verdict;
	m->judged = admin_message_time(&out->judged, c->judged);
	m->client_key = c->key;
}

void admin_message_record(struct admin_message_record *out, const struct record *r)
{
	Computations__Record *m = &out->message;

	computations__record__init(m);
	m->number = (uint64_t)r->number;
	m->time = NULL;
	if (r->seconds || r->nanos) {
		google__protobuf__timestamp__init(&out->time);
		out->time.seconds = r->seconds;
		out->time.nanos = (int32_t)r->nanos;
		m->time = &out->time;
	}
	m->received = admin_message_time(&out->received, r->received);
	m->event = r->event;
	m->level = r->level;
	m->text = r->text;
	m->type = r->type;
	m->status = r->status;
	m->originator = r->originator;
}
