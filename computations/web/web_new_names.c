/* SPDX-License-Identifier: Apache-2.0 */
/* web_new_names.c — the manifest of a form or a body: users and assets by name, and which computation it is of. */
#include "common/manifest/agent_config.h"
#include "common/manifest/manifest_names.h"
#include "computations/people/asset.h"
#include "computations/people/user_key.h"
#include "computations/web/web_new.h"

#include <stdlib.h>
#include <string.h>

struct looking {
	struct store *store;
	struct admin_caller *caller;
	const char *workspace;
	const char *id; /* "": of a new one, for which nobody has a key of its own */
};

/* As FindKey says it, or the one that he uses for this computation. */
static int find_key(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e)
{
	struct looking *l = data;
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

static int find_digest(void *data, const char *name, const char *type,
		       uint8_t digest[MANIFEST_HASH_LEN], struct err *e)
{
	struct looking *l = data;
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct asset_row a CLEANUP_ASSET_ROW = { .name = NULL };

	if (admin_access_workspace(l->store, l->caller, DEED_ASSETS, l->workspace, &w, e) < 0 ||
	    asset_find(&l->store->db, w.number, name, &a, e) < 0)
		return err_code(e);
	if (strcmp(asset_type_name(a.type), type) != 0)
		return err_set(e, ERR_INVALID, "asset %s is of type %s, and not a%s %s", a.name,
			       asset_type_name(a.type), *type == 'a' ? "n" : "", type);
	memcpy(digest, a.digest, MANIFEST_HASH_LEN);
	return 0;
}

/* Who knows the id of a form can have made one by it elsewhere. Where there is no place, Create says why. */
static int take_place(struct store *store, struct web_new *n, struct admin_caller *caller,
		      struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct err ignored;

	if (admin_access_workspace(store, caller, DEED_CREATE, n->workspace, &w, &ignored) < 0)
		return 0;
	n->place = strdup(w.name);
	return n->place ? 0 : err_nomem(e);
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

int web_new_find_place(struct store *store, struct web_new *n, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, n->id, &c, e) < 0)
		return err_code(e);
	n->place = strdup(c.workspace);
	return n->place ? 0 : err_nomem(e);
}

int web_new_make(struct store *store, struct web_new *n, struct admin_caller *caller, struct err *e)
{
	struct looking l = { store, caller, n->id ? n->place : n->workspace, n->id ? n->id : "" };
	const struct manifest_names names = { find_key, find_digest, &l };
	CLEANUP(free) uint8_t *filled = NULL;
	size_t len = n->len;
	int failed = manifest_names_fill(n->text, n->len, &names, &filled, &len, e);

	if (!failed)
		failed = manifest_from_json(filled ? filled : n->text, filled ? len : n->len,
					    &n->manifest, e);
	if (filled)
		explicit_bzero(filled, len);
	if (!failed && n->id)
		failed = take_id(n, e);
	/* As the agent will; and what parties are going to be shown. */
	if (!failed)
		failed = agent_config_check_shown(n->manifest->agent_config, NULL, e);
	if (failed)
		return failed;
	return n->form && !n->id ? take_place(store, n, caller, e) : 0;
}
