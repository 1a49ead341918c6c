/* SPDX-License-Identifier: Apache-2.0 */
/* executor_take.c — one node, from what the service says of it to its output or failure. */
#include "cli/base/text.h"
#include "cli/executor/executor.h"
#include "cli/executor/executor_program.h"
#include "cli/executor/executor_signal.h"
#include "common/base/clock.h"
#include "common/base/encode.h"

#include <string.h>
#include <openssl/crypto.h>

enum { RENEW_TIMEOUT_MS = 10000, RENEW_MIN_S = 1, RENEW_MAX_S = 60, PAUSE_AFTER_REFUSAL_S = 1 };
enum {
	NO_ROOM_TRIES = 5
}; /* with rests between them: a quarter of a minute, which is within a lease */

static ProtobufCBinaryData secret_of(struct executor *x)
{
	return (ProtobufCBinaryData){ sizeof(x->secret), x->secret };
}

static void tell(const Workflows__TakenNode *taken, const char *name, const char *what)
{
	fprintf(stderr, "workflow %.16s node %s attempt %u: %s\n", text_plain(taken->id).text, name,
		taken->attempt, text_plain(what).text);
}

/* ---- what becomes of it ---- */

/* Nothing else would be said of that output. That there is no room may pass: the service says so of strangers' calls and of its
 * own log as well. */
static bool is_refused(const Workflows__FinishNodeRequest *request, const struct err *e, int tries)
{
	return request->sealed.len &&
	       (e->code == ERR_INVALID || (e->code == ERR_EXHAUSTED && tries >= NO_ROOM_TRIES));
}

/* Told until it is known there. EXECUTOR_LOST: it was not ours any more; EXECUTOR_FAILED: that output is not taken. */
static enum executor_outcome finish(struct executor *x, const Workflows__TakenNode *taken,
				    Workflows__FinishNodeRequest *request, struct err *e)
{
	ProtobufCMessage *response;
	int tries = 0;

	request->executor = x->number;
	request->secret = secret_of(x);
	request->id = taken->id;
	request->number = taken->number;
	request->attempt = taken->attempt;
	while (executor_ask(x, &workflow_finish_node, &request->base, &response, e) < 0) {
		if (e->code == ERR_PRECONDITION || e->code == ERR_NOT_FOUND)
			return EXECUTOR_LOST;
		tries += e->code == ERR_EXHAUSTED;
		if (is_refused(request, e, tries))
			return EXECUTOR_FAILED;
		if (!executor_rests(x, e))
			return EXECUTOR_BROKEN;
		if (executor_signal_come())
			return EXECUTOR_LOST; /* its lease ends, and it is given out again */
	}
	protobuf_c_message_free_unpacked(response, NULL);
	return EXECUTOR_DONE;
}

static enum executor_outcome say_failure(struct executor *x, const Workflows__TakenNode *taken,
					 const char *name, const char *words, bool is_final,
					 struct err *e)
{
	Workflows__FinishNodeRequest request = WORKFLOWS__FINISH_NODE_REQUEST__INIT;
	char line[ERR_TEXT_MAX];
	enum executor_outcome told;

	snprintf(line, sizeof(line), "%s", words);
	tell(taken, name, line);
	request.failure = line;
	request.is_final = is_final;
	told = finish(x, taken, &request, e);
	return told == EXECUTOR_DONE ? EXECUTOR_FAILED : told;
}

/* What is wrong here is for who runs this; the submitter is told no paths. */
static enum executor_outcome say_own_failure(struct executor *x, const Workflows__TakenNode *taken,
					     const char *name, const char *words, struct err *e)
{
	tell(taken, name, e->text);
	return say_failure(x, taken, name, words, false, e);
}

static enum executor_outcome say_bytes(struct executor *x, const Workflows__TakenNode *taken,
				       const struct executor_node *node, const void *bytes,
				       size_t bytes_len, struct err *e)
{
	Workflows__FinishNodeRequest request = WORKFLOWS__FINISH_NODE_REQUEST__INIT;
	CLEANUP(free) uint8_t *sealed = NULL;
	enum executor_outcome told;
	char text[64];
	size_t len, place;

	if (workflow_output_seal(&node->order, &node->place, &x->rules.key, bytes, bytes_len,
				 &sealed, &len, e) < 0)
		return say_failure(x, taken, node->node->name, e->text, false, e);
	request.sealed = (ProtobufCBinaryData){ len, sealed };
	told = finish(x, taken, &request, e);
	if (told == EXECUTOR_FAILED)
		return say_failure(x, taken, node->node->name, e->text, e->code == ERR_INVALID, e);
	if (workflow_cvm_after(&node->order.spec, node->place.node, &place))
		snprintf(text, sizeof(text), "done, the digest of its output handed on");
	else
		snprintf(text, sizeof(text), "done, %zu bytes handed on", bytes_len);
	if (told == EXECUTOR_DONE)
		tell(taken, node->node->name, text);
	return told;
}

/* Where it goes into a CVM, its digest is handed on, and what is over that digest to the agent there. */
static enum executor_outcome say_output(struct executor *x, const Workflows__TakenNode *taken,
					const struct executor_node *node,
					const struct executor_run *run, struct err *e)
{
	struct executor_input input CLEANUP_EXECUTOR_INPUT = { .bytes = NULL };
	enum executor_outcome told;
	size_t place;

	if (!workflow_cvm_after(&node->order.spec, node->place.node, &place))
		return say_bytes(x, taken, node, run->bytes, run->len, e);
	if (executor_input_make(run->bytes, run->len, &input, e) < 0)
		return say_own_failure(x, taken, node->node->name,
				       "its executor has no room for its output", e);
	told = say_bytes(x, taken, node, input.digest, sizeof(input.digest), e);
	if (told != EXECUTOR_DONE || executor_give(x, node, &input, e) == 0)
		return told;
	tell(taken, node->node->name, e->text);
	return EXECUTOR_FAILED;
}

/* ---- inputs ---- */

static int fetch_input(struct executor *x, const Workflows__TakenNode *taken,
		       const struct executor_node *node, uint32_t dependency,
		       const struct executor_folder *folder, bool *no_room, struct err *e)
{
	Workflows__NodeInputRequest request = WORKFLOWS__NODE_INPUT_REQUEST__INIT;
	const char *name = node->order.spec.nodes[dependency].name;
	ProtobufCMessage *response;
	uint8_t *bytes = NULL;
	size_t len = 0;
	int failed;

	request.executor = x->number;
	request.secret = secret_of(x);
	request.id = taken->id;
	request.number = taken->number;
	request.attempt = taken->attempt;
	request.dependency = dependency;
	if (executor_ask(x, &workflow_get_node_input, &request.base, &response, e) < 0)
		return err_code(e);
	failed = executor_node_input(node, &x->rules.key, dependency,
				     (const Workflows__Output *)response, &bytes, &len, e);
	protobuf_c_message_free_unpacked(response, NULL);
	if (failed) {
		e->code =
			ERR_DENIED; /* whatever it was: it is the service's word against the order */
		return err_code(e);
	}
	/* Of a node in a CVM it is what who started that has printed, and no result: that comes from the agent. */
	if (!workflow_cvm_is(&node->order.spec.nodes[dependency]))
		failed = executor_folder_put(folder, name, bytes, len, e);
	OPENSSL_cleanse(bytes, len);
	free(bytes);
	*no_room = failed; /* ours: asking the service again makes none */
	return failed;
}

static int fetch_inputs(struct executor *x, const Workflows__TakenNode *taken,
			const struct executor_node *node, const struct executor_folder *folder,
			bool *no_room, struct err *e)
{
	for (size_t i = 0; i < node->node->dependencies_count; i++)
		if (fetch_input(x, taken, node, node->node->dependencies[i], folder, no_room, e) <
		    0)
			return err_code(e);
	return 0;
}

/* ---- the run ---- */

/* 0: it goes on; 1: it is not ours any more. What may pass is left to the next time. */
static int renew(struct executor *x, const Workflows__TakenNode *taken, uint32_t *lease,
		 struct err *e)
{
	Workflows__RenewNodeRequest request = WORKFLOWS__RENEW_NODE_REQUEST__INIT;
	ProtobufCMessage *response;
	unsigned was;
	int failed;

	request.executor = x->number;
	request.secret = secret_of(x);
	request.id = taken->id;
	request.number = taken->number;
	request.attempt = taken->attempt;
	if (!x->client.loop && client_open(&x->client, CLIENT_COMPUTATIONS, NULL, x->cli, e) < 0)
		return 0;
	was = x->client.timeout_ms;
	if (was > RENEW_TIMEOUT_MS)
		x->client.timeout_ms = RENEW_TIMEOUT_MS;
	failed = executor_ask(x, &workflow_renew_node, &request.base, &response, e);
	if (x->client.loop)
		x->client.timeout_ms = was;
	if (!failed) {
		*lease = ((const Workflows__RenewedNode *)response)->lease_seconds;
		protobuf_c_message_free_unpacked(response, NULL);
		return 0;
	}
	x->cli->hint[0] = '\0';
	return e->code == ERR_PRECONDITION || e->code == ERR_NOT_FOUND ||
	       e->code == ERR_UNAUTHENTICATED || e->code == ERR_DENIED;
}

static int64_t next_renewal(uint32_t lease)
{
	uint32_t s = lease / 3;

	s = s < RENEW_MIN_S ? RENEW_MIN_S : s > RENEW_MAX_S ? RENEW_MAX_S : s;
	return clock_ms(CLOCK_MONOTONIC) + 1000 * (int64_t)s;
}

/* 1: `*end` and `*status` say how it ended; 0: it is not ours any more, and was ended. */
static int watch(struct executor *x, const Workflows__TakenNode *taken, struct executor_run *run,
		 enum executor_end *end, int *status, struct err *e)
{
	uint32_t lease = taken->lease_seconds;
	int64_t renewal = next_renewal(lease);
	bool is_lost = false, is_told = false;

	for (;;) {
		int64_t left = renewal - clock_ms(CLOCK_MONOTONIC);
		int got = executor_run_wait(run, left > 0 ? (int)left : 0, executor_signal_mask(),
					    end, status, e);

		if (got < 0)
			return got;
		if (got > 0)
			return is_lost ? 0 : 1;
		if ((executor_signal_come() || is_lost) && !is_told) {
			executor_run_stop(run);
			is_told = true;
		}
		if (is_told || left > 0) {
			if (is_told)
				renewal = next_renewal(lease);
			continue;
		}
		is_lost = renew(x, taken, &lease, e) != 0;
		executor_give_ask(x);
		renewal = is_lost ? 0 : next_renewal(lease);
	}
}

/* EXECUTOR_DONE: it has ended well. `unwell`: what the submitter is told where it says so itself that it has not; NULL: its status. */
static enum executor_outcome run_to_end(struct executor *x, const Workflows__TakenNode *taken,
					const struct executor_node *node,
					const struct executor_program *program, const char *unwell,
					struct executor_run *run, struct err *e)
{
	const char *words;
	enum executor_end end;
	int status, got;
	char text[64];

	if (executor_run_start(program, run, e) < 0)
		return say_failure(x, taken, node->node->name, "its program can't be started",
				   false, e);
	tell(taken, node->node->name, program->path);
	got = watch(x, taken, run, &end, &status, e);
	if (got < 0)
		return say_failure(x, taken, node->node->name, e->text, false, e);
	if (got == 0)
		return EXECUTOR_LOST;
	if (end == EXECUTOR_NO_START)
		fprintf(stderr, "%s: %s\n", program->path, strerror(status));
	words = executor_end_words(end, status, text, sizeof(text));
	if (words && end == EXECUTOR_EXITED && unwell)
		words = unwell;
	if (words)
		return say_failure(x, taken, node->node->name, words, end == EXECUTOR_LARGE, e);
	return EXECUTOR_DONE;
}

/* Within the node's time, of which its program has the rest. */
static enum executor_outcome fetch_results(struct executor *x, const Workflows__TakenNode *taken,
					   struct executor_node *node,
					   const struct executor_folder *folder, struct err *e)
{
	struct executor_run run CLEANUP_EXECUTOR_RUN = { .output = -1, .report = -1 };
	struct executor_fetch fetch = { x, node, folder };
	const struct executor_program program = {
		.call = executor_fetch_run,
		.data = &fetch,
		.path = "fetches what a CVM has computed",
		.seconds = node->seconds,
		.output_max = WORKFLOW_OUTPUT_MAX, /* it has none */
	};
	const int64_t began = clock_ms(CLOCK_MONOTONIC);
	enum executor_outcome outcome;
	uint64_t took;

	outcome = run_to_end(x, taken, node, &program, "its executor can't have results of a CVM",
			     &run, e);
	took = (uint64_t)(clock_ms(CLOCK_MONOTONIC) - began) / 1000;
	node->seconds = took < node->seconds ? node->seconds - took : 1;
	return outcome;
}

static enum executor_outcome run_program(struct executor *x, const Workflows__TakenNode *taken,
					 const struct executor_node *node,
					 const struct executor_folder *folder, struct err *e)
{
	struct executor_run run CLEANUP_EXECUTOR_RUN = { .output = -1, .report = -1 };
	struct executor_call call CLEANUP_EXECUTOR_CALL = { .count = 0 };
	enum executor_outcome outcome;

	if (executor_call_make(node, folder, &call, e) < 0)
		return say_failure(x, taken, node->node->name, "its program can't be started",
				   false, e);
	outcome = run_to_end(x, taken, node, &call.program, NULL, &run, e);
	return outcome == EXECUTOR_DONE ? say_output(x, taken, node, &run, e) : outcome;
}

/* ---- the whole ---- */

/* What the service shows is not what the submitter ordered, or not what this executor runs. */
static enum executor_outcome refuse(struct executor *x, const Workflows__TakenNode *taken,
				    const char *name, bool is_final, struct err *e)
{
	const struct timespec pause = { .tv_sec = PAUSE_AFTER_REFUSAL_S };
	char words[ERR_TEXT_MAX];
	enum executor_outcome told;

	snprintf(words, sizeof(words), "refused: %.480s", e->text);
	told = say_failure(x, taken, name, words, is_final, e);
	if (!x->once)
		nanosleep(&pause, NULL); /* who shows it again and again does not keep us busy */
	return told;
}

static enum executor_outcome run_node(struct executor *x, const Workflows__TakenNode *taken,
				      struct executor_node *node, struct err *e)
{
	struct executor_folder folder CLEANUP_EXECUTOR_FOLDER = { .path = NULL };
	const char *name = node->node->name;
	enum executor_outcome outcome = EXECUTOR_DONE;
	bool no_room = false;
	size_t place;

	if (executor_ran_check(&x->ran, &node->place, node->order.expires, e) < 0)
		return refuse(x, taken, name, false, e);
	if (workflow_cvm_after(&node->order.spec, node->place.node, &place) &&
	    !executor_give_room(x))
		return say_failure(x, taken, name, "its executor waits for too many CVMs", false,
				   e);
	if (executor_folder_make(x->within, node, &folder, e) < 0)
		return say_own_failure(x, taken, name, "its executor has no room for it", e);
	if (fetch_inputs(x, taken, node, &folder, &no_room, e) < 0) {
		if (no_room)
			return say_own_failure(x, taken, name,
					       "its executor has no room for its inputs", e);
		if (e->code == ERR_DENIED)
			return refuse(x, taken, name, true, e);
		if (e->code == ERR_PRECONDITION || e->code == ERR_NOT_FOUND || executor_rests(x, e))
			return EXECUTOR_LOST; /* nothing is begun: it is given out again */
		return say_own_failure(x, taken, name, "its executor can't have its inputs", e);
	}
	if (workflow_cvm_is(node->node) && executor_cvm_put(&folder, node, &x->rules.key, e) < 0) {
		if (e->code == ERR_DENIED)
			return refuse(x, taken, name, true, e);
		return say_own_failure(x, taken, name, "its executor has no room for it", e);
	}
	if (executor_ran_add(&x->ran, &node->place, node->order.expires, e) < 0) {
		const struct err why = *e;

		if (say_failure(x, taken, name, "its executor can't keep that it is begun", false,
				e) != EXECUTOR_BROKEN)
			*e = why;
		return EXECUTOR_BROKEN;
	}
	/* Once it is kept that it is begun: they come once. */
	if (workflow_cvm_before(&node->order.spec, node->node))
		outcome = fetch_results(x, taken, node, &folder, e);
	return outcome == EXECUTOR_DONE ? run_program(x, taken, node, &folder, e) : outcome;
}

enum executor_outcome executor_take(struct executor *x, const Workflows__TakenNode *taken,
				    struct err *e)
{
	struct executor_node node CLEANUP_EXECUTOR_NODE = { .node = NULL };
	enum executor_outcome outcome;

	if (executor_node_take(taken, &x->rules, clock_ms(CLOCK_REALTIME), &node, e) < 0)
		/* Anything else is this executor's own, and may pass. */
		return refuse(x, taken, "?", e->code == ERR_DENIED || e->code == ERR_INVALID, e);
	outcome = run_node(x, taken, &node, e);
	if (outcome == EXECUTOR_LOST)
		tell(taken, node.node->name,
		     "it is not this executor's any more: nothing was handed on");
	return outcome;
}
