/* SPDX-License-Identifier: Apache-2.0 */
/* admin_account.c — people.PeopleService: how users sign in with a browser, and their sessions. */
#include "computations/admin/admin_people.h"
#include "computations/core/password_line.h"
#include "computations/people/account.h"
#include "computations/people/entry.h"
#include "computations/people/factor.h"
#include "computations/people/login.h"
#include "computations/people/passkey.h"
#include "computations/web/web.h"

#include <string.h>

/* ---- a password: whether the caller may, then it is computed, then it is kept if he still may ---- */

struct chosen {
	struct rpc_call *call; /* a reference */
	char *user;
};

static void chosen_free(struct chosen *s)
{
	rpc_call_unref(s->call);
	free(s->user);
	free(s);
}

static int run_keep(struct store *store, struct request *r, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (user_find(&store->db, r->people->user, &u, e) < 0)
		return err_code(e);
	r->people->person = u.number;
	return account_password(&store->db, u.number, &r->people->password, 0, store_now(), e);
}

void people_reply_out(struct request *r)
{
	web_forget_links(r->service, r->people->person);
	people_reply_empty(r);
}

static void computed(void *data, const struct password_job *job, const struct err *e)
{
	struct chosen *s = data;
	struct request *r = NULL;

	if (e)
		rpc_call_finish(s->call, e);
	else
		r = people_request_new(s->call, "", s->user, "");
	if (r) {
		r->people->password = job->password;
		people_start(r, run_keep, people_reply_out);
	}
	chosen_free(s);
}

/* Whoever sets a user's way to sign in can sign in as that user, and a session is for all actions. */
static int check_whole(const struct request *r, struct err *e)
{
	if (r->caller.rights.scope == ACTIONS_ALL)
		return 0;
	return err_set(e, ERR_DENIED,
		       "this token is not for all actions: it lets nobody sign in, whose session "
		       "would be");
}

static int run_may_set(struct store *store, struct request *r, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (check_whole(r, e) < 0 || user_find(&store->db, r->people->user, &u, e) < 0)
		return err_code(e);
	return password_check(r->people->user, r->people->name, e);
}

static void reply_may_set(struct request *r)
{
	struct chosen *s = calloc(1, sizeof(*s));
	struct password_job job = {
		.source = rpc_call_source(r->call), .is_new = true, .done = computed, .data = s
	};
	struct err e;

	err_nomem(&e);
	if (!s) {
		rpc_call_finish(r->call, &e);
		return;
	}
	s->call = rpc_call_ref(r->call);
	s->user = strdup(r->people->user);
	job.text = s->user ? strdup(r->people->name) : NULL;
	if (!job.text || password_line_add(r->service->passwords, &job, &e) < 0) {
		rpc_call_finish(r->call, &e);
		chosen_free(s);
	}
}

void people_set_password(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__SetPasswordRequest *m = (const People__SetPasswordRequest *)message;
	struct request *r = people_request_new(call, "", m->user, m->password);

	if (!r)
		return;
	r->only_asks = true;
	people_start(r, run_may_set, reply_may_set);
}

/* ---- a link ---- */

_Static_assert(ENTRY_TEXT_LEN < sizeof(((struct people_request *)0)->secret), "it has a place");

static int run_add_link(struct store *store, struct request *r, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct people_request *p = r->people;
	int64_t now = store_now();

	if (check_whole(r, e) < 0 || user_find(&store->db, p->user, &u, e) < 0)
		return err_code(e);
	if (u.suspended)
		return err_set(
			e, ERR_PRECONDITION,
			"user %s is suspended: 'cocos-cli user suspend --resume' comes first",
			p->user);
	p->expires = now + (int64_t)ENTRY_MINUTES * 60000;
	return entry_add(&store->db, u.number, now, p->secret, e);
}

static void reply_add_link(struct request *r)
{
	People__Link m = PEOPLE__LINK__INIT;
	Google__Protobuf__Timestamp time;
	char path[ENTRY_TEXT_LEN + 16], origin[WEB_ORIGIN_MAX];
	struct err e;

	if (web_origin(r->service, origin, &e) < 0) {
		rpc_call_finish(r->call, &e);
		return;
	}
	snprintf(path, sizeof(path), "/password/%.*s", ENTRY_TEXT_LEN, r->people->secret);
	m.origin = origin;
	m.path = path;
	m.expires = people_time(&time, r->people->expires);
	rpc_call_reply(r->call, &m.base);
	explicit_bzero(path, sizeof(path));
}

void people_add_link(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		people_request_new(call, "", ((const People__UserRequest *)message)->name, "");
	char origin[WEB_ORIGIN_MAX];
	struct err e;

	if (!r)
		return;
	if (web_origin(r->service, origin, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_add_link, reply_add_link);
}

/* ---- a second factor, or passkeys, that were lost ---- */

int people_find_other(struct store *store, const struct request *r, struct user *u, struct err *e)
{
	if (check_whole(r, e) < 0 || user_find(&store->db, r->people->user, u, e) < 0)
		return err_code(e);
	if (u->number == r->caller.who.person)
		return err_set(e, ERR_DENIED,
			       "it is your own: remove it at the page under You, or ask another "
			       "administrator");
	return 0;
}

static int run_remove_factor(struct store *store, struct request *r, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	return people_find_other(store, r, &u, e) < 0 ? err_code(e)
						      : factor_remove(&store->db, u.number, e);
}

static int run_remove_passkeys(struct store *store, struct request *r, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (people_find_other(store, r, &u, e) < 0 ||
	    passkey_remove_all(&store->db, u.number, e) < 0)
		return err_code(e);
	r->people->person = u.number;
	/* A session that has just begun with one of them adds another, where there is no password. */
	return login_end_others(&store->db, u.number, 0, e);
}

void people_remove_factor(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		people_request_new(call, "", ((const People__UserRequest *)message)->name, "");

	if (r)
		people_start(r, run_remove_factor, people_reply_empty);
}

void people_remove_passkeys(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		people_request_new(call, "", ((const People__UserRequest *)message)->name, "");

	if (r)
		people_start(r, run_remove_passkeys, people_reply_out);
}

/* ---- sessions ---- */

static int run_list_sessions(struct store *store, struct request *r, struct err *e)
{
	int64_t person;

	if (people_find_person(store, r, &person, e) < 0)
		return err_code(e);
	return login_list(&store->db, person, store_now(), r->people->logins, &r->count, e);
}

static void reply_sessions(struct request *r)
{
	People__ListSessionsResponse response = PEOPLE__LIST_SESSIONS_RESPONSE__INIT;
	struct {
		People__Session session;
		Google__Protobuf__Timestamp created, seen;
	} out[LOGINS_MAX];
	People__Session *rows[LOGINS_MAX];

	for (size_t i = 0; i < r->count; i++) {
		const struct login *l = &r->people->logins[i];
		People__Session *m = rows[i] = &out[i].session;

		people__session__init(m);
		m->number = (uint64_t)l->number;
		m->created = people_time(&out[i].created, l->created);
		m->seen = people_time(&out[i].seen, l->seen);
		m->from = l->peer;
		m->about = l->about;
	}
	response.sessions = rows;
	response.n_sessions = r->count;
	rpc_call_reply(r->call, &response.base);
}

void people_list_sessions(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		people_request_new(call, "", ((const People__UserRequest *)message)->name, "");

	if (r)
		people_start(r, run_list_sessions, reply_sessions);
}

static int run_end_session(struct store *store, struct request *r, struct err *e)
{
	int64_t person;

	if (people_find_person(store, r, &person, e) < 0)
		return err_code(e);
	if (!r->people->session) {
		r->people->person = person;
		return login_end_others(&store->db, person, r->caller.login, e);
	}
	return login_end(&store->db, person, r->people->session, e);
}

void people_end_session(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__SessionRequest *m = (const People__SessionRequest *)message;
	struct request *r = people_request_new(call, "", m->user, "");

	if (!r)
		return;
	/* No row has one that is larger than that. */
	r->people->session = m->number > INT64_MAX ? INT64_MAX : (int64_t)m->number;
	people_start(r, run_end_session, people_reply_out);
}
