/* SPDX-License-Identifier: Apache-2.0 */
/* web_one.c — one computation: the page, and the same for programs. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_progress.h"
#include "computations/web/web_security.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_progress(void *more)
{
	web_progress_free(more);
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct web_progress *p = NULL;
	int64_t after;

	if (web_run_manifest(store, work, e) < 0 || web_run_held(store, work, e) < 0 ||
	    web_progress_run(store, work, &p, e) < 0)
		return err_code(e);
	work->more = p;
	work->free_more = free_progress;
	if (store_newest_records(store, work->id, "", WEB_RECORDS, &after, e) < 0)
		return err_code(e);
	return store_records(store, work->id, "", after, &work->records, &work->record_count, e);
}

/* Steps that are behind, now, and to come. */
static void put_track(const struct computation *c, struct writer *w)
{
	static const struct {
		const char *word;
		enum computation_state state;
	} steps[] = { { "Created", COMPUTATION_CREATED },
		      { "Algorithm", COMPUTATION_WAITING_ALGORITHM },
		      { "Datasets", COMPUTATION_WAITING_DATASETS },
		      { "Run", COMPUTATION_RUNNING },
		      { "Results", COMPUTATION_COMPLETED } };

	if (c->state == COMPUTATION_FAILED || c->state == COMPUTATION_CANCELLED)
		return;
	page_put(w, "<ol class=\"track\" aria-label=\"Progress\">");
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i].state < c->state)
			page_put(
				w,
				"<li class=\"past\"><b><span class=\"sr\">Done: </span>%s</b></li>",
				steps[i].word);
		else if (steps[i].state == c->state)
			page_put(
				w,
				"<li class=\"now\" aria-current=\"step\"><b><span class=\"sr\">Now: "
				"</span>%s</b></li>",
				steps[i].word);
		else
			page_put(w, "<li><b><span class=\"sr\">To come: </span>%s</b></li>",
				 steps[i].word);
	}
	page_put(w, "</ol>\n");
}

/* Behind a command: that nothing is sent before the agent has proven what it is, where its listener can. */
static const char *proof_of(const struct web_work *work)
{
	const Cvms__AgentConfig *c = work->manifest->agent_config;

	return c && c->attested_tls ? " --attested-tls --attestation-policy policy.json --manifest "
				      "manifest.json"
				    : "";
}

static void put_algorithm(const struct web_work *work, struct writer *w)
{
	const Cvms__Algorithm *a = work->manifest->algorithm;

	page_put(w, "<li><strong>Algorithm</strong> ");
	page_fingerprint(w, a->userkey.data, a->userkey.len);
	if (*a->algo_type)
		page_command(w, "algo", "cocos-cli algo FILE private.pem -a", a->algo_type,
			     proof_of(work));
	else
		page_command(w, "algo", "cocos-cli algo FILE private.pem", NULL, proof_of(work));
	page_put(w, "</li>");
}

static void put_dataset(const struct web_work *work, size_t i, struct writer *w)
{
	const Cvms__Dataset *d = work->manifest->datasets[i];
	CLEANUP(free) char *command = NULL;
	struct err ignored;
	char id[32];

	snprintf(id, sizeof(id), "data-%zu", i);
	page_put(w, "<li><strong><bdi>%t</bdi></strong> ", d->filename);
	page_fingerprint(w, d->userkey.data, d->userkey.len);
	/* A name that begins like an option is none. */
	if (text_format(&command, &ignored, "cocos-cli data%s%s", proof_of(work),
			*d->filename == '-' ? " --" : "") < 0)
		w->bad = true;
	else if (*d->filename)
		page_command(w, id, command, d->filename, " private.pem");
	page_put(w, "</li>");
}

/* Whose turn it is by the keys of the manifest, each with what its owner types. */
static void put_keys(const struct web_work *work, struct writer *w)
{
	const Cvms__ComputationRunReq *m = work->manifest;
	const bool is_data = work->c.state == COMPUTATION_WAITING_DATASETS;

	page_put(w, "<ul class=\"waits\">");
	if (work->c.state == COMPUTATION_WAITING_ALGORITHM && m->algorithm)
		put_algorithm(work, w);
	for (size_t i = 0; is_data && i < m->n_datasets; i++)
		put_dataset(work, i, w);
	page_put(w, "</ul>\n");
	if (work->c.state == COMPUTATION_COMPLETED)
		page_command(w, "result", "cocos-cli result private.pem", NULL, proof_of(work));
}

/* What this caller may do in this state, and no more. */
static void put_deeds(const struct web_work *work, struct writer *w)
{
	const struct computation *c = &work->c;
	const struct admin_caller *caller = &work->caller;
	bool can_stop = !c->stopping && (!c->finished || work->is_held);
	const struct {
		const char *path, *word, *icon;
		bool is_offered;
	} deeds[] = {
		{ "run", "Run", "run",
		  admin_access_may(caller, DEED_RUN, c) && !c->finished && !*c->new_cvm },
		{ "run", "Retry", "run",
		  admin_access_may(caller, DEED_RUN_AGAIN, c) && !work->is_held },
		{ "stop", work->is_held ? "Stop" : "Cancel", "stop",
		  can_stop && admin_access_may(caller, DEED_STOP, c) },
		{ "rename", "Rename", "say",
		  page_can_link(c->id) && admin_access_may(caller, DEED_RENAME, c) },
		{ "edit", "Edit", "created",
		  page_can_link(c->id) && admin_access_may(caller, DEED_UPDATE, c) &&
			  (c->finished || !*c->new_cvm) },
		{ "remove", "Remove", "fail", admin_access_may(caller, DEED_REMOVE, c) },
	};
	bool is_any = false;

	for (size_t i = 0; *work->csrf && i < ARRAY_LEN(deeds); i++) {
		if (!deeds[i].is_offered)
			continue;
		page_put(
			w,
			"%s<a class=\"btn%s\" href=\"/c/%u/%s\"><svg class=\"i\" "
			"aria-hidden=\"true\"><use href=\"/icons.svg#%s\"/></svg>%s</a>\n",
			is_any ? ""
			       : "<div class=\"row deeds\" role=\"group\" aria-label=\"Actions\">\n",
			i < 2 ? " main" : "", c->id, deeds[i].path, deeds[i].icon, deeds[i].word);
		is_any = true;
	}
	if (*work->csrf && page_can_link(c->id)) {
		page_put(
			w, "%s<a class=\"btn\" href=\"/new?from=%q\">Clone</a>\n",
			is_any ? ""
			       : "<div class=\"row deeds\" role=\"group\" aria-label=\"Actions\">\n",
			c->id);
		is_any = true;
	}
	page_put(w, "%s", is_any ? "</div>\n" : "");
}

/* Head, track, and whose turn it is: what the page asks for again when something happens. */
static void put_status(const struct web_work *work, struct writer *w)
{
	const struct computation *c = &work->c;
	bool waits_for_new = c->state == COMPUTATION_CREATED && !c->stopping && *c->new_cvm;

	page_put(w, "<div id=\"status\">\n");
	put_deeds(work, w);
	put_track(c, w);
	page_put(w,
		 "<section class=\"turn\" aria-labelledby=\"h-turn\"><h2 id=\"h-turn\">Whose turn"
		 "</h2><p class=\"row\">");
	page_state(w, c->state);
	page_put(w, "</p><p>%t</p>\n",
		 c->stopping     ? WEB_WAITS_STOP
		 : waits_for_new ? WEB_WAITS_NEW
				 : web_state_waits(c->state));
	if (!c->stopping)
		put_keys(work, w);
	if (waits_for_new)
		page_put(w, "<p><a href=\"/w/%u/cvms/%u\"><bdi>%t</bdi></a></p>\n", c->workspace,
			 c->new_cvm, c->new_cvm);
	else if (c->state == COMPUTATION_CREATED && !c->stopping)
		page_command(w, "run", "cocos-cli computation run", c->id, "");
	if (*c->failure)
		page_put(w, "<p class=\"note bad\"><b>Cause:</b> <bdi>%t</bdi></p>\n", c->failure);
	if (*c->notice)
		page_put(w, "<p class=\"note warn\"><b>Agent:</b> <bdi>%t</bdi></p>\n", c->notice);
	page_put(w, "</section>\n</div>\n");
}

static void put_asset(struct writer *w, const char *name, const char *what,
		      const ProtobufCBinaryData *digest)
{
	char hex[2 * SHA3_256_LEN + 1] = "";

	if (digest->len == SHA3_256_LEN)
		hex_encode(digest->data, digest->len, hex);
	page_put(w,
		 "<li><div class=\"row between\"><strong><bdi>%t</bdi></strong><span "
		 "class=\"dim\"><bdi>%t</bdi></span></div><code class=\"hex\">%s</code></li>\n",
		 name, what, hex);
}

static void put_assets(const struct web_work *work, struct writer *w)
{
	const Cvms__ComputationRunReq *m = work->manifest;

	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-assets\"><h2 id=\"h-assets\">Assets"
		 "</h2>\n<p class=\"small\">%t</p>\n<ul class=\"list\">\n",
		 WEB_ASSETS);
	if (m->algorithm)
		put_asset(w, "Algorithm", m->algorithm->algo_type, &m->algorithm->hash);
	for (size_t i = 0; i < m->n_datasets; i++)
		put_asset(w, m->datasets[i]->filename,
			  m->datasets[i]->decompress ? "Dataset, unpacked by the agent" : "Dataset",
			  &m->datasets[i]->hash);
	page_put(w, "</ul>\n</section>\n");
}

static void put_facts(const struct web_work *work, struct writer *w)
{
	const struct computation *c = &work->c;
	bool is_connected = web_is_connected(work->web, c->cvm_id);

	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-sec\"><h2 id=\"h-sec\">Security</h2>\n<dl "
		"class=\"dl\"><dt>Agent’s listener</dt><dd>%t</dd><dt>Machine</dt><dd>",
		web_mode_of(work->manifest->agent_config)->label);
	if (*c->cvm_id)
		page_put(w, "<bdi>%t</bdi>, %s", c->cvm_id,
			 is_connected ? "connected" : "not connected");
	else
		page_put(w, "None yet");
	page_put(
		w,
		"</dd><dt>This service’s verdict</dt><dd><bdi>%t</bdi><span class=\"sub\">%t</span></dd>"
		"</dl></section>\n<section class=\"panel\" aria-labelledby=\"h-about\"><h2 "
		"id=\"h-about\">About</h2>\n<dl class=\"dl\"><dt>Computation</dt><dd "
		"class=\"mono\">%t</dd><dt>Created</dt><dd>",
		*c->cvm_verdict ? c->cvm_verdict : "None", WEB_VERDICT, c->id);
	page_time(w, c->created);
	page_put(w, "</dd><dt>Given to a CVM</dt><dd>");
	page_time(w, c->sent);
	page_put(w, "</dd><dt>Ended</dt><dd>");
	page_time(w, c->ended);
	page_put(w, "</dd></dl>\n");
	if (page_can_link(c->id))
		page_put(w,
			 "<p><a class=\"btn\" href=\"/c/%u/export.json\">Export</a></p><p "
			 "class=\"small\">%t</p>\n",
			 c->id, WEB_EXPORT);
	page_put(w, "</section>\n");
}

static void put_events(const struct web_work *work, struct writer *w)
{
	size_t n = work->record_count;

	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-events\"><div class=\"row between\"><h2 "
		"id=\"h-events\">Events</h2><span class=\"live\" id=\"live\" hidden></span></div>\n<p "
		"class=\"small dim\">The agent’s word, newest first</p>\n<ol class=\"events\" id=\"events\" "
		"data-from=\"/c/%u/events.sse?after=%d\">\n",
		work->c.id, n ? work->records[n - 1].number : (int64_t)0);
	for (size_t i = n; i > 0; i--)
		web_put_record(&work->records[i - 1], w);
	page_put(w, "</ol>\n%s", n ? "" : "<p class=\"dim\" id=\"none\">" WEB_NO_EVENTS "</p>\n");
	page_put(w, "</section>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct computation *c = &work->c;
	const char *name = *c->name ? c->name : c->id;

	page_begin(&w, &work->caller, name, "");
	web_put_head(work, "", &w);
	put_status(work, &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
	web_put_manifest(work, &w);
	web_put_confirmations(work, &w);
	web_put_people(work, &w);
	put_assets(work, &w);
	page_put(&w, "</div><div class=\"stack\">\n");
	web_progress_put(work, work->more, &w);
	put_events(work, &w);
	put_facts(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_one(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const char *security = web_mode_of(work->manifest->agent_config)->label;

	writer_text(&w, "{");
	web_json_computation(&w, &work->c, web_is_connected(work->web, work->c.cvm_id));
	web_json_more(&w, &work->c);
	web_json_manifest(&w, work->manifest);
	json_put_key(&w, "security");
	json_quote(&w, security, strlen(security));
	writer_text(&w, "}\n");
	web_reply_revision(work->r, &w, work->revision);
}

static int run_json(struct store *store, struct web_work *work, struct err *e)
{
	if (web_run_manifest(store, work, e) < 0)
		return err_code(e);
	return revision_of(&work->c, work->revision, e);
}

void web_one_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_json, reply_json);
}
