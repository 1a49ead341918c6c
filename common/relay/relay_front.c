/* SPDX-License-Identifier: Apache-2.0 */
#include "common/relay/relay_front.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/relay/relay_address.h"
#include "common/relay/relay_answer.h"
#include "common/relay/relay_door.h"
#include "common/relay/relay_hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 2 /* of a connection: its caller's, and to the other instance */

struct relay_front {
	struct relay_hub hub; /* first */
	const char *instance;
	struct relay_listeners listeners;
	struct relay_tls *tls; /* NULL: nobody serves */
	char holder[RELAY_NAME_MAX + 1], address_text[RELAY_ADDRESS_MAX];
	int64_t fence;
	union relay_address address;
	socklen_t address_len;
};

static struct relay_front *front_of(struct relay_hub *hub)
{
	return (struct relay_front *)hub;
}

/* ---- one connection ---- */

static int dial(struct relay_conn *c, struct err *e)
{
	struct relay_front *f = front_of(c->hub);
	uint8_t header[RELAY_HEADER_LEN];
	int fd = socket(f->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, "socket");
	if (connect(fd, &f->address.any, f->address_len) < 0 && errno != EINPROGRESS) {
		err_errno(e, "instance %s at %s", f->holder, f->address_text);
		close(fd);
		return err_code(e);
	}
	if (relay_conn_attach(c, &c->outer, fd, e) < 0)
		return err_code(e);
	c->tls = relay_tls_open(f->tls, fd, e);
	if (!c->tls)
		return err_code(e);
	relay_header_write(&c->header, header);
	return relay_conn_say(c, header, sizeof(header), e);
}

static void go_on(struct relay_conn *c)
{
	struct err e;

	if (!front_of(c->hub)->tls) {
		if (c->stage != RELAY_WAITING)
			relay_conn_stage(c, RELAY_WAITING);
	} else if (dial(c, &e) < 0) {
		relay_conn_fail(c, e.text);
	} else {
		relay_conn_stage(c, RELAY_CONNECTING);
	}
}

static void on_secured(struct relay_conn *c)
{
	relay_conn_stage(c, RELAY_MOVING);
}

static bool on_answered(struct relay_conn *c, uint8_t answer)
{
	static const char *const words[RELAY_ANSWERS] = {
		[RELAY_SERVES_NO_MORE] = "the other instance serves no more",
		[RELAY_NO_DOOR] =
			"the other instance has no such listener: give all the same settings",
		[RELAY_FULL] = "the other instance has no place left",
		[RELAY_BAD_HEADER] =
			"the other instance does not know this form: give all the same version",
	};

	if (answer == RELAY_TAKEN) {
		c->hub->stats.total++;
		return true;
	}
	relay_conn_fail(c, answer < RELAY_ANSWERS ? words[answer]
						  : "the other instance's answer is none");
	return false;
}

static const struct relay_kind kind = {
	.spoke = go_on,
	.secured = on_secured,
	.answered = on_answered,
};

static void on_came(struct relay_listener *l, int fd)
{
	struct relay_front *f = front_of(l->hub);
	struct relay_header header;
	struct rpc_origin origin;
	struct relay_conn *c;
	struct err e;

	if (relay_header_of(fd, l->door, f->instance, &header, &e) < 0) {
		close(fd); /* it has left again */
		return;
	}
	relay_header_origin(&header, &origin);
	c = relay_conn_new(&f->hub, &origin.source, RELAY_SILENT);
	if (!c) {
		f->hub.stats.refused++;
		close(fd);
		return;
	}
	c->header = header;
	if (relay_conn_attach(c, &c->plain, fd, &e) < 0)
		relay_conn_fail(c, e.text);
	else
		relay_conn_run(c);
}

/* ---- who serves ---- */

/* `ended`: what was passed on ends; those that wait for an instance go on waiting. */
static void lose_lead(struct relay_front *f)
{
	struct relay_conn *c, *next;

	for (c = TAILQ_FIRST(&f->hub.conns); c; c = next) {
		next = TAILQ_NEXT(c, others);
		if (c->stage > RELAY_WAITING)
			relay_conn_fail(c, "another instance is to serve: come again");
	}
	relay_tls_free(TAKE_PTR(f->tls));
	f->fence = 0;
	f->holder[0] = f->address_text[0] = '\0';
}

static bool is_same(const struct relay_front *f, const struct relay_lead *lead)
{
	return f->tls && f->fence == lead->fence && strcmp(f->holder, lead->holder) == 0 &&
	       strcmp(f->address_text, lead->address) == 0;
}

static int set_lead(struct relay_front *f, const struct relay_lead *lead, struct err *e)
{
	if (strlen(lead->holder) >= sizeof(f->holder) ||
	    strlen(lead->address) >= sizeof(f->address_text))
		return err_set(e, ERR_INVALID, "an instance whose name or address is too long");
	if (relay_address_parse(lead->address, &f->address, &f->address_len, e) < 0 ||
	    relay_tls_new(lead->secret, lead->fence, false, &f->tls, e) < 0)
		return err_code(e);
	memcpy(f->holder, lead->holder, strlen(lead->holder) + 1);
	memcpy(f->address_text, lead->address, strlen(lead->address) + 1);
	f->fence = lead->fence;
	log_info("passing on to instance %s at %s", f->holder, f->address_text);
	return 0;
}

int relay_front_lead(struct relay_front *f, const struct relay_lead *lead, struct err *e)
{
	struct relay_conn *c, *next;

	if (f->hub.is_closing || (lead ? is_same(f, lead) : !f->tls))
		return 0;
	lose_lead(f);
	if (!lead)
		return 0;
	if (set_lead(f, lead, e) < 0)
		return err_code(e);
	for (c = TAILQ_FIRST(&f->hub.conns); c; c = next) {
		next = TAILQ_NEXT(c, others);
		if (c->stage != RELAY_WAITING)
			continue;
		go_on(c);
		relay_conn_run(c);
	}
	return 0;
}

/* ---- all of it ---- */

static void on_freed(struct relay_hub *hub)
{
	struct relay_front *f = front_of(hub);

	relay_tls_free(f->tls);
	free(f);
}

int relay_front_new(const struct relay_front_config *config, struct relay_front **front,
		    struct err *e)
{
	struct relay_front *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(e);
	f->instance = config->instance;
	f->hub.kind = &kind;
	f->hub.freed = on_freed;
	TAILQ_INIT(&f->listeners);
	if (relay_hub_init(&f->hub, config->loop, config->most, SOCKETS, e) < 0) {
		free(f);
		return err_code(e);
	}
	*front = f;
	return 0;
}

int relay_front_listen(struct relay_front *f, enum relay_door door, const char *address,
		       const char *group, struct err *e)
{
	struct relay_listener *l;

	if (relay_listener_new(&f->hub, address, group, on_came, &l, e) < 0)
		return err_wrap(e, "%s", relay_door_name(door));
	l->door = door;
	TAILQ_INSERT_TAIL(&f->listeners, l, others);
	log_info("%s: passing on from %s", relay_door_name(door), log_quote(address).text);
	return 0;
}

const char *relay_front_holder(const struct relay_front *f)
{
	return f->tls ? f->holder : NULL;
}

struct relay_stats relay_front_stats(const struct relay_front *f)
{
	return f->hub.stats;
}

void relay_front_close(struct relay_front *f)
{
	struct relay_listener *l;

	if (!f || f->hub.is_closing)
		return;
	while ((l = TAILQ_FIRST(&f->listeners))) {
		TAILQ_REMOVE(&f->listeners, l, others);
		relay_listener_close(l);
	}
	relay_hub_close(&f->hub);
}
