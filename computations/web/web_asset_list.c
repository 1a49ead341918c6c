/* SPDX-License-Identifier: Apache-2.0 */
/* web_asset_list.c — the assets of a workspace, one of them with its links, a new one. */
#include "common/base/json.h"
#include "common/manifest/manifest.h"
#include "computations/core/revision.h"
#include "computations/web/web_act.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_form.h"
#include "computations/web/web_json.h"
#include "computations/web/web_place.h"
#include "computations/web/web_sort.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <string.h>

enum { DESCRIPTION_MAX = 200 }; /* characters, of a form: each may be nine bytes there */

/* ---- all of them ---- */

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	return asset_search(
		&store->db, place->w.number, work->caller.who.person,
		&(struct list_search){ work->search.text, work->search.before, work->search.sort },
		WEB_ROWS, place->assets, &work->count, &work->next, e);
}

static void put_row(const struct web_work *work, const struct asset_row *a, struct writer *w)
{
	page_row_begin(w);
	if (page_can_link(a->name))
		page_put(w, "<a href=\"/w/%u/assets/%u\"><bdi>%t</bdi></a></th>",
			 web_place_of(work)->w.name, a->name, a->name);
	else
		page_put(w, "<bdi>%t</bdi></th>", a->name);
	page_cell(w, "Type");
	page_put(w, "<span>%s<span class=\"sub\">%t</span></span></td>", asset_type_name(a->type),
		 a->mime);
	page_cell(w, "Owner");
	page_put(w, "<bdi>%t</bdi></td>", *a->owner ? a->owner : "–");
	page_cell(w, "Since");
	page_time(w, a->created);
	page_put(w, "</td>");
	page_cell(w, "Changed");
	page_time(w, a->changed);
	page_put(w, "</td></tr>\n");
}

static void put_at(const struct web_work *work, struct writer *w)
{
	page_put(w, "/w/%u/assets?q=%q&amp;", web_place_of(work)->w.name, work->search.text);
}

static const struct web_sort at = { put_at, "after" };

static void put_form(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<form class=\"find\" role=\"search\" action=\"/w/%u/assets\" method=\"get\">\n",
		 web_place_of(work)->w.name);
	web_sort_search(work, WEB_FIND_ASSETS, w);
	web_sort_orders(work, w);
	page_put(w, "<button class=\"btn\" type=\"submit\">Find</button>\n</form>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	const struct web_place *place = web_place_of(work);

	page_put(w, "<div>\n");
	web_sort_head(work, "Assets", w);
	web_sort_column(&at, work, "Asset", LIST_BY_NAME, w);
	web_sort_column(&at, work, "Type", LIST_BY_TYPE, w);
	page_column(w, &(struct page_column){ "Owner", false });
	web_sort_column(&at, work, "Since", LIST_BY_CREATED, w);
	web_sort_column(&at, work, "Changed", LIST_BY_CHANGED, w);
	page_head_end(w);
	for (size_t i = 0; i < work->count; i++)
		put_row(work, &place->assets[i], w);
	page_table_end(w);
	web_sort_pages(&at, work, w);
	page_put(w, "</div>\n");
}

/* The file stays where it is: its field has no name, and what it fills in is shown before anything is sent. */
static void put_new(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-new\"><h2 id=\"h-new\">Register an "
		 "asset</h2>\n<p>%t</p>\n",
		 WEB_ASSET_NEW);
	web_place_form(work, "stack", "assets", w);
	web_form_field(w, "name", "Name", "text", "off", "", WEB_ASSET_NAME);
	page_put(w, "<div><label for=\"f-type\">Type</label><select id=\"f-type\" name=\"type\">");
	for (int i = 0; i < ASSET_TYPES; i++)
		page_put(w, "<option>%s</option>", asset_type_name((enum asset_type)i));
	page_put(w, "</select></div>\n");
	web_form_field(w, "mime_type", "MIME type", "text", "off", ASSET_MIME_ANY, NULL);
	page_put(
		w,
		"<div><label for=\"f-description\">Description</label><input id=\"f-description\" "
		"name=\"description\" type=\"text\" maxlength=\"%d\" autocomplete=\"off\"></div>\n"
		"<div data-hash=\"f-digest\"><label for=\"f-file\">File, to compute its digest "
		"here</label><input id=\"f-file\" type=\"file\" aria-describedby=\"h-file\"><span "
		"class=\"hint\" id=\"h-file\">%t</span><output id=\"o-file\" for=\"f-file\"></output>"
		"</div>\n",
		(int64_t)DESCRIPTION_MAX, WEB_ASSET_FILE);
	web_form_field(w, "digest", "SHA3-256", "text", "off", "", WEB_ASSET_DIGEST);
	page_put(w, "<div><button class=\"btn main\" type=\"submit\">Register it</button></div>\n"
		    "</form>\n");
	page_command(w, "register", "cocos-cli asset register FILE --type dataset --workspace",
		     web_place_of(work)->w.name, "");
	page_put(w, "</section>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	bool is_search = *work->search.text || *work->search.before;

	web_place_head(work, "assets", &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
	if (work->count || is_search)
		put_form(work, &w);
	if (work->count)
		put_table(work, &w);
	else if (is_search)
		page_put(&w, "<p class=\"note\">%t <a href=\"/w/%u/assets\">Show all</a></p>\n",
			 WEB_NONE_LIKE, web_place_of(work)->w.name);
	else
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_ASSETS);
	page_put(&w, "</div><div class=\"stack\">\n");
	if (web_place_may(work, DEED_ASSET_ADD))
		put_new(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_assets(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_place *place = web_place_of(work);

	writer_text(&w, "{");
	json_put_key(&w, "assets");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? ",{" : "{");
		web_json_asset(&w, &place->assets[i]);
		writer_text(&w, "}");
	}
	writer_text(&w, "]");
	web_json_next(&w, work->next);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_assets_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}

/* ---- one of them ---- */

/* With the links that this reader may see. */
static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	const int64_t person = work->caller.rights.operates ? 0 : work->caller.who.person;
	struct web_place *place;
	struct asset_row *a;
	struct err no;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	a = &place->assets[0];
	if (asset_find(&store->db, place->w.number, http_request_param(work->r, "asset"), a, e) <
		    0 ||
	    asset_links(&store->db, a->number, person, place->links, &place->link_count, e) < 0)
		return err_code(e);
	place->may_change =
		admin_access_asset(store, &work->caller, &place->w, a->person, &no) == 0;
	return revision_of_asset(a, work->revision, e);
}

static void put_links(const struct web_place *place, struct writer *w)
{
	page_put(w, "<section class=\"panel\" aria-labelledby=\"h-links\"><h2 id=\"h-links\">"
		    "Computations that name it</h2>\n");
	if (!place->link_count)
		page_put(w, "<p>%t</p>\n", WEB_ASSET_NO_LINKS);
	page_put(w, "<ul class=\"list\">");
	for (size_t i = 0; i < place->link_count; i++) {
		const char *id = place->links[i];

		if (page_can_link(id))
			page_put(w, "<li><a href=\"/c/%u\"><bdi>%t</bdi></a></li>\n", id, id);
		else
			page_put(w, "<li><bdi>%t</bdi></li>\n", id);
	}
	page_put(w, "</ul></section>\n");
}

static void put_remove(const struct web_work *work, const char *name, struct writer *w)
{
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-remove\"><h2 id=\"h-remove\">Remove it"
		"</h2>\n<p>%t</p>\n<form method=\"post\" class=\"stack\" "
		"action=\"/w/%u/assets/%u/remove\"><input type=\"hidden\" name=\"csrf\" value=\"%a\">"
		"<input type=\"hidden\" name=\"revision\" value=\"%a\"><div><button class=\"btn "
		"danger\" type=\"submit\">Remove <bdi>%t</bdi></button></div></form></section>\n",
		WEB_ASSET_REMOVE, web_place_of(work)->w.name, name, work->csrf, work->revision,
		name);
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_place *place = web_place_of(work);
	const struct asset_row *a = &place->assets[0];

	web_place_below(work, "assets", a->name, &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\"><section class=\"panel\" "
		     "aria-label=\"What it is\">\n");
	if (*a->description)
		page_put(&w, "<p class=\"about\"><bdi>%t</bdi></p>\n", a->description);
	page_put(&w,
		 "<dl class=\"dl\"><dt>Type</dt><dd>%s</dd><dt>MIME type</dt><dd>%t</dd><dt>Owner"
		 "</dt><dd><bdi>%t</bdi></dd><dt>Since</dt><dd>",
		 asset_type_name(a->type), a->mime, *a->owner ? a->owner : "–");
	page_time(&w, a->created);
	page_put(&w, "</dd></dl>\n");
	page_digest(&w, "digest", "File", a->digest);
	page_put(&w, "<p>%t</p>\n", WEB_ASSET_CHECK);
	page_command(&w, "check", "cocos-cli checksum FILE", NULL, "");
	page_put(&w, "</section></div><div class=\"stack\">\n");
	put_links(place, &w);
	if (*work->csrf && place->may_change)
		put_remove(work, a->name, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_asset_page(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_place *place = web_place_of(work);

	writer_text(&w, "{");
	web_json_asset(&w, &place->assets[0]);
	json_put_key(&w, "computations");
	writer_text(&w, "[");
	for (size_t i = 0; i < place->link_count; i++) {
		writer_text(&w, i ? "," : "");
		json_quote(&w, place->links[i], strlen(place->links[i]));
	}
	writer_text(&w, "]}\n");
	web_reply_revision(work->r, &w, work->revision);
}

void web_asset_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}

/* ---- what changes them ---- */

static void reply_made(struct web_act *act, const ProtobufCMessage *answer)
{
	const People__Asset *m = (const People__Asset *)answer;
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	writer_text(&w, "{");
	json_put_key(&w, "workspace");
	json_quote(&w, m->workspace, strlen(m->workspace));
	json_put_key(&w, "name");
	json_quote(&w, m->name, strlen(m->name));
	json_put_hex(&w, "digest", m->digest.data, m->digest.len);
	writer_text(&w, "}\n");
	web_reply_made(act->r, &w);
}

#define A_PLACE "a workspace's name"
/* check_mime() (asset.c) */
#define MIME_TOKEN "[A-Za-z0-9!#$&^_.+-]+"
#define ONE_MIME   "^(" MIME_TOKEN "/" MIME_TOKEN ")?$"

static const struct web_input given[] = {
	PATH("workspace", People__RegisterAssetRequest, workspace, A_PLACE),
	LINE("name", true, People__RegisterAssetRequest, name, MANIFEST_FILENAME_MAX,
	     "as manifests name files"),
	WORD("type", true, People__RegisterAssetRequest, type, "^(algorithm|dataset)$",
	     "algorithm or dataset"),
	{ .name = "mime_type",
	  .most = ASSET_MIME_MAX,
	  .at = offsetof(People__RegisterAssetRequest, mime_type),
	  .meaning = "without: " ASSET_MIME_ANY,
	  .pattern = ONE_MIME },
	LINE("description", false, People__RegisterAssetRequest, description, ASSET_DESCRIPTION_MAX,
	     "what it is"),
	{ .name = "digest",
	  .kind = INPUT_DIGEST,
	  .is_needed = true,
	  .at = offsetof(People__RegisterAssetRequest, digest),
	  .meaning = "SHA3-256 of the file, 64 hexadecimal digits",
	  .pattern = WEB_DIGEST_PATTERN },
	END,
};

static const struct web_input asset[] = {
	PATH("workspace", People__AssetRequest, workspace, A_PLACE),
	PATH("asset", People__AssetRequest, name, "an asset's name"),
	END,
};

ACTION(web_page_asset) = { OF_PEOPLE(REGISTER_ASSET, register_asset_request), .inputs = given,
			   .leads = "/w/%u/assets" };
ACTION(web_page_asset_remove) = { OF_PEOPLE(REMOVE_ASSET, asset_request), .inputs = asset,
				  .revises = REVISES_ASSET, .leads = "/w/%u/assets" };
ACTION(web_api_asset) = { OF_PEOPLE(REGISTER_ASSET, register_asset_request), .inputs = given,
			  .reply = reply_made, .tells = NOUN_NEW_ASSET, .makes = true };
ACTION(web_api_asset_remove) = { OF_PEOPLE(REMOVE_ASSET, asset_request), .inputs = asset,
				 .revises = REVISES_ASSET, .then = DEED_ASSET_CHANGE };
