/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document_manifest.c — what an item's agent will be given. Its own manifest where it has one; else one that is
 * made of assets and roles, as JSON first, so that there is one reader of manifests.
 */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/protobuf/protobuf.h"
#include "computations/transfer/document.h"

#include <string.h>

/* ---- made of people and assets ---- */

static int find_key(const struct document_keys *keys, const char *user, const char **key,
		    struct err *e)
{
	struct err none = { .code = ERR_OK };

	*key = keys->key(keys->data, user, &none);
	if (*key || none.code == ERR_OK)
		return 0;
	*e = none;
	return err_code(e);
}

/* Of whom, twice. On the page a member is named beside it. */
#define NO_KEY                                                                                  \
	"no public key of %s is known: name a member who has registered one, or give one with " \
	"--key %s=FILE"

static int asset_key(const struct document_asset *a, const struct document_keys *keys,
		     const char **key, struct err *e)
{
	const char *kind = a->is_algorithm ? "algorithm" : "dataset";

	*key = *a->key ? a->key : NULL;
	if (!*key && *a->owner && find_key(keys, a->owner, key, e) < 0)
		return err_code(e);
	if (*key)
		return 0;
	const struct log_quoted name = log_quote(a->name);
	const char *called = *a->name ? name.text : "without a name";

	return *a->owner ? err_set(e, ERR_NOT_FOUND, "%s %s: " NO_KEY, kind, called,
				   log_quote(a->owner).text, a->owner)
			 : err_set(e, ERR_NOT_FOUND,
				   "%s %s: neither UserKey nor UserID says whose it is", kind,
				   called);
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static int put_asset(struct writer *w, const struct document_asset *a,
		     const struct document_keys *keys, struct err *e)
{
	const char *key;

	if (asset_key(a, keys, &key, e) < 0)
		return err_code(e);
	writer_text(w, "{");
	json_put_hex(w, "hash", a->hash, sizeof(a->hash));
	put_text(w, "user_key", key);
	if (!a->is_algorithm)
		put_text(w, "filename", a->name);
	writer_text(w, "}");
	return 0;
}

static int put_assets(struct writer *w, const struct document_item *item,
		      const struct document_keys *keys, struct err *e)
{
	size_t algorithms = 0, datasets = 0;

	for (size_t i = 0; i < item->asset_count; i++) {
		if (!item->assets[i].is_algorithm)
			continue;
		if (algorithms++)
			return err_set(e, ERR_INVALID, "more than one algorithm among the assets");
		json_put_key(w, "algorithm");
		if (put_asset(w, &item->assets[i], keys, e) < 0)
			return err_code(e);
	}
	if (!algorithms)
		return err_set(e, ERR_NOT_FOUND, "no algorithm among the assets");
	json_put_key(w, "datasets");
	writer_text(w, "[");
	for (size_t i = 0; i < item->asset_count; i++) {
		if (item->assets[i].is_algorithm)
			continue;
		writer_text(w, datasets++ ? "," : "");
		if (put_asset(w, &item->assets[i], keys, e) < 0)
			return err_code(e);
	}
	writer_text(w, "]");
	return 0;
}

static unsigned role_actions_of(const struct document_item *item, const char *name)
{
	const struct action_role *fixed = action_role_find(name);

	if (fixed)
		return fixed->actions;
	for (size_t i = 0; i < item->role_count; i++)
		if (strcmp(item->roles[i].name, name) == 0)
			return item->roles[i].actions;
	return 0;
}

static bool is_consumer(const struct document_item *item, const char *role)
{
	if (strcmp(role, DOCUMENT_CONSUMER) == 0)
		return true;
	return !item->names_consumers &&
	       role_actions_of(item, role) & ACTION_BIT(ACTION_RESULT_CONSUMER);
}

/* Who owns a computation may get results, and need not; who is named as a consumer is to get them. */
static int put_consumers(struct writer *w, const struct document_item *item,
			 const struct document_keys *keys, size_t *left_out, struct err *e)
{
	const char *known[DOCUMENT_MEMBERS_MAX], *key;
	size_t count = 0;

	json_put_key(w, "result_consumers");
	writer_text(w, "[");
	for (size_t i = 0; i < item->member_count; i++) {
		const struct document_member *m = &item->members[i];
		bool twice = false;

		if (!is_consumer(item, m->role))
			continue;
		if (find_key(keys, m->user, &key, e) < 0)
			return err_code(e);
		if (!key && strcmp(m->role, ACTION_OWNER) == 0) {
			(*left_out)++;
			continue;
		}
		if (!key)
			return err_set(e, ERR_NOT_FOUND, "role %s: " NO_KEY,
				       log_quote(m->role).text, log_quote(m->user).text, m->user);
		for (size_t k = 0; k < count; k++)
			twice = twice || strcmp(known[k], key) == 0;
		if (twice)
			continue;
		writer_text(w, count ? ",{" : "{");
		put_text(w, "user_key", key);
		writer_text(w, "}");
		known[count++] = key;
	}
	writer_text(w, "]");
	return 0;
}

static int make(const struct document_item *item, const struct document_keys *keys,
		Cvms__ComputationRunReq **manifest, size_t *left_out, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(MANIFEST_MAX);

	writer_text(&w, "{");
	put_text(&w, "id", item->id);
	put_text(&w, "name", item->name);
	put_text(&w, "description", item->description);
	if (put_assets(&w, item, keys, e) < 0 || put_consumers(&w, item, keys, left_out, e) < 0)
		return err_code(e);
	writer_text(&w, "}");
	if (writer_check(&w, "manifest", e) < 0)
		return err_code(e);
	return manifest_from_json(w.bytes, w.len, manifest, e);
}

/* ---- its own ---- */

static bool same_bytes(const ProtobufCBinaryData *a, const uint8_t *bytes, size_t len)
{
	return a->len == len && memcmp(a->data, bytes, len) == 0;
}

char *document_key_text(const ProtobufCBinaryData *spki)
{
	return base64_encode(spki->data, spki->len);
}

int document_asset_place(const Cvms__ComputationRunReq *m, const struct document_asset *a)
{
	if (a->is_algorithm)
		return m->algorithm && same_bytes(&m->algorithm->hash, a->hash, sizeof(a->hash))
			       ? 0
			       : -1;
	for (size_t i = 0; i < m->n_datasets; i++)
		if (same_bytes(&m->datasets[i]->hash, a->hash, sizeof(a->hash)) &&
		    strcmp(m->datasets[i]->filename, a->name) == 0)
			return (int)i + 1;
	return -1;
}

static int check_texts(const struct document_item *item, const Cvms__ComputationRunReq *m,
		       struct err *e)
{
	const struct {
		const char *what, *here, *there;
	} texts[] = { { "id", item->id, m->id },
		      { "name", item->name, m->name },
		      { "description", item->description, m->description } };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(texts[i].here, texts[i].there) != 0)
			return err_set(e, ERR_INVALID, "manifest: its %s is another: %s, not %s",
				       texts[i].what, log_quote(texts[i].there).text,
				       log_quote(texts[i].here).text);
	return 0;
}

/* What people read beside it must be what it says. */
static int check_assets(const struct document_item *item, const Cvms__ComputationRunReq *m,
			struct err *e)
{
	bool seen[DOCUMENT_ASSETS_MAX] = { false };

	for (size_t i = 0; i < item->asset_count; i++) {
		const struct document_asset *a = &item->assets[i];
		int place = document_asset_place(m, a);
		CLEANUP(free) char *key = NULL;

		if (place < 0 || seen[place])
			return err_set(e, ERR_INVALID,
				       "assets: %s %s is not in the manifest beside it, or twice",
				       a->is_algorithm ? "algorithm" : "dataset",
				       log_quote(a->name).text);
		seen[place] = true;
		if (!*a->key)
			continue;
		key = document_key_text(place ? &m->datasets[place - 1]->userkey
					      : &m->algorithm->userkey);
		if (!key)
			return err_nomem(e);
		if (strcmp(key, a->key) != 0)
			return err_set(e, ERR_INVALID,
				       "assets: UserKey of %s is not the manifest's",
				       log_quote(a->name).text);
	}
	return 0;
}

static int take(const struct document_item *item, Cvms__ComputationRunReq **manifest, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) char *canonical = NULL;
	size_t len;

	if (manifest_from_json(item->manifest, strlen(item->manifest), &m, e) < 0 ||
	    manifest_canonical(m, &canonical, &len, e) < 0)
		return err_code(e);
	if (strcmp(canonical, item->manifest) != 0)
		return err_set(e, ERR_INVALID,
			       "manifest: not in canonical form, which its digest is of");
	if (check_texts(item, m, e) < 0 || check_assets(item, m, e) < 0)
		return err_code(e);
	*manifest = TAKE_PTR(m);
	return 0;
}

/* Nothing said is an agent's default. */
static int put_config(const Cvms__AgentConfig *config, Cvms__ComputationRunReq *m, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	ProtobufCMessage *copy;
	size_t len;

	if (protobuf_pack(&config->base, &bytes, &len, e) < 0)
		return err_code(e);
	if (!len)
		return 0;
	if (protobuf_unpack(&cvms__agent_config__descriptor, bytes, len, &copy, e) < 0)
		return err_code(e);
	m->agent_config = (Cvms__AgentConfig *)copy;
	return 0;
}

int document_manifest(const struct document_item *item, const struct document_keys *keys,
		      Cvms__ComputationRunReq **manifest, size_t *left_out, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	int failed;

	*left_out = 0;
	failed = *item->manifest ? take(item, &m, e) : make(item, keys, &m, left_out, e);
	if (failed || put_config(&item->config, m, e) < 0)
		return err_code(e);
	*manifest = TAKE_PTR(m);
	return 0;
}
