/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/backup.h"

#include "common/base/file.h"
#include "common/db/db_copy.h"
#include "common/db/db_sqlite.h"
#include "computations/store/backup_file.h"
#include "computations/store/store_audit.h"
#include "computations/store/store_form.h"
#include "computations/store/store_lease.h"
#include "computations/store/store_place.h"
#include "computations/store/store_witness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int backup_verify(struct db *db, const char *witness, const char *from,
		  struct backup_report *report, struct err *e)
{
	struct store store = { .db = *db };

	if (store_audit_check(&store, &report->audit, e) < 0 ||
	    store_witness_key(&store, witness, from, e) < 0)
		return err_code(e);
	return store_witness_check(&store, &report->leaves, e);
}

/* ---- where it is from ---- */

/* The first start of this form seals what the one before had as it was, and may have been refused. */
static int check_sealed(struct db *db, struct err *e)
{
	int64_t sealed;

	if (db_number(db, &sealed, e, "SELECT count(*) FROM secrets_key", "") < 0)
		return err_code(e);
	return sealed ? 0
		      : err_set(e, ERR_PRECONDITION,
				"secrets may be in it as they are: start this "
				"service once, which seals them");
}

/* A snapshot of the newest form. */
static int open_source(const struct backup_place *place, struct db *db, struct err *e)
{
	int64_t form;

	if (store_place_look(place->dir, place->database, db, e) < 0)
		return err_code(e);
	int failed = db_snapshot(db, e);
	if (!failed)
		failed = db_form(db, &form, e);
	if (!failed && form != STORE_FORM)
		failed = err_set(e, ERR_PRECONDITION,
				 "it has form %lld, and this program backs up form %d: use the "
				 "version that wrote it, or start this one once",
				 (long long)form, STORE_FORM);
	if (!failed)
		failed = check_sealed(db, e);
	if (failed)
		db_close(db);
	return failed;
}

static int read_witness(const struct backup_place *place, char **pem, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/" STORE_WITNESS_FILE, place->dir) < 0)
		return err_code(e);
	return file_read_text(path, PEM_MAX, pem, e);
}

static void forget(char *pem)
{
	explicit_bzero(pem, strlen(pem));
	free(pem);
}

/* ---- the database in the file ---- */

static int put_counts(struct db *db, const struct db_model *model, const int64_t *counts,
		      struct backup_report *report, struct err *e)
{
	report->rows = 0;
	report->tables = (int64_t)model->count;
	for (size_t i = 0; i < model->count; i++) {
		report->rows += counts[i];
		if (db_run(db, e, "INSERT INTO backup_tables (name, count) VALUES (?, ?)", "ti",
			   model->tables[i].name, counts[i]) < 0)
			return err_code(e);
	}
	return 0;
}

static int fill(struct db *from, struct db *to, const char *pem, struct backup_report *report,
		struct err *e)
{
	struct db_model model CLEANUP_MODEL = { .count = 0 };
	int64_t counts[DB_TABLES_MAX];

	if (db_model_of(&store_forms, &model, e) < 0 || db_forms_make(to, &store_forms, e) < 0 ||
	    db_copy(&model, from, to, counts, e) < 0 || store_lease_hide(to, e) < 0 ||
	    db_script(to, BACKUP_FORM, e) < 0 ||
	    db_run(to, e, "INSERT INTO backup_about (taken, witness) VALUES (?, ?)", "it",
		   store_now(), pem) < 0)
		return err_code(e);
	report->form = STORE_FORM;
	return put_counts(to, &model, counts, report, e);
}

static int fill_file(struct db *from, const char *path, const char *pem,
		     struct backup_report *report, struct err *e)
{
	struct db to;

	if (db_sqlite_open_alone(&to, path, e) < 0)
		return err_code(e);
	int failed = db_begin(&to, e);
	if (!failed)
		failed = fill(from, &to, pem, report, e);
	if (!failed)
		failed = db_commit(&to, e);
	if (!failed)
		failed = backup_verify(&to, pem, STORE_WITNESS_FILE, report, e);
	db_close(&to);
	return failed;
}

/* ---- the file ---- */

static int make_part(const char *part, struct err *e)
{
	CLEANUP(close)
	int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		return 0;
	return errno == EEXIST ? err_set(e, ERR_EXISTS,
					 "'%s' is there: another backup is under way, or one was "
					 "cut off, then remove it",
					 part)
			       : err_errno(e, "'%s'", part);
}

static int write_part(struct db *from, const char *part, const char *path, const char *pem,
		      struct backup_report *report, struct err *e)
{
	if (fill_file(from, part, pem, report, e) < 0 || backup_file_seal(part, BACKUP_MAX, e) < 0)
		return err_code(e);
	return file_publish(part, path, false, e);
}

static int write_from(struct db *from, const char *path, const char *pem,
		      struct backup_report *report, struct err *e)
{
	CLEANUP(free) char *part = NULL;

	if (text_format(&part, e, "%s.part", path) < 0 || make_part(part, e) < 0)
		return err_code(e);
	int failed = write_part(from, part, path, pem, report, e);
	if (failed)
		unlink(part);
	return failed;
}

int backup_write(const struct backup_place *place, const char *path, struct backup_report *report,
		 struct err *e)
{
	struct db from;
	char *pem;

	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "'%s' is there: name another file", path);
	if (open_source(place, &from, e) < 0)
		return err_wrap(e, "back up '%s'", place->dir);
	int failed = read_witness(place, &pem, e);
	if (!failed) {
		failed = write_from(&from, path, pem, report, e);
		forget(pem);
	}
	db_rollback(&from);
	db_close(&from);
	return failed ? err_wrap(e, "back up '%s'", place->dir) : 0;
}
