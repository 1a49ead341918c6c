/* SPDX-License-Identifier: Apache-2.0 */
/* admin_device.c — people.PeopleService: programs that ask for a token of whoever lets them in at the page. */
#include "common/rpc/observer.h"
#include "computations/admin/admin_people.h"
#include "computations/core/known_hash.h"
#include "computations/people/device.h"
#include "computations/web/web.h"

#include <string.h>

_Static_assert(DEVICE_TEXT_LEN < sizeof(((struct people_request *)0)->secret), "it has a place");

/* ---- it asks ---- */

static int run_ask(struct store *store, struct request *r, struct err *e)
{
	struct people_request *p = r->people;

	p->device.scope = p->actions ? p->actions : (unsigned)ACTIONS_ALL;
	p->device.days = p->days;
	return device_ask(&store->db, &p->device, store_now(), p->secret, e);
}

static void reply_ask(struct request *r)
{
	People__LoginAsked m = PEOPLE__LOGIN_ASKED__INIT;
	Google__Protobuf__Timestamp time;
	char origin[WEB_ORIGIN_MAX];
	struct err e;

	if (web_origin(r->service, origin, &e) < 0) {
		rpc_call_finish(r->call, &e);
		return;
	}
	m.secret = r->people->secret;
	m.code = r->people->device.code;
	m.origin = origin;
	m.path = (char *)(uintptr_t)WEB_DEVICE_PATH;
	m.expires = people_time(&time, r->people->device.ends);
	rpc_call_reply(r->call, &m.base);
}

/* "192.0.2.1:4711", without its port. */
static void take_peer(const char *peer, char out[DEVICE_PEER_MAX + 1])
{
	const char *port = strncmp(peer, "unix:", 5) == 0 ? NULL : strrchr(peer, ':');

	snprintf(out, DEVICE_PEER_MAX + 1, "%.*s", (int)(port ? port - peer : DEVICE_PEER_MAX),
		 peer);
}

static int check_ask(const struct service *service, const char *about, struct err *e)
{
	char origin[WEB_ORIGIN_MAX];

	if (strlen(about) > DEVICE_ABOUT_MAX)
		return err_set(e, ERR_INVALID, "about: it has %zu bytes, and may have %d",
			       strlen(about), DEVICE_ABOUT_MAX);
	return web_origin(service, origin, e);
}

void people_ask_login(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__AskLoginRequest *m = (const People__AskLoginRequest *)message;
	struct request *r = people_request_new(call, "", "", "");
	struct err e;

	if (!r || !people_request_actions(r, m->actions, m->n_actions))
		return;
	if (check_ask(r->service, m->about, &e) < 0) {
		request_refuse(r, &e);
		return;
	}
	r->people->days = m->days;
	snprintf(r->people->device.about, sizeof(r->people->device.about), "%s", m->about);
	take_peer(rpc_call_peer(call), r->people->device.peer);
	people_start(r, run_ask, reply_ask);
}

/* ---- it looks, and takes ---- */

void people_know_token(struct request *r, const char *token)
{
	uint8_t hash[SHA256_LEN];
	struct err ignored;

	if (r->service->known && token_hash(token, hash, &ignored) == 0)
		known_hash_learn(r->service->known, hash, NULL);
}

static int run_poll(struct store *store, struct request *r, struct err *e)
{
	enum device_state state;

	if (device_look(&store->db, r->people->name, store_now(), &state, e) < 0)
		return err_code(e);
	r->people->flag = state == DEVICE_IS_IN;
	return 0;
}

static void reply_poll(struct request *r)
{
	People__LoginState m = PEOPLE__LOGIN_STATE__INIT;

	m.let_in = r->people->flag;
	rpc_call_reply(r->call, &m.base);
}

static struct request *secret_request(struct rpc_call *call, const ProtobufCMessage *message)
{
	return people_request_new(call, "", "", ((const People__LoginRequest *)message)->secret);
}

void people_poll_login(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = secret_request(call, message);

	if (r)
		people_start(r, run_poll, reply_poll);
}

static int run_look_take(struct store *store, struct request *r, struct err *e)
{
	return device_may_take(&store->db, r->people->name, store_now(), e);
}

/* From here on it is known who calls, and the audit log says so. */
static int run_take(struct store *store, struct request *r, struct err *e)
{
	struct device_token token;

	if (device_take(&store->db, r->people->name, store_now(), &token, e) < 0)
		return err_code(e);
	r->caller.who.person = token.person;
	memcpy(r->caller.who.name, token.user, sizeof(token.user));
	memcpy(r->people->token, token.name, sizeof(token.name));
	memcpy(r->people->secret, token.text, sizeof(token.text));
	r->people->expires = token.expires;
	explicit_bzero(&token, sizeof(token));
	return 0;
}

static void reply_take(struct request *r)
{
	People__LoginToken m = PEOPLE__LOGIN_TOKEN__INIT;
	Google__Protobuf__Timestamp time;

	people_know_token(r, r->people->secret);
	rpc_call_note(r->call, "token", r->people->token);
	m.token = r->people->secret;
	m.name = r->people->token;
	m.user = r->caller.who.name;
	m.expires = people_time(&time, r->people->expires);
	rpc_call_reply(r->call, &m.base);
}

static void take_now(struct request *r)
{
	request_go_on(r, run_take, reply_take);
}

void people_take_login(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = secret_request(call, message);

	if (r)
		request_look_first(r, run_look_take, take_now);
}

/* ---- and ends it ---- */

static int run_end(struct store *store, struct request *r, struct err *e)
{
	if (!r->caller.has_token)
		return err_set(e, ERR_INVALID, "this call shows no token that it could end");
	return token_end(&store->db, r->caller.hash, e);
}

void people_end_token(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = people_request_new(call, "", "", "");

	if (r)
		people_start(r, run_end, people_reply_empty);
}
