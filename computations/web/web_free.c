/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_free.h"

#include "common/base/json.h"
#include "common/base/log.h"
#include "computations/machines/machine_free.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

/* Of each manager of the table. */
struct web_free {
	struct machine_free free[MANAGERS_MAX];
	bool is_known[MANAGERS_MAX];
	size_t asked; /* that have not answered */
	void (*reply)(struct web_work *work);
};

struct one_asked {
	struct web_work *work;
	size_t manager;
};

/* ---- asking ---- */

static void leave(struct web_work *work)
{
	struct web_free *f = work->more;

	if (--f->asked)
		return;
	f->reply(work);
	web_work_end(work);
}

/* Why one does not say is its operator's and this service's to see: there may be addresses in it. */
static void answered(void *data, const struct machine_free *said, const struct err *e)
{
	struct one_asked *one = data;
	struct web_free *f = one->work->more;

	if (e)
		log_debug("%s", e->text);
	else
		f->free[one->manager] = *said;
	f->is_known[one->manager] = !e;
	leave(one->work);
	free(one);
}

static void ask_one(struct web_work *work, size_t manager)
{
	struct machines *machines = work->web->service->machines;
	struct one_asked *one = malloc(sizeof(*one));
	struct web_free *f = work->more;
	struct err e;

	if (!one)
		return;
	*one = (struct one_asked){ work, manager };
	f->asked++;
	if (machine_free_ask(machines, manager, answered, one, &e) == 0)
		return;
	log_debug("%s", e.text);
	f->asked--;
	free(one);
}

void web_free_ask(struct web_work *work, void (*reply)(struct web_work *work))
{
	const struct manager_table *table = machines_table(work->web->service->machines);
	struct web_free *f = calloc(1, sizeof(*f));

	if (!f) {
		reply(work);
		return;
	}
	f->reply = reply;
	work->more = f;
	work->free_more = free;
	for (size_t i = 0; i < table->count; i++)
		ask_one(work, i);
	if (f->asked)
		web_work_keep(work);
	else
		reply(work);
}

/* Managers of one fleet say the same: one of them that has answered stands for all. */
static bool is_said_before(const struct manager_table *table, const struct web_free *f, size_t i)
{
	for (size_t k = 0; *table->rows[i].fleet && k < table->count; k++)
		if (k != i && strcmp(table->rows[k].fleet, table->rows[i].fleet) == 0 &&
		    f->is_known[k] && (k < i || !f->is_known[i]))
			return true;
	return false;
}

static const char *name_of(const struct manager_row *row)
{
	return *row->fleet ? row->fleet : row->name;
}

/* ---- the page ---- */

static void put_count(uint64_t count, struct writer *w)
{
	if (count == UINT64_MAX)
		page_put(w, "no limit known</td>");
	else
		page_put(w, "%d</td>", (int64_t)(count > INT64_MAX ? INT64_MAX : count));
}

static void put_memory(uint64_t bytes, struct writer *w)
{
	if (bytes == UINT64_MAX)
		page_put(w, "no limit known");
	else
		page_put(w, "%d MiB", (int64_t)(bytes >> 20));
}

static void put_row(const char *name, const char *tee, const struct machine_free_tee *t,
		    struct writer *w)
{
	page_row_begin(w);
	page_put(w, "<bdi>%t</bdi></th>", name);
	page_cell(w, "TEE");
	page_put(w, "%s</td>", tee);
	page_cell(w, "Free CPUs");
	put_count(t->all.cpus, w);
	page_cell(w, "Free memory");
	put_memory(t->all.memory, w);
	page_put(w, "</td>");
	page_cell(w, "Memory for one");
	put_memory(t->most.memory, w);
	page_put(w, "</td></tr>\n");
}

static void put_manager(const char *name, const struct machine_free *free, struct writer *w)
{
	for (size_t t = 0; t < MACHINE_FREE_TEES; t++)
		if (free->tees[t].is_there)
			put_row(name, machine_free_tees[t], &free->tees[t], w);
}

static bool has_room(const struct machine_free *free)
{
	for (size_t t = 0; t < MACHINE_FREE_TEES; t++)
		if (free->tees[t].is_there)
			return true;
	return false;
}

void web_free_put(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Manager", false },
						      { "TEE", false },
						      { "Free CPUs", false },
						      { "Free memory", false },
						      { "Memory for one", false } };
	const struct manager_table *table = machines_table(work->web->service->machines);
	const struct web_free *f = work->more;
	bool is_open = false;

	for (size_t i = 0; f && i < table->count; i++) {
		if (!f->is_known[i] || is_said_before(table, f, i) || !has_room(&f->free[i]))
			continue;
		if (!is_open)
			page_table_begin(w, "What is free", columns, ARRAY_LEN(columns));
		is_open = true;
		put_manager(name_of(&table->rows[i]), &f->free[i], w);
	}
	if (is_open) {
		page_table_end(w);
		page_put(w, "<p class=\"small\">%t</p>\n", WEB_FREE);
	}
	for (size_t i = 0; i < table->count; i++)
		if (f && f->is_known[i] && !is_said_before(table, f, i) && !has_room(&f->free[i]))
			page_put(w, "<p class=\"note warn\"><bdi>%t</bdi>: %t</p>\n",
				 name_of(&table->rows[i]), WEB_FREE_NONE);
		else if ((!f || !f->is_known[i]) && !(f && is_said_before(table, f, i)))
			page_put(w, "<p class=\"note\"><bdi>%t</bdi>: %t</p>\n",
				 table->rows[i].name, WEB_FREE_UNKNOWN);
}

/* ---- for programs ---- */

static void put_number(const char *key, uint64_t number, struct writer *w)
{
	json_put_key(w, key);
	if (number == UINT64_MAX)
		writer_text(w, "null");
	else
		writer_printf(w, "%llu", (unsigned long long)number);
}

static void put_room(const char *key, const struct machine_free_room *room, struct writer *w)
{
	json_put_key(w, key);
	writer_text(w, "{");
	put_number("cvms", room->cvms, w);
	put_number("cpus", room->cpus, w);
	put_number("memory", room->memory, w);
	writer_text(w, "}");
}

static void put_tee(const char *name, const struct machine_free_tee *tee, bool is_first,
		    struct writer *w)
{
	writer_text(w, is_first ? "{" : ",{");
	json_put_key(w, "tee");
	json_quote(w, name, strlen(name));
	put_room("all", &tee->all, w);
	put_room("one", &tee->most, w);
	writer_text(w, "}");
}

static void put_tees(const struct machine_free *free, struct writer *w)
{
	bool is_first = true;

	for (size_t t = 0; t < MACHINE_FREE_TEES; t++)
		if (free->tees[t].is_there) {
			put_tee(machine_free_tees[t], &free->tees[t], is_first, w);
			is_first = false;
		}
}

static void reply_json(struct web_work *work)
{
	const struct manager_table *table = machines_table(work->web->service->machines);
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_free *f = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "managers");
	writer_text(&w, "[");
	for (size_t i = 0; i < table->count; i++) {
		const struct manager_row *row = &table->rows[i];

		writer_text(&w, i ? ",{" : "{");
		json_put_key(&w, "manager");
		json_quote(&w, row->name, strlen(row->name));
		json_put_key(&w, "fleet");
		json_quote(&w, row->fleet, strlen(row->fleet));
		json_put_key(&w, "known");
		writer_text(&w, f && f->is_known[i] ? "true" : "false");
		json_put_key(&w, "free");
		writer_text(&w, "[");
		if (f && f->is_known[i])
			put_tees(&f->free[i], &w);
		writer_text(&w, "]}");
	}
	writer_text(&w, "]}\n");
	web_reply_json(work->r, &w);
}

static void ask_json(struct web_work *work)
{
	web_free_ask(work, reply_json);
}

void web_free_json(struct http_request *r, void *data)
{
	web_work_start(data, r, NULL, ask_json);
}
