/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of computations: each second once, by what the last look found, by months, whoever looks how often. */
#include "computations/store/store_usage.h"
#include "computations/store/usage_kept.h"
#include "computations/store/usage_traffic.h"
#include "tests/unit/computations/store_room.h"

enum { COMPUTATIONS = 3, MONTHS = 60, STEPS = 500, DAY = 86400, MIB = 1 << 20 };

static const int64_t october = 1790812800; /* 2026-10-01T00:00:00Z, in s */
static const char *const names[COMPUTATIONS] = { "one", "two", "three" };

static int64_t number(struct store_room *f, const char *sql)
{
	int64_t got;

	assert_ok(db_number(&f->store.db, &got, &f->e, sql, ""), f->e);
	return got;
}

static void script(struct store_room *f, const char *sql)
{
	assert_ok(db_script(&f->store.db, sql, &f->e), f->e);
}

/* What it has beside its manifest, from nothing on: in four places. */
static void put(struct store_room *f, const char *id, int64_t records, int64_t journal,
		int64_t evidence, int64_t sealed)
{
	static const uint8_t some[256];
	struct db *db = &f->store.db;
	char owner[64];

	snprintf(owner, sizeof(owner), "c:%s", id);
	assert_ok(db_run(db, &f->e,
			 "INSERT INTO journals (owner, bytes) VALUES (?1, ?2)"
			 " ON CONFLICT (owner) DO UPDATE SET bytes = ?2",
			 "ti", owner, records),
		  f->e);
	/* Each run has the sum of those before. */
	for (int64_t run = 1; run <= 2; run++)
		assert_ok(
			db_run(db, &f->e,
			       "INSERT INTO signed_journals (computation, run, count, bytes, head)"
			       " VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT (computation, run)"
			       " DO UPDATE SET bytes = ?3",
			       "tiib", id, run, journal * run / 2, some, (size_t)1),
			f->e);
	assert_ok(db_run(db, &f->e,
			 "DELETE FROM evidence WHERE of_run = 1 AND number ="
			 " (SELECT number FROM computations WHERE id = ?)",
			 "t", id),
		  f->e);
	assert_ok(db_run(db, &f->e,
			 "INSERT INTO evidence (of_run, number, cvm, attempt, verified, verdict,"
			 " judged, nonce, manifest, token, policy, root, ak) SELECT 1, number, '',"
			 " 1, 1, '', 0, ?2, ?2, ?3, ?2, ?2, ?3 FROM computations WHERE id = ?1",
			 "tbb", id, "", (size_t)0, some, (size_t)evidence),
		  f->e);
	assert_ok(db_run(db, &f->e,
			 "INSERT INTO secrets (kind, owner, key, sealed) VALUES ('agent', ?1, '',"
			 " ?2) ON CONFLICT (kind, owner) DO UPDATE SET sealed = ?2",
			 "tb", id, some, (size_t)sealed),
		  f->e);
}

static size_t look(struct store_room *f, int64_t now, size_t max)
{
	size_t looked, sum = 0;

	do {
		assert_ok(usage_kept_look(&f->store.db, now * 1000 + 999, max, &looked, &f->e),
			  f->e);
		assert_true(looked <= max);
		sum += looked;
	} while (looked);
	return sum;
}

static int64_t stored(struct store_room *f, const char *id, int64_t month)
{
	int64_t got;

	assert_ok(db_number(&f->store.db, &got, &f->e,
			    "SELECT coalesce(max(stored), 0) FROM usage_traffic"
			    " WHERE computation = ? AND since = ?",
			    "ti", id, month * 1000),
		  f->e);
	return got;
}

/* ---- a model, by seconds ---- */

static int64_t months[MONTHS + 1]; /* their begins */

struct kept {
	bool is_there;
	int64_t size, seen, looked; /* as it is; as the last look has found it; when */
	int64_t sums[MONTHS];
};

static void model_months(struct store_room *f)
{
	struct usage_month month = { .until = october * 1000 };

	for (size_t i = 0; i <= MONTHS; i++) {
		months[i] = month.until / 1000;
		assert_ok(usage_month_parse("", month.until, &month, &f->e), f->e);
	}
}

static size_t model_month_of(int64_t now)
{
	size_t i = 0;

	while (months[i + 1] <= now)
		i++;
	assert_true(i < MONTHS);
	return i;
}

static void model_count(struct kept *k, int64_t until)
{
	for (size_t i = 0; i < MONTHS; i++) {
		int64_t from = k->looked > months[i] ? k->looked : months[i];
		int64_t to = until < months[i + 1] ? until : months[i + 1];

		if (from < to)
			k->sums[i] += k->seen * (to - from);
	}
	k->looked = until > k->looked ? until : k->looked;
}

static void model_look(struct kept *k, int64_t now)
{
	const int64_t begin = months[model_month_of(now)];

	if (!k->is_there)
		return;
	if (k->looked < now - USAGE_KEPT_GAP_S) {
		k->looked = now;
		k->seen = k->size;
		return;
	}
	if (k->looked < begin) {
		model_count(k, begin);
		k->seen = begin == now ? k->size : k->seen;
	}
	if (k->looked < now - USAGE_KEPT_PAUSE_S) {
		model_count(k, now);
		k->seen = k->size;
	}
}

static void model_check(struct store_room *f, const struct kept *all, size_t since, size_t until)
{
	int64_t sum = 0;

	for (size_t i = 0; i < COMPUTATIONS; i++) {
		for (size_t m = 0; m < MONTHS; m++)
			sum += all[i].sums[m];
		for (size_t m = since; m < until; m++)
			assert_int_equal(stored(f, names[i], months[m]), all[i].sums[m]);
	}
	assert_int_equal(number(f, "SELECT CAST(coalesce(sum(stored), 0) AS BIGINT)"
				   " FROM usage_traffic"),
			 sum);
}

static unsigned dice(unsigned sides)
{
	static uint64_t state = 20261126;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(state >> 33) % sides;
}

static void model_change(struct store_room *f, struct kept *k, const char *id, int64_t manifest)
{
	int64_t records = dice(5000), journal = 2 * dice(50000), evidence = dice(200),
		sealed = dice(200);

	put(f, id, records, journal, evidence, sealed);
	k->size = manifest + records + journal + 2 * evidence + sealed;
}

/* One of them comes or goes. */
static void model_turn(struct store_room *f, struct kept *k, const char *id, int64_t now)
{
	if (k->is_there) {
		assert_ok(usage_kept_end(&f->store.db, id, now * 1000, &f->e), f->e);
		if (k->looked >= now - USAGE_KEPT_GAP_S)
			model_count(k, now);
	} else {
		assert_ok(usage_kept_begin(&f->store.db, id, now * 1000 + 1, &f->e), f->e);
		k->looked = now;
		k->seen = k->size;
	}
	k->is_there = !k->is_there;
}

static void what_a_model_counts_is_counted(void **state)
{
	struct kept all[COMPUTATIONS] = { { .is_there = false } };
	struct store_room *f = *state;
	int64_t now = october + DAY, most = now;

	model_months(f);
	for (size_t i = 0; i < COMPUTATIONS; i++)
		store_room_create(f, names[i]);
	script(f, "DELETE FROM usage_kept");
	const int64_t manifest = number(f, "SELECT length(manifest) FROM computations"
					   " WHERE id = 'one'");
	script(f, "UPDATE computations SET manifest ="
		  " (SELECT manifest FROM computations WHERE id = 'one')");
	for (size_t i = 0; i < COMPUTATIONS; i++)
		model_change(f, &all[i], names[i], manifest);
	for (int step = 0; step < STEPS; step++) {
		const size_t at = dice(COMPUTATIONS);
		const unsigned what = dice(8);

		/* A clock goes on from where it was, or back; rarely it leaps, or stands at a month's end. */
		now = dice(8) ? most + dice(7200) : most - dice(3 * DAY);
		if (dice(40) == 0)
			now = most + dice(2) * 350 * (int64_t)DAY / 5 + dice(40 * DAY);
		if (dice(10) == 0)
			now = months[model_month_of(most) + 1];
		if (most > months[MONTHS - 8])
			break;
		most = now > most ? now : most;
		if (what < 2) {
			model_turn(f, &all[at], names[at], now);
		} else if (what < 4) {
			model_change(f, &all[at], names[at], manifest);
		} else if (what == 4) { /* killed within, or its lease is lost */
			assert_ok(db_begin(&f->store.db, &f->e), f->e);
			(void)look(f, now, 2);
			db_rollback(&f->store.db);
		} else {
			(void)look(f, now, 1 + dice(4));
			assert_int_equal(look(f, now, 8), 0); /* again at once */
			for (size_t i = 0; i < COMPUTATIONS; i++)
				model_look(&all[i], now);
		}
		if (dice(50) == 0) {
			store_close(&f->store);
			store_room_open(f);
		}
		model_check(f, all, model_month_of(most), model_month_of(most) + 1);
	}
	model_check(f, all, 0, MONTHS);
	assert_true(model_month_of(most) > 12);
}

/* ---- each by itself ---- */

static void a_creation_begins_it_and_a_removal_ends_it(void **state)
{
	CLEANUP(free) char *held = NULL;
	struct store_room *f = *state;
	int64_t before, size, sum;

	store_room_create(f, "one");
	size = number(f, "SELECT length(manifest) FROM computations");
	assert_int_equal(number(f, "SELECT bytes FROM usage_kept"), size);
	script(f, "UPDATE usage_kept SET looked = looked - 8640000");
	before = store_now() / 1000 - number(f, "SELECT looked FROM usage_kept");
	assert_ok(store_remove(&f->store, "one", false, &held, &f->e), f->e);
	sum = number(f, "SELECT CAST(sum(stored) AS BIGINT) FROM usage_traffic");
	assert_in_range(sum, before * size, (before + 3600) * size);
	assert_int_equal(sum % size, 0);
	assert_in_range(number(f, "SELECT count(*) FROM usage_traffic"), 4, 5);
	assert_int_equal(number(f, "SELECT count(*) FROM usage_kept"), 0);
	/* Of one that was never looked at, as of one that nobody knows, nothing counts. */
	assert_ok(usage_kept_end(&f->store.db, "one", store_now(), &f->e), f->e);
	store_room_create(f, "one");
	script(f, "UPDATE usage_kept SET looked = 0");
	assert_ok(store_remove(&f->store, "one", false, &held, &f->e), f->e);
	assert_int_equal(number(f, "SELECT CAST(sum(stored) AS BIGINT) FROM usage_traffic"), sum);
}

static void what_is_too_much_stays_where_it_can_be_told(void **state)
{
	struct usage_month month;
	struct usage_row rows[2] = { 0 };
	const struct usage_query query = { .month = &month, .max = 2 };
	struct usage_bytes sum;
	struct store_room *f = *state;
	size_t count;

	store_room_create(f, "one");
	for (int round = 0; round < 2; round++) {
		script(f, "UPDATE usage_kept SET bytes = 9223372036854775807,"
			  " looked = 1790812800");
		assert_int_equal(look(f, october + 30 * DAY, 8), 1);
		assert_int_equal(stored(f, "one", october),
				 round ? INT64_MAX : USAGE_KEPT_BYTES_MAX * 30 * DAY);
	}
	for (int64_t i = 0; i < 1100; i++)
		assert_ok(db_run(&f->store.db, &f->e,
				 "INSERT INTO usage_traffic (since, workspace, computation, called,"
				 " bytes_in, bytes_out, stored) SELECT since, workspace, ?, called,"
				 " 0, 0, stored FROM usage_traffic WHERE computation = 'one'",
				 "t",
				 (char[]){ (char)('a' + i / 676), (char)('a' + i / 26 % 26),
					   (char)('a' + i % 26), 0 }),
			  f->e);
	assert_ok(usage_month_parse("2026-10", 0, &month, &f->e), f->e);
	assert_ok(store_usage_bytes(&f->store, &query, &sum, &f->e), f->e);
	assert_int_equal(sum.storage_mib_s, USAGE_BYTES_MAX);
	assert_ok(store_usage(&f->store, &query, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].storage_mib_s, INT64_MAX / MIB);
	for (size_t i = 0; i < count; i++)
		usage_row_done(&rows[i]);
}

/* In whole units; what has none is no row. */
static void it_is_told_beside_what_ran(void **state)
{
	struct usage_month month;
	struct usage_row row = { .workspace = NULL };
	const struct usage_query query = { .month = &month, .max = 1 };
	struct usage_bytes sum;
	struct store_room *f = *state;
	size_t count;

	store_room_create(f, "one");
	script(f, "UPDATE usage_kept SET bytes = 1048575, looked = 1790812800");
	for (int64_t second = 1; second <= 2; second++) {
		assert_ok(usage_kept_end(&f->store.db, "one", (october + second) * 1000, &f->e),
			  f->e);
		assert_ok(usage_month_parse("2026-10", 0, &month, &f->e), f->e);
		assert_ok(store_usage(&f->store, &query, &row, &count, &f->e), f->e);
		assert_int_equal(count, second - 1);
		assert_ok(store_usage_bytes(&f->store, &query, &sum, &f->e), f->e);
		assert_int_equal(sum.storage_mib_s, second - 1);
		assert_ok(usage_kept_begin(&f->store.db, "one", (october + second) * 1000, &f->e),
			  f->e);
		script(f, "UPDATE usage_kept SET bytes = 1048575");
	}
	assert_int_equal(row.kind, USAGE_OF_COMPUTATION);
	assert_int_equal(row.cvms, 0);
	assert_int_equal(row.bytes_in, 0);
	assert_int_equal(row.storage_mib_s, 1);
	assert_string_equal(row.computation, "one");
	usage_row_done(&row);
}

/* What an older program kept counts from the first look on. */
static void an_older_database_begins_now(void **state)
{
	const struct usage_traffic some = { .in = 3 };
	struct store_room *f = *state;
	int64_t size;

	store_room_create(f, "one");
	assert_ok(usage_traffic_keep(&f->store, "one", &some, october * 1000, &f->e), f->e);
	store_room_age(f, 46);
	assert_int_equal(number(f, "SELECT stored FROM usage_traffic"), 0);
	assert_int_equal(look(f, october, 8), 1);
	assert_int_equal(number(f, "SELECT count(*) FROM usage_traffic WHERE stored > 0"), 0);
	size = number(f, "SELECT length(manifest) FROM computations");
	assert_int_equal(number(f, "SELECT bytes FROM usage_kept"), size);
	assert_int_equal(look(f, october + USAGE_KEPT_PAUSE_S, 8), 0);
	assert_int_equal(look(f, october + USAGE_KEPT_PAUSE_S + 1, 8), 1);
	assert_int_equal(stored(f, "one", october), size * (USAGE_KEPT_PAUSE_S + 1));
	assert_int_equal(number(f, "SELECT bytes_in FROM usage_traffic"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_a_model_counts_is_counted),
		STORE_ROOM_ROW(a_creation_begins_it_and_a_removal_ends_it),
		STORE_ROOM_ROW(what_is_too_much_stays_where_it_can_be_told),
		STORE_ROOM_ROW(it_is_told_beside_what_ran),
		STORE_ROOM_ROW(an_older_database_begins_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
