/* SPDX-License-Identifier: Apache-2.0 */
/* web_new_form.c — a new computation's form, empty or with what another computation has. */
#include "computations/web/web_new.h"
#include "computations/web/web_page.h"
#include "computations/web/web_security.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

struct form {
	const struct web_prefill *prefill;
	const struct web_form *sent; /* instead */
};

static const char *value(const struct form *f, const char *name)
{
	if (f->sent)
		return web_form_text(f->sent, name);
	for (size_t i = 0; i < f->prefill->count; i++)
		if (strcmp(f->prefill->fields[i].name, name) == 0)
			return f->prefill->fields[i].text;
	return "";
}

/* ---- how it looks ---- */

/* A field that may be empty, which web_form_field()'s may not. */
static void put_field(const struct form *f, const char *name, const char *label, const char *hint,
		      bool is_needed, struct writer *w)
{
	page_put(w,
		 "<div><label for=\"f-%s\">%t</label><input id=\"f-%s\" name=\"%s\" type=\"text\" "
		 "autocomplete=\"off\" value=\"%a\"%s",
		 name, label, name, name, value(f, name), is_needed ? " required" : "");
	if (hint)
		page_put(w, " aria-describedby=\"h-%s\"><span class=\"hint\" id=\"h-%s\">%t</span>",
			 name, name, hint);
	page_put(w, "%s</div>\n", hint ? "" : ">");
}

static void begin_choice(const char *name, const char *label, struct writer *w)
{
	page_put(w, "<div><label for=\"f-%s\">%t</label><select id=\"f-%s\" name=\"%s\">", name,
		 label, name, name);
}

static void put_choice(const char *word, const char *label, const char *chosen, struct writer *w)
{
	page_put(w, "<option value=\"%a\"%s>%t</option>", word,
		 strcmp(word, chosen) == 0 ? " selected" : "", label);
}

static void begin_part(const char *id, const char *title, const char *text, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-%s\"><h2 id=\"h-%s\">%t</h2>\n<p "
		 "class=\"small\">%t</p>\n",
		 id, id, title, text);
}

static void put_place(const struct form *f, const struct web_new_places *places, struct writer *w)
{
	begin_choice("workspace", "Workspace", w);
	for (size_t i = 0; i < places->count; i++)
		put_choice(places->names[i], places->names[i], value(f, "workspace"), w);
	page_put(w, "</select></div>\n");
}

static void put_about(const struct form *f, struct writer *w)
{
	put_field(f, "name", "Name", NULL, true, w);
	put_field(f, "description", "Description", WEB_NEW_DESCRIPTION, false, w);
	page_put(w, "</section>\n");
}

static void put_code(const struct form *f, struct writer *w)
{
	static const char *const types[] = { "python", "bin", "docker", "wasm" };

	begin_part("code", "Algorithm", WEB_NEW_ALGORITHM, w);
	begin_choice("type", "Type", w);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		put_choice(types[i], types[i], value(f, "type"), w);
	page_put(w, "</select></div>\n");
	put_field(f, "algorithm", "Asset or digest", WEB_NEW_DIGEST, true, w);
	put_field(f, "provider", "Who provides it", WEB_NEW_USER, true, w);
	put_field(f, "arguments", "Arguments", WEB_NEW_ARGUMENTS, false, w);
	page_put(w, "</section>\n");
}

static void put_row(const struct form *f, size_t row, struct writer *w)
{
	static const struct {
		const char *field, *label;
	} fields[] = { { "name", "File’s name" },
		       { "file", "Asset or digest" },
		       { "user", "Who provides it" } };
	char name[WEB_NEW_FIELD_MAX];

	page_put(w, "<fieldset class=\"quad\"><legend>Dataset %d</legend>\n", (int64_t)row + 1);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		put_field(f, web_new_row(name, row, fields[i].field), fields[i].label, NULL, false,
			  w);
	web_new_row(name, row, "unpack");
	page_put(w,
		 "<div class=\"box\"><input id=\"f-%s\" name=\"%s\" type=\"checkbox\" "
		 "value=\"true\"%s><label for=\"f-%s\">Unpack</label></div></fieldset>\n",
		 name, name, *value(f, name) ? " checked" : "", name);
}

static void put_levels(const struct form *f, struct writer *w)
{
	page_put(w, "<div><label for=\"f-level\">Agent’s log</label><select id=\"f-level\" "
		    "name=\"level\" aria-describedby=\"h-level\">");
	put_choice("", "As the agent itself is set", value(f, "level"), w);
	for (const char *const *level = web_new_levels; *level; level++)
		put_choice(*level, *level, value(f, "level"), w);
	page_put(w, "</select><span class=\"hint\" id=\"h-level\">%t</span></div>\n",
		 WEB_NEW_LEVEL);
}

static void put_results(const struct form *f, struct writer *w)
{
	bool roles = !f->sent || web_form_has(f->sent, "roles");

	begin_part("results", "Results and roles", WEB_NEW_RESULTS, w);
	put_field(f, "consumers", "Who gets results", WEB_NEW_CONSUMERS_HINT, true, w);
	page_put(w,
		 "<div><div class=\"box\"><input id=\"f-roles\" name=\"roles\" type=\"checkbox\" "
		 "value=\"true\"%s aria-describedby=\"h-roles\"><label for=\"f-roles\">Give those "
		 "who are named the role of it</label></div><span class=\"hint\" id=\"h-roles\">%t"
		 "</span></div>\n",
		 roles ? " checked" : "", WEB_NEW_ROLES);
	page_put(w, "</section>\n");
}

static const char *value_of(const void *form, const char *name)
{
	return value(form, name);
}

static void put_security(const struct form *f, struct writer *w)
{
	begin_part("security", "Security", WEB_NEW_SECURITY, w);
	web_security_put(&(struct web_security_form){ value_of, f, f->sent }, w);
	put_levels(f, w);
	page_put(w, "</section>\n");
}

struct screen {
	const struct admin_caller *caller;
	const char *csrf;
	const struct web_new_places *places;
	const struct err *wrong;
	const char *id, *revision; /* of the one that is edited; NULL: it is a new one */
};

/* One that was refused because of its id gets another. */
static void put_id(const struct form *f, const struct err *wrong, struct writer *w)
{
	char text[WEB_NEW_ID_LEN + 1];
	uuid_t fresh;

	uuid_generate_random(fresh);
	uuid_unparse_lower(fresh, text);
	page_put(w, "<input type=\"hidden\" name=\"id\" value=\"%a\">\n",
		 f->sent && !(wrong && wrong->code == ERR_EXISTS) ? value(f, "id") : text);
}

static void begin_edit(const struct form *f, const struct screen *s, struct writer *w)
{
	page_put(
		w,
		"<form class=\"stack\" method=\"post\" action=\"/c/%u/edit\"><input type=\"hidden\" "
		"name=\"csrf\" value=\"%a\">\n<input type=\"hidden\" name=\"revision\" "
		"value=\"%a\"><input type=\"hidden\" name=\"id\" value=\"%a\"><input "
		"type=\"hidden\" name=\"workspace\" value=\"\">\n",
		s->id, s->csrf, s->revision, s->id);
	begin_part("what", "What", WEB_NEW_WHAT, w);
}

static void put_form(const struct form *f, const struct screen *s, struct writer *w)
{
	if (s->id) {
		begin_edit(f, s, w);
	} else {
		web_form_begin(w, "/new", s->csrf);
		put_id(f, s->wrong, w);
		begin_part("what", "What", WEB_NEW_WHAT, w);
		put_place(f, s->places, w);
	}
	put_about(f, w);
	put_code(f, w);
	begin_part("data", "Datasets", WEB_NEW_DATASETS_HINT, w);
	for (size_t i = 0; i < WEB_NEW_DATASETS; i++)
		put_row(f, i, w);
	page_put(w, "</section>\n");
	put_results(f, w);
	put_security(f, w);
	page_put(w,
		 "<div class=\"row\"><button class=\"btn main\" type=\"submit\">%s</button>"
		 "<a class=\"btn\" href=\"%s%u\">Not now</a></div>\n</form>\n",
		 s->id ? "Save it" : "Create it", s->id ? "/c/" : "/", s->id ? s->id : "");
}

static void put_notes(const struct web_prefill *p, struct writer *w)
{
	const char *between = "<p class=\"note warn\">" WEB_NEW_FILES " ";

	if (p->is_clone)
		page_put(w, "<p class=\"note\">%t</p>\n", WEB_NEW_CLONE);
	if (p->left_out)
		page_put(w, "<p class=\"note warn\">%d %s</p>\n", (int64_t)p->left_out,
			 WEB_NEW_LEFT_OUT);
	for (int file = 0; file < WEB_FILES; file++)
		if (p->is_missing[file]) {
			page_put(w, "%s%t", between, web_file_label((enum web_file)file));
			between = ", ";
		}
	page_put(w, "%s", *between == ',' ? ".</p>\n" : "");
}

static void show(struct http_request *r, const struct form *f, const struct screen *s,
		 unsigned status)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	const char *title = s->id ? "Edit" : "New computation";

	page_begin(&w, s->caller, title, "");
	page_put(&w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/\">Computations</a> /"
		 "</nav>\n<div class=\"head\"><h1>%s</h1><p>%t</p></div>\n<div "
		 "class=\"wide\">\n",
		 title, s->id ? WEB_EDIT : WEB_NEW);
	web_form_wrong(&w, s->wrong);
	if (f->prefill)
		put_notes(f->prefill, &w);
	if ((s->id || s->places->count) && *s->csrf)
		put_form(f, s, &w);
	else
		page_put(&w, "<p class=\"note warn\">%t</p>\n",
			 *s->csrf ? WEB_NEW_NOWHERE : WEB_ME_TOKEN);
	page_put(&w, "</div>\n");
	page_end(&w);
	web_reply_html(r, &w, status);
}

void web_new_again(struct web_new *n, const struct err *why)
{
	const struct form f = { .sent = n->form };
	const struct screen s = { &n->seen, web_form_text(n->form, "csrf"),    &n->places, why,
				  n->id,    web_form_text(n->form, "revision") };

	show(n->r, &f, &s, why->code == ERR_DENIED ? 403 : why->code == ERR_EXISTS ? 409 : 400);
}

/* ---- how it begins ---- */

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct web_prefill *p = calloc(1, sizeof(*p));
	const char *from = http_request_query(work->r, "from");

	if (!p)
		return err_nomem(e);
	work->more = p;
	work->free_more = web_prefill_free;
	p->is_clone = from;
	if (from && web_prefill_from(store, work, from, p, e) < 0)
		return err_code(e);
	return web_new_places(store, &work->caller, &p->places, e);
}

static void reply(struct web_work *work)
{
	const struct web_prefill *p = work->more;
	const struct form f = { .prefill = p };
	const struct screen s = {
		&work->caller, work->csrf, &p->places, NULL, work->id, p->revision
	};

	show(work->r, &f, &s, 200);
}

void web_new(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

static int run_edit(struct store *store, struct web_work *work, struct err *e)
{
	struct web_prefill *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	work->more = p;
	work->free_more = web_prefill_free;
	if (web_prefill_from(store, work, work->id, p, e) < 0)
		return err_code(e);
	return revision_of(&work->c, p->revision, e);
}

void web_edit(struct http_request *r, void *data)
{
	web_work_start(data, r, run_edit, reply);
}
