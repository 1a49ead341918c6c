/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_work.h"

#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "computations/core/known_hash.h"
#include "computations/web/web_access.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void work_free(struct web_work *work)
{
	for (size_t i = 0; work->rows && i < work->count; i++)
		computation_done(&work->rows[i]);
	free(work->rows);
	free(work->next);
	computation_done(&work->c);
	manifest_free(work->manifest);
	store_key_owners_free(work->owners);
	store_confirmations_free(work->confirmations);
	records_free(work->records, work->record_count);
	for (size_t i = 0; i < work->login_count; i++)
		login_done(&work->logins[i]);
	for (size_t i = 0; i < work->token_count; i++)
		token_done(&work->tokens[i]);
	if (work->more)
		work->free_more(work->more);
	http_request_unref(work->r);
	free(work);
}

int web_work_check(struct store *store, struct admin_caller *caller, const char *id, struct err *e)
{
	if (admin_access_know(store, caller, e) < 0)
		return err_code(e);
	return admin_access_check(store, caller, caller->deed, id, e);
}

static int work_run(struct store *store, void *data, struct err *e)
{
	struct web_work *work = data;

	if (web_work_check(store, &work->caller, work->id, e) < 0)
		return err_code(e);
	return work->run ? work->run(store, work, e) : 0;
}

static void work_done(void *data, const struct err *e)
{
	struct web_work *work = data;
	struct err ignored;

	if (work->caller.is_known && work->caller.who.person)
		known_hash_learn(work->web->service->known, work->caller.hash,
				 work->caller.who.name);
	if (e && e->code == ERR_UNAUTHENTICATED &&
	    (work->caller.has_token || work->caller.has_login))
		known_hash_forget(work->web->service->known, work->caller.hash);
	if (e) {
		http_request_fail(work->r, e);
	} else {
		if (work->caller.has_token ||
		    web_access_csrf(work->web, work->r, work->csrf, &ignored) < 0)
			*work->csrf = 0;
		work->reply(work);
	}
	if (!work->is_kept)
		work_free(work);
}

void web_work_keep(struct web_work *work)
{
	work->is_kept = true;
}

void web_work_end(struct web_work *work)
{
	if (work->is_kept)
		work_free(work);
}

void web_work_start(struct web *web, struct http_request *r,
		    int (*run)(struct store *store, struct web_work *work, struct err *e),
		    void (*reply)(struct web_work *work))
{
	struct web_work *work = calloc(1, sizeof(*work));
	const char *text = http_request_query(r, "q"), *before = http_request_query(r, "before");
	const char *id = http_request_param(r, "id"), *after = http_request_query(r, "after");
	const struct list_kind *list = web_row_of(web, r)->list;
	struct err e;
	int failed;

	if (!work) {
		http_request_fail(r, (err_nomem(&e), &e));
		return;
	}
	work->r = http_request_ref(r);
	work->web = web;
	work->run = run;
	work->reply = reply;
	work->id = id ? id : http_request_param(r, "cvm");
	if (!work->id)
		work->id = http_request_param(r, "workspace");
	work->after = after ? after : "";
	work->search = (struct store_search){ .text = text ? text : "",
					      .before = before ? before
							: list ? work->after
							       : "" };
	failed = web_access_take(web, r, &work->caller, &e);
	if (!failed)
		failed = web_state_of(http_request_query(r, "state"), &work->search.state, &e);
	if (!failed && list)
		failed = list_sort_of(list, http_request_query(r, "sort"), &work->search.sort, &e);
	if (!failed)
		failed = store_queue_add_for(
			web->service->queue,
			admin_access_account(web->service->known, &work->caller),
			&(struct store_queue_op){ work_run, work_done, work }, false, &e);
	if (failed) {
		http_request_fail(r, &e);
		work_free(work);
	}
}

static void reply(struct http_request *r, struct writer *w, struct http_answer *answer)
{
	struct err e;

	if (writer_check(w, "the page", &e) < 0) {
		e.code = ERR_INTERNAL;
		http_request_fail(r, &e);
		return;
	}
	answer->body = writer_take(w, &answer->len);
	http_request_answer(r, answer);
}

void web_reply_html(struct http_request *r, struct writer *w, unsigned status)
{
	reply(r, w,
	      &(struct http_answer){ .status = status, .type = WEB_HTML_TYPE, .csp = WEB_CSP });
}

void web_reply_json(struct http_request *r, struct writer *w)
{
	reply(r, w, &(struct http_answer){ .status = 200, .type = "application/json" });
}

void web_reply_made(struct http_request *r, struct writer *w)
{
	reply(r, w, &(struct http_answer){ .status = 201, .type = "application/json" });
}

void web_reply_revision(struct http_request *r, struct writer *w, const char *revision)
{
	uint8_t sha[SHA256_LEN];
	char body[REVISION_LEN + 1] = "", etag[WEB_ETAG_LEN + 1];
	struct err e;

	if (digest(DIGEST_SHA256, w->bytes, w->len, sha, &e) < 0) {
		http_request_fail(r, &e);
		return;
	}
	hex_encode(sha, REVISION_LEN / 2, body);
	snprintf(etag, sizeof(etag), "\"%s.%.*s\"", revision, REVISION_LEN, body);
	reply(r, w,
	      &(struct http_answer){ .status = 200, .type = "application/json", .etag = etag });
}

int web_run_held(struct store *store, struct web_work *work, struct err *e)
{
	struct cvm cvm CLEANUP_CVM = { .id = NULL };
	int failed = *work->c.cvm_id ? store_cvm(store, work->c.cvm_id, &cvm, e) : 0;

	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	work->is_held = cvm.computation_id && strcmp(cvm.computation_id, work->c.id) == 0;
	return 0;
}

bool web_is_connected(const struct web *web, const char *cvm_id)
{
	return *cvm_id && session_find(web->service, cvm_id);
}
