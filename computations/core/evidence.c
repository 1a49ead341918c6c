/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.c — asks a session's agent for evidence and has the answer judged: when it connects, and
 * again, by all of the policy, when it has a manifest. The answer is kept as it came, with the verdict
 * (store_evidence.h).
 */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "computations/core/session.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A verdict on its way to disk, or a manifest's digest from there. */
struct evidence_item {
	struct session *session;
	unsigned question; /* that this is the answer to */
	char *cvm_id, *computation_id;
	struct appraisal_verdict verdict;
	struct computation computation;
	struct evidence_run run;
	struct appraisal_case asked; /* that this is the answer to */
	struct span token;           /* its own */
};

static void evidence_item_free(struct evidence_item *v)
{
	session_unref(v->session);
	computation_done(&v->computation);
	free((void *)(uintptr_t)v->token.bytes);
	free(v->cvm_id);
	free(v->computation_id);
	free(v);
}

static struct evidence_item *evidence_item_new(struct session *s, const char *computation_id)
{
	struct evidence_item *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->session = s;
	v->question = s->asked_number;
	v->asked = s->asked;
	v->run = s->asked_of;
	session_ref(s);
	v->cvm_id = strdup(s->cvm_id);
	v->computation_id = strdup(computation_id);
	if (v->cvm_id && v->computation_id)
		return v;
	evidence_item_free(v);
	return NULL;
}

static void add(struct evidence_item *v, int (*run)(struct store *, void *, struct err *),
		void (*done)(void *, const struct err *))
{
	struct store_queue *queue = v->session->service->queue;
	struct err e;

	if (store_queue_add(queue, &(struct store_queue_op){ .run = run, .done = done, .data = v },
			    &e) < 0) {
		log_error("CVM %s: %s", log_quote(v->cvm_id).text, e.text);
		evidence_item_free(v);
	}
}

/* ---- asking ---- */

int evidence_client(const struct rpc_call *call, char name[APPRAISAL_CLIENT_MAX + 1], struct err *e)
{
	uint8_t bytes[SHA256_LEN];
	size_t len = 0;
	const uint8_t *spki = rpc_call_peer_spki(call, &len);
	const char *peer = rpc_call_peer(call);
	const char *port = strrchr(peer, ':');

	if (!spki) {
		snprintf(name, APPRAISAL_CLIENT_MAX + 1, "%.*s",
			 (int)(port ? port - peer : (ptrdiff_t)strlen(peer)), peer);
		return 0;
	}
	if (digest(DIGEST_SHA256, spki, len, bytes, e) < 0)
		return err_code(e);
	hex_encode(bytes, sizeof(bytes), name);
	return 0;
}

static void ask(struct session *s, const uint8_t *manifest, struct evidence_run run)
{
	Cvms__ServerStreamMessage message = CVMS__SERVER_STREAM_MESSAGE__INIT;
	Cvms__AttestationReq request = CVMS__ATTESTATION_REQ__INIT;
	struct err e;

	s->asked = (struct appraisal_case){ .cvm_id = s->cvm_id, .group = rpc_call_group(s->call) };
	if (evidence_client(s->call, s->asked.client, &e) < 0) {
		log_error("CVM %s: %s", log_quote(s->cvm_id).text, e.text);
		return;
	}
	if (random_bytes(s->asked.nonce, sizeof(s->asked.nonce), &e) < 0) {
		log_error("CVM %s: %s", log_quote(s->cvm_id).text, e.text);
		return;
	}
	s->asked_of = run;
	if (manifest) {
		s->asked.has_manifest = true;
		memcpy(s->asked.manifest, manifest, sizeof(s->asked.manifest));
	}
	request.nonce.data = s->asked.nonce;
	request.nonce.len = sizeof(s->asked.nonce);
	request.type = appraisal_type(s->service->appraisal);
	message.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_ATTESTATION_REQ;
	message.attestationreq = &request;
	s->asked_number = ++s->questions;
	s->unanswered_questions++;
	session_say(s, &message);
}

void evidence_ask(struct session *s)
{
	if (s->service->appraisal)
		ask(s, NULL, (struct evidence_run){ 0 });
}

/* What was proven before this manifest was there says nothing about the run. */
static int load_computation(struct store *store, void *data, struct err *e)
{
	struct evidence_item *v = data;

	if (store_cvm_unproven(store, v->cvm_id, "not verified: evidence of its run is awaited",
			       e) < 0 ||
	    store_evidence_run(store, v->computation_id, &v->run, e) < 0)
		return err_code(e);
	return store_computation(store, v->computation_id, &v->computation, e);
}

static void loaded(void *data, const struct err *e)
{
	struct evidence_item *v = data;

	if (e)
		log_error("CVM %s: %s", log_quote(v->cvm_id).text, e->text);
	if (e && e->code != ERR_NOT_FOUND) /* not found: it was removed */
		session_again(v->session, e);
	else if (!e && v->session->call)
		ask(v->session, v->computation.digest, v->run);
	evidence_item_free(v);
}

void evidence_ask_again(struct session *s, const char *computation_id)
{
	struct evidence_item *v;

	if (!s->service->appraisal)
		return;
	s->verified = false;
	s->questions++; /* makes a verdict that is under way stale */
	v = evidence_item_new(s, computation_id);
	if (v)
		add(v, load_computation, loaded);
}

/* ---- the answer ---- */

/* Something else was asked in the meantime, so this answer does not count any more. */
static bool is_stale(const struct evidence_item *v)
{
	return v->question != v->session->questions;
}

static int keep_verdict(struct store *store, void *data, struct err *e)
{
	struct evidence_item *v = data;
	struct appraisal_files files = appraisal_files(v->session->service->appraisal);
	struct kept_evidence k = { .cvm_id = v->cvm_id,
				   .run = v->run,
				   .verified = v->verdict.verified,
				   .verdict = v->verdict.line,
				   .judged = store_now(),
				   .has_manifest = v->asked.has_manifest,
				   .parts = { [EVIDENCE_TOKEN] = v->token,
					      [EVIDENCE_POLICY] = files.policy,
					      [EVIDENCE_ROOT] = files.root,
					      [EVIDENCE_AK] = files.ak } };

	memcpy(k.nonce, v->asked.nonce, sizeof(k.nonce));
	memcpy(k.manifest, v->asked.manifest, sizeof(k.manifest));
	if (store_cvm_verdict(store, v->cvm_id, v->verdict.verified, v->verdict.line, e) < 0)
		return err_code(e);
	return store_evidence_keep(store, &k, e);
}

static void kept(void *data, const struct err *e)
{
	struct evidence_item *v = data;
	struct session *s = v->session;

	if (e)
		log_error("CVM %s: %s", log_quote(v->cvm_id).text, e->text);
	if (!is_stale(v))
		s->verified = !e && v->verdict.verified;
	if (e && !is_stale(v))
		session_again(s, e);
	/* A manifest may have waited for this: the agent's state says whether it still needs it. */
	if (s->verified && s->call)
		session_ask_state(s);
	evidence_item_free(v);
}

static void judged(void *data, const struct appraisal_verdict *verdict)
{
	struct evidence_item *v = data;

	v->verdict = *verdict;
	log_line(verdict->verified ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "CVM %s: %s",
		 log_quote(v->cvm_id).text, log_quote(verdict->line).text);
	/* If the session is over, another one may have taken its place. */
	if (v->session->call && rpc_call_is_open(v->session->call) && !is_stale(v))
		add(v, keep_verdict, kept);
	else
		evidence_item_free(v);
}

/* One that is larger than what is kept is judged all the same. */
static bool copy_token(struct evidence_item *v, ProtobufCBinaryData file)
{
	uint8_t *copy = file.len <= EVIDENCE_KEPT_MAX ? malloc(file.len) : NULL;

	if (copy) {
		memcpy(copy, file.data, file.len);
		v->token = (struct span){ copy, file.len };
	} else if (file.len > EVIDENCE_KEPT_MAX) {
		log_warn("CVM %s: evidence of %zu bytes is not kept: %d at most are",
			 log_quote(v->cvm_id).text, file.len, EVIDENCE_KEPT_MAX);
		return true;
	}
	return copy;
}

void evidence_answered(struct session *s, const Cvms__AttestationResponse *answer)
{
	struct appraisal_verdict refused = { .verified = false };
	struct evidence_item *v;
	struct err e;

	if (!s->unanswered_questions) /* nobody asked: it counts for nothing */
		return;
	if (--s->unanswered_questions > 0) /* a newer question has replaced this one */
		return;
	s->verified = false; /* until the verdict is there */
	v = evidence_item_new(s, "");
	if (!v)
		return;
	if (!answer->file.len) {
		/* Stock agents have no field for the reason. */
		snprintf(refused.line, sizeof(refused.line), "refused: no evidence: %s",
			 *answer->error ? log_quote(answer->error).text
					: "the agent did not say why");
		judged(v, &refused);
	} else if (!copy_token(v, answer->file)) {
		snprintf(refused.line, sizeof(refused.line), "refused: out of memory");
		judged(v, &refused);
	} else if (appraisal_start(s->service->appraisal, &s->asked, answer->file.data,
				   answer->file.len, judged, v, &e) < 0) {
		snprintf(refused.line, sizeof(refused.line), "refused: %s", e.text);
		judged(v, &refused);
	}
}
