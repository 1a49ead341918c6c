/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/child.h"
#include "agent/keeper_protocol.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"

enum {
	WAITING_MAX = 16,
	PATIENCE_MS = 60000, /* a TPM that takes longer for one command will not come back */
};

/* One that waits for its answer; the keeper answers in order. */
struct waiting {
	uint32_t number;
	keeper_measured_fn *measured;
	keeper_log_fn *log;
	void *data;
};

struct keeper {
	uv_process_t process;
	uv_poll_t poll;
	uv_timer_t timer;
	int sock;
	int open_handles;
	bool freed, dead, exited;
	uint32_t next_number;
	struct waiting waiting[WAITING_MAX];
	size_t count;
	void (*died)(void *data);
	void *died_data;
	uint8_t answer[KEEPER_ANSWER_MAX + 1];
};

static const char *const event_names[] = {
	[KEEPER_EVENT_BOOT] = "boot-configuration",
	[KEEPER_EVENT_CONFIG] = "agent-configuration",
	[KEEPER_EVENT_MANIFEST] = "manifest",
};

const char *keeper_event_name(enum keeper_event event)
{
	return (size_t)event < ARRAY_LEN(event_names) ? event_names[event] : "unknown";
}

static void handle_closed(uv_handle_t *handle)
{
	struct keeper *keeper = handle->data;

	if (--keeper->open_handles > 0)
		return;
	if (keeper->sock >= 0)
		close(keeper->sock);
	free(keeper);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

static void finish(struct waiting *w, bool measured, const struct err *e)
{
	if (w->measured)
		w->measured(w->data, measured, e);
	else if (e)
		w->log(w->data, NULL, 0, e);
}

/* The callbacks may ask anew (and are refused) or free the keeper. */
static void fail_all(struct keeper *keeper, const char *why)
{
	struct waiting waiting[WAITING_MAX];
	size_t count = keeper->count;
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "keeper: %s", why);
	keeper->dead = true;
	keeper->count = 0;
	uv_poll_stop(&keeper->poll);
	uv_timer_stop(&keeper->timer);
	memcpy(waiting, keeper->waiting, sizeof(waiting));
	for (size_t i = 0; i < count && !keeper->freed; i++)
		finish(&waiting[i], false, &e);
	if (!keeper->freed && keeper->died)
		keeper->died(keeper->died_data);
}

/* Frees cannot happen before this returns: handles close in a later turn of the loop. */
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

static bool read_log(struct reader *in, struct waiting *w)
{
	size_t count = reader_left(in) / KEEPER_ENTRY_LEN;
	CLEANUP(free) struct keeper_log_entry *entries = calloc(count + 1, sizeof(*entries));

	if (!entries)
		return false;
	for (size_t i = 0; i < count; i++) {
		entries[i].pcr = reader_u8(in);
		entries[i].event = reader_u8(in);
		reader_copy(in, entries[i].sha256_bank, sizeof(entries[i].sha256_bank));
		reader_copy(in, entries[i].sha384_bank, sizeof(entries[i].sha384_bank));
	}
	if (!reader_done(in))
		return false;
	w->log(w->data, entries, count, NULL);
	return true;
}

/* False if it is no answer to `w`. */
static bool deliver(struct waiting *w, struct reader *in)
{
	enum err_code code = reader_u8(in);

	if (!reader_ok(in))
		return false;
	if (code != ERR_OK) {
		struct err e;
		size_t len = reader_left(in);

		err_set(&e, code, "%.*s", (int)len, (const char *)reader_take(in, len));
		finish(w, false, &e);
		return true;
	}
	if (w->log)
		return read_log(in, w);
	uint8_t measured = reader_u8(in);
	if (!reader_done(in) || measured > 1)
		return false;
	finish(w, measured, NULL);
	return true;
}

static void take_answer(struct keeper *keeper, size_t len)
{
	struct reader in = reader_over(keeper->answer, len);
	struct waiting first = keeper->waiting[0];

	if (keeper->count == 0 || reader_be32(&in) != first.number) {
		give_up(keeper, "it answers what nobody asked");
		return;
	}
	keeper->count--;
	memmove(keeper->waiting, keeper->waiting + 1, keeper->count * sizeof(first));
	if (keeper->count > 0)
		uv_timer_start(&keeper->timer, on_patience_over, PATIENCE_MS, 0);
	else
		uv_timer_stop(&keeper->timer);
	if (!deliver(&first, &in) && !keeper->freed) {
		struct err e;

		err_set(&e, ERR_UNAVAILABLE, "keeper: malformed answer");
		finish(&first, false, &e);
		if (!keeper->freed)
			give_up(keeper, "malformed answer");
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct keeper *keeper = poll->data;
	ssize_t n = status < 0 ? 0 : recv(keeper->sock, keeper->answer, sizeof(keeper->answer), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		give_up(keeper, "its process has closed the socket");
	else
		take_answer(keeper, (size_t)n);
}

static int start_process(struct keeper *keeper, uv_loop_t *loop,
			 const struct keeper_options *options, struct err *e)
{
	const char *args[6] = { "keeper" };
	size_t count = 1;

	if (options->without_tpm)
		args[count++] = "--without-tpm";
	if (options->tcti) {
		args[count++] = "--tcti";
		args[count++] = options->tcti;
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
	keeper->process.data = keeper->poll.data = keeper->timer.data = keeper;
	if (start_process(keeper, loop, options, e) < 0) {
		if (keeper->process.type != UV_PROCESS) {
			free(keeper);
			return -(int)e->code;
		}
		/* a process that did not start wants its handle closed all the same */
		keeper->freed = true;
		keeper->open_handles = 1;
		uv_close((uv_handle_t *)&keeper->process, handle_closed);
		return -(int)e->code;
	}
	uv_poll_init(loop, &keeper->poll, keeper->sock);
	uv_timer_init(loop, &keeper->timer);
	keeper->open_handles = 3;
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
	/* The process handle must live until the child is reaped. */
	if (keeper->exited)
		close_handle((uv_handle_t *)&keeper->process);
	else
		uv_process_kill(&keeper->process, SIGKILL);
}

void keeper_on_death(struct keeper *keeper, void (*died)(void *data), void *data)
{
	keeper->died = died;
	keeper->died_data = data;
}

static int ask(struct keeper *keeper, enum keeper_request type, const uint8_t *content, size_t len,
	       struct waiting w, struct err *e)
{
	CLEANUP_WRITER struct writer packet = writer_up_to(KEEPER_REQUEST_MAX);

	if (keeper->dead)
		return err_set(e, ERR_UNAVAILABLE, "keeper: its process has ended");
	if (keeper->count == WAITING_MAX)
		return err_set(e, ERR_EXHAUSTED, "keeper: %d requests wait already", WAITING_MAX);
	w.number = keeper->next_number++;
	writer_be32(&packet, w.number);
	writer_u8(&packet, (uint8_t)type);
	writer_bytes(&packet, content, len);
	if (writer_check(&packet, "keeper request", e) < 0)
		return -(int)e->code;
	if (send(keeper->sock, packet.bytes, packet.len, MSG_NOSIGNAL) < 0) {
		err_errno(e, "keeper");
		e->code = ERR_UNAVAILABLE;
		return -(int)e->code;
	}
	if (keeper->count == 0)
		uv_timer_start(&keeper->timer, on_patience_over, PATIENCE_MS, 0);
	keeper->waiting[keeper->count++] = w;
	return 0;
}

int keeper_check(struct keeper *keeper, keeper_measured_fn *done, void *data, struct err *e)
{
	return ask(keeper, KEEPER_CHECK, NULL, 0,
		   (struct waiting){ .measured = done, .data = data }, e);
}

int keeper_measure(struct keeper *keeper, enum keeper_event event, const void *bytes, size_t len,
		   keeper_measured_fn *done, void *data, struct err *e)
{
	static const enum keeper_request types[] = {
		[KEEPER_EVENT_BOOT] = KEEPER_MEASURE_BOOT,
		[KEEPER_EVENT_CONFIG] = KEEPER_MEASURE_CONFIG,
		[KEEPER_EVENT_MANIFEST] = KEEPER_MEASURE_MANIFEST,
	};
	uint8_t digests[KEEPER_DIGESTS_LEN];

	if ((size_t)event >= ARRAY_LEN(types))
		return err_set(e, ERR_INTERNAL, "keeper: no such event");
	if (digest(DIGEST_SHA3_256, bytes, len, digests, e) < 0 ||
	    digest(DIGEST_SHA3_384, bytes, len, digests + SHA3_256_LEN, e) < 0)
		return -(int)e->code;
	return ask(keeper, types[event], digests, sizeof(digests),
		   (struct waiting){ .measured = done, .data = data }, e);
}

int keeper_log(struct keeper *keeper, keeper_log_fn *done, void *data, struct err *e)
{
	return ask(keeper, KEEPER_LOG, NULL, 0, (struct waiting){ .log = done, .data = data }, e);
}
