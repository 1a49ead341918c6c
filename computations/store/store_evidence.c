/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_evidence.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

/* Which row of its own a piece has: a run's by the computation's number, a CVM's by the CVM's. */
#define OF_RUN                              \
	"of_run = 1 AND number = coalesce(" \
	"(SELECT number FROM computations WHERE id = ?), 0)"
#define OF_CVM                              \
	"of_run = 0 AND number = coalesce(" \
	"(SELECT number FROM cvms WHERE id = ?), 0)"

void kept_evidence_free(struct kept_evidence *k)
{
	if (!k)
		return;
	free(k->cvm_id);
	free(k->verdict);
	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		free((void *)(uintptr_t)k->parts[i].bytes);
	free(k);
}

int store_evidence_run(struct store *store, const char *computation_id, struct evidence_run *run,
		       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e, "SELECT number, attempt FROM computations WHERE id = ?",
		     "t", computation_id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_NOT_FOUND, "no computation %s",
					 log_quote(computation_id).text);
	if (db_integer(rows, 0, 1, INT64_MAX, &run->number, e) < 0)
		return err_code(e);
	return db_integer(rows, 1, 1, INT64_MAX, &run->attempt, e);
}

/* ---- a new one ---- */

/* Its row's number: the run's, if that CVM is still at it; else the CVM's. 0: whose it was is gone. */
static int find_place(struct store *store, const struct kept_evidence *k, int64_t *number,
		      struct err *e)
{
	if (!k->run.number)
		return db_number(&store->db, number, e,
				 "SELECT coalesce(max(number), 0) FROM cvms WHERE id = ?", "t",
				 k->cvm_id);
	return db_number(&store->db, number, e,
			 "SELECT coalesce(max(c.number), 0) FROM computations c"
			 " JOIN cvms v ON v.computation = c.id AND v.id = c.cvm"
			 " WHERE c.number = ? AND c.attempt = ? AND v.id = ?",
			 "iit", k->run.number, k->run.attempt, k->cvm_id);
}

static size_t size_of(const struct kept_evidence *k)
{
	size_t len = 0;

	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		len += k->parts[i].len;
	return len;
}

/* None is no NULL. */
static const void *bytes_of(struct span s)
{
	return s.len ? (const void *)s.bytes : "";
}

int store_evidence_keep(struct store *store, const struct kept_evidence *k, struct err *e)
{
	const struct span *parts = k->parts;
	int64_t of_run = k->run.number != 0, number;

	if (find_place(store, k, &number, e) < 0)
		return err_code(e);
	if (!number)
		return 0;
	if (db_run(&store->db, e, "DELETE FROM evidence WHERE of_run = ? AND number = ?", "ii",
		   of_run, number) < 0)
		return err_code(e);
	if (!parts[EVIDENCE_TOKEN].len)
		return 0;
	if (size_of(k) > EVIDENCE_KEPT_MAX) {
		log_warn("CVM %s: evidence of %zu bytes, with what it was judged by, is not kept: "
			 "%d at most are",
			 log_quote(k->cvm_id).text, size_of(k), EVIDENCE_KEPT_MAX);
		return 0;
	}
	return db_run(&store->db, e,
		      "INSERT INTO evidence (of_run, number, cvm, attempt, verified, verdict,"
		      " judged, nonce, manifest, token, policy, root, ak)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "iitiitibbbbbb", of_run, number, k->cvm_id, k->run.attempt,
		      (int64_t)k->verified, k->verdict, k->judged, k->nonce, sizeof(k->nonce),
		      k->manifest, k->has_manifest ? sizeof(k->manifest) : 0,
		      bytes_of(parts[EVIDENCE_TOKEN]), parts[EVIDENCE_TOKEN].len,
		      bytes_of(parts[EVIDENCE_POLICY]), parts[EVIDENCE_POLICY].len,
		      bytes_of(parts[EVIDENCE_ROOT]), parts[EVIDENCE_ROOT].len,
		      bytes_of(parts[EVIDENCE_AK]), parts[EVIDENCE_AK].len);
}

/* ---- the one that there is ---- */

/* `len` bytes, or none where that may be. */
static int read_bytes(struct db_rows *row, int column, uint8_t *bytes, size_t len, bool *is_there,
		      struct err *e)
{
	const void *found;
	size_t got;

	if (db_blob(row, column, len, &found, &got, e) < 0)
		return err_code(e);
	if (got != len && (got || !is_there))
		return err_set(e, ERR_DATA_LOSS,
			       "database: %s of a piece of evidence has %zu bytes of %zu",
			       db_column_name(row, column), got, len);
	if (got)
		memcpy(bytes, found, got);
	if (is_there)
		*is_there = got != 0;
	return 0;
}

static int read_part(struct db_rows *row, int column, struct span *part, struct err *e)
{
	const void *found;
	uint8_t *copy;
	size_t len;

	if (db_blob(row, column, EVIDENCE_KEPT_MAX, &found, &len, e) < 0)
		return err_code(e);
	copy = malloc(len ? len : 1);
	if (!copy)
		return err_nomem(e);
	if (len)
		memcpy(copy, found, len);
	*part = (struct span){ copy, len };
	return 0;
}

static int read_row(struct db_rows *row, struct kept_evidence *k, struct err *e)
{
	if (db_text(row, 0, &k->cvm_id, e) < 0 ||
	    db_integer(row, 1, 0, INT64_MAX, &k->run.attempt, e) < 0 ||
	    db_flag(row, 2, &k->verified, e) < 0 || db_text(row, 3, &k->verdict, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &k->judged, e) < 0 ||
	    read_bytes(row, 5, k->nonce, sizeof(k->nonce), NULL, e) < 0 ||
	    read_bytes(row, 6, k->manifest, sizeof(k->manifest), &k->has_manifest, e) < 0 ||
	    db_integer(row, 7, 1, INT64_MAX, &k->run.number, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		if (read_part(row, 8 + (int)i, &k->parts[i], e) < 0)
			return err_code(e);
	return 0;
}

#define EVIDENCE_COLUMNS                                                                  \
	"SELECT cvm, attempt, verified, verdict, judged, nonce, manifest, number, token," \
	" policy, root, ak FROM evidence WHERE "

int store_evidence(struct store *store, const char *computation_id, const char *cvm_id,
		   struct kept_evidence **k, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(kept_evidence_free) struct kept_evidence *got = NULL;
	bool of_run = *computation_id;
	int row;

	*k = NULL;
	if (db_query(&store->db, &rows, e,
		     of_run ? EVIDENCE_COLUMNS OF_RUN
			     " AND attempt = (SELECT attempt FROM computations WHERE id = ?)"
			    : EVIDENCE_COLUMNS OF_CVM " AND ? <> ''",
		     "tt", of_run ? computation_id : cvm_id, of_run ? computation_id : cvm_id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	got = calloc(1, sizeof(*got));
	if (!got)
		return err_nomem(e);
	if (read_row(rows, got, e) < 0)
		return err_code(e);
	if (!of_run)
		got->run.number = 0;
	*k = TAKE_PTR(got);
	return 0;
}

/* ---- the end of one ---- */

int store_evidence_forget(struct store *store, const char *computation_id, struct err *e)
{
	return db_run(&store->db, e, "DELETE FROM evidence WHERE " OF_RUN, "t", computation_id);
}

int store_evidence_forget_cvm(struct store *store, const char *cvm_id, struct err *e)
{
	return db_run(&store->db, e, "DELETE FROM evidence WHERE " OF_CVM, "t", cvm_id);
}
