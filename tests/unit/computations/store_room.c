/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/computations/store_room.h"

#include "common/base/file.h"
#include "common/db/db_sqlite.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_form.h"
#include "computations/store/store_secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sqlite3.h>

struct store_limits store_room_limits = {
	.computations = 4, .cvms = 3, .records = 32, .record_bytes = 16 << 10, .audit_rows = 64
};

const char *store_room_database(void)
{
	return getenv("COCOS_TEST_POSTGRES");
}

void store_room_open(struct store_room *f)
{
	assert_ok(store_open(&f->store, f->dir, store_room_database(), &store_room_limits, &f->e),
		  f->e);
	assert_ok(store_secrets_open(&f->store, f->dir,
				     &(struct store_secrets_place){ .path = NULL }, &f->e),
		  f->e);
	/* Nothing here outlives a power cut, and thousands of commits would wait for a busy disk. */
	if (!store_room_database())
		assert_ok(db_script(&f->store.db, "PRAGMA synchronous=OFF", &f->e), f->e);
}

/* What undoes each upgrade of store_form.c: its number is that of the form which had not yet got this. A new form adds a
 * row here, and nothing in any test. */
static const char *const takes_away[STORE_FORM] = {
	[1] = "ALTER TABLE cvms DROP COLUMN verified; ALTER TABLE cvms DROP COLUMN verdict;"
	      "ALTER TABLE cvms DROP COLUMN judged;"
	      "ALTER TABLE computations DROP COLUMN unverified;",
	[2] = "ALTER TABLE cvms DROP COLUMN key;",
	[3] = "DROP TABLE entries; DROP TABLE signed_journals;",
	[4] = "ALTER TABLE signed_journals DROP COLUMN name;",
	[5] = "DROP TABLE witness_leaves; DROP TABLE witness_nodes;",
	[6] = "DROP TABLE witness_key;",
	[7] = "ALTER TABLE computations DROP COLUMN attempt;",
	[8] = "DROP TABLE role_members; DROP TABLE own_roles; DROP TABLE tokens; DROP TABLE users;",
	[9] = "DROP TABLE entry_links; DROP TABLE logins; DROP TABLE passwords;",
	[10] = "DROP TABLE asset_notes; DROP TABLE origins;",
	[11] = "DROP TABLE audit_rows; DROP TABLE audit_start;"
	       "ALTER TABLE users DROP COLUMN auditor;",
	[12] = "DROP TABLE key_challenges; DROP TABLE user_keys;",
	[13] = "DROP TABLE devices;",
	[14] = "DROP TABLE workspace_computations; DROP TABLE workspace_members;"
	       "DROP TABLE workspaces;",
	[15] = "DROP TABLE confirmations;"
	       "ALTER TABLE computations DROP COLUMN manifest_revision;",
	[16] = "DROP TABLE asset_links; DROP TABLE assets;",
	[17] = "DROP TABLE machines;",
	[18] = "DROP TABLE halves; DROP TABLE recovery_codes; DROP TABLE factors;",
	[19] = "DROP TABLE invitations;",
	[20] = "DROP TABLE usage_spans;",
	[21] = "DROP TABLE trips; DROP TABLE identities;",
	[22] = "DROP TABLE trips; CREATE TABLE trips (number {counted}, hash {bytes} NOT NULL UNIQUE,"
	       " browser {bytes} NOT NULL, provider TEXT NOT NULL, issuer TEXT NOT NULL,"
	       " subject TEXT NOT NULL, strong {integer} NOT NULL, ends {integer} NOT NULL);",
	[23] = "DROP TABLE passkey_answers; DROP TABLE passkeys_begun; DROP TABLE passkeys;"
	       "DROP TABLE passkey_handles;",
	[24] = "DROP INDEX machines_run; DROP INDEX machines_runs;"
	       "ALTER TABLE machines DROP COLUMN run; ALTER TABLE machines DROP COLUMN attempt;"
	       "ALTER TABLE machines DROP COLUMN unverified; ALTER TABLE machines DROP COLUMN keep;"
	       "ALTER TABLE machines DROP COLUMN results;",
	[25] = "DROP TABLE certificate_lists; DROP TABLE certificates;",
	[26] = "DROP TABLE evidence;",
	[27] = "DROP INDEX certificates_line; DROP INDEX certificates_tls_key;"
	       "ALTER TABLE certificates DROP COLUMN line; ALTER TABLE certificates DROP COLUMN renewal;"
	       "ALTER TABLE certificates DROP COLUMN tls_key;",
	[28] = "DROP TABLE usage_told; DROP TABLE webhook_deliveries; DROP TABLE webhooks;"
	       "ALTER TABLE computations DROP COLUMN told;",
	[29] = "DROP TABLE once_keys;",
	[30] = "DROP INDEX webhook_deliveries_waiting;"
	       "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (state, due);",
	[31] = "DROP TABLE usage_months; DROP INDEX usage_spans_since; DROP INDEX usage_spans_empty;",
	[32] = "DROP TABLE workflow_outputs; DROP TABLE workflow_keys; DROP TABLE workflow_nodes;"
	       "DROP TABLE workflows; DROP TABLE executors;",
	[33] = "DROP TABLE mails;",
	[34] = "DROP TABLE lease;",
	[35] = "DROP TABLE billing_told; DROP TABLE billing_places; DROP TABLE billing_accounts;",
	[36] = "ALTER TABLE lease DROP COLUMN address; ALTER TABLE lease DROP COLUMN secret;",
	[37] = "DROP TABLE secrets; DROP TABLE secrets_key;",
	[38] = "ALTER TABLE factors ADD COLUMN secret {bytes} NOT NULL DEFAULT '';"
	       "ALTER TABLE webhooks ADD COLUMN secret {bytes} NOT NULL DEFAULT '';"
	       "ALTER TABLE webhooks ADD COLUMN before {bytes} NOT NULL DEFAULT '';",
	[39] = "DROP INDEX computations_created; DROP INDEX computations_changed;"
	       "DROP INDEX computations_name; DROP INDEX computations_state;"
	       "ALTER TABLE computations DROP COLUMN changed;",
	[40] = "DROP INDEX assets_created; DROP INDEX assets_changed; DROP INDEX assets_name;"
	       "DROP INDEX assets_type; ALTER TABLE assets DROP COLUMN changed;"
	       "DROP INDEX workspace_members_joined; DROP INDEX workspace_members_changed;"
	       "DROP INDEX workspace_members_role;"
	       "ALTER TABLE workspace_members DROP COLUMN changed;",
	[41] = "ALTER TABLE mails ADD COLUMN text TEXT NOT NULL DEFAULT '';",
	[42] = "ALTER TABLE signed_journals DROP COLUMN cvm;"
	       "ALTER TABLE signed_journals DROP COLUMN attempt;",
	[43] = "ALTER TABLE cvms DROP COLUMN used;",
	[44] = "DROP INDEX workspace_computations_creator;"
	       "ALTER TABLE workspace_computations DROP COLUMN creator;",
	[45] = "DROP TABLE usage_traffic; ALTER TABLE signed_journals DROP COLUMN results;",
	[46] = "DROP INDEX computations_called;"
	       "DROP TABLE usage_kept; ALTER TABLE usage_traffic DROP COLUMN stored;",
	[47] = "DROP INDEX certificates_name; DROP INDEX certificates_until;"
	       "DROP INDEX user_keys_computation; DROP INDEX key_challenges_computation;"
	       "DROP INDEX key_challenges_ends; DROP INDEX halves_ends;"
	       "DROP INDEX passkeys_begun_ends; DROP INDEX logins_ends; DROP INDEX logins_seen;"
	       "DROP INDEX invitations_over; DROP INDEX mails_created; DROP INDEX cvms_key;"
	       "DROP INDEX machines_workspace; DROP INDEX workflows_over; DROP INDEX workflows_open;"
	       "DROP INDEX assets_digest; CREATE INDEX assets_digest ON assets (workspace, digest);"
	       "CREATE INDEX workflows_ended ON workflows (state, ended);",
};

void store_room_undo(struct store_room *f, int form)
{
	for (int i = STORE_FORM - 1; i >= form; i--)
		assert_ok(db_script(&f->store.db, takes_away[i], &f->e), f->e);
	assert_ok(db_form_set(&f->store.db, form, &f->e), f->e);
}

void store_room_age(struct store_room *f, int form)
{
	store_room_undo(f, form);
	store_close(&f->store);
	store_room_open(f);
}

int store_room_enter(void **state)
{
	struct store_room *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/cocos-test-store-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	store_room_open(f);
	*state = f;
	return 0;
}

int store_room_leave(void **state)
{
	struct store_room *f = *state;

	if (store_room_database())
		assert_ok(db_script(&f->store.db, "DROP SCHEMA " STORE_SCHEMA " CASCADE", &f->e),
			  f->e);
	store_close(&f->store);
	if (dir_remove(f->dir, &f->e) < 0)
		return -1;
	free(f);
	return 0;
}

int64_t store_room_workspace(struct store_room *f)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	assert_ok(workspace_first(&f->store.db, &w, &f->e), f->e);
	return w.number;
}

void store_room_user(struct store_room *f, const char *name)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	assert_ok(workspace_first(&f->store.db, &w, &f->e), f->e);
	assert_ok(workspace_member_new(&f->store.db, &w, name, false, 1000000, &f->e), f->e);
}

void store_room_create(struct store_room *f, const char *id)
{
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	CLEANUP(free) char *name = NULL;

	assert_ok(text_format(&name, &f->e, "name of %s", id), f->e);
	manifest.id = (char *)(uintptr_t)id;
	manifest.name = name;
	assert_ok(store_create(&f->store, store_room_workspace(f), &manifest, &f->e), f->e);
}

size_t store_room_lines(struct store_room *f, void (*work)(struct store_room *f))
{
	int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10), to = memfd_create("log", MFD_CLOEXEC);
	CLEANUP(free) char *text = NULL;
	size_t lines = 0, len = 0;
	char path[32];

	assert_true(kept >= 0 && to >= 0 && dup2(to, STDERR_FILENO) == STDERR_FILENO);
	work(f);
	dup2(kept, STDERR_FILENO);
	close(kept);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	assert_ok(file_read(path, 1 << 20, (uint8_t **)&text, &len, &f->e), f->e);
	close(to);
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

/* ---- what a look costs ---- */

enum { STATEMENTS_MAX = 64 };
struct statements {
	char *sql[STATEMENTS_MAX];
	size_t count;
};

static int note_statement(unsigned what, void *data, void *statement, void *text)
{
	struct statements *all = data;

	(void)what;
	(void)text;
	assert_true(all->count < STATEMENTS_MAX);
	all->sql[all->count++] = strdup(sqlite3_sql(statement));
	return 0;
}

static size_t steps_of(sqlite3 *sqlite, const char *sql, bool (*counts)(const char *step))
{
	CLEANUP(free) char *text = NULL;
	sqlite3_stmt *s = NULL;
	size_t found = 0;

	assert_true(asprintf(&text, "EXPLAIN QUERY PLAN %s", sql) > 0);
	assert_int_equal(sqlite3_prepare_v2(sqlite, text, -1, &s, NULL), SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW)
		found += counts((const char *)sqlite3_column_text(s, 3));
	sqlite3_finalize(s);
	return found;
}

size_t store_room_steps(struct store_room *f, void (*work)(struct store_room *f),
			bool (*counts)(const char *step))
{
	sqlite3 *sqlite = db_sqlite_of(&f->store.db);
	struct statements all = { .count = 0 };
	size_t found = 0;

	sqlite3_trace_v2(sqlite, SQLITE_TRACE_STMT, note_statement, &all);
	work(f);
	sqlite3_trace_v2(sqlite, 0, NULL, NULL);
	assert_true(all.count > 0);
	for (size_t i = 0; i < all.count; i++) {
		found += steps_of(sqlite, all.sql[i], counts);
		free(all.sql[i]);
	}
	return found;
}

bool store_room_is_in(const char *id, void *data)
{
	return data && strstr(data, id);
}

void store_room_arrive(struct store_room *f, const char *cvm, struct store_todo *todo)
{
	assert_ok(store_cvm_seen(&f->store, cvm, "peer", "", "unproven", store_room_is_in, NULL,
				 todo, &f->e),
		  f->e);
}

void store_room_arrive_idle(struct store_room *f, const char *cvm)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	store_room_arrive(f, cvm, &todo);
	assert_null(todo.computation_id);
}

void store_room_run_on(struct store_room *f, const char *id, const char *cvm)
{
	store_room_create(f, id);
	store_room_arrive_idle(f, cvm);
	assert_ok(store_assign(&f->store, id, cvm, false, &f->e), f->e);
}

void store_room_event(struct store_room *f, const char *cvm, const char *id, const char *type,
		      const char *status)
{
	struct record r = { .event = true,
			    .type = (char *)(uintptr_t)type,
			    .status = (char *)(uintptr_t)status,
			    .text = (char *)(uintptr_t)"{\"why\":\"x\"}" };

	assert_ok(store_event(&f->store, cvm, id, &r, &f->e), f->e);
}

int store_room_answer(struct store_room *f, const char *cvm, const char *id, const char *error)
{
	return store_run_answer(&f->store, cvm, id,
				&(struct run_answer){ .error = error, .notice = "development" },
				&f->e);
}

void store_room_check(struct store_room *f, const char *id, enum computation_state state,
		      bool finished)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	assert_ok(store_computation(&f->store, id, &c, &f->e), f->e);
	assert_string_equal(state_words(c.state), state_words(state));
	assert_int_equal(c.finished, finished);
	assert_int_equal(c.ended != 0, finished);
}
