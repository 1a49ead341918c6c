/* SPDX-License-Identifier: Apache-2.0 */
/* web_issued.c — what the service's authority has issued or has a token for, for who administers the service. */
#include "certificates.pb-c.h"
#include "certificates_paths.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "computations/ca/ca_record.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_certificate.h"
#include "computations/web/web_input.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct issued {
	struct ca_record rows[CA_PAGE_MAX]; /* WEB_ROWS of them are shown; or the one, in front */
	int64_t now;
};

_Static_assert((int)CA_PAGE_MAX > (int)WEB_ROWS, "it is seen whether there are more");

static const struct issued *issued_of(const struct web_work *work)
{
	return work->more;
}

static const struct authority *authority_of(const struct web_work *work)
{
	return work->web->service->authority;
}

/* ---- in the pool ---- */

static struct issued *begin(struct web_work *work, struct err *e)
{
	struct issued *issued = calloc(1, sizeof(*issued));

	if (!issued) {
		err_nomem(e);
		return NULL;
	}
	issued->now = store_now();
	work->more = issued;
	work->free_more = free;
	return issued;
}

static int run_list(struct store *store, struct web_work *work, struct err *e)
{
	const int64_t after = web_input_number(work->after);
	struct issued *issued = begin(work, e);

	if (!issued)
		return err_code(e);
	if (after < 0)
		return err_set(e, ERR_INVALID,
			       "after: the number of a certificate, as \"next\" has it");
	if (ca_list(&store->db, after, issued->rows, &work->count, e) < 0)
		return err_code(e);
	work->has_more = work->count > WEB_ROWS;
	if (work->has_more)
		work->count = WEB_ROWS;
	return 0;
}

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	struct issued *issued = begin(work, e);

	if (!issued)
		return err_code(e);
	return ca_find(&store->db, http_request_param(work->r, "serial"), &issued->rows[0], e);
}

/* ---- parts of both pages ---- */

/* Nothing of it is green: that a certificate is valid says nothing of who shows it. */
static void put_state(const struct ca_record *c, int64_t now, struct writer *w)
{
	static const struct {
		const char *state, *class, *icon, *word;
	} states[] = {
		{ "open", "warn", "wait", "Open" },
		{ "issued", "plain", "cert", "Issued" },
		{ "revoked", "bad", "fail", "Revoked" },
		{ "ended", "off", "stop", "Ended" },
	};
	const char *state = ca_record_state(c, now);

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(states[i].state, state) == 0) {
			page_put(
				w,
				"<span class=\"state %s\"><svg class=\"i\" aria-hidden=\"true\"><use "
				"href=\"/icons.svg#%s\"/></svg>%s</span>",
				states[i].class, states[i].icon, states[i].word);
			return;
		}
	w->bad = true;
}

/* ---- the page of all ---- */

/* Name, end, and where its list and status answers are: with an address as its certificates have it, else on this page. */
static void put_facts(const struct authority *a, struct writer *w)
{
	const char *url = a->url ? a->url : "";
	char list[AUTHORITY_LIST_NAME_LEN + 1];

	authority_list_name(a, list);
	page_put(w, "<dl class=\"dl\"><dt>Name</dt><dd><bdi>%t</bdi></dd><dt>Valid until</dt><dd>",
		 a->name);
	page_time(w, a->ends);
	page_put(w,
		 "</dd><dt>Revoked ones (CRL)</dt><dd class=\"mono long\">%t%s%s</dd><dt>Status "
		 "(OCSP)</dt><dd class=\"mono long\">%t%s</dd></dl>\n",
		 url, CERTIFICATE_LISTS_PATH, list, url, CERTIFICATE_STATUS_PATH);
	if (!a->url)
		page_put(w, "<p class=\"note\">%t</p>\n", WEB_AUTHORITY_NO_URL);
}

static bool put_key(const struct authority *a, const char *id, struct writer *w)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	struct err ignored;

	if (hex_decode(a->fingerprint, fingerprint, sizeof(fingerprint), &ignored) < 0)
		return false;
	page_digest(w, id, "Its key’s fingerprint", fingerprint);
	return true;
}

static void put_before(const struct authority *a, int64_t now, struct writer *w)
{
	char list[AUTHORITY_LIST_NAME_LEN + 1];

	authority_list_name(a, list);
	page_put(w, "<section class=\"panel\" aria-labelledby=\"h-before\"><h2 "
		    "id=\"h-before\">Authority of before</h2>\n");
	put_facts(a, w);
	w->bad |= !put_key(a, "before", w);
	page_put(w,
		 "<p class=\"%s\">%t</p>\n<div class=\"row\"><a class=\"btn\" href=\"%s%s\" "
		 "download>List of its revoked ones</a></div>\n</section>\n",
		 a->ends <= now ? "note warn" : "small",
		 a->ends <= now ? WEB_AUTHORITY_OVER : WEB_AUTHORITY_BEFORE, CERTIFICATE_LISTS_PATH,
		 list);
}

static void put_authority(const struct web_work *work, struct writer *w)
{
	const struct authority *a = authority_of(work);

	page_put(w, "<section class=\"panel\" aria-labelledby=\"h-authority\"><h2 "
		    "id=\"h-authority\">Authority</h2>\n");
	if (!a) {
		page_put(w, "<p class=\"note\">%t</p>\n</section>\n", WEB_NO_AUTHORITY);
		return;
	}
	put_facts(a, w);
	w->bad |= !put_key(a, "authority", w);
	page_put(w, "<p class=\"small\">%t</p>\n", WEB_AUTHORITY);
	page_command(w, "get", "cocos-cli certificate authority -o ca.pem", NULL, "");
	page_command(w, "public", "openssl x509 -in ca.pem -noout -pubkey -out ca.pub", NULL, "");
	page_command(w, "print", "cocos-cli key fingerprint ca.pub", NULL, "");
	page_put(w,
		 "<div class=\"row\"><a class=\"btn\" href=\"%s\" download>Certificate</a><a "
		 "class=\"btn\" href=\"%s\" download>List of revoked ones</a></div>\n</section>\n",
		 WEB_CERTIFICATE_PATH, WEB_CERTIFICATE_LIST_PATH);
	if (a->old)
		put_before(a->old, issued_of(work)->now, w);
}

static void put_new(struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-new\"><h2 id=\"h-new\">One "
		 "more</h2>\n<p class=\"small\">%t</p>\n",
		 WEB_CERTIFICATE_NEW);
	page_command(w, "token", "cocos-cli certificate token ROLE NAME", NULL, "");
	page_command(w, "issue", "cocos-cli certificate issue key.pem cert.pem --ca ca.pem", NULL,
		     "");
	page_put(w, "</section>\n");
}

static void put_row(const struct ca_record *c, int64_t now, struct writer *w)
{
	page_row_begin(w);
	page_put(w,
		 "<a class=\"long\" href=\"/certificates/%u\"><bdi>%t</bdi></a><span class=\"sub "
		 "mono\">%t</span></th>",
		 c->serial, c->name, c->serial);
	page_cell(w, "Role");
	page_put(w, "%s</td>", ca_roles[c->role].name);
	page_cell(w, "State");
	put_state(c, now, w);
	page_put(w, "</td>");
	page_cell(w, "Key");
	page_put(w,
		 *c->key ? "<code class=\"hex long\">%t</code></td>"
			 : "<span>None yet%t</span></td>",
		 c->key);
	page_cell(w, "Ends");
	page_time(w, c->ends);
	page_put(w, "</td></tr>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "For", false },
						      { "Role", false },
						      { "State", false },
						      { "Key", false },
						      { "Ends", false } };
	const struct issued *issued = issued_of(work);

	page_table_begin(w, "Certificates and tokens, oldest first", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < work->count; i++)
		put_row(&issued->rows[i], issued->now, w);
	page_table_end(w);
	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->after)
		page_put(w, "<a class=\"btn\" href=\"/certificates\">Oldest</a> ");
	if (work->has_more)
		page_put(w,
			 "<a class=\"btn\" rel=\"next\" href=\"/certificates?after=%d\">Newer</a>",
			 issued->rows[work->count - 1].number);
	page_put(w, "</nav>\n");
}

static void reply_list(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, &work->caller, "Certificates", "/certificates");
	page_put(&w, "<div class=\"head\"><h1>Certificates</h1></div>\n<div class=\"stack\">\n");
	if (work->count || *work->after)
		put_table(work, &w);
	else if (authority_of(work))
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_CERTIFICATES);
	put_authority(work, &w);
	if (authority_of(work))
		put_new(&w);
	page_put(&w, "</div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_issued(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list);
}

/* ---- the page of one ---- */

static void put_about(const struct ca_record *c, int64_t now, struct writer *w)
{
	page_put(w, "<section class=\"panel\" aria-label=\"What it is\">\n<p>");
	put_state(c, now, w);
	page_put(w,
		 "</p>\n<dl class=\"dl\"><dt>Serial number</dt><dd class=\"mono\">%t</dd>"
		 "<dt>Role</dt><dd>%s</dd><dt>Key</dt><dd>",
		 c->serial, ca_roles[c->role].name);
	page_put(w, *c->key ? "<code class=\"hex\">%t</code>" : "None yet%t", c->key);
	page_put(w, "</dd><dt>Token made by</dt><dd><bdi>%t</bdi></dd><dt>Token made</dt><dd>",
		 *c->maker ? c->maker : "the service’s operator");
	page_time(w, c->created);
	page_put(w, "</dd><dt>Issued</dt><dd>");
	page_time(w, c->issued);
	page_put(w, "</dd><dt>Ends</dt><dd>");
	page_time(w, c->ends);
	page_put(w, "</dd><dt>Revoked</dt><dd>");
	page_time(w, c->revoked);
	page_put(w, "</dd>");
	if (c->renewal)
		page_put(w,
			 "<dt>Renewal</dt><dd>%d of <a class=\"mono\" href=\"/certificates/%u\">%t"
			 "</a></dd>",
			 (int64_t)c->renewal, c->line, c->line);
	page_put(w, "</dl>\n</section>\n");
}

static void put_revoke(const struct web_work *work, struct writer *w)
{
	const struct ca_record *c = &issued_of(work)->rows[0];

	/* The line of one that has ended may go on with another one. */
	if (!*work->csrf || !authority_of(work) || c->revoked ||
	    (!c->issued && c->ends <= issued_of(work)->now))
		return;
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-revoke\"><h2 "
		 "id=\"h-revoke\">Revoke</h2>\n<p class=\"small\">%t</p>\n<form class=\"stack\" "
		 "method=\"post\" action=\"/certificates/%u/revoke\"><input type=\"hidden\" "
		 "name=\"csrf\" value=\"%a\"><div><button class=\"btn danger\" "
		 "type=\"submit\">%s</button></div></form></section>\n",
		 c->issued ? WEB_CERTIFICATE_REVOKE : WEB_CERTIFICATE_TOKEN, c->serial, work->csrf,
		 c->issued ? "Revoke it and its line" : "End the token");
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct issued *issued = issued_of(work);
	const struct ca_record *c = &issued->rows[0];

	page_begin(&w, &work->caller, c->name, "/certificates");
	page_put(&w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a "
		 "href=\"/certificates\">Certificates</a> /</nav><div class=\"head\"><h1><bdi>%t"
		 "</bdi></h1></div>\n<div class=\"stack\">\n",
		 c->name);
	put_about(c, issued->now, &w);
	put_revoke(work, &w);
	page_put(&w, "</div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_issued_one(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

/* ---- JSON ---- */

static void put_record(const struct ca_record *c, int64_t now, struct writer *w)
{
	writer_printf(w, "{\"number\":%" PRId64, c->number);
	web_json_text(w, "serial", c->serial);
	web_json_text(w, "name", c->name);
	web_json_text(w, "role", ca_roles[c->role].name);
	web_json_text(w, "state", ca_record_state(c, now));
	web_json_text(w, "maker", c->maker);
	web_json_text(w, "key", c->key);
	web_json_text(w, "line", c->line);
	writer_printf(w, ",\"renewal\":%" PRIu32, c->renewal);
	web_json_time(w, "created", c->created);
	web_json_time(w, "issued", c->issued);
	web_json_time(w, "expires", c->ends);
	web_json_time(w, "revoked", c->revoked);
	writer_text(w, "}");
}

static void put_issuer(const struct authority *a, struct writer *w)
{
	char list[AUTHORITY_LIST_NAME_LEN + 1], at[512];

	if (!a) {
		writer_text(w, "null");
		return;
	}
	authority_list_name(a, list);
	writer_text(w, "{");
	web_json_text(w, "name", a->name);
	web_json_text(w, "fingerprint", a->fingerprint);
	web_json_time(w, "expires", a->ends);
	snprintf(at, sizeof(at), "%s" CERTIFICATE_LISTS_PATH "%s", a->url ? a->url : "", list);
	web_json_text(w, "crl", at);
	snprintf(at, sizeof(at), "%s" CERTIFICATE_STATUS_PATH, a->url ? a->url : "");
	web_json_text(w, "ocsp", at);
	writer_text(w, "}");
}

static void reply_list_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct authority *a = authority_of(work);
	const struct issued *issued = issued_of(work);
	char next[24] = "";

	writer_text(&w, "{\"authority\":");
	put_issuer(a, &w);
	writer_text(&w, ",\"authority_before\":");
	put_issuer(a ? a->old : NULL, &w);
	writer_text(&w, ",\"certificates\":[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? "," : "");
		put_record(&issued->rows[i], issued->now, &w);
	}
	writer_text(&w, "]");
	if (work->has_more)
		snprintf(next, sizeof(next), "%" PRId64, issued->rows[work->count - 1].number);
	web_json_next(&w, *next ? next : NULL);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_issued_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list_json);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct issued *issued = issued_of(work);

	put_record(&issued->rows[0], issued->now, &w);
	writer_text(&w, "\n");
	web_reply_json(work->r, &w);
}

void web_issued_one_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}

/* ---- what changes one ---- */

static const struct web_input one[] = {
	PATH("serial", Certificates__RevokeRequest, serial, "a certificate's serial number"),
	END,
};

/* Serial numbers are not given again, and what is revoked stays so: nobody can have changed what is meant. */
ACTION(web_page_certificate_revoke) = { .method = PROTO_CERTIFICATES_REVOKE,
					.request = &certificates__revoke_request__descriptor,
					.inputs = one,
					.leads = "/certificates/%u" };
ACTION(web_api_certificate_revoke) = { .method = PROTO_CERTIFICATES_REVOKE,
				       .request = &certificates__revoke_request__descriptor,
				       .inputs = one,
				       .answer = web_issued_one_json,
				       .tells = NOUN_CERTIFICATE };
