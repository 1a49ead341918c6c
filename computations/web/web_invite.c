/* SPDX-License-Identifier: Apache-2.0 */
/* web_invite.c — invitations to a workspace, by whoever governs it: those that are open, a new one, whose link is shown once. */
#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "computations/core/mail_sender.h"
#include "computations/mail/mail_address.h"
#include "computations/people/invitation.h"
#include "computations/web/web_act.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_json.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <stdio.h>
#include <string.h>

/* ---- those that there are ---- */

int web_run_invitations(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place = web_place_of(work);

	if (mail_list(&store->db, place->w.number, place->mails, ARRAY_LEN(place->mails),
		      &place->mail_count, e) < 0)
		return err_code(e);
	return invitation_list(&store->db, place->w.number, store_now(), place->invitations,
			       &place->invitation_count, e);
}

static void put_mail(const struct mail_row *m, struct writer *w)
{
	if (m)
		page_put(w, "<span class=\"sub\">mail to <bdi>%t</bdi>: %s%s%t</span>", m->address,
			 mail_state_name(m->state), *m->problem ? ": " : "", m->problem);
}

static void put_row(const struct web_work *work, const struct invitation *i, struct writer *w)
{
	char path[64];

	page_row_begin(w);
	page_put(w, "<bdi>%t</bdi><span class=\"sub\">%s</span>", *i->note ? i->note : "–",
		 membership_rules[i->role].name);
	put_mail(mail_find(web_place_of(work)->mails, web_place_of(work)->mail_count, i->number),
		 w);
	page_put(w, "</th>");
	page_cell(w, "From");
	page_put(w, "<bdi>%t</bdi></td>", *i->inviter ? i->inviter : "the service’s operator");
	page_cell(w, "Until");
	page_put(w, "<span>");
	page_time(w, i->ends);
	if (i->taken)
		page_put(w, "<span class=\"sub\">taken by <bdi>%t</bdi></span>", i->taker);
	else if (i->is_stale)
		page_put(w, "<span class=\"sub\">%t</span>", WEB_INVITATION_STALE);
	page_put(w, "</span></td>");
	page_cell(w, "Withdraw");
	if (!i->taken) {
		snprintf(path, sizeof(path), "invitations/%lld", (long long)i->number);
		web_place_form(work, "inline", path, w);
		page_put(w,
			 "<button class=\"btn\" type=\"submit\">Withdraw<span class=\"sr\"> the "
			 "invitation %d</span></button></form>",
			 i->number);
	}
	page_put(w, "</td></tr>\n");
}

void web_put_invitations(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Invitation", false },
						      { "From", false },
						      { "Until", false },
						      { "Withdraw", false } };
	const struct web_place *place = web_place_of(work);

	if (!place->invitation_count)
		return;
	page_table_begin(w, "Invitations", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < place->invitation_count; i++)
		put_row(work, &place->invitations[i], w);
	page_table_end(w);
}

static int run_json(struct store *store, struct web_work *work, struct err *e)
{
	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	return web_run_invitations(store, work, e);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_place *place = web_place_of(work);

	writer_text(&w, "{");
	json_put_key(&w, "invitations");
	writer_text(&w, "[");
	for (size_t i = 0; i < place->invitation_count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_invitation(
			&w, &place->invitations[i],
			mail_find(place->mails, place->mail_count, place->invitations[i].number));
	}
	writer_text(&w, "]}\n");
	web_reply_json(work->r, &w);
}

void web_invitations_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_json, reply_json);
}

/* ---- a new one ---- */

void web_put_invite(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-invite\"><h2 id=\"h-invite\">Invite "
		 "somebody</h2>\n<p>%t</p>\n",
		 WEB_INVITE);
	web_place_form(work, "stack", "invite", w);
	page_put(
		w,
		"<div><label for=\"f-note\">For whom</label><input id=\"f-note\" name=\"note\" "
		"type=\"text\" maxlength=\"%d\" autocomplete=\"off\" aria-describedby=\"h-note\"><span "
		"class=\"hint\" id=\"h-note\">%t</span></div>\n",
		(int64_t)INVITATION_NOTE_MAX, WEB_INVITE_NOTE);
	/* Where nothing is mailed, nobody is asked for an address. */
	if (mail_sender_from(work->web->service->mails))
		page_put(
			w,
			"<div><label for=\"f-mail\">Mail it to</label><input id=\"f-mail\" name=\"mail\" "
			"type=\"email\" maxlength=\"%d\" autocomplete=\"off\" "
			"aria-describedby=\"h-mail\"><span class=\"hint\" id=\"h-mail\">%t</span></div>\n",
			(int64_t)MAIL_ADDRESS_MAX, WEB_INVITE_MAIL);
	web_place_roles(w, MEMBERSHIP_MEMBER);
	page_put(w,
		 "<div><label for=\"f-days\">Days until it ends</label><input id=\"f-days\" "
		 "name=\"days\" type=\"number\" min=\"1\" max=\"%d\" value=\"%d\" required></div>\n"
		 "<div><button class=\"btn main\" type=\"submit\">Make a link</button></div>\n"
		 "</form></section>\n",
		 (int64_t)INVITATION_DAYS_MAX, (int64_t)INVITATION_DAYS);
}

/* The link, for this once. */
static void reply_page(struct web_act *act, const ProtobufCMessage *answer)
{
	const People__NewInvitation *m = (const People__NewInvitation *)answer;
	const char *place = http_request_param(act->r, "workspace");
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, NULL, "Invitation", "");
	page_put(&w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/w/%u/members\"><bdi>%t"
		 "</bdi></a> /</nav>\n<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 "
		 "id=\"gate\">An invitation to <bdi>%t</bdi></h1>\n",
		 place, place, place);
	if (*m->mailed_to)
		page_put(&w, "<p>It is mailed to <b><bdi>%t</bdi></b>. %t</p>\n", m->mailed_to,
			 WEB_INVITE_MAILED);
	else
		page_put(
			&w,
			"<p>%t</p>\n<div class=\"cmd plain\"><pre id=\"link\" tabindex=\"0\" "
			"role=\"region\" aria-label=\"Link\"><code>%t%t</code></pre><button class=\"btn "
			"quiet\" type=\"button\" data-copy=\"link\">Copy<span class=\"sr\"> the "
			"link</span></button></div>\n",
			WEB_INVITE_ONCE, m->origin, m->path);
	page_put(&w, "<p>It ends ");
	page_time(&w, m->expires ? m->expires->seconds * 1000 : 0);
	page_put(&w, ".</p>\n<p><a class=\"btn\" href=\"/w/%u/members\">%t</a></p>\n</section>\n",
		 place, *m->mailed_to ? "Back" : "It is sent");
	page_end(&w);
	web_reply_html(act->r, &w, 200);
}

static void reply_made(struct web_act *act, const ProtobufCMessage *answer)
{
	const People__NewInvitation *m = (const People__NewInvitation *)answer;
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BODY_MAX);
	char until[TIMESTAMP_TEXT_MAX], link[WEB_URL_MAX];

	timestamp_format(m->expires ? m->expires->seconds : 0, until);
	snprintf(link, sizeof(link), "%s%s", m->origin, m->path);
	writer_printf(&w, "{\"number\":%llu", (unsigned long long)m->number);
	/* One that is mailed is told to nobody else. */
	json_put_key(&w, *m->mailed_to ? "mailed_to" : "link");
	if (*m->mailed_to)
		json_quote(&w, m->mailed_to, strlen(m->mailed_to));
	else
		json_quote(&w, link, strlen(link));
	json_put_key(&w, "expires");
	json_quote(&w, until, strlen(until));
	writer_text(&w, "}\n");
	web_reply_made(act->r, &w);
}

#define A_PLACE "a workspace's name"

static const struct web_input invite[] = {
	PATH("workspace", People__InviteRequest, workspace, A_PLACE),
	WORD("role", false, People__InviteRequest, role, "^(viewer|member|administrator|)$",
	     "viewer, member or administrator; without: member"),
	{ .name = "days",
	  .kind = INPUT_U32,
	  .most = INVITATION_DAYS_MAX,
	  .at = offsetof(People__InviteRequest, days),
	  .meaning = "until it ends; without: 7" },
	LINE("note", false, People__InviteRequest, note, INVITATION_NOTE_MAX,
	     "for whom it is; its governors alone see it"),
	{ .name = "mail",
	  .kind = INPUT_TEXT,
	  .may_lack = true,
	  .most = MAIL_ADDRESS_MAX,
	  .at = offsetof(People__InviteRequest, mail),
	  .meaning =
		  "address that the link is mailed to, and told to nobody else, where the service has a "
		  "server for mail; else the answer has it" },
	END,
};

static const struct web_input withdraw[] = {
	PATH("workspace", People__InvitationRequest, workspace, A_PLACE),
	{ .name = "number",
	  .kind = INPUT_U64,
	  .place = INPUT_PATH,
	  .is_needed = true,
	  .most = INT64_MAX,
	  .at = offsetof(People__InvitationRequest, number),
	  .meaning = "an open invitation's number" },
	END,
};

/* What one is does not change until it is taken or withdrawn: a number is all that anybody has to have seen. */
ACTION(web_page_invite) = { OF_PEOPLE(INVITE, invite_request), .inputs = invite,
			    .reply = reply_page };
ACTION(web_page_withdraw) = { OF_PEOPLE(REVOKE_INVITATION, invitation_request), .inputs = withdraw,
			      .leads = "/w/%u/members" };
ACTION(web_api_invite) = { OF_PEOPLE(INVITE, invite_request), .inputs = invite, .reply = reply_made,
			   .tells = NOUN_NEW_INVITATION,      .secret = "link", .makes = true };
ACTION(web_api_withdraw) = { OF_PEOPLE(REVOKE_INVITATION, invitation_request), .inputs = withdraw };
