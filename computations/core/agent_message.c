/* SPDX-License-Identifier: Apache-2.0 */
/* agent_message.c — what an agent says, on its way to disk; and what to do once it is there. */
#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/crypto/digest.h"
#include "computations/core/session.h"
#include "computations/store/store_journal.h"

#include <string.h>

enum {
	PENDING_MAX = 64, /* messages of one agent on their way to disk */
	PENDING_LOW = 16,
	ARRIVED_BYTES_MAX =
		64 << 20, /* of all agents; beyond it each waits until its own are on disk */
};

/* Something an agent said, or its arrival, on its way to disk. */
struct agent_message {
	struct session *session;
	int (*keep)(struct store *store, struct agent_message *message, struct err *e);
	void (*kept)(struct agent_message *message);
	size_t bytes;
	char *cvm_id, *computation_id, *peer, **connected;
	size_t sorted;                /* so many of them; 0: not yet */
	char key[2 * SHA256_LEN + 1]; /* of the client certificate; "" without one */
	struct record record; /* a RunResponse has its error as text, its notice as status; an
				  * AgentStateRes the state as text */
	struct store_todo todo;
	struct journal_part part; /* its bytes are copies */
	int64_t kept_entries;
};

static void message_free(struct agent_message *m)
{
	free(m->cvm_id);
	free(m->computation_id);
	free(m->peer);
	session_ids_free(m->connected);
	record_done(&m->record);
	store_todo_done(&m->todo);
	for (size_t i = 0; i < m->part.count; i++)
		free((void *)(uintptr_t)m->part.entries[i].bytes);
	free(m->part.entries);
	free((void *)(uintptr_t)m->part.head.bytes);
	free((void *)(uintptr_t)m->part.run.bytes);
	free(m);
}

static int message_run(struct store *store, void *data, struct err *e)
{
	struct agent_message *m = data;

	return m->keep(store, m, e);
}

/* What the agent should not have said is ignored. But if nothing can be written any more,
 * records would be wrong from here on: the agent is disconnected, and tells its state again when
 * it reconnects. */
static void not_kept(struct session *s, const struct err *e)
{
	bool ignored = e->code == ERR_DENIED || e->code == ERR_NOT_FOUND;
	unsigned long skipped = 0;

	if (!s->call)
		return;
	/* It may go on to say such things, so often as it likes. */
	if (rpc_call_is_open(s->call) &&
	    (!ignored ||
	     log_rate_take(&s->ignored, (uint64_t)clock_ms(CLOCK_MONOTONIC), &skipped))) {
		if (skipped)
			log_warn("CVM %s: %lu other messages were ignored",
				 log_quote(s->cvm_id).text, skipped);
		log_warn("CVM %s: %s", log_quote(s->cvm_id).text, e->text);
	}
	if (!ignored)
		session_finish(s, e->code, "what the agent said can't be kept");
}

static void message_done(void *data, const struct err *e)
{
	struct agent_message *m = data;
	struct session *s = m->session;

	s->pending--;
	s->service->arrived_bytes -= m->bytes;
	if (e)
		not_kept(s, e);
	else
		logs_wake(s->service, m->computation_id, m->cvm_id);
	if (!e && s->call && m->kept)
		m->kept(m);
	if (s->call && s->paused &&
	    (s->pending == 0 ||
	     (s->pending <= PENDING_LOW && s->service->arrived_bytes < ARRIVED_BYTES_MAX))) {
		s->paused = false;
		rpc_call_resume(s->call);
	}
	message_free(m);
	session_unref(s);
}

static void enqueue(struct session *s, struct agent_message *m)
{
	struct err e;

	m->session = s;
	m->bytes = sizeof(*m) + (m->record.text ? strlen(m->record.text) : 0);
	for (size_t i = 0; i < m->part.count; i++)
		m->bytes += m->part.entries[i].len + sizeof(struct span);
	if (store_queue_add(
		    s->service->queue,
		    &(struct store_queue_op){ .run = message_run, .done = message_done, .data = m },
		    &e) < 0) {
		message_free(m);
		/* Dropping one message silently would leave a hole; a reconnect does not. */
		session_finish(s, ERR_EXHAUSTED, "out of memory");
		return;
	}
	session_ref(s);
	s->service->arrived_bytes += m->bytes;
	if ((++s->pending >= PENDING_MAX || s->service->arrived_bytes >= ARRIVED_BYTES_MAX) &&
	    !s->paused) {
		s->paused = true;
		rpc_call_pause(s->call);
	}
}

/* At most `max` bytes as a C string; bytes that are zero or not UTF-8 become '?'. */
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
	/* RFC 3339's years 1 to 9999; anything else is not a time that a person could read. */
	if (!time || time->seconds < -62135596800 || time->seconds > 253402300799 ||
	    time->nanos < 0 || time->nanos > 999999999)
		return;
	r->seconds = time->seconds;
	r->nanos = time->nanos;
}

static int keep_log(struct store *store, struct agent_message *m, struct err *e)
{
	return store_log(store, m->cvm_id, m->computation_id, &m->record, e);
}

static int keep_event(struct store *store, struct agent_message *m, struct err *e)
{
	return store_event(store, m->cvm_id, m->computation_id, &m->record, e);
}

static int keep_run_answer(struct store *store, struct agent_message *m, struct err *e)
{
	const struct run_answer answer = { .error = m->record.text,
					   .notice = m->record.status,
					   .attempt = m->record.attempt };

	return store_run_answer(store, m->cvm_id, m->computation_id, &answer, e);
}

static int keep_stopped(struct store *store, struct agent_message *m, struct err *e)
{
	return store_stopped(store, m->cvm_id, m->computation_id, e);
}

static int keep_state(struct store *store, struct agent_message *m, struct err *e)
{
	return store_agent_state(store, m->cvm_id, m->record.text, &m->todo, e);
}

static int keep_journal(struct store *store, struct agent_message *m, struct err *e)
{
	return store_journal_add(store, m->cvm_id, m->computation_id, &m->part, &m->kept_entries,
				 e);
}

/* On disk; nothing where it was over a limit. */
static void kept_journal(struct agent_message *m)
{
	Cvms__ServerStreamMessage message = CVMS__SERVER_STREAM_MESSAGE__INIT;
	Cvms__JournalAck ack = CVMS__JOURNAL_ACK__INIT;

	ack.computation_id = m->computation_id;
	ack.count = (uint64_t)m->kept_entries;
	ack.run = (ProtobufCBinaryData){ m->part.run.len, (uint8_t *)(uintptr_t)m->part.run.bytes };
	message.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_JOURNAL_ACK;
	message.journal_ack = &ack;
	session_say(m->session, &message);
}

static void kept_run_answer(struct agent_message *m)
{
	/* After a refusal only the agent knows where it stands. */
	if (*m->record.text) {
		session_refused(m->session, m->computation_id, m->record.attempt);
		session_ask_state(m->session);
	} else {
		evidence_ask_again(m->session, m->computation_id);
	}
}

static void kept_state(struct agent_message *m)
{
	struct session *s = m->session;
	bool holds = m->todo.computation_id && !state_is_free(m->record.text);

	s->answered = true;
	if (m->todo.computation_id && (m->todo.stop || !holds))
		session_act(s, &m->todo);
	/* It reconnected with its computation, so its evidence is judged by that manifest. */
	if (holds && !m->todo.stop && !s->asked.has_manifest)
		evidence_ask_again(s, m->todo.computation_id);
}

/* What no service ever gave is none of this one's. */
static int64_t attempt_of(uint64_t attempt)
{
	return attempt <= INT64_MAX ? (int64_t)attempt : INT64_MAX;
}

static bool take_log(struct agent_message *m, const Cvms__AgentLog *log)
{
	m->keep = keep_log;
	m->computation_id = text_of(log->computation_id, strlen(log->computation_id), STORE_ID_MAX);
	m->record.text = text_of(log->message, strlen(log->message), STORE_TEXT_MAX);
	m->record.level = word_of(log->level);
	set_time(&m->record, log->timestamp);
	return m->computation_id && m->record.text && m->record.level;
}

static bool take_event(struct agent_message *m, const Cvms__AgentEvent *event)
{
	m->keep = keep_event;
	m->computation_id =
		text_of(event->computation_id, strlen(event->computation_id), STORE_ID_MAX);
	m->record.event = true;
	m->record.attempt = attempt_of(event->attempt);
	m->record.text = text_of(event->details.data, event->details.len, STORE_TEXT_MAX);
	m->record.type = word_of(event->event_type);
	m->record.status = word_of(event->status);
	m->record.originator = word_of(event->originator);
	set_time(&m->record, event->timestamp);
	return m->computation_id && m->record.text && m->record.type && m->record.status &&
	       m->record.originator;
}

static bool take_answer(struct agent_message *m, const char *computation_id, const char *text)
{
	m->computation_id = text_of(computation_id, strlen(computation_id), STORE_ID_MAX);
	m->record.text = text_of(text, strlen(text), STORE_TEXT_MAX);
	return m->computation_id && m->record.text;
}

static bool copy_span(const ProtobufCBinaryData *from, struct span *to)
{
	uint8_t *copy = malloc(from->len ? from->len : 1);

	if (copy && from->len)
		memcpy(copy, from->data, from->len);
	*to = (struct span){ copy, copy ? from->len : 0 };
	return copy;
}

/* What does not fit is refused where it would be kept. */
static bool take_journal(struct agent_message *m, const Cvms__JournalEntries *said)
{
	size_t count = said->n_entries <= STORE_BATCH_MAX ? said->n_entries : 0;

	m->keep = keep_journal;
	m->kept = kept_journal;
	m->computation_id =
		text_of(said->computation_id, strlen(said->computation_id), STORE_ID_MAX);
	m->part.first = said->first <= INT64_MAX ? (int64_t)said->first : 0;
	m->part.entries = calloc(count ? count : 1, sizeof(*m->part.entries));
	if (!m->computation_id || !m->part.entries ||
	    !copy_span(&said->signed_head, &m->part.head) || !copy_span(&said->run, &m->part.run))
		return false;
	for (; m->part.count < count; m->part.count++)
		if (!copy_span(&said->entries[m->part.count], &m->part.entries[m->part.count]))
			return false;
	return true;
}

/* False if memory runs out; `m->keep` stays NULL for messages that do not matter here. */
static bool understand(struct agent_message *m, const Cvms__ClientStreamMessage *said)
{
	switch (said->message_case) {
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG:
		return take_log(m, said->agent_log);
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_EVENT:
		return take_event(m, said->agent_event);
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_RUN_RES:
		m->keep = keep_run_answer;
		m->kept = kept_run_answer;
		m->record.attempt = attempt_of(said->run_res->attempt);
		m->record.status = text_of(said->run_res->notice, strlen(said->run_res->notice),
					   STORE_TEXT_MAX);
		return m->record.status &&
		       take_answer(m, said->run_res->computation_id, said->run_res->error);
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_STOP_COMPUTATION_RES:
		m->keep = keep_stopped;
		return take_answer(m, said->stop_computation_res->computation_id, "");
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_STATE_RES:
		m->keep = keep_state;
		m->kept = kept_state;
		m->computation_id = strdup("");
		m->record.text = word_of(said->agent_state_res->state);
		return m->computation_id && m->record.text;
	case CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_JOURNAL_ENTRIES:
		return take_journal(m, said->journal_entries);
	default:
		return true;
	}
}

static bool is_report(const Cvms__ClientStreamMessage *said)
{
	return said->message_case == CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_LOG ||
	       said->message_case == CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_AGENT_EVENT;
}

/* Not for the database. One that is none is ignored as not_kept() has it. */
static void take_progress(struct session *s, const Cvms__Progress *said)
{
	struct err e;

	if (run_progress_take(s, said, &e) == 0)
		return;
	if (e.code == ERR_INVALID)
		e.code = ERR_DENIED;
	not_kept(s, &e);
}

void agent_message_take(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct session *s = rpc_call_user(call);
	struct agent_message *m;

	if (!s) /* refused at the start */
		return;
	if (s->forwarder && !is_report((const Cvms__ClientStreamMessage *)message)) {
		log_debug("CVM %s: its log-forwarder says what only the agent can",
			  log_quote(s->cvm_id).text);
		return;
	}
	if (((const Cvms__ClientStreamMessage *)message)->message_case ==
	    CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_V_TPMATTESTATION_REPORT) {
		evidence_answered(
			s, ((const Cvms__ClientStreamMessage *)message)->vtpmattestationreport);
		return;
	}
	if (((const Cvms__ClientStreamMessage *)message)->message_case ==
	    CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_PROGRESS) {
		take_progress(s, ((const Cvms__ClientStreamMessage *)message)->progress);
		return;
	}
	m = calloc(1, sizeof(*m));
	if (!m || !(m->cvm_id = strdup(s->cvm_id)) ||
	    !understand(m, (const Cvms__ClientStreamMessage *)message)) {
		if (m)
			message_free(m);
		session_finish(s, ERR_EXHAUSTED, "out of memory");
		return;
	}
	if (!m->keep) {
		log_debug("CVM %s: a message that was not asked for", log_quote(s->cvm_id).text);
		message_free(m);
		return;
	}
	enqueue(s, m);
}

/* Asked of each CVM when room is short, and of none else. */
static bool is_connected(const char *id, void *data)
{
	struct agent_message *m = data;

	if (!m->sorted)
		m->sorted = session_ids_sort(m->connected);
	return session_ids_find(m->connected, m->sorted, id);
}

static int keep_arrival(struct store *store, struct agent_message *m, struct err *e)
{
	return store_cvm_seen(store, m->cvm_id, m->peer, m->key, m->record.text, is_connected, m,
			      &m->todo, e);
}

static int keep_forwarder(struct store *store, struct agent_message *m, struct err *e)
{
	return store_cvm_reports(store, m->cvm_id, m->key, e);
}

static int read_key(const struct rpc_call *call, char key[2 * SHA256_LEN + 1], struct err *e)
{
	uint8_t bytes[SHA256_LEN];
	size_t len = 0;
	const uint8_t *spki = rpc_call_peer_spki(call, &len);

	key[0] = 0;
	if (!spki)
		return 0;
	if (digest(DIGEST_SHA256, spki, len, bytes, e) < 0)
		return err_code(e);
	hex_encode(bytes, sizeof(bytes), key);
	return 0;
}

/* The first operation of this agent; until it is done nothing else of the agent is read. */
static void arrival_done(void *data, const struct err *e)
{
	struct agent_message *m = data;
	struct session *s = m->session;

	if (s->call && e && s->forwarder && e->code == ERR_UNAVAILABLE) {
		forwarder_wait(s, e);
	} else if (s->call && e) {
		log_warn("agent at %s refused: %s", m->peer, e->text);
		rpc_call_finish(s->call, e);
	} else if (s->call) {
		session_arrived(s, m->peer, &m->todo);
	}
	message_free(m);
	session_unref(s);
}

int agent_message_arrival(struct session *s, struct err *e)
{
	struct agent_message *m;

	/* What we like to hear beyond what stock agents say. */
	if (!s->forwarder && (rpc_call_add_header(s->call, "cocos-journal", "1", e) < 0 ||
			      rpc_call_add_header(s->call, "cocos-progress", "1", e) < 0))
		return err_code(e);
	m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem(e);
	m->session = s;
	m->keep = s->forwarder ? keep_forwarder : keep_arrival;
	m->cvm_id = strdup(s->cvm_id);
	m->peer = strdup(rpc_call_peer(s->call));
	m->connected = session_ids_arriving(s->service);
	m->record.text = strdup(s->service->appraisal ? "not verified: its evidence is awaited"
						      : "not verified: this service has no policy");
	if (read_key(s->call, m->key, e) < 0) {
		message_free(m);
		return err_code(e);
	}
	if (!m->cvm_id || !m->peer || !m->connected || !m->record.text ||
	    store_queue_add(
		    s->service->queue,
		    &(struct store_queue_op){ .run = message_run, .done = arrival_done, .data = m },
		    e) < 0) {
		message_free(m);
		return err_nomem(e);
	}
	session_ref(s);
	rpc_call_pause(s->call);
	return 0;
}
