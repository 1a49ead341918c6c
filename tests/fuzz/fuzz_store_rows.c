/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service's database as somebody else may have written it: rows of any types and values, and each
 * function of store.h over them. Input: commands; ROW: table, then for each column its type and value;
 * otherwise a function and two ids, which may fail at any of its statements.
 *
 * What comes out of the database fits into the messages that administrators get; nothing turns for
 * ever.
 */
#include "attestation/journal/journal_entry.h"
#include "common/base/reader.h"
#include "common/protobuf/protobuf.h"
#include "computations/admin/admin_message.h"
#include "computations/store/store_evidence.h"
#include "computations/store/store_journal.h"
#include "computations/store/store_usage.h"
#include "computations/store/store_witness.h"
#include "computations/store/usage_traffic.h"
#include "tests/fuzz/cose_resign.h"
#include "tests/fuzz/store_memory.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 48, PAGE = 8 };

static const char *const ids[] = { "a", "b", "v", "" };

static const struct {
	const char *insert;
	int columns;
} tables[] = {
	/* its first attempt, its first manifest, told of, changed when it was created: saved inputs have 20 values */
	{ "INSERT OR REPLACE INTO computations VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1,1,1,?18)",
	  20 },
	{ "INSERT OR REPLACE INTO cvms VALUES (?,?,?,?,?,?,?,?,?,?,?,0)", 11 },
	{ "INSERT OR REPLACE INTO journals VALUES (?,?,?,?,?)", 5 },
	{ "INSERT OR REPLACE INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", 12 },
	{ "INSERT OR REPLACE INTO entries VALUES (?,?,?,?)", 4 },
	{ "INSERT OR REPLACE INTO signed_journals VALUES (?,?,?,?,?,?,?1,1,?4)", 6 },
	{ "INSERT OR REPLACE INTO witness_leaves VALUES (?,?,?,?,?)", 5 },
	{ "INSERT OR REPLACE INTO witness_nodes VALUES (?,?,?)", 3 },
	{ "INSERT OR REPLACE INTO evidence VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", 13 },
	{ "INSERT OR REPLACE INTO usage_traffic VALUES (0,?,?,?,?,?,?5)", 5 },
};
enum {
	OLD_TABLES = 8,
	EVIDENCE_TABLE = 8,
	TRAFFIC_TABLE = 9
}; /* saved inputs count as far as these */

/* The types of a column, and values that columns often have. */
enum value { VALUE_NULL, VALUE_BYTE, VALUE_INT, VALUE_TEXT, VALUE_BLOB, VALUE_ID, VALUE_REAL };

static void bind_value(sqlite3_stmt *s, int column, struct reader *r)
{
	uint8_t type = reader_u8(r) % 7;
	const void *bytes;
	size_t len;

	switch ((enum value)type) {
	case VALUE_NULL:
		return;
	case VALUE_BYTE:
		sqlite3_bind_int64(s, column, (int8_t)reader_u8(r));
		return;
	case VALUE_INT:
		sqlite3_bind_int64(s, column, (int64_t)reader_be64(r));
		return;
	case VALUE_REAL:
		sqlite3_bind_double(s, column, (double)reader_be32(r) * 1e30);
		return;
	case VALUE_ID:
		sqlite3_bind_text(s, column, ids[reader_u8(r) % ARRAY_LEN(ids)], -1, SQLITE_STATIC);
		return;
	case VALUE_TEXT:
	case VALUE_BLOB:
		len = reader_u8(r);
		bytes = reader_take(r, len);
		if (!bytes)
			return;
		if (type == VALUE_TEXT)
			sqlite3_bind_text(s, column, bytes, (int)len, SQLITE_STATIC);
		else
			sqlite3_bind_blob(s, column, bytes, (int)len, SQLITE_STATIC);
	}
}

static void put_row_of(struct store *store, size_t table, struct reader *r)
{
	sqlite3_stmt *s = NULL;

	assert(sqlite3_exec(db_sqlite_of(&store->db), "PRAGMA foreign_keys=OFF", NULL, NULL,
			    NULL) == 0);
	assert(sqlite3_prepare_v2(db_sqlite_of(&store->db), tables[table].insert, -1, &s, NULL) ==
	       0);
	for (int i = 1; i <= tables[table].columns; i++)
		bind_value(s, i, r);
	(void)sqlite3_step(s); /* what a column does not take is not there */
	sqlite3_finalize(s);
	assert(sqlite3_exec(db_sqlite_of(&store->db), "PRAGMA foreign_keys=ON", NULL, NULL, NULL) ==
	       0);
}

static void put_row(struct store *store, struct reader *r)
{
	put_row_of(store, reader_u8(r) % OLD_TABLES, r);
}

/* Strict: as clients decode it. */
static void check_message(const ProtobufCMessage *m)
{
	CLEANUP(free) uint8_t *packed = NULL;
	size_t len;
	struct err e;

	assert(protobuf_pack(m, &packed, &len, &e) == 0);
	assert(protobuf_check(m->descriptor, packed, len, &e) == 0);
}

static void see_computation(const struct computation *c)
{
	struct admin_message_computation out;

	admin_message_computation(&out, c, false);
	check_message(&out.message.base);
}

static void see_cvm(const struct cvm *c)
{
	struct admin_message_cvm out;

	admin_message_cvm(&out, c, false);
	check_message(&out.message.base);
}

static void see_record(const struct record *r)
{
	struct admin_message_record out;

	admin_message_record(&out, r);
	check_message(&out.message.base);
}

static bool is_connected(const char *id, void *data)
{
	return strcmp(id, "b") == 0;
}

static void see_computations(struct computation *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		see_computation(&rows[i]);
		computation_done(&rows[i]);
	}
}

static void find_behind(struct store *store, const struct store_search *search, const char *next)
{
	struct store_search behind = *search;
	struct computation computations[PAGE];
	CLEANUP(free) char *last = NULL;
	size_t count = 0;
	struct err e;

	behind.before = next;
	if (store_find(store, &behind, PAGE, computations, &count, &last, &e) == 0)
		see_computations(computations, count);
}

/* As the page looks for them: by a word, by what stands for itself in a pattern, by a digest. */
static void find_all(struct store *store, const char *before)
{
	static const char *const words[] = {
		"", "A", "%_!", "00000000000000000000000000000000000000000000000000000000000000aa"
	};
	struct computation computations[PAGE];
	size_t count = 0;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct store_search search = { .text = words[i],
						     .state = (int)i - 1,
						     .before = before,
						     .sort = { (enum list_order)i, i % 2 } };
		CLEANUP(free) char *next = NULL;

		if (store_find(store, &search, PAGE, computations, &count, &next, &e) < 0)
			continue;
		see_computations(computations, count);
		if (next)
			find_behind(store, &search, next);
	}
}

static void see_cvms(struct cvm *cvms, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		see_cvm(&cvms[i]);
		cvm_done(&cvms[i]);
	}
}

/* In each order, and the page behind. */
static void find_cvms(struct store *store, const char *before)
{
	static const char *const words[] = { "", "c", "%_!" };
	struct cvm cvms[PAGE];
	size_t count = 0;
	struct err e;

	for (size_t i = 0; i < 2 * store_cvm_orders.count; i++) {
		struct list_search search = { words[i % ARRAY_LEN(words)],
					      before,
					      { store_cvm_orders.orders[i / 2].by, i % 2 } };
		CLEANUP(free) char *next = NULL, *last = NULL;

		if (store_cvms_find(store, &search, PAGE, cvms, &count, &next, &e) < 0)
			continue;
		see_cvms(cvms, count);
		search.before = next;
		if (next && store_cvms_find(store, &search, PAGE, cvms, &count, &last, &e) == 0)
			see_cvms(cvms, count);
	}
}

static void list_all(struct store *store, const char *after)
{
	struct computation computations[PAGE];
	struct cvm cvms[PAGE];
	size_t count = 0;
	struct err e;
	bool more;

	if (store_computations(store, (struct store_view){ 0, 0 }, after, PAGE, computations,
			       &count, &more, &e) == 0)
		see_computations(computations, count);
	find_all(store, after);
	find_cvms(store, after);
	if (store_cvms(store, after, PAGE, cvms, &count, &e) == 0)
		see_cvms(cvms, count);
}

static void read_records(struct store *store, const char *id, const char *cvm, int64_t after)
{
	struct record *records = NULL;
	size_t count = 0;
	int64_t newest;
	struct err e;

	(void)!store_newest_record(store, &newest, &e);
	(void)!store_newest_records(store, id, cvm, PAGE, &newest, &e);
	if (store_records(store, id, cvm, after, &records, &count, &e) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		assert(records[i].number > after &&
		       (!i || records[i - 1].number < records[i].number));
		see_record(&records[i]);
	}
	records_free(records, count);
}

static void add_record(struct store *store, const char *id, const char *cvm, struct reader *r,
		       bool event)
{
	static const char *const types[] = { "Running", "Failed", "Complete", "?" };
	char *word = (char *)(uintptr_t)types[reader_u8(r) % ARRAY_LEN(types)];
	const struct record record = { .event = event,
				       .level = word,
				       .text = word,
				       .type = word,
				       .status = word,
				       .seconds = reader_u8(r) };
	struct err e;

	if (event)
		(void)!store_event(store, cvm, id, &record, &e);
	else
		(void)!store_log(store, cvm, id, &record, &e);
}

/* Nobody asks whose it is. */
static struct span head_of(int64_t count, bool final)
{
	static uint8_t bytes[JOURNAL_SIGNED_MAX];
	struct writer w = writer_up_to(sizeof(bytes));
	const struct journal_head head = { .count = (uint64_t)count };
	struct err e;

	assert(journal_head_sign(&head, final, cose_test_key(COSE_ES256)->key, &w, &e) == 0);
	const struct span made = { bytes, w.len };
	memcpy(bytes, w.bytes, w.len);
	writer_done(&w);
	return made;
}

static void add_journal(struct store *store, const char *id, const char *cvm, struct reader *r)
{
	static const uint8_t texts[] = "entries";
	uint8_t which, run[SHA256_LEN];
	struct span entries[3];
	struct journal_part part = { .entries = entries };
	int64_t kept;
	struct err e;

	part.first = (int8_t)reader_u8(r);
	part.count = reader_u8(r) % (ARRAY_LEN(entries) + 1);
	for (size_t i = 0; i < part.count; i++)
		entries[i] = (struct span){ texts, reader_u8(r) % sizeof(texts) };
	which = reader_u8(r);
	part.head = (which & 7) != 6 ? head_of(part.first + (int64_t)part.count - 1, which >> 3 & 1)
				     : (struct span){ texts, which % sizeof(texts) };
	/* Named by the first entry that it may have, or too short. */
	if (which & 0x40 && journal_run((struct span){ texts, which >> 3 & 7 }, run, &e) == 0)
		part.run = (struct span){ run, sizeof(run) - (which >> 7) };
	if (store_journal_add(store, cvm, id, &part, &kept, &e) == 0)
		assert(kept >= 0);
}

static void read_journal(struct store *store, const char *id, int64_t run, int64_t after)
{
	struct journal_page page;
	struct err e;

	if (store_journal_page(store, id, run, after, &page, &e) < 0)
		return;
	assert(page.entry_count <= STORE_PAGE_MAX && page.head_len <= STORE_HEAD_MAX);
	assert(!run || page.run == run);
	for (size_t i = 0; i < page.entry_count; i++)
		assert(page.entries[i].len <= STORE_ENTRY_MAX);
	journal_page_done(&page);
}

/* A page is whole, and each of its leaves one. */
static void read_leaves(struct store *store, uint64_t first, uint64_t count)
{
	const struct witness_head none = { .size = 0 }, all = { .size = count };
	struct witness_audit audit;
	struct witness_leaves page;
	size_t start = 0;
	struct err e;

	if (store_witness_leaves(store, first, count, &page, &e) < 0)
		return;
	assert(page.count == count);
	witness_audit_begin(&audit, &none, &all);
	for (size_t i = 0; i < count; start = page.ends[i++]) {
		const struct span bytes = { page.bytes + start, page.ends[i] - start };
		struct witness_leaf leaf;

		assert(witness_audit_take(&audit, bytes, &leaf, &e) == 0);
	}
	witness_leaves_done(&page);
}

/* What is proven holds, whatever stands in the database. */
static void read_log(struct store *store, const char *id, int64_t run, uint64_t size)
{
	struct witness_answer a;
	struct witness_proof proof;
	struct witness_head head;
	struct err e;

	read_leaves(store, (uint64_t)run, size);
	if (store_witness_answer(store, id, run, size, &a, &e) < 0)
		return;
	assert(witness_head_verify((struct span){ a.head, a.head_len }, store->log_key, &head,
				   &e) == 0);
	assert(!a.consistency.count || (size && size < head.size));
	if (a.proof_len)
		assert(witness_proof_parse((struct span){ a.proof, a.proof_len }, &proof, &e) ==
			       0 &&
		       proof.index < head.size && (!run || proof.leaf.run == (uint64_t)run));
}

static void arrive(struct store *store, const char *cvm, const char *key)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct err e;

	(void)!store_cvm_seen(store, cvm, "peer", key, "unproven", is_connected, NULL, &todo, &e);
	(void)!store_cvm_reports(store, cvm, key, &e);
}

static void tell_state(struct store *store, const char *cvm, uint8_t which)
{
	static const char *const states[] = { "Idle", "Running", "Complete", "Nothing" };
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct err e;

	(void)!store_agent_state(store, cvm, states[which % ARRAY_LEN(states)], &todo, &e);
}

static void create(struct store *store, const char *id)
{
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	struct err e;

	manifest.id = (char *)(uintptr_t)id;
	(void)!store_create(store, 1, &manifest, &e);
}

static void show(struct store *store, const char *id)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct cvm v CLEANUP_CVM = { .id = NULL };
	CLEANUP(free) uint8_t *manifest = NULL;
	size_t len;
	struct err e;

	if (store_computation(store, id, &c, &e) == 0)
		see_computation(&c);
	if (store_cvm(store, id, &v, &e) == 0)
		see_cvm(&v);
	(void)!store_manifest(store, id, &manifest, &len, &e);
}

static void answer(struct store *store, const char *id, const char *cvm, const char *error)
{
	const struct run_answer said = { .error = error, .notice = "" };
	struct err e;

	(void)!store_run_answer(store, cvm, id, &said, &e);
}

static void end(struct store *store, const char *id, bool remove, bool force)
{
	CLEANUP(free) char *holder = NULL;
	bool tell;
	struct err e;

	if (remove)
		(void)!store_remove(store, id, force, &holder, &e);
	else
		(void)!store_stop(store, id, &tell, &e);
}

static void see_evidence(struct store *store, const char *id, const char *cvm)
{
	CLEANUP(kept_evidence_free) struct kept_evidence *k = NULL;
	struct err e;

	if (store_evidence(store, id, cvm, &k, &e) < 0 || !k)
		return;
	assert(k->cvm_id && k->verdict && k->judged >= 0 && (k->run.number > 0) == (*id != 0));
	for (size_t i = 0; i < EVIDENCE_PARTS; i++)
		assert(k->parts[i].bytes && k->parts[i].len <= EVIDENCE_KEPT_MAX);
}

static void keep_evidence(struct store *store, const char *id, const char *cvm, struct reader *r)
{
	size_t len = reader_u8(r);
	const uint8_t *bytes = reader_take(r, len);
	struct kept_evidence k = { .cvm_id = (char *)(uintptr_t)cvm,
				   .verdict = (char *)(uintptr_t)"verified",
				   .has_manifest = len & 1 };
	struct err e;

	if (!bytes || (*id && store_evidence_run(store, id, &k.run, &e) < 0))
		return;
	k.parts[EVIDENCE_TOKEN] = (struct span){ bytes, len };
	(void)!store_evidence_keep(store, &k, &e);
}

/* Of the month of TRAFFIC_ROW, which says anything. */
static void see_usage(struct store *store)
{
	struct usage_month month;
	const struct usage_query query = { .month = &month, .max = PAGE };
	struct usage_row rows[PAGE] = { 0 };
	struct usage_bytes b;
	size_t count = 0;
	struct err e;

	assert(usage_month_parse("1970-01", 0, &month, &e) == 0);
	if (store_usage_bytes(store, &query, &b, &e) == 0)
		assert(b.in >= 0 && b.in <= USAGE_BYTES_MAX && b.out >= 0 &&
		       b.out <= USAGE_BYTES_MAX && b.storage_mib_s >= 0 &&
		       b.storage_mib_s <= USAGE_BYTES_MAX);
	if (store_usage(store, &query, rows, &count, &e) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		assert(rows[i].bytes_in >= 0 && rows[i].bytes_in <= USAGE_BYTES_MAX &&
		       rows[i].bytes_out >= 0 && rows[i].bytes_out <= USAGE_BYTES_MAX &&
		       rows[i].storage_mib_s >= 0 && rows[i].storage_mib_s <= USAGE_BYTES_MAX);
		usage_row_done(&rows[i]);
	}
}

/* What came later has numbers from the other end: rows, and what is done with them. */
enum { TRAFFIC_ROW = 0xfa, NEXT_FAILS, EVIDENCE_ROW, EVIDENCE_KEEP, EVIDENCE_SEE };

static unsigned next_fails; /* in the function that is next, at that statement; 0: not */

static void begin_function(struct store *store)
{
	struct err e;

	assert(db_script(&store->db, "SAVEPOINT op", &e) == 0);
	store_memory_fails = next_fails;
	next_fails = 0;
}

static void end_function(struct store *store)
{
	struct err e;

	store_memory_fails = 0;
	assert(db_script(&store->db, "RELEASE op", &e) == 0);
}

static bool evidence_command(struct store *store, uint8_t what, struct reader *r)
{
	const char *id, *cvm;

	if (what < TRAFFIC_ROW || what > EVIDENCE_SEE)
		return false;
	if (what == TRAFFIC_ROW) {
		put_row_of(store, TRAFFIC_TABLE, r);
		return true;
	}
	if (what == NEXT_FAILS) {
		next_fails = reader_u8(r);
		return true;
	}
	if (what == EVIDENCE_ROW) {
		put_row_of(store, EVIDENCE_TABLE, r);
		return true;
	}
	id = ids[reader_u8(r) % ARRAY_LEN(ids)];
	cvm = ids[reader_u8(r) % ARRAY_LEN(ids)];
	begin_function(store);
	if (what == EVIDENCE_KEEP)
		keep_evidence(store, id, cvm, r);
	else
		see_evidence(store, id, cvm);
	end_function(store);
	return true;
}

/* Each as the store's queue calls it. */
static void command(struct store *store, struct reader *r)
{
	int64_t run;
	uint8_t what = reader_u8(r);
	const char *id, *cvm;
	struct err e;

	if (evidence_command(store, what, r))
		return;
	what %= 27;
	if (what < 8) {
		put_row(store, r);
		return;
	}
	id = ids[reader_u8(r) % ARRAY_LEN(ids)];
	cvm = ids[reader_u8(r) % ARRAY_LEN(ids)];
	begin_function(store);
	switch (what) {
	case 8:
		list_all(store, id);
		break;
	case 9:
		show(store, id);
		break;
	case 10:
		read_records(store, id, cvm, (int8_t)reader_u8(r));
		break;
	case 11:
		add_record(store, id, cvm, r, false);
		break;
	case 12:
		add_record(store, id, cvm, r, true);
		break;
	case 13:
		arrive(store, cvm, id);
		break;
	case 14:
		tell_state(store, cvm, reader_u8(r));
		break;
	case 15:
		create(store, id);
		break;
	case 16:
		answer(store, id, cvm, "");
		break;
	case 17:
		answer(store, id, cvm, "no");
		break;
	case 18:
		end(store, id, false, false);
		break;
	case 19:
		end(store, id, true, reader_u8(r) & 1);
		break;
	case 20:
		(void)!store_assign(store, id, cvm, true, &e);
		break;
	case 21:
		(void)!store_stopped(store, cvm, id, &e);
		(void)!store_retry(store, id, &e);
		break;
	case 22:
		(void)!store_cvm_verdict(store, cvm, true, "verified", &e);
		(void)!store_cvm_unproven(store, id, "not", &e);
		break;
	case 23:
		(void)!store_cvm_release(store, cvm, &e);
		break;
	case 24:
		add_journal(store, id, cvm, r);
		break;
	case 25:
		run = (int8_t)reader_u8(r);
		read_journal(store, id, run, (int8_t)reader_u8(r));
		break;
	default:
		run = (int8_t)reader_u8(r);
		read_log(store, id, run, reader_u8(r));
	}
	end_function(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct store_limits limits = {
		.computations = 2, .cvms = 2, .records = 4, .record_bytes = 2048, .audit_rows = 64
	};
	struct reader r = reader_over(bytes, len);
	struct store store;

	store_memory_open(&store, &limits);
	next_fails = 0;
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++)
		command(&store, &r);
	see_usage(&store);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		show(&store, ids[i]);
		see_evidence(&store, ids[i], "");
		see_evidence(&store, "", ids[i]);
		list_all(&store, ids[i]);
		read_records(&store, ids[i], "v", 0);
		read_journal(&store, ids[i], 0, 0);
		read_log(&store, ids[i], 0, 1);
	}
	return 0;
}
