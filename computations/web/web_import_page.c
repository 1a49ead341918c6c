/* SPDX-License-Identifier: Apache-2.0 */
/* web_import_page.c — the page of an import: import.js reads the document, and what is sent goes to the API. */
#include "computations/web/web_import.h"
#include "computations/web/web_page.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"

#include <string.h>

/* Members to choose from; others are typed. */
static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	return workspace_member_list(&store->db, place->w.number, "", WEB_ROWS, place->members,
				     &work->count, e);
}

/* No field has a name: nothing is sent but by the script. */
static void put_form(const struct web_work *work, struct writer *w)
{
	const struct web_place *place = web_place_of(work);

	page_put(
		w,
		"<form class=\"stack\" id=\"import\" data-import=\"/api/workspaces/%u/imports\">\n"
		"<div><label for=\"f-file\">File</label><input id=\"f-file\" type=\"file\" "
		"accept=\".json,.csv\" aria-describedby=\"h-file\"><span class=\"hint\" id=\"h-file\">"
		"%t</span></div>\n<div><label for=\"f-text\">Or its text</label><textarea "
		"id=\"f-text\" rows=\"8\" spellcheck=\"false\" autocomplete=\"off\"></textarea></div>\n"
		"<div><div class=\"box\"><input id=\"f-new\" type=\"checkbox\" "
		"aria-describedby=\"h-new\"><label for=\"f-new\">New ids</label></div><span "
		"class=\"hint\" id=\"h-new\">%t</span></div>\n<div id=\"people\" class=\"stack\"></div>\n"
		"<datalist id=\"members\">",
		place->w.name, WEB_IMPORT_FILE, WEB_IMPORT_IDS);
	for (size_t i = 0; i < work->count; i++)
		page_put(w, "<option value=\"%a\"></option>", place->members[i].user);
	page_put(w, "</datalist>\n<div class=\"row\"><button class=\"btn main\" type=\"submit\">"
		    "Preview</button></div>\n<output id=\"import-said\"></output>\n</form>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_place_head(work, "import", &w);
	page_put(
		&w,
		"<div class=\"cols\"><div class=\"stack\"><section class=\"panel\" "
		"aria-labelledby=\"h-import\"><h2 id=\"h-import\">Computations out of a document</h2>"
		"\n<p>%t</p>\n",
		WEB_IMPORT);
	if (*work->csrf)
		put_form(work, &w);
	page_command(&w, "import-cli", "cocos-cli computation import FILE --preview --workspace",
		     web_place_of(work)->w.name, "");
	page_put(&w, "</section></div><div class=\"stack\" id=\"import-shown\"></div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_import_page(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}
