/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/manifest/agent_config.h"
#include "computations/people/asset.h"
#include "computations/people/role.h"
#include "computations/people/user_key.h"
#include "computations/people/workspace.h"
#include "computations/store/secret_row.h"
#include "computations/store/store_form.h"
#include "computations/store/store_place.h"
#include "computations/store/store_tell.h"
#include "computations/store/store_witness.h"
#include "computations/store/usage_turn.h"
#include "computations/transfer/note.h"

#include <string.h>
#include <time.h>

int64_t store_now(void)
{
	return clock_ms(CLOCK_REALTIME);
}

/* Whether the database may be touched, before its tables are; `seen` NULL: by one that is alone. */
static int check_lease(struct store *store, const struct store_lease_row *seen, struct err *e)
{
	if (seen)
		return store_lease_is_as(&store->db, seen, e);
	return store->database_lock >= 0 ? 0 : store_lease_none(&store->db, e);
}

static int take_lease(struct store *store, const struct store_lease_row *seen, struct err *e)
{
	if (seen)
		return store_lease_take(&store->db, store->lease, seen, e);
	return store->database_lock >= 0 ? 0 : store_lease_end_all(&store->db, &store->fence, e);
}

static int open_place(struct store *store, const char *dir, const char *database,
		      const struct store_lease_row *seen, struct err *e)
{
	struct store_place place;

	if (store_place_open(dir, database, store->lease ? store->lease->session : NULL, &place,
			     e) < 0)
		return err_code(e);
	store->db = place.db;
	store->lock = place.lock;
	store->database_lock = place.database_lock;
	int failed = check_lease(store, seen, e);
	if (!failed && db_forms_apply(&store->db, &store_forms, e) < 0)
		failed = err_wrap(e, "the database of '%s'", dir);
	if (!failed)
		failed = store_witness_open(store, dir, e);
	if (!failed)
		failed = take_lease(store, seen, e);
	if (failed) {
		EVP_PKEY_free(TAKE_PTR(store->log_key));
		store_place_close(&place);
	}
	return failed;
}

int store_open(struct store *store, const char *dir, const char *database,
	       const struct store_limits *limits, struct err *e)
{
	struct store opened = { .limits = *limits };

	if (open_place(&opened, dir, database, NULL, e) < 0)
		return err_code(e);
	*store = opened;
	return 0;
}

int store_open_shared(struct store *store, const char *dir, const char *database,
		      const struct store_limits *limits, const struct store_share *share,
		      const struct store_lease_row *seen, struct err *e)
{
	struct store opened = { .limits = *limits };

	if (store_lease_new(share, &opened.lease, e) < 0)
		return err_code(e);
	if (open_place(&opened, dir, database, seen, e) < 0) {
		store_lease_free(opened.lease);
		return err_code(e);
	}
	*store = opened;
	return 0;
}

void store_close(struct store *store)
{
	struct store_place place = { store->db, store->lock, store->database_lock };

	store_lease_release(&store->db, store->lease);
	store_lease_free(TAKE_PTR(store->lease));
	secret_key_free(TAKE_PTR(store->secrets));
	EVP_PKEY_free(store->log_key);
	store_place_close(&place);
	store->db = place.db;
}

void computation_done(struct computation *c)
{
	free(c->id);
	free(c->name);
	free(c->description);
	free(c->agent_state);
	free(c->cvm_id);
	free(c->failure);
	free(c->notice);
	free(c->cvm_verdict);
	free(c->new_cvm);
	free(c->workspace);
	*c = (struct computation){ .id = NULL };
}

/* The columns that read_computation() expects. */
#define COMPUTATION_COLUMNS                                                                  \
	"c.id, c.name, c.description, c.agent_state, c.cvm, c.failure, c.state, c.stopping," \
	" c.finished, c.created, c.sent, c.ended, c.digest, c.datasets, c.consumers,"        \
	" coalesce(j.records, 0), coalesce(j.dropped, 0), c.notice,"                         \
	" coalesce(v.verdict, ''), coalesce(s.name, ''), coalesce(n.name, '')"               \
	" FROM computations c LEFT JOIN journals j ON j.owner = 'c:' || c.id"                \
	" LEFT JOIN cvms v ON v.id = c.cvm AND v.computation = c.id"                         \
	" LEFT JOIN workspace_computations h ON h.computation = c.id"                        \
	" LEFT JOIN machines n ON n.run = c.number AND n.attempt = c.attempt AND n.run > 0"  \
	" AND n.phase < 3"                                                                   \
	" LEFT JOIN workspaces s ON s.number = h.workspace "

/* Where a row's texts go, by their columns. */
static int read_texts(struct db_rows *row, struct computation *c, struct err *e)
{
	const struct {
		int column;
		char **text;
	} texts[] = { { 0, &c->id },          { 1, &c->name },         { 2, &c->description },
		      { 3, &c->agent_state }, { 4, &c->cvm_id },       { 5, &c->failure },
		      { 17, &c->notice },     { 18, &c->cvm_verdict }, { 19, &c->workspace },
		      { 20, &c->new_cvm } };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (db_text(row, texts[i].column, texts[i].text, e) < 0)
			return err_code(e);
	return 0;
}

static int read_numbers(struct db_rows *row, struct computation *c, struct err *e)
{
	int64_t state;
	const struct {
		int column;
		int64_t max, *number;
	} numbers[] = { { 6, COMPUTATION_STATES - 1, &state },
			{ 9, INT64_MAX, &c->created },
			{ 10, INT64_MAX, &c->sent },
			{ 11, INT64_MAX, &c->ended },
			{ 13, MANIFEST_DATASETS_MAX, &c->datasets },
			{ 14, MANIFEST_CONSUMERS_MAX, &c->consumers },
			{ 15, INT64_MAX, &c->records },
			{ 16, INT64_MAX, &c->dropped } };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (db_integer(row, numbers[i].column, 0, numbers[i].max, numbers[i].number, e) < 0)
			return err_code(e);
	c->state = (enum computation_state)state;
	if (db_flag(row, 7, &c->stopping, e) < 0)
		return err_code(e);
	return db_flag(row, 8, &c->finished, e);
}

static int read_digest(struct db_rows *row, struct computation *c, struct err *e)
{
	const void *bytes;
	size_t len;

	if (db_blob(row, 12, sizeof(c->digest), &bytes, &len, e) < 0)
		return err_code(e);
	if (len != sizeof(c->digest))
		return err_set(e, ERR_DATA_LOSS, "database: a digest of %zu bytes", len);
	memcpy(c->digest, bytes, sizeof(c->digest));
	return 0;
}

static int read_computation(struct db_rows *row, struct computation *c, struct err *e)
{
	struct computation got = { .id = NULL };

	if (read_texts(row, &got, e) < 0 || read_numbers(row, &got, e) < 0 ||
	    read_digest(row, &got, e) < 0) {
		computation_done(&got);
		return err_code(e);
	}
	*c = got;
	return 0;
}

static int unknown(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no computation %s", log_quote(id).text);
}

int store_computation(struct store *store, const char *id, struct computation *c, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e, "SELECT " COMPUTATION_COLUMNS "WHERE c.id = ?", "t",
		     id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : unknown(id, e);
	return read_computation(rows, c, e);
}

/* Those of `found`, which end with it. */
static int read_all(struct db_rows *found, size_t max, struct computation *rows, size_t *count,
		    struct err *e)
{
	size_t got = 0;
	int row = 0;

	while (got < max && (row = db_next(found, e)) > 0) {
		row = read_computation(found, &rows[got], e);
		if (row < 0)
			break;
		got++;
	}
	if (row < 0) {
		while (got > 0)
			computation_done(&rows[--got]);
		return row;
	}
	*count = got;
	return 0;
}

/* A store_view is ?2 and ?3. */
#define SEEN                                                                          \
	"(?2 = 0 OR c.id IN (" WORKSPACE_SEEN_BY_2 "))"                               \
	" AND (?3 = 0 OR c.id IN (SELECT h.computation FROM workspace_computations h" \
	" WHERE h.workspace = ?3))"

int store_computations(struct store *store, struct store_view view, const char *after, size_t max,
		       struct computation *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	int64_t number = 0;

	if (*after && db_number(&store->db, &number, e,
				"SELECT number FROM computations c WHERE id = ?1 AND " SEEN, "tii",
				after, view.person, view.workspace) < 0)
		return err_wrap(e, "the page after %s", log_quote(after).text);
	if (db_query(&store->db, &found, e,
		     "SELECT " COMPUTATION_COLUMNS "WHERE c.number > ?1 AND " SEEN
		     " ORDER BY c.number LIMIT ?4",
		     "iiii", number, view.person, view.workspace, (int64_t)max) < 0)
		return err_code(e);
	return read_all(found, max, rows, count, e);
}

/* "%text%", where % and _ of the text stand for themselves. */
static int like(const char *text, char **pattern, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 * STORE_WORD_MAX);
	size_t len;

	writer_u8(&w, '%');
	for (; *text; text++) {
		if (strchr("%_!", *text))
			writer_u8(&w, '!');
		writer_u8(&w, (uint8_t)*text);
	}
	writer_u8(&w, '%');
	if (writer_check(&w, "what is searched for", e) < 0)
		return err_code(e);
	*pattern = (char *)writer_take(&w, &len);
	return *pattern ? 0 : err_nomem(e);
}

int store_find(struct store *store, const struct store_search *search, size_t max,
	       struct computation *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	CLEANUP(free) char *pattern = NULL;
	uint8_t digest[MANIFEST_HASH_LEN];
	int64_t number = INT64_MAX;
	struct err ignored;
	bool is_digest = hex_decode(search->text, digest, sizeof(digest), &ignored) == 0;

	if (like(search->text, &pattern, e) < 0)
		return err_code(e);
	if (*search->before &&
	    db_number(&store->db, &number, e,
		      "SELECT number FROM computations c WHERE id = ?1 AND " SEEN, "tii",
		      search->before, search->view.person, search->view.workspace) < 0)
		return err_wrap(e, "the page behind %s", log_quote(search->before).text);
	if (db_query(
		    &store->db, &found, e,
		    "SELECT " COMPUTATION_COLUMNS "WHERE c.number < ?1 AND " SEEN
		    " AND (c.state = ?4 OR ?4 < 0)"
		    " AND (lower(c.id) LIKE lower(?5) ESCAPE '!' OR lower(c.name) LIKE lower(?5) ESCAPE '!'"
		    " OR lower(c.description) LIKE lower(?5) ESCAPE '!' OR c.digest = ?6)"
		    " ORDER BY c.number DESC LIMIT ?7",
		    "iiiitbi", number, search->view.person, search->view.workspace,
		    (int64_t)search->state, pattern, digest, is_digest ? sizeof(digest) : (size_t)0,
		    (int64_t)max) < 0)
		return err_code(e);
	return read_all(found, max, rows, count, e);
}

static int insert(struct store *store, const Cvms__ComputationRunReq *manifest,
		  const struct manifest_digests *digests, struct err *e)
{
	struct secret_row_kept kept;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (manifest->agent_config && agent_config_check_public(manifest->agent_config, e) < 0)
		return err_wrap(e, "agent_config");
	if (secret_row_take(&store->db, store->secrets, manifest, &kept, e) < 0 ||
	    manifest_encode(&kept.manifest, &bytes, &len, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "INSERT INTO computations (id, name, description, manifest, digest,"
		      " datasets, consumers, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		      "tttbbiii", manifest->id, manifest->name, manifest->description, bytes, len,
		      digests->sha3_256, sizeof(digests->sha3_256), (int64_t)manifest->n_datasets,
		      (int64_t)manifest->n_result_consumers, store_now());
}

int store_create(struct store *store, int64_t workspace, const Cvms__ComputationRunReq *manifest,
		 struct err *e)
{
	struct manifest_digests digests;
	int64_t known;

	if (manifest_digest(manifest, &digests, e) < 0 ||
	    db_number(&store->db, &known, e, "SELECT count(*) FROM computations WHERE id = ?", "t",
		      manifest->id) < 0)
		return err_code(e);
	if (known)
		return err_set(e, ERR_EXISTS, "computation %s exists already",
			       log_quote(manifest->id).text);
	if (db_number(&store->db, &known, e, "SELECT count(*) FROM cvms WHERE computation = ?", "t",
		      manifest->id) < 0)
		return err_code(e);
	if (known)
		return err_set(
			e, ERR_EXISTS,
			"computation %s was removed, and a CVM still holds it: use another id",
			log_quote(manifest->id).text);
	if (db_number(&store->db, &known, e, "SELECT count(*) FROM computations", "") < 0)
		return err_code(e);
	if ((uint64_t)known >= store->limits.computations)
		return err_set(e, ERR_EXHAUSTED,
			       "%lld computations are kept: remove some, or raise "
			       "COMPUTATIONS_MAX_COMPUTATIONS",
			       (long long)known);
	if (insert(store, manifest, &digests, e) < 0 ||
	    workspace_take(&store->db, workspace, manifest->id, e) < 0)
		return err_code(e);
	if (asset_link_all(&store->db, workspace, manifest, e) < 0)
		return err_code(e);
	return store_tell(&store->db, &store->has_told, manifest->id, e);
}

/* A CVM that can take a manifest, or why not. */
static int check_free(struct store *store, const char *cvm_id, struct err *e)
{
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	if (store_cvm(store, cvm_id, &cvm, e) < 0)
		return err_code(e);
	if (*cvm.computation_id)
		return err_set(e, ERR_PRECONDITION,
			       "CVM %s holds computation %s: stop that one first, which frees it; "
			       "if it was removed, the CVM is free when its agent has come and "
			       "stopped",
			       log_quote(cvm_id).text, log_quote(cvm.computation_id).text);
	if (*cvm.agent_state && !state_is_free(cvm.agent_state))
		return err_set(e, ERR_PRECONDITION,
			       "the agent in CVM %s is in state %s with a computation that this "
			       "service did not give it: launch it anew, or use another CVM",
			       log_quote(cvm_id).text, log_quote(cvm.agent_state).text);
	return 0;
}

int store_check_new(struct store *store, const char *id, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, id, &c, e) < 0)
		return err_code(e);
	if (c.state == COMPUTATION_CREATED && !*c.cvm_id)
		return 0;
	return err_set(e, ERR_PRECONDITION, "computation %s was run before (%s): %s",
		       log_quote(id).text, state_words(c.state),
		       c.state == COMPUTATION_FAILED || c.state == COMPUTATION_CANCELLED
			       ? "'computation retry' runs it again"
			       : "create another one");
}

int store_assign(struct store *store, const char *id, const char *cvm_id, bool unverified,
		 struct err *e)
{
	if (store_check_new(store, id, e) < 0)
		return err_code(e);
	if (check_free(store, cvm_id, e) < 0 ||
	    db_run(&store->db, e,
		   "UPDATE computations SET cvm = ?, sent = ?, unverified = ? WHERE id = ?", "tiit",
		   cvm_id, store_now(), (int64_t)unverified, id) < 0)
		return err_code(e);
	if (db_run(&store->db, e, "UPDATE cvms SET computation = ? WHERE id = ?", "tt", id,
		   cvm_id) < 0)
		return err_code(e);
	return usage_turn(&store->db, cvm_id, store_now(), e);
}

int store_stop(struct store *store, const char *id, bool *tell, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	int64_t held;

	if (store_computation(store, id, &c, e) < 0 ||
	    db_number(&store->db, &held, e, "SELECT count(*) FROM cvms WHERE computation = ?", "t",
		      id) < 0)
		return err_code(e);
	if (!c.finished && db_run(&store->db, e,
				  "UPDATE computations SET state = ?, finished = 1, ended = ?"
				  " WHERE id = ?",
				  "iit", (int64_t)COMPUTATION_CANCELLED, store_now(), id) < 0)
		return err_code(e);
	if (store_tell(&store->db, &store->has_told, id, e) < 0)
		return err_code(e);
	if (held &&
	    db_run(&store->db, e, "UPDATE computations SET stopping = 1 WHERE id = ?", "t", id) < 0)
		return err_code(e);
	*tell = held != 0;
	return 0;
}

int store_remove(struct store *store, const char *id, bool force, char **cvm_id, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(free) char *owner = NULL, *holder = NULL;
	int64_t held;

	if (store_computation(store, id, &c, e) < 0 ||
	    db_number(&store->db, &held, e, "SELECT count(*) FROM cvms WHERE computation = ?", "t",
		      id) < 0)
		return err_code(e);
	if (held && !force)
		return err_set(e, ERR_PRECONDITION, "CVM %s holds computation %s%s: %s",
			       log_quote(c.cvm_id).text, log_quote(id).text,
			       c.stopping ? " and has not confirmed the stop" : "",
			       c.stopping ? "wait, or force it" : "stop it first");
	if (held && !(holder = strdup(c.cvm_id)))
		return err_nomem(e);
	/* Whoever holds it still does: what its row still names is to be stopped (todo_of). */
	if (store_tell_removed(&store->db, &store->has_told, id, e) < 0 ||
	    text_format(&owner, e, "c:%s", id) < 0 ||
	    db_run(&store->db, e, "DELETE FROM journals WHERE owner = ?", "t", owner) < 0 ||
	    db_run(&store->db, e, "DELETE FROM entries WHERE computation = ?", "t", id) < 0 ||
	    db_run(&store->db, e, "DELETE FROM signed_journals WHERE computation = ?", "t", id) <
		    0 ||
	    role_forget(&store->db, id, e) < 0 || workspace_forget(&store->db, id, e) < 0 ||
	    note_forget(&store->db, id, e) < 0 || user_key_forget(&store->db, id, e) < 0 ||
	    db_run(&store->db, e,
		   "DELETE FROM evidence WHERE of_run = 1 AND number ="
		   " (SELECT number FROM computations WHERE id = ?)",
		   "t", id) < 0 ||
	    asset_forget(&store->db, id, e) < 0 || secret_row_forget(&store->db, id, e) < 0 ||
	    db_run(&store->db, e, "DELETE FROM confirmations WHERE computation = ?", "t", id) < 0 ||
	    db_run(&store->db, e, "DELETE FROM computations WHERE id = ?", "t", id) < 0)
		return err_code(e);
	*cvm_id = TAKE_PTR(holder);
	return 0;
}
