/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_new_names.c — the manifest of a form or a body: users and assets by name, and which computation it is of.
 *
 * Which names there are, and what it becomes with what they stand for, is found out in the line (web_new_judge.c), of which the
 * database knows nothing; only what they stand for is asked for in a transaction, and asked again in the one that changes something.
 */
#include "common/base/log.h"
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest_names.h"
#include "computations/people/asset.h"
#include "computations/people/user_key.h"
#include "computations/web/web_new.h"

#include <stdlib.h>
#include <string.h>

struct web_new_name {
	char *name;       /* without its prefix */
	const char *type; /* of an asset, a constant; NULL: it is a user */
	uint8_t *bytes;   /* key or digest, once it was asked for */
	size_t len;
};

void web_new_names_done(struct web_new *n)
{
	while (n->name_count > 0) {
		struct web_new_name *one = &n->names[--n->name_count];

		free(one->name);
		free(one->bytes);
	}
	free(n->names);
	n->names = NULL;
}

/* ---- in the line: which names there are ---- */

static int note(struct web_new *n, const char *name, const char *type, struct err *e)
{
	if (!n->names)
		n->names = calloc(MANIFEST_NAMES_MAX, sizeof(*n->names));
	if (!n->names)
		return err_nomem(e);
	n->names[n->name_count] = (struct web_new_name){ .name = strdup(name), .type = type };
	return n->names[n->name_count++].name ? 0 : err_nomem(e);
}

/* What stands in a key's place meanwhile. */
static int note_user(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e)
{
	if (note(data, user, NULL, e) < 0)
		return err_code(e);
	*spki = calloc(1, 1);
	*len = 1;
	return *spki ? 0 : err_nomem(e);
}

static int note_asset(void *data, const char *name, const char *type,
		      uint8_t digest[MANIFEST_HASH_LEN], struct err *e)
{
	memset(digest, 0, MANIFEST_HASH_LEN);
	return note(data, name, type, e);
}

/* It may have the private key of its agent. */
static void wipe(uint8_t *filled, size_t len)
{
	if (filled)
		explicit_bzero(filled, len);
	free(filled);
}

int web_new_find_names(struct web_new *n, struct err *e)
{
	const struct manifest_names names = { note_user, note_asset, n };
	uint8_t *filled = NULL;
	size_t len = 0;
	int failed = manifest_names_fill(n->text, n->len, &names, &filled, &len, e);

	wipe(filled, len);
	return failed;
}

/* ---- in a transaction: what they stand for ---- */

struct looking {
	struct store *store;
	struct admin_caller *caller;
	const char *workspace;
	const char *id; /* "": of a new one, for which nobody has a key of its own */
};

/* As FindKey says it, or the one that he uses for this computation. */
static int find_key(const struct looking *l, const char *user, uint8_t **spki, size_t *len,
		    struct err *e)
{
	struct user_key k CLEANUP_USER_KEY = { .user = NULL };
	int failed = admin_access_name(l->store, l->caller, user, e);

	if (err_is(failed, ERR_NOT_FOUND))
		return user_key_none(user, e);
	if (failed || user_key_find(&l->store->db, user, l->id, &k, e) < 0)
		return err_code(e);
	*spki = malloc(k.len);
	if (!*spki)
		return err_nomem(e);
	memcpy(*spki, k.spki, k.len);
	*len = k.len;
	return 0;
}

static int find_digest(const struct looking *l, const char *name, const char *type,
		       uint8_t **digest, size_t *len, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct asset_row a CLEANUP_ASSET_ROW = { .name = NULL };

	if (admin_access_workspace(l->store, l->caller, DEED_ASSETS, l->workspace, &w, e) < 0 ||
	    asset_find(&l->store->db, w.number, name, &a, e) < 0)
		return err_code(e);
	if (strcmp(asset_type_name(a.type), type) != 0)
		return err_set(e, ERR_INVALID, "asset %s is of type %s, and not a%s %s", a.name,
			       asset_type_name(a.type), *type == 'a' ? "n" : "", type);
	*digest = malloc(MANIFEST_HASH_LEN);
	if (!*digest)
		return err_nomem(e);
	memcpy(*digest, a.digest, MANIFEST_HASH_LEN);
	*len = MANIFEST_HASH_LEN;
	return 0;
}

static int find(struct store *store, const struct web_new *n, struct admin_caller *caller,
		const struct web_new_name *one, uint8_t **bytes, size_t *len, struct err *e)
{
	const struct looking l = { store, caller, n->id ? n->place : n->workspace,
				   n->id ? n->id : "" };

	return one->type ? find_digest(&l, one->name, one->type, bytes, len, e)
			 : find_key(&l, one->name, bytes, len, e);
}

int web_new_look_up(struct store *store, struct web_new *n, struct admin_caller *caller,
		    struct err *e)
{
	for (size_t i = 0; i < n->name_count; i++) {
		struct web_new_name *one = &n->names[i];

		if (find(store, n, caller, one, &one->bytes, &one->len, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* Of the database's or this machine's faults the caller hears as ever. */
static bool is_gone(enum err_code code)
{
	return code == ERR_NOT_FOUND || code == ERR_INVALID || code == ERR_PRECONDITION;
}

int web_new_still(struct store *store, struct admin_caller *caller, const void *seen, struct err *e)
{
	const struct web_new *n = seen;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (n->id) {
		if (store_computation(store, n->id, &c, e) < 0)
			return err_code(e);
		if (!n->place || strcmp(c.workspace, n->place) != 0)
			return err_set(
				e, ERR_PRECONDITION,
				"it is in another workspace since this was sent: send it again");
	}
	for (size_t i = 0; i < n->name_count; i++) {
		const struct web_new_name *one = &n->names[i];
		CLEANUP(free) uint8_t *bytes = NULL;
		size_t len = 0;
		int failed = find(store, n, caller, one, &bytes, &len, e);

		if (failed && !is_gone(e->code))
			return failed;
		if (failed || len != one->len || memcmp(bytes, one->bytes, len) != 0)
			return err_set(e, ERR_PRECONDITION,
				       "%s %s has changed since this was sent: send it again",
				       one->type ? "asset" : "user", log_quote(one->name).text);
	}
	return 0;
}

/* Who knows the id of a form can have made one by it elsewhere. Where there is no place, Create says why. */
int web_new_take_place(struct store *store, struct web_new *n, struct admin_caller *caller,
		       struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct err ignored;

	if (admin_access_workspace(store, caller, DEED_CREATE, n->workspace, &w, &ignored) < 0)
		return 0;
	n->place = strdup(w.name);
	return n->place ? 0 : err_nomem(e);
}

int web_new_find_place(struct store *store, struct web_new *n, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, n->id, &c, e) < 0)
		return err_code(e);
	n->place = strdup(c.workspace);
	return n->place ? 0 : err_nomem(e);
}

/* ---- in the line: what it becomes ---- */

/* They are asked for in the order in which they were found. */
struct filling {
	const struct web_new *n;
	size_t at;
};

static const struct web_new_name *next_name(struct filling *f, const char *name, const char *type,
					    struct err *e)
{
	const struct web_new_name *one = &f->n->names[f->at];

	if (f->at < f->n->name_count && strcmp(one->name, name) == 0 && !one->type == !type &&
	    (!type || strcmp(one->type, type) == 0) && one->bytes) {
		f->at++;
		return one;
	}
	err_set(e, ERR_INTERNAL, "nobody has asked for %s", log_quote(name).text);
	return NULL;
}

static int known_key(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e)
{
	const struct web_new_name *one = next_name(data, user, NULL, e);

	if (!one)
		return err_code(e);
	*spki = malloc(one->len);
	if (!*spki)
		return err_nomem(e);
	memcpy(*spki, one->bytes, one->len);
	*len = one->len;
	return 0;
}

static int known_digest(void *data, const char *name, const char *type,
			uint8_t digest[MANIFEST_HASH_LEN], struct err *e)
{
	const struct web_new_name *one = next_name(data, name, type, e);

	if (!one)
		return err_code(e);
	memcpy(digest, one->bytes, MANIFEST_HASH_LEN);
	return 0;
}

/* A manifest may leave out the id of the computation that it is for. */
static int take_id(struct web_new *n, struct err *e)
{
	Cvms__ComputationRunReq *m = n->manifest;
	char *id;

	if (*m->id)
		return strcmp(m->id, n->id) == 0
			       ? 0
			       : err_set(e, ERR_INVALID,
					 "id: this manifest is of another computation: leave it out");
	id = strdup(n->id);
	if (!id)
		return err_nomem(e);
	if (m->id != protobuf_c_empty_string)
		free(m->id);
	m->id = id;
	return 0;
}

int web_new_make(struct web_new *n, struct err *e)
{
	struct filling f = { .n = n };
	const struct manifest_names names = { known_key, known_digest, &f };
	uint8_t *filled = NULL;
	size_t len = 0;
	int failed = manifest_names_fill(n->text, n->len, &names, &filled, &len, e);

	if (!failed)
		failed = manifest_from_json(filled ? filled : n->text, filled ? len : n->len,
					    &n->manifest, e);
	wipe(filled, len);
	if (!failed && n->id)
		failed = take_id(n, e);
	return failed;
}

int web_new_check(struct web_new *n, struct err *e)
{
	return agent_config_check_shown(n->manifest->agent_config, NULL, e);
}
