/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/ports.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

struct ports {
	pthread_mutex_t lock;
	struct in_addr host;
	unsigned first, count, next; /* next: index where the search begins */
	bool used[];
};

int ports_new(const char *host, uint16_t first, uint16_t last, struct ports **ports, struct err *e)
{
	unsigned count = (unsigned)last - first + 1;
	struct ports *p = calloc(1, sizeof(*p) + count * sizeof(p->used[0]));

	if (!p)
		return err_nomem(e);
	if (inet_pton(AF_INET, host, &p->host) != 1) {
		free(p);
		return err_set(e, ERR_INVALID, "'%s' is not an IPv4 address", host);
	}
	pthread_mutex_init(&p->lock, NULL);
	p->first = first;
	p->count = count;
	*ports = p;
	return 0;
}

void ports_free(struct ports *ports)
{
	if (!ports)
		return;
	pthread_mutex_destroy(&ports->lock);
	free(ports);
}

static bool is_free(const struct ports *p, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = p->host,
				       .sin_port = htons(port) };
	CLEANUP(close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	/* Binds as QEMU does: closing connections of an earlier CVM don't count. */
	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	       bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0;
}

static int take(struct ports *p, bool is_here, uint16_t *port, struct err *e)
{
	unsigned i = 0, index = 0;

	pthread_mutex_lock(&p->lock);
	for (; i < p->count; i++) {
		index = (p->next + i) % p->count;
		if (!p->used[index] && (!is_here || is_free(p, (uint16_t)(p->first + index))))
			break;
	}
	if (i < p->count) {
		p->used[index] = true;
		p->next = (index + 1) % p->count;
	}
	pthread_mutex_unlock(&p->lock);
	if (i == p->count)
		return err_set(e, ERR_EXHAUSTED, "no port of %u-%u is free", p->first,
			       p->first + p->count - 1);
	*port = (uint16_t)(p->first + index);
	return 0;
}

int ports_take(struct ports *p, uint16_t *port, struct err *e)
{
	return take(p, true, port, e);
}

int ports_take_remote(struct ports *p, uint16_t *port, struct err *e)
{
	return take(p, false, port, e);
}

unsigned ports_left(struct ports *p)
{
	unsigned left = 0;

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < p->count; i++)
		left += !p->used[i] && is_free(p, (uint16_t)(p->first + i));
	pthread_mutex_unlock(&p->lock);
	return left;
}

static void set(struct ports *p, uint16_t port, bool used)
{
	if (port < p->first || port >= p->first + p->count)
		return;
	pthread_mutex_lock(&p->lock);
	p->used[port - p->first] = used;
	pthread_mutex_unlock(&p->lock);
}

void ports_mark(struct ports *ports, uint16_t port)
{
	set(ports, port, true);
}

void ports_give(struct ports *ports, uint16_t port)
{
	set(ports, port, false);
}
