/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation, IMAMeasurements, AzureAttestationToken, ActivateCredential: evidence of form NONCE and
 * what else tells of this machine. It holds no secret, so callers need not say who they are. */
#include "agent.pb-c.h"
#include "agent/core/agent.h"
#include "agent/core/service.h"
#include "agent/evidence/evidence.h"
#include "attestation/provider/provider_tpm_ak.h"
#include "attestation/tpm/tpm_public.h"
#include "common/crypto/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20 };

/* A call that waits for the keeper, or sends what came. */
struct evidence_call {
	struct rpc_source source;
	struct evidence_request *request; /* NULL: answered */
	uint8_t *bytes;
	size_t len, sent;
	uint8_t pcr10[SHA256_LEN]; /* goes with the first message */
	bool has_pcr10;

	uint8_t ek[SHA256_LEN]; /* ActivateCredential: of which EK, */
	bool activate;          /* if it was asked for a secret, */
	uint8_t *blob, *secret; /* and of what */
	size_t blob_len, secret_len;
	uint8_t *cert;
	size_t cert_len;
};

static struct evidence *evidence_of(const struct rpc_call *call)
{
	const struct agent *agent = rpc_call_service(call);

	return agent->evidence;
}

static struct evidence_call *begin(struct rpc_call *call, struct err *e)
{
	struct evidence_call *c = calloc(1, sizeof(*c));

	if (!c)
		err_nomem(e);
	else
		c->source = rpc_call_source(call);
	rpc_call_set_user(call, c);
	return c;
}

void service_evidence_closed(struct rpc_call *call)
{
	struct evidence_call *c = rpc_call_user(call);

	if (!c)
		return;
	evidence_cancel(c->request);
	free(c->bytes);
	free(c->blob);
	free(c->secret);
	free(c->cert);
	free(c);
}

static uint8_t *copy_of(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

/* ---- sending a file in chunks ---- */

static int send_chunk(struct rpc_call *call, struct evidence_call *c, struct err *e)
{
	Agent__IMAMeasurementsResponse ima = AGENT__IMAMEASUREMENTS_RESPONSE__INIT;
	size_t len = c->len - c->sent < CHUNK ? c->len - c->sent : CHUNK;
	bool with_pcr10 = c->has_pcr10 && c->sent == 0;
	uint8_t *chunk = copy_of(c->bytes + c->sent, len);

	if (!chunk)
		return err_nomem(e);
	ima.pcr10.data = c->pcr10;
	ima.pcr10.len = sizeof(c->pcr10);
	c->sent += len;
	return rpc_call_send_bytes(call, with_pcr10 ? &ima.base : NULL, 1, chunk, len, e);
}

static void send_more(struct rpc_call *call, struct evidence_call *c)
{
	struct err e;

	while (rpc_call_is_open(call) && c->sent < c->len &&
	       rpc_call_queued(call) < RPC_HIGH_WATER) {
		if (send_chunk(call, c, &e) < 0)
			rpc_call_finish(call, &e);
	}
	if (rpc_call_is_open(call) && c->sent == c->len)
		rpc_call_finish(call, NULL);
}

void service_evidence_writable(struct rpc_call *call)
{
	struct evidence_call *c = rpc_call_user(call);

	if (c && c->bytes)
		send_more(call, c);
}

static void send_file(struct rpc_call *call, struct evidence_call *c, const void *bytes, size_t len)
{
	char size[24];
	struct err e;

	snprintf(size, sizeof(size), "%zu", len);
	c->bytes = copy_of(bytes, len);
	c->len = len;
	if (!c->bytes) {
		err_nomem(&e);
		rpc_call_finish(call, &e);
	} else if (rpc_call_add_header(call, "file-size", size, &e) < 0) {
		rpc_call_finish(call, &e);
	} else {
		send_more(call, c);
	}
}

/* ---- Attestation ---- */

static void on_token(void *data, const uint8_t *token, size_t len, const struct err *e)
{
	struct rpc_call *call = data;
	struct evidence_call *c = rpc_call_user(call);

	c->request = NULL;
	if (e)
		rpc_call_finish(call, e);
	else
		send_file(call, c, token, len);
}

static int check_type(int32_t type, struct err *e)
{
	if (type >= 0 && type <= UINT8_MAX)
		return 0;
	return err_set(e, ERR_INVALID, "type %" PRId32 " of evidence", type);
}

void service_attestation_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Agent__AttestationRequest *r = (const Agent__AttestationRequest *)message;
	const struct binding_nonce nonce = { .type = (uint8_t)r->type,
					     .tee = r->teenonce.data,
					     .tee_len = r->teenonce.len,
					     .vtpm = r->vtpmnonce.data,
					     .vtpm_len = r->vtpmnonce.len };
	struct err e;
	struct evidence_call *c = begin(call, &e);

	if (c && check_type(r->type, &e) == 0)
		c->request =
			evidence_nonce(evidence_of(call), &c->source, &nonce, on_token, call, &e);
	if (!c || !c->request)
		rpc_call_finish(call, &e);
}

/* ---- IMAMeasurements ---- */

static void on_ima(void *data, const struct span *parts, size_t count, const struct err *why)
{
	struct rpc_call *call = data;
	struct evidence_call *c = rpc_call_user(call);
	struct err e;

	c->request = NULL;
	if (why) {
		rpc_call_finish(call, why);
	} else if (count != 2 || parts[1].len != sizeof(c->pcr10) || !parts[0].len) {
		err_set(&e, ERR_UNAVAILABLE, "IMA: this kernel has measured nothing");
		rpc_call_finish(call, &e);
	} else {
		memcpy(c->pcr10, parts[1].bytes, sizeof(c->pcr10));
		c->has_pcr10 = true;
		send_file(call, c, parts[0].bytes, parts[0].len);
	}
}

void service_ima_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;
	struct evidence_call *c = begin(call, &e);

	if (c)
		c->request = evidence_ima(evidence_of(call), &c->source, on_ima, call, &e);
	if (!c || !c->request)
		rpc_call_finish(call, &e);
}

/* ---- AzureAttestationToken ---- */

void service_azure_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	err_set(&e, ERR_UNAVAILABLE,
		"AzureAttestationToken: this machine has no paravisor of Azure's whose service could "
		"be asked; Attestation gives its evidence");
	rpc_call_finish(call, &e);
}

/* ---- ActivateCredential ---- */

static void reply_activated(struct rpc_call *call, struct evidence_call *c, struct span secret)
{
	Agent__ActivateCredentialResponse r = AGENT__ACTIVATE_CREDENTIAL_RESPONSE__INIT;
	ProtobufCBinaryData cert = { .data = c->cert, .len = c->cert_len };

	r.n_ek_certificates = c->cert_len ? 1 : 0;
	r.ek_certificates = &cert;
	r.activated.data = (uint8_t *)secret.bytes;
	r.activated.len = secret.len;
	rpc_call_reply(call, &r.base);
}

static void on_activated(void *data, const struct span *parts, size_t count, const struct err *e)
{
	struct rpc_call *call = data;
	struct evidence_call *c = rpc_call_user(call);

	c->request = NULL;
	if (e)
		rpc_call_finish(call, e);
	else
		reply_activated(call, c, parts[0]);
}

/* Is it the EK that the caller means? There may be several that vendors certify; we have one. */
static int check_ek(struct span public_area, const uint8_t wanted[SHA256_LEN], struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	struct tpm_public area;
	uint8_t found[SHA256_LEN];
	size_t len = 0;

	if (tpm_public_parse(public_area, &area, e) < 0 || tpm_public_key(&area, &key, e) < 0 ||
	    key_to_spki(key, &spki, &len, e) < 0 || digest(DIGEST_SHA256, spki, len, found, e) < 0)
		return err_wrap(e, "endorsement key");
	if (memcmp(found, wanted, sizeof(found)) != 0)
		return err_set(
			e, ERR_NOT_FOUND,
			"ActivateCredential: this TPM's RSA 2048 endorsement key is another");
	return 0;
}

static void on_endorsement(void *data, const struct span *parts, size_t count,
			   const struct err *why)
{
	struct rpc_call *call = data;
	struct evidence_call *c = rpc_call_user(call);
	struct err e;

	c->request = NULL;
	if (why) {
		rpc_call_finish(call, why);
		return;
	}
	c->cert = count == KEEPER_PARTS_MAX ? copy_of(parts[3].bytes, parts[3].len) : NULL;
	if (!c->cert) {
		err_nomem(&e);
		rpc_call_finish(call, &e);
		return;
	}
	c->cert_len = parts[3].len;
	if (!c->activate) {
		reply_activated(call, c, (struct span){ NULL, 0 });
		return;
	}
	if (check_ek(parts[2], c->ek, &e) == 0)
		c->request = evidence_activate(
			evidence_of(call), &c->source, (struct span){ c->blob, c->blob_len },
			(struct span){ c->secret, c->secret_len }, on_activated, call, &e);
	if (!c->request)
		rpc_call_finish(call, &e);
}

static int take_credential(struct evidence_call *c, const Agent__ActivateCredentialRequest *r,
			   struct err *e)
{
	if (!r->ek.len && !r->credential.len && !r->secret.len)
		return 0;
	if (r->ek.len != SHA256_LEN || !r->credential.len || !r->secret.len ||
	    r->credential.len > PROVIDER_TPM_CREDENTIAL_MAX ||
	    r->secret.len > PROVIDER_TPM_CREDENTIAL_MAX)
		return err_set(e, ERR_INVALID,
			       "ActivateCredential: ek has %zu bytes (32), credential %zu and "
			       "secret %zu (1 to %d)",
			       r->ek.len, r->credential.len, r->secret.len,
			       PROVIDER_TPM_CREDENTIAL_MAX);
	memcpy(c->ek, r->ek.data, SHA256_LEN);
	c->activate = true;
	c->blob = copy_of(r->credential.data, r->credential.len);
	c->secret = copy_of(r->secret.data, r->secret.len);
	c->blob_len = r->credential.len;
	c->secret_len = r->secret.len;
	return c->blob && c->secret ? 0 : err_nomem(e);
}

void service_activate_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;
	struct evidence_call *c = begin(call, &e);

	if (c && take_credential(c, (const Agent__ActivateCredentialRequest *)message, &e) == 0)
		c->request = evidence_endorsement(evidence_of(call), &c->source, on_endorsement,
						  call, &e);
	if (!c || !c->request)
		rpc_call_finish(call, &e);
}
