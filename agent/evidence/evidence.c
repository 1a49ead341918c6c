/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/evidence/evidence.h"

#include "agent/evidence/evidence_queue.h"

#include <stdlib.h>
#include <string.h>

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
	request = evidence_request_new(evidence, source, EVIDENCE_REQUEST_CHANNEL, data, e);
	if (!request)
		return NULL;
	request->done.token = done;
	request->hash = hash;
	memcpy(request->exporter, exporter, sizeof(request->exporter));
	return evidence_queue_add(request);
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
	request = evidence_request_new(evidence, source, EVIDENCE_REQUEST_NONCE, data, e);
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
	return evidence_queue_add(request);
}

/* Asked in vain a device would still be counted as asked, at everybody's expense. */
static struct evidence_request *tpm_request(struct evidence *evidence,
					    const struct rpc_source *source,
					    enum evidence_request_kind kind, void *data,
					    struct err *e)
{
	if (evidence_kind_rows[keeper_facts(evidence->keeper)->platform].tpm)
		return evidence_request_new(evidence, source, kind, data, e);
	err_set(e, ERR_UNAVAILABLE, "this machine has no TPM");
	return NULL;
}

struct evidence_request *evidence_ima(struct evidence *evidence, const struct rpc_source *source,
				      keeper_parts_fn *done, void *data, struct err *e)
{
	struct evidence_request *request =
		tpm_request(evidence, source, EVIDENCE_REQUEST_IMA, data, e);

	if (!request)
		return NULL;
	request->done.parts = done;
	return evidence_queue_add(request);
}

struct evidence_request *evidence_endorsement(struct evidence *evidence,
					      const struct rpc_source *source,
					      keeper_parts_fn *done, void *data, struct err *e)
{
	struct evidence_request *request =
		tpm_request(evidence, source, EVIDENCE_REQUEST_ENDORSEMENT, data, e);

	if (!request)
		return NULL;
	request->done.parts = done;
	return evidence_queue_add(request);
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
	struct evidence_request *request =
		tpm_request(evidence, source, EVIDENCE_REQUEST_ACTIVATE, data, e);

	if (!request)
		return NULL;
	request->done.parts = done;
	request->blob = copy_of(blob);
	request->secret = copy_of(secret);
	request->blob_len = blob.len;
	request->secret_len = secret.len;
	if (request->blob && request->secret)
		return evidence_queue_add(request);
	evidence_request_free(request);
	err_nomem(e);
	return NULL;
}

void evidence_cancel(struct evidence_request *request)
{
	if (request)
		evidence_queue_drop(request);
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
	evidence_queue_init(evidence);
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
	struct err e;

	err_set(&e, ERR_ABORTED, "the computation that evidence was asked of has ended");
	evidence_queue_fail(evidence, &e);
	forget_run(evidence);
}
