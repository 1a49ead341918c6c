/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/upload.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/job.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A lane gives its thread back after so many chunks, for other uploads. */
enum { LANE_BATCH = 16 };

struct chunk {
	uint8_t *buffer;
	const uint8_t *bytes;
	size_t len;
	unsigned waits_for; /* lanes that are not through */
	struct chunk *next;
};

enum lane_kind { LANE_WRITE, LANE_HASH, LANES };

struct lane {
	struct upload *upload;
	struct chunk *next; /* the first it has not begun */
	bool running;       /* a job of it is queued or at work, and will look again */
};

struct upload {
	uv_loop_t *loop;
	uv_async_t wake;
	const struct upload_callbacks *callbacks;
	void *data;
	char *path;
	int fd;
	struct digest_stream *digest;
	uint64_t size, max;
	unsigned jobs; /* started and not reaped */
	bool ending, full, freed, closing;

	pthread_mutex_t lock; /* over what follows and the lanes */
	struct lane lanes[LANES];
	struct chunk *last;
	size_t under_way;
	struct err failure;
};

static void lane_start(struct lane *lane);

static void write_chunk(struct upload *u, const struct chunk *c, struct err *e)
{
	if (fd_write_all(u->fd, c->bytes, c->len, e) < 0)
		err_wrap(e, "upload");
}

/* The next chunk for this lane, or NULL, which ends its job. */
static struct chunk *lane_take(struct lane *lane, bool more, bool *failed)
{
	struct upload *u = lane->upload;
	struct chunk *c;

	pthread_mutex_lock(&u->lock);
	c = more ? lane->next : NULL;
	if (c)
		lane->next = c->next;
	else
		lane->running = false;
	*failed = u->failure.code != ERR_OK;
	pthread_mutex_unlock(&u->lock);
	return c;
}

static void lane_give_back(struct upload *u, struct chunk *c, const struct err *e)
{
	bool through;

	pthread_mutex_lock(&u->lock);
	if (e->code != ERR_OK && u->failure.code == ERR_OK)
		u->failure = *e;
	through = --c->waits_for == 0;
	if (through) {
		u->under_way -= c->len;
		if (u->last == c)
			u->last = NULL;
	}
	pthread_mutex_unlock(&u->lock);
	if (!through)
		return;
	free(c->buffer);
	free(c);
	uv_async_send(&u->wake);
}

/* In the pool. */
static void lane_work(void *data)
{
	struct lane *lane = data;
	struct upload *u = lane->upload;
	struct chunk *c;
	bool failed;

	for (int n = 0; (c = lane_take(lane, n < LANE_BATCH, &failed)); n++) {
		struct err e = { .code = ERR_OK };

		if (!failed && lane == &u->lanes[LANE_WRITE])
			write_chunk(u, c, &e);
		else if (!failed)
			digest_add(u->digest, c->bytes, c->len);
		lane_give_back(u, c, &e);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct upload *u = handle->data;

	digest_free(u->digest);
	if (u->fd >= 0)
		close(u->fd);
	pthread_mutex_destroy(&u->lock);
	free(u->path);
	free(u);
}

static bool is_idle(struct upload *u)
{
	bool idle;

	pthread_mutex_lock(&u->lock);
	idle = u->jobs == 0 && u->under_way == 0;
	pthread_mutex_unlock(&u->lock);
	return idle;
}

/* After anything happened: tells whom it concerns. A callback may free the upload, so it is the last
 * thing done. */
static void progress(struct upload *u)
{
	bool idle = is_idle(u);

	if (u->freed) {
		if (idle && !u->closing) {
			u->closing = true;
			uv_close((uv_handle_t *)&u->wake, on_closed);
		}
		return;
	}
	if (u->ending) {
		if (!idle)
			return;
		u->ending = false;
		if (u->callbacks)
			u->callbacks->ended(u->data);
		return;
	}
	if (u->full && !upload_is_full(u)) {
		u->full = false;
		if (u->callbacks)
			u->callbacks->room(u->data);
	}
}

static void on_wake(uv_async_t *wake)
{
	progress(wake->data);
}

/* A job ended; chunks may have come since it looked last. */
static void lane_done(void *data)
{
	struct lane *lane = data;
	struct upload *u = lane->upload;

	u->jobs--;
	lane_start(lane);
	progress(u);
}

static void lane_start(struct lane *lane)
{
	struct upload *u = lane->upload;
	struct err e;
	bool start;

	pthread_mutex_lock(&u->lock);
	start = lane->next && !lane->running;
	lane->running |= start;
	pthread_mutex_unlock(&u->lock);
	if (!start)
		return;
	u->jobs++;
	if (rpc_job_start(u->loop, lane_work, lane_done, lane, &e) == 0)
		return;
	/* No memory for a job: do its work here rather than not at all, and all of it, since no end of
	 * a job comes to go on. */
	u->jobs--;
	while (start) {
		lane_work(lane);
		pthread_mutex_lock(&u->lock);
		start = lane->next != NULL;
		lane->running |= start;
		pthread_mutex_unlock(&u->lock);
	}
}

int upload_new(uv_loop_t *loop, const char *path, uint64_t max, struct upload **upload,
	       struct err *e)
{
	CLEANUP(free) struct upload *u = calloc(1, sizeof(*u));
	CLEANUP(free) char *copy = strdup(path);
	CLEANUP(digest_free) struct digest_stream *digest = digest_new(DIGEST_SHA3_256, e);
	CLEANUP(close) int fd = -1;
	int failed;

	if (!u || !copy)
		return err_nomem(e);
	if (!digest)
		return err_code(e);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "upload: make '%s'", path);
	failed = uv_async_init(loop, &u->wake, on_wake);
	if (failed) {
		unlink(path);
		return err_set(e, ERR_INTERNAL, "upload: %s", uv_strerror(failed));
	}
	pthread_mutex_init(&u->lock, NULL);
	u->loop = loop;
	u->wake.data = u;
	u->path = TAKE_PTR(copy);
	u->fd = TAKE_FD(fd);
	u->digest = TAKE_PTR(digest);
	u->max = max;
	for (size_t i = 0; i < LANES; i++)
		u->lanes[i].upload = u;
	*upload = TAKE_PTR(u);
	return 0;
}

void upload_attach(struct upload *u, const struct upload_callbacks *callbacks, void *data)
{
	u->callbacks = callbacks;
	u->data = data;
}

static void fail(struct upload *u, const struct err *e)
{
	pthread_mutex_lock(&u->lock);
	if (u->failure.code == ERR_OK)
		u->failure = *e;
	pthread_mutex_unlock(&u->lock);
}

void upload_feed(struct upload *u, uint8_t *buffer, const uint8_t *bytes, size_t len)
{
	struct chunk *c;
	struct err e;

	if (len > u->max - u->size) {
		free(buffer);
		err_set(&e, ERR_EXHAUSTED, "upload: more than %llu bytes (AGENT_ASSET_MAX)",
			(unsigned long long)u->max);
		fail(u, &e);
		return;
	}
	c = len > 0 ? malloc(sizeof(*c)) : NULL;
	if (!c) {
		free(buffer);
		if (len > 0) {
			err_nomem(&e);
			fail(u, &e);
		}
		return;
	}
	*c = (struct chunk){ .buffer = buffer, .bytes = bytes, .len = len, .waits_for = LANES };
	u->size += len;
	pthread_mutex_lock(&u->lock);
	for (size_t i = 0; i < LANES; i++) {
		if (!u->lanes[i].next)
			u->lanes[i].next = c;
	}
	if (u->last)
		u->last->next = c;
	u->last = c;
	u->under_way += len;
	pthread_mutex_unlock(&u->lock);
	for (size_t i = 0; i < LANES; i++)
		lane_start(&u->lanes[i]);
}

bool upload_is_full(struct upload *u)
{
	bool full;

	pthread_mutex_lock(&u->lock);
	full = u->under_way >= UPLOAD_FULL && u->failure.code == ERR_OK;
	pthread_mutex_unlock(&u->lock);
	u->full |= full;
	return full;
}

void upload_end(struct upload *u)
{
	u->ending = true;
	uv_async_send(&u->wake);
}

uint64_t upload_size(const struct upload *u)
{
	return u->size;
}

const char *upload_path(const struct upload *u)
{
	return u->path;
}

int upload_failure(struct upload *u, struct err *e)
{
	int failed = 0;

	pthread_mutex_lock(&u->lock);
	if (u->failure.code != ERR_OK) {
		*e = u->failure;
		failed = err_code(e);
	}
	pthread_mutex_unlock(&u->lock);
	return failed;
}

int upload_digest(struct upload *u, uint8_t digest[SHA3_256_LEN], struct err *e)
{
	int failed = upload_failure(u, e);

	/* A file that is open for writing could not be executed. */
	close(TAKE_FD(u->fd));
	return failed ? failed : digest_finish(u->digest, digest, e);
}

void upload_free(struct upload *u)
{
	static const struct err unwanted = { .code = ERR_CANCELLED };

	if (!u || u->freed)
		return;
	unlink(u->path);
	/* The space is wanted now, not when the lanes are through and the last descriptor closes. */
	if (u->fd >= 0 && ftruncate(u->fd, 0) < 0)
		log_debug("upload: truncate: %s", strerror(errno));
	fail(u, &unwanted); /* the lanes need not bother with what is left */
	u->freed = true;
	uv_async_send(&u->wake);
}
