/* SPDX-License-Identifier: Apache-2.0 */
/* admin_invitation.c — links by which people become members of a workspace: people.PeopleService. */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_people.h"
#include "computations/core/mail_sender.h"
#include "computations/mail/mail.h"
#include "computations/people/invitation.h"
#include "computations/web/web.h"

#include <string.h>

_Static_assert(INVITATION_TEXT_LEN < sizeof(((struct people_request *)0)->secret),
	       "it has a place");

/* What such a call has found. */
struct invitation_rows {
	struct workspace w; /* that it is about */
	struct invitation rows[INVITATIONS_MAX];
	int64_t number;
	char *mail;       /* address that the link goes to; NULL: to none */
	const char *from; /* lent; NULL: nothing is mailed */
	const char *base; /* lent: what such a link begins with */
	bool is_mailed;
	struct mail_row mails[INVITATIONS_MAX];
	size_t mail_count;
};

void people_invitation_free(struct invitation_rows *rows)
{
	if (!rows)
		return;
	workspace_done(&rows->w);
	free(rows->mail);
	for (size_t i = 0; i < INVITATIONS_MAX; i++)
		invitation_done(&rows->rows[i]);
	free(rows);
}

/* `workspace` is the request's id; NULL as from request_new(). */
static struct request *request_of(struct rpc_call *call, const char *workspace, const char *role,
				  const char *text)
{
	struct request *r = people_request_new(call, workspace, role, text);
	struct err e;

	if (!r)
		return NULL;
	r->people->invitation = calloc(1, sizeof(*r->people->invitation));
	if (r->people->invitation)
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

static int find(struct store *store, struct request *r, struct err *e)
{
	return workspace_find(&store->db, r->id, &r->people->invitation->w, e);
}

/* ---- a new one ---- */

/* Whoever follows it has a session, which is for all actions: a narrow token would get itself one that way. */
static int check_whole(const struct request *r, struct err *e)
{
	if (r->caller.rights.scope == ACTIONS_ALL)
		return 0;
	return err_set(e, ERR_DENIED,
		       "this token is not for all actions: it invites nobody, who would be in for "
		       "all of them");
}

/* In the same transaction: there is no invitation whose mail was lost, and none is mailed that is not there. */
static int mail_link(struct store *store, struct request *r, enum membership role, int64_t now,
		     struct err *e)
{
	struct people_request *p = r->people;
	struct invitation_rows *rows = p->invitation;
	char link[MAIL_LINK_MAX + 1], id[2 * 16 + 1], text[MAIL_TEXT_MAX + 1];
	uint8_t bytes[16];
	int failed;

	if (random_bytes(bytes, sizeof(bytes), e) < 0)
		return err_code(e);
	hex_encode(bytes, sizeof(bytes), id);
	snprintf(link, sizeof(link), "%s" INVITATION_PATH "%.*s", rows->base, INVITATION_TEXT_LEN,
		 p->secret);
	failed = mail_message_make(&(struct mail_words){ .from = rows->from,
							 .to = rows->mail,
							 .workspace = rows->w.name,
							 .inviter = r->caller.who.name,
							 .role = membership_rules[role].name,
							 .link = link,
							 .id = id,
							 .now = now,
							 .ends = p->expires },
				   text, e);
	if (!failed)
		failed = mail_add(
			&store->db, store->secrets,
			&(struct mail_wish){ rows->w.number, rows->number, rows->mail, text }, now,
			e);
	explicit_bzero(link, sizeof(link));
	explicit_bzero(text, sizeof(text));
	explicit_bzero(p->secret, sizeof(p->secret));
	rows->is_mailed = !failed;
	return failed;
}

/* An address is judged also where it is of no use. */
static int check_mail(struct store *store, const struct invitation_rows *rows, int64_t now,
		      struct err *e)
{
	if (!rows->mail)
		return 0;
	return rows->from ? mail_check(&store->db, rows->w.number, rows->w.name, rows->mail, now, e)
			  : mail_address_check(rows->mail, e);
}

static int run_invite(struct store *store, struct request *r, struct err *e)
{
	struct people_request *p = r->people;
	struct invitation_wish wish = { MEMBERSHIP_MEMBER, p->days, p->name };
	const int64_t now = store_now();

	if (check_whole(r, e) < 0 || (*p->user && membership_find(p->user, &wish.role, e) < 0) ||
	    find(store, r, e) < 0 || check_mail(store, p->invitation, now, e) < 0 ||
	    invitation_add(&store->db, &p->invitation->w, r->caller.who.person, &wish, now,
			   &p->invitation->number, p->secret, e) < 0)
		return err_code(e);
	p->expires = now + (int64_t)(p->days ? p->days : INVITATION_DAYS) * 86400 * 1000;
	if (p->invitation->mail && p->invitation->from &&
	    mail_link(store, r, wish.role, now, e) < 0)
		return err_code(e);
	request_is(r, "invitation %lld, %s%s", (long long)p->invitation->number,
		   membership_rules[wish.role].name, p->invitation->is_mailed ? ", mailed" : "");
	return 0;
}

static void reply_invite(struct request *r)
{
	People__NewInvitation m = PEOPLE__NEW_INVITATION__INIT;
	Google__Protobuf__Timestamp time;
	char path[INVITATION_TEXT_LEN + 16], origin[WEB_ORIGIN_MAX];
	struct err e;

	if (web_origin(r->service, origin, &e) < 0) {
		rpc_call_finish(r->call, &e);
		return;
	}
	snprintf(path, sizeof(path), INVITATION_PATH "%.*s", INVITATION_TEXT_LEN,
		 r->people->secret);
	if (r->people->invitation->is_mailed) {
		*path = 0;
		m.mailed_to = r->people->invitation->mail;
		mail_sender_wake(r->service->mails);
	}
	m.number = (uint64_t)r->people->invitation->number;
	m.origin = origin;
	m.path = path;
	m.expires = people_time(&time, r->people->expires);
	rpc_call_reply(r->call, &m.base);
	explicit_bzero(path, sizeof(path));
}

void people_invite(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__InviteRequest *m = (const People__InviteRequest *)message;
	struct request *r = request_of(call, m->workspace, m->role, m->note);
	char origin[WEB_ORIGIN_MAX];
	struct err e;

	if (!r)
		return;
	r->people->days = m->days;
	r->people->invitation->from = mail_sender_from(r->service->mails);
	r->people->invitation->base = web_link_base(r->service);
	if (*m->mail && !(r->people->invitation->mail = strdup(m->mail))) {
		err_nomem(&e);
		request_refuse(r, &e);
		return;
	}
	/* Without a page nobody could follow it. */
	if (web_origin(r->service, origin, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_invite, reply_invite);
}

/* ---- those that there are ---- */

static int run_list(struct store *store, struct request *r, struct err *e)
{
	struct invitation_rows *rows = r->people->invitation;

	if (find(store, r, e) < 0)
		return err_code(e);
	if (mail_list(&store->db, rows->w.number, rows->mails, ARRAY_LEN(rows->mails),
		      &rows->mail_count, e) < 0)
		return err_code(e);
	return invitation_list(&store->db, rows->w.number, store_now(), rows->rows, &r->count, e);
}

static void put_mail(People__Invitation *m, const struct mail_row *mail)
{
	if (!mail)
		return;
	m->mail = (char *)(uintptr_t)mail->address;
	m->mail_state = (char *)(uintptr_t)mail_state_name(mail->state);
	m->mail_problem = (char *)(uintptr_t)mail->problem;
}

static void reply_list(struct request *r)
{
	People__ListInvitationsResponse response = PEOPLE__LIST_INVITATIONS_RESPONSE__INIT;
	struct {
		People__Invitation m;
		Google__Protobuf__Timestamp created, expires, taken;
	} out[INVITATIONS_MAX];
	People__Invitation *pointers[INVITATIONS_MAX];

	for (size_t k = 0; k < r->count; k++) {
		const struct invitation *i = &r->people->invitation->rows[k];
		People__Invitation *m = pointers[k] = &out[k].m;

		people__invitation__init(m);
		m->number = (uint64_t)i->number;
		m->role = (char *)(uintptr_t)membership_rules[i->role].name;
		m->note = i->note;
		m->inviter = i->inviter;
		m->created = people_time(&out[k].created, i->created);
		m->expires = people_time(&out[k].expires, i->ends);
		m->taken = people_time(&out[k].taken, i->taken);
		m->taker = i->taker;
		m->stale = i->is_stale && !i->taken;
		put_mail(m, mail_find(r->people->invitation->mails,
				      r->people->invitation->mail_count, i->number));
	}
	response.invitations = pointers;
	response.n_invitations = r->count;
	rpc_call_reply(r->call, &response.base);
}

void people_list_invitations(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		request_of(call, ((const People__InvitationsRequest *)message)->workspace, "", "");

	if (r)
		people_start(r, run_list, reply_list);
}

static int run_revoke(struct store *store, struct request *r, struct err *e)
{
	struct invitation_rows *rows = r->people->invitation;
	struct invitation *i = &rows->rows[0];

	if (find(store, r, e) < 0 ||
	    invitation_revoke(&store->db, &rows->w, rows->number, store_now(), i, e) < 0)
		return err_code(e);
	request_was(r, "invitation %lld, %s", (long long)i->number, membership_rules[i->role].name);
	return 0;
}

void people_revoke_invitation(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__InvitationRequest *m = (const People__InvitationRequest *)message;
	struct request *r = request_of(call, m->workspace, "", "");

	if (!r)
		return;
	/* No row has one that is larger than that. */
	r->people->invitation->number = m->number > INT64_MAX ? INT64_MAX : (int64_t)m->number;
	people_start(r, run_revoke, people_reply_empty);
}

/* ---- taking one ---- */

/* Which workspace it is, the secret alone says. */
static int run_take(struct store *store, struct request *r, struct err *e)
{
	struct invitation *i = &r->people->invitation->rows[0];

	if (!r->caller.who.person)
		return err_set(
			e, ERR_PRECONDITION,
			"without a token you are no user: who has no account follows the link");
	if (r->caller.rights.scope != ACTIONS_ALL)
		return err_set(
			e, ERR_DENIED,
			"this token is not for all actions: it makes you a member of nothing");
	if (invitation_take(&store->db, r->people->name, r->caller.who.person, store_now(), i, e) <
	    0)
		return err_code(e);
	if (r->audit)
		snprintf(r->audit->object, sizeof(r->audit->object), "workspace %s", i->workspace);
	request_is(r, "invitation %lld, %s", (long long)i->number, membership_rules[i->role].name);
	return 0;
}

static void reply_take(struct request *r)
{
	const struct invitation *i = &r->people->invitation->rows[0];
	People__Joined m = PEOPLE__JOINED__INIT;

	rpc_call_note(r->call, "workspace", i->workspace);
	m.workspace = i->workspace;
	m.role = (char *)(uintptr_t)membership_rules[i->role].name;
	rpc_call_reply(r->call, &m.base);
}

void people_take_invitation(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		request_of(call, "", "", ((const People__TakeInvitationRequest *)message)->secret);

	if (r)
		people_start(r, run_take, reply_take);
}
