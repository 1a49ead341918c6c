/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/cvms.h"

#include "agent/core/assembly.h"
#include "agent/journal/journal.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "common/manifest/manifest.h"
#include "common/rpc/stream.h"
#include "common/rpc/trace.h"
#include "cvms_paths.h"

#include <stdlib.h>
#include <string.h>

struct cvms {
	struct cvms_options options;
	struct rpc_channel *channel;
	struct rpc_stream *stream;
	/* Over the next certificate, until it takes the place of these two. */
	struct rpc_channel *next_channel;
	struct rpc_stream *next_stream;
	struct assembly assembly;
	uv_timer_t retry, confirm, handover, progress;
	unsigned handles; /* timers that are not closed */
	uint64_t opened_ms;
	unsigned backoff_ms;
	uint64_t mark;       /* what the open question is about */
	bool keeps_journals; /* it said so on this stream */
	bool knows_progress; /* it was told on this stream */
	bool leaving;        /* the service asked us to go; after what is queued */
	bool freed;
};

static const struct rpc_method process = {
	.path = PROTO_CVMS_PROCESS,
	.kind = RPC_BIDI,
	.request = &cvms__client_stream_message__descriptor,
	.response = &cvms__server_stream_message__descriptor,
};

static void call(struct cvms *cvms);
static void replace_channel(struct cvms *cvms);
static void on_handover(uv_timer_t *timer);

static void on_retry(uv_timer_t *timer)
{
	call(timer->data);
}

/* Between half of the back-off and the whole, so that agents do not come in step. */
static void retry_later(struct cvms *cvms)
{
	uint32_t random = 0;
	uint64_t half = cvms->backoff_ms / 2, wait;
	struct err e;

	if (random_bytes(&random, sizeof(random), &e) < 0)
		random = 0;
	wait = half + random % (half + 1);
	if (cvms->backoff_ms < CVMS_BACKOFF_MAX_MS / 2)
		cvms->backoff_ms *= 2;
	else
		cvms->backoff_ms = CVMS_BACKOFF_MAX_MS;
	uv_timer_start(&cvms->retry, on_retry, wait, 0);
}

/* Once nothing waits any more, asks the service's stack whether all has arrived. */
static void on_confirm(uv_timer_t *timer)
{
	struct cvms *cvms = timer->data;
	struct err e;

	if (!cvms->stream || rpc_stream_ping(cvms->stream, &e) < 0)
		return; /* output waits, or an answer is due: in a moment again */
	cvms->mark = postbox_mark(cvms->options.postbox);
	uv_timer_stop(timer);
}

static void start_confirming(struct cvms *cvms)
{
	if (!uv_is_active((uv_handle_t *)&cvms->confirm))
		uv_timer_start(&cvms->confirm, on_confirm, CVMS_PING_MS, CVMS_PING_MS);
}

static void on_arrived(struct rpc_stream *stream)
{
	struct cvms *cvms = rpc_stream_user(stream);

	if (stream != cvms->stream)
		return;
	postbox_confirm(cvms->options.postbox, cvms->mark);
	if (cvms->leaving)
		rpc_stream_cancel(stream);
	else if (postbox_mark(cvms->options.postbox))
		start_confirming(cvms);
}

/* ---- what the service says ---- */

static void take_whole_manifest(struct cvms *cvms, const Cvms__ComputationRunReq *manifest)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	/* Packed again with what the decoder did not know, so that the one strict way judges it. */
	if (manifest_encode(manifest, &bytes, &len, &e) < 0)
		log_error("manifest: %s", e.text);
	else
		cvms->options.handlers->manifest(cvms->options.data,
						 (struct postbox_subject){ manifest->id, 0 }, bytes,
						 len);
}

static void take_chunk(struct cvms *cvms, const Cvms__RunReqChunks *chunk)
{
	const struct postbox_subject subject = { chunk->id, chunk->attempt };
	const struct cvms_options *o = &cvms->options;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len = 0;
	bool complete;
	struct err e;

	if (assembly_add(&cvms->assembly, chunk, &complete, &bytes, &len, &e) < 0)
		o->handlers->spoiled(o->data, subject, &e);
	else if (complete && !o->handlers->manifest(o->data, subject, bytes, len))
		assembly_forgive(&cvms->assembly);
}

static void on_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	struct cvms *cvms = rpc_stream_user(stream);
	const Cvms__ServerStreamMessage *m = (const Cvms__ServerStreamMessage *)message;
	const struct cvms_handlers *handlers = cvms->options.handlers;
	void *data = cvms->options.data;

	if (stream != cvms->stream)
		return; /* what comes is asked again where we went over to */
	switch (m->message_case) {
	case CVMS__SERVER_STREAM_MESSAGE__MESSAGE_RUN_REQ_CHUNKS:
		take_chunk(cvms, m->runreqchunks);
		break;
	case CVMS__SERVER_STREAM_MESSAGE__MESSAGE_RUN_REQ:
		take_whole_manifest(cvms, m->runreq);
		break;
	case CVMS__SERVER_STREAM_MESSAGE__MESSAGE_STOP_COMPUTATION:
		handlers->stop(data, m->stopcomputation->computation_id);
		break;
	case CVMS__SERVER_STREAM_MESSAGE__MESSAGE_AGENT_STATE_REQ:
		handlers->state(data, m->agentstatereq->id);
		break;
	case CVMS__SERVER_STREAM_MESSAGE__MESSAGE_DISCONNECT_REQ:
		handlers->say(data, "INFO", "the computation service asked to disconnect");
		cvms->leaving = true;
		start_confirming(cvms);
		break;
	case CVMS__SERVER_STREAM_MESSAGE__MESSAGE_ATTESTATION_REQ:
		handlers->evidence(data, m->attestationreq->nonce.data,
				   m->attestationreq->nonce.len, m->attestationreq->type);
		break;
	case CVMS__SERVER_STREAM_MESSAGE__MESSAGE_JOURNAL_ACK:
		journal_acknowledge(cvms->options.journal, m->journal_ack);
		break;
	default:
		handlers->say(data, "WARN", "a message of a kind that this agent does not know");
	}
}

/* ---- the connection ---- */

/* What was sent and has not been confirmed is sent again. */
static void start_over(struct cvms *cvms)
{
	uv_timer_stop(&cvms->confirm);
	uv_timer_stop(&cvms->progress);
	postbox_rewind(cvms->options.postbox);
	journal_rewind(cvms->options.journal);
	assembly_reset(&cvms->assembly);
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct cvms *cvms = rpc_stream_user(stream);

	if (cvms->freed)
		return;
	if (stream == cvms->next_stream) {
		cvms->next_stream = NULL;
		uv_timer_start(&cvms->handover, on_handover, CVMS_BACKOFF_MAX_MS, CVMS_HANDOVER_MS);
		log_warn(
			"computation service %s: with the next certificate: %s: %s; the connection "
			"with the earlier one stays",
			rpc_channel_target(cvms->channel), err_code_name(status->code),
			status->code == ERR_OK ? "it ended the stream" : status->text);
		return;
	}
	if (stream != cvms->stream)
		return; /* another one has its place */
	cvms->stream = NULL;
	start_over(cvms);
	if (uv_now(cvms->options.loop) - cvms->opened_ms >= CVMS_CALM_MS)
		cvms->backoff_ms = CVMS_BACKOFF_MIN_MS;
	log_warn("computation service %s: %s: %s; calling again", rpc_channel_target(cvms->channel),
		 err_code_name(status->code),
		 status->code == ERR_OK ? "it ended the stream" : status->text);
	retry_later(cvms);
}

/* Nothing waits for it: one that finds no room is told when there is some, as it is then. */
static void on_progress(uv_timer_t *timer)
{
	struct cvms *cvms = timer->data;
	const Cvms__ClientStreamMessage *m;
	struct err e;

	if (cvms->leaving || !rpc_stream_is_open(cvms->stream) ||
	    rpc_stream_queued(cvms->stream) >= RPC_HIGH_WATER)
		return;
	m = cvms->options.handlers->progress(cvms->options.data, !cvms->knows_progress);
	if (m)
		cvms->knows_progress = rpc_stream_send(cvms->stream, &m->base, &e) == 0;
}

static bool says(const struct rpc_stream *stream, const char *key)
{
	const char *text = rpc_metadata_text(rpc_stream_headers(stream), key, 0);

	return text && strcmp(text, "1") == 0;
}

static void on_headers(struct rpc_stream *stream)
{
	struct cvms *cvms = rpc_stream_user(stream);

	if (stream == cvms->next_stream)
		replace_channel(cvms);
	if (stream != cvms->stream)
		return;
	log_info("computation service %s: connected", rpc_channel_target(cvms->channel));
	cvms->keeps_journals = says(stream, "cocos-journal");
	cvms->knows_progress = false;
	if (says(stream, "cocos-progress"))
		uv_timer_start(&cvms->progress, on_progress, 0, CVMS_PROGRESS_MS);
	cvms_flush(cvms);
}

static void on_writable(struct rpc_stream *stream)
{
	cvms_flush(rpc_stream_user(stream));
}

static const struct rpc_stream_events events = {
	.headers = on_headers,
	.message = on_message,
	.writable = on_writable,
	.arrived = on_arrived,
	.closed = on_closed,
};

static int open_stream(struct cvms *cvms, struct rpc_channel *channel, struct rpc_stream **stream,
		       struct err *e)
{
	struct rpc_metadata metadata = { 0 };
	const struct rpc_stream_options options = { .metadata = &metadata, .user = cvms };
	const char *id = cvms->options.config->cvm_id;
	int failed = rpc_metadata_add(&metadata, "job-id", id ? id : "", e);

	if (!failed)
		failed = rpc_stream_open(channel, &process, &events, &options, stream, e);
	rpc_metadata_done(&metadata);
	return failed;
}

static void begin(struct cvms *cvms)
{
	cvms->opened_ms = uv_now(cvms->options.loop);
	cvms->leaving = false;
	cvms->keeps_journals = false;
}

static void call(struct cvms *cvms)
{
	struct log_about about = { 0 };
	struct err e;

	/* All that no caller asks for comes from the service, and has one trace with what it says of it. */
	trace_begin(&about, NULL);
	log_about_else(&about);
	begin(cvms);
	if (open_stream(cvms, cvms->channel, &cvms->stream, &e) < 0) {
		log_error("computation service: %s", e.text);
		retry_later(cvms);
		return;
	}
	cvms_flush(cvms);
}

/* ---- the next certificate ---- */

/* Goes over to the next certificate's channel, and to the stream on it. */
static void replace_channel(struct cvms *cvms)
{
	struct rpc_channel *old = cvms->channel;

	uv_timer_stop(&cvms->handover);
	uv_timer_stop(&cvms->retry);
	cvms->channel = TAKE_PTR(cvms->next_channel);
	cvms->stream = TAKE_PTR(cvms->next_stream);
	start_over(cvms);
	begin(cvms);
	rpc_channel_free(old); /* its stream closes, and is nobody's any more */
	log_info("computation service %s: the next certificate's connection took over",
		 rpc_channel_target(cvms->channel));
	cvms_flush(cvms);
}

/* A service may say nothing before it has something to say (RPC_BIDI): then that the connection is there, and was not
 * refused for a while, has to do. */
static void on_handover(uv_timer_t *timer)
{
	struct cvms *cvms = timer->data;
	struct err e;

	if (cvms->next_stream && rpc_channel_is_ready(cvms->next_channel)) {
		replace_channel(cvms);
		return;
	}
	if (!cvms->next_stream && open_stream(cvms, cvms->next_channel, &cvms->next_stream, &e) < 0)
		log_error("computation service: %s", e.text);
}

/* After what any service is told. */
static void flush_journal(struct cvms *cvms)
{
	struct journal *journal = cvms->options.journal;
	const Cvms__ClientStreamMessage *m;
	struct err e;

	while (cvms->keeps_journals && rpc_stream_is_open(cvms->stream) &&
	       rpc_stream_queued(cvms->stream) < RPC_HIGH_WATER && (m = journal_next(journal))) {
		if (rpc_stream_send(cvms->stream, &m->base, &e) < 0)
			return;
		journal_handed(journal);
	}
}

void cvms_flush(struct cvms *cvms)
{
	struct postbox *box;
	const Cvms__ClientStreamMessage *m;
	struct err e;

	if (!cvms || !cvms->stream || cvms->leaving)
		return;
	box = cvms->options.postbox;
	while (rpc_stream_is_open(cvms->stream) &&
	       rpc_stream_queued(cvms->stream) < RPC_HIGH_WATER && (m = postbox_next(box))) {
		if (rpc_stream_send(cvms->stream, &m->base, &e) < 0)
			return; /* it closes, and what was not sent waits */
		postbox_handed(box);
		start_confirming(cvms);
	}
	flush_journal(cvms);
}

void cvms_forget_manifest(struct cvms *cvms)
{
	if (cvms)
		assembly_reset(&cvms->assembly);
}

/* With the certificate that the authority has issued, or the one of the boot configuration. */
static int make_channel(const struct cvms_options *o, const struct cvms_certificate *issued,
			struct rpc_channel **channel, struct err *e)
{
	const struct config *config = o->config;
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_channel_config c = { .target = config->cvm_url,
					.connect_ms = (unsigned)config->cvm_timeout_ms };
	int failed = 0;

	if (config->cvm_ca || config->cvm_cert) {
		const struct rpc_tls_config t = {
			.cert = issued ? issued->chain_pem : config_pem(config, config->cvm_cert),
			.key = config_pem(config, config->cvm_key),
			.pkey = issued ? issued->key : NULL,
			.ca = config_pem(config, config->cvm_ca),
		};

		failed = rpc_tls_new_client(&t, &tls, e);
	}
	c.tls = tls;
	if (!failed)
		failed = rpc_channel_new(o->loop, &c, channel, e);
	return failed ? err_wrap(e, "AGENT_CVM_GRPC_URL '%s'", config->cvm_url) : 0;
}

int cvms_start(const struct cvms_options *options, const struct cvms_certificate *issued,
	       struct cvms **cvms, struct err *e)
{
	struct cvms *made = calloc(1, sizeof(*made));
	uv_timer_t *timers[] = { &made->retry, &made->confirm, &made->handover, &made->progress };
	int failed;

	if (!made)
		return err_nomem(e);
	made->options = *options;
	made->backoff_ms = CVMS_BACKOFF_MIN_MS;
	assembly_init(&made->assembly);
	failed = make_channel(options, issued, &made->channel, e);
	if (failed) {
		free(made);
		return failed;
	}
	made->handles = ARRAY_LEN(timers);
	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		uv_timer_init(options->loop, timers[i]);
		timers[i]->data = made;
	}
	*cvms = made;
	call(made);
	return 0;
}

int cvms_go_over(struct cvms *cvms, const struct cvms_certificate *issued, struct err *e)
{
	struct rpc_channel *channel = NULL;

	if (make_channel(&cvms->options, issued, &channel, e) < 0)
		return err_code(e);
	if (cvms->next_channel) { /* of a certificate that this one renews */
		cvms->next_stream = NULL;
		rpc_channel_free(TAKE_PTR(cvms->next_channel));
	}
	cvms->next_channel = channel;
	uv_timer_start(&cvms->handover, on_handover, 0, CVMS_HANDOVER_MS);
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct cvms *cvms = handle->data;

	if (--cvms->handles == 0)
		free(cvms);
}

void cvms_free(struct cvms *cvms)
{
	cvms->freed = true;
	rpc_channel_free(cvms->channel);
	if (cvms->next_channel)
		rpc_channel_free(cvms->next_channel);
	assembly_reset(&cvms->assembly);
	uv_close((uv_handle_t *)&cvms->retry, on_handle_closed);
	uv_close((uv_handle_t *)&cvms->confirm, on_handle_closed);
	uv_close((uv_handle_t *)&cvms->handover, on_handle_closed);
	uv_close((uv_handle_t *)&cvms->progress, on_handle_closed);
}
