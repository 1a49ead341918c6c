/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/attested_judge.h"

#include "attestation/channel/attested_session.h"
#include "common/rpc/job.h"
#include "common/rpc/tls_groups.h"

#include <string.h>

struct attested_client {
	unsigned refs;
	struct attested_client_config config;
	uint8_t first_context[EA_CONTEXT_LEN];
	bool has_first_context;
	uv_mutex_t appraising;
	bool waiting;
};

int attested_client_new(const struct attested_client_config *config,
			struct attested_client **client, struct err *e)
{
	struct attested_client *c;

	if (!config->appraise)
		return err_set(e, ERR_INVALID, "attested TLS: nobody to appraise the evidence");
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem(e);
	if (uv_mutex_init(&c->appraising) < 0) {
		free(c);
		return err_nomem(e);
	}
	c->refs = 1;
	c->config = *config;
	if (config->first_context) {
		memcpy(c->first_context, config->first_context, EA_CONTEXT_LEN);
		c->has_first_context = true;
	}
	c->config.first_context = NULL;
	*client = c;
	return 0;
}

void attested_client_wait(struct attested_client *client, bool waiting)
{
	client->waiting = waiting;
}

bool attested_client_is_waiting(const struct attested_client *client)
{
	return client->waiting;
}

struct attested_client *attested_client_ref(struct attested_client *client)
{
	client->refs++;
	return client;
}

void attested_client_free(struct attested_client *client)
{
	if (!client || --client->refs > 0)
		return;
	uv_mutex_destroy(&client->appraising);
	free(client);
}

/* ---- the question ---- */

static int next_context(struct attested_client *client, uint8_t context[EA_CONTEXT_LEN],
			struct err *e)
{
	if (!client->has_first_context)
		return random_bytes(context, EA_CONTEXT_LEN, e);
	memcpy(context, client->first_context, EA_CONTEXT_LEN);
	client->has_first_context = false;
	return 0;
}

int attested_question_ask(struct attested_client *client, SSL *tls,
			  struct attested_question *question, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(EA_REQUEST_MAX);
	struct attested_question made = { .request_len = 0 };
	uint8_t context[EA_CONTEXT_LEN];

	if (attested_session_check(tls, e) < 0 || next_context(client, context, e) < 0)
		return err_code(e);
	ea_request_write(context, &w);
	if (writer_check(&w, "request", e) < 0 ||
	    attested_session_read(tls, context, &made.session, e) < 0 ||
	    attested_session_peer_spki(tls, &made.tls_spki, &made.tls_spki_len, e) < 0)
		return err_code(e);
	memcpy(made.request, w.bytes, w.len);
	made.request_len = w.len;
	made.group = tls_groups_agreed(tls);
	*question = made;
	return 0;
}

void attested_question_done(struct attested_question *question)
{
	free(question->tls_spki);
	OPENSSL_cleanse(question, sizeof(*question));
}

/* ---- the judgement ---- */

struct judgement {
	struct attested_client *client;
	struct attested_question question;
	uint8_t *authenticator;
	size_t len;
	struct err why;
	bool is_good;
	attested_judged_fn *done;
	void *data;
};

static void judgement_free(struct judgement *j)
{
	attested_client_free(j->client);
	attested_question_done(&j->question);
	free(j->authenticator);
	free(j);
}

/* The evidence binds the authenticator's leaf. It is the key of the TLS handshake too, so that
 * there is one identity to judge and not two that have to be told apart. */
static int check_identity(const struct attested_question *q, const struct authenticator *a,
			  struct err *e)
{
	if (a->spki_len != q->tls_spki_len || !bytes_equal(a->spki, q->tls_spki, a->spki_len))
		return err_set(e, ERR_DENIED,
			       "authenticator: its key is not that of the TLS certificate");
	return 0;
}

static int appraise(struct attested_client *client, const struct authenticator *a, struct err *e)
{
	int failed;

	err_set(e, ERR_DENIED, "the evidence was refused");
	uv_mutex_lock(&client->appraising);
	failed = client->config.appraise(client->config.data, a, e);
	uv_mutex_unlock(&client->appraising);
	return failed;
}

static void judge_work(void *data)
{
	struct judgement *j = data;
	const struct attested_question *q = &j->question;
	struct authenticator a;

	if (authenticator_verify(&q->session, q->request, q->request_len, j->authenticator, j->len,
				 &a, &j->why) < 0)
		return;
	a.group = q->group;
	j->is_good = check_identity(q, &a, &j->why) == 0 && appraise(j->client, &a, &j->why) == 0;
	authenticator_done(&a);
}

static void judge_done(void *data)
{
	struct judgement *j = data;

	if (!j->is_good)
		err_wrap(&j->why, "attested TLS");
	j->done(j->data, j->is_good ? NULL : &j->why);
	judgement_free(j);
}

int attested_judge(struct attested_client *client, struct attested_question *question,
		   const uint8_t *authenticator, size_t len, attested_judged_fn *done, void *data,
		   struct err *e)
{
	struct judgement *j = calloc(1, sizeof(*j));

	if (!j)
		return err_nomem(e);
	j->client = attested_client_ref(client);
	j->question = *question;
	j->done = done;
	j->data = data;
	j->len = len;
	j->authenticator = malloc(len + 1);
	*question = (struct attested_question){ .request_len = 0 };
	if (!j->authenticator) {
		judgement_free(j);
		return err_nomem(e);
	}
	if (len) /* an empty answer may have no address */
		memcpy(j->authenticator, authenticator, len);
	err_set(&j->why, ERR_DENIED, "not judged");
	if (rpc_job_start(client->config.loop, judge_work, judge_done, j, e) < 0) {
		judgement_free(j);
		return err_code(e);
	}
	return 0;
}
