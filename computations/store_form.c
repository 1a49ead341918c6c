/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store_form.h"

#define SIGNED_JOURNALS                                             \
	"CREATE TABLE entries ("                                    \
	" computation TEXT NOT NULL,"                               \
	" run INTEGER NOT NULL,"                                    \
	" sequence INTEGER NOT NULL,"                               \
	" bytes BLOB NOT NULL,"                                     \
	" PRIMARY KEY (computation, run, sequence)) WITHOUT ROWID;" \
	"CREATE TABLE signed_journals ("                            \
	" computation TEXT NOT NULL,"                               \
	" run INTEGER NOT NULL,"                                    \
	" count INTEGER NOT NULL,"                                  \
	" bytes INTEGER NOT NULL,"                                  \
	" head BLOB NOT NULL,"                                      \
	" PRIMARY KEY (computation, run)) WITHOUT ROWID;"

/* The digest of the first entry, by which its agent names a run; NULL where an older program kept it. */
#define NAMES_OF_RUNS "ALTER TABLE signed_journals ADD COLUMN name BLOB;"

/* The log of journals' heads. Leaves and nodes outlive their computations: a log only grows. */
#define WITNESS                                                           \
	"CREATE TABLE witness_leaves ("                                   \
	" number INTEGER PRIMARY KEY," /* from 0, without gaps */         \
	" computation TEXT NOT NULL,"                                     \
	" run INTEGER NOT NULL,"                                          \
	" count INTEGER NOT NULL,"                                        \
	" digest BLOB NOT NULL);"                                         \
	"CREATE INDEX witness_leaves_run"                                 \
	" ON witness_leaves (computation, run, count);"                   \
	"CREATE TABLE witness_nodes (" /* complete subtrees (merkle.h) */ \
	" level INTEGER NOT NULL,"                                        \
	" number INTEGER NOT NULL,"                                       \
	" hash BLOB NOT NULL,"                                            \
	" PRIMARY KEY (level, number)) WITHOUT ROWID;"

/* One row: the digest of the key that signs the log. */
#define WITNESS_KEY "CREATE TABLE witness_key (digest BLOB NOT NULL);"

/* How often the computation was begun: a retry is the next. Agents name it in what they say. */
#define ATTEMPTS "ALTER TABLE computations ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;"

static const char schema[] =
	"CREATE TABLE computations ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL,"
	" description TEXT NOT NULL,"
	" manifest BLOB NOT NULL,"
	" digest BLOB NOT NULL,"
	" datasets INTEGER NOT NULL,"
	" consumers INTEGER NOT NULL,"
	" state INTEGER NOT NULL DEFAULT 0,"
	" agent_state TEXT NOT NULL DEFAULT '',"
	" cvm TEXT NOT NULL DEFAULT '',"       /* the one it was given to, also afterwards */
	" reached INTEGER NOT NULL DEFAULT 0," /* the agent has spoken of it */
	" stopping INTEGER NOT NULL DEFAULT 0,"
	" finished INTEGER NOT NULL DEFAULT 0,"
	" failure TEXT NOT NULL DEFAULT '',"
	" notice TEXT NOT NULL DEFAULT '',"
	" unverified INTEGER NOT NULL DEFAULT 0," /* may go to a CVM that has proven nothing */
	" created INTEGER NOT NULL,"
	" sent INTEGER NOT NULL DEFAULT 0,"
	" ended INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE cvms ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE,"
	" computation TEXT NOT NULL DEFAULT ''," /* the one that it holds now */
	" agent_state TEXT NOT NULL DEFAULT '',"
	" peer TEXT NOT NULL,"
	" first_seen INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL,"
	" verified INTEGER NOT NULL DEFAULT 0,"
	" verdict TEXT NOT NULL DEFAULT '',"
	" judged INTEGER NOT NULL DEFAULT 0,"
	" key TEXT NOT NULL DEFAULT '');" /* of the client certificate that its name belongs to */
	"CREATE INDEX cvms_computation ON cvms (computation);"
	/* One journal for each computation, and for each CVM what belongs to none. */
	"CREATE TABLE journals ("
	" number INTEGER PRIMARY KEY,"
	" owner TEXT NOT NULL UNIQUE,"
	" records INTEGER NOT NULL DEFAULT 0,"
	" bytes INTEGER NOT NULL DEFAULT 0,"
	" dropped INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE records ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT,"
	" journal INTEGER NOT NULL REFERENCES journals (number) ON DELETE CASCADE,"
	" seconds INTEGER NOT NULL,"
	" nanos INTEGER NOT NULL,"
	" received INTEGER NOT NULL,"
	" event INTEGER NOT NULL,"
	" level TEXT NOT NULL,"
	" text TEXT NOT NULL,"
	" type TEXT NOT NULL,"
	" status TEXT NOT NULL,"
	" originator TEXT NOT NULL,"
	" size INTEGER NOT NULL);"
	"CREATE INDEX records_journal ON records (journal, number);"
	/* What agents sign: entries, and the last head over them (store_journal.h). */
	SIGNED_JOURNALS NAMES_OF_RUNS WITNESS WITNESS_KEY ATTEMPTS "PRAGMA user_version=8;";

/* What each older form lacks: 1 had no verdicts, 2 no keys, 3 no signed journals, 4 no names of their
 * runs, 5 no log of heads, 6 not the name of its key, 7 no attempts. */
static const char *const upgrades[STORE_FORM] = {
	[1] = "ALTER TABLE computations ADD COLUMN unverified INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE cvms ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE cvms ADD COLUMN verdict TEXT NOT NULL DEFAULT '';"
	      "ALTER TABLE cvms ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;"
	      "PRAGMA user_version=2;",
	[2] = "ALTER TABLE cvms ADD COLUMN key TEXT NOT NULL DEFAULT '';"
	      "PRAGMA user_version=3;",
	[3] = SIGNED_JOURNALS "PRAGMA user_version=4;",
	[4] = NAMES_OF_RUNS "PRAGMA user_version=5;",
	[5] = WITNESS "PRAGMA user_version=6;",
	[6] = WITNESS_KEY "PRAGMA user_version=7;",
	[7] = ATTEMPTS "PRAGMA user_version=8;",
};

int store_form_make(struct db *db, struct err *e)
{
	int64_t form;

	if (db_number(db, &form, e, "PRAGMA user_version", "") < 0)
		return err_code(e);
	if (form == STORE_FORM)
		return 0;
	if (form > STORE_FORM)
		return err_set(e, ERR_PRECONDITION,
			       "written by a newer cocos-computations (form %lld, this one knows "
			       "%d): install that version",
			       (long long)form, STORE_FORM);
	if (db_script(db, "BEGIN IMMEDIATE", e) < 0)
		return err_code(e);
	int failed = form ? 0 : db_script(db, schema, e);
	for (; form && form < STORE_FORM && !failed; form++)
		failed = form < 0 ? err_set(e, ERR_INTERNAL, "form %lld", (long long)form)
				  : db_script(db, upgrades[form], e);
	if (failed || db_script(db, "COMMIT", e) < 0) {
		struct err ignored;

		(void)!db_script(db, "ROLLBACK", &ignored);
		return err_code(e);
	}
	return 0;
}
