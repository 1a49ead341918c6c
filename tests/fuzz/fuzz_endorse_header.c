/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service of endorsements answers, as libcurl hands it over: the input is all that a server on
 * this machine says to the first request. A second one, after an answer that is to be tried again,
 * finds nothing there. The same bytes are taken as an escaped text and as an address.
 */
#include "attestation/endorse/endorse_http.h"
#include "common/base/clock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DOCUMENT_MAX = 4096, PATIENCE_MS = 60000 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct server {
	pthread_mutex_t lock;
	int listener;
	char url[64];
	uint8_t *answer; /* for the next request; taken by it */
	size_t len;
} server = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void say(int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

/* libcurl's request is one small packet; what else comes until it closes is thrown away. */
static void serve(int fd)
{
	static const char gone[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
	char request[4096];
	size_t len;

	if (recv(fd, request, sizeof(request), 0) <= 0)
		return;
	pthread_mutex_lock(&server.lock);
	CLEANUP(free) uint8_t *answer = TAKE_PTR(server.answer);
	len = server.len;
	pthread_mutex_unlock(&server.lock);
	if (answer)
		say(fd, answer, len);
	else
		say(fd, gone, sizeof(gone) - 1);
	shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof(request), 0) > 0)
		;
}

static void *serve_all(void *data)
{
	for (;;) {
		int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);

		assert(fd >= 0);
		serve(fd);
		close(fd);
	}
	return data;
}

static void start(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	pthread_t thread;

	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(server.listener >= 0 && bind(server.listener, (struct sockaddr *)&at, len) == 0 &&
	       listen(server.listener, 64) == 0 &&
	       getsockname(server.listener, (struct sockaddr *)&at, &len) == 0);
	snprintf(server.url, sizeof(server.url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
	assert(pthread_create(&thread, NULL, serve_all, NULL) == 0 && pthread_detach(thread) == 0);
}

static void check_answer(const uint8_t *bytes, size_t len)
{
	static struct endorse_http *http;
	const struct endorse_request request = { .url = server.url,
						 .max = DOCUMENT_MAX,
						 .header = "X-Chain",
						 .other_header = "X-Other-Chain" };
	struct endorse_answer answer = { 0 };
	struct err e;

	if (!http)
		assert(endorse_http_new(NULL, NULL, &http, &e) == 0);
	pthread_mutex_lock(&server.lock);
	free(server.answer);
	server.answer = malloc(len + 1);
	assert(server.answer);
	if (len)
		memcpy(server.answer, bytes, len);
	server.len = len;
	pthread_mutex_unlock(&server.lock);
	if (endorse_http_get(http, &request, clock_ms(CLOCK_MONOTONIC) + PATIENCE_MS, &answer, &e) <
	    0)
		return;
	assert(answer.len > 0 && answer.len <= DOCUMENT_MAX && answer.header &&
	       answer.header_len <= ENDORSE_HEADER_MAX &&
	       strlen(answer.header) == answer.header_len);
	endorse_answer_done(&answer);
}

static void check_text(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = NULL;
	size_t got;
	struct err e;

	if (endorse_unescape((const char *)bytes, len, &text, &got, &e) < 0)
		return;
	if (got > len || strlen(text) != got)
		__builtin_trap();
	/* Plain HTTP never leaves this machine. */
	if (endorse_http_base(text, &e) == 0 && strncmp(text, "https://", 8) != 0 &&
	    strncmp(text, "http://127.0.0.1", 16) != 0 && strncmp(text, "http://[::1]", 12) != 0 &&
	    strncmp(text, "http://localhost", 16) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (!server.url[0])
		start();
	check_text(bytes, len);
	/* Without a line there is nothing that libcurl would not wait for. */
	if (len > 4 && memcmp(bytes, "HTTP", 4) == 0)
		check_answer(bytes, len);
	return 0;
}
