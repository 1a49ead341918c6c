/* SPDX-License-Identifier: Apache-2.0 */
/* The way back of backup.h. */
#include "common/base/file.h"
#include "common/db/db_copy.h"
#include "common/db/db_sqlite.h"
#include "computations/seal/secret_keep.h"
#include "computations/store/backup.h"
#include "computations/store/backup_file.h"
#include "computations/store/store_audit.h"
#include "computations/store/store_form.h"
#include "computations/store/store_place.h"
#include "computations/store/store_witness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was good for a moment, and may have been used or ended since. */
static const char *const passing[] = {
	"logins",          "entry_links",        "devices", "key_challenges",
	"halves",          "invitations",        "trips",   "passkeys_begun",
	"passkey_answers", "webhook_deliveries", "mails",   "lease"
};

/* A backup as it is looked at: a copy of the file's database, whose tables become the newest. */
struct source {
	struct db db;
	struct db_model model;
	char *witness; /* the PEM of the log's key */
	int64_t taken;
};

/* ---- the copy ---- */

enum { HEADER_WAYS = 18 /* two bytes of SQLite's header: written, read by a log; 1: without */ };

/* One that is to be read with a log would make the log. */
static int check_header(int fd, const char *path, struct err *e)
{
	uint8_t ways[2];
	int there = fd_read_at(fd, ways, sizeof(ways), HEADER_WAYS, e);

	if (there < 0)
		return there;
	return there && ways[0] == 1 && ways[1] == 1
		       ? 0
		       : err_set(e, ERR_INVALID, "'%s' holds no database of a backup", path);
}

/* It has no name as soon as it is open, so that nothing is left of it whatever happens. */
static int open_copy(const char *dir, const char *path, struct db *db, struct err *e)
{
	CLEANUP(free) char *part = NULL;

	if (text_format(&part, e, "%s/restore.part", dir) < 0)
		return err_code(e);
	CLEANUP(close)
	int fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "'%s'", part);
	int failed = backup_file_unseal(path, BACKUP_MAX, fd, e);
	if (!failed)
		failed = check_header(fd, path, e);
	if (!failed)
		failed = db_sqlite_open_alone(db, part, e);
	unlink(part);
	return failed;
}

/* ---- what is in it ---- */

static bool is_ours(const char *name)
{
	return strncmp(name, "backup_", strlen("backup_")) != 0;
}

/* As many rows as were written. */
static int check_counts(struct source *s, struct backup_report *report, struct err *e)
{
	report->tables = report->rows = 0;
	for (size_t i = 0; i < s->model.count; i++) {
		const char *name = s->model.tables[i].name;
		CLEANUP(free) char *sql = NULL;
		int64_t noted, there;

		if (!is_ours(name))
			continue;
		if (text_format(&sql, e, "SELECT count(*) FROM %s", name) < 0 ||
		    db_number(&s->db, &there, e, sql, "") < 0 ||
		    db_number(&s->db, &noted, e, "SELECT count FROM backup_tables WHERE name = ?",
			      "t", name) < 0)
			return err_wrap(e, "table %s", name);
		if (noted != there)
			return err_set(e, ERR_DATA_LOSS,
				       "table %s has %lld rows, and %lld are noted", name,
				       (long long)there, (long long)noted);
		report->rows += there;
		report->tables++;
	}
	return 0;
}

static int read_about(struct source *s, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&s->db, &rows, e, "SELECT taken, witness FROM backup_about", "") < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : err_set(e, ERR_INVALID, "it does not say what it is");
	if (db_integer(rows, 0, 0, INT64_MAX, &s->taken, e) < 0)
		return err_code(e);
	return db_text(rows, 1, &s->witness, e);
}

/* To the newest form; what is not of that is refused. */
static int bring_up(struct source *s, struct err *e)
{
	struct db_model newest CLEANUP_MODEL = { .count = 0 };

	if (db_script(&s->db, "DROP TABLE backup_about; DROP TABLE backup_tables", e) < 0 ||
	    db_forms_apply(&s->db, &store_forms, e) < 0)
		return err_code(e);
	db_model_done(&s->model);
	if (db_model_read(&s->db, &s->model, e) < 0 || db_model_of(&store_forms, &newest, e) < 0 ||
	    db_model_compare(&newest, &s->model, e) < 0)
		return err_code(e);
	db_model_done(&s->model);
	s->model = newest; /* in whose order tables are made */
	newest = (struct db_model){ .count = 0 };
	return 0;
}

static int look_into(struct source *s, struct backup_report *report, struct err *e)
{
	/* First: before anything is run in it that it could have prepared. */
	if (db_model_read(&s->db, &s->model, e) < 0 || db_form(&s->db, &report->form, e) < 0)
		return err_code(e);
	if (report->form < 1)
		return err_set(e, ERR_INVALID, "it has form %lld, which is none",
			       (long long)report->form);
	if (check_counts(s, report, e) < 0 || read_about(s, e) < 0 || bring_up(s, e) < 0)
		return err_code(e);
	return backup_verify(&s->db, s->witness, "the backup's key", report, e);
}

static void source_done(struct source *s)
{
	if (s->witness) {
		explicit_bzero(s->witness, strlen(s->witness));
		free(s->witness);
	}
	db_model_done(&s->model);
	db_close(&s->db);
}

/* ---- the log's key ---- */

struct key_files {
	char *path, *waits;
	bool there; /* already, and the same */
};

static void key_files_done(struct key_files *k)
{
	free(k->path);
	free(k->waits);
}

/* It waits under another name for the change to be on disk: without it, the key would begin another log. */
static int put_key(const struct backup_place *place, const char *witness, struct key_files *k,
		   struct err *e)
{
	CLEANUP(free) char *pem = NULL;

	if (text_format(&k->path, e, "%s/" STORE_WITNESS_FILE, place->dir) < 0 ||
	    text_format(&k->waits, e, "%s" STORE_WITNESS_RESTORED, k->path) < 0)
		return err_code(e);
	int failed = file_read_text(k->path, PEM_MAX, &pem, e);
	if (err_is(failed, ERR_NOT_FOUND))
		return file_write(k->waits, witness, strlen(witness), 0600, e);
	if (failed)
		return failed;
	k->there = strcmp(pem, witness) == 0;
	explicit_bzero(pem, strlen(pem));
	return k->there ? 0
			: err_set(e, ERR_PRECONDITION,
				  "'%s' is the key of another log: move it away", k->path);
}

/* Where it is not known whether the change is there, the next start finds out (store_witness_open). */
static int settle_key(const struct key_files *k, int failed, struct err *e)
{
	if (k->there || err_is(failed, ERR_UNKNOWN))
		return failed;
	if (!failed)
		return file_publish(k->waits, k->path, false, e);
	if (k->waits)
		unlink(k->waits);
	return failed;
}

/* ---- into the place ---- */

/* Whoever saved more of the log than came back finds here why his copy goes on otherwise. */
static int tell(struct db *db, const struct source *s, const struct backup_report *report,
		struct err *e)
{
	struct store store = { .db = *db, .limits.audit_rows = UINT64_MAX };
	char who[32], head[AUDIT_HEAD_TEXT_MAX + 1], about[128];

	snprintf(who, sizeof(who), "uid %u", (unsigned)geteuid());
	audit_head_text(&report->audit, head);
	snprintf(about, sizeof(about),
		 "{\"taken\":%" PRId64 ",\"form\":%" PRId64 ",\"leaves\":%" PRId64 "}", s->taken,
		 report->form, report->leaves);
	return store_audit_add(&store,
			       &(struct audit_row){ .who = who,
						    .what = "cocos-computations --restore",
						    .object = head,
						    .about = about },
			       AUDIT_ROOM_OPERATORS, e);
}

/* What came over is verified once more: a file with an index of its maker's may show other rows to who copies them than to
 * who looks. */
static int put_all(struct db *db, struct source *s, struct backup_report *report, struct err *e)
{
	int64_t counts[DB_TABLES_MAX];

	if (db_forms_make(db, &store_forms, e) < 0 ||
	    db_copy(&s->model, &s->db, db, counts, e) < 0 ||
	    backup_verify(db, s->witness, "the backup's key", report, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
		CLEANUP(free) char *sql = NULL;

		if (text_format(&sql, e, "DELETE FROM %s", passing[i]) < 0 ||
		    db_run(db, e, sql, "") < 0)
			return err_code(e);
	}
	/* What mails say; a token may have been used since, and what was issued stays. */
	if (db_run(db, e, "DELETE FROM secrets WHERE kind = ?", "t", secret_mail.word) < 0 ||
	    db_run(db, e, "DELETE FROM certificates WHERE issued = 0", "") < 0)
		return err_code(e);
	return tell(db, s, report, e);
}

static int put_at_once(struct db *db, struct source *s, struct backup_report *report, struct err *e)
{
	if (db_begin(db, e) < 0)
		return err_code(e);
	if (put_all(db, s, report, e) < 0) {
		db_rollback(db);
		return err_code(e);
	}
	return db_commit(db, e);
}

/* What the service could not open afterwards is not made. */
static int check_owner(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st) < 0 || st.st_uid == geteuid())
		return 0;
	return err_set(e, ERR_PRECONDITION, "'%s' belongs to uid %u: restore as that user", dir,
		       (unsigned)st.st_uid);
}

static int check_empty(struct db *db, struct err *e)
{
	int64_t form;

	if (db_form(db, &form, e) < 0)
		return err_code(e);
	return form == 0 ? 0
			 : err_set(e, ERR_PRECONDITION,
				   "it has records already (form %lld): move them away, or name "
				   "another COMPUTATIONS_DATABASE and COMPUTATIONS_STATE_DIR",
				   (long long)form);
}

static int restore_into(struct store_place *to, const struct backup_place *place, const char *path,
			struct backup_report *report, struct err *e)
{
	struct source s = { .taken = 0 };
	struct key_files key = { .there = false };

	if (check_empty(&to->db, e) < 0 || open_copy(place->dir, path, &s.db, e) < 0)
		return err_code(e);
	int failed = look_into(&s, report, e);
	if (failed)
		failed = err_wrap(e, "'%s'", path);
	else {
		failed = put_key(place, s.witness, &key, e);
		if (!failed)
			failed = put_at_once(&to->db, &s, report, e);
		failed = settle_key(&key, failed, e);
	}
	key_files_done(&key);
	source_done(&s);
	return failed;
}

int backup_restore(const struct backup_place *place, const char *path, struct backup_report *report,
		   struct err *e)
{
	struct store_place to;

	if (check_owner(place->dir, e) < 0 ||
	    store_place_open(place->dir, place->database, NULL, &to, e) < 0)
		return err_wrap(e, "restore into '%s'", place->dir);
	int failed = restore_into(&to, place, path, report, e);
	store_place_close(&to);
	return failed ? err_wrap(e, "restore into '%s'", place->dir) : 0;
}
