/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c — one agent's stream: what it says goes to the database, and the database decides what it must do.
 *
 * A CVM has one session at a time; a newer connection takes over from an older one, which may be
 * dead without our knowing. When an agent connects it is asked for its state: the answer says
 * whether it still has the computation that the database gives it, or needs the manifest (again),
 * or a stop.
 *
 * Beside it a CVM may have one stream that only reports: a stock guest image sends logs and events
 * by a program of its own, its log-forwarder, which says so in its metadata. That one is told
 * nothing and asked nothing, and what else it says is not heard. It may come first (forwarder.c).
 */
#include "computations/core/session.h"

#include "common/base/log.h"
#include "cvms_paths.h"
#include "proto/descriptors.h"

#include <ctype.h>
#include <string.h>

enum {
	UNANSWERED_MS = 3000, /* after that an agent that does not tell its state gets work, too */
};

void session_ref(struct session *s)
{
	s->refs++;
}

void session_unref(struct session *s)
{
	if (--s->refs)
		return;
	store_todo_done(&s->todo);
	free(s->cvm_id);
	free(s->sent);
	free(s);
}

static void timer_closed(uv_handle_t *handle)
{
	free(handle);
}

static void stop_timer(struct session *s)
{
	if (s->unanswered)
		uv_close((uv_handle_t *)s->unanswered, timer_closed);
	s->unanswered = NULL;
}

void session_finish(struct session *s, enum err_code code, const char *text)
{
	struct err e;

	err_set(&e, code, "%s", text);
	rpc_call_finish(s->call, &e);
}

void session_again(struct session *s, const struct err *e)
{
	if (s->call && rpc_call_is_open(s->call))
		session_finish(s, e->code, "the database has failed for this CVM: come again");
}

void session_say(struct session *s, const Cvms__ServerStreamMessage *message)
{
	struct err e;

	if (s->call && rpc_call_send(s->call, &message->base, &e) < 0)
		log_warn("CVM %s: %s", log_quote(s->cvm_id).text, e.text);
}

void session_ask_state(struct session *s)
{
	Cvms__ServerStreamMessage message = CVMS__SERVER_STREAM_MESSAGE__INIT;
	Cvms__AgentStateReq request = CVMS__AGENT_STATE_REQ__INIT;

	request.id = s->cvm_id;
	message.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_AGENT_STATE_REQ;
	message.agentstatereq = &request;
	session_say(s, &message);
}

void session_refused(struct session *s, const char *computation_id, int64_t attempt)
{
	if (s->sent && strcmp(s->sent, computation_id) == 0 && (!attempt || attempt == s->attempt))
		free(TAKE_PTR(s->sent));
}

void session_stop(struct session *s, const char *computation_id)
{
	Cvms__ServerStreamMessage message = CVMS__SERVER_STREAM_MESSAGE__INIT;
	Cvms__StopComputation stop = CVMS__STOP_COMPUTATION__INIT;

	/* It may be given to this agent once more. */
	session_refused(s, computation_id, 0);
	stop.computation_id = (char *)(uintptr_t)computation_id;
	message.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_STOP_COMPUTATION;
	message.stopcomputation = &stop;
	session_say(s, &message);
}

void session_act(struct session *s, const struct store_todo *todo)
{
	if (!todo->computation_id)
		return;
	if (todo->stop)
		session_stop(s, todo->computation_id);
	else
		session_run(s, todo->computation_id, todo->unverified);
}

/* The agent has not told its state (another implementation may not know the question). It gets
 * what it can't have got yet; what it may be working on is left alone. */
static void on_unanswered(uv_timer_t *timer)
{
	struct session *s = timer->data;

	if (!s->answered && s->todo.computation_id && (s->todo.stop || !s->todo.reached))
		session_act(s, &s->todo);
	stop_timer(s);
}

static void start_timer(struct session *s)
{
	uv_timer_t *timer = malloc(sizeof(*timer));

	if (!timer)
		return; /* the answer itself still works */
	uv_timer_init(s->service->loop, timer);
	timer->data = s;
	s->unanswered = timer;
	uv_timer_start(timer, on_unanswered, UNANSWERED_MS, 0);
}

static bool is_cvm_id(const char *id)
{
	size_t len = id ? strlen(id) : 0;

	if (len == 0 || len > STORE_ID_MAX || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)id[i]) || id[i] == '/')
			return false;
	return true;
}

static bool same_peer(const struct rpc_call *a, const struct rpc_call *b)
{
	size_t a_len = 0, b_len = 0;
	const uint8_t *a_key = rpc_call_peer_spki(a, &a_len),
		      *b_key = rpc_call_peer_spki(b, &b_len);

	return a_key && b_key ? a_len == b_len && memcmp(a_key, b_key, a_len) == 0 : a_key == b_key;
}

static bool is_of(const struct session *s, const char *cvm_id)
{
	return s->call && rpc_call_is_open(s->call) && strcmp(s->cvm_id, cvm_id) == 0;
}

bool session_is_there(const struct session *s)
{
	return s->arrived && !s->forwarder && s->call && rpc_call_is_open(s->call);
}

/* Ends the older streams of that CVM, kind and key, arrived or not; whether it needs no further place. One with another
 * key keeps nobody out, and is left alone: whose the name is, the database says on arrival, and one of two agents ends. */
static bool take_over(struct service *service, const struct rpc_call *call, const char *id,
		      bool forwarder)
{
	struct session *s, *following;
	bool found = false, renews = false, waits = forwarder, is_its;

	for (s = TAILQ_FIRST(&service->sessions); s; s = following) {
		following = TAILQ_NEXT(s, next); /* as in session_end_all() */
		is_its = s->forwarder == forwarder && is_of(s, id);
		if (is_its && same_peer(s->call, call)) {
			session_finish(s, ERR_ABORTED, "a newer connection of this CVM took over");
			found = true;
		} else if (is_its) {
			*(s->arrived ? &renews : &waits) = true;
		}
	}
	return found || (renews && !waits); /* one at a time is beyond the limit */
}

static bool is_forwarder(const struct rpc_call *call)
{
	const char *type = rpc_metadata_text(rpc_call_metadata(call), "connection-type", 0);

	return type && strcmp(type, "log-forwarder") == 0;
}

/* The last quarter is for those who have less than a quarter: who has a certificate of the agents' CA
 * can't keep out all others by making up CVMs. */
static bool has_share(const struct service *service, const struct rpc_call *call, bool forwarder,
		      size_t count)
{
	uint64_t quarter = service->max_sessions / 4;
	const struct session *s;
	uint64_t own = 0;
	size_t len = 0;

	if (count < service->max_sessions - quarter || !rpc_call_peer_spki(call, &len))
		return true;
	TAILQ_FOREACH(s, &service->sessions, next)
		own += s->forwarder == forwarder && s->call && same_peer(s->call, call);
	return own < quarter;
}

static int admit(struct service *service, struct rpc_call *call, const char *id, bool forwarder,
		 struct err *e)
{
	size_t count = forwarder ? service->forwarder_count : service->session_count;

	if (service->stopping)
		return err_set(e, ERR_UNAVAILABLE, "the service is going down");
	if (!is_cvm_id(id))
		return err_set(e, ERR_INVALID,
			       "metadata job-id must be the CVM's id, 1 to %d printable characters "
			       "without '/', and not '.' or '..'",
			       STORE_ID_MAX);
	if (take_over(service, call, id, forwarder))
		return 0;
	if (count >= service->max_sessions)
		return err_set(e, ERR_EXHAUSTED,
			       "%zu CVMs are connected: COMPUTATIONS_MAX_CVMS allows no more",
			       count);
	if (!has_share(service, call, forwarder, count))
		return err_set(e, ERR_EXHAUSTED,
			       "%zu CVMs are connected, with this certificate as many as one may "
			       "have when room is short: COMPUTATIONS_MAX_CVMS makes more",
			       count);
	return 0;
}

/* `next`: but it, those that have not arrived, and those of its key: of a renewed certificate, which now has the name. */
static void end_of(struct service *service, const char *cvm_id, const struct session *next,
		   const char *why)
{
	struct session *s, *following;

	for (s = TAILQ_FIRST(&service->sessions); s; s = following) {
		following = TAILQ_NEXT(s, next); /* as in session_end_all() */
		if (is_of(s, cvm_id) && (!next || (s->arrived && !same_peer(s->call, next->call))))
			session_finish(s, ERR_ABORTED, why);
	}
}

void session_arrived(struct session *s, const char *peer, struct store_todo *todo)
{
	s->todo = *todo;
	*todo = (struct store_todo){ .computation_id = NULL };
	s->arrived = true;
	rpc_call_prove(s->call);
	if (s->forwarder) {
		log_info("CVM %s reports from %s", log_quote(s->cvm_id).text, peer);
		rpc_call_resume(s->call);
		return;
	}
	log_info("CVM %s connected from %s", log_quote(s->cvm_id).text, peer);
	end_of(s->service, s->cvm_id, s, "the CVM has its next certificate");
	forwarder_agent_arrived(s->service, s->cvm_id);
	session_ask_state(s);
	evidence_ask(s);
	start_timer(s);
	rpc_call_resume(s->call);
}

static size_t *counter(struct session *s)
{
	return s->forwarder ? &s->service->forwarder_count : &s->service->session_count;
}

static void on_start(struct rpc_call *call)
{
	struct service *service = rpc_call_service(call);
	const char *id = rpc_metadata_text(rpc_call_metadata(call), "job-id", 0);
	bool forwarder = is_forwarder(call);
	struct session *s = NULL;
	struct err e;

	if (admit(service, call, id, forwarder, &e) < 0)
		goto refused;
	s = calloc(1, sizeof(*s));
	if (!s || !(s->cvm_id = strdup(id))) {
		err_nomem(&e);
		goto refused;
	}
	rpc_call_is_about(call, LOG_CVM, id);
	s->service = service;
	s->call = call;
	s->refs = 1;
	s->forwarder = forwarder;
	TAILQ_INSERT_TAIL(&service->sessions, s, next);
	++*counter(s);
	rpc_call_set_user(call, s);
	if (agent_message_arrival(s, &e) < 0)
		rpc_call_finish(call, &e);
	return;
refused:
	free(s);
	log_warn("agent at %s refused: %s", rpc_call_peer(call), e.text);
	rpc_call_finish(call, &e);
}

static void on_half_close(struct rpc_call *call)
{
	rpc_call_finish(call, NULL);
}

static void on_closed(struct rpc_call *call)
{
	struct session *s = rpc_call_user(call);

	if (!s)
		return;
	s->call = NULL;
	stop_timer(s);
	TAILQ_REMOVE(&s->service->sessions, s, next);
	run_progress_end(s);
	--*counter(s);
	if (s->arrived || !s->forwarder)
		log_info("CVM %s %s", log_quote(s->cvm_id).text,
			 s->forwarder ? "no longer reports by itself" : "disconnected");
	session_unref(s);
}

struct session *session_find(struct service *service, const char *cvm_id)
{
	struct session *s;

	TAILQ_FOREACH(s, &service->sessions, next)
		if (session_is_there(s) && is_of(s, cvm_id))
			return s;
	return NULL;
}

void session_end_of(struct service *service, const char *cvm_id, const char *why)
{
	end_of(service, cvm_id, NULL, why);
}

void session_end_all(struct service *service)
{
	struct session *s, *following;

	for (s = TAILQ_FIRST(&service->sessions); s; s = following) {
		/* Finishing may close and free the session at once. */
		following = TAILQ_NEXT(s, next);
		session_finish(s, ERR_UNAVAILABLE, "the service is going down");
	}
}

static const struct rpc_handler handlers[] = {
	{
		.method = { PROTO_CVMS_PROCESS, RPC_BIDI, &cvms__client_stream_message__descriptor,
			    &cvms__server_stream_message__descriptor },
		.start = on_start,
		.message = agent_message_take,
		.half_close = on_half_close,
		.closed = on_closed,
	},
};

const struct rpc_service session_rpc = {
	.name = PROTO_CVMS_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_cvms_set,
};
