/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form by which a computation is made on the page. Input: the form's body.
 *
 * What is taken is JSON that says what the form says, member by member, and no more; who is named in it gets his role
 * once; a private key stands nowhere but in its own place. Of keys and digests by name there is any, so that a manifest
 * is read of it, too.
 */
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/http/form.h"
#include "common/manifest/manifest_names.h"
#include "computations/web/web_new.h"
#include "computations/web/web_security.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The request: none of http_server.h's, which has a connection. */
static struct {
	const uint8_t *body;
	size_t len;
} asked;

const uint8_t *__wrap_http_request_body(const struct http_request *r, size_t *len);
const uint8_t *__wrap_http_request_body(const struct http_request *r, size_t *len)
{
	*len = asked.len;
	return asked.body;
}

static int key(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e)
{
	assert(strlen(user) <= PEOPLE_NAME_MAX);
	*len = 44;
	*spki = calloc(1, *len);
	return *spki ? 0 : err_nomem(e);
}

static int asset_digest(void *data, const char *asset, const char *type,
			uint8_t out[MANIFEST_HASH_LEN], struct err *e)
{
	memset(out, 7, MANIFEST_HASH_LEN);
	return 0;
}

/* ---- what must hold ---- */

static const char *text_in(const struct json *object, const char *name)
{
	const char *text;
	struct err e;

	assert(json_get_string(object, name, &text, &e) == 0);
	return text;
}

static void check_text(const struct json *object, const char *name, const char *said)
{
	assert(strcmp(text_in(object, name), said) == 0);
}

static void check_user(const struct json *object, const char *said)
{
	const char *user = manifest_name_behind(MANIFEST_USER_PREFIX, text_in(object, "user_key"));

	assert(user && (!said || strcmp(user, said) == 0) && strlen(user) <= PEOPLE_NAME_MAX);
}

static void check_hash(const struct json *object, const char *said)
{
	const char *hash = text_in(object, "hash");
	const char *name = manifest_name_behind(MANIFEST_ASSET_PREFIX, hash);

	assert(strcmp(name ? name : hash, said) == 0);
	assert(name || strlen(hash) == 2 * (size_t)MANIFEST_HASH_LEN);
}

static const char *of_row(const struct web_form *form, size_t row, const char *field)
{
	char name[WEB_NEW_FIELD_MAX];

	return web_form_text(form, web_new_row(name, row, field));
}

/* Rows of the form that say anything stand in it in their order. */
static void check_datasets(const struct json *root, const struct web_form *form)
{
	const struct json *all = json_get(root, "datasets");
	char name[WEB_NEW_FIELD_MAX];
	size_t count = 0;

	assert(all && all->type == JSON_ARRAY && all->count <= WEB_NEW_DATASETS);
	for (size_t i = 0; i < WEB_NEW_DATASETS; i++) {
		bool unpack = web_form_has(form, web_new_row(name, i, "unpack"));
		const struct json *one;

		if (!unpack && !*of_row(form, i, "name") && !*of_row(form, i, "file") &&
		    !*of_row(form, i, "user"))
			continue;
		assert(count < all->count);
		one = &all->items[count++];
		check_text(one, "filename", of_row(form, i, "name"));
		check_hash(one, of_row(form, i, "file"));
		check_user(one, of_row(form, i, "user"));
		assert(!json_get(one, "decompress") == !unpack);
	}
	assert(count == all->count);
}

static void check_security(const struct json *root, const struct web_form *form)
{
	static const char *const members[WEB_FILES] = { "cert_file", "key_file", "client_ca_file",
							"server_ca_file" };
	const struct json *config = json_get(root, "agent_config");
	const char *level = web_form_text(form, "level");
	size_t count = json_get(config, "attested_tls") ? 1 : 0;

	assert(config && config->type == JSON_OBJECT);
	for (int file = 0; file < WEB_FILES; file++) {
		const char *said = web_form_text(form, web_files[file]);

		assert(!json_get(config, members[file]) == !*said);
		if (!*said)
			continue;
		check_text(config, members[file], said);
		assert(file == FILE_KEY || !strstr(said, "PRIVATE KEY"));
		count++;
	}
	if (*level)
		check_text(config, "log_level", level);
	assert(config->count == count + (*level ? 1 : 0));
}

static void check_grants(const struct web_new *n)
{
	size_t named = 0;

	assert(n->grant_count <= WEB_NEW_GRANTS);
	for (size_t i = 0; i < n->grant_count; i++) {
		const struct web_new_grant *g = &n->grants[i];

		named += strcmp(g->role, "algo_provider") == 0;
		for (size_t k = 0; k < i; k++)
			assert(strcmp(g->role, n->grants[k].role) != 0 ||
			       strcmp(g->user, n->grants[k].user) != 0);
	}
	assert(named == (web_form_has(n->form, "roles") ? 1 : 0));
}

static void check_made(const struct web_new *n)
{
	const struct web_form *form = n->form;
	const struct json *algorithm, *consumers;
	CLEANUP(json_free) struct json *root = NULL;
	struct err e;

	assert(n->text == n->made && n->len <= WEB_MANIFEST_MAX);
	assert(json_parse(n->text, n->len, &root, &e) == 0 && root->count == 8);
	check_text(root, "id", web_form_text(form, "id"));
	check_text(root, "name", web_form_text(form, "name"));
	check_text(root, "description", web_form_text(form, "description"));
	algorithm = json_get(root, "algorithm");
	check_hash(algorithm, web_form_text(form, "algorithm"));
	check_user(algorithm, web_form_text(form, "provider"));
	check_text(algorithm, "algo_type", web_form_text(form, "type"));
	consumers = json_get(root, "result_consumers");
	assert(consumers && consumers->count && consumers->count <= WEB_NEW_CONSUMERS);
	for (size_t i = 0; i < consumers->count; i++) {
		check_user(&consumers->items[i], NULL);
		assert(strstr(web_form_text(form, "consumers"),
			      text_in(&consumers->items[i], "user_key") +
				      strlen(MANIFEST_USER_PREFIX)));
	}
	check_datasets(root, form);
	check_security(root, form);
	check_grants(n);
	assert(strcmp(n->workspace, web_form_text(form, "workspace")) == 0);
}

/* As it goes on: the manifest that it becomes has the form's words, too, or is refused in a sentence. */
static void check_manifest(const struct web_new *n)
{
	const struct manifest_names names = { key, asset_digest, NULL };
	CLEANUP(free) uint8_t *filled = NULL;
	Cvms__ComputationRunReq *m;
	struct err e;
	size_t len;

	if (manifest_names_fill(n->text, n->len, &names, &filled, &len, &e) < 0 ||
	    manifest_from_json(filled ? filled : n->text, filled ? len : n->len, &m, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return;
	}
	assert(strcmp(m->id, web_form_text(n->form, "id")) == 0);
	assert(strcmp(m->name, web_form_text(n->form, "name")) == 0);
	assert(m->n_datasets <= WEB_NEW_DATASETS && m->n_result_consumers <= WEB_NEW_CONSUMERS);
	manifest_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct web_form_names names = { web_new_needed, web_new_others, web_files };
	CLEANUP(web_form_free) struct web_form *form = NULL;
	static struct web_new n;
	struct err e;

	asked.body = bytes;
	asked.len = len;
	if (web_form_read_names(NULL, &names, &form, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return 0;
	}
	assert(len && len <= HTTP_FORM_MAX);
	memset(&n, 0, sizeof(n));
	n.form = form;
	if (web_new_read(&n, &e) < 0) {
		assert((e.code == ERR_INVALID || e.code == ERR_EXHAUSTED) && *e.text && !n.made);
		assert(!strchr(e.text, '\n'));
		return 0;
	}
	check_made(&n);
	check_manifest(&n);
	free(n.made);
	return 0;
}
