/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/hostile_http.h"

#include "common/base/cleanup.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALLS_MAX = 256, REQUEST_MAX = 4096, DRIP_MS = 20 };

struct call {
	struct hostile_http *server;
	pthread_t thread;
	int fd;
};

struct threads {
	pthread_t acceptor;
	pthread_mutex_t lock;
	size_t count;
	struct call calls[CALLS_MAX];
};

static bool say(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool read_request(int fd, char request[REQUEST_MAX])
{
	size_t used = 0;

	do {
		ssize_t n = recv(fd, request + used, REQUEST_MAX - 1 - used, 0);

		if (n <= 0)
			return false;
		used += (size_t)n;
		request[used] = '\0';
	} while (!strstr(request, "\r\n\r\n") && used < REQUEST_MAX - 1);
	return true;
}

static void go_on(int fd, const struct hostile_answer *a)
{
	char byte;

	switch (a->then) {
	case THEN_CLOSE:
		return;
	case THEN_HOLD:
		while (recv(fd, &byte, 1, 0) > 0)
			;
		return;
	case THEN_REPEAT:
		while (say(fd, a->more, strlen(a->more)))
			;
		return;
	case THEN_DRIP:
		for (size_t i = 0; say(fd, a->more + i % strlen(a->more), 1); i++)
			poll(NULL, 0, DRIP_MS);
		return;
	}
}

static void *serve(void *data)
{
	struct call *c = data;
	char request[REQUEST_MAX];

	if (read_request(c->fd, request)) {
		struct hostile_answer a = c->server->answer(c->server->data, request);

		atomic_fetch_add(&c->server->asked, 1);
		sem_post(&c->server->arrived);
		if (say(c->fd, a.head, a.len ? a.len : strlen(a.head)))
			go_on(c->fd, &a);
	}
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static void *accept_all(void *data)
{
	struct hostile_http *h = data;
	struct threads *t = h->threads;
	int fd;

	while ((fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		pthread_mutex_lock(&t->lock);
		assert(t->count < CALLS_MAX);
		struct call *c = &t->calls[t->count++];

		*c = (struct call){ .server = h, .fd = fd };
		assert(pthread_create(&c->thread, NULL, serve, c) == 0);
		pthread_mutex_unlock(&t->lock);
	}
	return NULL;
}

void hostile_http_start(struct hostile_http *h)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	struct threads *t = calloc(1, sizeof(*t));

	assert(t && pthread_mutex_init(&t->lock, NULL) == 0 && sem_init(&h->arrived, 0, 0) == 0);
	h->threads = t;
	atomic_store(&h->asked, 0);
	h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(h->listener >= 0 && bind(h->listener, (struct sockaddr *)&at, len) == 0 &&
	       getsockname(h->listener, (struct sockaddr *)&at, &len) == 0 &&
	       listen(h->listener, 64) == 0);
	snprintf(h->url, sizeof(h->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	assert(pthread_create(&t->acceptor, NULL, accept_all, h) == 0);
}

void hostile_http_release(struct hostile_http *h)
{
	struct threads *t = h->threads;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count; i++)
		shutdown(t->calls[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&t->lock);
}

void hostile_http_stop(struct hostile_http *h)
{
	struct threads *t = h->threads;

	shutdown(h->listener, SHUT_RDWR);
	pthread_join(t->acceptor, NULL);
	close(h->listener);
	for (size_t i = 0; i < t->count; i++) {
		shutdown(t->calls[i].fd, SHUT_RDWR);
		pthread_join(t->calls[i].thread, NULL);
		close(t->calls[i].fd);
	}
	pthread_mutex_destroy(&t->lock);
	sem_destroy(&h->arrived);
	free(t);
}
