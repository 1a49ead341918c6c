/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/evidence/evidence.h"

#include "agent/evidence/evidence_token.h"
#include "agent/keeper/keeper_budget.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum kind { KIND_CHANNEL, KIND_NONCE, KIND_IMA, KIND_ENDORSEMENT, KIND_ACTIVATE };

struct evidence_request {
	TAILQ_ENTRY(evidence_request) link;
	struct evidence *evidence;
	enum kind kind;
	enum keeper_use use;
	struct rpc_source source;
	uint64_t deadline; /* of the loop's clock */
	bool has_to_leave; /* gave way to another; told from the loop */
	union {
		evidence_done_fn *token;
		keeper_parts_fn *parts;
	} done;
	void *data;

	enum digest_kind hash;
	uint8_t exporter[BINDING_EXPORTER_LEN];
	struct binding_nonce nonce; /* of the bytes below */
	uint8_t tee[BINDING_TEE_NONCE_MAX], vtpm[BINDING_VTPM_NONCE_MAX];
	uint8_t *blob, *secret;
	size_t blob_len, secret_len;
};

/* Closed with its timer. */
struct evidence {
	uv_loop_t *loop;
	struct keeper *keeper;
	EVP_PKEY *own, *identity; /* made at boot, and the one that signs now */
	uv_timer_t timer;
	TAILQ_HEAD(, evidence_request) queue; /* oldest first, the one at the keeper too */
	size_t waiting[KEEPER_USES], leaving;
	struct keeper_budget budget; /* what the keeper was asked for */
	bool busy; /* the keeper is at work, for `current` or for one that has gone */
	struct evidence_request *current;

	struct evidence_run run;
	uint8_t *statement, *run_evidence;
};

static void go_on(struct evidence *evidence);

static void request_free(struct evidence_request *request)
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
	return request->kind == KIND_CHANNEL || request->kind == KIND_NONCE;
}

static void fail(struct evidence_request *request, const struct err *e)
{
	unlink_request(request);
	if (wants_token(request))
		request->done.token(request->data, NULL, 0, e);
	else
		request->done.parts(request->data, NULL, 0, e);
	request_free(request);
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
			.use = request->kind == KIND_CHANNEL ? EAT_USE_CHANNEL : EAT_USE_NONCE,
			.run = &evidence->run,
			.max = request->kind == KIND_CHANNEL ? EVIDENCE_CHANNEL_MAX : EAT_MAX,
		};

		if (evidence_token_write(&t, evidence->identity, &token, &e) < 0) {
			fail(request, &e);
		} else {
			unlink_request(request);
			request->done.token(request->data, token.bytes, token.len, NULL);
			request_free(request);
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
		request_free(request);
	}
	go_on(evidence);
}

static int ask(struct evidence *evidence, struct evidence_request *r, struct err *e)
{
	struct keeper *keeper = evidence->keeper;

	switch (r->kind) {
	case KIND_CHANNEL:
		return keeper_channel(keeper, r->hash, r->exporter, on_evidence, evidence, e);
	case KIND_NONCE:
		return keeper_nonce(keeper, &r->nonce, on_evidence, evidence, e);
	case KIND_IMA:
		return keeper_ima(keeper, on_parts, evidence, e);
	case KIND_ENDORSEMENT:
		return keeper_endorsement(keeper, on_parts, evidence, e);
	case KIND_ACTIVATE:
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

/* The oldest that the keeper would not refuse as one too many; else NULL, and `*wait` says for how
 * long. */
static struct evidence_request *next_of(struct evidence *evidence, uint64_t now, uint64_t *wait)
{
	struct evidence_request *request;

	*wait = EVIDENCE_DEADLINE_MS;
	TAILQ_FOREACH(request, &evidence->queue, link) {
		if (request->has_to_leave)
			continue;
		int64_t ms = keeper_budget_wait(&evidence->budget, request->use, (int64_t)now);

		if (ms == 0)
			return request;
		*wait = (uint64_t)ms < *wait ? (uint64_t)ms : *wait;
	}
	return NULL;
}

static void go_on(struct evidence *evidence)
{
	uint64_t now = uv_now(evidence->loop), wait = EVIDENCE_DEADLINE_MS;
	struct evidence_request *next;
	struct err e;

	while (!evidence->busy && (next = next_of(evidence, now, &wait))) {
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

static size_t waiting_from(const struct evidence *evidence, enum keeper_use use,
			   const struct rpc_source *source)
{
	const struct evidence_request *request;
	size_t count = 0;

	TAILQ_FOREACH(request, &evidence->queue, link)
		count += request->use == use && !request->has_to_leave &&
			 memcmp(&request->source, source, sizeof(*source)) == 0;
	return count;
}

/* The oldest of the source that has most waiting, if it keeps no fewer than this one will have. What is
 * at the keeper stays: it costs the device nothing more. */
static struct evidence_request *gives_way(const struct evidence *evidence, enum keeper_use use,
					  const struct rpc_source *to)
{
	size_t most = waiting_from(evidence, use, to) + 1;
	struct evidence_request *request, *found = NULL;

	TAILQ_FOREACH(request, &evidence->queue, link) {
		if (request->use != use || request->has_to_leave || request == evidence->current)
			continue;
		size_t count = waiting_from(evidence, use, &request->source);

		if (count > most) {
			most = count;
			found = request;
		}
	}
	return found;
}

/* Told later: in here another's call is under way. */
static int make_place(struct evidence *evidence, enum keeper_use use,
		      const struct rpc_source *source, struct err *e)
{
	static const size_t room[KEEPER_USES] = { [KEEPER_USE_CHANNELS] = EVIDENCE_CHANNELS_MAX,
						  [KEEPER_USE_QUESTIONS] = EVIDENCE_OTHERS_MAX };
	struct evidence_request *leaves;

	if (evidence->waiting[use] < room[use])
		return 0;
	leaves = gives_way(evidence, use, source);
	if (!leaves)
		return too_many(e);
	leaves->has_to_leave = true;
	evidence->leaving++;
	evidence->waiting[use]--;
	uv_timer_start(&evidence->timer, on_timer, 0, 0);
	return 0;
}

static struct evidence_request *request_new(struct evidence *evidence,
					    const struct rpc_source *source, enum kind kind,
					    void *data, struct err *e)
{
	const struct rpc_source from = source ? *source : (struct rpc_source){ 0 };
	const enum keeper_use use =
		kind == KIND_CHANNEL ? KEEPER_USE_CHANNELS : KEEPER_USE_QUESTIONS;
	struct evidence_request *request;

	if (make_place(evidence, use, &from, e) < 0)
		return NULL;
	request = calloc(1, sizeof(*request));
	if (!request) {
		err_nomem(e);
		return NULL;
	}
	request->evidence = evidence;
	request->kind = kind;
	request->use = use;
	request->source = from;
	request->data = data;
	request->deadline = uv_now(evidence->loop) + EVIDENCE_DEADLINE_MS;
	return request;
}

/* Not asked from within the call: a refusal would come before the handle is known. */
static struct evidence_request *enqueue(struct evidence_request *request)
{
	struct evidence *evidence = request->evidence;

	TAILQ_INSERT_TAIL(&evidence->queue, request, link);
	evidence->waiting[request->use]++;
	if (!evidence->busy)
		uv_timer_start(&evidence->timer, on_timer, 0, 0);
	return request;
}

struct evidence_request *evidence_channel(struct evidence *evidence,
					  const struct rpc_source *source, enum digest_kind hash,
					  const uint8_t exporter[BINDING_EXPORTER_LEN],
					  evidence_done_fn *done, void *data, struct err *e)
{
	struct evidence_request *request;

	if (evidence_available(evidence, e) < 0)
		return NULL;
	if (!evidence->run.statement.len) {
		err_set(e, ERR_PRECONDITION, "there is no run to give evidence of");
		return NULL;
	}
	request = request_new(evidence, source, KIND_CHANNEL, data, e);
	if (!request)
		return NULL;
	request->done.token = done;
	request->hash = hash;
	memcpy(request->exporter, exporter, sizeof(request->exporter));
	return enqueue(request);
}

static int check_nonce(const struct binding_nonce *nonce, struct err *e)
{
	enum { LEN_MIN = 16 };

	if (nonce->tee_len > BINDING_TEE_NONCE_MAX || nonce->vtpm_len > BINDING_VTPM_NONCE_MAX ||
	    (nonce->tee_len < LEN_MIN && nonce->vtpm_len < LEN_MIN))
		return err_set(e, ERR_INVALID,
			       "nonces of %zu and %zu bytes: at most %d for the TEE and %d for the "
			       "TPM, and one of at least %d",
			       nonce->tee_len, nonce->vtpm_len, BINDING_TEE_NONCE_MAX,
			       BINDING_VTPM_NONCE_MAX, LEN_MIN);
	return 0;
}

struct evidence_request *evidence_nonce(struct evidence *evidence, const struct rpc_source *source,
					const struct binding_nonce *nonce, evidence_done_fn *done,
					void *data, struct err *e)
{
	struct evidence_request *request;

	if (check_nonce(nonce, e) < 0 || evidence_available(evidence, e) < 0)
		return NULL;
	request = request_new(evidence, source, KIND_NONCE, data, e);
	if (!request)
		return NULL;
	request->done.token = done;
	request->nonce = *nonce;
	if (nonce->tee_len)
		memcpy(request->tee, nonce->tee, nonce->tee_len);
	if (nonce->vtpm_len)
		memcpy(request->vtpm, nonce->vtpm, nonce->vtpm_len);
	request->nonce.tee = request->tee;
	request->nonce.vtpm = request->vtpm;
	return enqueue(request);
}

/* Asked in vain a device would still be counted as asked, at everybody's expense. */
static struct evidence_request *tpm_request(struct evidence *evidence,
					    const struct rpc_source *source, enum kind kind,
					    void *data, struct err *e)
{
	if (keeper_facts(evidence->keeper)->platform != EVIDENCE_NONE)
		return request_new(evidence, source, kind, data, e);
	err_set(e, ERR_UNAVAILABLE, "this machine has no TPM");
	return NULL;
}

struct evidence_request *evidence_ima(struct evidence *evidence, const struct rpc_source *source,
				      keeper_parts_fn *done, void *data, struct err *e)
{
	struct evidence_request *request = tpm_request(evidence, source, KIND_IMA, data, e);

	if (!request)
		return NULL;
	request->done.parts = done;
	return enqueue(request);
}

struct evidence_request *evidence_endorsement(struct evidence *evidence,
					      const struct rpc_source *source,
					      keeper_parts_fn *done, void *data, struct err *e)
{
	struct evidence_request *request = tpm_request(evidence, source, KIND_ENDORSEMENT, data, e);

	if (!request)
		return NULL;
	request->done.parts = done;
	return enqueue(request);
}

static uint8_t *copy_of(struct span s)
{
	uint8_t *copy = malloc(s.len ? s.len : 1);

	if (copy && s.len)
		memcpy(copy, s.bytes, s.len);
	return copy;
}

struct evidence_request *evidence_activate(struct evidence *evidence,
					   const struct rpc_source *source, struct span blob,
					   struct span secret, keeper_parts_fn *done, void *data,
					   struct err *e)
{
	struct evidence_request *request = tpm_request(evidence, source, KIND_ACTIVATE, data, e);

	if (!request)
		return NULL;
	request->done.parts = done;
	request->blob = copy_of(blob);
	request->secret = copy_of(secret);
	request->blob_len = blob.len;
	request->secret_len = secret.len;
	if (request->blob && request->secret)
		return enqueue(request);
	request_free(request);
	err_nomem(e);
	return NULL;
}

void evidence_cancel(struct evidence_request *request)
{
	if (!request)
		return;
	unlink_request(request);
	request_free(request);
}

int evidence_available(const struct evidence *evidence, struct err *e)
{
	if (keeper_facts(evidence->keeper)->platform != EVIDENCE_NONE)
		return 0;
	return err_set(e, ERR_UNAVAILABLE,
		       "this agent has neither a TEE nor a TPM (platform NoCC), so there is no "
		       "evidence and no attested TLS; run it in a confidential VM, or name devices "
		       "with --tsm or --tcti");
}

/* ---- its life ---- */

int evidence_new(uv_loop_t *loop, struct keeper *keeper, EVP_PKEY *identity, struct evidence **out,
		 struct err *e)
{
	struct evidence *evidence = calloc(1, sizeof(*evidence));

	if (!evidence)
		return err_nomem(e);
	evidence->loop = loop;
	evidence->keeper = keeper;
	evidence->own = evidence->identity = identity;
	TAILQ_INIT(&evidence->queue);
	uv_timer_init(loop, &evidence->timer);
	evidence->timer.data = evidence;
	*out = evidence;
	return 0;
}

static void forget_run(struct evidence *evidence)
{
	free(TAKE_PTR(evidence->statement));
	free(TAKE_PTR(evidence->run_evidence));
	evidence->run = (struct evidence_run){ 0 };
	evidence->identity = evidence->own;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void evidence_free(struct evidence *evidence)
{
	struct evidence_request *request;

	if (!evidence)
		return;
	while ((request = TAILQ_FIRST(&evidence->queue)))
		evidence_cancel(request);
	forget_run(evidence);
	uv_close((uv_handle_t *)&evidence->timer, on_closed);
}

void evidence_set_run(struct evidence *evidence, EVP_PKEY *identity, uint8_t *statement, size_t len,
		      const struct keeper_evidence *run)
{
	forget_run(evidence);
	evidence->identity = identity;
	evidence->statement = statement;
	evidence->run_evidence = copy_of(run->raw);
	if (!evidence->run_evidence)
		return; /* no statement, then: channels are refused */
	evidence->run.statement = (struct span){ statement, len };
	evidence->run.evidence = (struct span){ evidence->run_evidence, run->raw.len };
}

void evidence_reset(struct evidence *evidence)
{
	struct evidence_request *request;
	struct err e;

	err_set(&e, ERR_ABORTED, "the computation that evidence was asked of has ended");
	while ((request = TAILQ_FIRST(&evidence->queue)))
		fail(request, &e);
	forget_run(evidence);
}
