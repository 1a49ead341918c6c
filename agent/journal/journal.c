/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/journal/journal.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Entries under one signed head; without one they wait for the keeper. */
struct batch {
	TAILQ_ENTRY(batch) link;
	Cvms__ClientStreamMessage *message;
	Cvms__JournalEntries *entries; /* the message's */
	uint64_t last;                 /* sequence */
	size_t bytes;
	bool is_signed, is_sent;
	bool is_void; /* one before it was not signed: no head will ever fit */
};

struct journal {
	struct keeper *keeper;
	void (*ready)(void *data);
	void *data;
	uv_timer_t timer;

	/* Of the computation that runs. */
	char *computation;       /* NULL: none has begun, or its journal has ended */
	uint8_t run[SHA256_LEN]; /* the digest of its first entry */
	struct journal_head head;
	uint64_t left_out;

	/* Entries that nobody was asked to sign yet. */
	uint8_t (*digests)[SHA256_LEN];
	ProtobufCBinaryData *entries;
	size_t count, bytes;

	TAILQ_HEAD(, batch) batches; /* oldest first, those that wait for the keeper behind */
	size_t unsigned_count, kept;
	unsigned signing; /* batches that wait for the keeper */
};

static void batch_free(struct batch *batch)
{
	if (batch->message)
		cvms__client_stream_message__free_unpacked(batch->message, NULL);
	free(batch);
}

static void drop_gathered(struct journal *j)
{
	for (size_t i = 0; i < j->count; i++)
		free(j->entries[i].data);
	j->kept -= j->bytes;
	j->unsigned_count -= j->count;
	j->count = j->bytes = 0;
}

static void remove_batch(struct journal *j, struct batch *batch)
{
	TAILQ_REMOVE(&j->batches, batch, link);
	j->kept -= batch->bytes;
	if (!batch->is_signed)
		j->unsigned_count -= batch->entries->n_entries;
	batch_free(batch);
}

/* Two runs of one computation have journals of their own. */
static bool is_of_run(const struct batch *batch, const uint8_t *run)
{
	return memcmp(batch->entries->run.data, run, SHA256_LEN) == 0;
}

/* No more entries; what is signed stays, and is open. */
static void give_up(struct journal *j, const struct err *why)
{
	if (j->computation)
		log_error("journal of %s: %s: it stays open at entry %" PRIu64,
			  log_quote(j->computation).text, why->text, j->head.count);
	free(j->computation);
	j->computation = NULL;
	drop_gathered(j);
}

/* ---- signing ---- */

static struct batch *first_unsigned(const struct journal *j)
{
	struct batch *batch;

	TAILQ_FOREACH(batch, &j->batches, link)
		if (!batch->is_signed)
			return batch;
	return NULL;
}

static int keep_head(struct batch *batch, struct span head, struct err *e)
{
	uint8_t *copy = malloc(head.len ? head.len : 1);

	if (!copy)
		return err_nomem(e);
	memcpy(copy, head.bytes, head.len);
	batch->entries->signed_head = (ProtobufCBinaryData){ head.len, copy };
	return 0;
}

/* What follows a batch that was not signed can never be delivered. */
static void make_void(struct journal *j, struct batch *from, const struct err *why)
{
	const uint8_t *run = from->entries->run.data;

	if (j->computation && is_of_run(from, j->run))
		give_up(j, why);
	for (struct batch *b = from; b; b = TAILQ_NEXT(b, link))
		b->is_void |= is_of_run(b, run);
}

/* The keeper answers in order. */
static void on_signed(void *data, const struct span *parts, size_t count, const struct err *why)
{
	struct journal *j = data;
	struct batch *batch = first_unsigned(j);
	struct err e;

	j->signing--;
	if (why)
		e = *why;
	if (!why && !batch->is_void && keep_head(batch, parts[0], &e) == 0) {
		batch->is_signed = true;
		j->unsigned_count -= batch->entries->n_entries;
		j->ready(j->data);
		return;
	}
	if (!batch->is_void)
		make_void(j, batch, &e);
	remove_batch(j, batch);
}

static struct batch *new_batch(struct journal *j, size_t count, size_t bytes, struct err *e)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	Cvms__ClientStreamMessage *m = malloc(sizeof(*m));
	Cvms__JournalEntries *entries = malloc(sizeof(*entries));
	ProtobufCBinaryData *list = calloc(count, sizeof(*list));
	char *id = strdup(j->computation);
	uint8_t *run = malloc(SHA256_LEN);

	if (!batch || !m || !entries || !list || !id || !run) {
		free(batch);
		free(m);
		free(entries);
		free(list);
		free(id);
		free(run);
		err_nomem(e);
		return NULL;
	}
	cvms__client_stream_message__init(m);
	cvms__journal_entries__init(entries);
	memcpy(list, j->entries, count * sizeof(*list));
	memcpy(run, j->run, SHA256_LEN);
	entries->computation_id = id;
	entries->run = (ProtobufCBinaryData){ SHA256_LEN, run };
	entries->first = j->head.count - j->count + 1;
	entries->entries = list;
	entries->n_entries = count;
	m->message_case = CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_JOURNAL_ENTRIES;
	m->journal_entries = entries;
	*batch = (struct batch){
		.message = m, .entries = entries, .last = entries->first + count - 1, .bytes = bytes
	};
	return batch;
}

static void take_gathered(struct journal *j, size_t count, size_t bytes)
{
	j->count -= count;
	j->bytes -= bytes;
	memmove(j->entries, j->entries + count, j->count * sizeof(*j->entries));
	memmove(j->digests, j->digests + count, j->count * sizeof(*j->digests));
}

/* As many as one batch holds. */
static int sign_some(struct journal *j, bool end, struct err *e)
{
	size_t count = 0, bytes = 0;

	while (count < j->count && count < JOURNAL_BATCH_MAX &&
	       (!count ||
		bytes + j->entries[count].len + JOURNAL_ENTRY_COST <= JOURNAL_BATCH_BYTES))
		bytes += j->entries[count++].len + JOURNAL_ENTRY_COST;
	struct batch *batch = new_batch(j, count, bytes, e);
	if (!batch)
		return err_code(e);
	if (keeper_journal_sign(j->keeper, (const uint8_t(*)[SHA256_LEN])j->digests, count,
				end && count == j->count, on_signed, j, e) < 0) {
		batch->entries->n_entries = 0; /* they are still ours */
		batch_free(batch);
		return err_code(e);
	}
	TAILQ_INSERT_TAIL(&j->batches, batch, link);
	j->signing++;
	take_gathered(j, count, bytes);
	return 0;
}

/* As far as the keeper has room. The end does not wait: the next computation may follow at once. */
static void sign_all(struct journal *j, bool end)
{
	struct err e;

	uv_timer_stop(&j->timer);
	while (j->count && (end || j->signing < JOURNAL_SIGNING_MAX)) {
		if (sign_some(j, end, &e) == 0)
			continue;
		/* The keeper has enough to do: in a moment again, but for what can't wait. */
		if (end || !err_is(err_code(&e), ERR_EXHAUSTED))
			give_up(j, &e);
		break;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct journal *j = timer->data;

	sign_all(j, false);
	if (j->count)
		uv_timer_start(timer, on_timer, JOURNAL_SIGN_MS, 0);
}

/* ---- entries ---- */

static bool is_line(const struct journal_note *note)
{
	return strcmp(note->type, "log") == 0 || strcmp(note->type, "output") == 0;
}

static bool is_full(const struct journal *j)
{
	return j->kept > JOURNAL_KEPT_BYTES || j->unsigned_count >= JOURNAL_UNSIGNED_MAX;
}

static int make_room(struct journal *j, struct err *e)
{
	size_t count = j->count + 1;

	if (count & (count - 1)) /* room grows by powers of two */
		return 0;
	void *digests = realloc(j->digests, 2 * count * sizeof(*j->digests));
	if (!digests)
		return err_nomem(e);
	j->digests = digests;
	void *entries = realloc(j->entries, 2 * count * sizeof(*j->entries));
	if (!entries)
		return err_nomem(e);
	j->entries = entries;
	return 0;
}

static int append(struct journal *j, const struct journal_note *note, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_ENTRY_MAX);
	struct journal_head head = j->head;
	uint8_t hash[SHA256_LEN];
	size_t len;

	if (j->kept > JOURNAL_KEPT_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "journal: %zu bytes wait for the computation service", j->kept);
	if (make_room(j, e) < 0 ||
	    journal_entry_write(&head, (uint64_t)clock_ms(CLOCK_REALTIME), note, &w, e) < 0 ||
	    journal_entry_digest((struct span){ w.bytes, w.len }, hash, e) < 0)
		return err_code(e);
	uint8_t *bytes = writer_take(&w, &len);
	if (!bytes)
		return err_nomem(e);
	j->head = head;
	memcpy(j->digests[j->count], hash, sizeof(hash));
	j->entries[j->count++] = (ProtobufCBinaryData){ len, bytes };
	j->bytes += len + JOURNAL_ENTRY_COST;
	j->kept += len + JOURNAL_ENTRY_COST;
	j->unsigned_count++;
	return 0;
}

static int tell_left_out(struct journal *j, struct err *e)
{
	struct journal_note note = { .type = "left-out" };

	if (!j->left_out)
		return 0;
	journal_put_number(&note, "count", j->left_out);
	if (append(j, &note, e) < 0)
		return err_code(e);
	j->left_out = 0;
	return 0;
}

int journal_add(struct journal *j, const struct journal_note *note, struct err *e)
{
	if (!j || !j->computation)
		return 0;
	if (is_line(note) && is_full(j)) {
		j->left_out++;
		return 0;
	}
	if ((!is_full(j) && tell_left_out(j, e) < 0) || append(j, note, e) < 0)
		return err_code(e);
	if (j->count >= JOURNAL_BATCH_MAX / 2)
		sign_all(j, false);
	if (j->count && !uv_is_active((uv_handle_t *)&j->timer))
		uv_timer_start(&j->timer, on_timer, JOURNAL_SIGN_MS, 0);
	return 0;
}

/* All that is signed of its run; what the keeper still signs goes with its answer. */
static void drop_run(struct journal *j, struct batch *first)
{
	struct batch *batch, *following;

	for (batch = TAILQ_NEXT(first, link); batch; batch = following) {
		following = TAILQ_NEXT(batch, link);
		if (!is_of_run(batch, first->entries->run.data))
			continue;
		batch->is_void = true;
		if (batch->is_signed)
			remove_batch(j, batch);
	}
	remove_batch(j, first);
}

/* A service that keeps no journals acknowledges none: what is over must not stop what begins. */
static void drop_ended(struct journal *j)
{
	struct batch *first;

	while (j->kept > JOURNAL_BEFORE_MAX && (first = TAILQ_FIRST(&j->batches)) &&
	       first->is_signed) {
		log_warn(
			"journal of %s: dropped, since the computation service has not acknowledged "
			"it and %zu bytes wait",
			log_quote(first->entries->computation_id).text, j->kept);
		drop_run(j, first);
	}
}

int journal_begin(struct journal *j, const char *computation, const uint8_t manifest[SHA3_256_LEN],
		  struct span statement, struct err *e)
{
	struct journal_note note = { .type = "start" };

	drop_gathered(j); /* of one that was not ended: its key is gone */
	drop_ended(j);
	free(j->computation);
	j->head = (struct journal_head){ 0 };
	j->left_out = 0;
	j->computation = strdup(computation);
	if (!j->computation)
		return err_nomem(e);
	journal_put_digest(&note, "manifest", manifest);
	journal_put_bytes(&note, "statement", statement.bytes, statement.len);
	journal_put_text(&note, "computation", computation, strlen(computation));
	if (journal_add(j, &note, e) < 0) {
		free(j->computation); /* nothing else is a first entry */
		j->computation = NULL;
		return err_code(e);
	}
	memcpy(j->run, j->head.digest, SHA256_LEN);
	return 0;
}

void journal_end(struct journal *j, const char *reason)
{
	struct journal_note note = { .type = "end" };
	struct err e;

	if (!j || !j->computation)
		return;
	journal_put_text(&note, "reason", reason, strlen(reason));
	if (tell_left_out(j, &e) < 0 || append(j, &note, &e) < 0) {
		give_up(j, &e);
		return;
	}
	sign_all(j, true);
	free(j->computation);
	j->computation = NULL;
}

struct journal_head journal_head_of(const struct journal *j)
{
	return j->head;
}

/* ---- the service ---- */

static struct batch *first_unsent(const struct journal *j)
{
	struct batch *batch;

	TAILQ_FOREACH(batch, &j->batches, link)
		if (!batch->is_sent)
			return batch->is_signed ? batch : NULL;
	return NULL;
}

const Cvms__ClientStreamMessage *journal_next(const struct journal *j)
{
	const struct batch *batch = first_unsent(j);

	return batch ? batch->message : NULL;
}

void journal_handed(struct journal *j)
{
	first_unsent(j)->is_sent = true;
}

/* What a service keeps that names no run: parts came to it in order, so it is the oldest that waits. */
static struct batch *oldest_sent(const struct journal *j, const char *computation)
{
	struct batch *batch;

	TAILQ_FOREACH(batch, &j->batches, link)
		if (batch->is_sent && strcmp(batch->entries->computation_id, computation) == 0)
			return batch;
	return NULL;
}

void journal_acknowledge(struct journal *j, const Cvms__JournalAck *ack)
{
	const struct batch *oldest = oldest_sent(j, ack->computation_id);
	struct batch *batch, *following;
	uint8_t run[SHA256_LEN];

	if (!oldest || (ack->run.len && ack->run.len != sizeof(run)))
		return;
	memcpy(run, ack->run.len ? ack->run.data : oldest->entries->run.data, sizeof(run));
	for (batch = TAILQ_FIRST(&j->batches); batch; batch = following) {
		following = TAILQ_NEXT(batch, link);
		if (batch->is_sent && batch->last <= ack->count && is_of_run(batch, run))
			remove_batch(j, batch);
	}
}

void journal_rewind(struct journal *j)
{
	struct batch *batch;

	TAILQ_FOREACH(batch, &j->batches, link)
		batch->is_sent = false;
}

/* ---- its life ---- */

int journal_new(uv_loop_t *loop, struct keeper *keeper, void (*ready)(void *data), void *data,
		struct journal **made, struct err *e)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return err_nomem(e);
	j->keeper = keeper;
	j->ready = ready;
	j->data = data;
	TAILQ_INIT(&j->batches);
	uv_timer_init(loop, &j->timer);
	j->timer.data = j;
	*made = j;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void journal_free(struct journal *j)
{
	struct batch *batch;

	if (!j)
		return;
	drop_gathered(j);
	while ((batch = TAILQ_FIRST(&j->batches)))
		remove_batch(j, batch);
	free(j->computation);
	free(j->digests);
	free(j->entries);
	uv_close((uv_handle_t *)&j->timer, on_closed);
}
