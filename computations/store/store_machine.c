/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_machine.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "computations/store/store_machine_claim.h"
#include "computations/store/store_machine_row.h"
#include "computations/store/store_tell.h"

#include <string.h>

/* The columns of store_machine_row.h count so. */
_Static_assert(MACHINE_RUN_OVER == 0 && MACHINE_RUN_WAITS == 1 && MACHINE_RUN_HELD == 2 &&
		       MACHINE_RUN_RESULTS == 3 && MACHINE_RUN_DONE == 4 &&
		       (int)COMPUTATION_COMPLETED == 4,
	       "what is written in SQL");
_Static_assert(MACHINE_LOST == 3, "what is written in SQL, and in the form of the table");

/* In the order in which they are read. */
static const size_t texts[] = {
	offsetof(struct machine, name),    offsetof(struct machine, workspace),
	offsetof(struct machine, manager), offsetof(struct machine, tag),
	offsetof(struct machine, cvm_id),  offsetof(struct machine, address),
	offsetof(struct machine, reason),  offsetof(struct machine, image),
	offsetof(struct machine, tee),     offsetof(struct machine, computation_id),
	offsetof(struct machine, run_id),
};

static char **text_at(struct machine *m, size_t i)
{
	return (char **)(void *)((char *)m + texts[i]);
}

void machine_done(struct machine *m)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(*text_at(m, i));
	*m = (struct machine){ .name = NULL };
}

int machine_copy(const struct machine *m, struct machine *copy, struct err *e)
{
	struct machine made = *m;
	bool is_whole = true;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char **text = text_at(&made, i), *own = *text ? strdup(*text) : NULL;

		is_whole = is_whole && !own == !*text;
		*text = own;
	}
	if (is_whole)
		*copy = made;
	else
		machine_done(&made);
	return is_whole ? 0 : err_nomem(e);
}

bool machine_is_gone(enum machine_phase phase)
{
	return phase >= MACHINE_LOST;
}

const char *machine_state(const struct machine *m)
{
	if (m->phase == MACHINE_REMOVED)
		return "Removed";
	if (m->phase == MACHINE_LOST)
		return "Lost";
	if (!m->is_seen)
		return "Provisioning";
	return *m->computation_id ? "Busy" : "Ready";
}

const char *machine_computation(const struct machine *m)
{
	return m->hides ? "" : m->computation_id;
}

const char *machine_made_for(const struct machine *m)
{
	return m->hides ? "" : m->run_id;
}

const char *machine_owes(const struct machine *m)
{
	if (*m->computation_id)
		return m->computation_id;
	return m->stands == MACHINE_RUN_WAITS ? m->run_id : "";
}

int machine_name_check(const char *name, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t len = strlen(name);

	if (len && len <= MACHINE_NAME_MAX && strspn(name, letters) == len &&
	    !strchr("-.", name[0]) && !strchr("-.", name[len - 1]))
		return 0;
	return err_set(e, ERR_INVALID,
		       "the name %s of a CVM: use 1 to %d of a-z 0-9 - . with a letter or digit at "
		       "both ends",
		       log_quote(name).text, MACHINE_NAME_MAX);
}

int store_machine_read(struct db_rows *row, struct machine *m, struct err *e)
{
	struct machine got CLEANUP_MACHINE = { .name = NULL };
	int64_t phase, stands;
	const struct {
		int64_t max, *number;
	} numbers[] = { { INT64_MAX, &got.number },
			{ INT64_MAX, &got.workspace_number },
			{ INT64_MAX, &got.created },
			{ INT64_MAX, &got.ended },
			{ MACHINE_PHASES - 1, &phase },
			{ MACHINE_CPUS_MAX, &got.cpus },
			{ MACHINE_MEMORY_MAX, &got.memory },
			{ MACHINE_TTL_MAX_MS, &got.ttl_ms },
			{ INT64_MAX, &got.run },
			{ INT64_MAX, &got.attempt },
			{ INT64_MAX, &got.keep_ms },
			{ INT64_MAX, &got.results },
			{ INT64_MAX, &got.run_ended },
			{ MACHINE_RUNS - 1, &stands } };
	const int first_text = ARRAY_LEN(numbers), seen = first_text + (int)ARRAY_LEN(texts);

	for (int i = 0; i < first_text; i++)
		if (db_integer(row, i, 0, numbers[i].max, numbers[i].number, e) < 0)
			return err_code(e);
	for (int i = 0; i < (int)ARRAY_LEN(texts); i++)
		if (db_text(row, first_text + i, text_at(&got, (size_t)i), e) < 0)
			return err_code(e);
	if (db_flag(row, seen, &got.is_seen, e) < 0 ||
	    db_flag(row, seen + 1, &got.unverified, e) < 0)
		return err_code(e);
	got.phase = (enum machine_phase)phase;
	got.stands = (enum machine_run)stands;
	*m = got;
	got = (struct machine){ .name = NULL };
	return 0;
}

static int unknown(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no CVM %s was made in this workspace",
		       log_quote(name).text);
}

static int read_one(struct db_rows *rows, const char *name, struct machine *m, struct err *e)
{
	int row = db_next(rows, e);

	if (row <= 0)
		return row < 0 ? row : unknown(name, e);
	return store_machine_read(rows, m, e);
}

int store_machine_at(struct store *store, int64_t number, struct machine *m, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(&store->db, &rows, e,
		     "SELECT " MACHINE_COLUMNS MACHINE_TABLES "WHERE m.number = ?", "i",
		     number) < 0)
		return err_code(e);
	return read_one(rows, "?", m, e);
}

int store_machine(struct store *store, int64_t workspace, const char *name, struct machine *m,
		  struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(&store->db, &rows, e,
		     "SELECT " MACHINE_COLUMNS MACHINE_TABLES "WHERE m.workspace = ? AND m.name = ?"
		     " ORDER BY m.number DESC LIMIT 1",
		     "it", workspace, name) < 0)
		return err_code(e);
	return read_one(rows, name, m, e);
}

int store_machines_count(struct store *store, const char *workspace, int64_t *count, struct err *e)
{
	return db_number(
		&store->db, count, e,
		"SELECT count(*) FROM machines m JOIN workspaces s ON s.number = m.workspace"
		" WHERE s.name = ? AND m." MACHINE_NOT_GONE,
		"t", workspace);
}

/* ---- a new one ---- */

/* One that asks for less than it is given would go past a limit of it: it has to say. */
static int check_share(const char *what, int64_t wanted, int64_t used, uint64_t limit,
		       struct err *e)
{
	if (limit == UINT64_MAX)
		return 0;
	if (!wanted)
		return err_set(e, ERR_INVALID,
			       "say how much: this workspace has a limit of %llu %s",
			       (unsigned long long)limit, what);
	if ((uint64_t)used <= limit && (uint64_t)wanted <= limit - (uint64_t)used)
		return 0;
	return err_set(
		e, ERR_EXHAUSTED,
		"this workspace's CVMs have %lld of %llu %s, and this one wants %lld: remove "
		"one, or ask the service's administrators for more",
		(long long)used, (unsigned long long)limit, what, (long long)wanted);
}

static int check_quota(struct store *store, const struct machine *wish,
		       const struct machine_quota *quota, struct err *e)
{
	int64_t cvms, cpus, memory, all;

	if (db_number(&store->db, &cvms, e,
		      "SELECT count(*) FROM machines WHERE " MACHINE_NOT_GONE " AND workspace = ?",
		      "i", wish->workspace_number) < 0 ||
	    db_number(
		    &store->db, &cpus, e,
		    "SELECT CAST(coalesce(sum(cpus), 0) AS BIGINT) FROM machines WHERE " MACHINE_NOT_GONE
		    " AND workspace = ?",
		    "i", wish->workspace_number) < 0 ||
	    db_number(
		    &store->db, &memory, e,
		    "SELECT CAST(coalesce(sum(memory), 0) AS BIGINT) FROM machines WHERE " MACHINE_NOT_GONE
		    " AND workspace = ?",
		    "i", wish->workspace_number) < 0 ||
	    db_number(&store->db, &all, e, "SELECT count(*) FROM machines WHERE " MACHINE_NOT_GONE,
		      "") < 0)
		return err_code(e);
	if (check_share("CVMs", 1, cvms, quota->cvms, e) < 0 ||
	    check_share("CPUs", wish->cpus, cpus, quota->cpus, e) < 0 ||
	    check_share("bytes of memory", wish->memory, memory, quota->memory, e) < 0)
		return err_code(e);
	if (all >= MACHINES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "the service has %lld CVMs, and makes no more: remove one",
			       (long long)all);
	return 0;
}

/* The oldest of those that are gone. Of one that was made its id stays: whose it is, is known by that alone, and it may
 * be connected all the same. */
static int forget_some(struct store *store, int64_t workspace, struct err *e)
{
	return db_run(&store->db, e,
		      "DELETE FROM machines WHERE workspace = ?2 AND NOT (" MACHINE_NOT_GONE ")"
		      " AND cvm = '' AND number NOT IN (" MACHINE_NEWEST_GONE "?1)",
		      "ii", (int64_t)MACHINE_GONE_KEPT, workspace);
}

int store_machine_add(struct store *store, const struct machine *wish,
		      const struct machine_quota *quota, int64_t *number, struct err *e)
{
	int64_t known;

	if (machine_name_check(wish->name, e) < 0 ||
	    db_number(
		    &store->db, &known, e,
		    "SELECT count(*) FROM machines WHERE workspace = ? AND name = ? AND " MACHINE_NOT_GONE,
		    "it", wish->workspace_number, wish->name) < 0)
		return err_code(e);
	if (known)
		return err_set(e, ERR_EXISTS,
			       "this workspace has a CVM %s: use another name, or remove it",
			       wish->name);
	if (check_quota(store, wish, quota, e) < 0 ||
	    forget_some(store, wish->workspace_number, e) < 0 ||
	    db_run(&store->db, e,
		   "INSERT INTO machines (workspace, name, manager, tag, image, tee, cpus, memory,"
		   " ttl, created, run, attempt, unverified, keep)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		   "ittttt"
		   "iiiiiiii",
		   wish->workspace_number, wish->name, wish->manager, wish->tag, wish->image,
		   wish->tee, wish->cpus, wish->memory, wish->ttl_ms, store_now(), wish->run,
		   wish->attempt, (int64_t)wish->unverified, wish->keep_ms) < 0)
		return err_code(e);
	return db_number(&store->db, number, e, "SELECT number FROM machines WHERE tag = ?", "t",
			 wish->tag);
}

/* ---- what becomes of it ---- */

int store_machine_made(struct store *store, int64_t number, const char *cvm_id, const char *address,
		       struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	if (store_machine_at(store, number, &m, e) < 0 ||
	    store_machine_claim_check(store, &m, cvm_id, e) < 0)
		return err_code(e);
	if (db_run(&store->db, e,
		   "UPDATE machines SET cvm = ?, address = ?, reason = '',"
		   " phase = CASE phase WHEN 0 THEN 1 ELSE phase END WHERE number = ?"
		   " AND " MACHINE_NOT_GONE,
		   "tti", cvm_id, address, number) < 0)
		return err_code(e);
	return m.phase == MACHINE_WANTED
		       ? store_tell_machine(&store->db, &store->has_told, m.workspace_number,
					    m.workspace, m.name, HOOK_CVM_MADE, e)
		       : 0;
}

int store_machine_moved(struct store *store, int64_t number, const char *manager,
			const char *address, struct err *e)
{
	return db_run(&store->db, e,
		      "UPDATE machines SET manager = ?1,"
		      " address = CASE ?2 WHEN '' THEN address ELSE ?2 END"
		      " WHERE number = ?3 AND " MACHINE_NOT_GONE,
		      "tti", manager, address, number);
}

static void cut(const char *reason, char text[MACHINE_REASON_MAX + 1])
{
	size_t len = strlen(reason), kept = 0, step;

	while (kept < len && (step = utf8_char(reason + kept, len - kept)) > 0 &&
	       kept + step <= MACHINE_REASON_MAX)
		kept += step;
	memcpy(text, reason, kept);
	text[kept] = 0;
	for (char *c = text; *c; c++) /* one line */
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

int store_machine_note(struct store *store, int64_t number, const char *reason, struct err *e)
{
	char text[MACHINE_REASON_MAX + 1];

	cut(reason, text);
	return db_run(&store->db, e,
		      "UPDATE machines SET reason = ? WHERE number = ? AND " MACHINE_NOT_GONE, "ti",
		      text, number);
}

int store_machine_leave(struct store *store, int64_t number, bool force, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	int64_t running;

	if (store_machine_at(store, number, &m, e) < 0 ||
	    db_number(&store->db, &running, e,
		      "SELECT count(*) FROM computations WHERE id = ? AND finished = 0", "t",
		      machine_owes(&m)) < 0)
		return err_code(e);
	if (machine_is_gone(m.phase))
		return err_set(e, ERR_PRECONDITION, "CVM %s is gone: %s", m.name,
			       *m.reason ? m.reason : "it was removed");
	if (running && !force)
		return err_set(e, ERR_PRECONDITION,
			       "CVM %s %s computation %s: stop that one first, or force it", m.name,
			       *m.computation_id ? "holds" : "is made for",
			       log_quote(machine_owes(&m)).text);
	return db_run(&store->db, e, "UPDATE machines SET phase = ?, reason = '' WHERE number = ?",
		      "ii", (int64_t)MACHINE_LEAVING, number);
}

static const char *why_removed(const struct machine *m)
{
	return m->results && store_now() - m->results >= m->keep_ms
		       ? "its results were not fetched for as long as it was kept for them"
		       : "it was removed";
}

/* Only what is of its own workspace: a manager that lies ends nothing else. */
static int fail_computation(struct store *store, const struct machine *m, const char *reason,
			    char **failed, struct err *e)
{
	CLEANUP(free) char *why = NULL, *id = NULL;
	const char *owed = machine_owes(m);
	int64_t here, changed;

	if (!*owed)
		return 0;
	if (db_number(&store->db, &here, e,
		      "SELECT count(*) FROM workspace_computations WHERE computation = ?"
		      " AND workspace = ?",
		      "ti", owed, m->workspace_number) < 0)
		return err_code(e);
	if (!here) /* nobody's any more, or another workspace's */
		return db_run(&store->db, e,
			      "UPDATE cvms SET computation = '' WHERE id = ?"
			      " AND computation NOT IN (SELECT id FROM computations)",
			      "t", m->cvm_id);
	if (text_format(&why, e, "CVM %s is gone: %s", m->name, *reason ? reason : why_removed(m)) <
		    0 ||
	    db_run(&store->db, e,
		   "UPDATE computations SET state = ?, finished = 1, ended = ?"
		   " WHERE id = ? AND finished = 0 AND stopping = 1",
		   "iit", (int64_t)COMPUTATION_CANCELLED, store_now(), owed) < 0 ||
	    db_change(&store->db, &changed, e,
		      "UPDATE computations SET state = ?, finished = 1, failure = ?, ended = ?"
		      " WHERE id = ? AND finished = 0",
		      "itit", (int64_t)COMPUTATION_FAILED, why, store_now(), owed) < 0 ||
	    db_run(&store->db, e, "UPDATE computations SET stopping = 0 WHERE id = ?", "t", owed) <
		    0 ||
	    db_run(&store->db, e, "UPDATE cvms SET computation = '' WHERE id = ?", "t", m->cvm_id) <
		    0)
		return err_code(e);
	if (store_tell(&store->db, &store->has_told, owed, e) < 0)
		return err_code(e);
	id = changed ? strdup(owed) : NULL;
	if (changed && !id)
		return err_nomem(e);
	*failed = TAKE_PTR(id);
	return 0;
}

int store_machine_gone(struct store *store, int64_t number, enum machine_phase phase,
		       const char *reason, char **failed, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	char text[MACHINE_REASON_MAX + 1];

	*failed = NULL;
	cut(reason, text);
	if (store_machine_at(store, number, &m, e) < 0)
		return err_code(e);
	if (machine_is_gone(m.phase))
		return 0;
	if (fail_computation(store, &m, text, failed, e) < 0)
		return err_code(e);
	if (db_run(&store->db, e,
		   "UPDATE machines SET phase = ?, reason = ?, ended = ? WHERE number = ?", "itii",
		   (int64_t)phase, text, store_now(), number) == 0 &&
	    store_tell_machine(&store->db, &store->has_told, m.workspace_number, m.workspace,
			       m.name, phase == MACHINE_LOST ? HOOK_CVM_LOST : HOOK_CVM_REMOVED,
			       e) == 0)
		return 0;
	free(TAKE_PTR(*failed));
	return err_code(e);
}

/* ---- whose a CVM is ---- */

int store_machine_check(struct store *store, const char *cvm_id, const char *computation,
			struct err *e)
{
	int64_t strange;

	/* Gone is what its manager says: one that is connected all the same is not everybody's by that. */
	if (db_number(&store->db, &strange, e,
		      "SELECT count(*) FROM machines WHERE cvm = ?"
		      " AND (run > 0 OR workspace NOT IN (SELECT workspace"
		      " FROM workspace_computations WHERE computation = ?))",
		      "tt", cvm_id, computation) < 0)
		return err_code(e);
	if (!strange)
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "CVM %s is not connected", log_quote(cvm_id).text);
}
