/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor.h"

#include "cli/base/text.h"
#include "cli/executor/executor_signal.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#include <poll.h>
#include <string.h>
#include <openssl/crypto.h>

enum { WAIT_SECONDS = 20, PAUSE_SECONDS = 1 };

void executor_done(struct executor *x)
{
	client_close(&x->client);
	executor_rules_done(&x->rules);
	executor_ran_done(&x->ran);
	OPENSSL_cleanse(x->secret, sizeof(x->secret));
}

int executor_ask(struct executor *x, const struct rpc_method *method,
		 const ProtobufCMessage *request, ProtobufCMessage **response, struct err *e)
{
	if (!x->client.loop && client_open(&x->client, CLIENT_COMPUTATIONS, NULL, x->cli, e) < 0)
		return err_code(e);
	if (client_call(&x->client, method, request, response, e) == 0) {
		if (x->back_off)
			fprintf(stderr, "the computation service answers again\n");
		x->back_off = 0;
		return 0;
	}
	if (e->code == ERR_UNAVAILABLE || e->code == ERR_DEADLINE) {
		client_close(&x->client);
		x->cli->hint[0] = '\0';
	}
	return err_code(e);
}

bool executor_rests(struct executor *x, const struct err *e)
{
	struct timespec rest;

	if (e->code != ERR_UNAVAILABLE && e->code != ERR_DEADLINE && e->code != ERR_EXHAUSTED &&
	    e->code != ERR_ABORTED)
		return false;
	if (!x->back_off)
		fprintf(stderr, "the computation service: %s; asking again until it answers\n",
			text_plain(e->text).text);
	x->cli->hint[0] = '\0';
	x->back_off = x->back_off ? 2 * x->back_off : 1;
	if (x->back_off > EXECUTOR_BACK_OFF_MAX)
		x->back_off = EXECUTOR_BACK_OFF_MAX;
	rest = (struct timespec){ .tv_sec = x->back_off };
	(void)ppoll(NULL, 0, &rest, executor_signal_mask());
	return true;
}

/* ---- who it is ---- */

static int take_secret(struct executor *x, const Workflows__RegisteredExecutor *said, struct err *e)
{
	static const char label[] = EXECUTOR_SECRET_LABEL;
	const struct hpke_about about = { .info = label, .info_len = sizeof(label) };

	if (said->enc.len != HPKE_KEY_LEN || said->sealed.len != sizeof(x->secret) + HPKE_TAG_LEN)
		return err_set(e, ERR_INVALID,
			       "the service's answer has no secret for this executor");
	if (hpke_open(&x->rules.key, NULL, &about, said->enc.data, said->sealed.data,
		      said->sealed.len, x->secret, e) < 0)
		return err_wrap(e, "the secret for this executor");
	x->number = said->number;
	return 0;
}

static int enter(struct executor *x, struct err *e)
{
	Workflows__RegisterExecutorRequest request = WORKFLOWS__REGISTER_EXECUTOR_REQUEST__INIT;
	const Workflows__RegisteredExecutor *said;
	ProtobufCMessage *response;
	int failed;

	request.workspace = (char *)(uintptr_t)(x->workspace ? x->workspace : "");
	request.type = (char *)(uintptr_t)x->rules.type;
	request.key = (ProtobufCBinaryData){ HPKE_KEY_LEN, x->rules.key.public };
	if (executor_ask(x, &workflow_register_executor, &request.base, &response, e) < 0)
		return err_code(e);
	said = (const Workflows__RegisteredExecutor *)response;
	failed = take_secret(x, said, e);
	if (!failed)
		fprintf(stderr, "executor %llu of type %s in workspace %s waits for nodes\n",
			(unsigned long long)said->number, x->rules.type,
			text_plain(said->workspace).text);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed;
}

/* ---- its work ---- */

static int ask_node(struct executor *x, Workflows__TakenNode **taken, struct err *e)
{
	Workflows__TakeNodeRequest request = WORKFLOWS__TAKE_NODE_REQUEST__INIT;
	ProtobufCMessage *response;

	request.executor = x->number;
	request.secret = (ProtobufCBinaryData){ sizeof(x->secret), x->secret };
	request.wait_seconds = WAIT_SECONDS;
	if (x->client.loop && x->client.timeout_ms < 2000U * WAIT_SECONDS)
		request.wait_seconds = x->client.timeout_ms / 2000;
	if (executor_ask(x, &workflow_take_node, &request.base, &response, e) < 0)
		return err_code(e);
	*taken = (Workflows__TakenNode *)response;
	return 0;
}

/* Of outputs that are on their way into CVMs: with --once they are waited for. */
static enum cli_exit end_gifts(struct executor *x, enum cli_exit status)
{
	const struct timespec rest = { .tv_nsec = 100000000 };
	bool failed = false;
	size_t left;

	while ((left = executor_give_reap(x, &failed)) && x->once && !executor_signal_come()) {
		executor_give_ask(x);
		(void)ppoll(NULL, 0, &rest, executor_signal_mask());
	}
	if (left)
		fprintf(stderr, "%zu outputs were not handed over to CVMs yet: they are not, now\n",
			left);
	if (executor_signal_come())
		return (enum cli_exit)(128 + executor_signal_come());
	return failed && x->once && status == CLI_OK ? CLI_FAILED : status;
}

static enum cli_exit say_end(struct executor *x, struct err *e)
{
	if (e->code == ERR_UNAUTHENTICATED && x->number)
		cli_hint(x->cli,
			 "it was removed, or another executor runs with this key, or the token "
			 "has ended: one key is for one executor");
	computation_hint(&x->client, e);
	return CLI_FAILED;
}

/* Who answers at once, time and again, and gives nothing does not keep us busy. */
static void pause_after(int64_t began)
{
	const struct timespec pause = { .tv_sec = PAUSE_SECONDS };

	if (clock_ms(CLOCK_MONOTONIC) - began < (int64_t)PAUSE_SECONDS * 1000)
		(void)ppoll(NULL, 0, &pause, executor_signal_mask());
}

/* One node, or none: then `*status` stays. False: this is the end, with that status. */
static bool work_once(struct executor *x, enum cli_exit *status, struct err *e)
{
	const int64_t began = clock_ms(CLOCK_MONOTONIC);
	Workflows__TakenNode *taken = NULL;
	enum executor_outcome outcome;
	bool ignored = false;
	int failed;

	executor_give_ask(x);
	(void)executor_give_reap(x, &ignored);
	executor_signal_idle(true);
	failed = x->number ? ask_node(x, &taken, e) : enter(x, e);
	if (failed && executor_rests(x, e))
		failed = 0;
	executor_signal_idle(false);
	if (failed) {
		*status = say_end(x, e);
		return false;
	}
	if (!taken)
		return true;
	outcome = EXECUTOR_LOST;
	if (taken->is_there)
		outcome = executor_take(x, taken, e);
	if (outcome == EXECUTOR_LOST)
		pause_after(began);
	failed = taken->is_there && x->once && outcome != EXECUTOR_LOST;
	workflows__taken_node__free_unpacked(taken, NULL);
	if (executor_signal_come())
		*status = (enum cli_exit)(128 + executor_signal_come());
	else if (outcome == EXECUTOR_BROKEN)
		*status = say_end(x, e);
	else if (failed)
		*status = outcome == EXECUTOR_DONE ? CLI_OK : CLI_FAILED;
	else
		return true;
	if (outcome != EXECUTOR_BROKEN)
		e->text[0] = '\0'; /* it was said */
	return false;
}

enum cli_exit executor_work(struct executor *x, struct err *e)
{
	enum cli_exit status = CLI_OK;

	executor_signal_open();
	while (work_once(x, &status, e))
		;
	return end_gifts(x, status);
}
