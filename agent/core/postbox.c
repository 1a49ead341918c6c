/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/postbox.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct postbox_item {
	struct postbox_item *next, *prev;
	Cvms__ClientStreamMessage *message;
	size_t size;
	uint64_t number; /* from 1 */
};

/* What a message costs beside its bytes: structs, pointers, the heap's own. */
enum { ITEM_COST = 256 };

static bool is_log(const struct postbox_item *item)
{
	return item->message->message_case == CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG;
}

static void item_remove(struct postbox *o, struct postbox_item *item)
{
	if (item->prev)
		item->prev->next = item->next;
	else
		o->first = item->next;
	if (item->next)
		item->next->prev = item->prev;
	else
		o->last = item->prev;
	if (o->unsent == item)
		o->unsent = item->next;
	o->count--;
	o->bytes -= item->size;
	cvms__client_stream_message__free_unpacked(item->message, NULL);
	free(item);
}

void postbox_done(struct postbox *o)
{
	while (o->first)
		item_remove(o, o->first);
	*o = (struct postbox){ 0 };
}

/* Makes room; what is under way on a connection goes last. */
static void drop_one(struct postbox *o)
{
	struct postbox_item *item = o->unsent;

	while (item && !is_log(item))
		item = item->next;
	for (struct postbox_item *any = o->first; !item && any; any = any->next) {
		if (is_log(any))
			item = any;
	}
	if (!item)
		item = o->first;
	if (item->message->message_case != CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG)
		log_warn("an event was dropped: the computation service has been away too long");
	o->dropped++;
	item_remove(o, item);
}

static void append(struct postbox *o, Cvms__ClientStreamMessage *message)
{
	struct postbox_item *item = calloc(1, sizeof(*item));

	if (!item) {
		cvms__client_stream_message__free_unpacked(message, NULL);
		o->dropped++;
		return;
	}
	item->message = message;
	item->size = cvms__client_stream_message__get_packed_size(message) + ITEM_COST;
	while (o->first &&
	       (o->count >= POSTBOX_MESSAGES_MAX || o->bytes + item->size > POSTBOX_BYTES_MAX))
		drop_one(o);
	item->prev = o->last;
	if (o->last)
		o->last->next = item;
	else
		o->first = item;
	o->last = item;
	if (!o->unsent)
		o->unsent = item;
	item->number = ++o->numbered;
	o->count++;
	o->bytes += item->size;
}

/* A copy, cut at the limit, that can travel as a protobuf string. */
static char *text_copy(const char *text, size_t len)
{
	char *copy = strndup(text, len < POSTBOX_MESSAGE_MAX ? len : POSTBOX_MESSAGE_MAX);
	size_t kept = copy ? strlen(copy) : 0;

	/* A cut may have left half a character. */
	for (int i = 0;
	     i < 3 && kept > 0 && (unsigned char)copy[kept - 1] >= 0x80 && !utf8_valid(copy, kept);
	     i++)
		kept--;
	if (copy && utf8_valid(copy, kept)) {
		copy[kept] = '\0';
		return copy;
	}
	for (char *c = copy; c && *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	return copy;
}

static char *string(const char *text)
{
	return text_copy(text ? text : "", text ? strlen(text) : 0);
}

static Google__Protobuf__Timestamp *now(void)
{
	Google__Protobuf__Timestamp *t = malloc(sizeof(*t));
	struct timespec ts;

	if (!t)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &ts);
	google__protobuf__timestamp__init(t);
	t->seconds = ts.tv_sec;
	t->nanos = (int32_t)ts.tv_nsec;
	return t;
}

/* Wraps and appends; an inner message that lacks a part because memory ran out is dropped whole. */
static void post(struct postbox *o, Cvms__ClientStreamMessage__MessageCase which, void *inner,
		 bool complete)
{
	Cvms__ClientStreamMessage *m = malloc(sizeof(*m));

	if (!m || !complete) {
		free(m);
		protobuf_c_message_free_unpacked(inner, NULL);
		o->dropped++;
		return;
	}
	cvms__client_stream_message__init(m);
	m->message_case = which;
	m->agent_log = inner; /* all members of the union are pointers */
	append(o, m);
}

void postbox_log(struct postbox *o, const char *computation, const char *level, const char *text,
		 size_t len)
{
	Cvms__AgentLog *m = malloc(sizeof(*m));

	if (!m) {
		o->dropped++;
		return;
	}
	cvms__agent_log__init(m);
	m->computation_id = string(computation);
	m->level = string(level);
	m->message = text_copy(text, len);
	m->timestamp = now();
	post(o, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG, m,
	     m->computation_id && m->level && m->message && m->timestamp);
}

void postbox_event(struct postbox *o, struct postbox_subject subject, const char *type,
		   const char *status, const char *details)
{
	Cvms__AgentEvent *m = malloc(sizeof(*m));

	if (!m) {
		o->dropped++;
		return;
	}
	cvms__agent_event__init(m);
	m->event_type = string(type);
	m->computation_id = string(subject.computation);
	m->attempt = subject.attempt;
	m->originator = string("agent");
	m->status = string(status);
	m->timestamp = now();
	if (details) {
		m->details.data = (uint8_t *)strdup(details);
		m->details.len = m->details.data ? strlen(details) : 0;
	}
	post(o, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_EVENT, m,
	     m->event_type && m->computation_id && m->originator && m->status && m->timestamp);
}

void postbox_run_response(struct postbox *o, struct postbox_subject subject, const char *error,
			  const char *notice)
{
	Cvms__RunResponse *m = malloc(sizeof(*m));

	if (!m) {
		o->dropped++;
		return;
	}
	cvms__run_response__init(m);
	m->computation_id = string(subject.computation);
	m->attempt = subject.attempt;
	m->error = string(error);
	m->notice = string(notice);
	post(o, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_RUN_RES, m,
	     m->computation_id && m->error && m->notice);
}

void postbox_stop_response(struct postbox *o, const char *computation, const char *text)
{
	Cvms__StopComputationResponse *m = malloc(sizeof(*m));

	if (!m) {
		o->dropped++;
		return;
	}
	cvms__stop_computation_response__init(m);
	m->computation_id = string(computation);
	m->message = string(text);
	post(o, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_STOP_COMPUTATION_RES, m,
	     m->computation_id && m->message);
}

void postbox_state_response(struct postbox *o, const char *id, const char *state)
{
	Cvms__AgentStateRes *m = malloc(sizeof(*m));

	if (!m) {
		o->dropped++;
		return;
	}
	cvms__agent_state_res__init(m);
	m->id = string(id);
	m->state = string(state);
	post(o, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_STATE_RES, m, m->id && m->state);
}

void postbox_evidence(struct postbox *o, const uint8_t *token, size_t len, const char *error)
{
	Cvms__AttestationResponse *m = malloc(sizeof(*m));

	if (!m) {
		o->dropped++;
		return;
	}
	cvms__attestation_response__init(m);
	m->certserialnumber = string("");
	m->error = string(error);
	m->file.data = malloc(len ? len : 1);
	m->file.len = m->file.data ? len : 0;
	if (m->file.len)
		memcpy(m->file.data, token, len);
	post(o, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_V_TPMATTESTATION_REPORT, m,
	     m->certserialnumber && m->error && m->file.data);
}

static void tell_dropped(struct postbox *o)
{
	uint64_t dropped = o->dropped;
	char text[128];
	int len = snprintf(text, sizeof(text),
			   "%" PRIu64 " messages were dropped while the "
			   "computation service was away",
			   dropped);

	o->dropped = 0;
	postbox_log(o, "", "WARN", text, (size_t)len);
}

const Cvms__ClientStreamMessage *postbox_next(struct postbox *o)
{
	/* Not while there is no room, or telling would drop again. */
	if (!o->unsent && o->dropped && o->count < POSTBOX_MESSAGES_MAX &&
	    o->bytes + 4 * ITEM_COST <= POSTBOX_BYTES_MAX)
		tell_dropped(o);
	return o->unsent ? o->unsent->message : NULL;
}

void postbox_handed(struct postbox *o)
{
	o->unsent = o->unsent->next;
}

uint64_t postbox_mark(const struct postbox *o)
{
	if (!o->first || o->first == o->unsent)
		return 0;
	return o->unsent ? o->unsent->prev->number : o->last->number;
}

void postbox_confirm(struct postbox *o, uint64_t mark)
{
	while (o->first && o->first != o->unsent && o->first->number <= mark)
		item_remove(o, o->first);
}

void postbox_rewind(struct postbox *o)
{
	o->unsent = o->first;
}
