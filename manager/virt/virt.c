/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt.h"

#include "common/base/cleanup.h"
#include "manager/virt/virt_limit.h"
#include "manager/virt/virt_ssh.h"
#include "manager/virt/virt_state.h"

#include <stdatomic.h>
#include <string.h>
#include <libvirt/virterror.h>

enum {
	KEEPALIVE_S = 5,     /* after this a libvirtd that does not answer is given up */
	KEEPALIVE_COUNT = 4, /* this many of these */
};

struct virt {
	char *uri;
	void (*notice)(void *data, const struct virt_notice *notice);
	void *data;
	uv_async_t async;
	bool remote;
	uintptr_t number; /* by which libvirt's callbacks know it */
	struct virt *next;

	pthread_mutex_t connecting; /* held while a connection is made; before `lock` */
	struct virt_limit limit;    /* of that */
	atomic_uint given_up; /* how often it was broken off; changed with `connecting` held */
	struct err why;       /* the last time; with `connecting` held */
	pthread_mutex_t lock; /* for all below */
	virConnectPtr conn;
	int events;     /* its lifecycle events, as libvirt counts callbacks */
	bool told_lost; /* that this one is */
	bool ended;     /* and there will be no other */
	struct virt_host host;
	struct virt_notice queue[VIRT_QUEUE_MAX];
	size_t queued;
	bool overflown;
};

void virt_unref(virConnectPtr conn)
{
	virConnectClose(conn);
}

/* libvirt's last error in this thread. If the connection is alive, libvirt refused; if not, it
 * is not there. Asking that resets the error, so it is copied first. */
int virt_error(virConnectPtr conn, struct err *e, const char *what)
{
	enum err_code code = ERR_INTERNAL;
	int number = virGetLastErrorCode();
	const char *text = virGetLastErrorMessage(), *line = strrchr(text, '\n');

	/* A QEMU that does not start has its whole output quoted, the reason last. */
	while (line && !line[1])
		line = memrchr(text, '\n', (size_t)(line - text));
	if (line)
		err_set(e, code, "libvirt: %s: %.60s...: %s", what, text, line + 1);
	else
		err_set(e, code, "libvirt: %s: %s", what, text);
	for (char *c = e->text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (number == VIR_ERR_NO_DOMAIN)
		code = ERR_NOT_FOUND;
	else if (number == VIR_ERR_NO_MEMORY)
		code = ERR_EXHAUSTED;
	if (!conn || virConnectIsAlive(conn) != 1)
		code = ERR_UNAVAILABLE;
	e->code = code;
	return err_code(e);
}

/* Under the lock. */
static void enqueue(struct virt *v, const struct virt_notice *notice)
{
	if (v->queued < VIRT_QUEUE_MAX)
		v->queue[v->queued++] = *notice;
	else
		v->overflown = true;
	uv_async_send(&v->async);
}

static void push(struct virt *v, enum virt_event event, virDomainPtr domain)
{
	struct virt_notice notice = { .event = event };

	if (domain) {
		if (virDomainGetUUIDString(domain, notice.uuid) < 0)
			return;
		virt_name(virDomainGetName(domain), notice.name);
	}
	pthread_mutex_lock(&v->lock);
	enqueue(v, &notice);
	pthread_mutex_unlock(&v->lock);
}

/* Once for each connection, whoever notices first: libvirt, or somebody who wants to use it. Under the lock, so that
 * no later connection is taken for the one that is lost. */
static void tell_lost(struct virt *v)
{
	if (!v->told_lost)
		enqueue(v, &(struct virt_notice){ .event = VIRT_LOST });
	v->told_lost = true;
}

static void on_async(uv_async_t *async)
{
	struct virt *v = async->data;
	struct virt_notice queue[VIRT_QUEUE_MAX];
	size_t count;
	bool overflown, is_there;

	pthread_mutex_lock(&v->lock);
	count = v->queued;
	memcpy(queue, v->queue, count * sizeof(queue[0]));
	overflown = v->overflown;
	is_there = v->conn && !v->told_lost;
	v->queued = 0;
	v->overflown = false;
	pthread_mutex_unlock(&v->lock);
	for (size_t i = 0; i < count; i++)
		v->notice(v->data, &queue[i]);
	if (overflown)
		v->notice(v->data,
			  &(struct virt_notice){ .event = is_there ? VIRT_CONNECTED : VIRT_LOST });
}

/* libvirt calls back from its own thread, and what it has queued even for a connection that was given up: so it has
 * a number, and what that is of stays as long as the call does. */
static pthread_mutex_t living =
	PTHREAD_MUTEX_INITIALIZER; /* for these two; taken before a virt's own lock */
static struct virt *virts;
static uintptr_t last_number;

static void begin_life(struct virt *v)
{
	pthread_mutex_lock(&living);
	v->number = ++last_number;
	v->next = virts;
	virts = v;
	pthread_mutex_unlock(&living);
}

static void end_life(const struct virt *v)
{
	struct virt **at = &virts;

	pthread_mutex_lock(&living);
	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	pthread_mutex_unlock(&living);
}

/* NULL: it has been closed. The caller has `living`. */
static struct virt *of_number(const void *number)
{
	struct virt *v = virts;

	while (v && v->number != (uintptr_t)number)
		v = v->next;
	return v;
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *data)
{
	struct virt *v;

	pthread_mutex_lock(&living);
	v = of_number(data);
	if (v && event == VIR_DOMAIN_EVENT_STARTED)
		push(v, VIRT_STARTED, domain);
	else if (v && (event == VIR_DOMAIN_EVENT_STOPPED || event == VIR_DOMAIN_EVENT_CRASHED))
		push(v, VIRT_STOPPED, domain);
	pthread_mutex_unlock(&living);
	return 0;
}

static void on_closed(virConnectPtr conn, int reason, void *data)
{
	struct virt *v;

	pthread_mutex_lock(&living);
	v = of_number(data);
	if (v) {
		pthread_mutex_lock(&v->lock);
		if (v->conn == conn)
			tell_lost(v);
		pthread_mutex_unlock(&v->lock);
	}
	pthread_mutex_unlock(&living);
}

int virt_new(uv_loop_t *loop, const char *uri,
	     void (*notice)(void *data, const struct virt_notice *notice), void *data,
	     struct virt **virt, struct err *e)
{
	struct virt *v = calloc(1, sizeof(*v));
	bool has_events;

	if (!v || !(v->uri = strdup(uri))) {
		free(v);
		return err_nomem(e);
	}
	v->notice = notice;
	v->data = data;
	v->async.data = v;
	has_events = virt_events_start(e) == 0;
	if (!has_events || uv_async_init(loop, &v->async, on_async) < 0) {
		if (has_events)
			virt_events_stop();
		free(v->uri);
		free(v);
		return err_set(e, ERR_INTERNAL, "libvirt's events can't be waited for");
	}
	pthread_mutex_init(&v->connecting, NULL);
	virt_limit_init(&v->limit);
	pthread_mutex_init(&v->lock, NULL);
	begin_life(v);
	*virt = v;
	return 0;
}

void virt_make_remote(struct virt *v)
{
	v->remote = true;
}

static void on_async_closed(uv_handle_t *handle)
{
	struct virt *v = handle->data;

	pthread_mutex_destroy(&v->connecting);
	virt_limit_done(&v->limit);
	pthread_mutex_destroy(&v->lock);
	free(v->uri);
	free(v);
}

/* What libvirt keeps of a callback holds the connection, too. */
static void leave(virConnectPtr conn, int events)
{
	virConnectDomainEventDeregisterAny(conn, events);
	virConnectUnregisterCloseCallback(conn, on_closed);
	virConnectClose(conn);
}

void virt_close(struct virt *v)
{
	if (!v)
		return;
	end_life(v);
	if (v->conn)
		leave(TAKE_PTR(v->conn), v->events);
	virt_events_stop();
	uv_close((uv_handle_t *)&v->async, on_async_closed);
}

/* A reference to the connection if it is alive, else NULL. */
static virConnectPtr current(struct virt *v)
{
	virConnectPtr conn = NULL, dead = NULL;
	int events = -1;

	pthread_mutex_lock(&v->lock);
	if (v->conn && virConnectIsAlive(v->conn) == 1) {
		virConnectRef(v->conn);
		conn = v->conn;
	} else if (v->conn) {
		tell_lost(v);
		dead = TAKE_PTR(v->conn);
		events = v->events;
	}
	pthread_mutex_unlock(&v->lock);
	if (dead)
		leave(dead, events);
	return conn;
}

static int refuse_ended(const struct virt *v, struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "libvirt: %s: the host was removed", v->uri);
}

/* Unless it was ended while it was being dialled. */
static bool keep(struct virt *v, virConnectPtr conn, int events, const struct virt_host *host)
{
	bool ended;

	pthread_mutex_lock(&v->lock);
	ended = v->ended;
	if (!ended) {
		virConnectRef(conn);
		v->conn = conn;
		v->events = events;
		v->host = *host;
		v->told_lost = false;
		enqueue(v, &(struct virt_notice){ .event = VIRT_CONNECTED });
		/* on_closed() knew it for nobody's until now. */
		if (virConnectIsAlive(conn) != 1)
			tell_lost(v);
	}
	pthread_mutex_unlock(&v->lock);
	return !ended;
}

void virt_dial_no_more(struct virt *v)
{
	virt_limit_no_more(&v->limit);
}

void virt_end(struct virt *v)
{
	virConnectPtr conn;
	int events;

	virt_dial_no_more(v);
	pthread_mutex_lock(&v->lock);
	v->ended = true;
	conn = TAKE_PTR(v->conn);
	events = v->events;
	pthread_mutex_unlock(&v->lock);
	if (conn)
		leave(conn, events);
}

static bool has_ended(struct virt *v)
{
	bool ended;

	pthread_mutex_lock(&v->lock);
	ended = v->ended;
	pthread_mutex_unlock(&v->lock);
	return ended;
}

static int dial(struct virt *v, virConnectPtr *result, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;
	void *number = (void *)v->number;
	struct virt_host host = { 0 };
	char uri[VIRT_SSH_URI_MAX];
	int events;

	if (virt_ssh_uri(v->uri, uri, e) < 0)
		return err_code(e);
	conn = virConnectOpen(uri);
	if (!conn) {
		virt_error(NULL, e, v->uri);
		return err_code(e);
	}
	/* libvirt calls it with the type that belongs to the event. */
	void (*by_event)(void) = (void (*)(void))on_lifecycle;

	/* Drivers that run in this process have no connection to keep alive or to lose. */
	if (virConnectSetKeepAlive(conn, KEEPALIVE_S, KEEPALIVE_COUNT) < 0 &&
	    virGetLastErrorCode() != VIR_ERR_NO_SUPPORT)
		return virt_error(conn, e, "keep-alive");
	(void)virConnectRegisterCloseCallback(conn, on_closed, number, NULL);
	events =
		virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
						 VIR_DOMAIN_EVENT_CALLBACK(by_event), number, NULL);
	if (events < 0 || virt_ask(conn, v->remote, &host, e) < 0) {
		if (!e->code)
			virt_error(conn, e, "events");
		if (events >= 0)
			virConnectDomainEventDeregisterAny(conn, events);
		virConnectUnregisterCloseCallback(conn, on_closed);
		return err_code(e);
	}
	if (!keep(v, conn, events, &host)) {
		virConnectDomainEventDeregisterAny(conn, events);
		virConnectUnregisterCloseCallback(conn, on_closed);
		return refuse_ended(v, e);
	}
	*result = TAKE_PTR(conn);
	return 0;
}

/* libvirt itself waits for ever for who accepts and then says nothing. */
static int dial_for_a_while(struct virt *v, virConnectPtr *conn, struct err *e)
{
	int failed;

	e->code = ERR_OK;
	if (virt_limit_begin(&v->limit, v->uri, e) < 0)
		return err_code(e);
	failed = virt_limit_end(&v->limit, dial(v, conn, e), e);
	if (failed && virt_limit_has_broken(&v->limit)) {
		v->why = *e;
		atomic_fetch_add(&v->given_up, 1);
	}
	return failed;
}

static int refuse_given_up(const struct virt *v, struct err *e)
{
	*e = v->why;
	return err_code(e);
}

/* A reference to a live connection, made now if necessary. Whoever waited while somebody else dialled does not wait as
 * long once more. */
static int dial_once(struct virt *v, virConnectPtr *conn, struct err *e)
{
	const unsigned given_up = atomic_load(&v->given_up);
	int failed = 0;

	*conn = current(v);
	if (*conn)
		return 0;
	if (has_ended(v))
		return refuse_ended(v, e);
	pthread_mutex_lock(&v->connecting);
	*conn = current(v);
	if (!*conn)
		failed = atomic_load(&v->given_up) != given_up ? refuse_given_up(v, e)
							       : dial_for_a_while(v, conn, e);
	pthread_mutex_unlock(&v->connecting);
	return failed;
}

/* A host that is lost may hold up who dials for a while: one dials, and nobody else waits for it. */
int virt_take(struct virt *v, virConnectPtr *conn, struct err *e)
{
	if (!v->remote)
		return dial_once(v, conn, e);
	*conn = current(v);
	return *conn ? 0 : err_set(e, ERR_UNAVAILABLE, "libvirt: %s can't be reached now", v->uri);
}

int virt_dial(struct virt *v, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;

	return dial_once(v, &conn, e);
}

int virt_connect(struct virt *v, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;

	return virt_take(v, &conn, e);
}

int virt_host(struct virt *v, struct virt_host *host, struct err *e)
{
	CLEANUP(virt_unref) virConnectPtr conn = NULL;

	if (virt_take(v, &conn, e) < 0)
		return err_code(e);
	pthread_mutex_lock(&v->lock);
	*host = v->host;
	pthread_mutex_unlock(&v->lock);
	return 0;
}
