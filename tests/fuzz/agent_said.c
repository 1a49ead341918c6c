/* SPDX-License-Identifier: Apache-2.0 */
/* agent_said.c — what the agent of agent_answering.h says where it is honest, or nearly so. */
#include "attestation/token/eat.h"
#include "cli/client/agent_client.h"
#include "health.pb-c.h"
#include "tests/fuzz/agent_answering.h"
#include "tests/fuzz/answers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 3 };

static struct writer tokens[TOKENS];

const char *answering_text(uint8_t which)
{
	static const char *const texts[ANSWERS_TEXTS] = {
		"it says no",
		"\x1b[2J",
		"no HTTP/2 came",
		"key exchange is demanded: X25519MLKEM768",
		"the peer closed the connection",
		"Connection reset by peer",
		"no ALPN",
		"no application protocol",
		"it is revoked by the list of x",
		"the peer's certificate: unknown",
		"frame: type 0 where 1 was due",
		"alert certificate revoked",
		"certificate required",
		PROOF_REFUSED_UNKNOWN,
		PROOF_REFUSED_OTHER,
		PROOF_REFUSED_SIGNATURE,
		PROOF_REFUSED_OFFSET,
		"requirements: pip",
		"algo_type is bin",
		"no method '/x'",
		"unknown service",
		"\xff\xfe",
		"%s%n",
		"",
	};

	return texts[which % ANSWERS_TEXTS];
}

/* ---- evidence of the agent's own, of which a log is asked for ---- */

static void make_token(struct writer *w, const struct eat_content *c)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e;

	assert(key_generate(KEY_ECDSA, &key, &e) == 0);
	*w = writer_up_to(1 << 16);
	assert(eat_write(c, key, w, &e) == 0);
}

void answering_open(void)
{
	static const uint8_t nonce[32] = { 1 };
	/* attest.Attestation: a quote, and a log of three bytes. */
	static const uint8_t evidence[] = { 0x12, 0x02, 0x0a, 0x00, 0x1a, 0x03, 'l', 'o', 'g' };
	struct eat_content c = { .issuer = "cocos-agent",
				 .platform = EVIDENCE_TDX,
				 .nonce_use = EAT_USE_NONCE,
				 .issued = 1,
				 .expires = 2,
				 .nonce = { nonce, sizeof(nonce) },
				 .raw_report = { evidence, sizeof(evidence) },
				 .event_log = { nonce, sizeof(nonce) } };
	struct err e;

	make_token(&tokens[0], &c);
	c.event_log = (struct eat_bytes){ NULL, 0 };
	make_token(&tokens[1], &c);
	c.platform = EVIDENCE_VTPM;
	make_token(&tokens[2], &c);
	assert(key_generate(KEY_ECDSA, &answering.key, &e) == 0);
	assert(key_to_spki(answering.key, &answering.spki, &answering.spki_len, &e) == 0);
}

/* ---- answers ---- */

static void fill_status(Agent__StatusResponse *m, int change)
{
	static const char *const states[] = {
		"Idle",           "ReceivingManifest", "ReceivingAlgorithm", "ReceivingData",
		"Running",        "ConsumingResults",  "Complete",           "Failed",
		"ConsumingResult"
	};
	static Agent__StatusConsumer consumer, *consumers[] = { &consumer };
	static uint8_t manifest[SHA3_256_LEN], own[SHA3_256_LEN], hash[SHA3_256_LEN];
	static Agent__StatusAsset row;
	struct err e;

	memset(manifest, change == ANSWERS_MANIFEST_OTHER ? 2 : 1, sizeof(manifest));
	memset(hash, 0, sizeof(hash));
	if (answering.asset && change != ANSWERS_HASH_OTHER)
		memcpy(hash, answering.asset->digest, sizeof(hash));
	assert(digest(DIGEST_SHA3_256, answering.spki, answering.spki_len, own, &e) == 0);
	own[0] ^= change == ANSWERS_CONSUMER_OTHER;
	answering.challenge[0]++;
	agent__status_asset__init(&row);
	agent__status_consumer__init(&consumer);
	row.hash = (ProtobufCBinaryData){ sizeof(hash), hash };
	row.received = change == ANSWERS_RECEIVED || change == ANSWERS_YOURS;
	row.yours = change >= ANSWERS_YOURS;
	if (change == ANSWERS_YOURS_NAMED)
		row.filename = (char *)(uintptr_t)"its name";
	row.bytes_kept = change == ANSWERS_KEPT_MUCH ? UINT64_MAX : answering.kept;
	consumer.key_digest = (ProtobufCBinaryData){ sizeof(own), own };
	consumer.fetched = change == ANSWERS_CONSUMER_FETCHED;
	m->state =
		(char *)(uintptr_t)states[change == ANSWERS_STATE_UNKNOWN  ? 8
					  : change == ANSWERS_STATE_FAILED ? 7
									   : answering.state % 8];
	m->computation_id = m->failure = (char *)(uintptr_t)"c";
	m->manifest_digest = (ProtobufCBinaryData){ change == ANSWERS_MANIFEST_NONE    ? 0
						    : change == ANSWERS_MANIFEST_SHORT ? 31
										       : 32,
						    manifest };
	m->algorithm = change == ANSWERS_ALGORITHM_NONE ? NULL : &row;
	m->consumers = consumers;
	m->n_consumers = 1;
	m->challenge = (ProtobufCBinaryData){ change == ANSWERS_CHALLENGE_SHORT ? 31 : 32,
					      answering.challenge };
}

ProtobufCMessage *answering_honest(const struct rpc_method *method, int change)
{
	static uint8_t secret[CREDENTIAL_SECRET_LEN];
	ProtobufCBinaryData cert = { sizeof(secret), secret };
	union {
		ProtobufCMessage base;
		Agent__StatusResponse status;
		Agent__AttestationResponse evidence;
		Agent__IMAMeasurementsResponse ima;
		Agent__ActivateCredentialResponse activated;
		Grpc__Health__V1__HealthCheckResponse health;
	} m;

	protobuf_c_message_init(method->response, &m);
	if (method == &agent_status)
		fill_status(&m.status, change);
	if (method == &agent_attestation) {
		const struct writer *token = &tokens[reader_u8(answering.in) % TOKENS];

		m.evidence.file = (ProtobufCBinaryData){ token->len, token->bytes };
	}
	if (method == &agent_ima_measurements)
		m.ima.file = m.ima.pcr10 = cert;
	if (method == &agent_activate_credential) {
		m.activated.n_ek_certificates = reader_u8(answering.in) & 1;
		m.activated.ek_certificates = &cert;
		m.activated.activated = cert;
	}
	if (method->response == &grpc__health__v1__health_check_response__descriptor)
		m.health.status =
			(Grpc__Health__V1__HealthCheckResponse__ServingStatus)(reader_u8(
										       answering
											       .in) %
									       3);
	return answer_copy(&m.base);
}
