/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/asset.h"

#include "common/base/log.h"
#include "common/base/utf8.h"
#include "computations/list/list_rows.h"
#include "computations/people/creator.h"
#include "computations/people/workspace_member.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const types[ASSET_TYPES] = {
	[ASSET_ALGORITHM] = "algorithm", [ASSET_DATASET] = "dataset"
};

const char *asset_type_name(enum asset_type type)
{
	return types[type];
}

int asset_type_find(const char *name, enum asset_type *type, struct err *e)
{
	for (int i = 0; i < ASSET_TYPES; i++)
		if (strcmp(types[i], name) == 0) {
			*type = (enum asset_type)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "type %s: an asset is an algorithm or a dataset",
		       log_quote(name).text);
}

void asset_row_done(struct asset_row *a)
{
	free(a->workspace);
	free(a->name);
	free(a->mime);
	free(a->description);
	free(a->owner);
	*a = (struct asset_row){ .name = NULL };
}

/* ---- what may be said of one ---- */

/* RFC 6838, 4.2. */
static size_t token_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || (text[len] && strchr("!#$&-^_.+", text[len])))
		len++;
	return len;
}

static int check_mime(const char *mime, struct err *e)
{
	size_t type = token_len(mime), rest = 0;

	if (type && mime[type] == '/')
		rest = token_len(mime + type + 1);
	if (rest && !mime[type + 1 + rest] && type + 1 + rest <= ASSET_MIME_MAX)
		return 0;
	return err_set(e, ERR_INVALID,
		       "MIME type %s: TYPE/SUBTYPE without parameters, such as text/csv, at most "
		       "%d bytes",
		       log_quote(mime).text, ASSET_MIME_MAX);
}

static int check(const struct asset_row *a, struct err *e)
{
	size_t len = strlen(a->description);

	if (manifest_filename_check(a->name, e) < 0)
		return err_wrap(e, "an asset's name");
	if (check_mime(a->mime, e) < 0)
		return err_code(e);
	if (len <= ASSET_DESCRIPTION_MAX && utf8_valid(a->description, len) &&
	    !utf8_has_control(a->description, len))
		return 0;
	return err_set(e, ERR_INVALID,
		       "description: one line of UTF-8, at most %d bytes (it has %zu)",
		       ASSET_DESCRIPTION_MAX, len);
}

static int check_free(struct db *db, int64_t workspace, const char *name, struct err *e)
{
	int64_t known;

	if (db_number(db, &known, e, "SELECT count(*) FROM assets WHERE workspace = ? AND name = ?",
		      "it", workspace, name) < 0)
		return err_code(e);
	return known ? err_set(e, ERR_EXISTS,
			       "asset %s exists already in this workspace: give this one another "
			       "name",
			       log_quote(name).text)
		     : 0;
}

static int read_room(struct db *db, int64_t workspace, int64_t person, struct creator_room *room,
		     struct err *e)
{
	if (db_number(db, &room->users, e,
		      "SELECT count(*) FROM workspace_members WHERE workspace = ?", "i",
		      workspace) < 0 ||
	    db_number(db, &room->own, e,
		      "SELECT count(*) FROM assets WHERE workspace = ? AND person = ?", "ii",
		      workspace, person) < 0)
		return err_code(e);
	return db_number(
		db, &room->used, e,
		"SELECT CAST(coalesce(sum(CASE WHEN registered < ?1 THEN registered ELSE ?1 END),"
		" 0) AS BIGINT) FROM (SELECT count(*) AS registered FROM assets a"
		" JOIN workspace_members w ON w.workspace = a.workspace AND w.person = a.person"
		" WHERE a.workspace = ?2 GROUP BY a.person) AS owners",
		"ii", creator_share(room->max, room->users), workspace);
}

/* Members share the room as users that of computations (creator.h): one alone keeps no other from it. Who administers the
 * workspace, or the service, has all of it. */
static int check_room(struct db *db, int64_t workspace, int64_t person, struct err *e)
{
	struct creator_room room = { .max = ASSETS_MAX };
	enum membership role;
	bool suspended;

	if (db_number(db, &room.all, e, "SELECT count(*) FROM assets WHERE workspace = ?", "i",
		      workspace) < 0 ||
	    workspace_member_in(db, workspace, person, &role, &suspended, e) < 0)
		return err_code(e);
	if (room.all >= room.max)
		return err_set(e, ERR_EXHAUSTED, "a workspace has at most %d assets: remove some",
			       ASSETS_MAX);
	if (role == MEMBERSHIP_NONE || role == MEMBERSHIP_ADMINISTRATOR)
		return 0;
	if (read_room(db, workspace, person, &room, e) < 0)
		return err_code(e);
	return creator_has_room(&room)
		       ? 0
		       : err_set(e, ERR_EXHAUSTED,
				 "%lld assets of this workspace are yours, and what room is left "
				 "is other members': remove some",
				 (long long)room.own);
}

int asset_add(struct db *db, int64_t workspace, int64_t person, const struct asset_row *a,
	      int64_t now, struct err *e)
{
	if (check(a, e) < 0 || check_free(db, workspace, a->name, e) < 0 ||
	    check_room(db, workspace, person, e) < 0)
		return err_code(e);
	/* A nullif() makes nobody of person 0. */
	return db_run(db, e,
		      "INSERT INTO assets (workspace, person, name, type, mime, description,"
		      " digest, created, changed) VALUES (?, nullif(?, 0), ?, ?, ?, ?, ?, ?, ?)",
		      "iititt"
		      "bii",
		      workspace, person, a->name, (int64_t)a->type, a->mime, a->description,
		      a->digest, sizeof(a->digest), now, now);
}

/* ---- those that there are ---- */

#define ASSET_COLUMNS                                                        \
	"a.number, coalesce(a.person, 0), s.name, a.name, a.mime,"           \
	" a.description, coalesce(u.name, ''), a.type, a.digest, a.created," \
	" a.changed"
#define ASSET_TABLES                                                 \
	" FROM assets a JOIN workspaces s ON s.number = a.workspace" \
	" LEFT JOIN users u ON u.number = a.person "

static int read_digest(struct db_rows *row, struct asset_row *a, struct err *e)
{
	const void *bytes;
	size_t len;

	if (db_blob(row, 8, sizeof(a->digest), &bytes, &len, e) < 0)
		return err_code(e);
	if (len != sizeof(a->digest))
		return err_set(e, ERR_DATA_LOSS, "database: an asset's digest of %zu bytes", len);
	memcpy(a->digest, bytes, sizeof(a->digest));
	return 0;
}

static int read_asset(struct db_rows *row, struct asset_row *a, struct err *e)
{
	struct asset_row got = { .name = NULL };
	int64_t type;

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 0, INT64_MAX, &got.person, e) < 0 ||
	    db_integer(row, 7, 0, ASSET_TYPES - 1, &type, e) < 0 ||
	    db_integer(row, 9, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 10, 0, INT64_MAX, &got.changed, e) < 0 ||
	    read_digest(row, &got, e) < 0 || db_text(row, 2, &got.workspace, e) < 0 ||
	    db_text(row, 3, &got.name, e) < 0 || db_text(row, 4, &got.mime, e) < 0 ||
	    db_text(row, 5, &got.description, e) < 0 || db_text(row, 6, &got.owner, e) < 0) {
		asset_row_done(&got);
		return err_code(e);
	}
	got.type = (enum asset_type)type;
	*a = got;
	return 0;
}

int asset_find(struct db *db, int64_t workspace, const char *name, struct asset_row *a,
	       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT " ASSET_COLUMNS ASSET_TABLES "WHERE a.workspace = ? AND a.name = ?",
		     "it", workspace, name) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "no asset %s in this workspace",
			       log_quote(name).text);
	return row < 0 ? row : read_asset(rows, a, e);
}

DEFINE_LIST_ROW(asset_rows, struct asset_row, 11, read_asset, asset_row_done, NULL);

int asset_list(struct db *db, int64_t workspace, const char *after, size_t max,
	       struct asset_row *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e,
		     "SELECT " ASSET_COLUMNS ASSET_TABLES
		     "WHERE a.workspace = ? AND a.name > ? ORDER BY a.name LIMIT ?",
		     "iti", workspace, after, (int64_t)max) < 0)
		return err_code(e);
	return list_rows(&asset_rows, found, max, rows, count, NULL, e);
}

#define FOUND                                                                           \
	ASSET_TABLES                                                                    \
	"WHERE a.workspace = ?2 AND (" LIST_HOLDS("a.name", "?3") " OR " LIST_HOLDS(    \
		"a.description",                                                        \
		"?3") " OR " LIST_HOLDS("a.mime",                                       \
					"?3") " OR " LIST_HOLDS("coalesce(u.name, '')", \
								"?3") " OR a.digest = ?4)"
#define ORDER(order, column) \
	{ order, LIST_STATEMENTS(ASSET_COLUMNS, FOUND, column, "a.number", "?5", "?6"), NULL }

static const struct list_order_row orders[] = {
	ORDER(LIST_BY_NAME, LIST_NAME("a.name")),
	ORDER(LIST_BY_TYPE, "a.type"),
	ORDER(LIST_BY_CREATED, "a.created"),
	ORDER(LIST_BY_CHANGED, "a.changed"),
};
const struct list_kind asset_orders = {
	"assets", orders, ARRAY_LEN(orders), { LIST_BY_NAME, true }
};

int asset_search(struct db *db, int64_t workspace, int64_t person, const struct list_search *search,
		 size_t max, struct asset_row *rows, size_t *count, char **next, struct err *e)
{
	const int64_t scope[] = { workspace, person };
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct list_look l CLEANUP_LIST_LOOK = { .pattern = NULL };

	if (list_look_begin(&asset_orders, search, scope, ARRAY_LEN(scope), &l, e) < 0 ||
	    LIST_ASK(db, &found, &l, max, e, "itb", workspace, l.pattern, l.digest, l.digest_len) <
		    0)
		return err_code(e);
	return list_page(&asset_rows, &l, found, max, rows, count, next, e);
}

int asset_change(struct db *db, int64_t workspace, const struct asset_row *now,
		 const struct asset_row *then, int64_t moment, struct err *e)
{
	if (check(then, e) < 0 ||
	    (strcmp(now->name, then->name) != 0 && check_free(db, workspace, then->name, e) < 0))
		return err_code(e);
	return db_run(db, e,
		      "UPDATE assets SET name = ?, mime = ?, description = ?, changed = ?"
		      " WHERE number = ?",
		      "tttii", then->name, then->mime, then->description, moment, now->number);
}

int asset_remove(struct db *db, const struct asset_row *a, struct err *e)
{
	int64_t linked;

	if (db_number(db, &linked, e, "SELECT count(*) FROM asset_links WHERE asset = ?", "i",
		      a->number) < 0)
		return err_code(e);
	/* How many they are is not for who may not see them. */
	if (linked)
		return err_set(e, ERR_PRECONDITION,
			       "asset %s is linked: a computation's manifest names it, and has to "
			       "be removed first",
			       log_quote(a->name).text);
	return db_run(db, e, "DELETE FROM assets WHERE number = ?", "i", a->number);
}

/* ---- links ---- */

/* The n-th digest that a manifest names; NULL: it has no more. */
static const ProtobufCBinaryData *nth_digest(const Cvms__ComputationRunReq *m, size_t n,
					     enum asset_type *type)
{
	*type = ASSET_ALGORITHM;
	if (m->algorithm && n-- == 0)
		return &m->algorithm->hash;
	*type = ASSET_DATASET;
	return n < m->n_datasets ? &m->datasets[n]->hash : NULL;
}

int asset_link_all(struct db *db, int64_t workspace, const Cvms__ComputationRunReq *manifest,
		   struct err *e)
{
	const ProtobufCBinaryData *digest;
	enum asset_type type;

	for (size_t n = 0; (digest = nth_digest(manifest, n, &type)) != NULL; n++)
		if (db_run(db, e,
			   "INSERT INTO asset_links (asset, computation) SELECT a.number, ?1"
			   " FROM assets a WHERE a.workspace = ?2 AND a.digest = ?3 AND a.type = ?4"
			   " ORDER BY a.number LIMIT ?5 ON CONFLICT DO NOTHING",
			   "tibii", manifest->id, workspace, digest->data, digest->len,
			   (int64_t)type, (int64_t)ASSET_LINKS_EACH) < 0)
			return err_code(e);
	return 0;
}

int asset_link(struct db *db, const struct asset_row *a, const Cvms__ComputationRunReq *manifest,
	       struct err *e)
{
	const ProtobufCBinaryData *digest;
	enum asset_type type;

	for (size_t n = 0; (digest = nth_digest(manifest, n, &type)) != NULL; n++)
		if (type == a->type && digest->len == sizeof(a->digest) &&
		    memcmp(digest->data, a->digest, digest->len) == 0)
			return db_run(db, e,
				      "INSERT INTO asset_links (asset, computation) VALUES (?, ?)"
				      " ON CONFLICT DO NOTHING",
				      "it", a->number, manifest->id);
	return err_set(e, ERR_PRECONDITION,
		       "the manifest of computation %s does not name asset %s: there is no %s with "
		       "its digest",
		       log_quote(manifest->id).text, log_quote(a->name).text, types[a->type]);
}

int asset_links(struct db *db, int64_t asset, int64_t person, char *ids[ASSET_LINKS_SHOWN],
		size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &rows, e,
		     "SELECT l.computation FROM asset_links l WHERE l.asset = ?1"
		     " AND (?2 = 0 OR l.computation IN (" WORKSPACE_SEEN_BY_2 "))"
		     " ORDER BY l.computation LIMIT ?3",
		     "iii", asset, person, (int64_t)ASSET_LINKS_SHOWN) < 0)
		return err_code(e);
	while (got < ASSET_LINKS_SHOWN && (row = db_next(rows, e)) > 0) {
		row = db_text(rows, 0, &ids[got], e);
		if (row < 0)
			break;
		got++;
	}
	if (row < 0) {
		while (got > 0)
			free(ids[--got]);
		return row;
	}
	*count = got;
	return 0;
}

int asset_forget(struct db *db, const char *computation, struct err *e)
{
	return db_run(db, e, "DELETE FROM asset_links WHERE computation = ?", "t", computation);
}
