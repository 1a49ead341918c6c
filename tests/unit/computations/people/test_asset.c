/* SPDX-License-Identifier: Apache-2.0 */
/* Assets of workspaces: what may be said of them, whose they are, which computations name them. */
#include "computations/people/asset.h"
#include "computations/people/user.h"
#include "computations/people/workspace_member.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1000000000)

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static char *lent(const char *text)
{
	return (char *)(uintptr_t)text;
}

static struct asset_row one(const char *name, enum asset_type type, uint8_t digest)
{
	return (struct asset_row){ .name = lent(name),
				   .mime = lent("text/csv"),
				   .description = lent("about it"),
				   .type = type,
				   .digest = { digest } };
}

static int add(struct store_room *f, const struct asset_row *a)
{
	return asset_add(db_of(f), store_room_workspace(f), 0, a, NOW, &f->e);
}

static void it_is_kept_as_it_was_given(void **state)
{
	struct store_room *f = *state;
	struct asset_row a = one("iris.csv", ASSET_DATASET, 7), got CLEANUP_ASSET_ROW = { 0 };
	struct user u CLEANUP_USER = { .name = NULL };

	store_room_user(f, "anna");
	assert_ok(user_find(db_of(f), "anna", &u, &f->e), f->e);
	assert_ok(asset_add(db_of(f), store_room_workspace(f), u.number, &a, NOW, &f->e), f->e);
	assert_ok(asset_find(db_of(f), store_room_workspace(f), "iris.csv", &got, &f->e), f->e);
	assert_string_equal(got.name, "iris.csv");
	assert_string_equal(got.workspace, "default");
	assert_string_equal(got.owner, "anna");
	assert_string_equal(got.mime, "text/csv");
	assert_string_equal(got.description, "about it");
	assert_int_equal(got.type, ASSET_DATASET);
	assert_int_equal(got.person, u.number);
	assert_int_equal(got.created, NOW);
	assert_memory_equal(got.digest, a.digest, sizeof(a.digest));
	/* Its owner goes, and it stays, nobody's. */
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	asset_row_done(&got);
	assert_ok(asset_find(db_of(f), store_room_workspace(f), "iris.csv", &got, &f->e), f->e);
	assert_string_equal(got.owner, "");
	assert_int_equal(got.person, 0);
}

static void names_are_one_s_in_a_workspace(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct asset_row a = one("a", ASSET_DATASET, 1), b = one("b", ASSET_DATASET, 1),
			 got = { 0 };
	struct store_room *f = *state;

	assert_ok(add(f, &a), f->e);
	assert_refused(add(f, &a), f->e, ERR_EXISTS, "another name");
	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &w, &f->e), f->e);
	assert_ok(asset_add(db_of(f), w.number, 0, &a, NOW, &f->e), f->e);
	assert_ok(asset_add(db_of(f), w.number, 0, &b, NOW, &f->e), f->e);
	assert_refused(asset_find(db_of(f), store_room_workspace(f), "b", &got, &f->e), f->e,
		       ERR_NOT_FOUND, "no asset 'b'");
	assert_ok(asset_find(db_of(f), w.number, "b", &got, &f->e), f->e);
	assert_refused(asset_change(db_of(f), w.number, &got, &a, 2000, &f->e), f->e, ERR_EXISTS,
		       "'a'");
	a = got, a.name = lent("c"), a.mime = lent("text/plain"), a.description = lent("");
	assert_ok(asset_change(db_of(f), w.number, &got, &a, 2000, &f->e), f->e);
	asset_row_done(&got);
	assert_ok(asset_find(db_of(f), w.number, "c", &got, &f->e), f->e);
	assert_string_equal(got.mime, "text/plain");
	assert_string_equal(got.description, "");
	asset_row_done(&got);
}

static void what_is_said_of_it_has_limits(void **state)
{
	static const char *const mimes[] = { "",         "text",         "text/",        "/csv",
					     "a/b/c",    "a b/c",        "text/csv;q=1", "<b>/x",
					     "te\nxt/x", "text/\xc3\xa4" };
	static const char *const names[] = { "", ".", "..", "a/b", "a\nb", "\xff" };
	char longest[ASSET_DESCRIPTION_MAX + 2], mime[ASSET_MIME_MAX + 2];
	struct asset_row a = one("a", ASSET_ALGORITHM, 1);
	struct store_room *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(mimes); i++) {
		a.mime = lent(mimes[i]);
		assert_refused(add(f, &a), f->e, ERR_INVALID, "MIME type");
	}
	memset(mime, 'a', sizeof(mime));
	mime[3] = '/', mime[ASSET_MIME_MAX + 1] = 0;
	a.mime = mime;
	assert_refused(add(f, &a), f->e, ERR_INVALID, "at most 127 bytes");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		a = one(names[i], ASSET_ALGORITHM, 1);
		assert_refused(add(f, &a), f->e, ERR_INVALID, "an asset's name");
	}
	a = one("a", ASSET_ALGORITHM, 1);
	memset(longest, 'd', sizeof(longest));
	longest[ASSET_DESCRIPTION_MAX + 1] = 0;
	a.description = longest;
	assert_refused(add(f, &a), f->e, ERR_INVALID, "at most 4096 bytes");
	a.description = lent("two\nlines");
	assert_refused(add(f, &a), f->e, ERR_INVALID, "one line");
	a.description = lent("\xc3");
	assert_refused(add(f, &a), f->e, ERR_INVALID, "UTF-8");
	a.description = longest + 1;
	mime[ASSET_MIME_MAX] = 0;
	a.mime = mime;
	assert_ok(add(f, &a), f->e);
}

static void a_workspace_has_so_many(void **state)
{
	struct asset_row a = one("a", ASSET_ALGORITHM, 1), rows[3] = { { 0 } };
	struct store_room *f = *state;
	size_t count;

	for (size_t i = 0; i < 3; i++) {
		const char *const names[] = { "c", "b", "a" };

		a.name = lent(names[i]);
		assert_ok(add(f, &a), f->e);
	}
	assert_ok(asset_list(db_of(f), store_room_workspace(f), "", 2, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[1].name, "b");
	assert_ok(asset_list(db_of(f), store_room_workspace(f), "b", 2, rows + 2, &count, &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_string_equal(rows[2].name, "c");
	for (size_t i = 0; i < 3; i++)
		asset_row_done(&rows[i]);
	assert_ok(db_script(db_of(f),
			    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
			    " WHERE i < 9996) INSERT INTO assets (workspace, name, type, mime,"
			    " description, digest, created) SELECT a.workspace, 'x' || n.i, a.type,"
			    " a.mime, '', a.digest, 1 FROM n, assets a WHERE a.name = 'a'",
			    &f->e),
		  f->e);
	a.name = lent("last");
	assert_ok(add(f, &a), f->e);
	a.name = lent("too many");
	assert_refused(add(f, &a), f->e, ERR_EXHAUSTED, "at most 10000");
}

static Cvms__ComputationRunReq *manifest_of(const char *id, uint8_t algorithm, uint8_t dataset)
{
	static Cvms__ComputationRunReq m;
	static Cvms__Algorithm a;
	static Cvms__Dataset d[2];
	static Cvms__Dataset *rows[2] = { &d[0], &d[1] };
	static uint8_t digests[2][MANIFEST_HASH_LEN];

	cvms__computation_run_req__init(&m);
	cvms__algorithm__init(&a);
	digests[0][0] = algorithm, digests[1][0] = dataset;
	a.hash = (ProtobufCBinaryData){ MANIFEST_HASH_LEN, digests[0] };
	for (size_t i = 0; i < 2; i++) {
		cvms__dataset__init(&d[i]);
		d[i].hash = (ProtobufCBinaryData){ MANIFEST_HASH_LEN, digests[1] };
	}
	m.id = m.name = lent(id);
	m.algorithm = &a;
	m.datasets = rows;
	m.n_datasets = 2;
	return &m;
}

static size_t links_of(struct store_room *f, const char *name, int64_t person, char *first)
{
	char *ids[ASSET_LINKS_SHOWN];
	struct asset_row a CLEANUP_ASSET_ROW = { 0 };
	size_t count;

	assert_ok(asset_find(db_of(f), store_room_workspace(f), name, &a, &f->e), f->e);
	assert_ok(asset_links(db_of(f), a.number, person, ids, &count, &f->e), f->e);
	snprintf(first, 16, "%s", count ? ids[0] : "");
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	return count;
}

static void a_manifest_links_what_it_names(void **state)
{
	struct asset_row a = one("algorithm", ASSET_ALGORITHM, 1),
			 d = one("dataset", ASSET_DATASET, 2),
			 other = one("other", ASSET_DATASET, 1), got CLEANUP_ASSET_ROW = { 0 };
	struct store_room *f = *state;
	struct user u CLEANUP_USER = { .name = NULL };
	CLEANUP(free) char *holder = NULL;
	char first[16];

	assert_ok(add(f, &a), f->e);
	assert_ok(add(f, &d), f->e);
	assert_ok(add(f, &other), f->e);
	assert_ok(store_create(&f->store, store_room_workspace(f), manifest_of("one", 1, 2), &f->e),
		  f->e);
	assert_int_equal(links_of(f, "algorithm", 0, first), 1);
	assert_string_equal(first, "one");
	assert_int_equal(links_of(f, "dataset", 0, first), 1); /* named twice */
	assert_int_equal(links_of(f, "other", 0, first), 0);   /* an algorithm's digest */
	/* Those that somebody sees. */
	store_room_user(f, "anna");
	assert_ok(user_find(db_of(f), "anna", &u, &f->e), f->e);
	assert_int_equal(links_of(f, "dataset", u.number, first), 0);
	assert_ok(asset_find(db_of(f), store_room_workspace(f), "dataset", &got, &f->e), f->e);
	assert_refused(asset_remove(db_of(f), &got, &f->e), f->e, ERR_PRECONDITION, "is linked");
	assert_ok(store_remove(&f->store, "one", false, &holder, &f->e), f->e);
	assert_int_equal(links_of(f, "dataset", 0, first), 0);
	assert_ok(asset_remove(db_of(f), &got, &f->e), f->e);
	asset_row_done(&got);
	assert_refused(asset_find(db_of(f), store_room_workspace(f), "dataset", &got, &f->e), f->e,
		       ERR_NOT_FOUND, "no asset");
}

static void of_one_file_so_many_are_linked(void **state)
{
	struct asset_row got CLEANUP_ASSET_ROW = { 0 };
	struct store_room *f = *state;
	char name[16] = "", first[16];

	for (int i = 0; i <= ASSET_LINKS_EACH; i++) {
		struct asset_row a = one(name, ASSET_DATASET, 2);

		snprintf(name, sizeof(name), "d%d", i);
		assert_ok(add(f, &a), f->e);
	}
	assert_ok(store_create(&f->store, store_room_workspace(f), manifest_of("one", 1, 2), &f->e),
		  f->e);
	for (int i = 0; i < ASSET_LINKS_EACH; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(links_of(f, name, 0, first), 1);
	}
	snprintf(name, sizeof(name), "d%d", ASSET_LINKS_EACH);
	assert_int_equal(links_of(f, name, 0, first), 0);
	/* Whoever wants it has it by hand. */
	assert_ok(asset_find(db_of(f), store_room_workspace(f), name, &got, &f->e), f->e);
	assert_ok(asset_link(db_of(f), &got, manifest_of("one", 1, 2), &f->e), f->e);
	assert_int_equal(links_of(f, name, 0, first), 1);
}

static void what_was_there_before_is_linked_by_hand(void **state)
{
	struct asset_row a = one("a", ASSET_ALGORITHM, 1), got CLEANUP_ASSET_ROW = { 0 };
	struct store_room *f = *state;
	char first[16];

	assert_ok(store_create(&f->store, store_room_workspace(f), manifest_of("one", 1, 2), &f->e),
		  f->e);
	assert_ok(add(f, &a), f->e);
	assert_int_equal(links_of(f, "a", 0, first), 0);
	assert_ok(asset_find(db_of(f), store_room_workspace(f), "a", &got, &f->e), f->e);
	for (int i = 0; i < 2; i++)
		assert_ok(asset_link(db_of(f), &got, manifest_of("one", 1, 2), &f->e), f->e);
	assert_int_equal(links_of(f, "a", 0, first), 1);
	/* As a dataset it is none of theirs. */
	assert_refused(asset_link(db_of(f), &got, manifest_of("one", 3, 1), &f->e), f->e,
		       ERR_PRECONDITION, "does not name asset 'a'");
}

static void what_others_wrote_is_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE assets SET type = 2",
		"UPDATE assets SET created = -1",
		"UPDATE assets SET digest = substr(digest, 1, 31)",
	};
	struct asset_row a = one("a", ASSET_ALGORITHM, 1), got;
	struct store_room *f = *state;
	size_t count;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_ok(add(f, &a), f->e);
		assert_ok(db_script(db_of(f), wrong[i], &f->e), f->e);
		assert_refused(
			asset_list(db_of(f), store_room_workspace(f), "", 1, &got, &count, &f->e),
			f->e, ERR_DATA_LOSS, "database");
		assert_ok(db_script(db_of(f), "DELETE FROM assets", &f->e), f->e);
	}
}

static void an_older_database_gets_them(void **state)
{
	struct asset_row a = one("a", ASSET_ALGORITHM, 1);
	struct store_room *f = *state;

	store_room_age(f, 16);
	assert_ok(add(f, &a), f->e);
}

static void types_are_words(void **state)
{
	enum asset_type type;
	struct err e;

	for (int i = 0; i < ASSET_TYPES; i++) {
		assert_ok(asset_type_find(asset_type_name((enum asset_type)i), &type, &e), e);
		assert_int_equal(type, i);
	}
	assert_refused(asset_type_find("", &type, &e), e, ERR_INVALID, "algorithm or a dataset");
	assert_refused(asset_type_find("Dataset", &type, &e), e, ERR_INVALID, "'Dataset'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(it_is_kept_as_it_was_given),
		STORE_ROOM_ROW(names_are_one_s_in_a_workspace),
		STORE_ROOM_ROW(what_is_said_of_it_has_limits),
		STORE_ROOM_ROW(a_workspace_has_so_many),
		STORE_ROOM_ROW(a_manifest_links_what_it_names),
		STORE_ROOM_ROW(of_one_file_so_many_are_linked),
		STORE_ROOM_ROW(what_was_there_before_is_linked_by_hand),
		STORE_ROOM_ROW(what_others_wrote_is_refused),
		STORE_ROOM_ROW(an_older_database_gets_them),
		cmocka_unit_test(types_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
