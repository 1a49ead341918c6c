/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/attested_client.h"

#include "attestation/channel/attested_judge.h"

#include <string.h>

/* One connection. */
struct attested_link {
	struct attested_client *client;
	struct attested_question question;
	bool is_judged; /* and found good */
};

/* RFC 9113, sections 3.4, 4.1 and 6.5: a server's first frame is SETTINGS, without ACK, on stream
 * 0, of whole settings. Only as much as is there can be compared. */
static bool may_be_http2(const uint8_t *bytes, size_t len)
{
	static const struct {
		uint8_t value, mask;
	} head[] = { { 0x00, 0xff }, { 0x00, 0xc0 }, { 0x00, 0x00 }, { 0x04, 0xff }, { 0x00, 0x01 },
		     { 0x00, 0x7f }, { 0x00, 0xff }, { 0x00, 0xff }, { 0x00, 0xff } };

	for (size_t i = 0; i < len && i < ARRAY_LEN(head); i++)
		if ((bytes[i] & head[i].mask) != head[i].value)
			return false;
	return true;
}

static void client_start(struct rpc_prologue_run *run, void *data)
{
	struct attested_link *link = calloc(1, sizeof(*link));
	uint8_t head[EA_FRAME_HEAD];
	struct err e;

	if (!link) {
		err_nomem(&e);
		rpc_prologue_refuse(run, &e);
		return;
	}
	link->client = attested_client_ref(data);
	rpc_prologue_set_user(run, link);
	if (attested_question_ask(link->client, rpc_prologue_tls(run), &link->question, &e) < 0) {
		rpc_prologue_refuse(run, &e);
		return;
	}
	ea_frame_head(EA_FRAME_REQUEST, link->question.request_len, head);
	if (rpc_prologue_send(run, head, sizeof(head), &e) < 0 ||
	    rpc_prologue_send(run, link->question.request, link->question.request_len, &e) < 0)
		rpc_prologue_refuse(run, &e);
	else
		attested_client_wait(link->client, true);
}

static void on_judged(void *data, const struct err *failed)
{
	struct rpc_prologue_run *run = data;
	struct attested_link *link;

	if (rpc_prologue_is_open(run)) {
		link = rpc_prologue_user(run);
		if (failed) {
			rpc_prologue_refuse(run, failed);
		} else {
			link->is_judged = true;
			rpc_prologue_hold(run, false); /* what came behind is looked at first */
			rpc_prologue_pass(run);
		}
	}
	rpc_prologue_unref(run);
}

/* What comes after the authenticator once that is found good. */
static size_t look_behind(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct err e;

	if (!may_be_http2(bytes, len)) {
		err_set(&e, ERR_INVALID,
			"attested TLS: bytes behind the authenticator that are not HTTP/2");
		rpc_prologue_refuse(run, &e);
	}
	return 0;
}

/* Held while it is judged, so that a server that hangs up does not hide the reason for a refusal.
 */
static size_t client_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	static const struct ea_frame_want want = { EA_FRAME_AUTHENTICATOR, EA_FRAME_MAX };
	struct attested_link *link = rpc_prologue_user(run);
	struct reader authenticator;
	size_t used = 0;
	struct err e;

	if (link->is_judged)
		return look_behind(run, bytes, len);
	if (ea_frame_take(bytes, len, &want, &authenticator, &used, &e) < 0)
		goto refused;
	if (!used)
		return 0;
	attested_client_wait(link->client, false);
	rpc_prologue_hold(run, true);
	if (attested_judge(link->client, &link->question, authenticator.pos,
			   reader_left(&authenticator), on_judged, rpc_prologue_ref(run), &e) < 0) {
		rpc_prologue_unref(run);
		goto refused;
	}
	return used;
refused:
	attested_client_wait(link->client, false);
	err_wrap(&e, "attested TLS");
	rpc_prologue_refuse(run, &e);
	return 0;
}

static void client_closed(struct rpc_prologue_run *run)
{
	struct attested_link *link = rpc_prologue_user(run);

	if (!link)
		return;
	attested_question_done(&link->question);
	attested_client_free(link->client);
	free(link);
}

const struct rpc_prologue attested_client_prologue = {
	/* An authenticator, and what a server may already say of HTTP/2. */
	.input_max = EA_FRAME_HEAD + EA_FRAME_MAX + (1 << 20),
	.start = client_start,
	.bytes = client_bytes,
	.closed = client_closed,
};
