/* SPDX-License-Identifier: Apache-2.0 */
/* session_run.c — a manifest on its way from disk to an agent. */
#include "common/base/log.h"
#include "common/base/span.h"
#include "computations/core/session.h"
#include "computations/store/store_queue.h"
#include "computations/store/store_secret.h"

#include <stdio.h>
#include <string.h>

enum {
	CHUNK = 1 << 20,
	WHY_MAX = ERR_TEXT_MAX - 64, /* bytes of why it can't be had */
};

struct sending {
	struct session *session;
	char *computation_id, *cvm_id;
	int64_t attempt;
	uint8_t *bytes;
	size_t len;
	struct err why;
	bool has_failed; /* the computation, for `why` */
};

static void sending_free(struct sending *sending)
{
	if (!sending)
		return;
	free(sending->computation_id);
	free(sending->cvm_id);
	secret_free(sending->bytes, sending->len);
	free(sending);
}

/* What can't be read now never will be, so it has failed, and its CVM is free. */
static int fail(struct store *store, struct sending *sending, struct err *e)
{
	char text[ERR_TEXT_MAX];
	const struct run_answer answer = {
		.error = text, .notice = "", .attempt = sending->attempt, .is_ours = true
	};

	snprintf(text, sizeof(text), "its manifest can't be sent: %.*s", WHY_MAX,
		 sending->why.text);
	sending->has_failed = true;
	return store_run_answer(store, sending->cvm_id, sending->computation_id, &answer, e);
}

static int load(struct store *store, void *data, struct err *e)
{
	struct sending *sending = data;

	if (store_attempt(store, sending->computation_id, &sending->attempt, e) < 0)
		return err_code(e);
	if (store_secret_send(store, sending->computation_id, &sending->bytes, &sending->len,
			      &sending->why) == 0)
		return 0;
	if (sending->why.code == ERR_PRECONDITION || sending->why.code == ERR_DATA_LOSS)
		return fail(store, sending, e);
	*e = sending->why;
	return err_code(e);
}

static void say_chunk(struct session *s, const char *id, int64_t attempt, struct span bytes)
{
	Cvms__ServerStreamMessage message = CVMS__SERVER_STREAM_MESSAGE__INIT;
	Cvms__RunReqChunks chunk = CVMS__RUN_REQ_CHUNKS__INIT;

	chunk.id = (char *)(uintptr_t)id;
	chunk.data.data = (uint8_t *)(uintptr_t)bytes.bytes;
	chunk.data.len = bytes.len;
	chunk.is_last = !bytes.len;
	chunk.attempt = (uint64_t)attempt;
	message.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_RUN_REQ_CHUNKS;
	message.runreqchunks = &chunk;
	session_say(s, &message);
}

static void say(struct session *s, const struct sending *sending)
{
	for (size_t at = 0; at < sending->len; at += CHUNK) {
		size_t len = sending->len - at < CHUNK ? sending->len - at : CHUNK;

		say_chunk(s, sending->computation_id, sending->attempt,
			  (struct span){ sending->bytes + at, len });
	}
	say_chunk(s, sending->computation_id, sending->attempt, (struct span){ NULL, 0 });
	s->attempt = sending->attempt;
	if (s->call)
		rpc_call_is_about(s->call, LOG_COMPUTATION, sending->computation_id);
	log_info("CVM %s: manifest of computation %s sent", log_quote(s->cvm_id).text,
		 log_quote(sending->computation_id).text);
}

static void loaded(void *data, const struct err *e)
{
	struct sending *sending = data;
	struct session *s = sending->session;

	if (e || sending->has_failed)
		log_error("CVM %s: manifest of %s: %s", log_quote(s->cvm_id).text,
			  log_quote(sending->computation_id).text, e ? e->text : sending->why.text);
	else
		say(s, sending);
	if (e && e->code != ERR_NOT_FOUND) { /* not found: it was removed */
		session_again(s, e);
	} else if (!e && sending->has_failed) {
		session_refused(s, sending->computation_id, 0);
		logs_wake(s->service, sending->computation_id, "");
	}
	sending_free(sending);
	session_unref(s);
}

void session_run(struct session *s, const char *computation_id, bool unverified)
{
	struct sending *sending;
	char *sent;
	struct err e;

	log_about_add(LOG_CVM, s->cvm_id);
	log_about_add(LOG_COMPUTATION, computation_id);
	if (s->service->appraisal && !s->verified && !unverified) {
		log_info("CVM %s: computation %s waits until it is verified",
			 log_quote(s->cvm_id).text, log_quote(computation_id).text);
		return;
	}
	/* Once per stream: the agent's answer may cross the first copy on the way. */
	if (s->sent && strcmp(s->sent, computation_id) == 0)
		return;
	sending = calloc(1, sizeof(*sending));
	sent = strdup(computation_id);
	if (!sending || !sent || !(sending->computation_id = strdup(computation_id)) ||
	    !(sending->cvm_id = strdup(s->cvm_id)) ||
	    store_queue_add(s->service->queue, &(struct store_queue_op){ load, loaded, sending },
			    &e) < 0) {
		log_error("CVM %s: out of memory for a manifest", log_quote(s->cvm_id).text);
		sending_free(sending);
		free(sent);
		return;
	}
	sending->session = s;
	session_ref(s);
	free(s->sent);
	s->sent = sent;
	s->attempt = 0;
}
