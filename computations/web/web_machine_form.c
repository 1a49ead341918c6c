/* SPDX-License-Identifier: Apache-2.0 */
/* web_machine_form.c — a new CVM's form, and what changes CVMs of workspaces. */
#include "computations.pb-c.h"
#include "computations/machines/machines.h"
#include "computations/machines/manager_table.h"
#include "computations/store/store_machine.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_form.h"
#include "computations/web/web_free.h"
#include "computations/web/web_machine.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"
#include "computations_paths.h"

enum { GIB = 1 << 30, HOUR_MS = 3600 * 1000 };

#define AT(member) offsetof(Computations__CreateCvmRequest, member)
#define TEXT(name_, most_, meaning_) \
	LINE(#name_, false, Computations__CreateCvmRequest, name_, most_, meaning_)
#define NUMBER(name_, kind_, member, most_, times_, meaning_) \
	COUNT(name_, kind_, Computations__CreateCvmRequest, member, most_, times_, meaning_)
#define A_WORKSPACE "a workspace's name"
#define A_NAME      "a CVM's name in it: a-z 0-9 - . with a letter or digit at both ends"
/* machine_name_check() */
#define NAME_PATTERN "^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
_Static_assert(MACHINE_NAME_MAX == 63, "as the pattern has it");
#define WISHES                                                                                  \
	TEXT(manager, MANAGER_NAME_MAX,                                                         \
	     "which manager makes it; without: the only one, or any of the only fleet"),        \
		TEXT(image, MACHINE_WORD_MAX, "of the manager's images; without: its default"), \
		TEXT(tee, MACHINE_WORD_MAX,                                                     \
		     "such as snp, tdx or none; without: the manager's default"),               \
		NUMBER("cpus", INPUT_U32, cpus, MACHINE_CPUS_MAX, 0, "processors")
#define IN_PATH(message, name_, meaning_) \
	{ .name = #name_,                 \
	  .place = INPUT_PATH,            \
	  .is_needed = true,              \
	  .at = offsetof(message, name_), \
	  .meaning = (meaning_) }

static const struct web_input create_of_form[] = {
	IN_PATH(Computations__CreateCvmRequest, workspace, A_WORKSPACE),
	{ .name = "name", .is_needed = true, .at = AT(name), .meaning = A_NAME },
	WISHES,
	NUMBER("memory", INPUT_U64, memory, MACHINE_MEMORY_MAX / GIB, GIB, "GiB"),
	NUMBER("hours", INPUT_U64, ttl_ms, MACHINE_TTL_MAX_MS / HOUR_MS, HOUR_MS, "until it ends"),
	{ .name = NULL },
};

static const struct web_input create_of_api[] = {
	IN_PATH(Computations__CreateCvmRequest, workspace, A_WORKSPACE),
	PATH_WORD("name", Computations__CreateCvmRequest, name, NAME_PATTERN, A_NAME),
	WISHES,
	NUMBER("memory", INPUT_U64, memory, MACHINE_MEMORY_MAX, 0, "bytes"),
	NUMBER("ttl_ms", INPUT_U64, ttl_ms, MACHINE_TTL_MAX_MS, 0, "milliseconds until it ends"),
	{ .name = NULL },
};

static const struct web_input discard[] = {
	IN_PATH(Computations__RemoveCvmRequest, workspace, A_WORKSPACE),
	IN_PATH(Computations__RemoveCvmRequest, name, A_NAME),
	{ .name = "force",
	  .kind = INPUT_FLAG,
	  .place = INPUT_QUERY,
	  .at = offsetof(Computations__RemoveCvmRequest, force),
	  .meaning = "true: although a computation is in it that has not ended" },
	{ .name = NULL },
};

#define OF(path, message) \
	.method = PROTO_COMPUTATIONS_##path, .request = &computations__##message##__descriptor

const struct web_action web_page_machine = { OF(CREATE_CVM, create_cvm_request),
					     .inputs = create_of_form, .leads = "/w/%u/cvms" };
const struct web_action web_page_machine_remove = { OF(REMOVE_CVM, remove_cvm_request),
						    .inputs = discard, .revises = REVISES_MACHINE,
						    .leads = "/w/%u/cvms" };
const struct web_action web_api_machine = { OF(CREATE_CVM, create_cvm_request),
					    .inputs = create_of_api, .answer = web_machine_json,
					    .tells = NOUN_MACHINE };
const struct web_action web_api_machine_remove = { OF(REMOVE_CVM, remove_cvm_request),
						   .inputs = discard, .revises = REVISES_MACHINE,
						   .answer = web_machine_json,
						   .tells = NOUN_MACHINE };

/* ---- the form ---- */

static const struct {
	const char *name, *label, *type, *hint;
} fields[] = {
	{ "image", "Image", "text", WEB_MACHINE_DEFAULT },
	{ "cpus", "CPUs", "number", NULL },
	{ "memory", "Memory in GiB", "number", NULL },
	{ "hours", "Hours until it ends", "number", WEB_MACHINE_HOURS },
};

static void put_managers(const struct manager_table *table, struct writer *w)
{
	page_put(w, "<div><label for=\"f-manager\">Manager</label><select id=\"f-manager\" "
		    "name=\"manager\">");
	for (size_t i = 0; i < table->count; i++)
		page_put(w, "<option value=\"%a\">%t</option>", table->rows[i].name,
			 table->rows[i].name);
	page_put(w, "</select></div>\n");
}

static void put_tees(struct writer *w)
{
	static const char *const tees[] = { "snp", "tdx", "none" };

	page_put(w, "<div><label for=\"f-tee\">TEE</label><select id=\"f-tee\" name=\"tee\" "
		    "aria-describedby=\"h-tee\"><option value=\"\">As the manager is set</option>");
	for (size_t i = 0; i < ARRAY_LEN(tees); i++)
		page_put(w, "<option value=\"%s\">%s</option>", tees[i], tees[i]);
	page_put(w, "</select><span class=\"hint\" id=\"h-tee\">%t</span></div>\n",
		 WEB_MACHINE_TEE);
}

static void put_field(size_t i, struct writer *w)
{
	const char *name = fields[i].name;

	page_put(w,
		 "<div><label for=\"f-%s\">%s</label><input id=\"f-%s\" name=\"%s\" type=\"%s\" "
		 "autocomplete=\"off\"%s",
		 name, fields[i].label, name, name, fields[i].type,
		 *fields[i].type == 'n' ? " min=\"1\"" : "");
	if (fields[i].hint)
		page_put(
			w,
			" aria-describedby=\"h-%s\"><span class=\"hint\" id=\"h-%s\">%t</span></div>\n",
			name, name, fields[i].hint);
	else
		page_put(w, "></div>\n");
}

void web_machine_put_wishes(const struct manager_table *table, struct writer *w)
{
	put_managers(table, w);
	put_tees(w);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		put_field(i, w);
}

static void put_form(const struct web_work *work, const struct manager_table *table,
		     struct writer *w)
{
	page_put(w,
		 "<form class=\"stack\" method=\"post\" action=\"/w/%u/new-cvm\">\n<input "
		 "type=\"hidden\" name=\"csrf\" value=\"%a\">\n",
		 work->id, work->csrf);
	web_form_field(w, "name", "Name", "text", "off", "", WEB_MACHINE_NAME);
	web_machine_put_wishes(table, w);
	page_put(w,
		 "<div class=\"row\"><button class=\"btn main\" type=\"submit\">Have it made"
		 "</button><a class=\"btn\" href=\"/w/%u/cvms\">Not now</a></div>\n</form>\n",
		 work->id);
}

static void reply_ask(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct manager_table *table = machines_table(work->web->service->machines);

	page_begin(&w, &work->caller, "New CVM", "/workspaces");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/workspaces\">Workspaces"
		"</a> / <a href=\"/w/%u/cvms\"><bdi>%t</bdi></a> /</nav>\n<section class=\"panel "
		"gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">New CVM</h1>\n<p>%t</p>\n",
		work->id, work->id, WEB_MACHINE_NEW);
	if (table->count) {
		web_free_put(work, &w);
		put_form(work, table, &w);
	} else {
		page_put(&w, "<p class=\"note warn\">%t</p>\n", WEB_MACHINE_NO_MANAGER);
	}
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

static void ask_free(struct web_work *work)
{
	web_free_ask(work, reply_ask);
}

void web_machine_ask(struct http_request *r, void *data)
{
	web_work_start(data, r, NULL, ask_free);
}
