/* SPDX-License-Identifier: Apache-2.0 */
/* document_write.c — items as JSON and as rows of CSV: the same members in the same order, so that an export of what
 * was imported is the same bytes. */
#include "common/base/timestamp.h"
#include "common/transfer/csv.h"
#include "computations/transfer/document.h"

#include <string.h>

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

/* To the millisecond; the year 1, as the guides have it, for what has not been. */
static void time_text(int64_t ms, char text[TIMESTAMP_TEXT_MAX])
{
	char whole[TIMESTAMP_TEXT_MAX];

	if (ms <= 0) {
		snprintf(text, TIMESTAMP_TEXT_MAX, "0001-01-01T00:00:00Z");
		return;
	}
	timestamp_format(ms / 1000, whole);
	snprintf(text, TIMESTAMP_TEXT_MAX, "%.19s.%03dZ", whole, (int)(ms % 1000));
}

static void put_time(struct writer *w, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	time_text(ms, text);
	put_text(w, key, text);
}

static void put_config(struct writer *w, const Cvms__AgentConfig *c)
{
	writer_text(w, "{");
	put_text(w, "log_level", c->log_level);
	put_text(w, "cert_file", c->cert_file);
	put_text(w, "server_key", ""); /* never: it is the agent's alone */
	put_text(w, "server_ca_file", c->server_ca_file);
	put_text(w, "client_ca_file", c->client_ca_file);
	json_put_key(w, "attested_tls");
	writer_text(w, c->attested_tls ? "true" : "false");
	if (*c->port)
		put_text(w, "port", c->port);
	writer_text(w, "}");
}

static void put_actions(struct writer *w, unsigned actions)
{
	bool some = false;

	json_put_key(w, "actions");
	writer_text(w, "[");
	for (int i = 0; i < ACTIONS; i++) {
		const char *name = action_name((enum people_action)i);

		if (!(actions & ACTION_BIT(i)))
			continue;
		writer_text(w, some ? "," : "");
		json_quote(w, name, strlen(name));
		some = true;
	}
	writer_text(w, "]");
}

/* Null, as the guides have it, for a role that nobody has. */
static void put_members(struct writer *w, const struct document_item *item, const char *role)
{
	bool some = false;

	json_put_key(w, "members");
	for (size_t i = 0; i < item->member_count; i++) {
		const struct document_member *m = &item->members[i];

		if (strcmp(m->role, role) != 0)
			continue;
		writer_text(w, some ? "," : "[");
		json_quote(w, m->user, strlen(m->user));
		some = true;
	}
	writer_text(w, some ? "]" : "null");
}

static void put_roles(struct writer *w, const struct document_item *item)
{
	writer_text(w, "[");
	for (size_t i = 0; i < item->role_count; i++) {
		writer_text(w, i ? ",{" : "{");
		put_text(w, "role_name", item->roles[i].name);
		put_actions(w, item->roles[i].actions);
		put_members(w, item, item->roles[i].name);
		writer_text(w, "}");
	}
	writer_text(w, "]");
}

static void put_assets(struct writer *w, const struct document_item *item)
{
	writer_text(w, "[");
	for (size_t i = 0; i < item->asset_count; i++) {
		const struct document_asset *a = &item->assets[i];

		writer_text(w, i ? ",{" : "{");
		put_text(w, "file_name", a->name);
		put_text(w, "id", a->id);
		put_text(w, "UserID", a->owner);
		put_text(w, "description", a->description);
		put_text(w, "asset_type", a->is_algorithm ? "algorithm" : "dataset");
		put_text(w, "asset", "");
		put_time(w, "created_at", a->created);
		json_put_hex(w, "Checksum", a->hash, sizeof(a->hash));
		put_text(w, "mime_type", a->mime);
		json_put_key(w, "Computations");
		writer_text(w, "null");
		put_text(w, "UserKey", a->key);
		writer_text(w, "}");
	}
	writer_text(w, "]");
}

static void put_links(struct writer *w, const struct document_item *item)
{
	writer_text(w, "[");
	for (size_t i = 0; i < item->asset_count; i++) {
		writer_text(w, i ? ",{" : "{");
		put_text(w, "asset_id", item->assets[i].id);
		put_text(w, "computation_id", item->id);
		writer_text(w, "}");
	}
	writer_text(w, "]");
}

void document_json_begin(struct writer *w)
{
	writer_text(w, "[");
}

void document_json_item(struct writer *w, const struct document_item *item, bool first)
{
	writer_text(w, first ? "\n{\"computation\":{" : ",\n{\"computation\":{");
	put_text(w, "id", item->id);
	put_text(w, "name", item->name);
	put_text(w, "description", item->description);
	put_time(w, "start_time", item->started);
	put_time(w, "end_time", item->ended);
	json_put_key(w, "agent_config");
	put_config(w, &item->config);
	put_time(w, "created_at", item->created);
	writer_text(w, "}");
	json_put_key(w, "roles");
	put_roles(w, item);
	json_put_key(w, "assets");
	put_assets(w, item);
	json_put_key(w, "asset_links");
	put_links(w, item);
	put_text(w, "manifest", item->manifest);
	writer_text(w, "}");
}

void document_json_end(struct writer *w)
{
	writer_text(w, "\n]\n");
}

/* ---- CSV ---- */

void document_csv_begin(struct writer *w)
{
	writer_text(w, "id,name,description,start_time,end_time,created_at,agent_config,roles,"
		       "assets,manifest\r\n");
}

/* What is no text is JSON, which begins with a bracket and so no formula. */
static void put_json_cell(struct writer *w, const struct document_item *item,
			  void (*put)(struct writer *w, const struct document_item *item))
{
	CLEANUP_WRITER struct writer json = writer_up_to(DOCUMENT_MAX);

	put(&json, item);
	writer_u8(&json, 0);
	if (json.bad)
		w->bad = true;
	else
		csv_put(w, (const char *)json.bytes);
}

static void put_config_of(struct writer *w, const struct document_item *item)
{
	put_config(w, &item->config);
}

void document_csv_item(struct writer *w, const struct document_item *item)
{
	const char *const texts[] = { item->id, item->name, item->description };
	const int64_t times[] = { item->started, item->ended, item->created };
	char text[TIMESTAMP_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		csv_put(w, texts[i]);
		writer_text(w, ",");
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		time_text(times[i], text);
		csv_put(w, text);
		writer_text(w, ",");
	}
	put_json_cell(w, item, put_config_of);
	writer_text(w, ",");
	put_json_cell(w, item, put_roles);
	writer_text(w, ",");
	put_json_cell(w, item, put_assets);
	writer_text(w, ",");
	csv_put(w, item->manifest);
	writer_text(w, "\r\n");
}
