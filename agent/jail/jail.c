/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail.c — the agent's side of a jail: its process, its socket, the two pipes of its output. It is
 * over when all four are: then no process is left that could write.
 */
#include "agent/jail/jail.h"

#include "agent/jail/jail_limits.h"
#include "agent/process/child.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
	READ_LEN = 65536,
	TICK_MS = 100,
	BYTES_PER_TICK = JAIL_BYTES_PER_SECOND / (1000 / TICK_MS),
	GRACE_MS = 1000, /* for the jail's process to do the killing itself */
};

enum { PIPES = 2, HANDLES = 2 + 3 + PIPES }; /* process, socket, three timers, pipes */

struct jail {
	uv_loop_t *loop;
	struct jail_callbacks callbacks;
	struct jail_exit exit;
	int results;
	bool freed, ended, heard_exit, out_of_memory;
	uint64_t memory, time;
	struct jail_usage usage;

	uv_process_t process;
	uv_poll_t poll;
	uv_timer_t tick, grace, limit;
	uv_pipe_t pipes[PIPES];
	struct jail_lines lines[PIPES];
	int sock;
	int running;      /* of process, socket, pipes: those that have not ended */
	int open_handles; /* not yet closed */
	size_t budget;    /* bytes that may be read before the next tick */
	char buffer[READ_LEN];
};

static void free_if_done(struct jail *jail)
{
	if (!jail->freed || jail->open_handles > 0 || !jail->ended)
		return;
	if (jail->sock >= 0)
		close(jail->sock);
	if (jail->results >= 0)
		close(jail->results);
	free(jail);
}

static void describe_late(struct jail *jail)
{
	char limit[DURATION_TEXT_MAX];

	duration_text(jail->time, limit);
	snprintf(jail->exit.cause, sizeof(jail->exit.cause), "ran longer than AGENT_RUN_TIME=%s",
		 limit);
}

static void describe(struct jail *jail)
{
	struct jail_exit *x = &jail->exit;
	char *text = x->cause;
	size_t size = sizeof(x->cause);

	if (x->stopped)
		snprintf(text, size, "stopped");
	else if (x->late)
		describe_late(jail);
	else if (jail->out_of_memory)
		snprintf(text, size, "out of memory (limit %llu MiB)",
			 (unsigned long long)(jail->memory >> 20));
	else if (x->signal)
		snprintf(text, size, "killed by signal %d (%s)", x->signal, strsignal(x->signal));
	else if (x->code > 0)
		snprintf(text, size, "exit code %d", x->code);
	else if (jail->heard_exit)
		snprintf(text, size, "finished");
	else if (!text[0])
		snprintf(text, size, "jail: its process was killed");
	x->ok = jail->heard_exit && !x->stopped && !x->late && !jail->out_of_memory && x->code == 0;
}

static void one_ended(struct jail *jail)
{
	if (--jail->running > 0)
		return;
	uint64_t now = uv_now(jail->loop);
	for (int i = 0; i < PIPES && !jail->freed; i++)
		jail_lines_end(&jail->lines[i], now);
	describe(jail);
	jail->ended = true;
	if (!jail->freed)
		jail->callbacks.on_exit(jail->callbacks.data, &jail->exit, TAKE_FD(jail->results));
}

static void on_closed(uv_handle_t *handle)
{
	struct jail *jail = handle->data;

	jail->open_handles--;
	free_if_done(jail);
}

static void close_handle(void *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal_number)
{
	struct jail *jail = process->data;

	close_handle(process);
	close_handle(&jail->grace);
	close_handle(&jail->limit);
	one_ended(jail);
}

static void take_news(struct jail *jail, const uint8_t *bytes, size_t len, int fd)
{
	struct reader r = reader_over(bytes, len);
	struct jail_exit *x = &jail->exit;
	uint8_t news = reader_u8(&r);

	if (news == JAIL_STARTED && fd >= 0 && jail->results < 0) {
		x->started = true;
		jail->results = fd;
		jail_limits_tell(reader_u8(&r));
		if (reader_left(&r) > 0)
			log_warn("datasets and algorithm are read-only for the run: %.*s",
				 (int)reader_left(&r), (const char *)r.pos);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (news == JAIL_MEMORY)
		jail->out_of_memory = true;
	if (news == JAIL_USED) {
		jail_usage_take(&jail->usage, &r);
		if (jail->callbacks.on_usage && !jail->freed)
			jail->callbacks.on_usage(jail->callbacks.data, &jail->usage);
	}
	if (news == JAIL_FAILED && !x->cause[0])
		snprintf(x->cause, sizeof(x->cause), "%.*s", (int)reader_left(&r),
			 (const char *)r.pos);
	if (news == JAIL_EXITED) {
		int status = (int)reader_be32(&r);

		jail->heard_exit = reader_ok(&r);
		x->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		x->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	}
}

/* A descriptor that came along, or -1. */
static int passed_descriptor(struct msghdr *packet)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(packet);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

static void on_news(uv_poll_t *poll, int status, int events)
{
	struct jail *jail = poll->data;
	uint8_t bytes[JAIL_NEWS_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { bytes, sizeof(bytes) };
	/* Room for one descriptor and not for the space behind it, which a second one would fit: more are closed. */
	struct msghdr packet = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(jail->sock, &packet, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		take_news(jail, bytes, (size_t)n, passed_descriptor(&packet));
		return;
	}
	close_handle(poll);
	one_ended(jail);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct jail *jail = handle->data;

	*buf = uv_buf_init(jail->buffer, sizeof(jail->buffer));
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void read_output(struct jail *jail)
{
	jail->budget = BYTES_PER_TICK;
	for (int i = 0; i < PIPES; i++)
		if (!uv_is_closing((uv_handle_t *)&jail->pipes[i]))
			uv_read_start((uv_stream_t *)&jail->pipes[i], on_allocate, on_output);
}

static void on_tick(uv_timer_t *timer)
{
	read_output(timer->data);
}

/* Nothing is read until the next tick: then the pipes fill and the program waits. */
static void pause_output(struct jail *jail)
{
	for (int i = 0; i < PIPES; i++)
		uv_read_stop((uv_stream_t *)&jail->pipes[i]);
	uv_timer_start(&jail->tick, on_tick, TICK_MS, 0);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct jail *jail = stream->data;
	struct jail_lines *lines = &jail->lines[stream == (uv_stream_t *)&jail->pipes[1]];

	if (n < 0) {
		close_handle(stream);
		one_ended(jail);
		return;
	}
	if (!jail->freed && !jail->exit.stopped)
		jail_lines_feed(lines, buf->base, (size_t)n, uv_now(jail->loop));
	jail->budget -= (size_t)n < jail->budget ? (size_t)n : jail->budget;
	/* nobody wants it any more: read and throw away, so that the end comes */
	if (jail->budget == 0 && !jail->freed && !jail->exit.stopped && !jail->exit.late)
		pause_output(jail);
}

static void pass_line(void *data, int stream, const char *text, size_t len)
{
	struct jail *jail = data;

	if (!jail->freed && jail->callbacks.on_line)
		jail->callbacks.on_line(jail->callbacks.data, stream, text, len);
}

/* The ends that are read become the jail's streams, the others `theirs`. */
static int make_pipes(struct jail *jail, int theirs[PIPES], struct err *e)
{
	for (int i = 0; i < PIPES; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return err_errno(e, "pipe");
		theirs[i] = ends[1];
		int r = uv_pipe_open(&jail->pipes[i], ends[0]);
		if (r < 0) {
			close(ends[0]);
			return err_set(e, ERR_INTERNAL, "pipe: %s", uv_strerror(r));
		}
	}
	return 0;
}

static int send_spec(struct jail *jail, const struct jail_spec *spec, struct err *e)
{
	CLEANUP_WRITER struct writer packet = writer_up_to(JAIL_SPEC_MAX);

	if (jail_spec_write(spec, &packet, e) < 0)
		return err_code(e);
	if (send(jail->sock, packet.bytes, packet.len, MSG_NOSIGNAL) < 0)
		return err_errno(e, "jail: send spec");
	return 0;
}

static int start_process(struct jail *jail, const struct jail_spec *spec, struct err *e)
{
	static const char *const args[] = { "jail", NULL };
	int theirs[PIPES] = { -1, -1 };
	struct child_options options = { .program = spec->program, .args = args };

	int failed = make_pipes(jail, theirs, e);
	if (!failed) {
		options.out = theirs[0];
		options.err = theirs[1];
		failed = child_start(jail->loop, &jail->process, &options, on_process_exit,
				     &jail->sock, e);
	}
	for (int i = 0; i < PIPES; i++)
		if (theirs[i] >= 0)
			close(theirs[i]);
	return failed;
}

/* Before anything runs: handles that only want closing. */
static void abandon(struct jail *jail)
{
	jail->freed = jail->ended = true;
	if (jail->process.type == UV_PROCESS)
		close_handle(&jail->process);
	else
		jail->open_handles--; /* never was one */
	jail->open_handles--;         /* and there was no socket */
	close_handle(&jail->tick);
	close_handle(&jail->grace);
	close_handle(&jail->limit);
	for (int i = 0; i < PIPES; i++)
		close_handle(&jail->pipes[i]);
}

static struct jail *jail_new(uv_loop_t *loop, const struct jail_spec *spec,
			     const struct jail_callbacks *callbacks)
{
	struct jail *jail = calloc(1, sizeof(*jail));

	if (!jail)
		return NULL;
	jail->loop = loop;
	jail->callbacks = *callbacks;
	jail->results = jail->sock = -1;
	jail->exit.code = -1;
	jail->memory = spec->limits.memory;
	jail->time = spec->limits.time;
	jail->process.data = jail->poll.data = jail->tick.data = jail;
	jail->grace.data = jail->limit.data = jail;
	uv_timer_init(loop, &jail->tick);
	uv_timer_init(loop, &jail->grace);
	uv_timer_init(loop, &jail->limit);
	for (int i = 0; i < PIPES; i++) {
		uv_pipe_init(loop, &jail->pipes[i], 0);
		jail->pipes[i].data = jail;
		jail->lines[i] =
			(struct jail_lines){ .stream = i + 1, .emit = pass_line, .data = jail };
	}
	jail->open_handles = HANDLES;
	return jail;
}

static void on_grace_over(uv_timer_t *timer)
{
	struct jail *jail = timer->data;

	/* pid 1 of the jail dies with it, and everything with that */
	uv_process_kill(&jail->process, SIGKILL);
}

static void kill_all(struct jail *jail)
{
	if (uv_is_closing((uv_handle_t *)&jail->process))
		return;
	/* If it can't be told, it will be killed. */
	if (send(jail->sock, "", 1, MSG_NOSIGNAL) < 0)
		uv_process_kill(&jail->process, SIGKILL);
	uv_timer_start(&jail->grace, on_grace_over, GRACE_MS, 0);
	read_output(jail);
}

/* By the monotonic clock: no setting of the time of day makes a run longer or shorter. */
static void on_limit_over(uv_timer_t *timer)
{
	struct jail *jail = timer->data;

	if (jail->heard_exit || jail->exit.stopped || jail->freed)
		return;
	jail->exit.late = true;
	kill_all(jail);
}

int jail_start(uv_loop_t *loop, const struct jail_spec *given,
	       const struct jail_callbacks *callbacks, struct jail **out, struct err *e)
{
	CLEANUP_WRITER struct writer probe = writer_up_to(JAIL_SPEC_MAX);
	struct jail_spec filled = *given, *spec = &filled;
	struct jail *jail;

	filled.limits = jail_limits_filled(&given->limits);
	/* What can be refused at once must not start a process. */
	if (jail_spec_write(spec, &probe, e) < 0)
		return err_code(e);
	jail = jail_new(loop, spec, callbacks);
	if (!jail)
		return err_nomem(e);
	if (start_process(jail, spec, e) < 0) {
		abandon(jail);
		return err_code(e);
	}
	uv_poll_init(loop, &jail->poll, jail->sock);
	jail->running = 2 + PIPES;
	uv_poll_start(&jail->poll, UV_READABLE, on_news);
	if (jail->time)
		uv_timer_start(&jail->limit, on_limit_over, jail->time, 0);
	read_output(jail);
	if (send_spec(jail, spec, e) < 0) {
		jail_free(jail);
		return err_code(e);
	}
	*out = jail;
	return 0;
}

void jail_stop(struct jail *jail)
{
	if (jail->ended || jail->exit.stopped)
		return;
	jail->exit.stopped = true;
	kill_all(jail);
}

void jail_free(struct jail *jail)
{
	if (!jail || jail->freed)
		return;
	jail->freed = true;
	if (!jail->ended)
		kill_all(jail);
	close_handle(&jail->tick);
	free_if_done(jail);
}
