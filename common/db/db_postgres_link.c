/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_postgres_link.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
	SERVER_OLDEST = 130000, /* what PQserverVersion() says of 13.0 */
	CONNECT_MS = 10000,
	ANSWER_MS = 20000,   /* longer than the server's own limits, below */
	LOCK_WAIT_MS = 3000, /* until the connection of a service that was killed is gone */
	LOCK_EVERY_MS = 100,
	PAUSE_MIN_MS = 250,
	PAUSE_MAX_MS = 10000,
};

/* The server's limits of a session, and what no setting of a database or role may change. Of a machine that failed
 * without a word the server learns by keepalives alone, which are two hours apart by default: until then the session
 * holds its lock, and nobody takes its place. */
static const char session[] =
	"SET statement_timeout = 10000;"
	"SET lock_timeout = 5000;"
	"SET idle_in_transaction_session_timeout = 60000;"
	"SET tcp_keepalives_idle = 30;"
	"SET tcp_keepalives_interval = 10;"
	"SET tcp_keepalives_count = 3;"
	"SET tcp_user_timeout = 20000;"
	"SET standard_conforming_strings = on;"
	"SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit')"
	" IN ('off', 'local') THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

/* ---- errors ---- */

/* What beginnings of SQLSTATE are here (PostgreSQL's documentation, appendix A), the first that fits;
 * others are ERR_INTERNAL. */
static enum err_code code_of(const char *state)
{
	static const struct {
		const char *begin;
		enum err_code code;
	} codes[] = {
		{ "08", ERR_UNAVAILABLE },    /* connection */
		{ "23", ERR_EXISTS },         /* constraint */
		{ "25006", ERR_UNAVAILABLE }, /* read only: a standby, until it is promoted */
		{ "25P", ERR_UNAVAILABLE },   /* a transaction that idled, or failed before */
		{ "40", ERR_UNAVAILABLE },    /* serialization, deadlock */
		{ "53300", ERR_UNAVAILABLE }, /* too many connections */
		{ "53", ERR_EXHAUSTED },      /* disk full, out of memory */
		{ "55P03", ERR_UNAVAILABLE }, /* a lock was not to be had */
		{ "57", ERR_UNAVAILABLE },    /* took too long, shuts down, starts */
		{ "XX001", ERR_DATA_LOSS },   { "XX002", ERR_DATA_LOSS },
	};

	if (!state)
		return ERR_UNAVAILABLE; /* libpq's own: the connection */
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strncmp(state, codes[i].begin, strlen(codes[i].begin)) == 0)
			return codes[i].code;
	return ERR_INTERNAL;
}

enum { WORDS_MAX = 1024 };

/* One line: libpq breaks and indents what it says of connections. */
static void join_lines(const char *words, char line[WORDS_MAX])
{
	size_t len = 0;

	for (; *words && len + 1 < WORDS_MAX; words++)
		if (*words != '\n' && *words != '\t')
			line[len++] = *words;
		else if (len && line[len - 1] != ' ')
			line[len++] = ' ';
	while (len && line[len - 1] == ' ')
		len--;
	line[len] = '\0';
}

static int fail(struct postgres *p, const PGresult *result, const char *what, struct err *e)
{
	const char *words = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	char line[WORDS_MAX];

	join_lines(words ? words : PQerrorMessage(p->conn), line);
	err_set(e, code_of(state), "database: %s: %s", what, line);
	return err_wrap(e, "%s", p->place.where);
}

/* ---- waiting ---- */

static int gone(struct postgres *p, const char *what, struct err *e)
{
	err_set(e, ERR_UNAVAILABLE, "database: %s: no answer in time", what);
	postgres_drop(p);
	return err_wrap(e, "%s", p->place.where);
}

/* 1: ready; 0: not before `until`. */
static int wait_for(PGconn *conn, short events, int64_t until)
{
	struct pollfd fd = { .fd = PQsocket(conn), .events = events };

	for (;;) {
		int64_t left = until - clock_ms(CLOCK_MONOTONIC);
		int n = left > 0 ? poll(&fd, 1, (int)left) : 0;

		if (n >= 0 || errno != EINTR)
			return n != 0;
	}
}

/* 1: the next result can be had without waiting; 0: not in time. */
static int wait_result(struct postgres *p, int64_t until)
{
	for (;;) {
		int unsent = PQflush(p->conn);

		if (unsent <= 0 && !PQisBusy(p->conn))
			return 1;
		if (!wait_for(p->conn, (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN), until))
			return 0;
		if (!PQconsumeInput(p->conn))
			return 1; /* the next result says why */
	}
}

static bool is_bad(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

int postgres_result(struct postgres *p, int sent, const char *what, PGresult **result,
		    struct err *e)
{
	const int64_t until = clock_ms(CLOCK_MONOTONIC) + ANSWER_MS;
	CLEANUP(PQclear) PGresult *kept = NULL;

	if (!sent)
		return fail(p, NULL, what, e);
	/* Of several statements the last one's, or the first that failed. */
	for (;;) {
		if (!wait_result(p, until))
			return gone(p, what, e);
		PGresult *next = PQgetResult(p->conn);
		if (!next)
			break;
		if (kept && is_bad(kept)) {
			PQclear(next);
			continue;
		}
		PQclear(kept);
		kept = next;
	}
	if (!kept || is_bad(kept))
		return fail(p, kept, what, e);
	*result = TAKE_PTR(kept);
	return 0;
}

int postgres_exec(struct postgres *p, const char *sql, struct err *e)
{
	CLEANUP(PQclear) PGresult *result = NULL;

	return postgres_result(p, PQsendQuery(p->conn, sql), "run", &result, e);
}

/* ---- connecting ---- */

void postgres_drop(struct postgres *p)
{
	while (p->statement_count)
		free(p->statements[--p->statement_count]);
	PQfinish(p->conn);
	p->conn = NULL;
}

static int shake_hands(struct postgres *p, struct err *e)
{
	const int64_t until = clock_ms(CLOCK_MONOTONIC) + CONNECT_MS;
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	p->conn = PQconnectStartParams(p->place.keys, p->place.values, 0);
	if (!p->conn)
		return err_nomem(e);
	if (PQstatus(p->conn) == CONNECTION_BAD)
		return fail(p, NULL, "connect", e);
	while (want != PGRES_POLLING_OK) {
		if (!wait_for(p->conn, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
			return gone(p, "connect", e);
		want = PQconnectPoll(p->conn);
		if (want == PGRES_POLLING_FAILED)
			return fail(p, NULL, "connect", e);
	}
	return PQsetnonblocking(p->conn, 1) < 0 ? fail(p, NULL, "connect", e) : 0;
}

static void say_nothing(void *data, const PGresult *result)
{
}

static int check_server(struct postgres *p, struct err *e)
{
	const char *encoding = PQparameterStatus(p->conn, "server_encoding");
	int version = PQserverVersion(p->conn);

	if (version < SERVER_OLDEST)
		return err_set(e, ERR_PRECONDITION,
			       "%s: version %d, and %d is the oldest that will do", p->place.where,
			       version / 10000, SERVER_OLDEST / 10000);
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		return err_set(e, ERR_PRECONDITION,
			       "%s has the encoding %s: make one with UTF8 (createdb -E UTF8 -T "
			       "template0)",
			       p->place.where, encoding ? encoding : "unknown");
	return 0;
}

/* The first column of one row, as text: a constant statement with the schema's name as $1. */
static int ask(struct postgres *p, const char *sql, char text[32], struct err *e)
{
	CLEANUP(PQclear) PGresult *result = NULL;
	const char *const values[] = { p->schema };
	int sent = PQsendQueryParams(p->conn, sql, 1, NULL, values, NULL, NULL, 0);

	if (postgres_result(p, sent, "ask", &result, e) < 0)
		return err_code(e);
	snprintf(text, 32, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
	return 0;
}

/* Who owns the schema, or may create in it, could put tables of his own in the place of ours. */
static int check_owner(struct postgres *p, struct err *e)
{
	static const char others[] =
		"SELECT count(*)::text FROM (SELECT 1 FROM pg_namespace n WHERE n.nspname = $1::text"
		" AND n.nspowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)"
		" UNION ALL SELECT 1 FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid"
		" WHERE n.nspname = $1::text"
		" AND c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)"
		" UNION ALL SELECT 1 FROM pg_namespace n, aclexplode(n.nspacl) a"
		" WHERE n.nspname = $1::text AND a.privilege_type = 'CREATE'"
		" AND a.grantee <> n.nspowner) AS t";
	char count[32];

	if (ask(p, others, count, e) < 0)
		return err_code(e);
	if (strcmp(count, "0") == 0)
		return 0;
	return err_set(
		e, ERR_PRECONDITION,
		"%s: schema %s or what is in it belongs to another role than %s, or others may "
		"create in it: give it to that role alone (ALTER SCHEMA ... OWNER TO), or name "
		"another database",
		p->place.where, p->schema, PQuser(p->conn));
}

/* Where each program that writes has a row, which says how far its commits have come. Those that have
 * not written for a day go when one comes that is alone; where nothing can be written now they stay. */
static int make_fate(struct postgres *p, struct err *e)
{
	char known[32];
	struct err ignored;

	if (p->look)
		return 0;
	if (ask(p,
		"SELECT count(*)::text FROM pg_tables WHERE schemaname = $1::text"
		" AND tablename = 'cocos_fate'",
		known, e) < 0)
		return err_code(e);
	if (strcmp(known, "0") == 0)
		return postgres_exec(p,
				     "CREATE TABLE IF NOT EXISTS cocos_fate"
				     " (who TEXT PRIMARY KEY, commits BIGINT NOT NULL,"
				     " at TIMESTAMPTZ NOT NULL)",
				     e);
	if (p->exclusive || p->shared)
		(void)!postgres_exec(
			p, "DELETE FROM cocos_fate WHERE at < now() - interval '1 day'", &ignored);
	return 0;
}

/* Its tables are in a schema of their own: who may write into `public` has no say. */
static int enter_schema(struct postgres *p, struct err *e)
{
	char known[32], sql[160];

	if (ask(p, "SELECT count(*)::text FROM pg_namespace WHERE nspname = $1::text", known, e) <
	    0)
		return err_code(e);
	if (strcmp(known, "0") == 0 && !p->look) {
		snprintf(sql, sizeof(sql), "CREATE SCHEMA IF NOT EXISTS %s", p->schema);
		if (postgres_exec(p, sql, e) < 0)
			return err_code(e);
	}
	snprintf(sql, sizeof(sql), "SET search_path = %s; SET default_transaction_read_only = %s",
		 p->schema, p->look ? "on" : "off");
	return postgres_exec(p, sql, e);
}

/* Before it has the lock: whoever has that is known by its name. */
static int name_session(struct postgres *p, struct err *e)
{
	CLEANUP(PQclear) PGresult *result = NULL;
	const char *const values[] = { p->name };

	if (!p->name)
		return 0;
	return postgres_result(
		p,
		PQsendQueryParams(p->conn, "SELECT set_config('application_name', $1::text, false)",
				  1, NULL, values, NULL, NULL, 0),
		"name", &result, e);
}

/* The session has the lock that says so, and ends with the connection: what this one writes, the only
 * holder writes. */
static int exclude_others(struct postgres *p, struct err *e)
{
	const int64_t until = clock_ms(CLOCK_MONOTONIC) + LOCK_WAIT_MS;
	const char *lock =
		p->shared
			? "SELECT pg_try_advisory_lock_shared(hashtextextended($1::text, 0))::text"
			: "SELECT pg_try_advisory_lock(hashtextextended($1::text, 0))::text";
	char got[32];

	for (;;) {
		if (ask(p, lock, got, e) < 0)
			return err_code(e);
		if (strcmp(got, "true") == 0)
			return 0;
		if (clock_ms(CLOCK_MONOTONIC) > until)
			return err_set(e, ERR_PRECONDITION, "another service uses the %s",
				       p->place.where);
		usleep(LOCK_EVERY_MS * 1000);
	}
}

/* A newer program may have been there while the connection was away. */
static int check_form(struct postgres *p, struct err *e)
{
	char form[32], expected[32];

	if (!p->form)
		return 0;
	if (ask(p, "SELECT coalesce(max(form), 0)::text FROM cocos_form WHERE $1::text <> ''", form,
		e) < 0)
		return err_code(e);
	snprintf(expected, sizeof(expected), "%lld", (long long)p->form);
	if (strcmp(form, expected) == 0)
		return 0;
	return err_set(e, ERR_PRECONDITION, "%s has become form %s: start this service anew",
		       p->place.where, form);
}

static int connect_once(struct postgres *p, struct err *e)
{
	if (shake_hands(p, e) < 0)
		return err_code(e);
	PQsetNoticeReceiver(p->conn, say_nothing, NULL);
	if (check_server(p, e) < 0 || postgres_exec(p, session, e) < 0 || enter_schema(p, e) < 0 ||
	    check_owner(p, e) < 0 || name_session(p, e) < 0 ||
	    ((p->exclusive || p->shared) && exclude_others(p, e) < 0) || make_fate(p, e) < 0)
		return err_code(e);
	return check_form(p, e);
}

int postgres_connect(struct postgres *p, struct err *e)
{
	postgres_drop(p);
	if (connect_once(p, e) == 0) {
		if (p->pause)
			log_info("%s: connected again", p->place.where);
		p->pause = 0;
		return 0;
	}
	postgres_drop(p);
	p->pause = p->pause ? 2 * p->pause : PAUSE_MIN_MS;
	if (p->pause > PAUSE_MAX_MS)
		p->pause = PAUSE_MAX_MS;
	p->retry = clock_ms(CLOCK_MONOTONIC) + p->pause;
	p->last = *e;
	return err_code(e);
}

int postgres_ready(struct postgres *p, struct err *e)
{
	bool there = p->conn && PQstatus(p->conn) == CONNECTION_OK;

	if (there)
		return 0;
	if (p->within) {
		err_set(e, ERR_UNAVAILABLE, "database: the connection is gone, nothing was kept");
		return err_wrap(e, "%s", p->place.where);
	}
	if (clock_ms(CLOCK_MONOTONIC) < p->retry && p->pause) {
		*e = p->last;
		e->code = ERR_UNAVAILABLE;
		return err_code(e);
	}
	if (postgres_connect(p, e) == 0)
		return 0;
	e->code = ERR_UNAVAILABLE;
	return err_code(e);
}

int postgres_word(struct postgres *p, const char *sql, const char *const values[2],
		  char word[POSTGRES_WORD_MAX], struct err *e)
{
	CLEANUP(PQclear) PGresult *result = NULL;
	int sent = PQsendQueryParams(p->conn, sql, values ? 2 : 0, NULL, values, NULL, NULL, 0);

	if (postgres_result(p, sent, "commit", &result, e) < 0)
		return err_code(e);
	snprintf(word, POSTGRES_WORD_MAX, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
	return 0;
}

void postgres_undo(struct postgres *p)
{
	struct err ignored;

	p->within = false;
	if (p->conn && postgres_exec(p, "ROLLBACK", &ignored) < 0)
		postgres_drop(p); /* so that no transaction stays open */
}
