/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side of the keeper: its process, the packets to and from it, and each request that
 * keeper.h has. */
#include "agent/keeper/keeper.h"
#include "agent/keeper/keeper_call.h"
#include "agent/keeper/keeper_protocol.h"
#include "agent/process/child.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PATIENCE_MS = 60000, /* a TPM that takes longer for one command will not come back */
	KEEPER_CALLS_MAX = 16,
};

struct keeper {
	uv_process_t process;
	uv_poll_t poll;
	uv_timer_t timer;
	int sock;
	int open_handles;
	bool freed, dead;
	bool exited; /* or it was never ours to wait for */
	unsigned int vmpl;
	uint32_t next_number;
	struct keeper_call calls[KEEPER_CALLS_MAX]; /* answered in this order */
	size_t count;
	void (*died)(void *data);
	void *died_data;
	struct keeper_facts facts;
	uint8_t packet[KEEPER_ANSWER_HEAD_LEN + KEEPER_PIECE_MAX + 1];
	struct writer answer; /* the pieces so far */
};

static void handle_closed(uv_handle_t *handle)
{
	struct keeper *keeper = handle->data;

	if (--keeper->open_handles > 0)
		return;
	if (keeper->sock >= 0)
		close(keeper->sock);
	writer_done(&keeper->answer);
	free(keeper);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

/* The callbacks may ask again (and are refused) or free the keeper. */
static void fail_all(struct keeper *keeper, const char *why)
{
	struct keeper_call calls[KEEPER_CALLS_MAX];
	size_t count = keeper->count;
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "keeper: %s", why);
	keeper->dead = true;
	keeper->count = 0;
	uv_poll_stop(&keeper->poll);
	uv_timer_stop(&keeper->timer);
	memcpy(calls, keeper->calls, sizeof(calls));
	for (size_t i = 0; i < count && !keeper->freed; i++)
		keeper_call_fail(&calls[i], &e);
	if (!keeper->freed && keeper->died)
		keeper->died(keeper->died_data);
}

/* Nothing is freed before this returns: handles close in a later turn of the loop. */
static void on_exit_(uv_process_t *process, int64_t status, int signal_number)
{
	struct keeper *keeper = process->data;

	keeper->exited = true;
	if (!keeper->freed && !keeper->dead) {
		log_error("keeper: ended (status %lld, signal %d)", (long long)status,
			  signal_number);
		fail_all(keeper, "its process has ended");
	}
	if (keeper->freed)
		close_handle((uv_handle_t *)process);
}

static void give_up(struct keeper *keeper, const char *why)
{
	if (keeper->dead)
		return;
	log_error("keeper: %s", why);
	if (!keeper->exited)
		uv_process_kill(&keeper->process, SIGKILL);
	fail_all(keeper, why);
}

static void on_patience_over(uv_timer_t *timer)
{
	give_up(timer->data, "no answer within 60 s");
}

/* The whole answer to the first that waits. */
static void deliver(struct keeper *keeper, enum err_code code)
{
	CLEANUP_WRITER struct writer content = keeper->answer;
	struct keeper_call first = keeper->calls[0];
	struct err e;

	keeper->answer = writer_up_to(KEEPER_CONTENT_MAX);
	keeper->count--;
	memmove(keeper->calls, keeper->calls + 1, keeper->count * sizeof(first));
	if (keeper->count == 0)
		uv_timer_stop(&keeper->timer);
	if (code != ERR_OK) {
		err_set(&e, code, "%.*s", (int)content.len,
			content.len ? (const char *)content.bytes : "");
		keeper_call_fail(&first, &e);
		return;
	}
	if (keeper_call_answer(&keeper->facts, &first, content.bytes, content.len) || keeper->freed)
		return;
	err_set(&e, ERR_UNAVAILABLE, "keeper: malformed answer");
	keeper_call_fail(&first, &e);
	if (!keeper->freed)
		give_up(keeper, "malformed answer");
}

/* One packet: a piece of the first answer that is due. */
static void take_packet(struct keeper *keeper, size_t len)
{
	struct reader in = reader_over(keeper->packet, len);
	uint32_t number = reader_be32(&in);
	uint8_t code = reader_u8(&in), more = reader_u8(&in);
	size_t left = reader_left(&in);

	if (!reader_ok(&in) || more > 1 || keeper->count == 0 ||
	    number != keeper->calls[0].number) {
		give_up(keeper, "it answers what nobody asked");
		return;
	}
	writer_bytes(&keeper->answer, reader_take(&in, left), left);
	uv_timer_start(&keeper->timer, on_patience_over, PATIENCE_MS, 0);
	if (keeper->answer.bad)
		give_up(keeper, "an answer without end");
	else if (!more)
		deliver(keeper, code);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct keeper *keeper = poll->data;
	ssize_t n = status < 0 ? 0 : recv(keeper->sock, keeper->packet, sizeof(keeper->packet), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		give_up(keeper, "its process has closed the socket");
	else
		take_packet(keeper, (size_t)n);
}

static int take_socket(struct keeper *keeper, int sock, struct err *e)
{
	if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0)
		return err_errno(e, "keeper: its socket");
	keeper->sock = sock;
	keeper->exited = true;
	return 0;
}

static int start_process(struct keeper *keeper, uv_loop_t *loop,
			 const struct keeper_options *options, struct err *e)
{
	const struct {
		const char *word, *value;
	} words[] = { { "--tcti", options->tcti },
		      { "--tsm", options->tsm },
		      { "--securityfs", options->securityfs } };
	const char *args[CHILD_ARGS_MAX + 1] = { "keeper" };
	size_t count = 1;

	if (options->development)
		args[count++] = "--development";
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!words[i].value)
			continue;
		args[count++] = words[i].word;
		args[count++] = words[i].value;
	}
	const struct child_options child = {
		.program = options->program,
		.args = args,
		.out = STDERR_FILENO,
		.err = STDERR_FILENO,
	};
	return child_start(loop, &keeper->process, &child, on_exit_, &keeper->sock, e);
}

int keeper_start(uv_loop_t *loop, const struct keeper_options *options, struct keeper **out,
		 struct err *e)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return err_nomem(e);
	keeper->sock = -1;
	keeper->facts.platform = EVIDENCE_NONE;
	keeper->answer = writer_up_to(KEEPER_CONTENT_MAX);
	keeper->process.data = keeper->poll.data = keeper->timer.data = keeper;
	keeper->vmpl = options->vmpl;
	if ((options->sock ? take_socket(keeper, options->sock, e)
			   : start_process(keeper, loop, options, e)) < 0) {
		if (keeper->process.type != UV_PROCESS) {
			free(keeper);
			return err_code(e);
		}
		/* the handle of a process that did not start must be closed too */
		keeper->freed = true;
		keeper->open_handles = 1;
		uv_close((uv_handle_t *)&keeper->process, handle_closed);
		return err_code(e);
	}
	uv_poll_init(loop, &keeper->poll, keeper->sock);
	uv_timer_init(loop, &keeper->timer);
	keeper->open_handles = options->sock ? 2 : 3;
	uv_poll_start(&keeper->poll, UV_READABLE, on_ready);
	*out = keeper;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper || keeper->freed)
		return;
	keeper->freed = true;
	close_handle((uv_handle_t *)&keeper->poll);
	close_handle((uv_handle_t *)&keeper->timer);
	/* The process handle must live until the child is reaped; one that was given ends with its
	 * socket. */
	if (keeper->process.type == UV_PROCESS && keeper->exited)
		close_handle((uv_handle_t *)&keeper->process);
	else if (!keeper->exited)
		uv_process_kill(&keeper->process, SIGKILL);
}

void keeper_on_death(struct keeper *keeper, void (*died)(void *data), void *data)
{
	keeper->died = died;
	keeper->died_data = data;
}

const struct keeper_facts *keeper_facts(const struct keeper *keeper)
{
	return &keeper->facts;
}

/* `content` may be NULL; `call` is copied. */
static int ask(struct keeper *keeper, enum keeper_request type, const struct writer *content,
	       const struct keeper_call *call, struct err *e)
{
	CLEANUP_WRITER struct writer packet = writer_up_to(KEEPER_REQUEST_MAX);

	if (keeper->dead)
		return err_set(e, ERR_UNAVAILABLE, "keeper: its process has ended");
	if (keeper->count == KEEPER_CALLS_MAX)
		return err_set(e, ERR_EXHAUSTED, "keeper: %d requests wait already",
			       KEEPER_CALLS_MAX);
	struct keeper_call waiting = *call;
	waiting.number = keeper->next_number++;
	writer_be32(&packet, waiting.number);
	writer_u8(&packet, (uint8_t)type);
	if (content)
		writer_bytes(&packet, content->bytes, content->len);
	packet.bad |= content && content->bad;
	if (writer_check(&packet, "keeper request", e) < 0)
		return err_code(e);
	if (send(keeper->sock, packet.bytes, packet.len, MSG_NOSIGNAL) < 0) {
		err_errno(e, "keeper");
		e->code = ERR_UNAVAILABLE;
		return err_code(e);
	}
	if (keeper->count == 0)
		uv_timer_start(&keeper->timer, on_patience_over, PATIENCE_MS, 0);
	keeper->calls[keeper->count++] = waiting;
	return 0;
}

/* ---- requests ---- */

int keeper_check(struct keeper *keeper, keeper_measured_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_CHECK,
					  .done.measured = done,
					  .data = data };

	CLEANUP_WRITER struct writer content = writer_up_to(1);

	writer_u8(&content, (uint8_t)keeper->vmpl);
	return ask(keeper, KEEPER_CHECK, &content, &call, e);
}

int keeper_identity(struct keeper *keeper, const uint8_t *spki, size_t len,
		    keeper_measured_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_MEASURED,
					  .done.measured = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(SPKI_MAX);

	writer_bytes(&content, spki, len);
	return ask(keeper, KEEPER_IDENTITY, &content, &call, e);
}

int keeper_measure(struct keeper *keeper, enum keeper_event event, const void *bytes, size_t len,
		   keeper_measured_fn *done, void *data, struct err *e)
{
	static const enum keeper_request types[] = {
		[KEEPER_EVENT_BOOT] = KEEPER_MEASURE_BOOT,
		[KEEPER_EVENT_CONFIG] = KEEPER_MEASURE_CONFIG,
		[KEEPER_EVENT_MANIFEST] = KEEPER_MEASURE_MANIFEST,
	};
	const struct keeper_call call = { .shape = SHAPE_MEASURED,
					  .done.measured = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(KEEPER_DIGESTS_LEN);
	uint8_t digests[KEEPER_DIGESTS_LEN];

	if ((size_t)event >= ARRAY_LEN(types))
		return err_set(e, ERR_INTERNAL, "keeper: no such event");
	if (digest(DIGEST_SHA3_256, bytes, len, digests, e) < 0 ||
	    digest(DIGEST_SHA3_384, bytes, len, digests + SHA3_256_LEN, e) < 0)
		return err_code(e);
	writer_bytes(&content, digests, sizeof(digests));
	return ask(keeper, types[event], &content, &call, e);
}

int keeper_log(struct keeper *keeper, keeper_log_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_LOG, .done.log = done, .data = data };

	return ask(keeper, KEEPER_LOG, NULL, &call, e);
}

int keeper_run(struct keeper *keeper, const uint8_t *statement, size_t len,
	       keeper_evidence_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_EVIDENCE,
					  .done.evidence = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(RUN_STATEMENT_MAX);

	writer_bytes(&content, statement, len);
	return ask(keeper, KEEPER_RUN, &content, &call, e);
}

int keeper_channel(struct keeper *keeper, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], keeper_evidence_fn *done,
		   void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_EVIDENCE,
					  .done.evidence = done,
					  .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(1 + BINDING_EXPORTER_LEN);

	writer_u8(&content, (uint8_t)hash);
	writer_bytes(&content, exporter, BINDING_EXPORTER_LEN);
	return ask(keeper, KEEPER_CHANNEL, &content, &call, e);
}

int keeper_nonce(struct keeper *keeper, const struct binding_nonce *nonce, keeper_evidence_fn *done,
		 void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_EVIDENCE,
					  .done.evidence = done,
					  .data = data };
	CLEANUP_WRITER struct writer content =
		writer_up_to(3 + BINDING_TEE_NONCE_MAX + BINDING_VTPM_NONCE_MAX);

	if (nonce->tee_len > BINDING_TEE_NONCE_MAX || nonce->vtpm_len > BINDING_VTPM_NONCE_MAX)
		return err_set(e, ERR_INVALID, "nonces of %zu and %zu bytes; at most %d and %d",
			       nonce->tee_len, nonce->vtpm_len, BINDING_TEE_NONCE_MAX,
			       BINDING_VTPM_NONCE_MAX);
	writer_u8(&content, nonce->type);
	writer_u8(&content, (uint8_t)nonce->tee_len);
	writer_bytes(&content, nonce->tee, nonce->tee_len);
	writer_u8(&content, (uint8_t)nonce->vtpm_len);
	writer_bytes(&content, nonce->vtpm, nonce->vtpm_len);
	return ask(keeper, KEEPER_NONCE, &content, &call, e);
}

int keeper_ima(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };

	return ask(keeper, KEEPER_IMA, NULL, &call, e);
}

int keeper_endorsement(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };

	return ask(keeper, KEEPER_ENDORSEMENT, NULL, &call, e);
}

int keeper_activate(struct keeper *keeper, struct span blob, struct span secret,
		    keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(4 + 2 * PROVIDER_TPM_CREDENTIAL_MAX);

	writer_be16(&content, (uint16_t)blob.len);
	writer_bytes(&content, blob.bytes, blob.len);
	writer_be16(&content, (uint16_t)secret.len);
	writer_bytes(&content, secret.bytes, secret.len);
	if (blob.len > PROVIDER_TPM_CREDENTIAL_MAX || secret.len > PROVIDER_TPM_CREDENTIAL_MAX)
		return err_set(e, ERR_INVALID, "a credential of %zu and %zu bytes is too long",
			       blob.len, secret.len);
	return ask(keeper, KEEPER_ACTIVATE, &content, &call, e);
}

int keeper_journal_key(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };

	return ask(keeper, KEEPER_JOURNAL_KEY, NULL, &call, e);
}

int keeper_journal_sign(struct keeper *keeper, const uint8_t (*entries)[SHA256_LEN], size_t count,
			bool final, keeper_parts_fn *done, void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(1 + JOURNAL_BATCH_MAX * SHA256_LEN);

	writer_u8(&content, final);
	if (count <= JOURNAL_BATCH_MAX)
		writer_bytes(&content, entries, count * SHA256_LEN);
	else
		content.bad = true;
	return ask(keeper, KEEPER_JOURNAL_SIGN, &content, &call, e);
}

int keeper_receipt(struct keeper *keeper, const uint8_t *payload, size_t len, keeper_parts_fn *done,
		   void *data, struct err *e)
{
	const struct keeper_call call = { .shape = SHAPE_PARTS, .done.parts = done, .data = data };
	CLEANUP_WRITER struct writer content = writer_up_to(JOURNAL_RECEIPT_MAX);

	writer_bytes(&content, payload, len);
	return ask(keeper, KEEPER_RECEIPT, &content, &call, e);
}
