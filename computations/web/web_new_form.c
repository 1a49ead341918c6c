/* SPDX-License-Identifier: Apache-2.0 */
/* web_new_form.c — a new computation's form, empty or with what another computation has. */
#include "common/base/encode.h"
#include "common/manifest/agent_config.h"
#include "computations/web/web_new.h"
#include "computations/web/web_page.h"
#include "computations/web/web_security.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

enum { FIELDS_MAX = 40 };

/* What stands in the fields at first. */
struct prefill {
	struct web_new_places places;
	struct {
		char name[WEB_NEW_FIELD_MAX];
		char *text;
	} fields[FIELDS_MAX];
	size_t count;
	bool is_clone,
		is_missing[WEB_FILES]; /* files that the other one has, and this form has not */
	size_t left_out;               /* result consumers whose keys are no user's */
};

struct form {
	const struct prefill *prefill;
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

static void put_about(const struct form *f, const struct web_new_places *places, struct writer *w)
{
	begin_part("what", "What", WEB_NEW_WHAT, w);
	begin_choice("workspace", "Workspace", w);
	for (size_t i = 0; i < places->count; i++)
		put_choice(places->names[i], places->names[i], value(f, "workspace"), w);
	page_put(w, "</select></div>\n");
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

static void put_form(const struct form *f, const struct screen *s, struct writer *w)
{
	web_form_begin(w, "/new", s->csrf);
	put_id(f, s->wrong, w);
	put_about(f, s->places, w);
	put_code(f, w);
	begin_part("data", "Datasets", WEB_NEW_DATASETS_HINT, w);
	for (size_t i = 0; i < WEB_NEW_DATASETS; i++)
		put_row(f, i, w);
	page_put(w, "</section>\n");
	put_results(f, w);
	put_security(f, w);
	page_put(w,
		 "<div class=\"row\"><button class=\"btn main\" type=\"submit\">Create it</button>"
		 "<a class=\"btn\" href=\"/\">Not now</a></div>\n</form>\n");
}

static void put_notes(const struct prefill *p, struct writer *w)
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

	page_begin(&w, s->caller, "New computation", "");
	page_put(&w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/\">Computations</a> /"
		 "</nav>\n<div class=\"head\"><h1>New computation</h1><p>%t</p></div>\n<div "
		 "class=\"wide\">\n",
		 WEB_NEW);
	web_form_wrong(&w, s->wrong);
	if (f->prefill)
		put_notes(f->prefill, &w);
	if (s->places->count && *s->csrf)
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
	const struct screen s = { &n->seen, web_form_text(n->form, "csrf"), &n->places, why };

	show(n->r, &f, &s, why->code == ERR_DENIED ? 403 : why->code == ERR_EXISTS ? 409 : 400);
}

/* ---- how it begins ---- */

static void free_prefill(void *data)
{
	struct prefill *p = data;

	for (size_t i = 0; i < p->count; i++)
		free(p->fields[i].text);
	web_new_places_done(&p->places);
	free(p);
}

static int set(struct prefill *p, const char *name, const char *text, struct err *e)
{
	if (p->count == FIELDS_MAX)
		return err_set(e, ERR_INTERNAL, "a form of more than %d fields", FIELDS_MAX);
	snprintf(p->fields[p->count].name, WEB_NEW_FIELD_MAX, "%s", name);
	p->fields[p->count].text = strdup(text);
	if (!p->fields[p->count].text)
		return err_nomem(e);
	p->count++;
	return 0;
}

static int set_row(struct prefill *p, size_t row, const char *field, const char *text,
		   struct err *e)
{
	char name[WEB_NEW_FIELD_MAX];

	return set(p, web_new_row(name, row, field), text, e);
}

static int set_user(struct prefill *p, const char *name, const struct store_key_owners *owners,
		    const ProtobufCBinaryData *key, struct err *e)
{
	const struct store_key_owner *owner = store_key_owner_of(owners, key);

	return set(p, name, owner ? owner->user : "", e);
}

static const char *hex_of(const ProtobufCBinaryData *hash, char hex[2 * MANIFEST_HASH_LEN + 1])
{
	*hex = 0;
	if (hash->len == MANIFEST_HASH_LEN)
		hex_encode(hash->data, hash->len, hex);
	return hex;
}

/* As web_new_read() takes it apart. */
static void put_word(struct writer *w, const char *word)
{
	const bool is_quoted = !*word || strpbrk(word, " \"");

	writer_text(w, is_quoted ? "\"" : "");
	for (const char *c = word; *c; c++) {
		if (is_quoted && (*c == '"' || *c == '\\'))
			writer_u8(w, '\\');
		writer_u8(w, (uint8_t)*c);
		w->bad = w->bad || (unsigned char)*c < ' '; /* a browser's field has one line */
	}
	writer_text(w, is_quoted ? "\"" : "");
}

static int join(struct prefill *p, const char *name, const char *const *words, size_t count,
		struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_FORM_MAX);

	for (size_t i = 0; i < count; i++) {
		writer_text(&w, i ? " " : "");
		put_word(&w, words[i]);
	}
	writer_u8(&w, 0);
	if (w.bad)
		return err_set(e, ERR_PRECONDITION,
			       "its %s are more than this form has room for: export it, and import "
			       "it with --new-ids",
			       name);
	return set(p, name, (const char *)w.bytes, e);
}

static int clone_datasets(struct prefill *p, const Cvms__ComputationRunReq *m,
			  const struct store_key_owners *owners, struct err *e)
{
	char hex[2 * MANIFEST_HASH_LEN + 1], name[WEB_NEW_FIELD_MAX];

	if (m->n_datasets > WEB_NEW_DATASETS)
		return err_set(e, ERR_PRECONDITION,
			       "it has %zu datasets, and this form room for %d: export it, and "
			       "import it with --new-ids",
			       m->n_datasets, WEB_NEW_DATASETS);
	for (size_t i = 0; i < m->n_datasets; i++) {
		const Cvms__Dataset *d = m->datasets[i];

		if (set_row(p, i, "name", d->filename, e) < 0 ||
		    set_row(p, i, "file", hex_of(&d->hash, hex), e) < 0 ||
		    set_user(p, web_new_row(name, i, "user"), owners, &d->userkey, e) < 0 ||
		    (d->decompress && set_row(p, i, "unpack", "true", e) < 0))
			return err_code(e);
	}
	return 0;
}

/* All but its private key, and what is in files of the guest's. */
static int clone_security(struct prefill *p, const Cvms__AgentConfig *c, struct err *e)
{
	if (set(p, "security", web_mode_of(c)->word, e) < 0)
		return err_code(e);
	if (!c)
		return 0;
	for (int file = 0; file < WEB_FILES; file++) {
		const char *text = web_file_of(c, (enum web_file)file);

		/* Readers of a manifest are not given its key, which every certificate has. */
		p->is_missing[file] =
			file == FILE_KEY ? *c->cert_file != 0 : *text && agent_config_is_path(text);
		if (*text && !p->is_missing[file] && set(p, web_files[file], text, e) < 0)
			return err_code(e);
	}
	return set(p, "level", c->log_level, e);
}

static int clone_manifest(struct prefill *p, const Cvms__ComputationRunReq *m,
			  const struct store_key_owners *owners, struct err *e)
{
	char hex[2 * MANIFEST_HASH_LEN + 1];
	const char *consumers[WEB_NEW_CONSUMERS];
	size_t count = 0;

	/* Not some of them: nobody would see who is missing. */
	if (m->n_result_consumers > WEB_NEW_CONSUMERS)
		return err_set(e, ERR_PRECONDITION,
			       "it has %zu result consumers, and this form room for %d: export it, "
			       "and import it with --new-ids",
			       m->n_result_consumers, WEB_NEW_CONSUMERS);
	for (size_t i = 0; i < m->n_result_consumers; i++) {
		const struct store_key_owner *o =
			store_key_owner_of(owners, &m->result_consumers[i]->userkey);

		if (o)
			consumers[count++] = o->user;
		else
			p->left_out++;
	}
	if (set(p, "name", m->name, e) < 0 || set(p, "description", m->description, e) < 0 ||
	    join(p, "consumers", consumers, count, e) < 0 || clone_datasets(p, m, owners, e) < 0)
		return err_code(e);
	if (clone_security(p, m->agent_config, e) < 0)
		return err_code(e);
	if (!m->algorithm)
		return 0;
	if (set(p, "type", m->algorithm->algo_type, e) < 0 ||
	    set(p, "algorithm", hex_of(&m->algorithm->hash, hex), e) < 0 ||
	    set_user(p, "provider", owners, &m->algorithm->userkey, e) < 0)
		return err_code(e);
	return join(p, "arguments", (const char *const *)m->algorithm->algo_args,
		    m->algorithm->n_algo_args, e);
}

/* Who may see one may begin with it. */
static int clone_of(struct store *store, struct web_work *work, const char *id, struct prefill *p,
		    struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(store_key_owners_free) struct store_key_owners *owners = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	p->is_clone = true;
	if (admin_access_check(store, &work->caller, DEED_SEE, id, e) < 0 ||
	    store_computation(store, id, &work->c, e) < 0 ||
	    store_manifest(store, id, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &m, e) < 0 || store_key_owners(store, m, &owners, e) < 0 ||
	    set(p, "workspace", work->c.workspace, e) < 0)
		return err_code(e);
	return clone_manifest(p, m, owners, e);
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct prefill *p = calloc(1, sizeof(*p));
	const char *from = http_request_query(work->r, "from");

	if (!p)
		return err_nomem(e);
	work->more = p;
	work->free_more = free_prefill;
	if (from && clone_of(store, work, from, p, e) < 0)
		return err_code(e);
	return web_new_places(store, &work->caller, &p->places, e);
}

static void reply(struct web_work *work)
{
	const struct prefill *p = work->more;
	const struct form f = { .prefill = p };
	const struct screen s = { &work->caller, work->csrf, &p->places, NULL };

	show(work->r, &f, &s, 200);
}

void web_new(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}
