/* SPDX-License-Identifier: Apache-2.0 */
/* web_user.c — the people whom the service knows, for its administrators. */
#include "common/base/json.h"
#include "computations/people/user.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdlib.h>

/* One more than is shown, to see whether there are more. */
struct users {
	struct user rows[WEB_ROWS + 1];
};

static void free_users(void *data)
{
	struct users *users = data;

	for (size_t i = 0; i < ARRAY_LEN(users->rows); i++)
		user_done(&users->rows[i]);
	free(users);
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct users *users = calloc(1, sizeof(*users));

	if (!users)
		return err_nomem(e);
	work->more = users;
	work->free_more = free_users;
	if (user_list(&store->db, work->after, WEB_ROWS + 1, users->rows, &work->count, e) < 0)
		return err_code(e);
	work->has_more = work->count > WEB_ROWS;
	work->count -= work->has_more;
	return 0;
}

static void put_row(const struct user *u, struct writer *w)
{
	page_row_begin(w);
	page_put(w, "<bdi>%t</bdi></th>", u->name);
	page_cell(w, "Is");
	page_put(w, "<span>%s%s</span></td>",
		 u->administrator ? "Administrator of the service" : "User",
		 u->suspended ? ", suspended" : "");
	page_cell(w, "Second factor");
	page_put(w, "%s</td>", u->has_factor ? "Yes" : "No");
	page_cell(w, "Passkeys");
	page_put(w, "%d</td>", (int64_t)u->passkeys);
	page_cell(w, "Accounts at providers");
	page_put(w,
		 "<a href=\"/users/%u/identities\">Show<span class=\"sr\"> those of "
		 "<bdi>%t</bdi></span></a></td>",
		 u->name, u->name);
	page_cell(w, "Since");
	page_time(w, u->created);
	page_put(w, "</td></tr>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "User", false },
						      { "Is", false },
						      { "Second factor", false },
						      { "Passkeys", true },
						      { "Accounts at providers", false },
						      { "Since", false } };
	const struct users *users = work->more;

	page_table_begin(w, "Users, oldest first", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < work->count; i++)
		put_row(&users->rows[i], w);
	page_table_end(w);
	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->after)
		page_put(w, "<a class=\"btn\" href=\"/users\">Oldest</a> ");
	if (work->has_more)
		page_put(w, "<a class=\"btn\" rel=\"next\" href=\"/users?after=%q\">Newer</a>",
			 users->rows[work->count - 1].name);
	page_put(w, "</nav>\n<section class=\"panel\" aria-label=\"A new user\"><p>%t</p>\n",
		 WEB_USERS);
	page_command(w, "add", "cocos-cli user add NAME", NULL, "");
	page_command(w, "link", "cocos-cli user link NAME", NULL, "");
	page_command(w, "token", "cocos-cli token add NAME laptop", NULL, "");
	page_put(w, "</section>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, &work->caller, "Users", "/users");
	page_put(&w, "<div class=\"head\"><h1>Users</h1></div>\n");
	if (work->count || *work->after)
		put_table(work, &w);
	else
		page_empty(&w, "No user yet", WEB_NO_USERS, "cocos-cli user add NAME");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_users(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct users *users = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "users");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_user(&w, &users->rows[i]);
	}
	writer_text(&w, "]");
	web_json_next(&w, work->has_more ? users->rows[work->count - 1].name : NULL);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_users_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}
