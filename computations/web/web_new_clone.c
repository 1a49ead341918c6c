/* SPDX-License-Identifier: Apache-2.0 */
/* web_new_clone.c — what another computation has, as the fields of a form. */
#include "common/base/encode.h"
#include "common/manifest/agent_config.h"
#include "computations/store/store_name.h"
#include "computations/web/web_new.h"

#include <stdlib.h>
#include <string.h>

void web_prefill_free(void *data)
{
	struct web_prefill *p = data;

	for (size_t i = 0; i < p->count; i++)
		free(p->fields[i].text);
	web_new_places_done(&p->places);
	free(p);
}

static int set(struct web_prefill *p, const char *name, const char *text, struct err *e)
{
	if (p->count == WEB_NEW_FIELDS)
		return err_set(e, ERR_INTERNAL, "a form of more than %d fields", WEB_NEW_FIELDS);
	snprintf(p->fields[p->count].name, WEB_NEW_FIELD_MAX, "%s", name);
	p->fields[p->count].text = strdup(text);
	if (!p->fields[p->count].text)
		return err_nomem(e);
	p->count++;
	return 0;
}

static int set_row(struct web_prefill *p, size_t row, const char *field, const char *text,
		   struct err *e)
{
	char name[WEB_NEW_FIELD_MAX];

	return set(p, web_new_row(name, row, field), text, e);
}

static int set_user(struct web_prefill *p, const char *name, const struct store_key_owners *owners,
		    const ProtobufCBinaryData *key, struct err *e)
{
	const struct user_key_owner *owner = store_key_owner_of(owners, key);

	return set(p, name, owner ? owner->user : "", e);
}

static const char *hex_of(const ProtobufCBinaryData *hash, char hex[2 * MANIFEST_HASH_LEN + 1])
{
	*hex = 0;
	if (hash->len == MANIFEST_HASH_LEN)
		hex_encode(hash->data, hash->len, hex);
	return hex;
}

/* As web_new_read() takes it apart. */
static void put_word(struct writer *w, const char *word)
{
	const bool is_quoted = !*word || strpbrk(word, " \"");

	writer_text(w, is_quoted ? "\"" : "");
	for (const char *c = word; *c; c++) {
		if (is_quoted && (*c == '"' || *c == '\\'))
			writer_u8(w, '\\');
		writer_u8(w, (uint8_t)*c);
		w->bad = w->bad || (unsigned char)*c < ' '; /* a browser's field has one line */
	}
	writer_text(w, is_quoted ? "\"" : "");
}

static int join(struct web_prefill *p, const char *name, const char *const *words, size_t count,
		struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_FORM_MAX);

	for (size_t i = 0; i < count; i++) {
		writer_text(&w, i ? " " : "");
		put_word(&w, words[i]);
	}
	writer_u8(&w, 0);
	if (w.bad)
		return err_set(e, ERR_PRECONDITION,
			       "its %s are more than this form has room for: export it, and import "
			       "it with --new-ids",
			       name);
	return set(p, name, (const char *)w.bytes, e);
}

static int clone_datasets(struct web_prefill *p, const Cvms__ComputationRunReq *m,
			  const struct store_key_owners *owners, struct err *e)
{
	char hex[2 * MANIFEST_HASH_LEN + 1], name[WEB_NEW_FIELD_MAX];

	if (m->n_datasets > WEB_NEW_DATASETS)
		return err_set(e, ERR_PRECONDITION,
			       "it has %zu datasets, and this form room for %d: export it, and "
			       "import it with --new-ids",
			       m->n_datasets, WEB_NEW_DATASETS);
	for (size_t i = 0; i < m->n_datasets; i++) {
		const Cvms__Dataset *d = m->datasets[i];

		if (set_row(p, i, "name", d->filename, e) < 0 ||
		    set_row(p, i, "file", hex_of(&d->hash, hex), e) < 0 ||
		    set_user(p, web_new_row(name, i, "user"), owners, &d->userkey, e) < 0 ||
		    (d->decompress && set_row(p, i, "unpack", "true", e) < 0))
			return err_code(e);
	}
	return 0;
}

/* All but its private key, and what is in files of the guest's. */
static int clone_security(struct web_prefill *p, const Cvms__AgentConfig *c, struct err *e)
{
	if (set(p, "security", web_mode_of(c)->word, e) < 0)
		return err_code(e);
	if (!c)
		return 0;
	for (int file = 0; file < WEB_FILES; file++) {
		const char *text = web_file_of(c, (enum web_file)file);

		/* Readers of a manifest are not given its key, which every certificate has. */
		p->is_missing[file] =
			file == FILE_KEY ? *c->cert_file != 0 : *text && agent_config_is_path(text);
		if (*text && !p->is_missing[file] && set(p, web_files[file], text, e) < 0)
			return err_code(e);
	}
	return set(p, "level", c->log_level, e);
}

/* The other one has its own: a clone begins with one that its workspace has free. */
static int put_name(struct store *store, struct web_prefill *p, const Cvms__ComputationRunReq *m,
		    struct err *e)
{
	CLEANUP(free) char *name = NULL;
	int64_t workspace;

	if (!p->is_clone)
		return set(p, "name", m->name, e);
	if (db_number(&store->db, &workspace, e,
		      "SELECT workspace FROM workspace_computations WHERE computation = ?", "t",
		      m->id) < 0 ||
	    store_name_free(&store->db, workspace, m->name, &name, e) < 0)
		return err_code(e);
	return set(p, "name", name, e);
}

static int clone_manifest(struct web_prefill *p, const Cvms__ComputationRunReq *m,
			  const struct store_key_owners *owners, struct err *e)
{
	char hex[2 * MANIFEST_HASH_LEN + 1];
	const char *consumers[WEB_NEW_CONSUMERS];
	size_t count = 0;

	/* Not some of them: nobody would see who is missing. */
	if (m->n_result_consumers > WEB_NEW_CONSUMERS)
		return err_set(e, ERR_PRECONDITION,
			       "it has %zu result consumers, and this form room for %d: export it, "
			       "and import it with --new-ids",
			       m->n_result_consumers, WEB_NEW_CONSUMERS);
	for (size_t i = 0; i < m->n_result_consumers; i++) {
		const struct user_key_owner *o =
			store_key_owner_of(owners, &m->result_consumers[i]->userkey);

		if (o)
			consumers[count++] = o->user;
		else
			p->left_out++;
	}
	if (set(p, "description", m->description, e) < 0 ||
	    join(p, "consumers", consumers, count, e) < 0 || clone_datasets(p, m, owners, e) < 0)
		return err_code(e);
	if (clone_security(p, m->agent_config, e) < 0)
		return err_code(e);
	if (!m->algorithm)
		return 0;
	if (set(p, "type", m->algorithm->algo_type, e) < 0 ||
	    set(p, "algorithm", hex_of(&m->algorithm->hash, hex), e) < 0 ||
	    set_user(p, "provider", owners, &m->algorithm->userkey, e) < 0)
		return err_code(e);
	return join(p, "arguments", (const char *const *)m->algorithm->algo_args,
		    m->algorithm->n_algo_args, e);
}

/* Whether what stands in the form for each key is going to be that key again. */
static int check_keys(struct store *store, const Cvms__ComputationRunReq *m,
		      const struct store_key_owners *owners, struct err *e)
{
	const ProtobufCBinaryData *key;

	for (size_t n = 0; (key = manifest_key_at(m, n)) != NULL; n++) {
		const struct user_key_owner *owner = store_key_owner_of(owners, key);
		struct user_key k CLEANUP_USER_KEY = { .user = NULL };
		int failed = owner ? user_key_find(&store->db, owner->user, m->id, &k, e) : 0;

		if (failed && !err_is(failed, ERR_NOT_FOUND))
			return failed;
		if (!owner || failed || k.len != key->len || memcmp(k.spki, key->data, k.len) != 0)
			return err_set(
				e, ERR_PRECONDITION,
				"its manifest names keys that are not those that their users have now: "
				"have another one put in its place with 'cocos-cli computation update'");
	}
	return 0;
}

int web_prefill_from(struct store *store, struct web_work *work, const char *id,
		     struct web_prefill *p, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(store_key_owners_free) struct store_key_owners *owners = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (admin_access_check(store, &work->caller, DEED_SEE, id, e) < 0 ||
	    store_computation(store, id, &work->c, e) < 0 ||
	    store_manifest(store, id, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &m, e) < 0 || store_key_owners(store, m, &owners, e) < 0 ||
	    set(p, "workspace", work->c.workspace, e) < 0)
		return err_code(e);
	/* A clone says what it leaves out; what is edited would lose it. */
	if (!p->is_clone && !web_new_has_room(m))
		return err_set(
			e, ERR_PRECONDITION,
			"its manifest says more than this form has room for: have another one put in "
			"its place with 'cocos-cli computation update'");
	if (!p->is_clone && check_keys(store, m, owners, e) < 0)
		return err_code(e);
	return put_name(store, p, m, e) < 0 ? err_code(e) : clone_manifest(p, m, owners, e);
}
