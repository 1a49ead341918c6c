/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_progress.h"

#include "attestation/journal/journal_entry.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "common/crypto/key.h"
#include "computations/core/run_progress.h"
#include "computations/web/web_going.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

#define AT_MAX 253402300799999 /* the last moment that has four digits for its year */

void web_progress_free(struct web_progress *p)
{
	if (!p)
		return;
	free(p->datasets);
	free(p->consumers);
	free(p);
}

/* ---- what the journal says ---- */

static uint64_t number_of(const struct journal_note *note, const char *name)
{
	const struct journal_field *f = journal_field_of(note, name);

	return f ? f->number : 0;
}

static bool is_key(const struct journal_note *note, const ProtobufCBinaryData *key)
{
	const struct journal_field *f = journal_field_of(note, "key");
	uint8_t print[KEY_FINGERPRINT_LEN];
	struct err ignored;

	return f && key_fingerprint(key->data, key->len, print, &ignored) == 0 &&
	       memcmp(f->bytes.bytes, print, sizeof(print)) == 0;
}

static bool is_asset(const struct journal_note *note, const ProtobufCBinaryData *hash,
		     const ProtobufCBinaryData *key)
{
	const struct journal_field *f = journal_field_of(note, "digest");

	return f && hash->len == f->bytes.len &&
	       memcmp(f->bytes.bytes, hash->data, hash->len) == 0 && is_key(note, key);
}

static bool is_named(const struct journal_note *note, const char *name)
{
	const struct journal_field *f = journal_field_of(note, "name");

	return !*name || (f && f->bytes.len == strlen(name) &&
			  memcmp(f->bytes.bytes, name, f->bytes.len) == 0);
}

static void set(struct web_part *part, const struct journal_entry *entry)
{
	*part = (struct web_part){
		.is_there = true,
		.is_kept = strcmp(entry->note.type, "kept") == 0,
		.at = entry->time_ms > AT_MAX ? AT_MAX : (int64_t)entry->time_ms,
		.size = number_of(&entry->note, "size"),
	};
}

static void take(struct web_progress *p, const Cvms__ComputationRunReq *m,
		 const struct journal_entry *entry)
{
	const struct journal_note *note = &entry->note;
	const char *type = note->type;
	const bool is_data = strcmp(type, "dataset") == 0 || strcmp(type, "kept") == 0;

	if (strcmp(type, "algorithm") == 0 && m->algorithm &&
	    is_asset(note, &m->algorithm->hash, &m->algorithm->userkey))
		set(&p->algorithm, entry);
	for (size_t i = 0; is_data && i < p->dataset_count; i++)
		if (!p->datasets[i].is_there && is_named(note, m->datasets[i]->filename) &&
		    is_asset(note, &m->datasets[i]->hash, &m->datasets[i]->userkey)) {
			set(&p->datasets[i], entry);
			break;
		}
	for (size_t i = 0; strcmp(type, "delivery") == 0 && i < p->consumer_count; i++)
		if (is_key(note, &m->result_consumers[i]->userkey))
			set(&p->consumers[i], entry);
	if (strcmp(type, "limits") == 0) {
		p->memory = number_of(note, "memory");
		p->processor = number_of(note, "processor");
		p->time = number_of(note, "time");
	}
	if (strcmp(type, "end") == 0)
		p->is_over = true;
}

/* What is no entry says nothing: it is kept as it came, and who verifies the journal hears of it. */
static void take_page(struct web_progress *p, const Cvms__ComputationRunReq *m,
		      const struct journal_page *page)
{
	for (size_t i = 0; i < page->entry_count; i++) {
		struct journal_entry entry;
		struct err ignored;

		if (journal_entry_parse(page->entries[i], &entry, &ignored) == 0)
			take(p, m, &entry);
	}
}

static int read_journal(struct store *store, const struct web_work *work, struct web_progress *p,
			struct err *e)
{
	struct journal_page page = { .run = 0 };
	int64_t read, from;

	if (store_journal_page(store, work->id, 0, 0, &page, e) < 0)
		return err_code(e);
	p->run = page.run;
	p->count = page.count;
	read = (int64_t)page.entry_count;
	take_page(p, work->manifest, &page);
	journal_page_done(&page);
	from = p->count - STORE_PAGE_MAX > read ? p->count - STORE_PAGE_MAX : read;
	p->is_whole = read == p->count;
	if (p->is_whole)
		return 0;
	if (store_journal_page(store, work->id, p->run, from, &page, e) < 0)
		return err_code(e);
	p->is_whole = from == read && from + (int64_t)page.entry_count == p->count;
	take_page(p, work->manifest, &page);
	journal_page_done(&page);
	return 0;
}

int web_progress_run(struct store *store, const struct web_work *work, struct web_progress **out,
		     struct err *e)
{
	CLEANUP(web_progress_free) struct web_progress *p = calloc(1, sizeof(*p));
	const Cvms__ComputationRunReq *m = work->manifest;

	if (!p)
		return err_nomem(e);
	p->dataset_count = m->n_datasets;
	p->consumer_count = m->n_result_consumers;
	p->datasets = calloc(m->n_datasets + 1, sizeof(*p->datasets));
	p->consumers = calloc(m->n_result_consumers + 1, sizeof(*p->consumers));
	if (!p->datasets || !p->consumers)
		return err_nomem(e);
	if (read_journal(store, work, p, e) < 0)
		return err_code(e);
	/* That of an earlier run: the new one's has not come. */
	if (work->c.state == COMPUTATION_CREATED || (p->is_over && !work->c.finished)) {
		memset(p->datasets, 0, m->n_datasets * sizeof(*p->datasets));
		memset(p->consumers, 0, m->n_result_consumers * sizeof(*p->consumers));
		p->algorithm = (struct web_part){ .at = 0 };
		p->run = p->count = 0;
		p->memory = p->processor = p->time = 0;
	}
	*out = TAKE_PTR(p);
	return 0;
}

/* ---- the page ---- */

static void put_part(const struct web_work *work, const char *name, const ProtobufCBinaryData *key,
		     const struct web_part *part, const char *done,
		     const Cvms__UploadProgress *going, struct writer *w)
{
	const struct user_key_owner *owner = store_key_owner_of(work->owners, key);
	const char *word = going ? web_going_word(going) : "Not yet";

	page_put(w, "<li><div class=\"row between\"><strong><bdi>%t</bdi></strong>", name);
	if (part->is_there)
		page_put(w,
			 "<span class=\"state done\"><svg class=\"i\" aria-hidden=\"true\"><use "
			 "href=\"/icons.svg#%s\"/></svg>%s</span></div><span class=\"sub\">",
			 web_state_icon(COMPUTATION_COMPLETED), part->is_kept ? "Kept" : done);
	else
		page_put(w, "<span class=\"state %s\">%s</span></div>", going ? "run" : "plain",
			 word);
	if (!part->is_there && going)
		web_going_put(w, name, going);
	if (!part->is_there)
		page_put(w, "<span class=\"sub\">");
	if (part->is_there && part->size) {
		web_going_size(w, part->size);
		page_put(w, ", ");
	}
	if (part->is_there)
		page_time(w, part->at);
	if (owner)
		page_put(w, "%s<bdi>%t</bdi>", part->is_there ? ", " : "", owner->user);
	page_put(w, "</span>");
	if (!owner)
		page_fingerprint(w, key->data, key->len);
	page_put(w, "</li>\n");
}

static void put_limit(struct writer *w, const char *what, uint64_t number, const char *unit)
{
	if (number && number <= INT64_MAX)
		page_put(w, "<dt>%s</dt><dd>%d %s at most</dd>", what, (int64_t)number, unit);
}

static void put_limits(const struct web_progress *p, struct writer *w)
{
	if (!p->memory && !p->processor && !p->time)
		return;
	page_put(w, "<dl class=\"dl\">");
	put_limit(w, "Memory", p->memory >> 20, "MiB");
	put_limit(w, "Processor", p->processor, "% of one");
	put_limit(w, "Time", p->time / 1000, "s");
	page_put(w, "</dl>\n");
}

void web_progress_put(const struct web_work *work, const struct web_progress *p, struct writer *w)
{
	const Cvms__ComputationRunReq *m = work->manifest;
	const Cvms__Progress *going = run_progress_of(work->web->service, &work->c, NULL);
	const bool is_told = p->run || going;

	page_put(w, "<div id=\"progress\" data-journal=\"%d.%d\">", p->run, p->count);
	if (work->c.state == COMPUTATION_CREATED) {
		page_put(w, "</div>\n");
		return;
	}
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-progress\"><h2 id=\"h-progress\">"
		 "Uploads and results</h2>\n<p class=\"small\">%t</p>\n",
		 p->run ? WEB_PROGRESS : WEB_NO_PROGRESS);
	if (going && (going->n_uploads || going->run))
		page_put(w, "<p class=\"small\">%t</p>\n", WEB_GOING);
	web_going_put_run(w, going);
	if (is_told) {
		page_put(w, "<ul class=\"list\">\n");
		if (m->algorithm)
			put_part(work, "Algorithm", &m->algorithm->userkey, &p->algorithm,
				 "Received", web_going_upload(going, 0), w);
		for (size_t i = 0; i < p->dataset_count; i++)
			put_part(work,
				 *m->datasets[i]->filename ? m->datasets[i]->filename : "Dataset",
				 &m->datasets[i]->userkey, &p->datasets[i], "Received",
				 web_going_upload(going, i + 1), w);
		for (size_t i = 0; i < p->consumer_count; i++)
			put_part(work, "Results", &m->result_consumers[i]->userkey,
				 &p->consumers[i], "Fetched", NULL, w);
		page_put(w, "</ul>\n");
	}
	if (p->run) {
		put_limits(p, w);
		if (!p->is_whole)
			page_put(w, "<p class=\"note warn\">%t</p>\n", WEB_PROGRESS_PART);
		page_command(w, "journal", "cocos-cli journal get", work->c.id, " -o journal.cbor");
		page_command(w, "journal-verify",
			     "cocos-cli journal verify journal.cbor --policy policy.json", NULL,
			     "");
	}
	page_put(w, "</section></div>\n");
}

/* ---- for programs ---- */

static void json_part(struct writer *w, const struct web_part *part, const char *word,
		      const ProtobufCBinaryData *key, const Cvms__UploadProgress *going)
{
	uint8_t print[KEY_FINGERPRINT_LEN];
	char at[TIMESTAMP_TEXT_MAX];
	struct err ignored;

	writer_text(w, "{");
	if (key_fingerprint(key->data, key->len, print, &ignored) == 0)
		json_put_hex(w, "key", print, sizeof(print));
	json_put_key(w, word);
	writer_text(w, part->is_there ? "true" : "false");
	if (part->is_there) {
		timestamp_format(part->at / 1000, at);
		json_put_key(w, "at");
		json_quote(w, at, strlen(at));
	}
	if (part->is_there && part->size) {
		json_put_key(w, "size");
		writer_printf(w, "%llu", (unsigned long long)part->size);
	}
	if (part->is_kept) {
		json_put_key(w, "kept");
		writer_text(w, "true");
	}
	if (!part->is_there && going)
		web_going_json_upload(w, going);
	writer_text(w, "}");
}

static void put_number(struct writer *w, const char *key, uint64_t number)
{
	json_put_key(w, key);
	writer_printf(w, "%llu", (unsigned long long)number);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_progress *p = work->more;
	const Cvms__ComputationRunReq *m = work->manifest;
	const Cvms__Progress *going = run_progress_of(work->web->service, &work->c, NULL);

	writer_text(&w, "{");
	put_number(&w, "run", (uint64_t)p->run);
	put_number(&w, "entries", (uint64_t)p->count);
	json_put_key(&w, "whole");
	writer_text(&w, p->is_whole ? "true" : "false");
	if (m->algorithm) {
		json_put_key(&w, "algorithm");
		json_part(&w, &p->algorithm, "received", &m->algorithm->userkey,
			  web_going_upload(going, 0));
	}
	json_put_key(&w, "datasets");
	writer_text(&w, "[");
	for (size_t i = 0; i < p->dataset_count; i++) {
		writer_text(&w, i ? "," : "");
		json_part(&w, &p->datasets[i], "received", &m->datasets[i]->userkey,
			  web_going_upload(going, i + 1));
	}
	writer_text(&w, "]");
	json_put_key(&w, "result_consumers");
	writer_text(&w, "[");
	for (size_t i = 0; i < p->consumer_count; i++) {
		writer_text(&w, i ? "," : "");
		json_part(&w, &p->consumers[i], "fetched", &m->result_consumers[i]->userkey, NULL);
	}
	writer_text(&w, "]");
	put_number(&w, "memory_limit", p->memory);
	put_number(&w, "processor_limit_percent", p->processor);
	put_number(&w, "time_limit_ms", p->time);
	if (going && going->run) {
		json_put_key(&w, "usage");
		writer_text(&w, "{");
		web_going_json_run(&w, going->run);
		writer_text(&w, "}");
	}
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

static void free_more(void *more)
{
	web_progress_free(more);
}

static int run_json(struct store *store, struct web_work *work, struct err *e)
{
	struct web_progress *p = NULL;

	if (web_run_manifest(store, work, e) < 0 || web_progress_run(store, work, &p, e) < 0)
		return err_code(e);
	work->more = p;
	work->free_more = free_more;
	return 0;
}

void web_progress_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_json, reply_json);
}
