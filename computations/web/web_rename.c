/* SPDX-License-Identifier: Apache-2.0 */
/* web_rename.c — what a computation is called: its form, and the same for programs. */
#include "common/manifest/manifest.h"
#include "computations.pb-c.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_form.h"
#include "computations/web/web_page.h"
#include "computations/web/web_run.h"
#include "computations/web/web_words.h"
#include "computations_paths.h"

static int run_ask(struct store *store, struct web_work *work, struct err *e)
{
	if (store_computation(store, work->id, &work->c, e) < 0)
		return err_code(e);
	return revision_of(&work->c, work->revision, e);
}

/* A description may be longer than a form: it stays as it is. */
static void reply_ask(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_run_put_head(work, "Rename", &w);
	page_put(&w, "<p>%t</p>\n", WEB_RENAME);
	page_command(&w, "rename", "cocos-cli computation rename", work->c.id,
		     " NAME --description TEXT");
	web_run_begin_form(work, "rename", &w);
	page_put(&w, "<input type=\"hidden\" name=\"keep_description\" value=\"true\">\n");
	web_form_field(&w, "name", "Name", "text", "off", work->c.name, WEB_RENAME_NAME);
	web_run_end_form(work, "Rename it", "main", "Leave it as it is", &w);
}

void web_ask_rename(struct http_request *r, void *data)
{
	web_work_start(data, r, run_ask, reply_ask);
}

static const struct web_input of_form[] = {
	PATH("id", Computations__RenameRequest, id, "a computation's id"),
	NEEDED("name", Computations__RenameRequest, name, "its name from now on"),
	BODY("keep_description", INPUT_FLAG, Computations__RenameRequest, keep_description,
	     "true: its description stays as it is"),
	END,
};

/* What is left out is emptied, as it is by PUT (RFC 9110, 9.3.4). */
static const struct web_input of_api[] = {
	PATH("id", Computations__RenameRequest, id, "a computation's id"),
	LINE("name", true, Computations__RenameRequest, name, MANIFEST_NAME_MAX,
	     "its name from now on; of no other one in its workspace"),
	BODY("description", INPUT_TEXT, Computations__RenameRequest, description,
	     "what it is for; without: it has none from now on"),
	END,
};

ACTION(web_page_rename) = { OF_COMPUTATIONS(RENAME, rename_request), .inputs = of_form,
			    .revises = REVISES_COMPUTATION, .leads = "/c/%u" };
ACTION(web_api_rename) = { OF_COMPUTATIONS(RENAME, rename_request), .inputs = of_api,
			   .revises = REVISES_COMPUTATION, .answer = web_one_json,
			   .tells = NOUN_COMPUTATION };
