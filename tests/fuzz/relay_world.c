/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/relay_world.h"

#include "common/base/log.h"
#include "common/relay/relay_address.h"
#include "common/relay/relay_door.h"
#include "common/relay/relay_hub.h"
#include "tests/fuzz/loop_time.h"
#include "tests/fuzz/orders_relay.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>

enum { FEW = 8, MANY = 64, TURNS = 6, LAST_TURNS = 100, SMALL = 4096, BACKLOG = 64 };

struct relay_world relay_world;

/* A socket's name, which the kernel gives. */
struct name {
	union relay_address at;
	socklen_t len;
};

static struct name door_name, inner_name, played_name, dead_name;
static int played = -1, dead = -1;
static struct relay_tls *by_secret, *by_other_secret, *by_other_fence, *as_server;
static uint8_t secret[RELAY_SECRET_LEN];

/* ---- what of the system is played ---- */

static int bind_somewhere(struct name *name)
{
	const struct sockaddr any = { .sa_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert(fd >= 0 && bind(fd, &any, sizeof(any.sa_family)) == 0);
	name->len = sizeof(name->at);
	assert(getsockname(fd, &name->at.any, &name->len) == 0 && name->len <= sizeof(name->at));
	return fd;
}

int __wrap_listen_socket_open(const char *address, const char *group, struct listen_socket *s,
			      struct err *e);
int __wrap_listen_socket_open(const char *address, const char *group, struct listen_socket *s,
			      struct err *e)
{
	if (strcmp(address, "taken") == 0)
		return err_set(e, ERR_UNAVAILABLE, "listen on %s: it is taken", address);
	*s = (struct listen_socket){
		.fd = bind_somewhere(strcmp(address, "door") == 0 ? &door_name : &inner_name)
	};
	assert(listen(s->fd, BACKLOG) == 0);
	return 0;
}

int __real_relay_address_parse(const char *text, union relay_address *address, socklen_t *len,
			       struct err *e);
int __wrap_relay_address_parse(const char *text, union relay_address *address, socklen_t *len,
			       struct err *e);
int __wrap_relay_address_parse(const char *text, union relay_address *address, socklen_t *len,
			       struct err *e)
{
	const struct name *name = strcmp(text, "inner") == 0    ? &inner_name
				  : strcmp(text, "played") == 0 ? &played_name
				  : strcmp(text, "dead") == 0   ? &dead_name
								: NULL;

	if (!name && strcmp(text, "taken") != 0)
		return __real_relay_address_parse(text, address, len, e);
	*address = name ? name->at : (union relay_address){ .any.sa_family = AF_UNIX };
	*len = name ? name->len : sizeof(address->any);
	return 0;
}

int __real_relay_header_of(int fd, enum relay_door door, const char *instance,
			   struct relay_header *header, struct err *e);
int __wrap_relay_header_of(int fd, enum relay_door door, const char *instance,
			   struct relay_header *header, struct err *e);
int __wrap_relay_header_of(int fd, enum relay_door door, const char *instance,
			   struct relay_header *header, struct err *e)
{
	if (relay_world.lacks & RELAY_LACK_ORIGIN)
		return err_set(e, ERR_UNAVAILABLE, "it has left");
	if (__real_relay_header_of(fd, door, instance, header, e) < 0)
		return err_code(e);
	if (!(relay_world.flags & RELAY_FLAG_USERS)) {
		memset(&header->from, 0, sizeof(header->from));
		header->door = RELAY_AGENTS;
		header->uid = header->gid = 0;
		header->from.v4 = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = htons(1000),
			.sin_addr = { htonl(INADDR_LOOPBACK + relay_world.address) },
		};
	}
	return 0;
}

int __real_relay_conn_attach(struct relay_conn *c, struct relay_end *end, int fd, struct err *e);
int __wrap_relay_conn_attach(struct relay_conn *c, struct relay_end *end, int fd, struct err *e);
int __wrap_relay_conn_attach(struct relay_conn *c, struct relay_end *end, int fd, struct err *e)
{
	const int small = SMALL;

	if (relay_world.lacks & RELAY_LACK_POLLS) {
		close(fd);
		return err_set(e, ERR_UNAVAILABLE, "poll: none is left");
	}
	if (relay_world.flags & RELAY_FLAG_SMALL)
		assert(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
	return __real_relay_conn_attach(c, end, fd, e);
}

SSL *__real_relay_tls_open(struct relay_tls *tls, int fd, struct err *e);
SSL *__wrap_relay_tls_open(struct relay_tls *tls, int fd, struct err *e);
SSL *__wrap_relay_tls_open(struct relay_tls *tls, int fd, struct err *e)
{
	if (!(relay_world.lacks & RELAY_LACK_TLS))
		return __real_relay_tls_open(tls, fd, e);
	err_set(e, ERR_INTERNAL, "TLS between instances: it can't be had");
	return NULL;
}

int __real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	if (!(relay_world.lacks & RELAY_LACK_DESCRIPTORS))
		return __real_accept4(fd, address, len, flags);
	errno = EMFILE;
	return -1;
}

int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	if (relay_world.lacks & RELAY_LACK_SOCKETS) {
		errno = ENETUNREACH;
		return -1;
	}
	if (!(relay_world.lacks & RELAY_LACK_HASTE))
		return __real_connect(fd, address, len);
	errno = EINPROGRESS;
	return -1;
}

/* ---- lines ---- */

static struct relay_line *add_line(enum relay_line_kind kind, int fd, struct relay_tls *tls)
{
	struct relay_line *l = &relay_world.lines[relay_world.count];
	const int small = SMALL;
	struct err e;

	if (relay_world.count == RELAY_WORLD_LINES) {
		close(fd);
		return NULL;
	}
	if (relay_world.flags & RELAY_FLAG_SMALL)
		assert(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
	*l = (struct relay_line){ .kind = kind, .fd = fd };
	if (tls) {
		l->tls = __real_relay_tls_open(tls, fd, &e);
		assert(l->tls);
	}
	relay_world.count++;
	return l;
}

static struct relay_line *connect_to(const struct name *name, enum relay_line_kind kind,
				     struct relay_tls *tls)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert(fd >= 0);
	if (__real_connect(fd, &name->at.any, name->len) == 0)
		return add_line(kind, fd, tls);
	close(fd);
	return NULL;
}

struct relay_line *relay_world_line(uint8_t back)
{
	struct relay_line *l =
		relay_world.count
			? &relay_world.lines[relay_world.count - 1 - back % relay_world.count]
			: NULL;

	return l && l->fd >= 0 ? l : NULL;
}

struct relay_line *relay_world_call(void)
{
	return connect_to(&door_name, RELAY_CALLER, NULL);
}

struct relay_line *relay_world_come(unsigned by)
{
	struct relay_tls *const ways[RELAY_BYS] = { by_secret, by_other_secret, by_other_fence,
						    NULL };

	return connect_to(&inner_name, RELAY_COMER, ways[by % RELAY_BYS]);
}

/* ---- the two instances ---- */

static int take(void *data, enum relay_door door, int fd, const struct rpc_origin *origin,
		struct err *e)
{
	static const enum err_code codes[RELAY_TAKES] = { ERR_OK, ERR_NOT_FOUND, ERR_EXHAUSTED,
							  ERR_UNAVAILABLE };
	const enum err_code code = codes[relay_world.takes % RELAY_TAKES];

	assert(relay_world.inner && door < RELAY_DOORS && origin->name[0]);
	if (code != ERR_OK) {
		close(fd);
		return err_set(e, code, "not now");
	}
	return add_line(RELAY_SERVED, fd, NULL) ? 0 : err_set(e, ERR_EXHAUSTED, "no room");
}

void relay_world_lead(unsigned how)
{
	static char long_name[RELAY_NAME_MAX + 2];
	struct relay_lead lead = { "a", "inner", RELAY_WORLD_FENCE, { 0 } };
	const bool is_bad = how == RELAY_LEAD_BAD || how == RELAY_LEAD_LONG;
	int failed;
	struct err e;

	if (!relay_world.front)
		return;
	memset(long_name, 'a', sizeof(long_name) - 1);
	memcpy(lead.secret, secret, sizeof(lead.secret));
	lead.fence += how == RELAY_LEAD_OTHER_FENCE;
	lead.holder = how == RELAY_LEAD_LONG ? long_name : "a";
	lead.address = how == RELAY_LEAD_PLAYED ? "played"
		       : how == RELAY_LEAD_DEAD ? "dead"
		       : how == RELAY_LEAD_BAD  ? "nowhere"
						: "inner";
	failed = relay_front_lead(relay_world.front, how == RELAY_LEAD_NOBODY ? NULL : &lead, &e);
	assert(is_bad ? failed < 0 && e.code == ERR_INVALID : failed == 0);
	if (is_bad || how == RELAY_LEAD_NOBODY)
		assert(!relay_front_holder(relay_world.front) &&
		       relay_front_stats(relay_world.front).now == 0);
	else
		assert(relay_front_holder(relay_world.front));
}

static void check_hub(const void *first)
{
	const struct relay_hub *hub = first;
	const struct relay_conn *c;
	unsigned young = 0, moving = 0;

	if (!hub)
		return;
	TAILQ_FOREACH(c, &hub->conns, others) {
		assert(c->stage < RELAY_CLOSED && (c->stage == RELAY_WAITING || c->handles));
		assert(!c->out.stash == (c->out.at >= c->out.len));
		assert(!c->in.stash == (c->in.at >= c->in.len));
		assert((c->place.class == RELAY_PLACE_MOVING) == (c->stage == RELAY_MOVING));
		if (c->stage == RELAY_MOVING)
			moving++;
		else
			young++;
	}
	assert(young == hub->young && young <= hub->young_max);
	assert(moving == hub->moving && moving <= hub->moving_max && moving == hub->stats.now);
}

/* ---- turns ---- */

static void accept_dialled(void)
{
	for (;;) {
		const int fd = __real_accept4(played, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		add_line(RELAY_DIALLED, fd, as_server);
	}
}

static void shake_hands(struct relay_line *l)
{
	int n;

	if (l->fd < 0 || !l->tls || l->is_up || l->is_broken)
		return;
	ERR_clear_error();
	n = SSL_do_handshake(l->tls);
	l->is_up = n == 1;
	l->is_broken = n != 1 && SSL_get_error(l->tls, n) != SSL_ERROR_WANT_READ &&
		       SSL_get_error(l->tls, n) != SSL_ERROR_WANT_WRITE;
	assert(!l->is_up || relay_tls_is_proven(l->tls));
}

void relay_world_settle(void)
{
	for (int i = 0; i < TURNS; i++) {
		uv_run(&relay_world.loop, UV_RUN_NOWAIT);
		accept_dialled();
		for (size_t j = 0; !relay_world.is_slow && j < relay_world.count; j++)
			shake_hands(&relay_world.lines[j]);
		check_hub(relay_world.front);
		check_hub(relay_world.inner);
	}
}

static void set_up(void)
{
	uint8_t other[RELAY_SECRET_LEN] = { 'o' };
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	log_set(LOG_LEVEL_ERROR);
	memset(secret, 's', sizeof(secret));
	assert(uv_loop_init(&relay_world.loop) == 0);
	played = bind_somewhere(&played_name);
	assert(listen(played, BACKLOG) == 0);
	dead = bind_somewhere(&dead_name);
	assert(relay_tls_new(secret, RELAY_WORLD_FENCE, false, &by_secret, &e) == 0);
	assert(relay_tls_new(other, RELAY_WORLD_FENCE, false, &by_other_secret, &e) == 0);
	assert(relay_tls_new(secret, RELAY_WORLD_FENCE + 1, false, &by_other_fence, &e) == 0);
	assert(relay_tls_new(secret, RELAY_WORLD_FENCE, true, &as_server, &e) == 0);
}

void relay_world_enter(unsigned flags)
{
	const unsigned most = flags & RELAY_FLAG_FEW ? FEW : MANY;
	struct relay_inner_config config = {
		&relay_world.loop, "taken", RELAY_WORLD_FENCE, secret, most, take, NULL
	};
	struct relay_inner *none;
	struct err e;

	if (played < 0)
		set_up();
	loop_time_reset();
	relay_world.flags = flags;
	relay_world.lacks = relay_world.takes = relay_world.address = 0;
	relay_world.is_slow = relay_world.is_impure = false;
	relay_world.count = 0;
	assert(relay_front_new(&(struct relay_front_config){ &relay_world.loop, "b", most },
			       &relay_world.front, &e) == 0);
	assert(relay_front_listen(relay_world.front, RELAY_ADMIN_SOCKET, "door", NULL, &e) == 0);
	assert(relay_front_listen(relay_world.front, RELAY_ADMINS, "taken", NULL, &e) < 0);
	assert(relay_inner_new(&config, &none, &e) < 0);
	config.address = "inner";
	assert(relay_inner_new(&config, &relay_world.inner, &e) == 0);
	if (flags & RELAY_FLAG_LED)
		relay_world_lead(RELAY_LEAD_INNER);
}

void relay_world_leave(void)
{
	relay_world.lacks = 0;
	relay_front_close(relay_world.front);
	relay_inner_close(relay_world.inner);
	relay_world.front = NULL;
	relay_world.inner = NULL;
	for (size_t i = 0; i < relay_world.count; i++)
		relay_line_close(&relay_world.lines[i]);
	for (int i = 0; i < LAST_TURNS && uv_loop_alive(&relay_world.loop); i++) {
		loop_time_next(&relay_world.loop);
		uv_run(&relay_world.loop, UV_RUN_NOWAIT);
		accept_dialled();
	}
	for (size_t i = 0; i < relay_world.count; i++) /* dialled as the front left */
		relay_line_close(&relay_world.lines[i]);
	assert(!uv_loop_alive(&relay_world.loop));
}
