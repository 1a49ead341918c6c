/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forwarder.c — a stream that only reports (session.c) and comes before its CVM's agent: a stock guest image starts its
 * log-forwarder first, and that program opens one stream in its life. So it waits.
 */
#include "common/base/log.h"
#include "computations/core/session.h"

#include <string.h>

enum {
	FORWARDER_WAIT_MS = 5 * 60 * 1000
}; /* a guest's agent comes seconds after it, its slowest one minutes */

static void timer_closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_alone(uv_timer_t *timer)
{
	struct session *s = timer->data;

	s->unanswered = NULL;
	uv_close((uv_handle_t *)timer, timer_closed);
	s->waits = false;
	log_warn("CVM %s: its log-forwarder is refused: its agent has not connected",
		 log_quote(s->cvm_id).text);
	session_finish(s, ERR_UNAVAILABLE, "the agent of this CVM has not connected");
}

void forwarder_wait(struct session *s, const struct err *why)
{
	uv_timer_t *timer = s->unanswered ? NULL : malloc(sizeof(*timer));

	if (!timer) {
		rpc_call_finish(s->call, why);
		return;
	}
	uv_timer_init(s->service->loop, timer);
	timer->data = s;
	s->unanswered = timer;
	s->waits = true;
	uv_timer_start(timer, on_alone, FORWARDER_WAIT_MS, 0);
	log_info("CVM %s: its log-forwarder waits for its agent", log_quote(s->cvm_id).text);
}

void forwarder_agent_arrived(struct service *service, const char *cvm_id)
{
	struct session *s, *following;
	struct err e;

	for (s = TAILQ_FIRST(&service->sessions); s; s = following) {
		following =
			TAILQ_NEXT(s, next); /* finishing may close and free the session at once */
		if (!s->waits || !rpc_call_is_open(s->call) || strcmp(s->cvm_id, cvm_id) != 0)
			continue;
		s->waits = false;
		uv_close((uv_handle_t *)s->unanswered, timer_closed);
		s->unanswered = NULL;
		if (agent_message_arrival(s, &e) < 0)
			rpc_call_finish(s->call, &e);
	}
}
