/* SPDX-License-Identifier: Apache-2.0 */
/* Each half of attested TLS against a peer that breaks the rules, and what either won't take. */
#include "attestation/channel/attested_session.h"
#include "common/base/encode.h"
#include "tests/unit/attestation/channel/attested_room.h"

#include <stdio.h>

/* ---- a client that breaks the rules ---- */

static void fake_client_start(struct rpc_prologue_run *run, void *data)
{
	struct attested_room *room = data;
	struct err e;

	rpc_prologue_set_user(run, room);
	assert_ok(rpc_prologue_send(run, room->script, room->script_len, &e), e);
}

static size_t fake_client_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct attested_room *room = rpc_prologue_user(run);

	room->bytes_behind += len;
	return len;
}

static void fake_closed(struct rpc_prologue_run *run)
{
	struct attested_room *room = rpc_prologue_user(run);

	room->closed++;
}

static const struct rpc_prologue fake_client = { .input_max = 32 << 20,
						 .start = fake_client_start,
						 .bytes = fake_client_bytes,
						 .closed = fake_closed };

/* The server says nothing to that, asks nobody for evidence and hangs up. */
static void server_hangs_up(const uint8_t *script, size_t len, enum kit_mode mode, unsigned asked)
{
	struct attested_room room = { .script = script,
				      .script_len = len,
				      .source = { .mode = mode } };
	struct err e;

	attested_room_open(&room, &(struct attested_setup){ .client = &fake_client });
	assert_int_equal(attested_room_call(&room, &e), -ERR_UNAVAILABLE);
	assert_int_equal(room.bytes_behind, 0);
	assert_int_equal(room.source.asked, asked);
	assert_int_equal(room.source.cancelled, asked);
	assert_int_equal(room.closed, 1);
	attested_room_close(&room);
}

static void clients_that_break_the_rules_are_cut_off(void **state)
{
	static const uint8_t http2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const uint8_t large[] = { 1, 0, 0, 0x10, 0x01 }, empty[] = { 1, 0, 0, 0, 0 };
	static const uint8_t answer[] = { 2, 0, 0, 0, 1, 0 };
	uint8_t frame[3 * EA_REQUEST_MAX], twice[6 * EA_REQUEST_MAX];
	size_t len = attested_room_request('x', frame + EA_FRAME_HEAD);

	server_hangs_up(http2, sizeof(http2) - 1, KIT_GOOD, 0);
	server_hangs_up(large, sizeof(large), KIT_GOOD, 0);
	server_hangs_up(empty, sizeof(empty), KIT_GOOD, 0);
	server_hangs_up(answer, sizeof(answer), KIT_GOOD, 0);

	ea_frame_head(EA_FRAME_REQUEST, len, frame);
	len += EA_FRAME_HEAD;
	/* Two requests; HTTP/2 that does not wait; a byte. */
	memcpy(twice, frame, len);
	memcpy(twice + len, frame, len);
	server_hangs_up(twice, 2 * len, KIT_GOOD, 0);
	memcpy(twice + len, http2, sizeof(http2));
	server_hangs_up(twice, len + sizeof(http2) - 1, KIT_GOOD, 0);
	server_hangs_up(twice, len + 1, KIT_GOOD, 0);
	/* A request that is none. */
	frame[EA_FRAME_HEAD] ^= 1;
	server_hangs_up(frame, len, KIT_GOOD, 0);
	frame[EA_FRAME_HEAD] ^= 1;
	/* Exactly the limit, which is no request either, and nothing hangs. */
	memset(twice, 0, sizeof(twice));
	ea_frame_head(EA_FRAME_REQUEST, EA_REQUEST_MAX, twice);
	server_hangs_up(twice, EA_FRAME_HEAD + EA_REQUEST_MAX, KIT_GOOD, 0);
}

static void talks_on(uv_timer_t *timer)
{
	struct attested_room *room = timer->data;

	if (!room->source.asked)
		return;
	/* Evidence is being made: now the client says more. */
	struct rpc_prologue_run *run = (struct rpc_prologue_run *)room->tail;
	struct err e;

	assert_ok(rpc_prologue_send(run, "P", 1, &e), e);
	uv_timer_stop(timer);
}

static void keep_run(struct rpc_prologue_run *run, void *data)
{
	struct attested_room *room = data;

	fake_client_start(run, data);
	room->tail = (uint8_t *)rpc_prologue_ref(run);
}

static const struct rpc_prologue talking_client = {
	.input_max = 1 << 20, .start = keep_run, .bytes = fake_client_bytes, .closed = fake_closed
};

static void a_client_waits_for_the_answer(void **state)
{
	uint8_t frame[EA_FRAME_HEAD + EA_REQUEST_MAX];
	struct attested_room room = { .script = frame, .source = { .mode = KIT_NEVER } };
	uv_timer_t timer;
	struct err e;

	room.script_len = EA_FRAME_HEAD + attested_room_request('x', frame + EA_FRAME_HEAD);
	ea_frame_head(EA_FRAME_REQUEST, room.script_len - EA_FRAME_HEAD, frame);
	attested_room_open(&room, &(struct attested_setup){ .client = &talking_client });
	uv_timer_init(&room.loop, &timer);
	timer.data = &room;
	uv_timer_start(&timer, talks_on, 1, 1);
	assert_int_equal(attested_room_call(&room, &e), -ERR_UNAVAILABLE);
	assert_int_equal(room.source.cancelled, 1);
	assert_int_equal(room.bytes_behind, 0);
	uv_close((uv_handle_t *)&timer, NULL);
	rpc_prologue_unref((struct rpc_prologue_run *)room.tail);
	attested_room_close(&room);
}

/* ---- a server that breaks the rules ---- */

static void fake_server_start(struct rpc_prologue_run *run, void *data)
{
	rpc_prologue_set_user(run, data);
}

/* Answers like a server of ours would, but for what the test changes. */
static void fake_answer(struct attested_room *room, struct rpc_prologue_run *run)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct authenticator_input input = { .request = room->request + EA_FRAME_HEAD,
					     .request_len = room->request_len - EA_FRAME_HEAD };
	const struct kit_identity *id = room->signs;
	struct authenticator_session session;
	char token[256], hex[2 * BINDING_REPORT_DATA_LEN + 1];
	struct ea_request request;
	struct binding binding;
	struct err e;

	assert_ok(ea_request_parse(input.request, input.request_len, &request, &e), e);
	assert_ok(attested_session_read(rpc_prologue_tls(run), request.context, &session, &e), e);
	assert_ok(binding_channel(session.hash, id->spki, id->spki_len, session.exporter, NULL,
				  &binding, &e),
		  e);
	hex_encode(binding.report_data, sizeof(binding.report_data), hex);
	snprintf(token, sizeof(token), "%s%s", KIT_TOKEN_PREFIX, hex);
	input.leaf_der = id->leaf;
	input.leaf_len = id->leaf_len;
	input.key = id->key;
	input.spki = id->spki;
	input.spki_len = id->spki_len;
	input.evidence = (uint8_t *)token;
	input.evidence_len = strlen(token);
	writer_zeros(&w, EA_FRAME_HEAD);
	assert_ok(authenticator_write(&session, &input, &w, &e), e);
	ea_frame_head(EA_FRAME_AUTHENTICATOR, w.len - EA_FRAME_HEAD, w.bytes);
	writer_bytes(&w, room->tail, room->tail_len);
	assert_ok(rpc_prologue_send(run, w.bytes, w.len - room->cut, &e), e);
}

static size_t fake_server_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct attested_room *room = rpc_prologue_user(run);
	size_t wanted;
	struct err e;

	if (room->request_len) {
		room->bytes_behind += len;
		return len;
	}
	if (len < EA_FRAME_HEAD)
		return 0;
	assert_ok(ea_frame_parse_head(bytes, EA_FRAME_REQUEST, &wanted, &e), e);
	wanted += EA_FRAME_HEAD;
	if (len < wanted)
		return 0;
	assert_int_equal(len, wanted); /* nothing behind the request */
	memcpy(room->request, bytes, wanted);
	room->request_len = wanted;
	if (room->signs)
		fake_answer(room, run);
	else
		assert_ok(rpc_prologue_send(run, room->script, room->script_len, &e), e);
	if (room->cut) {
		err_set(&e, ERR_UNAVAILABLE, "the fake hangs up");
		rpc_prologue_refuse(run, &e);
	}
	return wanted;
}

static const struct rpc_prologue fake_server = { .input_max = 1 << 20,
						 .start = fake_server_start,
						 .bytes = fake_server_bytes,
						 .closed = fake_closed };

static void client_refuses(const uint8_t *script, size_t len, enum err_code code, const char *words)
{
	struct attested_room room = { .script = script, .script_len = len };

	attested_room_open(&room, &(struct attested_setup){ .server = &fake_server });
	attested_room_refuses(&room, code, words);
	assert_int_equal(room.judge.asked, 0);
	attested_room_close(&room);
	assert_int_equal(room.bytes_behind, 0);
}

static void servers_that_break_the_rules_are_refused(void **state)
{
	static const uint8_t settings[] = { 0, 0, 0, 4, 0, 0, 0, 0, 0 };
	static const uint8_t empty[] = { 2, 0, 0, 0, 0 }, large[] = { 2, 1, 0, 0, 1 };
	static const uint8_t request[] = { 1, 0, 0, 0, 1, 0 },
			     rubbish[] = { 2, 0, 0, 0, 3, 1, 2, 3 };

	client_refuses(settings, sizeof(settings), ERR_INVALID, "type 0 where 2 is due");
	client_refuses(empty, sizeof(empty), ERR_INVALID, "0 bytes announced");
	client_refuses(large, sizeof(large), ERR_INVALID, "16777217 bytes announced");
	client_refuses(request, sizeof(request), ERR_INVALID, "type 1 where 2 is due");
	client_refuses(rubbish, sizeof(rubbish), ERR_INVALID, "authenticator:");
}

static void a_server_may_go_on_with_http2_and_nothing_else(void **state)
{
	static const uint8_t second[] = { 2, 0, 0, 0, 1, 0 }, ack[] = { 0, 0, 0, 4, 1, 0, 0, 0, 0 };
	static const struct {
		const uint8_t *bytes;
		size_t len;
	} tails[] = { { second, sizeof(second) }, { second, 1 }, { ack, sizeof(ack) } };

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		struct attested_room room = { .signs = &attested_identity,
					      .tail = (uint8_t *)tails[i].bytes,
					      .tail_len = tails[i].len };

		attested_room_open(&room, &(struct attested_setup){ .server = &fake_server });
		attested_room_refuses(&room, ERR_INVALID, "behind the authenticator");
		attested_room_close(&room);
		assert_int_equal(room.bytes_behind, 0);
	}
}

static void an_authenticator_by_another_key_is_refused(void **state)
{
	struct attested_room room = { .signs = &attested_other };

	attested_room_open(&room, &(struct attested_setup){ .server = &fake_server });
	attested_room_refuses(&room, ERR_DENIED, "not that of the TLS certificate");
	assert_int_equal(room.judge.asked, 0);
	attested_room_close(&room);
}

static void an_authenticator_is_whole_or_none(void **state)
{
	/* Cut anywhere, and then the server hangs up. */
	for (size_t cut = 1; cut < 900; cut += 53) {
		struct attested_room room = { .signs = &attested_identity, .cut = cut };

		attested_room_open(&room, &(struct attested_setup){ .server = &fake_server });
		attested_room_refuses(&room, ERR_UNAVAILABLE, "");
		assert_int_equal(room.judge.asked, 0);
		attested_room_close(&room);
	}
}

static void contexts_are_fresh(void **state)
{
	uint8_t seen[3][EA_CONTEXT_LEN], first[EA_CONTEXT_LEN];
	static const uint8_t rubbish[] = { 2, 0, 0, 0, 1, 0 };
	struct attested_room room = { .script = rubbish, .script_len = sizeof(rubbish) };
	struct ea_request request;
	struct err e;

	memset(first, 7, sizeof(first));
	attested_room_open(
		&room, &(struct attested_setup){ .server = &fake_server, .first_context = first });
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		room.request_len = 0;
		attested_room_refuses(&room, ERR_INVALID, "");
		assert_ok(ea_request_parse(room.request + EA_FRAME_HEAD,
					   room.request_len - EA_FRAME_HEAD, &request, &e),
			  e);
		memcpy(seen[i], request.context, EA_CONTEXT_LEN);
	}
	assert_memory_equal(seen[0], first, EA_CONTEXT_LEN);
	assert_memory_not_equal(seen[1], first, EA_CONTEXT_LEN);
	assert_memory_not_equal(seen[1], seen[2], EA_CONTEXT_LEN);
	attested_room_close(&room);
}

static void an_identity_is_p256_with_its_certificate(void **state)
{
	struct attested_server_config config = { .key = attested_other.key,
						 .leaf_der = attested_identity.leaf,
						 .leaf_len = attested_identity.leaf_len };
	struct attested_server *server = NULL;
	EVP_PKEY *p384 = EVP_EC_gen("P-384");
	struct err e;

	assert_refused(attested_server_new(&config, &server, &e), e, ERR_INVALID,
		       "not a certificate of");
	config.key = attested_identity.key;
	config.leaf_len--;
	assert_refused(attested_server_new(&config, &server, &e), e, ERR_INVALID,
		       "not a certificate of");
	config.key = p384;
	assert_refused(attested_server_new(&config, &server, &e), e, ERR_INVALID, "P-256");
	EVP_PKEY_free(p384);
}

static void frames_are_taken_whole(void **state)
{
	const struct ea_frame_want want = { EA_FRAME_REQUEST, EA_REQUEST_MAX };
	uint8_t bytes[EA_FRAME_HEAD + EA_REQUEST_MAX + 2] = { 0 };
	struct reader payload;
	size_t used;
	struct err e;

	ea_frame_head(EA_FRAME_REQUEST, EA_REQUEST_MAX, bytes);
	for (size_t len = 0; len < EA_FRAME_HEAD + EA_REQUEST_MAX; len++) {
		assert_ok(ea_frame_take(bytes, len, &want, &payload, &used, &e), e);
		assert_int_equal(used, 0);
	}
	assert_ok(ea_frame_take(bytes, sizeof(bytes), &want, &payload, &used, &e), e);
	assert_int_equal(used, EA_FRAME_HEAD + EA_REQUEST_MAX);
	assert_int_equal(reader_left(&payload), EA_REQUEST_MAX);
	ea_frame_head(EA_FRAME_REQUEST, EA_REQUEST_MAX + 1, bytes);
	assert_refused(ea_frame_take(bytes, EA_FRAME_HEAD, &want, &payload, &used, &e), e,
		       ERR_INVALID, "1 to 4096");
	bytes[0] = EA_FRAME_AUTHENTICATOR;
	assert_refused(ea_frame_take(bytes, 1, &want, &payload, &used, &e), e, ERR_INVALID,
		       "type 2 where 1 is due");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_that_break_the_rules_are_cut_off),
		cmocka_unit_test(a_client_waits_for_the_answer),
		cmocka_unit_test(servers_that_break_the_rules_are_refused),
		cmocka_unit_test(a_server_may_go_on_with_http2_and_nothing_else),
		cmocka_unit_test(an_authenticator_by_another_key_is_refused),
		cmocka_unit_test(an_authenticator_is_whole_or_none),
		cmocka_unit_test(contexts_are_fresh),
		cmocka_unit_test(an_identity_is_p256_with_its_certificate),
		cmocka_unit_test(frames_are_taken_whole),
	};

	return cmocka_run_group_tests(tests, attested_identities_make, attested_identities_free);
}
