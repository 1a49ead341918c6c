/* SPDX-License-Identifier: Apache-2.0 */
/* web_key.c — one's own public keys, and what of computations hangs on which: the page, and the same for programs. */
#include "common/base/encode.h"
#include "common/base/json.h"
#include "computations/people/user_key.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_sort.h"
#include "computations/web/web_step.h"
#include "computations/web/web_token.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* Whoever makes a computation names whose keys he likes, as often as a manifest has room for: a page ends behind the
	 * computation with which it has so many, and with the longest names it is less than WEB_PAGE_MAX. */
	KEY_USES_MAX = 100,
	KEY_USES_ROOM = KEY_USES_MAX + 1 + MANIFEST_DATASETS_MAX + USER_KEYS_MAX,
};

struct use {
	const struct computation *c;
	const char *as; /* "dataset", */
	char *name;     /* of that name; NULL: it has none */
	const struct user_key *key;
};

struct keys {
	struct user_key rows[USER_KEYS_MAX];
	size_t count;
	struct use uses[KEY_USES_ROOM]; /* of the computations of this page */
	size_t use_count;
};

static void free_keys(void *data)
{
	struct keys *keys = data;

	for (size_t i = 0; i < keys->count; i++)
		user_key_done(&keys->rows[i]);
	for (size_t i = 0; i < keys->use_count; i++)
		free(keys->uses[i].name);
	free(keys);
}

/* ---- what hangs on them ---- */

static const struct user_key *key_of(const struct keys *keys, const ProtobufCBinaryData *spki)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	struct err ignored;

	if (key_fingerprint(spki->data, spki->len, fingerprint, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < keys->count; i++)
		if (memcmp(keys->rows[i].fingerprint, fingerprint, sizeof(fingerprint)) == 0)
			return &keys->rows[i];
	return NULL;
}

static int add_use(struct keys *keys, const struct computation *c, const char *as, const char *name,
		   const ProtobufCBinaryData *spki, struct err *e)
{
	const struct user_key *key = key_of(keys, spki);
	struct use *use = &keys->uses[keys->use_count];

	if (!key)
		return 0;
	if (keys->use_count == KEY_USES_ROOM)
		return err_set(e, ERR_DATA_LOSS, "a manifest in the database has too many keys");
	*use = (struct use){ .c = c, .as = as, .name = name ? strdup(name) : NULL, .key = key };
	if (name && !use->name)
		return err_nomem(e);
	keys->use_count++;
	return 0;
}

static int add_uses(struct store *store, struct keys *keys, const struct computation *c,
		    struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (store_manifest(store, c->id, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &m, e) < 0 ||
	    (m->algorithm && add_use(keys, c, "algorithm", NULL, &m->algorithm->userkey, e) < 0))
		return err_code(e);
	for (size_t i = 0; i < m->n_datasets; i++)
		if (add_use(keys, c, "dataset", m->datasets[i]->filename, &m->datasets[i]->userkey,
			    e) < 0)
			return err_code(e);
	for (size_t i = 0; i < m->n_result_consumers; i++)
		if (add_use(keys, c, "results", NULL, &m->result_consumers[i]->userkey, e) < 0)
			return err_code(e);
	return 0;
}

/* One manifest at a time: they may be long. */
static int load_uses(struct store *store, struct web_work *work, const struct store_search *search,
		     struct err *e)
{
	struct keys *keys = work->more;

	for (size_t i = 0; i < work->count; i++) {
		if (add_uses(store, keys, &work->rows[i], e) < 0)
			return err_code(e);
		if (keys->use_count < KEY_USES_MAX)
			continue;
		if (work->count == i + 1)
			break;
		while (work->count > i + 1)
			computation_done(&work->rows[--work->count]);
		free(TAKE_PTR(work->next));
		return store_find_behind(store, search, work->rows[i].id, &work->next, e);
	}
	return 0;
}

/* The order asked for is the keys'; computations come newest first. A token that is not for everything is told none of it (web_me.c). */
static int run(struct store *store, struct web_work *work, struct err *e)
{
	const struct token_owner *who = &work->caller.who;
	struct keys *keys = calloc(1, sizeof(*keys));
	struct store_search search = work->search;

	if (!keys)
		return err_nomem(e);
	search.sort = store_list.first;
	work->more = keys;
	work->free_more = free_keys;
	if (!who->person || who->scope != ACTIONS_ALL)
		return 0;
	work->rows = calloc(WEB_ROWS, sizeof(*work->rows));
	if (!work->rows)
		return err_nomem(e);
	if (user_key_list(&store->db, who->person, work->search.sort, keys->rows, &keys->count, e) <
		    0 ||
	    admin_access_view(store, &work->caller, "", &search.view, e) < 0)
		return err_code(e);
	if (!keys->count)
		return 0;
	if (store_find(store, &search, WEB_ROWS, work->rows, &work->count, &work->next, e) < 0)
		return err_code(e);
	return load_uses(store, work, &search, e);
}

/* ---- the page ---- */

static void put_key(const struct web_work *work, const struct user_key *k, struct writer *w)
{
	char hex[2 * KEY_FINGERPRINT_LEN + 1];

	hex_encode(k->fingerprint, sizeof(k->fingerprint), hex);
	page_row_begin(w);
	page_key(w, k->fingerprint);
	page_put(w, "<span class=\"sub\">%t</span></th>", k->words);
	page_cell(w, "For");
	if (!*k->computation)
		page_put(w, "All computations</td>");
	else if (page_can_link(k->computation))
		page_put(w, "<a href=\"/c/%u\"><bdi>%t</bdi></a></td>", k->computation,
			 k->computation);
	else
		page_put(w, "<bdi>%t</bdi></td>", k->computation);
	page_cell(w, "Since");
	page_time(w, k->created);
	page_put(w, "</td>");
	page_cell(w, "Retired");
	if (k->retired || !*work->csrf)
		page_time(w, k->retired);
	else
		web_step_button(w, work->csrf, "/me/keys/", hex, "Retire", hex);
	page_put(w, "</td></tr>\n");
}

static void put_at(const struct web_work *work, struct writer *w)
{
	(void)work;
	page_put(w, "/me/keys?");
}

static const struct web_sort at = { put_at, "before" };

static void put_keys(const struct web_work *work, struct writer *w)
{
	const struct keys *keys = work->more;

	if (!keys->count) {
		page_put(w, "<p class=\"note\">%t</p>\n", WEB_NO_KEYS);
		return;
	}
	web_sort_head(work, "Keys", w);
	page_column(w, &(struct page_column){ "Key", false });
	web_sort_column(&at, work, "For", LIST_BY_NAME, w);
	web_sort_column(&at, work, "Since", LIST_BY_CREATED, w);
	web_sort_column(&at, work, "Retired", LIST_BY_STATE, w);
	page_head_end(w);
	for (size_t i = 0; i < keys->count; i++)
		put_key(work, &keys->rows[i], w);
	page_table_end(w);
	page_put(w, "<p class=\"small\">%t</p>\n", WEB_KEY_RETIRE);
}

static void put_use(struct writer *w, const struct use *use)
{
	const char *name = *use->c->name ? use->c->name : use->c->id;

	page_row_begin(w);
	if (page_can_link(use->c->id))
		page_put(w, "<a href=\"/c/%u\"><bdi>%t</bdi></a></th>", use->c->id, name);
	else
		page_put(w, "<bdi>%t</bdi></th>", name);
	page_cell(w, "As");
	page_put(w, "<span>%s <bdi>%t</bdi></span></td>", use->as, use->name ? use->name : "");
	page_cell(w, "Key");
	page_key(w, use->key->fingerprint);
	page_put(w, "</td></tr>\n");
}

static void put_what_hangs(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Computation", false },
						      { "As", false },
						      { "Key", false } };
	const struct keys *keys = work->more;

	page_put(
		w,
		"<section class=\"part\" aria-labelledby=\"h-uses\"><h2 id=\"h-uses\">What hangs on "
		"them</h2>\n<p class=\"small\">%t</p>\n",
		WEB_KEY_USES);
	page_table_begin(w, "Computations whose manifests name them", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < keys->use_count; i++)
		put_use(w, &keys->uses[i]);
	page_table_end(w);
	web_sort_pages(&at, work, w);
	page_put(w, "</section>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct keys *keys = work->more;

	if (!work->caller.who.person) {
		web_me_note(work);
		return;
	}
	page_begin(&w, &work->caller, "Your keys", "");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/me\">You</a> /</nav>\n"
		"<div class=\"head\"><h1>Your keys</h1><p>%t</p></div>\n<div class=\"stack\">\n<div>",
		WEB_YOUR_KEYS);
	put_keys(work, &w);
	page_put(&w, "</div>\n");
	if (keys->count)
		put_what_hangs(work, &w);
	page_put(&w,
		 "<section class=\"panel\" aria-labelledby=\"h-register\"><h2 id=\"h-register\">"
		 "Register a key</h2>\n<p>%t</p>\n",
		 WEB_KEY_REGISTER);
	page_command(&w, "keys", "cocos-cli keys -k ed25519", NULL, "");
	page_command(&w, "register", "cocos-cli key register private.pem", NULL, "");
	page_command(&w, "print", "cocos-cli key fingerprint private.pem", NULL, "");
	page_put(&w, "</section></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_keys(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

/* ---- for programs ---- */

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

/* Each a member of a list. */
static void begin(struct writer *w)
{
	writer_text(w, w->bytes[w->len - 1] == '[' ? "{" : ",{");
}

static void put_use_json(struct writer *w, const struct use *use)
{
	begin(w);
	put_text(w, "computation", use->c->id);
	put_text(w, "as", use->as);
	put_text(w, "name", use->name ? use->name : "");
	json_put_hex(w, "fingerprint", use->key->fingerprint, sizeof(use->key->fingerprint));
	writer_text(w, "}");
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct keys *keys = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "keys");
	writer_text(&w, "[");
	for (size_t i = 0; i < keys->count; i++)
		web_json_key(&w, &keys->rows[i]);
	writer_text(&w, "]");
	json_put_key(&w, "uses");
	writer_text(&w, "[");
	for (size_t i = 0; i < keys->use_count; i++)
		put_use_json(&w, &keys->uses[i]);
	writer_text(&w, "]");
	web_json_next(&w, work->next);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_keys_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}

/* ---- what changes them ---- */

static const struct web_input retired[] = {
	{ .name = "fingerprint",
	  .kind = INPUT_DIGEST,
	  .place = INPUT_PATH,
	  .is_needed = true,
	  .at = offsetof(People__RetireKeyRequest, fingerprint),
	  .meaning = "of a key of yours, 64 hexadecimal digits",
	  .pattern = WEB_DIGEST_PATTERN },
	END,
};

ACTION(web_page_key_retire) = { OF_PEOPLE(RETIRE_KEY, retire_key_request), .inputs = retired,
				.leads = "/me/keys" };
ACTION(web_api_key_retire) = { OF_PEOPLE(RETIRE_KEY, retire_key_request), .inputs = retired };
