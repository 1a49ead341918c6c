/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_name.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/manifest/manifest.h"

#include <stdio.h>
#include <string.h>

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
			 "SELECT count(*) FROM computations c WHERE c.name = ? AND EXISTS"
			 " (SELECT 1 FROM workspace_computations h"
			 " WHERE h.computation = c.id AND h.workspace = ?)",
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
	if (db_number(
		    db, &others, e,
		    "SELECT count(*) FROM computations c WHERE c.name = ?2 AND c.id <> ?1 AND EXISTS"
		    " (SELECT 1 FROM workspace_computations h WHERE h.computation = c.id AND h.workspace ="
		    " (SELECT workspace FROM workspace_computations WHERE computation = ?1))",
		    "tt", id, name) < 0)
		return err_code(e);
	return refuse(others, name, e);
}

/* ---- one that is free ---- */

/* `name` itself for 1, else with the number behind it, and as much of it as that leaves room for. */
static int make(const char *name, int number, char **made, struct err *e)
{
	char behind[16] = "";
	size_t whole = strlen(name), len = 0, room, next;

	if (number > 1)
		snprintf(behind, sizeof(behind), " (%d)", number);
	room = MANIFEST_NAME_MAX - strlen(behind);
	while (len < whole && (next = utf8_char(name + len, whole - len)) > 0 && len + next <= room)
		len += next;
	return text_format(made, e, "%.*s%s", (int)len, name, behind);
}

static int is_taken(struct db *db, int64_t workspace, const char *name, int number, bool *taken,
		    struct err *e)
{
	CLEANUP(free) char *tried = NULL;
	int64_t others;

	if (make(name, number, &tried, e) < 0 || count_named(db, workspace, tried, &others, e) < 0)
		return err_code(e);
	*taken = others > 0;
	return 0;
}

/* Few look-ups, however many have the name: others wait for the database meanwhile. */
int store_name_free(struct db *db, int64_t workspace, const char *name, char **out, struct err *e)
{
	int low = 0,
	    high = 1; /* what is taken, and what is not; above the last number nothing is */
	bool taken = true;

	while (taken && high <= STORE_NAME_NUMBERS_MAX) {
		if (is_taken(db, workspace, name, high, &taken, e) < 0)
			return err_code(e);
		if (taken) {
			low = high;
			high *= 2;
		}
	}
	if (high > STORE_NAME_NUMBERS_MAX)
		high = STORE_NAME_NUMBERS_MAX + 1;
	while (high - low > 1) {
		const int middle = low + (high - low) / 2;

		if (is_taken(db, workspace, name, middle, &taken, e) < 0)
			return err_code(e);
		*(taken ? &low : &high) = middle;
	}
	if (high <= STORE_NAME_NUMBERS_MAX)
		return make(name, high, out, e);
	return err_set(e, ERR_EXISTS,
		       "name: computations of its workspace are called %s with numbers up to "
		       "%d: choose another one",
		       log_quote(name).text, STORE_NAME_NUMBERS_MAX);
}
