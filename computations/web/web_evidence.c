/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_evidence.c — the evidence that a run's agent gave, or a CVM's before its run: as it came, what it was judged by,
 * and the command that judges it again.
 */
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "computations/store/store_evidence.h"
#include "computations/store/store_machine.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdlib.h>
#include <string.h>

enum { COMMAND_MAX = 1024, SKEW = 300 /* as the service judges (appraisal.c) */ };

/* The parts as files, and the options of `attestation validate` that take them. */
static const struct {
	const char *name, *option, *what;
} files[EVIDENCE_PARTS] = {
	[EVIDENCE_TOKEN] = { "evidence.eat", "", "Evidence, as the agent sent it" },
	[EVIDENCE_POLICY] = { "policy.json", " --policy policy.json",
			      "This service’s policy, as it was then" },
	[EVIDENCE_ROOT] = { "root.crt", " --trusted_root root.crt",
			    "The root that this service trusts in place of vendors’" },
	[EVIDENCE_AK] = { "ak.pub", " --ak ak.pub",
			  "The TPM’s attestation key that this service names" },
};

static bool is_of_run(const struct web_work *work)
{
	return http_request_param(work->r, "id") != NULL;
}

/* The name of a workspace's CVM; NULL: it is of a run, or of an agent by its id. */
static const char *machine_of(const struct web_work *work)
{
	return http_request_param(work->r, "name");
}

static void free_kept(void *data)
{
	kept_evidence_free(data);
}

/* Of a workspace's CVM, whose agent may not have come yet, or be gone: then there is none. */
static int find_machine(struct store *store, struct web_work *work, struct kept_evidence **kept,
			struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	if (admin_access_workspace(store, &work->caller, DEED_LOOK, work->id, &w, e) < 0 ||
	    store_machine(store, w.number, machine_of(work), &m, e) < 0)
		return err_code(e);
	if (!*m.cvm_id || machine_is_gone(m.phase))
		return 0;
	return store_evidence(store, "", m.cvm_id, kept, e);
}

static int find(struct store *store, struct web_work *work, struct kept_evidence **kept,
		struct err *e)
{
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	if (machine_of(work))
		return find_machine(store, work, kept, e);
	if (is_of_run(work) ? store_computation(store, work->id, &work->c, e) < 0
			    : store_cvm(store, work->id, &cvm, e) < 0)
		return err_code(e);
	return store_evidence(store, is_of_run(work) ? work->id : "",
			      is_of_run(work) ? "" : work->id, kept, e);
}

static int run_evidence(struct store *store, struct web_work *work, struct err *e)
{
	struct kept_evidence *kept = NULL;

	if (find(store, work, &kept, e) < 0)
		return err_code(e);
	work->more = kept;
	work->free_more = free_kept;
	return 0;
}

/* The moment in whole seconds: at it the evidence was as fresh as when it was judged. */
static void put_command(const struct kept_evidence *k, struct writer *w)
{
	char nonce[2 * EVIDENCE_NONCE_LEN + 1], at[TIMESTAMP_TEXT_MAX];

	hex_encode(k->nonce, sizeof(k->nonce), nonce);
	timestamp_format(k->judged / 1000, at);
	writer_printf(w, "cocos-cli attestation validate evidence.eat --mode eat --tee %s", nonce);
	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		if (k->parts[i].len)
			writer_text(w, files[i].option);
	writer_text(w, k->has_manifest ? " --manifest manifest.json" : " --before-run");
	writer_printf(w, " --at %s --skew %d", at, SKEW);
}

/* ---- for programs ---- */

static int put_file(const struct kept_evidence *k, size_t part, struct writer *w, struct err *e)
{
	uint8_t sha[SHA256_LEN];

	if (digest(DIGEST_SHA256, k->parts[part].bytes, k->parts[part].len, sha, e) < 0)
		return err_code(e);
	writer_text(w, part ? ",{" : "{");
	json_put_key(w, "name");
	json_quote(w, files[part].name, strlen(files[part].name));
	json_put_key(w, "size");
	writer_printf(w, "%zu", k->parts[part].len);
	json_put_hex(w, "sha256", sha, sizeof(sha));
	writer_text(w, "}");
	return 0;
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static int put_json(const struct kept_evidence *k, struct writer *w, struct err *e)
{
	CLEANUP_WRITER struct writer command = writer_up_to(COMMAND_MAX);
	char at[TIMESTAMP_TEXT_MAX];

	put_command(k, &command);
	writer_u8(&command, 0);
	if (writer_check(&command, "a command", e) < 0)
		return err_code(e);
	timestamp_format(k->judged / 1000, at);
	writer_text(w, "{");
	put_text(w, "cvm_id", k->cvm_id);
	json_put_key(w, "attempt");
	writer_printf(w, "%lld", (long long)k->run.attempt);
	json_put_key(w, "verified");
	writer_text(w, k->verified ? "true" : "false");
	put_text(w, "verdict", k->verdict);
	put_text(w, "judged", at);
	json_put_hex(w, "nonce", k->nonce, sizeof(k->nonce));
	if (k->has_manifest)
		json_put_hex(w, "manifest_digest", k->manifest, sizeof(k->manifest));
	json_put_key(w, "files");
	writer_text(w, "[");
	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		if (k->parts[i].len && put_file(k, i, w, e) < 0)
			return err_code(e);
	writer_text(w, "]");
	put_text(w, "command", (const char *)command.bytes);
	writer_text(w, "}");
	return 0;
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	struct err e;

	writer_text(&w, "{");
	json_put_key(&w, "evidence");
	if (!work->more)
		writer_text(&w, "null");
	else if (put_json(work->more, &w, &e) < 0) {
		http_request_fail(work->r, &e);
		return;
	}
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_evidence_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_evidence, reply_json);
}

/* ---- the files ---- */

/* Whichever it is, a browser keeps it, and shows nothing of it. */
static void reply_file(struct web_work *work)
{
	const char *name = http_request_param(work->r, "file");
	const struct kept_evidence *k = work->more;
	struct http_answer answer = { .status = 200, .type = "application/octet-stream" };
	char disposition[64];
	struct err e;
	size_t i = 0;

	while (i < EVIDENCE_PARTS && strcmp(files[i].name, name) != 0)
		i++;
	if (!k || i == EVIDENCE_PARTS || !k->parts[i].len) {
		err_set(&e, ERR_NOT_FOUND, "%s", k ? WEB_EVIDENCE_NO_FILE : WEB_NO_EVIDENCE);
		http_request_fail(work->r, &e);
		return;
	}
	answer.len = k->parts[i].len;
	answer.body = malloc(answer.len);
	if (!answer.body) {
		http_request_fail(work->r, (err_nomem(&e), &e));
		return;
	}
	memcpy(answer.body, k->parts[i].bytes, answer.len);
	snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s\"", files[i].name);
	answer.more[0] = (struct rpc_web_field){ "content-disposition", disposition };
	http_request_answer(work->r, &answer);
}

void web_evidence_file(struct http_request *r, void *data)
{
	web_work_start(data, r, run_evidence, reply_file);
}

/* ---- the page ---- */

/* Where its files are. */
static void put_place(const struct web_work *work, struct writer *w)
{
	if (machine_of(work))
		page_put(w, "/w/%u/cvms/%u/evidence", work->id, machine_of(work));
	else
		page_put(w, "/%s/%u/evidence", is_of_run(work) ? "c" : "cvms", work->id);
}

static void put_facts(const struct web_work *work, const struct kept_evidence *k, struct writer *w)
{
	char nonce[2 * EVIDENCE_NONCE_LEN + 1];

	hex_encode(k->nonce, sizeof(k->nonce), nonce);
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-ev\"><h2 id=\"h-ev\">This service’s "
		 "verdict</h2>\n<p class=\"note%s\"><bdi>%t</bdi></p>\n<p class=\"small\">%t</p>\n"
		 "<dl class=\"dl\"><dt>Machine</dt><dd class=\"mono\"><bdi>%t</bdi></dd>",
		 k->verified ? "" : " bad", k->verdict, WEB_VERDICT, k->cvm_id);
	if (is_of_run(work))
		page_put(w, "<dt>Attempt</dt><dd>%d</dd>", k->run.attempt);
	page_put(w, "<dt>Judged</dt><dd>");
	page_time(w, k->judged);
	page_put(w, "</dd><dt>Nonce</dt><dd><code class=\"hex\">%s</code></dd></dl>\n</section>\n",
		 nonce);
}

static void put_files(const struct web_work *work, const struct kept_evidence *k, struct writer *w)
{
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-files\"><h2 id=\"h-files\">Files</h2>\n"
		"<p class=\"small\">%t</p>\n<ul class=\"list\">\n",
		WEB_EVIDENCE_FILES);
	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		if (k->parts[i].len) {
			page_put(w,
				 "<li><div class=\"row between\"><span><strong>%t</strong><span "
				 "class=\"sub\">%t, %d bytes</span></span><a class=\"btn\" href=\"",
				 files[i].name, files[i].what, (int64_t)k->parts[i].len);
			put_place(work, w);
			page_put(w,
				 "/%s\" download=\"%s\"><svg class=\"i\" aria-hidden=\"true\">"
				 "<use href=\"/icons.svg#down\"/></svg>Download<span "
				 "class=\"sr\"> %s</span></a></div></li>\n",
				 files[i].name, files[i].name, files[i].name);
		}
	page_put(w, "</ul>\n</section>\n");
}

static void put_check(const struct web_work *work, const struct kept_evidence *k, struct writer *w)
{
	CLEANUP_WRITER struct writer command = writer_up_to(COMMAND_MAX);

	put_command(k, &command);
	writer_u8(&command, 0);
	if (command.bad) {
		w->bad = true;
		return;
	}
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-self\"><h2 id=\"h-self\">Verify it "
		 "yourself</h2>\n<p>%t</p>\n",
		 WEB_EVIDENCE_CHECK);
	if (k->has_manifest)
		page_command(w, "get", "cocos-cli computation manifest", work->id,
			     " > manifest.json");
	page_command(w, "judge", (const char *)command.bytes, NULL, "");
	page_put(w, "<p class=\"small\">%t</p>\n</section>\n", WEB_EVIDENCE_OLD);
}

static void put_head(const struct web_work *work, struct writer *w)
{
	if (is_of_run(work)) {
		web_put_head(work, "/evidence", w);
		return;
	}
	page_put(w, "<nav class=\"crumbs\" aria-label=\"Breadcrumb\">");
	if (machine_of(work))
		page_put(w,
			 "<a href=\"/w/%u/cvms\">CVMs of <bdi>%t</bdi></a> / <a "
			 "href=\"/w/%u/cvms/%u\"><bdi>%t</bdi></a> /",
			 work->id, work->id, work->id, machine_of(work), machine_of(work));
	else
		page_put(w, "<a href=\"/cvms\">CVMs</a> / <a href=\"/cvms/%u\"><bdi>%t</bdi></a> /",
			 work->id, work->id);
	page_put(w, "</nav>\n<div class=\"head\"><h1>Evidence</h1></div>\n");
}

static void reply_page(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct kept_evidence *k = work->more;

	page_begin(&w, &work->caller, "Evidence", machine_of(work) ? "/workspaces" : "");
	put_head(work, &w);
	if (k) {
		page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
		put_facts(work, k, &w);
		put_files(work, k, &w);
		page_put(&w, "</div><div class=\"stack\">\n");
		put_check(work, k, &w);
		page_put(&w, "</div></div>\n");
	} else {
		page_put(&w,
			 "<section class=\"panel empty\" aria-labelledby=\"h-empty\"><h2 "
			 "id=\"h-empty\">No evidence</h2><p>%t</p></section>\n",
			 work->web->service->appraisal ? WEB_NO_EVIDENCE : WEB_NO_POLICY);
	}
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_evidence(struct http_request *r, void *data)
{
	web_work_start(data, r, run_evidence, reply_page);
}
