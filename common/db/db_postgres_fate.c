/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_postgres_fate.h"

#include "common/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	FATE_MS = 10000, /* that a server may take to come back and say what became of a commit */
	FATE_EVERY_MS = 100,
};

#define PUT_FATE                                                                              \
	"INSERT INTO cocos_fate VALUES ($1::text, $2::text::bigint, now()) ON CONFLICT (who)" \
	" DO UPDATE SET at = now(), commits = "

/* The number that our row has. It waits for a transaction that has written it and not ended, which only a write of
 * the same row does; that one is undone, so that no standby has to confirm it. */
static int read_fate(struct postgres *p, char fate[POSTGRES_WORD_MAX], struct err *e)
{
	const char *const nothing[] = { p->who, "0" };

	if (postgres_exec(p, "BEGIN", e) < 0)
		return err_code(e);
	int failed = postgres_word(p, PUT_FATE "cocos_fate.commits RETURNING commits::text",
				   nothing, fate, e);

	postgres_undo(p);
	return failed;
}

int postgres_fate_find(struct postgres *p, const char *number, struct err *e)
{
	const int64_t until = clock_ms(CLOCK_MONOTONIC) + FATE_MS;
	char fate[POSTGRES_WORD_MAX] = "";

	do {
		if ((p->conn || postgres_connect(p, e) == 0) && read_fate(p, fate, e) == 0) {
			if (strcmp(fate, number) == 0)
				return 0;
			return err_set(e, ERR_UNAVAILABLE,
				       "%s: the connection is gone, nothing was kept",
				       p->place.where);
		}
		usleep(FATE_EVERY_MS * 1000);
	} while (clock_ms(CLOCK_MONOTONIC) < until);
	return err_set(
		e, ERR_UNKNOWN,
		"%s: the connection broke at the end, and whether the change was kept is not "
		"known: look before you repeat it",
		p->place.where);
}

int postgres_fate_number(struct postgres *p, char number[POSTGRES_WORD_MAX], struct err *e)
{
	static const char ask[] = "SELECT (pg_current_xact_id_if_assigned() IS NOT NULL)::text";
	const char *const values[] = { p->who, number };
	char word[POSTGRES_WORD_MAX];

	*number = 0;
	if (postgres_ready(p, e) < 0 || postgres_word(p, ask, NULL, word, e) < 0)
		return err_code(e);
	if (strcmp(word, "true") != 0)
		return 0;
	snprintf(number, POSTGRES_WORD_MAX, "%" PRIu64, ++p->commits);
	return postgres_word(p, PUT_FATE "excluded.commits", values, word, e);
}
