/* SPDX-License-Identifier: Apache-2.0 */
/* admin_journal.c — pages of the journals that agents sign. */
#include "computations/admin/admin.h"
#include "computations/store/store_journal.h"

void admin_journal_free(struct journal_page *page)
{
	if (page)
		journal_page_done(page);
	free(page);
}

static int run_journal(struct store *store, struct request *r, struct err *e)
{
	r->page = calloc(1, sizeof(*r->page));
	if (!r->page)
		return err_nomem(e);
	if (store_computation(store, r->id, &r->computation, e) < 0)
		return err_code(e);
	return store_journal_page(store, r->id, r->run_number, r->after, r->page, e);
}

static void reply_journal(struct request *r)
{
	Computations__JournalResponse out = COMPUTATIONS__JOURNAL_RESPONSE__INIT;
	const struct journal_page *page = r->page;
	CLEANUP(free)
	ProtobufCBinaryData *entries = calloc(page->entry_count + 1, sizeof(*entries));
	struct err e;

	if (!entries) {
		err_nomem(&e);
		rpc_call_finish(r->call, &e);
		return;
	}
	for (size_t i = 0; i < page->entry_count; i++)
		entries[i] = (ProtobufCBinaryData){ page->entries[i].len,
						    (uint8_t *)(uintptr_t)page->entries[i].bytes };
	out.entries = entries;
	out.n_entries = page->entry_count;
	out.signed_head = (ProtobufCBinaryData){ page->head_len, r->page->head };
	out.count = (uint64_t)page->count;
	out.run = (uint64_t)page->run;
	rpc_call_reply(r->call, &out.base);
}

void admin_journal(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__JournalRequest *request = (const Computations__JournalRequest *)message;
	struct request *r;
	struct err e;

	if (request->after > INT64_MAX || request->run > INT64_MAX) {
		err_set(&e, ERR_INVALID, "no journal has so many entries or runs");
		rpc_call_finish(call, &e);
		return;
	}
	r = request_new(call, request->id);
	if (!r)
		return;
	r->after = (int64_t)request->after;
	r->run_number = (int64_t)request->run;
	r->run = run_journal;
	r->reply = reply_journal;
	request_start(r);
}
