/* SPDX-License-Identifier: Apache-2.0 */
/* web_identity.c — users' accounts at providers of identities, for who administers the service: listed and removed. */
#include "common/base/json.h"
#include "computations/people/identity.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <string.h>

static const char *user_of(const struct web_work *work)
{
	return http_request_param(work->r, "user");
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (user_find(&store->db, user_of(work), &u, e) < 0)
		return err_code(e);
	return identity_list(&store->db, u.number, work->identities, &work->identity_count, e);
}

static void put_row(const struct web_work *work, const struct identity *one, struct writer *w)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)one->number);
	page_row_begin(w);
	page_put(w, "<bdi>%t</bdi></th>", one->provider);
	page_cell(w, "Issuer");
	page_put(w, "<bdi>%t</bdi></td>", one->issuer);
	page_cell(w, "Subject");
	page_put(w, "<span class=\"mono\"><bdi>%t</bdi></span></td>", one->subject);
	page_cell(w, "Last used");
	page_time(w, one->used);
	page_put(w, "</td>");
	page_cell(w, "");
	if (*work->csrf && strcmp(user_of(work), work->caller.who.name) != 0) {
		page_put(w,
			 "<form method=\"post\" action=\"/users/%u/identities/%u\"><input "
			 "type=\"hidden\" name=\"csrf\" value=\"%a\"><button class=\"btn danger\" "
			 "type=\"submit\">Remove</button></form>",
			 user_of(work), number, work->csrf);
	}
	page_put(w, "</td></tr>\n");
}

static void reply(struct web_work *work)
{
	static const struct page_column columns[] = { { "Provider", false },
						      { "Issuer", false },
						      { "Subject", false },
						      { "Last used", false },
						      { "", false } };
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const char *user = user_of(work);

	page_begin(&w, &work->caller, "Accounts at providers", "/users");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/users\">Users</a> /</nav>"
		"<div class=\"head\"><h1>Accounts of <bdi>%t</bdi> at providers</h1></div>\n",
		user);
	if (work->identity_count) {
		page_table_begin(&w, "Accounts, oldest first", columns, ARRAY_LEN(columns));
		for (size_t i = 0; i < work->identity_count; i++)
			put_row(work, &work->identities[i], &w);
		page_table_end(&w);
	} else {
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_IDENTITIES);
	}
	page_put(&w, "<section class=\"panel\" aria-label=\"What removing does\"><p>%t</p>\n",
		 WEB_IDENTITIES);
	page_command(&w, "remove", "cocos-cli user remove-identity", user, " NUMBER");
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_identities(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	writer_text(&w, "{");
	json_put_key(&w, "identities");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->identity_count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_identity(&w, &work->identities[i]);
	}
	writer_text(&w, "]}\n");
	web_reply_json(work->r, &w);
}

void web_identities_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}

static const struct web_input part[] = {
	PATH("user", People__IdentityRequest, user, "a user's name"),
	{ .name = "number",
	  .kind = INPUT_U64,
	  .place = INPUT_PATH,
	  .is_needed = true,
	  .most = INT64_MAX,
	  .at = offsetof(People__IdentityRequest, number),
	  .meaning = "the account's number" },
	END,
};

ACTION(web_page_identity_remove) = { OF_PEOPLE(REMOVE_IDENTITY, identity_request), .inputs = part,
				     .leads = "/users/%u/identities" };
ACTION(web_api_identity_remove) = { OF_PEOPLE(REMOVE_IDENTITY, identity_request), .inputs = part };
