/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_events.c — a computation's log lines and events as they come, to browsers and programs.
 *
 * An event "progress" has what is still coming and what the run uses (web_going.h). One
 * "journal" says that the agent's journal has gone on: it tells of uploads and deliveries (web_progress.h).
 *
 * As logs.c: a page of records is read only when enough of the last one was taken.
 */
#include "common/base/log.h"
#include "computations/core/run_progress.h"
#include "computations/store/store_journal.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_going.h"
#include "computations/web/web_json.h"
#include "computations/web/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_MAX = 1 << 20, FOLLOWERS_EACH = 16 /* of a user */ };

struct web_follower {
	TAILQ_ENTRY(web_follower) next;
	struct web *web;
	struct http_request *r;     /* a reference, until it follows */
	struct http_events *events; /* NULL: not yet, or over */
	struct admin_caller caller;
	int64_t person; /* as caller.who says, which the pool writes */
	char *id;
	int64_t after;
	struct {
		int64_t run, count;
	} journal, told; /* as it is, and as the reader knows it */
	bool reading, again, is_over;
	uint64_t going; /* which of run_progress.h the reader knows; 0: that there is none */
	bool looks;     /* for that: */
	struct computation c;

	struct record *records;
	size_t count;
};

static void follower_free(struct web_follower *f)
{
	records_free(f->records, f->count);
	computation_done(&f->c);
	if (f->r)
		http_request_unref(f->r);
	free(f->id);
	free(f);
}

/* Whether he may is asked for each: a token ends, a role is taken. */
static int read_page(struct store *store, void *data, struct err *e)
{
	struct web_follower *f = data;

	if (web_work_check(store, &f->caller, f->id, e) < 0)
		return err_code(e);
	if (store_journal_newest(store, f->id, &f->journal.run, &f->journal.count, e) < 0)
		return err_code(e);
	computation_done(&f->c);
	if (f->looks && store_computation(store, f->id, &f->c, e) < 0)
		return err_code(e);
	return store_records(store, f->id, "", f->after, &f->records, &f->count, e);
}

static void page_done(void *data, const struct err *e);

static void next_page(struct web_follower *f)
{
	struct service *service = f->web->service;
	const struct store_queue_op op = { read_page, page_done, f };
	const uint64_t account = admin_access_account(service->known, &f->caller);
	struct err e;

	if (f->reading || (f->events && http_events_is_full(f->events))) {
		f->again = true;
		return;
	}
	f->again = false;
	f->reading = true;
	f->looks = f->going || run_progress_is_told(service, f->id);
	if (store_queue_add_for(service->queue, account, &op, false, &e) < 0)
		page_done(f, &e);
}

static void on_writable(struct http_events *s, void *data)
{
	struct web_follower *f = data;

	if (f->again)
		next_page(f);
}

static void on_closed(struct http_events *s, void *data)
{
	struct web_follower *f = data;

	f->events = NULL;
	f->is_over = true;
	TAILQ_REMOVE(&f->web->followers, f, next);
	if (!f->reading)
		follower_free(f);
}

static const struct http_events_user user = { on_writable, on_closed };

static int send_journal(struct web_follower *f, struct err *e)
{
	char text[96];

	if (f->journal.run == f->told.run && f->journal.count == f->told.count)
		return 0;
	f->told.run = f->journal.run;
	f->told.count = f->journal.count;
	snprintf(text, sizeof(text), "{\"run\":%lld,\"entries\":%lld}", (long long)f->told.run,
		 (long long)f->told.count);
	return http_events_send(f->events, &(struct http_event){ 0, "journal", text }, e);
}

static int send_going(struct web_follower *f, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(EVENT_MAX);
	CLEANUP(free) char *text = NULL;
	const Cvms__Progress *p;
	uint64_t number;
	size_t len;

	if (!f->looks)
		return 0;
	p = run_progress_of(f->web->service, &f->c, &number);
	if (number == f->going)
		return 0;
	f->going = number;
	web_going_event(&w, p);
	if (writer_check(&w, "an event", e) < 0)
		return err_code(e);
	text = (char *)writer_take(&w, &len);
	return http_events_send(f->events, &(struct http_event){ 0, "progress", text }, e);
}

/* As much as its reader takes: the rest is read again when it has. */
static int send_page(struct web_follower *f, struct err *e)
{
	for (size_t i = 0; i < f->count && !http_events_is_full(f->events); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(EVENT_MAX);
		CLEANUP(free) char *text = NULL;
		size_t len;

		web_json_record(&w, &f->records[i]);
		if (writer_check(&w, "an event", e) < 0)
			return err_code(e);
		text = (char *)writer_take(&w, &len);
		if (http_events_send(f->events,
				     &(struct http_event){ f->records[i].number, "record", text },
				     e) < 0)
			return err_code(e);
		f->after = f->records[i].number;
	}
	return 0;
}

/* No user keeps the others from reading. */
static int check_share(const struct web_follower *f, struct err *e)
{
	const struct web_follower *other;
	unsigned count = 0;

	TAILQ_FOREACH(other, &f->web->followers, next)
		count += other->person == f->caller.who.person;
	if (count < FOLLOWERS_EACH || !f->caller.who.person)
		return 0;
	return err_set(e, ERR_EXHAUSTED, "user %s follows %d computations already: end one",
		       f->caller.who.name, FOLLOWERS_EACH);
}

/* The first page is there, so the computation is: from now on it follows. Without a hub the service has begun to
 * end meanwhile, and has ended the request. */
static bool begin(struct web_follower *f)
{
	struct http_request *r = f->r;

	f->r = NULL;
	f->person = f->caller.who.person;
	f->events = f->web->hub ? http_events_begin(f->web->hub, r, &user, f) : NULL;
	f->again = true; /* something may have come while the first page was read */
	if (f->events)
		TAILQ_INSERT_TAIL(&f->web->followers, f, next);
	http_request_unref(r);
	return f->events != NULL;
}

static void page_done(void *data, const struct err *e)
{
	struct web_follower *f = data;
	bool more = f->count > 0;
	struct err sending;

	f->reading = false;
	if (!e && f->r && check_share(f, &sending) < 0)
		e = &sending;
	if (e && f->r)
		http_request_fail(f->r, e);
	if (f->is_over || (f->r && (e || !begin(f)))) {
		follower_free(f);
		return;
	}
	if (e || send_journal(f, &sending) < 0 || send_going(f, &sending) < 0 ||
	    send_page(f, &sending) < 0) {
		http_events_end(f->events, true);
		return;
	}
	records_free(f->records, f->count);
	f->records = NULL;
	f->count = 0;
	if (more || f->again)
		next_page(f);
}

void web_events(struct http_request *r, void *data)
{
	struct web_follower *f = calloc(1, sizeof(*f));
	struct err e;

	err_nomem(&e);
	if (!f || !(f->id = strdup(http_request_param(r, "id"))) ||
	    web_access_take(data, r, &f->caller, &e) < 0 ||
	    http_events_after(r, &f->after, &e) < 0) {
		http_request_fail(r, &e);
		if (f)
			follower_free(f);
		return;
	}
	f->web = data;
	f->r = http_request_ref(r);
	next_page(f);
}

void web_wake(struct service *service, const char *computation_id)
{
	struct web_follower *f, *next;

	if (!service->web || !computation_id || !*computation_id)
		return;
	for (f = TAILQ_FIRST(&service->web->followers); f; f = next) {
		next = TAILQ_NEXT(f, next);
		if (strcmp(f->id, computation_id) == 0)
			next_page(f);
	}
}
