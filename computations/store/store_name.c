/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_name.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/manifest/manifest.h"

#include <string.h>

enum { DIGITS_MAX = 4 }; /* of STORE_NAME_NUMBERS_MAX */

static int refuse(int64_t others, const char *name, struct err *e)
{
	if (others)
		return err_set(e, ERR_EXISTS,
			       "name: another computation of its workspace is called %s: choose "
			       "another one",
			       log_quote(name).text);
	return 0;
}

static int count_named(struct db *db, int64_t workspace, const char *name, int64_t *count,
		       struct err *e)
{
	*count = 0;
	if (!*name)
		return 0;
	return db_number(db, count, e,
			 "SELECT count(*) FROM computations c JOIN workspace_computations h"
			 " ON h.computation = c.id WHERE c.name = ? AND h.workspace = ?",
			 "ti", name, workspace);
}

int store_check_new_name(struct db *db, int64_t workspace, const char *name, struct err *e)
{
	int64_t others;

	if (count_named(db, workspace, name, &others, e) < 0)
		return err_code(e);
	return refuse(others, name, e);
}

int store_check_name(struct db *db, const char *id, const char *name, struct err *e)
{
	int64_t others;

	if (!*name)
		return 0;
	if (db_number(db, &others, e,
		      "SELECT count(*) FROM computations c JOIN workspace_computations h"
		      " ON h.computation = c.id WHERE c.name = ?2 AND c.id <> ?1 AND h.workspace ="
		      " (SELECT workspace FROM workspace_computations WHERE computation = ?1)",
		      "tt", id, name) < 0)
		return err_code(e);
	return refuse(others, name, e);
}

/* ---- one that is free ---- */

/* The number of so many digits behind `stem`, in a name that begins with it; 0: there is none. */
static int number_behind(const char *stem, const char *name, int digits)
{
	const char *c = name + strlen(stem);
	int number = 0;

	if (strlen(name) != strlen(stem) + (size_t)digits + 1)
		return 0;
	for (; digits; digits--, c++) {
		if (*c < '0' || *c > '9')
			return 0;
		number = 10 * number + (*c - '0');
	}
	return *c == ')' ? number : 0;
}

/* `name` and " (", as much of it as leaves room for the rest. */
static int make_stem(const char *name, int digits, char **stem, struct err *e)
{
	const size_t room = MANIFEST_NAME_MAX - strlen(" ()") - (size_t)digits;
	size_t whole = strlen(name), len = 0, next;

	while (len < whole && (next = utf8_char(name + len, whole - len)) > 0 && len + next <= room)
		len += next;
	return text_format(stem, e, "%.*s (", (int)len, name);
}

/* The first number of so many digits that nobody has; `*number` 0: there is none. */
static int find_number(struct db *db, int64_t workspace, const char *stem, int digits, int *number,
		       struct err *e)
{
	bool taken[STORE_NAME_NUMBERS_MAX + 1] = { false };
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row, first = 1;

	if (db_query(db, &rows, e,
		     "SELECT c.name FROM computations c JOIN workspace_computations h"
		     " ON h.computation = c.id WHERE h.workspace = ?1"
		     " AND substr(c.name, 1, length(?2)) = ?2",
		     "it", workspace, stem) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		CLEANUP(free) char *name = NULL;

		if (db_text(rows, 0, &name, e) < 0)
			return err_code(e);
		taken[number_behind(stem, name, digits)] = true;
	}
	if (row < 0)
		return row;
	for (int i = 1; i < digits; i++)
		first *= 10;
	*number = 0;
	for (int i = first > 2 ? first : 2; !*number && i < 10 * first; i++)
		if (!taken[i])
			*number = i;
	return 0;
}

int store_name_free(struct db *db, int64_t workspace, const char *name, char **out, struct err *e)
{
	int64_t others;

	if (count_named(db, workspace, name, &others, e) < 0)
		return err_code(e);
	if (!others)
		return text_format(out, e, "%s", name);
	for (int digits = 1; digits <= DIGITS_MAX; digits++) {
		CLEANUP(free) char *stem = NULL;
		int number;

		if (make_stem(name, digits, &stem, e) < 0 ||
		    find_number(db, workspace, stem, digits, &number, e) < 0)
			return err_code(e);
		if (number)
			return text_format(out, e, "%s%d)", stem, number);
	}
	return err_set(e, ERR_EXISTS,
		       "name: computations of its workspace are called %s with every number up to "
		       "%d: choose another one",
		       log_quote(name).text, STORE_NAME_NUMBERS_MAX);
}
