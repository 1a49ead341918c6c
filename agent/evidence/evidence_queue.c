/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/evidence/evidence_queue.h"

#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

static void go_on(struct evidence *evidence);

void evidence_request_free(struct evidence_request *request)
{
	free(request->blob);
	free(request->secret);
	free(request);
}

static void unlink_request(struct evidence_request *request)
{
	struct evidence *evidence = request->evidence;

	TAILQ_REMOVE(&evidence->queue, request, link);
	if (request->has_to_leave)
		evidence->leaving--;
	else
		evidence->waiting[request->use]--;
	if (evidence->current == request)
		evidence->current = NULL;
}

static bool wants_token(const struct evidence_request *request)
{
	return request->kind == EVIDENCE_REQUEST_CHANNEL || request->kind == EVIDENCE_REQUEST_NONCE;
}

static void fail(struct evidence_request *request, const struct err *e)
{
	unlink_request(request);
	if (wants_token(request))
		request->done.token(request->data, NULL, 0, e);
	else
		request->done.parts(request->data, NULL, 0, e);
	evidence_request_free(request);
}

/* ---- the keeper's answers ---- */

/* The request that was asked, or NULL if it is cancelled; the next may start. */
static struct evidence_request *answered(struct evidence *evidence)
{
	evidence->busy = false;
	return evidence->current;
}

static void on_evidence(void *data, const struct keeper_evidence *raw, const struct err *why)
{
	struct evidence *evidence = data;
	struct evidence_request *request = answered(evidence);
	CLEANUP_WRITER struct writer token = writer_up_to(EAT_MAX);
	struct err e;

	if (request && why) {
		fail(request, why);
	} else if (request) {
		const struct evidence_token t = {
			.raw = raw,
			.use = request->kind == EVIDENCE_REQUEST_CHANNEL ? EAT_USE_CHANNEL
									 : EAT_USE_NONCE,
			.run = &evidence->run,
			.max = request->kind == EVIDENCE_REQUEST_CHANNEL ? EVIDENCE_CHANNEL_MAX
									 : EAT_MAX,
		};

		if (evidence_token_write(&t, evidence->identity, &token, &e) < 0) {
			fail(request, &e);
		} else {
			unlink_request(request);
			request->done.token(request->data, token.bytes, token.len, NULL);
			evidence_request_free(request);
		}
	}
	go_on(evidence);
}

static void on_parts(void *data, const struct span *parts, size_t count, const struct err *why)
{
	struct evidence *evidence = data;
	struct evidence_request *request = answered(evidence);

	if (request && why) {
		fail(request, why);
	} else if (request) {
		unlink_request(request);
		request->done.parts(request->data, parts, count, NULL);
		evidence_request_free(request);
	}
	go_on(evidence);
}

static int ask(struct evidence *evidence, struct evidence_request *r, struct err *e)
{
	struct keeper *keeper = evidence->keeper;

	switch (r->kind) {
	case EVIDENCE_REQUEST_CHANNEL:
		return keeper_channel(keeper, r->hash, r->exporter, on_evidence, evidence, e);
	case EVIDENCE_REQUEST_NONCE:
		return keeper_nonce(keeper, &r->nonce, on_evidence, evidence, e);
	case EVIDENCE_REQUEST_IMA:
		return keeper_ima(keeper, on_parts, evidence, e);
	case EVIDENCE_REQUEST_ENDORSEMENT:
		return keeper_endorsement(keeper, on_parts, evidence, e);
	case EVIDENCE_REQUEST_ACTIVATE:
		return keeper_activate(keeper, (struct span){ r->blob, r->blob_len },
				       (struct span){ r->secret, r->secret_len }, on_parts,
				       evidence, e);
	}
	return err_set(e, ERR_INTERNAL, "no such request");
}

/* ---- the queue ---- */

static struct evidence_request *first_that_leaves(const struct evidence *evidence)
{
	struct evidence_request *request;

	TAILQ_FOREACH(request, &evidence->queue, link)
		if (request->has_to_leave)
			return request;
	return NULL;
}

static int too_many(struct err *e)
{
	return err_set(e, ERR_EXHAUSTED, "too many wait for evidence already; try again");
}

/* All have the same patience, so the oldest loses it first. */
static void on_timer(uv_timer_t *timer)
{
	struct evidence *evidence = timer->data;
	uint64_t now = uv_now(evidence->loop);
	struct evidence_request *first;
	struct err e;

	while (evidence->leaving && (first = first_that_leaves(evidence))) {
		(void)!too_many(&e);
		fail(first, &e);
	}
	while ((first = TAILQ_FIRST(&evidence->queue)) && first->deadline <= now) {
		err_set(&e, ERR_DEADLINE, "no evidence within %d s: the device is busy",
			EVIDENCE_DEADLINE_MS / 1000);
		fail(first, &e);
	}
	go_on(evidence);
}

static bool is_before(const struct evidence *evidence, const struct evidence_request *a,
		      const struct evidence_request *b)
{
	if (a->use != b->use)
		return a->use != evidence->served;
	return a->turn < b->turn;
}

/* Whose turn it is, of those that the keeper would not refuse as one too many; else NULL, and `*wait`
 * says for how long. Channels and questions are served by turns. */
static struct evidence_request *next_of(struct evidence *evidence, uint64_t now, uint64_t *wait)
{
	struct evidence_request *request, *next = NULL;

	*wait = EVIDENCE_DEADLINE_MS;
	TAILQ_FOREACH(request, &evidence->queue, link) {
		if (request->has_to_leave)
			continue;
		int64_t ms = keeper_budget_wait(&evidence->budget, request->use, (int64_t)now);

		if (ms > 0)
			*wait = (uint64_t)ms < *wait ? (uint64_t)ms : *wait;
		else if (!next || is_before(evidence, request, next))
			next = request;
	}
	return next;
}

static void go_on(struct evidence *evidence)
{
	uint64_t now = uv_now(evidence->loop), wait = EVIDENCE_DEADLINE_MS;
	struct evidence_request *next;
	struct err e;

	while (!evidence->busy && (next = next_of(evidence, now, &wait))) {
		evidence->served = next->use;
		evidence_turns_served(&evidence->turns[next->use], &next->source, next->turn);
		if (keeper_budget_take(&evidence->budget, next->use, (int64_t)now, &e) < 0 ||
		    ask(evidence, next, &e) < 0) {
			fail(next, &e);
			continue;
		}
		evidence->busy = true;
		evidence->current = next;
	}
	next = TAILQ_FIRST(&evidence->queue);
	if (!next) {
		uv_timer_stop(&evidence->timer);
		return;
	}
	uint64_t left = next->deadline > now && !evidence->leaving ? next->deadline - now : 0;
	uv_timer_start(&evidence->timer, on_timer, evidence->busy || left < wait ? left : wait, 0);
}

static uint64_t turn_of(const struct evidence *evidence, enum keeper_use use,
			const struct rpc_source *source)
{
	const struct evidence_request *request;
	uint64_t behind = 0;

	TAILQ_FOREACH(request, &evidence->queue, link)
		if (request->use == use && !request->has_to_leave &&
		    memcmp(&request->source, source, sizeof(*source)) == 0 &&
		    request->turn >= behind)
			behind = request->turn + 1;
	return evidence_turns_of(&evidence->turns[use], source, behind);
}

/* Whose turn is the last, the youngest of them, if it comes behind this one. What is at the keeper stays:
 * it costs the device nothing more. */
static struct evidence_request *gives_way(const struct evidence *evidence, enum keeper_use use,
					  uint64_t to)
{
	struct evidence_request *request, *found = NULL;

	TAILQ_FOREACH(request, &evidence->queue, link) {
		if (request->use == use && !request->has_to_leave && request != evidence->current &&
		    request->turn > to && (!found || request->turn >= found->turn))
			found = request;
	}
	return found;
}

/* Told later: in here another's call is under way. */
static int make_place(struct evidence *evidence, enum keeper_use use, uint64_t turn, struct err *e)
{
	static const size_t room[KEEPER_USES] = { [KEEPER_USE_CHANNELS] = EVIDENCE_CHANNELS_MAX,
						  [KEEPER_USE_QUESTIONS] = EVIDENCE_OTHERS_MAX };
	struct evidence_request *leaves;

	if (evidence->waiting[use] < room[use])
		return 0;
	leaves = gives_way(evidence, use, turn);
	if (!leaves)
		return too_many(e);
	leaves->has_to_leave = true;
	evidence->leaving++;
	evidence->waiting[use]--;
	uv_timer_start(&evidence->timer, on_timer, 0, 0);
	return 0;
}

struct evidence_request *evidence_request_new(struct evidence *evidence,
					      const struct rpc_source *source,
					      enum evidence_request_kind kind, void *data,
					      struct err *e)
{
	const struct rpc_source from = source ? *source : (struct rpc_source){ 0 };
	const enum keeper_use use =
		kind == EVIDENCE_REQUEST_CHANNEL ? KEEPER_USE_CHANNELS : KEEPER_USE_QUESTIONS;
	const uint64_t turn = turn_of(evidence, use, &from);
	struct evidence_request *request;

	if (make_place(evidence, use, turn, e) < 0)
		return NULL;
	request = calloc(1, sizeof(*request));
	if (!request) {
		err_nomem(e);
		return NULL;
	}
	request->evidence = evidence;
	request->kind = kind;
	request->use = use;
	request->turn = turn;
	request->source = from;
	request->data = data;
	request->deadline = uv_now(evidence->loop) + EVIDENCE_DEADLINE_MS;
	return request;
}

struct evidence_request *evidence_queue_add(struct evidence_request *request)
{
	struct evidence *evidence = request->evidence;

	TAILQ_INSERT_TAIL(&evidence->queue, request, link);
	evidence->waiting[request->use]++;
	if (!evidence->busy)
		uv_timer_start(&evidence->timer, on_timer, 0, 0);
	return request;
}

void evidence_queue_drop(struct evidence_request *request)
{
	unlink_request(request);
	evidence_request_free(request);
}

void evidence_queue_fail(struct evidence *evidence, const struct err *e)
{
	struct evidence_request *request;

	while ((request = TAILQ_FIRST(&evidence->queue)))
		fail(request, e);
}

void evidence_queue_init(struct evidence *evidence)
{
	TAILQ_INIT(&evidence->queue);
	uv_timer_init(evidence->loop, &evidence->timer);
	evidence->timer.data = evidence;
}
