/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_sqlite_holds.h"

#include "common/db/db.h"

#include <stdlib.h>
#include <string.h>

/* What is looked for, and how much of it is there yet when its next character is not (Knuth, Morris and Pratt). */
struct needle {
	size_t len;
	struct {
		unsigned char character;
		size_t back;
	} at[];
};

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 'a' - 'A') : c;
}

static struct needle *needle_new(const unsigned char *text, size_t len)
{
	struct needle *n = calloc(1, sizeof(*n) + len * sizeof(n->at[0]));

	if (!n)
		return NULL;
	n->len = len;
	for (size_t i = 0; i < len; i++)
		n->at[i].character = fold(text[i]);
	for (size_t i = 1, k = 0; i < len; i++) {
		while (k && n->at[k].character != n->at[i].character)
			k = n->at[k - 1].back;
		k += n->at[k].character == n->at[i].character;
		n->at[i].back = k;
	}
	return n;
}

static bool holds(const unsigned char *text, size_t len, const struct needle *n)
{
	size_t k = 0;

	for (size_t i = 0; i < len && k < n->len; i++) {
		const unsigned char c = fold(text[i]);

		while (k && n->at[k].character != c)
			k = n->at[k - 1].back;
		k += n->at[k].character == c;
	}
	return k == n->len;
}

static void on_call(sqlite3_context *context, int count, sqlite3_value **values)
{
	static const size_t prefix = sizeof(DB_HOLDS) - 1;
	const unsigned char *text = sqlite3_value_text(values[0]);
	const unsigned char *what = sqlite3_value_text(values[1]);
	struct needle *n = sqlite3_get_auxdata(context, 1), *made = NULL;

	if (!text || !what) /* NULL has nothing, and is in nothing; or there is no memory */
		return;
	if (strncmp((const char *)what, DB_HOLDS, prefix) != 0) {
		sqlite3_result_error(context, "texticregexeq: only for " DB_HOLDS, -1);
		return;
	}
	if (!n)
		n = made =
			needle_new(what + prefix, (size_t)sqlite3_value_bytes(values[1]) - prefix);
	if (!n) {
		sqlite3_result_error_nomem(context);
		return;
	}
	sqlite3_result_int(context, holds(text, (size_t)sqlite3_value_bytes(values[0]), n));
	/* For the next row. Where it is not kept it is gone behind this. */
	if (made)
		sqlite3_set_auxdata(context, 1, made, free);
}

int db_sqlite_holds(sqlite3 *sqlite, struct err *e)
{
	if (sqlite3_create_function_v2(sqlite, "texticregexeq", 2,
				       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
				       on_call, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return err_set(e, ERR_INTERNAL, "database: %s", sqlite3_errmsg(sqlite));
}
