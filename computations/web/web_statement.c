/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_statement.c — a month's usage as a file to keep, CSV or a page to print, with all rows, however many.
 *
 * It is read, written and sent in pieces of STATEMENT_ROWS: one of them is held, and the next one is read when the client has
 * taken most of the last. Whether he may is asked for each. One that fails is cut, which the client sees.
 */
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "common/http/http_stream.h"
#include "computations/core/usage_message.h"
#include "computations/machines/machines.h"
#include "computations/web/web_page.h"
#include "computations/web/web_place.h"
#include "computations/web/web_usage.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows that are asked for at once: each time all that ran in the month is summed, and nothing else is done in the database
 * meanwhile. */
enum {
	STATEMENT_ROWS = 1024,
	STATEMENT_SLICE = 64 << 10,
	STATEMENTS_EACH = 8, /* in pieces at a time, of a user */
};
/* A character may become six ("&quot;"). */
_Static_assert(STATEMENT_ROWS * (6 * (STORE_ID_MAX + PEOPLE_NAME_MAX) + 1024) < WEB_PAGE_MAX,
	       "a piece is less than a page");

/* ---- in the pool ---- */

/* A row's limits are its workspace's, also where an account pays for several. */
static void add_rows(const struct web_work *work)
{
	const struct manager_table *table = machines_table(work->web->service->machines);
	struct usage_page *p = work->more;

	for (size_t i = 0; i < work->count; i++) {
		Computations__UsageLimit limit;
		struct machine_quota quota;
		Computations__Usage row;

		usage_message_fill(&row, &p->rows[i]);
		if (usage_page_is_now(p) && !p->rows[i].is_removed &&
		    manager_table_quota_of(table, p->rows[i].workspace, &quota) &&
		    usage_message_limit(&limit, &quota))
			row.limit = &limit;
		usage_statement_add(&p->statement, p->form, &row);
	}
}

static int run_piece(struct store *store, struct web_work *work, struct err *e)
{
	struct usage_page *p = work->more;
	CLEANUP(free) char *place = NULL;
	struct usage_after after;

	if (usage_after_parse(p->place ? p->place : work->after, &after, e) < 0 ||
	    usage_page_rows(store, work, &after, e) < 0)
		return err_code(e);
	add_rows(work);
	if (work->has_more && usage_page_next(&p->rows[work->count - 1], &place, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < p->room; i++)
		usage_row_done(&p->rows[i]);
	free(p->place);
	p->place = TAKE_PTR(place);
	if (!work->has_more) {
		p->form->share(&p->statement, &p->share);
		p->form->end(&p->statement);
	}
	if (p->statement.limits.bad)
		return writer_check(&p->statement.limits, "the statement's limits", e);
	return writer_check(&p->statement.w, "a piece of the statement", e);
}

/* What runs on while it is sent is told as far as its head says. */
static int run_first(struct store *store, struct web_work *work, const struct usage_form *form,
		     struct err *e)
{
	struct usage_after after;
	struct usage_page *p;

	if (usage_page_begin(store, work, STATEMENT_ROWS, &after, e) < 0)
		return err_code(e);
	p = work->more;
	p->seen.until = usage_page_end(p);
	p->form = form;
	p->statement.w = writer_up_to(WEB_PAGE_MAX);
	p->statement.limits = writer_up_to(WEB_PAGE_MAX);
	memcpy(p->statement.month, p->month.name, sizeof(p->month.name));
	timestamp_format(usage_page_end(p) / 1000, p->statement.until);
	form->begin(&p->statement);
	return run_piece(store, work, e);
}

/* Its name may have become another's, which he may see. */
static int check_same(struct store *store, const struct web_work *work, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	const struct usage_page *p = work->more;

	if (!p->workspace)
		return 0;
	if (workspace_find(&store->db, work->id, &w, e) < 0)
		return err_code(e);
	if (w.number == p->workspace)
		return 0;
	return err_set(e, ERR_ABORTED, "workspace %s is another one by now", w.name);
}

static int run_next(struct store *store, void *data, struct err *e)
{
	struct web_work *work = data;

	if (web_work_check(store, &work->caller, work->id, e) < 0 || check_same(store, work, e) < 0)
		return err_code(e);
	return run_piece(store, work, e);
}

/* ---- on the loop ---- */

static void next_done(void *data, const struct err *e);

static void read_next(struct web_work *work)
{
	const struct store_queue_op op = { run_next, next_done, work };
	struct service *service = work->web->service;
	const uint64_t account = admin_access_account(service->known, &work->caller);
	struct usage_page *p = work->more;
	struct err e;

	writer_done(&p->statement.w);
	p->statement.w = writer_up_to(WEB_PAGE_MAX);
	p->sent = 0;
	p->is_reading = true;
	if (store_queue_add_for(service->queue, account, &op, false, &e) < 0)
		next_done(work, &e);
}

/* As much as the client takes. */
static int send_some(struct web_work *work, struct err *e)
{
	struct usage_page *p = work->more;
	int failed = 0;

	p->is_sending = true;
	while (!failed && p->sent < p->statement.w.len &&
	       http_stream_queued(work->r) < RPC_LOW_WATER) {
		size_t left = p->statement.w.len - p->sent;
		size_t len = left < STATEMENT_SLICE ? left : STATEMENT_SLICE;

		failed = http_stream_send(work->r, p->statement.w.bytes + p->sent, len, e);
		p->sent += len;
	}
	p->is_sending = false;
	return failed;
}

/* The work is gone when it has ended. */
static void go_on(struct web_work *work)
{
	struct usage_page *p = work->more;
	struct err e;

	if (send_some(work, &e) < 0)
		http_stream_end(work->r, true);
	else if (p->sent < p->statement.w.len)
		return;
	else if (work->has_more)
		read_next(work);
	else
		http_stream_end(work->r, false);
}

static void next_done(void *data, const struct err *e)
{
	struct web_work *work = data;
	struct usage_page *p = work->more;

	p->is_reading = false;
	if (p->is_over) {
		web_work_end(work);
		return;
	}
	if (!e) {
		go_on(work);
		return;
	}
	log_warn("a statement of usage is cut: %s", e->text);
	http_stream_end(work->r, true);
}

static void on_writable(struct http_request *r, void *data)
{
	struct web_work *work = data;
	const struct usage_page *p = work->more;

	if (!p->is_sending && !p->is_reading)
		go_on(work);
}

static void on_closed(struct http_request *r, void *data)
{
	struct web_work *work = data;
	struct usage_page *p = work->more;

	p->is_over = true;
	TAILQ_REMOVE(&work->web->statements, p, next);
	if (!p->is_reading)
		web_work_end(work);
}

static const struct http_stream_user stream_user = { on_writable, on_closed };

static void refuse_old(struct http_request *r)
{
	static const struct http_problem problem = {
		505,
		"a statement of so many rows is sent in pieces, and in HTTP/1.0 one that broke off looks whole",
		NULL, "ask by HTTP/1.1 or HTTP/2 (nginx: proxy_http_version 1.1)", NULL
	};

	http_request_refuse(r, &problem);
}

/* Each holds a piece for as long as its reader takes, and nobody's are to fill the memory. */
static int check_share(const struct web_work *work, struct err *e)
{
	const int64_t person = work->caller.who.person;
	const struct usage_page *other;
	unsigned count = 0;

	TAILQ_FOREACH(other, &work->web->statements, next)
		count += other->person == person;
	if (count < STATEMENTS_EACH || !person)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "user %s is sent %d statements already: wait until one of them is there",
		       work->caller.who.name, STATEMENTS_EACH);
}

/* One of a single piece is an answer like others. */
static void reply_statement(struct web_work *work, const char *type, const char *csp,
			    const char *ending)
{
	struct http_answer answer = { .status = 200, .type = type, .csp = csp };
	struct usage_page *p = work->more;
	char name[64];
	struct err e;

	snprintf(name, sizeof(name), "attachment; filename=\"usage-%s.%s\"", p->month.name, ending);
	answer.more[0] = (struct rpc_web_field){ "content-disposition", name };
	if (!work->has_more) {
		answer.body = writer_take(&p->statement.w, &answer.len);
		http_request_answer(work->r, &answer);
		return;
	}
	if (!http_stream_shows_end(work->r)) {
		refuse_old(work->r);
		return;
	}
	if (check_share(work, &e) < 0) {
		http_request_fail(work->r, &e);
		return;
	}
	if (!http_stream_begin(work->r, &answer, &stream_user, work))
		return;
	p->person = work->caller.who.person;
	TAILQ_INSERT_TAIL(&work->web->statements, p, next);
	web_work_keep(work);
	go_on(work);
}

static int run_csv(struct store *store, struct web_work *work, struct err *e)
{
	return run_first(store, work, &usage_csv, e);
}

static void reply_csv(struct web_work *work)
{
	reply_statement(work, WEB_CSV_TYPE, NULL, "csv");
}

void web_usage_csv(struct http_request *r, void *data)
{
	web_work_start(data, r, run_csv, reply_csv);
}

static int run_html(struct store *store, struct web_work *work, struct err *e)
{
	return run_first(store, work, &usage_html, e);
}

static void reply_html(struct web_work *work)
{
	reply_statement(work, WEB_HTML_TYPE, WEB_CSP, "html");
}

void web_usage_html(struct http_request *r, void *data)
{
	web_work_start(data, r, run_html, reply_html);
}
