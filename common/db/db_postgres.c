/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_postgres.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/db/db_driver.h"
#include "common/db/db_postgres_fate.h"
#include "common/db/db_postgres_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Types by their numbers (pg_type.dat), which never change. */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23, OID_TEXT = 25 };
enum {
	NAME_MAX_ = 16,
};

struct postgres_rows {
	struct db_rows rows;
	PGresult *result;
	int row;                /* the one that is read, from 0; -1: before the first */
	struct postgres *walks; /* where more are to be had; NULL: these are all */
};

/* ---- statements ---- */

static Oid type_of(char letter)
{
	return letter == 'i' ? OID_INT8 : letter == 't' ? OID_TEXT : OID_BYTEA;
}

static int prepare(struct postgres *p, const char *name, const char *sql,
		   const struct db_param *params, size_t count, struct err *e)
{
	CLEANUP(PQclear) PGresult *result = NULL;
	CLEANUP(free) char *dollars = NULL;
	Oid types[DB_PARAMS_MAX];

	for (size_t i = 0; i < count; i++)
		types[i] = type_of(params[i].type);
	if (db_dialect_dollars(sql, count, &dollars, e) < 0)
		return err_code(e);
	return postgres_result(p, PQsendPrepare(p->conn, name, dollars, (int)count, types),
			       "prepare", &result, e);
}

/* Under a name while there is room, else under none. */
static int prepared(struct postgres *p, const char *sql, const struct db_param *params,
		    size_t count, char name[NAME_MAX_], struct err *e)
{
	size_t at = 0;
	char *copy;

	while (at < p->statement_count && strcmp(p->statements[at], sql) != 0)
		at++;
	name[0] = 0;
	if (at < POSTGRES_STATEMENTS_MAX)
		snprintf(name, NAME_MAX_, "s%zu", at);
	if (at < p->statement_count)
		return 0;
	if (prepare(p, name, sql, params, count, e) < 0)
		return err_code(e);
	if (at == POSTGRES_STATEMENTS_MAX)
		return 0;
	copy = strdup(sql);
	if (!copy) {
		postgres_drop(p); /* which forgets the name */
		return err_nomem(e);
	}
	p->statements[p->statement_count++] = copy;
	return 0;
}

static int execute(struct postgres *p, const char *name, const struct db_param *params,
		   size_t count, PGresult **result, struct err *e)
{
	const char *values[DB_PARAMS_MAX];
	int lengths[DB_PARAMS_MAX], formats[DB_PARAMS_MAX];
	uint64_t numbers[DB_PARAMS_MAX];

	for (size_t i = 0; i < count; i++) {
		const struct db_param *from = &params[i];

		if (from->len > INT32_MAX / 2)
			return err_set(e, ERR_EXHAUSTED, "database: a value of %zu bytes",
				       from->len);
		numbers[i] = htobe64((uint64_t)from->number);
		values[i] = from->type == 'i' ? (const char *)&numbers[i] : from->bytes;
		if (from->type == 'b' && !values[i])
			values[i] = ""; /* none, not SQL's NULL */
		lengths[i] = from->type == 'i' ? (int)sizeof(numbers[i]) : (int)from->len;
		formats[i] = from->type != 't';
	}
	return postgres_result(
		p, PQsendQueryPrepared(p->conn, name, (int)count, values, lengths, formats, 1),
		"run", result, e);
}

static const struct db_driver driver;

static int postgres_query(void *handle, const char *sql, const struct db_param *params,
			  size_t count, struct db_rows **rows, struct err *e)
{
	struct postgres *p = handle;
	CLEANUP(PQclear) PGresult *result = NULL;
	struct postgres_rows *r;
	char name[NAME_MAX_];

	if (postgres_ready(p, e) < 0 || prepared(p, sql, params, count, name, e) < 0 ||
	    execute(p, name, params, count, &result, e) < 0)
		return err_code(e);
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem(e);
	r->rows.driver = &driver;
	r->result = TAKE_PTR(result);
	r->row = -1;
	*rows = &r->rows;
	return 0;
}

/* A cursor, since libpq keeps a result whole. A row may have megabytes. */
#define WALK "cocos_walk"

static int postgres_walk(void *handle, const char *sql, struct db_rows **rows, struct err *e)
{
	struct postgres *p = handle;
	CLEANUP(free) char *declare = NULL;
	struct postgres_rows *r;

	if (text_format(&declare, e, "DECLARE " WALK " NO SCROLL CURSOR FOR %s", sql) < 0 ||
	    postgres_ready(p, e) < 0 || postgres_exec(p, declare, e) < 0)
		return err_code(e);
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem(e);
	r->rows.driver = &driver;
	r->row = -1;
	r->walks = p;
	*rows = &r->rows;
	return 0;
}

static int fetch(struct postgres_rows *r, struct err *e)
{
	static const char sql[] = "FETCH FORWARD 32 FROM " WALK;
	struct postgres *p = r->walks;

	PQclear(TAKE_PTR(r->result));
	r->row = -1;
	if (postgres_ready(p, e) < 0)
		return err_code(e);
	return postgres_result(p, PQsendQueryParams(p->conn, sql, 0, NULL, NULL, NULL, NULL, 1),
			       "read", &r->result, e);
}

/* ---- rows ---- */

static int postgres_next(struct db_rows *rows, struct err *e)
{
	struct postgres_rows *r = (struct postgres_rows *)rows;

	if (r->walks && r->row + 1 >= PQntuples(r->result) && fetch(r, e) < 0)
		return err_code(e);
	return ++r->row < PQntuples(r->result);
}

static int64_t postgres_changed(struct db_rows *rows)
{
	return strtoll(PQcmdTuples(((struct postgres_rows *)rows)->result), NULL, 10);
}

static struct db_value postgres_value(struct db_rows *rows, int column)
{
	struct postgres_rows *r = (struct postgres_rows *)rows;
	struct db_value value = { .type = DB_OTHER };
	struct reader in;

	if (PQgetisnull(r->result, r->row, column))
		return (struct db_value){ .type = DB_NULL };
	value.bytes = PQgetvalue(r->result, r->row, column);
	value.len = (size_t)PQgetlength(r->result, r->row, column);
	in = reader_over(value.bytes, value.len);
	switch (PQftype(r->result, column)) {
	case OID_INT8:
		value.number = (int64_t)reader_be64(&in);
		value.type = reader_done(&in) ? DB_INTEGER : DB_OTHER;
		break;
	case OID_INT4:
		value.number = (int32_t)reader_be32(&in);
		value.type = reader_done(&in) ? DB_INTEGER : DB_OTHER;
		break;
	case OID_TEXT:
		value.type = DB_TEXT;
		break;
	case OID_BYTEA:
		value.type = DB_BLOB;
		break;
	default:
		break;
	}
	return value;
}

static const char *postgres_name(struct db_rows *rows, int column)
{
	const char *name = PQfname(((struct postgres_rows *)rows)->result, column);

	return name ? name : "?";
}

static void postgres_free_rows(struct db_rows *rows)
{
	struct postgres_rows *r = (struct postgres_rows *)rows;

	struct err ignored;

	if (r->walks && r->walks->conn)
		(void)!postgres_exec(r->walks, "CLOSE " WALK, &ignored);
	PQclear(r->result);
	free(r);
}

/* ---- transactions ---- */

static int postgres_script(void *handle, const char *sql, struct err *e)
{
	struct postgres *p = handle;

	return postgres_ready(p, e) < 0 ? err_code(e) : postgres_exec(p, sql, e);
}

static int begin_by(struct postgres *p, const char *sql, struct err *e)
{
	int failed;

	if (postgres_ready(p, e) < 0)
		return err_code(e);
	failed = postgres_exec(p, sql, e);
	/* It broke while nothing was asked of it: nobody has lost anything yet. */
	if (failed && (!p->conn || PQstatus(p->conn) != CONNECTION_OK))
		failed = postgres_ready(p, e) < 0 ? err_code(e) : postgres_exec(p, sql, e);
	p->within = !failed;
	return failed;
}

static int postgres_begin(void *handle, struct err *e)
{
	return begin_by(handle, "BEGIN ISOLATION LEVEL SERIALIZABLE", e);
}

/* The first read makes the moment. */
static int postgres_snapshot(void *handle, struct err *e)
{
	return begin_by(handle, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e);
}

static void postgres_rollback(void *handle)
{
	postgres_undo(handle);
}

static int postgres_commit(void *handle, struct err *e)
{
	struct postgres *p = handle;
	CLEANUP(PQclear) PGresult *result = NULL;
	char number[POSTGRES_WORD_MAX];

	if (postgres_fate_number(p, number, e) < 0) {
		postgres_undo(p);
		return err_code(e);
	}
	int failed = postgres_result(p, PQsendQuery(p->conn, "COMMIT"), "commit", &result, e);

	p->within = false;
	/* A transaction that had failed is 'committed' by undoing it. */
	if (!failed && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		return err_set(e, ERR_INTERNAL, "database: commit: it had failed before");
	if (!failed)
		return 0;
	if (p->conn && PQstatus(p->conn) == CONNECTION_OK)
		return failed; /* the server's own answer, such as a lost race: it is undone */
	postgres_drop(p);
	return *number ? postgres_fate_find(p, number, e) : failed;
}

/* ---- forms ---- */

static int postgres_form(void *handle, int64_t *form, struct err *e)
{
	struct postgres *p = handle;
	struct db db = { &driver, handle };
	int64_t made;

	p->form = 0;
	if (db_number(&db, &made, e,
		      "SELECT count(*) FROM pg_tables WHERE schemaname = ? AND tablename = ?", "tt",
		      p->schema, "cocos_form") < 0 ||
	    (made &&
	     db_number(&db, &p->form, e, "SELECT coalesce(max(form), 0) FROM cocos_form", "") < 0))
		return err_code(e);
	*form = p->form;
	return 0;
}

static int postgres_set_form(void *handle, int form, struct err *e)
{
	struct postgres *p = handle;
	char sql[96];

	snprintf(sql, sizeof(sql), "DELETE FROM cocos_form; INSERT INTO cocos_form VALUES (%d)",
		 form);
	p->form = 0;
	if (postgres_script(p, "CREATE TABLE IF NOT EXISTS cocos_form (form BIGINT NOT NULL)", e) <
		    0 ||
	    postgres_script(p, sql, e) < 0)
		return err_code(e);
	p->form = form;
	return 0;
}

static void postgres_close(void *handle)
{
	struct postgres *p = handle;

	postgres_drop(p);
	postgres_place_done(&p->place);
	free(p->schema);
	free(p->name);
	free(p);
}

static const struct db_driver driver = {
	.dialect = DB_POSTGRES,
	.query = postgres_query,
	.walk = postgres_walk,
	.next = postgres_next,
	.changed = postgres_changed,
	.value = postgres_value,
	.name = postgres_name,
	.free_rows = postgres_free_rows,
	.script = postgres_script,
	.begin = postgres_begin,
	.snapshot = postgres_snapshot,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.form = postgres_form,
	.set_form = postgres_set_form,
	.close = postgres_close,
};

/* ---- opening ---- */

bool db_postgres_is_place(const char *place)
{
	return strncmp(place, "postgresql://", 13) == 0 || strncmp(place, "postgres://", 11) == 0 ||
	       (place[0] != '/' && strchr(place, '='));
}

int db_postgres_check(const char *place, struct err *e)
{
	struct postgres_place read;

	if (postgres_place_read(place, &read, e) < 0)
		return err_code(e);
	postgres_place_done(&read);
	return 0;
}

/* Without durability on the server nothing that is acknowledged is sure. */
static int warn_of_fsync(struct postgres *p, struct err *e)
{
	char fsync_is[POSTGRES_WORD_MAX];

	if (postgres_word(p, "SELECT current_setting('fsync')", NULL, fsync_is, e) < 0)
		return err_code(e);
	if (strcmp(fsync_is, "on") != 0)
		log_warn("%s: the server's fsync is %s: what was acknowledged is lost when its "
			 "machine fails",
			 p->place.where, fsync_is);
	return 0;
}

static int name_it(struct postgres *p, struct err *e)
{
	uint8_t who[POSTGRES_WHO_LEN];

	if (getentropy(who, sizeof(who)) < 0)
		return err_errno(e, "random bytes");
	hex_encode(who, sizeof(who), p->who);
	return 0;
}

int db_postgres_open(struct db *db, const struct db_postgres *how, struct err *e)
{
	struct postgres *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	p->exclusive = how->exclusive;
	p->shared = how->shared;
	p->look = how->look;
	p->schema = strdup(how->schema);
	p->name = how->name ? strdup(how->name) : NULL;
	const bool lacks = !p->schema || (how->name && !p->name);
	if (lacks)
		err_nomem(e);
	if (lacks || name_it(p, e) < 0 || postgres_place_read(how->place, &p->place, e) < 0 ||
	    postgres_connect(p, e) < 0 || (!p->look && warn_of_fsync(p, e) < 0)) {
		postgres_close(p);
		return err_code(e);
	}
	*db = (struct db){ &driver, p };
	return 0;
}
