/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/usage_traffic.h"

#include "attestation/journal/journal_entry.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "computations/store/usage_words.h"

#include <string.h>

static int64_t add(int64_t sum, int64_t more)
{
	return sum > USAGE_BYTES_MAX - more ? USAGE_BYTES_MAX : sum + more;
}

/* Its agent may go on to bring such, so often as it likes. */
static void tell_odd(struct store *store, const char *id, const struct journal_note *note,
		     uint64_t size)
{
	unsigned long skipped;

	if (!store_line_take(&store->lines, &(struct store_line){ STORE_LINE_ODD_SIZE, id },
			     clock_ms(CLOCK_MONOTONIC), &store->odd_sizes, &skipped))
		return;
	if (skipped)
		log_warn("%lu other sizes in journals can't be", skipped);
	log_warn("computation %s: its agent's journal has '%s' of %llu bytes, which can't be: that "
		 "is not counted as usage",
		 log_quote(id).text, note->type, (unsigned long long)size);
}

/* False: it says nothing of a size, or one that can't be. */
static bool size_of(struct store *store, const char *id, const struct journal_note *note,
		    int64_t *size)
{
	const struct journal_field *f = journal_field_of(note, "size");

	if (!f)
		return false;
	if (f->number > (uint64_t)USAGE_NOTE_BYTES_MAX) {
		tell_odd(store, id, note, f->number);
		return false;
	}
	*size = (int64_t)f->number;
	return true;
}

void usage_traffic_take(struct store *store, const char *id, int64_t sequence, struct span bytes,
			struct usage_traffic *t)
{
	struct journal_entry entry;
	struct err ignored;
	const char *type;
	int64_t size;

	if (bytes.len > USAGE_ENTRY_MAX || journal_entry_parse(bytes, &entry, &ignored) < 0 ||
	    entry.sequence != (uint64_t)sequence)
		return;
	type = entry.note.type;
	if (strcmp(type, "delivery") == 0)
		t->out = add(t->out, t->results);
	else if (strcmp(type, "results") == 0 && size_of(store, id, &entry.note, &size))
		t->results = size;
	else if ((strcmp(type, "algorithm") == 0 || strcmp(type, "dataset") == 0) &&
		 size_of(store, id, &entry.note, &size))
		t->in = add(t->in, size);
}

int usage_traffic_keep(struct store *store, const char *id, const struct usage_traffic *t,
		       int64_t now, struct err *e)
{
	struct usage_month month;

	if (!t->in && !t->out)
		return 0;
	if (usage_month_parse("", now, &month, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "INSERT INTO usage_traffic (since, workspace, computation, called, bytes_in,"
		      " bytes_out) SELECT ?2, w.number, c.computation, w.name, ?3, ?4"
		      " FROM workspace_computations c JOIN workspaces w ON w.number = c.workspace"
		      " WHERE c.computation = ?1"
		      " ON CONFLICT (since, workspace, computation) DO UPDATE SET"
		      " called = excluded.called, bytes_in ="
		      " CASE WHEN usage_traffic.bytes_in > ?5 - excluded.bytes_in THEN ?5"
		      " ELSE usage_traffic.bytes_in + excluded.bytes_in END, bytes_out ="
		      " CASE WHEN usage_traffic.bytes_out > ?5 - excluded.bytes_out THEN ?5"
		      " ELSE usage_traffic.bytes_out + excluded.bytes_out END",
		      "tiiii", id, month.since, t->in, t->out, USAGE_BYTES_MAX);
}

int64_t usage_traffic_sum(int64_t mib, int64_t rest)
{
	int64_t sum;

	if (mib > USAGE_BYTES_MAX >> 20 || __builtin_add_overflow(mib << 20, rest, &sum) ||
	    sum > USAGE_BYTES_MAX)
		return USAGE_BYTES_MAX;
	return sum;
}
