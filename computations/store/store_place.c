/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_place.h"

#include "common/base/file.h"
#include "common/db/db_postgres.h"
#include "common/db/db_sqlite.h"
#include "computations/store/store_form.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* One that root has started there once made what its user can't open. */
static int refuse_open(const char *path, struct err *e)
{
	struct stat about;
	const int why = errno;

	if (why == EACCES && lstat(path, &about) == 0 && about.st_uid != geteuid())
		return err_set(
			e, ERR_DENIED,
			"'%s' belongs to uid %u: start it as that user, or give this one the "
			"folder with all in it (chown -R)",
			path, (unsigned)about.st_uid);
	errno = why;
	return err_errno(e, "'%s'", path);
}

/* Two services would each tell half of the agents half of the truth. */
static int lock_file(const char *path, const char *what, int *lock, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return refuse_open(path, e);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*lock = TAKE_FD(fd);
		return 0;
	}
	if (errno != EWOULDBLOCK)
		return err_errno(e, "lock '%s'", path);
	return err_set(e, ERR_PRECONDITION, "another cocos-computations uses '%s'", what);
}

static int lock_dir(const char *dir, int *lock, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	return text_format(&path, e, "%s/lock", dir) < 0 ? err_code(e)
							 : lock_file(path, dir, lock, e);
}

static int path_of(const char *dir, const char *database, char **path, struct err *e)
{
	return text_format(path, e, database ? "%s" : "%s/computations.db",
			   database ? database : dir);
}

/* A file has a lock of its own beside it: the setting may name one in any folder. A server has its own. */
static int open_database(struct db *db, const char *dir, const char *database, const char *session,
			 int *lock, struct err *e)
{
	CLEANUP(free) char *path = NULL, *lock_path = NULL;

	if (database && db_postgres_is_place(database))
		return db_postgres_open(db,
					&(struct db_postgres){ .place = database,
							       .schema = STORE_SCHEMA,
							       .name = session,
							       .exclusive = true },
					e);
	if (path_of(dir, database, &path, e) < 0 ||
	    text_format(&lock_path, e, "%s.lock", path) < 0 ||
	    lock_file(lock_path, path, lock, e) < 0)
		return err_code(e);
	return db_sqlite_open(db, path, e);
}

int store_place_open(const char *dir, const char *database, const char *session,
		     struct store_place *place, struct err *e)
{
	CLEANUP(close) int lock = -1, database_lock = -1;

	if (dir_make(dir, 0700, e) < 0)
		return err_wrap(
			e, "COMPUTATIONS_STATE_DIR has to be a folder that this user may write");
	if (lock_dir(dir, &lock, e) < 0 ||
	    open_database(&place->db, dir, database, session, &database_lock, e) < 0)
		return err_code(e);
	place->lock = TAKE_FD(lock);
	place->database_lock = TAKE_FD(database_lock);
	return 0;
}

void store_place_close(struct store_place *place)
{
	db_close(&place->db);
	if (place->database_lock >= 0)
		close(place->database_lock);
	close(place->lock);
}

int store_place_look(const char *dir, const char *database, struct db *db, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (database && db_postgres_is_place(database))
		return db_postgres_open(db,
					&(struct db_postgres){ .place = database,
							       .schema = STORE_SCHEMA,
							       .look = true },
					e);
	if (path_of(dir, database, &path, e) < 0)
		return err_code(e);
	if (access(path, F_OK) < 0)
		return err_errno(
			e, "no records: look at COMPUTATIONS_STATE_DIR and _DATABASE: '%s'", path);
	return db_sqlite_open(db, path, e);
}
