/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_queue.h"

#include "common/base/log_about.h"
#include "common/crypto/digest.h"
#include "common/rpc/job.h"
#include "computations/store/store_audit.h"

#include <assert.h>
#include <sys/queue.h>

struct entry {
	STAILQ_ENTRY(entry) next;
	struct store_queue_op op;
	struct err err; /* ERR_OK: done */
	struct log_about about;
	bool audits; /* may add rows to the audit log */
};

STAILQ_HEAD(entries, entry);

/* Of accounts that share it, which none of them can choose. */
struct line {
	TAILQ_ENTRY(line) next;
	struct entries waiting;
	unsigned given; /* to the batch that is made up */
};

struct store_queue {
	uv_loop_t *loop;
	struct store *store;
	struct entries waiting; /* of no account */
	struct line lines[STORE_QUEUE_LINES];
	uint64_t secret;          /* odd */
	TAILQ_HEAD(, line) turns; /* those in which somebody waits: the first comes next */
	struct entries batch;     /* in the pool's hands while `busy` */
	size_t batch_count;
	bool busy;
	struct audit_counts before; /* the batch; and in it an operation; */
	struct audit_counts before_op;
	void (*told)(void *data);
	void *told_data;
	void (*lost)(void *data);
	void *lost_data;
};

static void fail_all(struct entries *batch, const struct err *e)
{
	struct entry *entry;

	STAILQ_FOREACH(entry, batch, next)
		entry->err = *e;
}

/* Fails only if nothing of the batch can stand. */
static int run_one(struct store_queue *queue, struct entry *entry, struct err *e)
{
	struct store *store = queue->store;

	LOG_ABOUT(&entry->about);
	if (entry->audits)
		queue->before_op = store->audit_counts;
	if (db_script(&store->db, "SAVEPOINT op", e) < 0)
		return err_code(e);
	if (entry->op.run(store, entry->op.data, &entry->err) == 0) {
		entry->err.code = ERR_OK;
	} else {
		if (entry->audits)
			store->audit_counts = queue->before_op;
		if (db_script(&store->db, "ROLLBACK TO op", e) < 0)
			return err_code(e);
	}
	return db_script(&store->db, "RELEASE op", e);
}

/* Its session broke, and instances took the database and left it: what this one remembers is of before. */
static int look_alone(struct store *store, struct err *e)
{
	int failed = store_lease_alone(&store->db, store->fence, e);

	if (err_is(failed, ERR_ABORTED)) {
		store->is_replaced = true;
		e->code = ERR_UNAVAILABLE;
	}
	return failed ? err_code(e) : 0;
}

static bool audits_any(const struct entries *batch)
{
	const struct entry *entry;

	STAILQ_FOREACH(entry, batch, next)
		if (entry->audits)
			return true;
	return false;
}

/* The lock of the audit log comes before all else that the transaction asks, or it may lose a race. */
static int begin(struct store_queue *queue, bool audits, struct err *e)
{
	if (db_begin(&queue->store->db, e) < 0)
		return err_code(e);
	if ((audits && store_audit_lock(queue->store, e) < 0) ||
	    store_lease_begin(&queue->store->db, queue->store->lease, e) < 0 ||
	    look_alone(queue->store, e) < 0) {
		db_rollback(&queue->store->db);
		return err_code(e);
	}
	return 0;
}

static int run_all(struct store_queue *queue, bool audits, struct err *e)
{
	struct db *db = &queue->store->db;
	struct entry *entry;

	if (begin(queue, audits, e) < 0)
		return err_code(e);
	STAILQ_FOREACH(entry, &queue->batch, next)
		if (run_one(queue, entry, e) < 0) {
			db_rollback(db);
			return err_code(e);
		}
	return db_commit(db, e);
}

/* What is counted of rows that are not on disk is counted of none. */
static int run_counted(struct store_queue *queue, struct err *e)
{
	bool audits = audits_any(&queue->batch);
	int failed;

	if (audits)
		queue->before = queue->store->audit_counts;
	failed = run_all(queue, audits, e);
	if (failed && audits)
		queue->store->audit_counts = queue->before;
	return failed;
}

/* In the pool. */
static void run_batch(void *data)
{
	struct store_queue *queue = data;
	struct err e;
	int failed = run_counted(queue, &e);

	if (failed)
		fail_all(&queue->batch, &e);
	store_lease_ended(queue->store->lease, !failed);
}

/* Whoever is told that his operation is done goes on with it, at an agent or a manager: not when it is another instance's by
 * now. */
static void look_for_loss(struct store_queue *queue)
{
	void (*lost)(void *data) = queue->lost;

	const struct store *store = queue->store;

	if (!lost || (store->lease ? store_lease_runs(store->lease) : !store->is_replaced))
		return;
	queue->lost = NULL;
	lost(queue->lost_data);
}

static void start_batch(struct store_queue *queue);

static void tell_done(const struct entry *entry)
{
	LOG_ABOUT(&entry->about);
	entry->op.done(entry->op.data, entry->err.code == ERR_OK ? NULL : &entry->err);
}

static void batch_done(void *data)
{
	struct store_queue *queue = data;
	struct entries batch = STAILQ_HEAD_INITIALIZER(batch);
	struct entry *entry;
	bool has_told = queue->store->has_told;

	STAILQ_CONCAT(&batch, &queue->batch);
	queue->busy = false;
	queue->store->has_told = false;
	look_for_loss(queue);
	/* The pool continues while the loop reports these. */
	start_batch(queue);
	while ((entry = STAILQ_FIRST(&batch)) != NULL) {
		STAILQ_REMOVE_HEAD(&batch, next);
		tell_done(entry);
		free(entry);
	}
	if (has_told && queue->told)
		queue->told(queue->told_data);
}

static void take(struct store_queue *queue, struct entries *from)
{
	struct entry *entry = STAILQ_FIRST(from);

	STAILQ_REMOVE_HEAD(from, next);
	STAILQ_INSERT_TAIL(&queue->batch, entry, next);
	queue->batch_count++;
}

/* By turns, and a few of each: whoever comes while a batch runs waits for no more than that of anybody. */
static void take_turns(struct store_queue *queue)
{
	struct line *line;

	TAILQ_FOREACH(line, &queue->turns, next)
		line->given = 0;
	while (queue->batch_count < STORE_QUEUE_BATCH_MAX &&
	       (line = TAILQ_FIRST(&queue->turns)) != NULL && line->given < STORE_QUEUE_EACH_MAX) {
		take(queue, &line->waiting);
		line->given++;
		TAILQ_REMOVE(&queue->turns, line, next);
		if (!STAILQ_EMPTY(&line->waiting))
			TAILQ_INSERT_TAIL(&queue->turns, line, next);
	}
}

static void start_batch(struct store_queue *queue)
{
	const size_t all = STORE_QUEUE_BATCH_MAX, own = TAILQ_EMPTY(&queue->turns) ? all : all / 2;
	struct err e;

	if (queue->busy)
		return;
	queue->batch_count = 0;
	while (queue->batch_count < own && !STAILQ_EMPTY(&queue->waiting))
		take(queue, &queue->waiting);
	take_turns(queue);
	if (!queue->batch_count)
		return;
	queue->busy = true;
	if (rpc_job_start(queue->loop, run_batch, batch_done, queue, &e) < 0) {
		/* Not even a few bytes of memory: nothing was done, and everybody is told. */
		fail_all(&queue->batch, &e);
		batch_done(queue);
	}
}

int store_queue_new(uv_loop_t *loop, struct store *store, struct store_queue **queue, struct err *e)
{
	struct store_queue *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->loop = loop;
	made->store = store;
	if (random_bytes(&made->secret, sizeof(made->secret), e) < 0) {
		free(made);
		return err_code(e);
	}
	made->secret |= 1;
	for (size_t i = 0; i < STORE_QUEUE_LINES; i++)
		STAILQ_INIT(&made->lines[i].waiting);
	TAILQ_INIT(&made->turns);
	STAILQ_INIT(&made->waiting);
	STAILQ_INIT(&made->batch);
	*queue = made;
	return 0;
}

static struct entries *line_of(struct store_queue *queue, uint64_t account)
{
	struct line *line;

	if (!account)
		return &queue->waiting;
	line = &queue->lines[(account * queue->secret) >> (64 - STORE_QUEUE_LINE_BITS)];
	if (STAILQ_EMPTY(&line->waiting))
		TAILQ_INSERT_TAIL(&queue->turns, line, next);
	return &line->waiting;
}

int store_queue_add_for(struct store_queue *queue, uint64_t account,
			const struct store_queue_op *op, bool audits, struct err *e)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return err_nomem(e);
	entry->op = *op;
	entry->about = log_about_now();
	entry->audits = audits;
	STAILQ_INSERT_TAIL(line_of(queue, account), entry, next);
	start_batch(queue);
	return 0;
}

int store_queue_add(struct store_queue *queue, const struct store_queue_op *op, struct err *e)
{
	return store_queue_add_for(queue, 0, op, false, e);
}

int store_queue_add_audited(struct store_queue *queue, const struct store_queue_op *op,
			    struct err *e)
{
	return store_queue_add_for(queue, 0, op, true, e);
}

void store_queue_on_told(struct store_queue *queue, void (*told)(void *data), void *data)
{
	queue->told = told;
	queue->told_data = data;
}

void store_queue_on_lost(struct store_queue *queue, void (*lost)(void *data), void *data)
{
	queue->lost = lost;
	queue->lost_data = data;
}

void store_queue_free(struct store_queue *queue)
{
	if (!queue)
		return;
	assert(!queue->busy && STAILQ_EMPTY(&queue->waiting) && TAILQ_EMPTY(&queue->turns));
	free(queue);
}
