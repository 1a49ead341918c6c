/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/certificate/ca_client.h"

#include "agent/certificate/ca_request.h"
#include "agent/evidence/evidence.h"
#include "certificates_paths.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/manifest/issue_evidence.h"
#include "common/rpc/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ca_client {
	struct ca_client_options options;
	struct ca_place place;
	struct rpc_tls *tls;
	uv_timer_t timer;

	/* One question. */
	struct evidence_request *proving;
	struct rpc_channel *channel;
	struct ca_request request;
	struct ca_issued answer; /* cert NULL: none that is believed */
	struct err failed;       /* code ERR_OK: it has not */
	bool refused_here;       /* by us: it came, and is not believed */

	struct ca_issued held; /* cert NULL: there is none yet */
	int64_t due;           /* s since 1970: the next question */
	unsigned backoff_ms;
	bool ended; /* that the held one has was said */
	bool over;  /* nothing is asked any more */
	bool freed;
};

#define METHOD(path_, request_)                               \
	{ .path = path_,                                      \
	  .kind = RPC_UNARY,                                  \
	  .request = &certificates__##request_##__descriptor, \
	  .response = &certificates__issue_response__descriptor }

static const struct rpc_method issue = METHOD(PROTO_CERTIFICATES_ISSUE, issue_request);
static const struct rpc_method renew = METHOD(PROTO_CERTIFICATES_RENEW, renew_request);

static int64_t now_s(void)
{
	return clock_ms(CLOCK_REALTIME) / 1000;
}

int64_t ca_renewal_due(const struct ca_issued *issued, int64_t now)
{
	const int64_t due = issued->from + (issued->until - issued->from) / 3 * 2;

	return due > now + CA_RENEWAL_GAP_S ? due : now + CA_RENEWAL_GAP_S;
}

bool ca_may_pass(enum err_code code)
{
	switch (code) {
	case ERR_CANCELLED:
	case ERR_UNKNOWN:
	case ERR_DEADLINE:
	case ERR_EXHAUSTED:
	case ERR_ABORTED:
	case ERR_INTERNAL:
	case ERR_UNAVAILABLE:
		return true;
	default:
		return false;
	}
}

static void say(const struct ca_client *c, const char *level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void say(const struct ca_client *c, const char *level, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX + 256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	c->options.events->say(c->options.data, level, text);
}

/* ---- when ---- */

static void ask(struct ca_client *c);
static void wait_for_renewal(struct ca_client *c);

static void on_ask(uv_timer_t *timer)
{
	ask(timer->data);
}

/* Between half of the back-off and the whole, so that agents do not come in step. */
static uint64_t backoff(struct ca_client *c)
{
	const unsigned most = c->held.cert ? CA_RENEWAL_BACKOFF_MAX_MS : CA_BACKOFF_MAX_MS;
	const uint64_t half = c->backoff_ms / 2;
	uint32_t random = 0;
	struct err e;

	if (random_bytes(&random, sizeof(random), &e) < 0)
		random = 0;
	c->backoff_ms = c->backoff_ms < most / 2 ? c->backoff_ms * 2 : most;
	return half + random % (half + 1);
}

static void on_look(uv_timer_t *timer)
{
	struct ca_client *c = timer->data;

	if (now_s() >= c->due)
		ask(c);
	else
		wait_for_renewal(c);
}

static void wait_for_renewal(struct ca_client *c)
{
	const int64_t left = (c->due - now_s()) * 1000;

	uv_timer_start(&c->timer, on_look,
		       left <= 0           ? 0
		       : left < CA_LOOK_MS ? (uint64_t)left
					   : CA_LOOK_MS,
		       0);
}

/* ---- what came of a question ---- */

static void take(struct ca_client *c)
{
	const bool first = !c->held.cert;
	char until[TIMESTAMP_TEXT_MAX], due[TIMESTAMP_TEXT_MAX];

	ca_issued_done(&c->held);
	c->held = c->answer;
	c->answer = (struct ca_issued){ 0 };
	explicit_bzero(c->place.token, sizeof(c->place.token)); /* it works once */
	c->backoff_ms = CA_BACKOFF_MIN_MS;
	c->due = ca_renewal_due(&c->held, now_s());
	timestamp_format(c->held.until, until);
	timestamp_format(c->due, due);
	c->options.events->have(c->options.data, &c->held);
	say(c, "INFO", "certificate %s of agent '%s' %s, until %s; the next one at %s",
	    c->held.serial, c->place.name, first ? "issued" : "is a renewal", until, due);
	wait_for_renewal(c);
}

static void give_up(struct ca_client *c)
{
	c->over = true;
	explicit_bzero(c->place.token, sizeof(c->place.token));
	c->options.events->refused(c->options.data, &c->failed);
}

static void try_again(struct ca_client *c)
{
	const uint64_t wait = backoff(c);
	char until[TIMESTAMP_TEXT_MAX];

	if (c->held.cert && now_s() >= c->held.until) {
		c->over = true;
		timestamp_format(c->held.until, until);
		say(c, "ERROR",
		    "certificate %s ended at %s and was not renewed: %s; this agent needs a new "
		    "token, and with it a new start",
		    c->held.serial, until, c->failed.text);
		return;
	}
	say(c, "WARN", "%s of a certificate by %s: %s: %s; trying again in %u s",
	    c->held.cert ? "renewal" : "issue", c->place.target, err_code_name(c->failed.code),
	    c->failed.text, (unsigned)(wait / 1000 + 1));
	uv_timer_start(&c->timer, on_ask, wait, 0);
}

/* After the stream's last event: its channel may go. */
static void on_settled(uv_timer_t *timer)
{
	struct ca_client *c = timer->data;

	if (c->channel)
		rpc_channel_free(TAKE_PTR(c->channel));
	ca_request_done(&c->request);
	if (c->answer.cert)
		take(c);
	else if (!c->held.cert && (c->refused_here || !ca_may_pass(c->failed.code)))
		give_up(c);
	else
		try_again(c);
}

static void settle(struct ca_client *c)
{
	uv_timer_start(&c->timer, on_settled, 0, 0);
}

static void on_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	struct ca_client *c = rpc_stream_user(stream);
	const struct ca_wish wish = { .key = c->request.key,
				      .name = c->place.name,
				      .before = c->held.cert ? &c->held : NULL,
				      .now = now_s() };

	ca_issued_done(&c->answer);
	c->refused_here = ca_answer_read((const Certificates__IssueResponse *)message, &wish,
					 &c->answer, &c->failed) < 0;
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct ca_client *c = rpc_stream_user(stream);

	if (c->freed)
		return;
	if (status->code != ERR_OK) {
		/* Whatever came before it is no answer. */
		ca_issued_done(&c->answer);
		c->refused_here = false;
		err_set(&c->failed, status->code, "%s",
			log_quote_bytes(status->text, strlen(status->text)).text);
	} else if (!c->answer.cert && !c->refused_here) {
		err_set(&c->failed, ERR_INTERNAL, "there was no answer");
	}
	settle(c);
}

static const struct rpc_stream_events events = {
	.message = on_message,
	.closed = on_closed,
};

/* ---- a question ---- */

static int open_channel(struct ca_client *c, struct err *e)
{
	struct rpc_limits limits = rpc_limits_default();
	const struct rpc_channel_config config = { .target = c->place.target,
						   .tls = c->tls,
						   .connect_ms = c->options.timeout_ms,
						   .limits = &limits };

	limits.message_max = CA_MESSAGE_MAX;
	return rpc_channel_new(c->options.loop, &config, &c->channel, e);
}

static int send_question(struct ca_client *c, struct err *e)
{
	const struct ca_issued *before = c->held.cert ? &c->held : NULL;
	const struct rpc_stream_options options = { .timeout_ms = c->options.timeout_ms,
						    .user = c };
	struct rpc_stream *stream;

	if (open_channel(c, e) < 0 || rpc_stream_open(c->channel, before ? &renew : &issue, &events,
						      &options, &stream, e) < 0)
		return err_code(e);
	/* If that fails the stream closes, and says so. */
	if (rpc_stream_send(stream, before ? &c->request.renew.base : &c->request.issue.base, e) <
	    0)
		rpc_stream_cancel(stream);
	return 0;
}

/* The token and what makes it this machine's, which the authority may want. */
static void on_evidence(void *data, const uint8_t *token, size_t len, const struct err *e)
{
	struct ca_client *c = data;

	c->proving = NULL;
	if (e)
		c->failed = *e;
	else
		c->request.issue.evidence =
			(ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)token };
	if (e || send_question(c, &c->failed) < 0)
		settle(c);
	c->request.issue.evidence = (ProtobufCBinaryData){ 0, NULL }; /* it was lent */
}

/* Signed first: it is of this question, whatever becomes of the evidence. */
static int prove(struct ca_client *c, struct err *e)
{
	const struct ca_client_options *o = &c->options;
	struct ca_request *r = &c->request;
	const struct span pkcs10 = { r->issue.request.data, r->issue.request.len };
	struct issue_evidence about;
	const struct binding_nonce nonce = { .type = o->evidence_type,
					     .tee = about.nonce,
					     .tee_len = sizeof(about.nonce) };

	r->issue.identity =
		(ProtobufCBinaryData){ o->spki.len, (uint8_t *)(uintptr_t)o->spki.bytes };
	r->issue.signature.data = r->signature;
	if (issue_evidence_make(c->place.token, pkcs10, &about, e) < 0 ||
	    key_sign(o->identity, false, about.message, sizeof(about.message), r->signature,
		     &r->issue.signature.len, e) < 0)
		return err_code(e);
	c->proving = evidence_nonce(o->evidence, NULL, &nonce, on_evidence, c, e);
	return c->proving ? 0 : err_code(e);
}

static void ask(struct ca_client *c)
{
	const struct ca_issued *before = c->held.cert ? &c->held : NULL;
	struct err *e = &c->failed;

	c->refused_here = false;
	*e = (struct err){ .code = ERR_OK };
	if (ca_request_make(&c->place, before, &c->request, e) < 0 ||
	    (before || !c->options.evidence ? send_question(c, e) : prove(c, e)) < 0)
		settle(c);
}

/* ---- its life ---- */

int ca_client_start(const struct ca_client_options *options, struct ca_client **client,
		    struct err *e)
{
	struct ca_client *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(e);
	c->options = *options;
	c->place = *options->place;
	c->backoff_ms = CA_BACKOFF_MIN_MS;
	if (rpc_tls_new_client(&(struct rpc_tls_config){ .ca = options->ca }, &c->tls, e) < 0) {
		ca_place_wipe(&c->place);
		free(c);
		return err_wrap(e, "AGENT_CVM_CA_URL");
	}
	uv_timer_init(options->loop, &c->timer);
	c->timer.data = c;
	*client = c;
	ask(c);
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct ca_client *c = handle->data;

	rpc_tls_free(c->tls);
	ca_request_done(&c->request);
	ca_issued_done(&c->answer);
	ca_issued_done(&c->held);
	ca_place_wipe(&c->place);
	free(c);
}

void ca_client_free(struct ca_client *c)
{
	if (!c)
		return;
	c->freed = true;
	evidence_cancel(TAKE_PTR(c->proving));
	if (c->channel)
		rpc_channel_free(TAKE_PTR(c->channel));
	uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}
