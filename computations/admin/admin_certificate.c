/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_certificate.h"

#include "certificates_paths.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_certificate_call.h"
#include "computations/admin/admin_people.h"
#include "computations/core/own_list.h"
#include "proto/descriptors.h"

#include <string.h>

void admin_certificate_free(struct certificate_request *c)
{
	if (!c)
		return;
	free(c->name);
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	free(c->request);
	free(c->evidence);
	free(c->parts);
	explicit_bzero(c->text, sizeof(c->text));
	free(c->pem);
	free(c->list);
	free(c);
}

static int check_authority(const struct request *r, struct err *e)
{
	if (r->service->authority)
		return 0;
	return err_set(
		e, ERR_PRECONDITION,
		"this service issues no certificates: set COMPUTATIONS_CA_CERT and "
		"COMPUTATIONS_CA_KEY, make the two with 'cocos-computations --make-ca NAME', "
		"and start it again");
}

/* Of administrators: whether there is an authority is said behind who it is that asks. */
static struct request *own_request_new(struct rpc_call *call, const char *name)
{
	struct request *r = request_new(call, "");
	struct certificate_request *c;
	struct err e;

	if (!r)
		return NULL;
	c = r->certificate = calloc(1, sizeof(*r->certificate));
	if (c && (c->name = strdup(name)))
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

struct request *certificate_request_new(struct rpc_call *call, const char *name, const char *token)
{
	struct request *r = own_request_new(call, name);
	struct err e;

	if (!r)
		return NULL;
	if (check_authority(r, &e) == 0) {
		r->certificate->token = strdup(token);
		if (r->certificate->token)
			return r;
		err_nomem(&e);
	}
	request_refuse(r, &e);
	return NULL;
}

void certificate_about(struct request *r, const struct ca_record *record)
{
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "certificate %s",
			 record->serial);
}

/* ---- a token ---- */

static int run_add_token(struct store *store, struct request *r, struct err *e)
{
	struct certificate_request *c = r->certificate;
	struct ca_record *made = &c->rows[0];

	if (check_authority(r, e) < 0)
		return err_code(e);
	/* Whoever has a person's certificate is that person wherever this authority is trusted, for all actions. */
	if (c->wish.role == CA_PERSON && r->caller.rights.scope != ACTIONS_ALL)
		return err_set(
			e, ERR_DENIED,
			"this token is not for all actions: it lets nobody be a person, whose "
			"certificate would be");
	if (ca_token_add(&store->db, &c->wish, r->caller.who.name, store_now(), made, c->text, e) <
	    0)
		return err_code(e);
	certificate_about(r, made);
	request_is(r, "open, for %s %s, %u days", ca_roles[made->role].name, made->name,
		   made->days);
	return 0;
}

static void reply_add_token(struct request *r)
{
	Certificates__NewToken m = CERTIFICATES__NEW_TOKEN__INIT;
	Google__Protobuf__Timestamp time;

	rpc_call_note(r->call, "serial", r->certificate->rows[0].serial);
	m.token = r->certificate->text;
	m.serial = r->certificate->rows[0].serial;
	m.expires = people_time(&time, r->certificate->rows[0].ends);
	rpc_call_reply(r->call, &m.base);
}

static void on_add_token(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Certificates__TokenRequest *m = (const Certificates__TokenRequest *)message;
	struct request *r = own_request_new(call, m->name);
	struct err e;

	if (!r)
		return;
	r->certificate->wish.name = r->certificate->name;
	r->certificate->wish.days = m->days;
	r->certificate->wish.hours = m->hours;
	if (ca_role_find(m->role, &r->certificate->wish.role, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_add_token, reply_add_token);
}

/* ---- the next one ---- */

static int run_renew(struct store *store, struct request *r, struct err *e)
{
	struct certificate_request *c = r->certificate;
	struct ca_record *issued = &c->rows[0], renewed;

	if (ca_renew(&store->db, r->service->authority, &c->renewal, store_now(), &renewed, issued,
		     &c->pem, e) < 0)
		return err_code(e);
	certificate_about(r, &renewed);
	request_was(r, "issued to %s %s, key %s", ca_roles[renewed.role].name, renewed.name,
		    renewed.key);
	request_is(r, "renewed by certificate %s, renewal %u, key %s", issued->serial,
		   issued->renewal, issued->key);
	return 0;
}

static int run_look_renew(struct store *store, struct request *r, struct err *e)
{
	return ca_renewal_look(&store->db, r->service->authority, &r->certificate->renewal,
			       store_now(), e);
}

static void renew_now(struct request *r)
{
	request_go_on(r, run_renew, certificate_reply);
}

static void on_renew(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Certificates__RenewRequest *m = (const Certificates__RenewRequest *)message;
	struct request *r = certificate_request_new(call, m->serial, "");
	struct certificate_request *c;
	struct err e;
	uint8_t *at;

	if (!r)
		return;
	c = r->certificate;
	c->parts = at = malloc(m->key.len + m->request.len + m->nonce.len + m->signature.len + 1);
	if (!at) {
		err_nomem(&e);
		request_refuse(r, &e);
		return;
	}
	c->renewal.serial = c->name;
	c->renewal.key = certificate_put(&at, &m->key);
	c->renewal.request = certificate_put(&at, &m->request);
	c->renewal.nonce = certificate_put(&at, &m->nonce);
	c->renewal.signature = certificate_put(&at, &m->signature);
	c->renewal.same_key = m->same_key;
	request_look_first(r, run_look_renew, renew_now);
}

/* ---- who signs them ---- */

static int run_authority(struct store *store, struct request *r, struct err *e)
{
	return ca_crl(&store->db, r->service->authority, store_now(), &r->certificate->list,
		      &r->certificate->list_len, e);
}

static void reply_authority(struct request *r)
{
	Certificates__AuthorityResponse m = CERTIFICATES__AUTHORITY_RESPONSE__INIT;

	m.certificate = r->service->authority->pem;
	m.list.data = r->certificate->list;
	m.list.len = r->certificate->list_len;
	rpc_call_reply(r->call, &m.base);
}

static void on_authority(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = certificate_request_new(call, "", "");

	if (r)
		people_start(r, run_authority, reply_authority);
}

/* ---- those that there are ---- */

static int run_list(struct store *store, struct request *r, struct err *e)
{
	if (check_authority(r, e) < 0)
		return err_code(e);
	return ca_list(&store->db, r->certificate->after, r->certificate->rows, &r->count, e);
}

static void reply_list(struct request *r)
{
	Certificates__ListResponse response = CERTIFICATES__LIST_RESPONSE__INIT;
	struct {
		Certificates__Certificate m;
		Google__Protobuf__Timestamp created, issued, expires, revoked;
	} out[CA_PAGE_MAX];
	Certificates__Certificate *pointers[CA_PAGE_MAX];
	const int64_t now = store_now();

	for (size_t i = 0; i < r->count; i++) {
		struct ca_record *row = &r->certificate->rows[i];
		Certificates__Certificate *m = pointers[i] = &out[i].m;

		certificates__certificate__init(m);
		m->number = (uint64_t)row->number;
		m->serial = row->serial;
		m->name = row->name;
		m->role = (char *)(uintptr_t)ca_roles[row->role].name;
		m->state = (char *)(uintptr_t)ca_record_state(row, now);
		m->maker = row->maker;
		m->key = row->key;
		m->line = row->line;
		m->renewal = row->renewal;
		m->created = people_time(&out[i].created, row->created);
		m->issued = people_time(&out[i].issued, row->issued);
		m->expires = people_time(&out[i].expires, row->ends);
		m->revoked = people_time(&out[i].revoked, row->revoked);
	}
	response.certificates = pointers;
	response.n_certificates = r->count;
	if (r->count == CA_PAGE_MAX)
		response.next = (uint64_t)r->certificate->rows[r->count - 1].number;
	rpc_call_reply(r->call, &response.base);
}

static void on_list(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Certificates__ListRequest *m = (const Certificates__ListRequest *)message;
	struct request *r = own_request_new(call, "");

	if (!r)
		return;
	/* No row has one that is larger than that. */
	r->certificate->after = m->after > INT64_MAX ? INT64_MAX : (int64_t)m->after;
	people_start(r, run_list, reply_list);
}

static int run_revoke(struct store *store, struct request *r, struct err *e)
{
	struct certificate_request *c = r->certificate;
	struct ca_record *was = &c->rows[0];

	if (check_authority(r, e) < 0 ||
	    ca_revoke(&store->db, c->name, store_now(), was, c->serials, &c->serials_count, e) < 0)
		return err_code(e);
	certificate_about(r, was);
	request_was(r, "%s, of %s %s", was->issued ? "issued" : "open", ca_roles[was->role].name,
		    was->name);
	/* The list has their serials; the first is that of the line. */
	if (c->serials_count > 1)
		request_is(r, "revoked, %zu certificates of the line of %s", c->serials_count,
			   was->line);
	else
		request_is(r, "revoked");
	return 0;
}

/* Our own listeners know it from now on, not from the next time that they ask. */
static void reply_revoke(struct request *r)
{
	Certificates__RevokeResponse m = CERTIFICATES__REVOKE_RESPONSE__INIT;
	struct certificate_request *c = r->certificate;
	char *serials[CA_LINE_MAX];

	own_list_renew(r->service->own_list);
	for (size_t i = 0; i < c->serials_count; i++)
		serials[i] = c->serials[i];
	m.serials = serials;
	m.n_serials = c->serials_count;
	rpc_call_reply(r->call, &m.base);
}

static void on_revoke(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		own_request_new(call, ((const Certificates__RevokeRequest *)message)->serial);

	if (r)
		people_start(r, run_revoke, reply_revoke);
}

#define METHOD(path_, request_, response_, message_)                                          \
	{ .method = { path_, RPC_UNARY, &certificates__##request_##__descriptor, response_ }, \
	  .message = message_ }
#define ANSWER(name_) &certificates__##name_##__descriptor

static const struct rpc_handler handlers[] = {
	METHOD(PROTO_CERTIFICATES_ADD_TOKEN, token_request, ANSWER(new_token), on_add_token),
	METHOD(PROTO_CERTIFICATES_ISSUE, issue_request, ANSWER(issue_response), certificate_issue),
	METHOD(PROTO_CERTIFICATES_RENEW, renew_request, ANSWER(issue_response), on_renew),
	METHOD(PROTO_CERTIFICATES_AUTHORITY, authority_request, ANSWER(authority_response),
	       on_authority),
	METHOD(PROTO_CERTIFICATES_LIST, list_request, ANSWER(list_response), on_list),
	METHOD(PROTO_CERTIFICATES_REVOKE, revoke_request, ANSWER(revoke_response), on_revoke),
};

const struct rpc_service certificates_rpc = {
	.name = PROTO_CERTIFICATES_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_certificates_set,
};
