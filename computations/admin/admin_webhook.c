/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_webhook.h"

#include "common/rpc/observer.h"
#include "computations/admin/admin_people.h"
#include "computations/core/hook_sender.h"
#include "computations/hook/hook_delivery.h"
#include "google/protobuf/empty.pb-c.h"
#include "proto/descriptors.h"
#include "webhooks.pb-c.h"
#include "webhooks_paths.h"

#include <string.h>

/* What such a call is about, and what it found. The request's id is the workspace. */
struct webhook_request {
	struct workspace w;
	char *url, *description;
	unsigned events;
	int64_t number, delivery, before;
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook rows[HOOKS_MAX]; /* or the one, in front */
	struct hook_delivery deliveries[HOOK_PAGE_MAX];
};

void admin_webhook_free(struct webhook_request *w)
{
	if (!w)
		return;
	workspace_done(&w->w);
	free(w->url);
	free(w->description);
	explicit_bzero(w->secret, sizeof(w->secret));
	free(w);
}

/* No row has a number that is larger than that. */
static int64_t number_of(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

/* NULL as from request_new(). */
static struct request *request_of(struct rpc_call *call, const char *workspace, uint64_t number,
				  const char *url, const char *description)
{
	struct request *r = request_new(call, workspace);
	struct webhook_request *w;
	struct err e;

	if (!r)
		return NULL;
	w = r->webhook = calloc(1, sizeof(*r->webhook));
	if (w && (w->url = strdup(url)) && (w->description = strdup(description))) {
		w->number = number_of(number);
		return r;
	}
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

/* Also once more, in a call that tells what became of it. */
static int find_place(struct store *store, struct request *r, struct err *e)
{
	workspace_done(&r->webhook->w);
	return admin_access_workspace(store, &r->caller, DEED_WEBHOOKS, r->id, &r->webhook->w, e);
}

static int find(struct store *store, struct request *r, struct err *e)
{
	struct webhook_request *w = r->webhook;

	if (find_place(store, r, e) < 0)
		return err_code(e);
	return hook_find(&store->db, w->w.number, w->number, &w->rows[0], e);
}

/* Its address may have a secret in it, which is nothing for a log: the host has to do. */
static void note(struct request *r, void (*say)(struct request *r, const char *fmt, ...))
{
	const struct hook *h = &r->webhook->rows[0];
	struct hook_url url = { .host = "" };
	struct err ignored;

	if (hook_url_parse(h->url, &url, &ignored) < 0)
		*url.host = 0;
	say(r, "%s, in workspace %s, to %s port %u", h->enabled ? "enabled" : "disabled",
	    r->webhook->w.name, url.host, url.port);
}

static void about(struct request *r)
{
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "webhook %lld",
			 (long long)r->webhook->rows[0].number);
}

/* ---- messages ---- */

struct webhook_message {
	Webhooks__Webhook m;
	Google__Protobuf__Timestamp created;
	char *events[HOOK_EVENTS];
};

static void message_webhook(struct webhook_message *out, const struct workspace *w,
			    const struct hook *h)
{
	Webhooks__Webhook *m = &out->m;

	webhooks__webhook__init(m);
	m->number = (uint64_t)h->number;
	m->workspace = w->name;
	m->url = (char *)(uintptr_t)h->url;
	m->events = out->events;
	m->n_events = hook_event_names(h->events, out->events);
	m->description = (char *)(uintptr_t)h->description;
	m->enabled = h->enabled;
	m->reason = (char *)(uintptr_t)h->reason;
	m->maker = (char *)(uintptr_t)h->maker;
	m->created = people_time(&out->created, h->created);
	m->waiting = (uint64_t)h->waiting;
	m->taken = (uint64_t)h->taken;
	m->dropped = (uint64_t)h->dropped;
}

struct delivery_message {
	Webhooks__Delivery m;
	Google__Protobuf__Timestamp created, tried, due;
};

static void message_delivery(struct delivery_message *out, const struct hook_delivery *d)
{
	Webhooks__Delivery *m = &out->m;

	webhooks__delivery__init(m);
	m->number = (uint64_t)d->number;
	m->id = (char *)(uintptr_t)d->id;
	m->event = (char *)(uintptr_t)hook_event_name(d->event);
	m->state = (char *)(uintptr_t)hook_state_name(d->state);
	m->tries = d->tries;
	m->status = (uint32_t)d->status;
	m->problem = (char *)(uintptr_t)d->problem;
	m->created = people_time(&out->created, d->created);
	m->tried = people_time(&out->tried, d->tried);
	m->due = people_time(&out->due, d->state == HOOK_WAITING ? d->due : 0);
}

static void note_number(struct request *r)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)r->webhook->rows[0].number);
	rpc_call_note(r->call, "webhook", text);
}

static void reply_one(struct request *r)
{
	struct webhook_message out;

	message_webhook(&out, &r->webhook->w, &r->webhook->rows[0]);
	rpc_call_reply(r->call, &out.m.base);
}

static void reply_secret(struct request *r)
{
	Webhooks__NewWebhook m = WEBHOOKS__NEW_WEBHOOK__INIT;
	struct webhook_message out;

	note_number(r);
	message_webhook(&out, &r->webhook->w, &r->webhook->rows[0]);
	m.webhook = &out.m;
	m.secret = r->webhook->secret;
	rpc_call_reply(r->call, &m.base);
}

/* ---- a new one ---- */

static int run_create(struct store *store, struct request *r, struct err *e)
{
	struct webhook_request *w = r->webhook;
	const struct hook_wish wish = { w->url, w->description, r->caller.who.name, w->events };

	if (find_place(store, r, e) < 0 || hook_add(&store->db, store->secrets, w->w.number, &wish,
						    hook_sender_nets(r->service->hooks),
						    store_now(), &w->rows[0], w->secret, e) < 0)
		return err_code(e);
	about(r);
	note(r, request_is);
	return 0;
}

static void on_create(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Webhooks__CreateRequest *m = (const Webhooks__CreateRequest *)message;
	struct request *r = request_of(call, m->workspace, 0, m->url, m->description);
	struct err e;

	if (!r)
		return;
	if (hook_events_read(m->events, m->n_events, &r->webhook->events, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_create, reply_secret);
}

/* ---- those that there are ---- */

static int run_list(struct store *store, struct request *r, struct err *e)
{
	if (find_place(store, r, e) < 0)
		return err_code(e);
	return hook_list(&store->db, r->webhook->w.number, r->webhook->rows, &r->count, e);
}

static void reply_list(struct request *r)
{
	Webhooks__ListResponse response = WEBHOOKS__LIST_RESPONSE__INIT;
	struct webhook_message out[HOOKS_MAX];
	Webhooks__Webhook *pointers[HOOKS_MAX];

	for (size_t i = 0; i < r->count; i++) {
		message_webhook(&out[i], &r->webhook->w, &r->webhook->rows[i]);
		pointers[i] = &out[i].m;
	}
	response.webhooks = pointers;
	response.n_webhooks = r->count;
	rpc_call_reply(r->call, &response.base);
}

static void on_list(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		request_of(call, ((const Webhooks__ListRequest *)message)->workspace, 0, "", "");

	if (r)
		people_start(r, run_list, reply_list);
}

/* ---- one of them ---- */

static int run_show(struct store *store, struct request *r, struct err *e)
{
	return find(store, r, e);
}

static int switch_it(struct store *store, struct request *r, bool enabled, struct err *e)
{
	struct webhook_request *w = r->webhook;

	if (find(store, r, e) < 0)
		return err_code(e);
	about(r);
	note(r, request_was);
	if (hook_enable(&store->db, w->number, enabled, e) < 0 || find(store, r, e) < 0)
		return err_code(e);
	note(r, request_is);
	store->has_told = true; /* what waits for it is due */
	return 0;
}

static int run_enable(struct store *store, struct request *r, struct err *e)
{
	return switch_it(store, r, true, e);
}

static int run_disable(struct store *store, struct request *r, struct err *e)
{
	return switch_it(store, r, false, e);
}

/* Who has another secret can make receivers believe what he likes. */
static int run_rotate(struct store *store, struct request *r, struct err *e)
{
	struct webhook_request *w = r->webhook;

	if (find(store, r, e) < 0 ||
	    hook_rotate(&store->db, store->secrets, w->number, store_now(), w->secret, e) < 0)
		return err_code(e);
	about(r);
	note(r, request_was);
	request_is(r, "another secret");
	return 0;
}

static int run_delete(struct store *store, struct request *r, struct err *e)
{
	if (find(store, r, e) < 0 || hook_delete(&store->db, r->webhook->number, e) < 0)
		return err_code(e);
	about(r);
	note(r, request_was);
	request_is(r, "deleted");
	return 0;
}

static void start_one(struct rpc_call *call, const ProtobufCMessage *message,
		      int (*run)(struct store *store, struct request *r, struct err *e),
		      void (*reply)(struct request *r))
{
	const Webhooks__WebhookRequest *m = (const Webhooks__WebhookRequest *)message;
	struct request *r = request_of(call, m->workspace, m->number, "", "");

	if (r)
		people_start(r, run, reply);
}

static void on_show(struct rpc_call *call, const ProtobufCMessage *message)
{
	start_one(call, message, run_show, reply_one);
}

static void on_enable(struct rpc_call *call, const ProtobufCMessage *message)
{
	start_one(call, message, run_enable, reply_one);
}

static void on_disable(struct rpc_call *call, const ProtobufCMessage *message)
{
	start_one(call, message, run_disable, reply_one);
}

static void on_rotate(struct rpc_call *call, const ProtobufCMessage *message)
{
	start_one(call, message, run_rotate, reply_secret);
}

static void on_delete(struct rpc_call *call, const ProtobufCMessage *message)
{
	start_one(call, message, run_delete, people_reply_empty);
}

/* ---- deliveries ---- */

static int run_deliveries(struct store *store, struct request *r, struct err *e)
{
	struct webhook_request *w = r->webhook;

	if (find(store, r, e) < 0)
		return err_code(e);
	return hook_deliveries(&store->db, w->number, w->before, w->deliveries, &r->count, e);
}

static void reply_deliveries(struct request *r)
{
	Webhooks__DeliveriesResponse response = WEBHOOKS__DELIVERIES_RESPONSE__INIT;
	struct delivery_message out[HOOK_PAGE_MAX];
	Webhooks__Delivery *pointers[HOOK_PAGE_MAX];

	for (size_t i = 0; i < r->count; i++) {
		message_delivery(&out[i], &r->webhook->deliveries[i]);
		pointers[i] = &out[i].m;
	}
	response.deliveries = pointers;
	response.n_deliveries = r->count;
	if (r->count == HOOK_PAGE_MAX)
		response.next = (uint64_t)r->webhook->deliveries[r->count - 1].number;
	rpc_call_reply(r->call, &response.base);
}

static void on_deliveries(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Webhooks__DeliveriesRequest *m = (const Webhooks__DeliveriesRequest *)message;
	struct request *r = request_of(call, m->workspace, m->number, "", "");

	if (!r)
		return;
	r->webhook->before = number_of(m->before);
	people_start(r, run_deliveries, reply_deliveries);
}

static int run_redeliver(struct store *store, struct request *r, struct err *e)
{
	struct webhook_request *w = r->webhook;
	struct hook_delivery *d = &w->deliveries[0];

	if (find(store, r, e) < 0)
		return err_code(e);
	if (!w->rows[0].enabled)
		return err_set(e, ERR_PRECONDITION, "webhook %lld is disabled: enable it first",
			       (long long)w->number);
	if (hook_delivery_find(&store->db, w->number, w->delivery, d, e) < 0)
		return err_code(e);
	about(r);
	request_was(r, "delivery %lld %s", (long long)d->number, hook_state_name(d->state));
	if (hook_redeliver(&store->db, w->number, w->delivery, store_now(), e) < 0 ||
	    hook_delivery_find(&store->db, w->number, w->delivery, d, e) < 0)
		return err_code(e);
	request_is(r, "delivery %lld %s", (long long)d->number, hook_state_name(d->state));
	store->has_told = true;
	return 0;
}

static void reply_redeliver(struct request *r)
{
	struct delivery_message out;

	message_delivery(&out, &r->webhook->deliveries[0]);
	rpc_call_reply(r->call, &out.m.base);
}

static void on_redeliver(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Webhooks__RedeliverRequest *m = (const Webhooks__RedeliverRequest *)message;
	struct request *r = request_of(call, m->workspace, m->number, "", "");

	if (!r)
		return;
	r->webhook->delivery = number_of(m->delivery);
	people_start(r, run_redeliver, reply_redeliver);
}

#define METHOD(path_, request_, response_, message_)                                      \
	{ .method = { path_, RPC_UNARY, &webhooks__##request_##__descriptor, response_ }, \
	  .message = message_ }
#define ANSWER(name_) &webhooks__##name_##__descriptor

static const struct rpc_handler handlers[] = {
	METHOD(PROTO_WEBHOOKS_CREATE, create_request, ANSWER(new_webhook), on_create),
	METHOD(PROTO_WEBHOOKS_LIST, list_request, ANSWER(list_response), on_list),
	METHOD(PROTO_WEBHOOKS_SHOW, webhook_request, ANSWER(webhook), on_show),
	METHOD(PROTO_WEBHOOKS_ENABLE, webhook_request, ANSWER(webhook), on_enable),
	METHOD(PROTO_WEBHOOKS_DISABLE, webhook_request, ANSWER(webhook), on_disable),
	METHOD(PROTO_WEBHOOKS_ROTATE, webhook_request, ANSWER(new_webhook), on_rotate),
	METHOD(PROTO_WEBHOOKS_DELETE, webhook_request, &google__protobuf__empty__descriptor,
	       on_delete),
	METHOD(PROTO_WEBHOOKS_DELIVERIES, deliveries_request, ANSWER(deliveries_response),
	       on_deliveries),
	METHOD(PROTO_WEBHOOKS_REDELIVER, redeliver_request, ANSWER(delivery), on_redeliver),
};

const struct rpc_service webhooks_rpc = {
	.name = PROTO_WEBHOOKS_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_webhooks_set,
};
