/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/work.h"

#include "common/rpc/job.h"

#include <assert.h>
#include <sys/queue.h>

struct entry {
	STAILQ_ENTRY(entry) next;
	struct work_op op;
	struct err err; /* ERR_OK: done */
};

STAILQ_HEAD(entries, entry);

struct work {
	uv_loop_t *loop;
	struct store *store;
	struct entries waiting;
	size_t waiting_count;
	struct entries batch; /* in the pool's hands while `busy` */
	bool busy;
};

static void fail_all(struct entries *batch, const struct err *e)
{
	struct entry *entry;

	STAILQ_FOREACH(entry, batch, next)
	entry->err = *e;
}

static int run_one(struct store *store, struct entry *entry)
{
	struct err *e = &entry->err;
	struct err undo;

	if (db_script(&store->db, "SAVEPOINT op", e) < 0)
		return err_code(e);
	if (entry->op.run(store, entry->op.data, e) == 0)
		e->code = ERR_OK;
	else if (db_script(&store->db, "ROLLBACK TO op", &undo) < 0)
		return err_code(&undo);
	return db_script(&store->db, "RELEASE op", &undo) < 0 ? err_code(&undo) : 0;
}

/* In the pool. */
static void run_batch(void *data)
{
	struct work *work = data;
	struct db *db = &work->store->db;
	struct entry *entry;
	struct err e;

	if (db_script(db, "BEGIN IMMEDIATE", &e) < 0) {
		fail_all(&work->batch, &e);
		return;
	}
	STAILQ_FOREACH(entry, &work->batch, next)
	if (run_one(work->store, entry) < 0) {
		err_set(&e, ERR_INTERNAL, "database: a savepoint failed");
		goto undo;
	}
	if (db_script(db, "COMMIT", &e) == 0)
		return;
undo:
	fail_all(&work->batch, &e);
	(void)!db_script(db, "ROLLBACK", &e);
}

static void start_batch(struct work *work);

static void batch_done(void *data)
{
	struct work *work = data;
	struct entries batch = STAILQ_HEAD_INITIALIZER(batch);
	struct entry *entry;

	STAILQ_CONCAT(&batch, &work->batch);
	work->busy = false;
	/* The pool goes on while the loop tells of these. */
	start_batch(work);
	while ((entry = STAILQ_FIRST(&batch)) != NULL) {
		STAILQ_REMOVE_HEAD(&batch, next);
		entry->op.done(entry->op.data, entry->err.code == ERR_OK ? NULL : &entry->err);
		free(entry);
	}
}

static void start_batch(struct work *work)
{
	struct err e;

	if (work->busy || STAILQ_EMPTY(&work->waiting))
		return;
	for (size_t n = 0; n < WORK_BATCH_MAX && !STAILQ_EMPTY(&work->waiting); n++) {
		struct entry *entry = STAILQ_FIRST(&work->waiting);

		STAILQ_REMOVE_HEAD(&work->waiting, next);
		work->waiting_count--;
		STAILQ_INSERT_TAIL(&work->batch, entry, next);
	}
	work->busy = true;
	if (rpc_job_start(work->loop, run_batch, batch_done, work, &e) < 0) {
		/* No memory for a few bytes: nothing was done, and all are told so. */
		fail_all(&work->batch, &e);
		batch_done(work);
	}
}

int work_new(uv_loop_t *loop, struct store *store, struct work **work, struct err *e)
{
	struct work *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->loop = loop;
	made->store = store;
	STAILQ_INIT(&made->waiting);
	STAILQ_INIT(&made->batch);
	*work = made;
	return 0;
}

int work_add(struct work *work, const struct work_op *op, struct err *e)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return err_nomem(e);
	entry->op = *op;
	STAILQ_INSERT_TAIL(&work->waiting, entry, next);
	work->waiting_count++;
	start_batch(work);
	return 0;
}

void work_free(struct work *work)
{
	if (!work)
		return;
	assert(!work->busy && STAILQ_EMPTY(&work->waiting));
	free(work);
}
