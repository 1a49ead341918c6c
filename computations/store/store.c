/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "computations/people/asset.h"
#include "computations/people/role.h"
#include "computations/people/user_key.h"
#include "computations/people/workspace.h"
#include "computations/store/secret_row.h"
#include "computations/store/store_form.h"
#include "computations/store/store_place.h"
#include "computations/store/store_tell.h"
#include "computations/store/store_witness.h"
#include "computations/store/usage_kept.h"
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
			       "the agent in CVM %s is in state %s, and this service has no "
			       "computation in it to stop: launch it anew, or use another CVM",
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
	return err_set(e, ERR_PRECONDITION, "computation %s %s (%s): %s", log_quote(id).text,
		       c.sent ? "was run before" : "has ended", state_words(c.state),
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
	if (db_run(&store->db, e, "UPDATE cvms SET computation = ?, used = 1 WHERE id = ?", "tt",
		   id, cvm_id) < 0)
		return err_code(e);
	return usage_turn(&store->db, cvm_id, store_now(), e);
}

/* In the CVM that was made for its run results wait for that long, whether its agent answers or not. */
static int keep_no_longer(struct store *store, const char *id, struct err *e)
{
	return db_run(&store->db, e,
		      "UPDATE machines SET results = ?, keep = ? WHERE run > 0 AND EXISTS (SELECT 1"
		      " FROM computations c WHERE c.id = ? AND c.number = machines.run"
		      " AND c.attempt = machines.attempt)",
		      "iit", store_now(), (int64_t)STORE_STOPPED_KEEP_MS, id);
}

int store_stop(struct store *store, const char *id, bool *tell, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	int64_t held;
	bool open;

	if (store_computation(store, id, &c, e) < 0 ||
	    db_number(&store->db, &held, e, "SELECT count(*) FROM cvms WHERE computation = ?", "t",
		      id) < 0)
		return err_code(e);
	/* Whether somebody waits for its results still, the agent says with its answer. */
	open = held && c.state == COMPUTATION_COMPLETED;
	if (!c.finished && !open &&
	    db_run(&store->db, e,
		   "UPDATE computations SET state = ?, finished = 1, ended = ? WHERE id = ?", "iit",
		   (int64_t)COMPUTATION_CANCELLED, store_now(), id) < 0)
		return err_code(e);
	if (open && !c.finished && !c.stopping && keep_no_longer(store, id, e) < 0)
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
	    usage_kept_end(&store->db, id, store_now(), e) < 0 ||
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
