/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/health.h"

#include "common/base/log.h"
#include "health.pb-c.h"
#include "health_paths.h"
#include "proto/descriptors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum status {
	STATUS_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING,
	STATUS_NOT_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING,
	STATUS_NOT_KNOWN = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN,
};

struct known {
	char name[RPC_HEALTH_NAME_MAX];
	enum status status;
};

struct watcher {
	LIST_ENTRY(watcher) others;
	struct rpc_health *health;
	struct rpc_call *call;
	char name[RPC_HEALTH_NAME_MAX];
	enum status told;
};

struct rpc_health {
	struct known services[RPC_HEALTH_SERVICES_MAX];
	size_t service_count;
	LIST_HEAD(, watcher) watchers;
};

static struct known *find(struct rpc_health *health, const char *name)
{
	for (size_t i = 0; i < health->service_count; i++)
		if (strcmp(health->services[i].name, name) == 0)
			return &health->services[i];
	return NULL;
}

static enum status status_of(struct rpc_health *health, const char *name)
{
	const struct known *known = find(health, name);

	return known ? known->status : STATUS_NOT_KNOWN;
}

static Grpc__Health__V1__HealthCheckResponse answer_of(enum status status)
{
	Grpc__Health__V1__HealthCheckResponse answer =
		GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	answer.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
	return answer;
}

static void on_check(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Grpc__Health__V1__HealthCheckRequest *request =
		(const Grpc__Health__V1__HealthCheckRequest *)message;
	enum status status = status_of(rpc_call_service(call), request->service);
	Grpc__Health__V1__HealthCheckResponse answer = answer_of(status);
	struct err e;

	if (status == STATUS_NOT_KNOWN) {
		err_set(&e, ERR_NOT_FOUND, "no service %s here", log_quote(request->service).text);
		rpc_call_finish(call, &e);
		return;
	}
	rpc_call_reply(call, &answer.base);
}

static void tell(struct watcher *watcher, enum status status)
{
	Grpc__Health__V1__HealthCheckResponse answer = answer_of(status);
	struct err e;

	watcher->told = status;
	/* One that fails has ended its call; closed() will take the watcher out. */
	if (rpc_call_send(watcher->call, &answer.base, &e) < 0)
		return;
}

static void on_watch(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Grpc__Health__V1__HealthCheckRequest *request =
		(const Grpc__Health__V1__HealthCheckRequest *)message;
	struct rpc_health *health = rpc_call_service(call);
	size_t len = strlen(request->service);
	struct watcher *watcher = NULL;
	struct err e;

	if (len >= RPC_HEALTH_NAME_MAX) {
		err_set(&e, ERR_EXHAUSTED, "a name of %d bytes at most", RPC_HEALTH_NAME_MAX - 1);
		rpc_call_finish(call, &e);
		return;
	}
	watcher = calloc(1, sizeof(*watcher));
	if (!watcher) {
		err_nomem(&e);
		rpc_call_finish(call, &e);
		return;
	}
	watcher->health = health;
	watcher->call = call;
	memcpy(watcher->name, request->service, len + 1);
	LIST_INSERT_HEAD(&health->watchers, watcher, others);
	rpc_call_set_user(call, watcher);
	tell(watcher, status_of(health, watcher->name));
}

static void on_watch_closed(struct rpc_call *call)
{
	struct watcher *watcher = rpc_call_user(call);

	if (!watcher)
		return;
	LIST_REMOVE(watcher, others);
	free(watcher);
}

static const struct rpc_handler handlers[] = {
	{ .method = { PROTO_HEALTH_CHECK, RPC_UNARY,
		      &grpc__health__v1__health_check_request__descriptor,
		      &grpc__health__v1__health_check_response__descriptor },
	  .request_max = 1024,
	  .is_public = true,
	  .message = on_check },
	{ .method = { PROTO_HEALTH_WATCH, RPC_SERVER_STREAM,
		      &grpc__health__v1__health_check_request__descriptor,
		      &grpc__health__v1__health_check_response__descriptor },
	  .request_max = 1024,
	  .is_public = true,
	  .message = on_watch,
	  .closed = on_watch_closed },
};

static const struct rpc_service service = {
	.name = PROTO_HEALTH_SERVICE,
	.handlers = handlers,
	.count = sizeof(handlers) / sizeof(handlers[0]),
	.descriptors = &proto_health_set,
};

int rpc_health_new(struct rpc_server *server, struct rpc_health **health, struct err *e)
{
	struct rpc_health *h = calloc(1, sizeof(*h));

	if (!h)
		return err_nomem(e);
	LIST_INIT(&h->watchers);
	if (rpc_health_set(h, "", true, e) < 0 || rpc_server_add(server, &service, h, e) < 0) {
		free(h);
		return err_code(e);
	}
	*health = h;
	return 0;
}

int rpc_health_set(struct rpc_health *health, const char *name, bool serving, struct err *e)
{
	enum status status = serving ? STATUS_SERVING : STATUS_NOT_SERVING;
	struct known *known = find(health, name);
	struct watcher *watcher;
	size_t len = strlen(name);

	if (!known &&
	    (health->service_count == RPC_HEALTH_SERVICES_MAX || len >= RPC_HEALTH_NAME_MAX))
		return err_set(e, ERR_EXHAUSTED, "health: more than %d services, or a long name",
			       RPC_HEALTH_SERVICES_MAX);
	if (!known) {
		known = &health->services[health->service_count++];
		memcpy(known->name, name, len + 1);
	}
	known->status = status;
	LIST_FOREACH(watcher, &health->watchers, others) {
		if (strcmp(watcher->name, name) == 0 && watcher->told != status)
			tell(watcher, status);
	}
	return 0;
}

void rpc_health_free(struct rpc_health *health)
{
	free(health);
}
