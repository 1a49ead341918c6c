/* SPDX-License-Identifier: Apache-2.0 */
/* admin_audit_log.c — Audit, TrimAudit: the audit log's rows for those who read it, and its cut. */
#include "computations/admin/admin.h"
#include "google/protobuf/empty.pb-c.h"

#include <string.h>

struct audit_answer {
	struct audit_page page;
	struct audit_head after, head;
};

void admin_audit_free(struct audit_answer *rows)
{
	if (rows)
		audit_page_done(&rows->page);
	free(rows);
}

static int run_rows(struct store *store, struct request *r, struct err *e)
{
	struct audit_answer *a = r->rows = calloc(1, sizeof(*a));
	uint64_t from = r->size;

	if (!a)
		return err_nomem(e);
	if (store_audit_ends(store, &a->after, &a->head, e) < 0)
		return err_code(e);
	if (from <= a->after.number)
		from = a->after.number;
	else if (from >= a->head.number)
		from = a->head.number;
	if (store_audit_head(store, from, &a->after, e) < 0)
		return err_code(e);
	return store_audit_rows(store, from, r->limit, &a->page, e);
}

/* Lines without their ends, as messages have them. */
static int split(const struct audit_page *page, char *lines[AUDIT_PAGE_MAX], struct err *e)
{
	size_t at = 0;

	memset(lines, 0, AUDIT_PAGE_MAX * sizeof(*lines));
	for (size_t i = 0; i < page->count; at = page->ends[i++]) {
		lines[i] = strndup(page->bytes + at, page->ends[i] - at);
		if (!lines[i])
			return err_nomem(e);
	}
	return 0;
}

static void reply_rows(struct request *r)
{
	Computations__AuditResponse out = COMPUTATIONS__AUDIT_RESPONSE__INIT;
	char after[AUDIT_HEAD_TEXT_MAX + 1], head[AUDIT_HEAD_TEXT_MAX + 1];
	char *lines[AUDIT_PAGE_MAX];
	struct err e;

	audit_head_text(&r->rows->after, after);
	audit_head_text(&r->rows->head, head);
	out.after = after;
	out.head = head;
	out.rows = lines;
	out.n_rows = r->rows->page.count;
	if (split(&r->rows->page, lines, &e) < 0)
		rpc_call_finish(r->call, &e);
	else
		rpc_call_reply(r->call, &out.base);
	for (size_t i = 0; i < r->rows->page.count; i++)
		free(lines[i]);
}

void admin_audit_log(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__AuditRequest *request = (const Computations__AuditRequest *)message;
	struct request *r = request_new(call, "");

	if (!r)
		return;
	r->size = request->after;
	r->limit =
		request->limit && request->limit < AUDIT_PAGE_MAX ? request->limit : AUDIT_PAGE_MAX;
	r->run = run_rows;
	r->reply = reply_rows;
	request_start(r);
}

/* ---- the cut ---- */

/* Its row is store_audit_trim()'s. */
static int run_trim(struct store *store, struct request *r, struct err *e)
{
	return admin_audit_trimmed(store, r->audit,
				   r->caller.who.person ? r->caller.who.name : NULL, &r->rows->head,
				   e);
}

static void reply_trim(struct request *r)
{
	Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

	rpc_call_reply(r->call, &empty.base);
}

void admin_audit_trim(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_new(call, "");
	struct err e;

	if (!r)
		return;
	r->run = run_trim;
	r->reply = reply_trim;
	r->rows = calloc(1, sizeof(*r->rows));
	err_nomem(&e);
	if (!r->rows || audit_head_parse(((const Computations__TrimAuditRequest *)message)->through,
					 &r->rows->head, &e) < 0)
		request_refuse(r, &e);
	else
		request_start(r);
}
