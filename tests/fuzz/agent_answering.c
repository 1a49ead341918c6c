/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/agent_answering.h"

#include "cli/client/agent_client.h"
#include "common/base/encode.h"
#include "tests/fuzz/answers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_MAX = 16, CODES = 16 };

struct answering answering;

void answering_begin(struct reader *in, uint8_t how)
{
	const struct answering before = answering;

	answering = (struct answering){ .in = in,
					.how = how,
					.state = 2,
					.key = before.key,
					.spki = before.spki,
					.spki_len = before.spki_len };
}

/* ---- connections ---- */

void answering_drop(uint8_t contact)
{
	answering.is_ready = false;
	answering.attempt = (struct rpc_attempt){ .failed = !(contact & 64),
						  .contact = contact % (RPC_CONTACT_OTHER + 1),
						  .is_secured = contact & 128 };
}

static int broken(struct err *e)
{
	const uint8_t contact = reader_u8(answering.in), text = reader_u8(answering.in);

	answering_drop(contact);
	return err_set(e, ERR_UNAVAILABLE, "agent: %s", answering_text(text));
}

static int refused(struct err *e)
{
	const uint8_t code = reader_u8(answering.in), text = reader_u8(answering.in);

	return err_set(e, (enum err_code)(1 + code % CODES), "agent: %s", answering_text(text));
}

/* Evidence, and what comes of it. */
static int prove(struct err *e)
{
	const enum answers_proof what = reader_u8(answering.in) % ANSWERS_PROOFS;

	if (what == ANSWERS_UNCONNECTED)
		return broken(e);
	if (what == ANSWERS_REFUSED || (what != ANSWERS_PROVEN && !answering.may_pend)) {
		answering.proof = PROOF_NONE;
		return err_set(e, reader_u8(answering.in) & 1 ? ERR_INVALID : ERR_DENIED,
			       "attestation: no");
	}
	answering.proof = what == ANSWERS_PROVEN ? PROOF_STANDS : PROOF_PENDING;
	answering.is_fresh = what == ANSWERS_PROVEN;
	answering.wants_log = what == ANSWERS_WANTS_LOG || what == ANSWERS_WANTS_BOTH;
	answering.wants_credential = what == ANSWERS_WANTS_CREDENTIAL || what == ANSWERS_WANTS_BOTH;
	answering.has_log = answering.has_answer = answering.is_doubted = false;
	return 0;
}

static int connect_now(struct err *e)
{
	if (answering.is_ready)
		return 0;
	answering.connection++;
	if (answering.how & ANSWERS_ATTESTED) {
		if (prove(e) < 0)
			return err_code(e);
	} else if (reader_u8(answering.in) == ANSWERS_UNCONNECTED) {
		return broken(e);
	}
	answering.is_ready = true;
	answering.attempt.failed = false;
	return 0;
}

int __wrap_rpc_sync_connect(struct rpc_channel *channel, struct err *e);
int __wrap_rpc_sync_connect(struct rpc_channel *channel, struct err *e)
{
	return connect_now(e);
}

bool __wrap_rpc_channel_is_ready(const struct rpc_channel *channel);
bool __wrap_rpc_channel_is_ready(const struct rpc_channel *channel)
{
	return answering.is_ready;
}

const struct rpc_attempt *__wrap_rpc_channel_attempt(const struct rpc_channel *channel);
const struct rpc_attempt *__wrap_rpc_channel_attempt(const struct rpc_channel *channel)
{
	return &answering.attempt;
}

int __wrap_rpc_channel_exporter(const struct rpc_channel *channel, const char *label,
				const void *context, size_t context_len, uint8_t *out, size_t len,
				struct err *e);
int __wrap_rpc_channel_exporter(const struct rpc_channel *channel, const char *label,
				const void *context, size_t context_len, uint8_t *out, size_t len,
				struct err *e)
{
	if (!answering.is_ready)
		return err_set(e, ERR_PRECONDITION, "not connected");
	memset(out, (uint8_t)answering.connection, len);
	return 0;
}

/* Whom it is said to, if it is more than what the proof lacks. */
static void check_proven(const struct rpc_method *method)
{
	if (!(answering.how & ANSWERS_ATTESTED) || strncmp(method->path, "/grpc.health", 12) == 0)
		return;
	assert(!answering.is_doubted);
	if (answering.proof == PROOF_STANDS)
		return;
	assert(answering.proof == PROOF_PENDING);
	assert(method == &agent_attestation || method == &agent_activate_credential);
}

/* ---- what it says ---- */

/* 1: the end of a stream. */
static int answer(const struct rpc_method *method, ProtobufCMessage **message, struct err *e)
{
	const enum answers_word word = reader_u8(answering.in) % ANSWERS_WORDS;
	const Agent__StatusResponse *status;

	switch (word) {
	case ANSWERS_FAILS:
		return refused(e);
	case ANSWERS_BREAKS:
		return broken(e);
	case ANSWERS_ENDS:
		return 1;
	case ANSWERS_LIES:
		if (answer_make(method->response, answering.in, message, e) < 0)
			return err_code(e);
		break;
	default:
		*message = answering_honest(
			method,
			word == ANSWERS_CHANGED ? reader_u8(answering.in) % ANSWERS_CHANGES : -1);
	}
	if (method == &agent_status) {
		status = (const Agent__StatusResponse *)*message;
		answering.said_manifest_len = status->manifest_digest.len;
		if (status->manifest_digest.len == SHA3_256_LEN)
			memcpy(answering.said_manifest, status->manifest_digest.data, SHA3_256_LEN);
	}
	return 0;
}

int __wrap_rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
			  const struct rpc_stream_options *options, const ProtobufCMessage *request,
			  ProtobufCMessage **response, struct err *e);
int __wrap_rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
			  const struct rpc_stream_options *options, const ProtobufCMessage *request,
			  ProtobufCMessage **response, struct err *e)
{
	int failed;

	assert(options->timeout_ms && request->descriptor == method->request);
	if (connect_now(e) < 0)
		return err_code(e);
	check_proven(method);
	failed = answer(method, response, e);
	return failed > 0 ? err_set(e, ERR_INTERNAL, "no message") : failed;
}

/* ---- streams ---- */

struct rpc_sync {
	const struct rpc_method *method;
	struct rpc_metadata headers;
	unsigned connection, messages;
	uint64_t at, required; /* bytes of the asset and of its requirements that have come */
	bool is_halved;
};

static void check_signature(const struct rpc_method *method, const struct rpc_metadata *m)
{
	const char *text = rpc_metadata_text(m, PROOF_KEY, 0),
		   *challenge = rpc_metadata_text(m, PROOF_CHALLENGE_KEY, 0);
	CLEANUP_WRITER struct writer parameters = writer_up_to(64);
	CLEANUP(free) uint8_t *bytes = NULL, *signature = NULL;
	struct proof proof = { .role = rpc_metadata_text(m, PROOF_ROLE_KEY, 0),
			       .method = method->path };
	size_t len, signature_len;
	struct err e;

	assert(proof.role && text && answering.said_manifest_len == SHA3_256_LEN);
	memcpy(proof.manifest, answering.said_manifest, SHA3_256_LEN);
	if (rpc_metadata_text(m, PROOF_DIGEST_KEY, 0)) {
		memcpy(proof.asset, answering.asset->digest, SHA3_256_LEN);
		proof_parameter_text(&parameters, "filename", "a");
	}
	assert(!challenge == !!(answering.how & (ANSWERS_TLS | ANSWERS_ATTESTED)));
	if (challenge)
		assert(hex_decode(challenge, proof.session, sizeof(proof.session), &e) == 0);
	else
		memset(proof.session, (uint8_t)answering.connection, sizeof(proof.session));
	assert(proof_message(&proof, parameters.len ? &parameters : NULL, &bytes, &len, &e) == 0);
	assert(base64_decode(text, strlen(text), &signature, &signature_len, &e) == 0);
	assert(key_verify(answering.key, bytes, len, signature, signature_len, &e) == 0);
}

int __wrap_rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
			 const struct rpc_stream_options *options, struct rpc_sync **sync,
			 struct err *e);
int __wrap_rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
			 const struct rpc_stream_options *options, struct rpc_sync **sync,
			 struct err *e)
{
	const struct rpc_metadata *m = options->metadata;
	const char *offset = m ? rpc_metadata_text(m, PROOF_OFFSET_KEY, 0) : NULL;
	const bool is_signed = m && rpc_metadata_text(m, PROOF_ROLE_KEY, 0),
		   is_stock = m && rpc_metadata_text(m, "signature", 0);

	if (is_signed && !is_stock)
		check_signature(method, m);
	if (connect_now(e) < 0)
		return err_code(e);
	check_proven(method);
	*sync = calloc(1, sizeof(**sync));
	assert(*sync);
	(*sync)->method = method;
	(*sync)->connection = answering.connection;
	(*sync)->at = offset ? strtoull(offset, NULL, 10) : 0;
	answering.streamed = 0;
	answering.is_taken = false;
	answering.is_fresh = false;
	assert(!offset || (answering.asset && (*sync)->at <= answering.asset->len));
	return 0;
}

/* The connection of the call is gone, or the agent says so now. */
static int over(const struct rpc_sync *sync, struct err *e)
{
	const uint8_t word = reader_u8(answering.in) % ANSWERS_WORDS;

	if (!answering.is_ready || sync->connection != answering.connection)
		return err_set(e, ERR_UNAVAILABLE, "agent: the connection is gone");
	if (word == ANSWERS_BREAKS)
		return broken(e);
	return word == ANSWERS_FAILS ? refused(e) : 0;
}

int __wrap_rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e);
int __wrap_rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e)
{
	assert(message->descriptor == sync->method->request && !sync->is_halved);
	if (over(sync, e) < 0)
		return err_code(e);
	check_proven(sync->method);
	return 0;
}

static int take_bytes(struct rpc_sync *sync, uint32_t field, const uint8_t *bytes, size_t len,
		      struct err *e)
{
	const struct answering_asset *of = field == 1 ? answering.asset : answering.requirements;
	uint64_t *const at = field == 1 ? &sync->at : &sync->required;

	assert(!sync->is_halved && of && *at + len <= of->len);
	assert(!len || memcmp(bytes, of->bytes + *at, len) == 0);
	assert(len || *at == of->len);
	assert(field != 1 || !answering.requirements ||
	       sync->required == answering.requirements->len);
	if (over(sync, e) < 0)
		return err_code(e);
	check_proven(sync->method);
	*at += len;
	answering.is_fresh = false;
	return 0;
}

int __wrap_rpc_sync_send_bytes(struct rpc_sync *sync, const ProtobufCMessage *rest, uint32_t field,
			       uint8_t *bytes, size_t len, struct err *e);
int __wrap_rpc_sync_send_bytes(struct rpc_sync *sync, const ProtobufCMessage *rest, uint32_t field,
			       uint8_t *bytes, size_t len, struct err *e)
{
	int failed = take_bytes(sync, field, bytes, len, e);

	free(bytes);
	return failed;
}

void __wrap_rpc_sync_half_close(struct rpc_sync *sync);
void __wrap_rpc_sync_half_close(struct rpc_sync *sync)
{
	sync->is_halved = true;
}

static void note_whose(const Agent__StatusResponse *status)
{
	const Agent__StatusAsset *a = status->algorithm;

	answering.whose =
		a && a->yours && a->received && a->hash.len == SHA3_256_LEN && answering.asset &&
				memcmp(a->hash.data, answering.asset->digest, SHA3_256_LEN) == 0
			? WHOSE_YOURS
			: WHOSE_ANOTHERS;
}

int __wrap_rpc_sync_finish(struct rpc_sync *sync, ProtobufCMessage **response, struct err *e);
int __wrap_rpc_sync_finish(struct rpc_sync *sync, ProtobufCMessage **response, struct err *e)
{
	int failed;

	if (sync->method == &agent_algo) {
		assert(sync->at == answering.asset->len);
		assert(!answering.requirements || sync->required == answering.requirements->len);
		assert(!(answering.how & ANSWERS_ATTESTED) || answering.how & ANSWERS_STOCK ||
		       (answering.is_fresh && sync->connection == answering.connection));
	}
	if (!answering.is_ready || sync->connection != answering.connection)
		return err_set(e, ERR_UNAVAILABLE, "agent: the connection is gone");
	check_proven(sync->method);
	failed = answer(sync->method, response, e);
	answering.is_taken = !failed;
	if (!failed && sync->method == &agent_status)
		note_whose((const Agent__StatusResponse *)*response);
	return failed > 0 ? err_set(e, ERR_INTERNAL, "no message") : failed;
}

int __wrap_rpc_sync_headers(struct rpc_sync *sync, const struct rpc_metadata **headers,
			    struct err *e);
int __wrap_rpc_sync_headers(struct rpc_sync *sync, const struct rpc_metadata **headers,
			    struct err *e)
{
	const unsigned said = reader_u8(answering.in) % ANSWERS_SIZES;
	char text[32] = "18446744073709551615";

	if (said == ANSWERS_SIZE_TRUE || said == ANSWERS_SIZE_OTHER)
		snprintf(text, sizeof(text), "%zu",
			 answering.streamed + (said == ANSWERS_SIZE_OTHER));
	if (said != ANSWERS_SIZE_NONE)
		assert(rpc_metadata_add(&sync->headers, "file-size", text, e) == 0);
	answering.is_taken = said == ANSWERS_SIZE_NONE || said == ANSWERS_SIZE_TRUE;
	*headers = &sync->headers;
	return 0;
}

int __wrap_rpc_sync_receive(struct rpc_sync *sync, ProtobufCMessage **message, struct err *e);
int __wrap_rpc_sync_receive(struct rpc_sync *sync, ProtobufCMessage **message, struct err *e)
{
	int failed = 1;

	*message = NULL;
	assert(sync->is_halved);
	if (sync->messages++ < STREAM_MAX && (sync->messages == 1 || reader_left(answering.in)))
		failed = answer(sync->method, message, e);
	if (!failed && sync->method == &agent_attestation)
		answering.streamed += ((const Agent__AttestationResponse *)*message)->file.len;
	if (!failed && sync->method == &agent_ima_measurements)
		answering.streamed += ((const Agent__IMAMeasurementsResponse *)*message)->file.len;
	return failed > 0 ? 0 : failed;
}

void __wrap_rpc_sync_free(struct rpc_sync *sync);
void __wrap_rpc_sync_free(struct rpc_sync *sync)
{
	if (!sync)
		return;
	rpc_metadata_done(&sync->headers);
	free(sync);
}

int __wrap_attested_reattest(struct rpc_channel *channel, struct attested_client *client,
			     unsigned timeout_ms, struct err *e);
int __wrap_attested_reattest(struct rpc_channel *channel, struct attested_client *client,
			     unsigned timeout_ms, struct err *e)
{
	const uint8_t word = reader_u8(answering.in);

	answering.is_doubted = true;
	if (!answering.is_ready)
		return err_set(e, ERR_PRECONDITION, "not connected");
	if (word % 4 == 1) /* before anything was judged */
		return refused(e);
	if (word % 4 == 2) {
		answering_drop(RPC_CONTACT_TLS);
		return err_set(e, ERR_ABORTED, "the connection ended meanwhile");
	}
	return prove(e);
}
