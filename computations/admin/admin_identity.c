/* SPDX-License-Identifier: Apache-2.0 */
/* admin_identity.c — people.PeopleService: accounts at providers of identities, listed, and parted from their users. */
#include "common/base/log.h"
#include "computations/admin/admin_people.h"
#include "computations/people/identity.h"
#include "computations/people/login.h"

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct people_request *p = r->people;

	if (people_find_person(store, r, &p->person, e) < 0)
		return err_code(e);
	p->identities = calloc(IDENTITIES_MAX, sizeof(*p->identities));
	return p->identities ? identity_list(&store->db, p->person, p->identities, &r->count, e)
			     : err_nomem(e);
}

static void reply_list(struct request *r)
{
	People__ListIdentitiesResponse response = PEOPLE__LIST_IDENTITIES_RESPONSE__INIT;
	struct {
		People__Identity identity;
		Google__Protobuf__Timestamp created, used;
	} out[IDENTITIES_MAX];
	People__Identity *rows[IDENTITIES_MAX];

	for (size_t i = 0; i < r->count; i++) {
		struct identity *one = &r->people->identities[i];
		People__Identity *m = rows[i] = &out[i].identity;

		people__identity__init(m);
		m->number = (uint64_t)one->number;
		m->provider = one->provider;
		m->issuer = one->issuer;
		m->subject = one->subject;
		m->created = people_time(&out[i].created, one->created);
		m->used = people_time(&out[i].used, one->used);
	}
	response.identities = rows;
	response.n_identities = r->count;
	rpc_call_reply(r->call, &response.base);
}

void people_list_identities(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		people_request_new(call, "", ((const People__UserRequest *)message)->name, "");

	if (r)
		people_start(r, run_list, reply_list);
}

/* A session that began with it would go on, and link another account. */
static int run_remove(struct store *store, struct request *r, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct identity was;

	if (people_find_other(store, r, &u, e) < 0 ||
	    identity_part(&store->db, u.number, r->people->session, &was, e) < 0)
		return err_code(e);
	r->people->person = u.number;
	request_was(r, "%s %s", was.provider, log_quote(was.subject).text);
	return login_end_others(&store->db, u.number, 0, e);
}

void people_remove_identity(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__IdentityRequest *m = (const People__IdentityRequest *)message;
	struct request *r = people_request_new(call, "", m->user, "");

	if (!r)
		return;
	/* No row has one that is larger than that. */
	r->people->session = m->number > INT64_MAX ? INT64_MAX : (int64_t)m->number;
	people_start(r, run_remove, people_reply_out);
}
