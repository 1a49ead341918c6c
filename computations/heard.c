/* SPDX-License-Identifier: Apache-2.0 */
/* heard.c — what an agent says, on its way to disk; what follows from it once it is there. */
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "computations/session.h"

#include <string.h>

enum {
	PENDING_MAX = 64, /* messages of one agent on their way to disk */
	PENDING_LOW = 16,
	HEARD_BYTES_MAX = 64 << 20, /* of all agents; beyond it each waits for its own */
};

/* Something an agent said, or its arrival, on its way to disk. */
struct heard {
	struct session *session;
	int (*keep)(struct store *store, struct heard *heard, struct err *e);
	void (*kept)(struct heard *heard);
	size_t bytes;
	char *cvm_id, *computation_id, *peer, **connected;
	struct record record; /* a RunResponse has its error as text, its notice as status; an
				  * AgentStateRes the state as text */
	struct store_todo todo;
};

static void heard_free(struct heard *h)
{
	free(h->cvm_id);
	free(h->computation_id);
	free(h->peer);
	session_ids_free(h->connected);
	record_done(&h->record);
	store_todo_done(&h->todo);
	free(h);
}

static int heard_run(struct store *store, void *data, struct err *e)
{
	struct heard *h = data;

	return h->keep(store, h, e);
}

/* What the agent should not have said is passed over. But if the disk takes nothing more, this would
 * be wrong from here on: the agent is sent away, and tells its state anew when it gets in again. */
static void not_kept(struct session *s, const struct err *e)
{
	if (s->call && rpc_call_is_open(s->call))
		log_warn("CVM %s: %s", log_quote(s->cvm_id).text, e->text);
	if (s->call && e->code != ERR_DENIED && e->code != ERR_NOT_FOUND)
		session_finish(s, e->code, "what the agent said can't be kept");
}

static void heard_done(void *data, const struct err *e)
{
	struct heard *h = data;
	struct session *s = h->session;

	s->pending--;
	s->service->heard_bytes -= h->bytes;
	if (e)
		not_kept(s, e);
	else
		follow_wake(s->service, h->computation_id, h->cvm_id);
	if (!e && s->call && h->kept)
		h->kept(h);
	if (s->call && s->paused &&
	    (s->pending == 0 ||
	     (s->pending <= PENDING_LOW && s->service->heard_bytes < HEARD_BYTES_MAX))) {
		s->paused = false;
		rpc_call_resume(s->call);
	}
	heard_free(h);
	session_unref(s);
}

static void hear(struct session *s, struct heard *h)
{
	struct err e;

	h->session = s;
	h->bytes = sizeof(*h) + (h->record.text ? strlen(h->record.text) : 0);
	if (work_add(s->service->work,
		     &(struct work_op){ .run = heard_run, .done = heard_done, .data = h },
		     &e) < 0) {
		heard_free(h);
		/* Dropping one message in silence would leave a hole; a reconnect does not. */
		session_finish(s, ERR_EXHAUSTED, "out of memory");
		return;
	}
	session_ref(s);
	s->service->heard_bytes += h->bytes;
	if ((++s->pending >= PENDING_MAX || s->service->heard_bytes >= HEARD_BYTES_MAX) &&
	    !s->paused) {
		s->paused = true;
		rpc_call_pause(s->call);
	}
}

/* At most `max` bytes as a C string; what is no UTF-8 or zero becomes '?'. */
static char *text_of(const void *bytes, size_t len, size_t max)
{
	size_t kept = len < max ? len : max;
	char *text = malloc(kept + 1);

	if (!text)
		return NULL;
	if (kept)
		memcpy(text, bytes, kept);
	text[kept] = 0;
	while (kept > 0 && len > max && ((unsigned char)((const char *)bytes)[kept] & 0xc0) == 0x80)
		text[--kept] = 0;
	if (memchr(text, 0, kept) || !utf8_valid(text, kept))
		for (size_t i = 0; i < kept; i++)
			if (!text[i] || (unsigned char)text[i] >= 0x80)
				text[i] = '?';
	return text;
}

static char *word_of(const char *word)
{
	return text_of(word, strlen(word), STORE_WORD_MAX);
}

static void set_time(struct record *r, const Google__Protobuf__Timestamp *time)
{
	/* RFC 3339's years 1 to 9999; anything else is no time that a person could read. */
	if (!time || time->seconds < -62135596800 || time->seconds > 253402300799 ||
	    time->nanos < 0 || time->nanos > 999999999)
		return;
	r->seconds = time->seconds;
	r->nanos = time->nanos;
}

static int keep_log(struct store *store, struct heard *h, struct err *e)
{
	return store_log(store, h->cvm_id, h->computation_id, &h->record, e);
}

static int keep_event(struct store *store, struct heard *h, struct err *e)
{
	return store_event(store, h->cvm_id, h->computation_id, &h->record, e);
}

static int keep_run_answer(struct store *store, struct heard *h, struct err *e)
{
	const struct run_answer answer = { .error = h->record.text, .notice = h->record.status };

	return store_run_answer(store, h->cvm_id, h->computation_id, &answer, e);
}

static int keep_stopped(struct store *store, struct heard *h, struct err *e)
{
	return store_stopped(store, h->cvm_id, h->computation_id, e);
}

static int keep_state(struct store *store, struct heard *h, struct err *e)
{
	return store_agent_state(store, h->cvm_id, h->record.text, &h->todo, e);
}

static void kept_run_answer(struct heard *h)
{
	/* After a refusal only the agent knows where it stands. */
	if (*h->record.text)
		session_ask_state(h->session);
	else
		vouch_ask_again(h->session, h->computation_id);
}

static void kept_state(struct heard *h)
{
	struct session *s = h->session;
	bool holds = h->todo.computation_id && !state_is_free(h->record.text);

	s->answered = true;
	if (h->todo.computation_id && (h->todo.stop || !holds))
		session_act(s, &h->todo);
	/* It came back with its computation: then its evidence is judged by that one's manifest. */
	if (holds && !h->todo.stop && !s->asked.has_manifest)
		vouch_ask_again(s, h->todo.computation_id);
}

static bool hear_log(struct heard *h, const Cvms__AgentLog *log)
{
	h->keep = keep_log;
	h->computation_id = text_of(log->computation_id, strlen(log->computation_id), STORE_ID_MAX);
	h->record.text = text_of(log->message, strlen(log->message), STORE_TEXT_MAX);
	h->record.level = word_of(log->level);
	set_time(&h->record, log->timestamp);
	return h->computation_id && h->record.text && h->record.level;
}

static bool hear_event(struct heard *h, const Cvms__AgentEvent *event)
{
	h->keep = keep_event;
	h->computation_id =
		text_of(event->computation_id, strlen(event->computation_id), STORE_ID_MAX);
	h->record.event = true;
	h->record.text = text_of(event->details.data, event->details.len, STORE_TEXT_MAX);
	h->record.type = word_of(event->event_type);
	h->record.status = word_of(event->status);
	h->record.originator = word_of(event->originator);
	set_time(&h->record, event->timestamp);
	return h->computation_id && h->record.text && h->record.type && h->record.status &&
	       h->record.originator;
}

static bool hear_answer(struct heard *h, const char *computation_id, const char *text)
{
	h->computation_id = text_of(computation_id, strlen(computation_id), STORE_ID_MAX);
	h->record.text = text_of(text, strlen(text), STORE_TEXT_MAX);
	return h->computation_id && h->record.text;
}

/* False when memory is out; `h->keep` stays NULL for what is of no concern here. */
static bool understand(struct heard *h, const Cvms__ClientStreamMessage *m)
{
	switch (m->message_case) {
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG:
		return hear_log(h, m->agent_log);
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_EVENT:
		return hear_event(h, m->agent_event);
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_RUN_RES:
		h->keep = keep_run_answer;
		h->kept = kept_run_answer;
		h->record.status =
			text_of(m->run_res->notice, strlen(m->run_res->notice), STORE_TEXT_MAX);
		return h->record.status &&
		       hear_answer(h, m->run_res->computation_id, m->run_res->error);
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_STOP_COMPUTATION_RES:
		h->keep = keep_stopped;
		return hear_answer(h, m->stop_computation_res->computation_id, "");
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_STATE_RES:
		h->keep = keep_state;
		h->kept = kept_state;
		return hear_answer(h, "", m->agent_state_res->state);
	default:
		return true;
	}
}

void heard_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct session *s = rpc_call_user(call);
	struct heard *h;

	if (!s) /* refused at the start */
		return;
	if (((const Cvms__ClientStreamMessage *)message)->message_case ==
	    CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_V_TPMATTESTATION_REPORT) {
		vouch_heard(s, ((const Cvms__ClientStreamMessage *)message)->vtpmattestationreport);
		return;
	}
	h = calloc(1, sizeof(*h));
	if (!h || !(h->cvm_id = strdup(s->cvm_id)) ||
	    !understand(h, (const Cvms__ClientStreamMessage *)message)) {
		if (h)
			heard_free(h);
		session_finish(s, ERR_EXHAUSTED, "out of memory");
		return;
	}
	if (!h->keep) {
		log_debug("CVM %s: a message that was not asked for", log_quote(s->cvm_id).text);
		heard_free(h);
		return;
	}
	hear(s, h);
}

static bool is_connected(const char *id, void *data)
{
	char **ids = data;

	for (size_t i = 0; ids && ids[i]; i++)
		if (strcmp(ids[i], id) == 0)
			return true;
	return false;
}

static int keep_arrival(struct store *store, struct heard *h, struct err *e)
{
	return store_cvm_seen(store, h->cvm_id, h->peer, h->record.text, is_connected, h->connected,
			      &h->todo, e);
}

/* The first thing on the queue; until it is done nothing else of this agent is read. */
static void arrival_done(void *data, const struct err *e)
{
	struct heard *h = data;
	struct session *s = h->session;

	if (s->call && e) {
		rpc_call_finish(s->call, e);
	} else if (s->call) {
		session_arrived(s, h->peer, &h->todo);
	}
	heard_free(h);
	session_unref(s);
}

int heard_arrival(struct session *s, struct err *e)
{
	struct heard *h = calloc(1, sizeof(*h));

	if (!h)
		return err_nomem(e);
	h->session = s;
	h->keep = keep_arrival;
	h->cvm_id = strdup(s->cvm_id);
	h->peer = strdup(rpc_call_peer(s->call));
	h->connected = session_ids(s->service);
	h->record.text = strdup(s->service->appraisal ? "not verified: its evidence is awaited"
						      : "not verified: this service has no policy");
	if (!h->cvm_id || !h->peer || !h->connected || !h->record.text ||
	    work_add(s->service->work,
		     &(struct work_op){ .run = heard_run, .done = arrival_done, .data = h },
		     e) < 0) {
		heard_free(h);
		return err_nomem(e);
	}
	session_ref(s);
	rpc_call_pause(s->call);
	return 0;
}
