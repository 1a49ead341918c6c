/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/post_peer.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <curl/curl.h>

enum { HEARD_MAX = 1 << 20 };

const char *post_peer_ca;
static int ours = -1, theirs = -1, taken = -1;
static unsigned asked;
static bool is_open;
static uint8_t heard[HEARD_MAX];

/* ---- what connects ---- */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
	const int fd = theirs;

	if (!is_open)
		return __real_socket(family, type, protocol);
	asked++;
	taken = fd;
	theirs = -1;
	if (fd < 0)
		errno = EMFILE;
	return fd;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	return __wrap_socket(address->family, address->socktype, address->protocol);
}

/* In place of the C library's, for libcurl to see, too: a pair of sockets is connected already. */
__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address,
						   socklen_t len);
int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	return is_open && fd == taken ? 0 : (int)syscall(SYS_connect, fd, address, len);
}

/* Who opens sockets himself says so later. No name is asked for. */
CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void)
{
	static const char *const known[] = {
		"public.example:80:9.9.9.9",    "public.example:443:9.9.9.9",
		"public.example:587:9.9.9.9",   "public.example:465:9.9.9.9",
		"private.example:443:10.0.0.1",
	};
	static struct curl_slist *names;
	static bool is_ready;
	CURL *c = __real_curl_easy_init();

	for (size_t i = 0; i < sizeof(known) / sizeof(*known) && !is_ready; i++)
		names = curl_slist_append(names, known[i]);
	is_ready = true;
	assert(c && names);
	assert(curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK);
	assert(curl_easy_setopt(c, CURLOPT_RESOLVE, names) == CURLE_OK);
	assert(!post_peer_ca || curl_easy_setopt(c, CURLOPT_CAINFO, post_peer_ca) == CURLE_OK);
	return c;
}

/* ---- who is connected to ---- */

void post_peer_begin(bool is_stream)
{
	int ends[2];

	assert(ours < 0 &&
	       socketpair(AF_UNIX, (is_stream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0,
			  ends) == 0);
	ours = ends[0];
	theirs = ends[1];
	asked = 0;
	is_open = true;
}

void post_peer_say(const uint8_t *bytes, size_t len, unsigned times)
{
	for (; len && times > 0; times--)
		if (send(ours, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
}

void post_peer_end(void)
{
	assert(shutdown(ours, SHUT_WR) == 0);
}

const uint8_t *post_peer_heard(size_t *len, unsigned *connections)
{
	ssize_t n;

	*len = 0;
	if (theirs >= 0)
		close(theirs);
	do { /* what was not read is told of first, as a reset */
		n = recv(ours, heard + *len, sizeof(heard) - *len, MSG_DONTWAIT);
		*len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == ECONNRESET));
	close(ours);
	ours = theirs = taken = -1;
	is_open = false;
	*connections = asked;
	return heard;
}
