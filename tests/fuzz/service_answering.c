/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/service_answering.h"

#include "common/base/encode.h"
#include "tests/fuzz/answers.h"
#include "tests/fuzz/service_kept.h"
#include "tests/fuzz/service_said.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODES = 16, MEANWHILE_MAX = 4 };

struct service_answering service_answering;

static const char spec[] =
	"[{\"nodename\":\"a\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[]},"
	"\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":1,\"maxretries\":0}]";

static void make_key(struct answering_key *made, EVP_PKEY *key)
{
	struct err e;

	made->key = key;
	assert(key && key_to_spki(key, &made->spki, &made->len, &e) == 0);
	assert(key_fingerprint(made->spki, made->len, made->fingerprint, &e) == 0);
}

static EVP_PKEY *generate(enum key_kind kind)
{
	EVP_PKEY *key;
	struct err e;

	assert(key_generate(kind, &key, &e) == 0);
	return key;
}

static void make_order(struct workflow_order *order, int64_t expires, char *id)
{
	struct err e;

	assert(workflow_spec_read(spec, strlen(spec), &order->spec, &e) == 0);
	assert(workflow_order_room(order, &e) == 0);
	memset(order->nodes[0].keys[0], 1, HPKE_KEY_LEN);
	order->nodes[0].count = 1;
	memset(order->reply, 2, HPKE_KEY_LEN);
	order->expires = expires;
	assert(workflow_order_sign(order, service_answering.signers[0].key, &e) == 0);
	hex_encode(order->id, sizeof(order->id), id);
}

void service_answering_open(void)
{
	struct service_answering *s = &service_answering;

	for (size_t i = 0; i < SVA_SIGNERS; i++)
		make_key(&s->signers[i], generate(i ? KEY_ED25519 : KEY_ECDSA));
	make_key(&s->rsa, EVP_RSA_gen(2048)); /* key_generate() takes its time */
	make_order(&s->orders[0], 1, s->ids[0]);
	make_order(&s->orders[1], 2, s->ids[1]);
	service_said_open();
}

void service_answering_begin(void)
{
	struct service_answering *s = &service_answering;

	s->calls = 0;
	s->is_fine = false;
	s->made_count = s->named_count = 0;
	s->order = -1;
}

/* ---- calls ---- */

static int answer(const struct rpc_method *method, const ProtobufCMessage *request,
		  ProtobufCMessage **response, struct err *e)
{
	struct reader *in = service_answering.in;
	enum sva_word word = reader_u8(in) % SVA_WORDS;

	for (int i = 0; i < MEANWHILE_MAX && word == SVA_MEANWHILE; i++) {
		service_kept_meanwhile(in);
		word = reader_u8(in) % SVA_WORDS;
	}
	service_answering.is_fine = false;
	service_answering.order = -1;
	if (word == SVA_FAILS)
		return err_set(e, (enum err_code)(1 + reader_u8(in) % CODES), "it says no");
	if (word == SVA_LIES)
		return answer_make(method->response, in, response, e);
	*response = service_said(method, request);
	return 0;
}

int __wrap_rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
			  const struct rpc_stream_options *options, const ProtobufCMessage *request,
			  ProtobufCMessage **response, struct err *e);
int __wrap_rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
			  const struct rpc_stream_options *options, const ProtobufCMessage *request,
			  ProtobufCMessage **response, struct err *e)
{
	assert(options->timeout_ms && request->descriptor == method->request);
	service_answering.calls++;
	return answer(method, request, response, e);
}
