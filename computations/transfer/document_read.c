/* SPDX-License-Identifier: Apache-2.0 */
/* document_read.c — both forms become the same items; every member that is in neither is refused by its name. */
#include "common/base/log.h"
#include "computations/transfer/document.h"
#include "computations/transfer/member.h"

#include <string.h>

/* ---- members ---- */

static const char *const item_keys[] = { "computation", "roles",    "assets",
					 "asset_links", "manifest", NULL };
static const char *const core_keys[] = { "id",       "name",         "description", "start_time",
					 "end_time", "agent_config", "created_at",  NULL };
static const char *const flat_keys[] = {
	"id",         "name",   "description", "start_time", "end_time",   "agent_config",
	"created_at", "owner",  "datasets",    "algorithm",  "backend_id", "result_consumers",
	"roles",      "assets", "asset_links", "manifest",   NULL
};
static const char *const role_keys[] = { "role_name", "actions", "members", NULL };
static const char *const asset_keys[] = { "file_name",  "id",           "UserID",     "description",
					  "asset_type", "asset",        "created_at", "Checksum",
					  "mime_type",  "Computations", "UserKey",    NULL };
static const char *const link_keys[] = { "asset_id", "computation_id", NULL };
static const char *const provider_keys[] = { "provider", "hash", "filename", "user_key", NULL };
static const char *const config_keys[] = { "log_level",    "cert_file",      "server_key",
					   "key_file",     "server_ca_file", "client_ca_file",
					   "attested_tls", "port",           NULL };

static void notice(struct document_item *item, const char *constant)
{
	for (size_t i = 0; i < item->notice_count; i++)
		if (item->notices[i] == constant)
			return;
	if (item->notice_count < DOCUMENT_NOTICES_MAX)
		item->notices[item->notice_count++] = constant;
}

/* ---- roles ---- */

static int add_role(struct document_item *item, const char *name, unsigned actions, struct err *e)
{
	for (size_t i = 0; i < item->role_count; i++)
		if (strcmp(item->roles[i].name, name) == 0)
			return err_set(e, ERR_INVALID, "role_name: %s comes twice",
				       log_quote(name).text);
	if (item->role_count == DOCUMENT_ROLES_MAX)
		return err_set(e, ERR_INVALID, "more than %d roles", DOCUMENT_ROLES_MAX);
	item->roles[item->role_count++] = (struct document_role){ name, actions };
	return 0;
}

/* Twice is as good as once. */
static int add_member(struct document_item *item, const char *role, const char *user, struct err *e)
{
	if (!*user)
		return 0;
	for (size_t i = 0; i < item->member_count; i++)
		if (strcmp(item->members[i].role, role) == 0 &&
		    strcmp(item->members[i].user, user) == 0)
			return 0;
	if (item->member_count == DOCUMENT_MEMBERS_MAX)
		return err_set(e, ERR_INVALID, "roles have more than %d members",
			       DOCUMENT_MEMBERS_MAX);
	item->members[item->member_count++] = (struct document_member){ role, user };
	return 0;
}

static int read_actions(const struct json *list, unsigned *actions, struct err *e)
{
	enum people_action action;

	*actions = 0;
	for (size_t i = 0; i < member_count(list); i++) {
		if (list->items[i].type != JSON_STRING)
			return member_refuse("actions", &list->items[i], "a text", e);
		if (action_find(list->items[i].text, &action, e) < 0)
			return err_wrap(e, "actions");
		*actions |= ACTION_BIT(action);
	}
	return *actions ? actions_check(*actions, e) : 0;
}

/* A person: an id or name, never "". */
static int take_person(const struct json *value, const char *key, const char **user, struct err *e)
{
	if (value->type != JSON_STRING)
		return member_refuse(key, value, "a text", e);
	if (!*value->text || strlen(value->text) > DOCUMENT_WORD_MAX)
		return err_set(e, ERR_INVALID, "%s: 1 to %d bytes", key, DOCUMENT_WORD_MAX);
	*user = value->text;
	return 0;
}

static int read_role(struct document_item *item, const struct json *role, struct err *e)
{
	const struct json *actions, *members;
	const char *name, *user;
	unsigned set;

	if (member_only(role, role_keys, e) < 0 ||
	    member_text(role, "role_name", DOCUMENT_WORD_MAX, &name, e) < 0 ||
	    member_list(role, "actions", ACTIONS, &actions, e) < 0 ||
	    member_list(role, "members", DOCUMENT_MEMBERS_MAX, &members, e) < 0 ||
	    read_actions(actions, &set, e) < 0)
		return err_code(e);
	if (!*name)
		return err_set(e, ERR_INVALID, "role_name: missing");
	if (add_role(item, name, set, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < member_count(members); i++)
		if (take_person(&members->items[i], "members", &user, e) < 0 ||
		    add_member(item, name, user, e) < 0)
			return err_code(e);
	return 0;
}

static int read_roles(struct document_item *item, const struct json *object, struct err *e)
{
	const struct json *roles;

	if (member_list(object, "roles", DOCUMENT_ROLES_MAX, &roles, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < member_count(roles); i++)
		if (read_role(item, &roles->items[i], e) < 0)
			return err_wrap(e, "roles[%zu]", i);
	return 0;
}

/* ---- assets ---- */

static bool has_asset(const struct document_item *item, const char *id)
{
	for (size_t i = 0; i < item->asset_count; i++)
		if (strcmp(item->assets[i].id, id) == 0)
			return true;
	return false;
}

static int add_asset(struct document_item *item, const struct document_asset *asset, struct err *e)
{
	if (item->asset_count == DOCUMENT_ASSETS_MAX)
		return err_set(e, ERR_INVALID, "more than %d assets", DOCUMENT_ASSETS_MAX);
	if (*asset->id && has_asset(item, asset->id))
		return err_set(e, ERR_INVALID, "id: %s comes twice", log_quote(asset->id).text);
	item->assets[item->asset_count++] = *asset;
	return 0;
}

static int check_content(const struct json *asset, struct err *e)
{
	const struct json *content = member_given(asset, "asset");

	if (!content || (content->type == JSON_STRING && !*content->text))
		return 0;
	return err_set(e, ERR_INVALID,
		       "asset: contents never go to the service, owners send them to the agent: "
		       "'cocos-cli computation import' takes them out");
}

static int read_type(const struct json *object, bool *is_algorithm, struct err *e)
{
	const char *type;

	if (member_text(object, "asset_type", DOCUMENT_WORD_MAX, &type, e) < 0)
		return err_code(e);
	*is_algorithm = strcmp(type, "algorithm") == 0;
	if (*is_algorithm || strcmp(type, "dataset") == 0)
		return 0;
	return err_set(e, ERR_INVALID, "asset_type: %s: use algorithm or dataset",
		       log_quote(type).text);
}

static int read_asset(struct document_item *item, const struct json *object, struct err *e)
{
	struct document_asset a = { .id = "" };
	const struct json *used;

	if (member_only(object, asset_keys, e) < 0 || check_content(object, e) < 0 ||
	    read_type(object, &a.is_algorithm, e) < 0 ||
	    member_text(object, "id", DOCUMENT_WORD_MAX, &a.id, e) < 0 ||
	    member_text(object, "file_name", MANIFEST_FILENAME_MAX, &a.name, e) < 0 ||
	    member_text(object, "UserID", DOCUMENT_WORD_MAX, &a.owner, e) < 0 ||
	    member_text(object, "description", DOCUMENT_NOTE_MAX, &a.description, e) < 0 ||
	    member_text(object, "mime_type", DOCUMENT_WORD_MAX, &a.mime, e) < 0 ||
	    member_text(object, "UserKey", DOCUMENT_KEY_MAX, &a.key, e) < 0 ||
	    member_time(object, "created_at", &a.created, e) < 0 ||
	    member_hash(object, "Checksum", a.hash, e) < 0 ||
	    member_list(object, "Computations", DOCUMENT_ITEMS_MAX, &used, e) < 0)
		return err_code(e);
	if (member_count(used))
		notice(item,
		       "assets[].Computations is passed over: asset_links says what belongs here");
	return add_asset(item, &a, e);
}

/* Whether some link names that asset. ERR_INVALID: of another computation. */
static int linked(const struct document_item *item, const struct json *links, const char *id,
		  bool *found, struct err *e)
{
	const char *asset, *computation;

	*found = !links;
	for (size_t i = 0; i < member_count(links); i++) {
		if (member_only(&links->items[i], link_keys, e) < 0 ||
		    member_text(&links->items[i], "asset_id", DOCUMENT_WORD_MAX, &asset, e) < 0 ||
		    member_text(&links->items[i], "computation_id", DOCUMENT_WORD_MAX, &computation,
				e) < 0)
			return err_wrap(e, "asset_links[%zu]", i);
		if (*computation && strcmp(computation, item->id) != 0)
			return err_set(e, ERR_INVALID,
				       "asset_links[%zu].computation_id: %s is not this one", i,
				       log_quote(computation).text);
		if (strcmp(asset, id) == 0)
			*found = true;
	}
	return 0;
}

/* Assets stay that are linked; links are of assets that are there. */
static int apply_links(struct document_item *item, const struct json *object, struct err *e)
{
	const struct json *links;
	size_t kept = 0;
	const char *id;
	bool found;

	if (member_list(object, "asset_links", DOCUMENT_ASSETS_MAX, &links, e) < 0 ||
	    linked(item, links, "", &found, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < member_count(links); i++) {
		if (member_text(&links->items[i], "asset_id", DOCUMENT_WORD_MAX, &id, e) < 0)
			return err_code(e);
		if (!*id || !has_asset(item, id))
			return err_set(e, ERR_INVALID, "asset_links[%zu].asset_id: no asset has it",
				       i);
	}
	for (size_t i = 0; i < item->asset_count; i++) {
		if (linked(item, links, item->assets[i].id, &found, e) < 0)
			return err_code(e);
		if (found)
			item->assets[kept++] = item->assets[i];
		else
			notice(item, "some assets are in no asset_links: they are left out");
	}
	item->asset_count = kept;
	return 0;
}

static int read_assets(struct document_item *item, const struct json *object, struct err *e)
{
	const struct json *assets;

	if (member_list(object, "assets", DOCUMENT_ASSETS_MAX, &assets, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < member_count(assets); i++)
		if (read_asset(item, &assets->items[i], e) < 0)
			return err_wrap(e, "assets[%zu]", i);
	return apply_links(item, object, e);
}

/* ---- the older form: people and hashes alone ---- */

static int read_provided(struct document_item *item, const struct json *object, bool is_algorithm,
			 struct err *e)
{
	struct document_asset a = { "", "", "", "", "", "", .is_algorithm = is_algorithm };

	if (member_only(object, provider_keys, e) < 0 ||
	    member_text(object, "provider", DOCUMENT_WORD_MAX, &a.owner, e) < 0 ||
	    member_text(object, "filename", MANIFEST_FILENAME_MAX, &a.name, e) < 0 ||
	    member_text(object, "user_key", DOCUMENT_KEY_MAX, &a.key, e) < 0 ||
	    member_hash(object, "hash", a.hash, e) < 0 ||
	    add_member(item, is_algorithm ? "algo_provider" : "dataset_provider", a.owner, e) < 0)
		return err_code(e);
	return add_asset(item, &a, e);
}

static int read_consumers(struct document_item *item, const struct json *flat, struct err *e)
{
	const struct json *list;
	const char *user;

	if (member_list(flat, "result_consumers", DOCUMENT_MEMBERS_MAX, &list, e) < 0)
		return err_code(e);
	item->names_consumers = list != NULL;
	for (size_t i = 0; i < member_count(list); i++)
		if (take_person(&list->items[i], "result_consumers", &user, e) < 0 ||
		    add_member(item, DOCUMENT_CONSUMER, user, e) < 0)
			return err_code(e);
	return 0;
}

static int read_flat(struct document_item *item, const struct json *flat, struct err *e)
{
	const struct json *datasets, *algorithm = member_given(flat, "algorithm");
	const char *owner, *backend;

	if (member_text(flat, "owner", DOCUMENT_WORD_MAX, &owner, e) < 0 ||
	    member_text(flat, "backend_id", DOCUMENT_WORD_MAX, &backend, e) < 0 ||
	    add_member(item, ACTION_OWNER, owner, e) < 0 || read_consumers(item, flat, e) < 0 ||
	    member_list(flat, "datasets", MANIFEST_DATASETS_MAX, &datasets, e) < 0)
		return err_code(e);
	if (*backend)
		notice(item, "backend_id is passed over: 'computation run' says which CVM");
	if (algorithm && read_provided(item, algorithm, true, e) < 0)
		return err_wrap(e, "algorithm");
	for (size_t i = 0; i < member_count(datasets); i++)
		if (read_provided(item, &datasets->items[i], false, e) < 0)
			return err_wrap(e, "datasets[%zu]", i);
	return 0;
}

/* ---- a computation ---- */

static int read_config(struct document_item *item, const struct json *core, struct err *e)
{
	const struct json *c = member_given(core, "agent_config"), *attested;
	const char *keys[] = { "server_key", "key_file" };
	const struct {
		const char *key;
		char **text;
	} texts[] = { { "port", &item->config.port },
		      { "log_level", &item->config.log_level },
		      { "cert_file", &item->config.cert_file },
		      { "server_ca_file", &item->config.server_ca_file },
		      { "client_ca_file", &item->config.client_ca_file } };
	const char *text;

	cvms__agent_config__init(&item->config);
	if (!c)
		return 0;
	if (member_only(c, config_keys, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (member_text(c, keys[i], DOCUMENT_MAX, &text, e) < 0)
			return err_code(e);
		if (*text)
			return err_set(
				e, ERR_INVALID,
				"%s: private keys are in no export, and never go to the "
				"service by one: 'cocos-cli computation import' takes them out",
				keys[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (member_text(c, texts[i].key, DOCUMENT_MAX, &text, e) < 0)
			return err_code(e);
		if (strstr(text, "PRIVATE KEY"))
			return err_set(e, ERR_INVALID, "%s: holds a private key", texts[i].key);
		*texts[i].text = (char *)(uintptr_t)text;
	}
	attested = member_given(c, "attested_tls");
	if (attested && attested->type != JSON_BOOL)
		return member_refuse("attested_tls", attested, "true or false", e);
	item->config.attested_tls = attested && attested->boolean;
	return 0;
}

static int read_core(struct document_item *item, const struct json *core, struct err *e)
{
	if (member_text(core, "id", MANIFEST_ID_MAX, &item->id, e) < 0 ||
	    member_text(core, "name", MANIFEST_NAME_MAX, &item->name, e) < 0 ||
	    member_text(core, "description", MANIFEST_DESCRIPTION_MAX, &item->description, e) < 0 ||
	    member_time(core, "start_time", &item->started, e) < 0 ||
	    member_time(core, "end_time", &item->ended, e) < 0 ||
	    member_time(core, "created_at", &item->created, e) < 0)
		return err_code(e);
	if (!*item->name)
		return err_set(e, ERR_INVALID, "name: missing");
	if (read_config(item, core, e) < 0)
		return err_wrap(e, "agent_config");
	return 0;
}

static int read_item(struct document_item *item, const struct json *object, struct err *e)
{
	const struct json *core = json_get(object, "computation");
	const bool flat = !core;

	if (member_only(object, flat ? flat_keys : item_keys, e) < 0)
		return err_code(e);
	item->assets = calloc(DOCUMENT_ASSETS_MAX, sizeof(*item->assets));
	item->roles = calloc(DOCUMENT_ROLES_MAX, sizeof(*item->roles));
	item->members = calloc(DOCUMENT_MEMBERS_MAX, sizeof(*item->members));
	if (!item->assets || !item->roles || !item->members)
		return err_nomem(e);
	if (!flat && member_only(core, core_keys, e) < 0)
		return err_wrap(e, "computation");
	if (read_core(item, flat ? object : core, e) < 0)
		return flat ? err_code(e) : err_wrap(e, "computation");
	if (member_text(object, "manifest", DOCUMENT_MAX, &item->manifest, e) < 0 ||
	    read_roles(item, object, e) < 0 || (flat && read_flat(item, object, e) < 0))
		return err_code(e);
	return read_assets(item, object, e);
}

static int read_items(struct document *d, struct err *e)
{
	const bool one = d->root->type == JSON_OBJECT;
	const size_t count = one ? 1 : d->root->count;

	if (!one && d->root->type != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "%s, not a list of computations",
			       json_type_name(d->root->type));
	if (!count || count > DOCUMENT_ITEMS_MAX)
		return err_set(e, ERR_INVALID, "%zu computations: a document has 1 to %d", count,
			       DOCUMENT_ITEMS_MAX);
	d->items = calloc(count, sizeof(*d->items));
	if (!d->items)
		return err_nomem(e);
	for (; d->count < count; d->count++) {
		struct document_item *item = &d->items[d->count];

		if (read_item(item, one ? d->root : &d->root->items[d->count], e) < 0) {
			d->count++; /* to be freed */
			return one ? err_code(e) : err_wrap(e, "[%zu]", d->count - 1);
		}
	}
	return 0;
}

int document_read(const void *bytes, size_t len, struct document **document, struct err *e)
{
	CLEANUP(document_free) struct document *d = calloc(1, sizeof(*d));

	if (!d)
		return err_nomem(e);
	if (len > DOCUMENT_MAX)
		return err_set(e, ERR_INVALID, "document: %zu bytes, more than %d", len,
			       DOCUMENT_MAX);
	if (json_parse(bytes, len, &d->root, e) < 0 || read_items(d, e) < 0)
		return err_wrap(e, "document");
	*document = TAKE_PTR(d);
	return 0;
}

void document_free(struct document *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->count; i++) {
		free(d->items[i].assets);
		free(d->items[i].roles);
		free(d->items[i].members);
	}
	free(d->items);
	json_free(d->root);
	free(d);
}
