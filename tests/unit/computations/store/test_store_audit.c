/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log in the database: what is added, what is refused, its cut, and several who add at one time. */
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "common/db/db_postgres.h"
#include "computations/store/store_audit.h"
#include "computations/store/store_form.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LIMIT = 64,
	REFUSALS = LIMIT - LIMIT / AUDIT_REFUSALS_SHARE,
	USERS = LIMIT - LIMIT / AUDIT_USERS_SHARE,
	ALWAYS = LIMIT - LIMIT / AUDIT_ALWAYS_SHARE,
	HALF = LIMIT / 2,
	OF_ONE = (USERS - HALF) / 2, /* that a user alone may add from then on */
};

static const struct audit_row change = { .who = "user alice",
					 .from = "[::1]:1",
					 .what = "computations.ComputationService/Stop",
					 .object = "computation one",
					 .about = "{}",
					 .before = "Running",
					 .after = "Cancelled" };
static const struct audit_row refusal = { .who = "user eve",
					  .what = "people.PeopleService/AddUser",
					  .outcome = "PERMISSION_DENIED",
					  .cause = "no" };
static const struct audit_row cut = { .who = "uid 0", .what = "Audit/Trim" };

static void add_to(struct store_room *f, const struct audit_row *row, enum audit_room room,
		   unsigned times)
{
	while (times--)
		assert_ok(store_audit_add(&f->store, row, room, &f->e), f->e);
}

/* A change of user "u1", "u2", ... */
static struct audit_row row_as(char who[32], unsigned user)
{
	struct audit_row row = change;

	snprintf(who, 32, "user u%u", user);
	row.who = who;
	return row;
}

static void add_as(struct store_room *f, unsigned user, enum audit_room room, unsigned times)
{
	char who[32];
	const struct audit_row row = row_as(who, user);

	add_to(f, &row, room, times);
}

static void refused_as(struct store_room *f, unsigned user, enum audit_room room, const char *words)
{
	char who[32];
	const struct audit_row row = row_as(who, user);

	assert_refused(store_audit_add(&f->store, &row, room, &f->e), f->e, ERR_EXHAUSTED, words);
	assert_non_null(strstr(f->e.text, "audit trim"));
}

static void add(struct store_room *f, const struct audit_row *row, unsigned times)
{
	add_to(f, row, AUDIT_ROOM_OPERATORS, times);
}

static struct audit_head check(struct store_room *f, uint64_t after, uint64_t head)
{
	struct audit_head begin, end, checked;

	assert_ok(store_audit_ends(&f->store, &begin, &end, &f->e), f->e);
	assert_ok(store_audit_check(&f->store, &checked, &f->e), f->e);
	assert_int_equal(begin.number, after);
	assert_int_equal(end.number, head);
	assert_int_equal(checked.number, head);
	assert_memory_equal(checked.digest, end.digest, SHA3_256_LEN);
	return end;
}

/* Lines of a page, in one string, each with its end. */
static char *text_of(const struct audit_page *page)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 << 20);
	size_t at = 0, len;

	for (size_t i = 0; i < page->count; at = page->ends[i++]) {
		writer_bytes(&w, page->bytes + at, page->ends[i] - at);
		writer_u8(&w, '\n');
	}
	writer_u8(&w, 0);
	return (char *)writer_take(&w, &len);
}

static void rows_form_a_chain(void **state)
{
	struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };
	CLEANUP(free) char *text = NULL;
	struct store_room *f = *state;
	struct audit_head end;

	check(f, 0, 0);
	add(f, &change, 3);
	add(f, &refusal, 1);
	end = check(f, 0, 4);
	store_close(&f->store);
	store_room_open(f);
	check(f, 0, 4);
	add(f, &change, 1);
	assert_ok(store_audit_rows(&f->store, 3, 1, &page, &f->e), f->e);
	text = text_of(&page);
	assert_int_equal(page.count, 1);
	assert_non_null(strstr(text, "{\"number\":4,\"time\":"));
	assert_non_null(strstr(text, "\"who\":\"user eve\""));
	assert_non_null(strstr(text, "\"outcome\":\"PERMISSION_DENIED\",\"cause\":\"no\""));
	char digest_is[2 * SHA3_256_LEN + 1];

	hex_encode(end.digest, SHA3_256_LEN, digest_is);
	assert_non_null(strstr(text, digest_is));
}

static void pages_go_both_ways(void **state)
{
	struct store_room *f = *state;
	const struct {
		uint64_t at;
		size_t max, count;
		bool newest;
		const char *first;
	} pages[] = {
		{ 0, 2, 2, false, "{\"number\":1," },
		{ 1, 9, 4, false, "{\"number\":2," },
		{ 5, 9, 0, false, "" },
		{ UINT64_MAX, 9, 0, false, "" },
		{ 0, 2, 2, true, "{\"number\":5," },
		{ 5, 9, 4, true, "{\"number\":4," },
		{ 1, 9, 0, true, "" },
		{ UINT64_MAX, 1, 1, true, "{\"number\":5," },
	};

	add(f, &change, 5);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };
		CLEANUP(free) char *text = NULL;

		assert_ok((pages[i].newest ? store_audit_newest : store_audit_rows)(
				  &f->store, pages[i].at, pages[i].max, &page, &f->e),
			  f->e);
		text = text_of(&page);
		assert_int_equal(page.count, pages[i].count);
		assert_int_equal(strncmp(text, pages[i].first, strlen(pages[i].first)), 0);
	}
}

/* A page has rows up to its bytes, and one more. */
static void pages_have_a_limit(void **state)
{
	struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };
	char text[AUDIT_ROW_TEXT_MAX + 1] = "";
	const struct audit_row row = { .who = text,
				       .from = text,
				       .what = text,
				       .object = text,
				       .about = text,
				       .before = text,
				       .after = text,
				       .cause = text };
	struct store_room *f = *state;

	memset(text, 1, AUDIT_ROW_TEXT_MAX);
	add(f, &row, 30);
	assert_ok(store_audit_rows(&f->store, 0, AUDIT_PAGE_MAX, &page, &f->e), f->e);
	assert_true(page.count > 1 && page.count < 30);
	assert_true(page.ends[page.count - 2] < AUDIT_PAGE_BYTES);
	assert_true(page.ends[page.count - 1] >= AUDIT_PAGE_BYTES);
}

static void refusals_leave_room(void **state)
{
	struct store_room *f = *state;

	add(f, &refusal, REFUSALS);
	check(f, 0, REFUSALS);
	add(f, &refusal, 9);
	check(f, 0, REFUSALS);
	add(f, &change, LIMIT - REFUSALS);
	check(f, 0, LIMIT);
	assert_refused(store_audit_add(&f->store, &change, AUDIT_ROOM_OPERATORS, &f->e), f->e,
		       ERR_EXHAUSTED, "audit trim");
	check(f, 0, LIMIT);
}

/* Or nobody could suspend whoever fills it. */
static void strangers_and_users_leave_room(void **state)
{
	struct store_room *f = *state;

	add_to(f, &change, AUDIT_ROOM_STRANGERS, REFUSALS + 9);
	check(f, 0, REFUSALS);
	for (unsigned i = 0; i < USERS - REFUSALS; i++)
		add_as(f, i, AUDIT_ROOM_USERS, 1);
	check(f, 0, USERS);
	refused_as(f, 99, AUDIT_ROOM_USERS, "the audit log has 60 rows");
	add_to(f, &change, AUDIT_ROOM_STRANGERS, 1);
	check(f, 0, USERS);
	/* Who has to come in, leave or take a right away may still do so. */
	for (unsigned i = 0; i < ALWAYS - USERS; i++)
		add_as(f, 99 + i, AUDIT_ROOM_ALWAYS, 1);
	refused_as(f, 200, AUDIT_ROOM_ALWAYS, "the audit log has 62 rows");
	add(f, &change, LIMIT - ALWAYS);
	check(f, 0, LIMIT);
}

/* One after the other as far as they can: each leaves as much to the others as he has. */
static void one_user_leaves_room_for_the_others(void **state)
{
	struct store_room *f = *state;
	unsigned used = HALF;

	/* Until half of it is full, nobody is short of any. */
	add_as(f, 1, AUDIT_ROOM_USERS, HALF + OF_ONE);
	used += OF_ONE;
	refused_as(
		f, 1, AUDIT_ROOM_USERS,
		"user u1 made 14 changes since half of the audit log was full, and it has room for 14");
	check(f, 0, used);
	/* However often he is told, nobody waits for a line about another. */
	for (int i = 0; i < 2 * LOG_RATE_BURST; i++)
		refused_as(f, 1, AUDIT_ROOM_USERS, "ask who administers");
	assert_int_equal(f->store.audit_used.spent_until, 0);
	assert_int_equal(f->store.lines.rows[0].kind, STORE_LINE_AUDIT_USED);
	assert_true(f->store.lines.rows[0].skipped);
	for (unsigned user = 2; USERS - used > 1; user++) {
		const unsigned more = (USERS - used + 1) / 2;

		add_as(f, user, AUDIT_ROOM_USERS, more);
		used += more;
		refused_as(f, user, AUDIT_ROOM_USERS, "ask who administers");
	}
	refused_as(f, 1, AUDIT_ROOM_USERS, "ask who administers");
	add_as(f, 100, AUDIT_ROOM_USERS, 1);
	check(f, 0, used + 1);
	/* Nobody counts for what users may do always, nor what they did of that for the rest. */
	add_as(f, 1, AUDIT_ROOM_ALWAYS, 1);
	add(f, &change, 1);
}

static void what_works_always_is_shared_too(void **state)
{
	struct store_room *f = *state;
	const unsigned own = (ALWAYS - HALF) / 2;

	add_as(f, 1, AUDIT_ROOM_ALWAYS, HALF + own);
	refused_as(f, 1, AUDIT_ROOM_ALWAYS, "user u1 made 15 changes");
	add_as(f, 1, AUDIT_ROOM_USERS, 1);
	add_as(f, 2, AUDIT_ROOM_ALWAYS, 1);
}

static void a_cut_gives_all_their_shares_back(void **state)
{
	struct store_room *f = *state;
	struct audit_head end;

	add_as(f, 1, AUDIT_ROOM_USERS, HALF + OF_ONE);
	refused_as(f, 1, AUDIT_ROOM_USERS, "ask who administers");
	end = check(f, 0, HALF + OF_ONE);
	assert_ok(store_audit_trim(&f->store, &end, &cut, &f->e), f->e);
	add_as(f, 1, AUDIT_ROOM_USERS, HALF - 1 + OF_ONE); /* beside the row of the cut */
	refused_as(f, 1, AUDIT_ROOM_USERS, "user u1 made 14 changes");
	check(f, HALF + OF_ONE, 2 * (HALF + OF_ONE));
}

static void a_log_is_cut_where_its_owner_says(void **state)
{
	struct store_room *f = *state;
	struct audit_head start = { .number = 0 }, wrong, end;
	struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };
	CLEANUP(free) char *text = NULL;
	char told[256], head[AUDIT_HEAD_TEXT_MAX + 1];

	assert_refused(store_audit_trim(&f->store, &start, &cut, &f->e), f->e, ERR_PRECONDITION,
		       "nothing to cut");
	add(f, &change, 10);
	end = check(f, 0, 10);
	add(f, &change, LIMIT - 10);
	wrong = end;
	wrong.digest[31] ^= 1;
	assert_refused(store_audit_trim(&f->store, &wrong, &cut, &f->e), f->e, ERR_PRECONDITION,
		       "row 10 has another digest");
	wrong.number = LIMIT + 1;
	assert_refused(store_audit_trim(&f->store, &wrong, &cut, &f->e), f->e, ERR_NOT_FOUND,
		       "no row 65");
	check(f, 0, LIMIT);
	/* A full log takes the row of the cut, and changes again. */
	assert_ok(store_audit_trim(&f->store, &end, &cut, &f->e), f->e);
	check(f, 10, LIMIT + 1);
	add(f, &change, 1);
	end = check(f, 10, LIMIT + 2);
	assert_refused(store_audit_trim(&f->store, &start, &cut, &f->e), f->e, ERR_PRECONDITION,
		       "begins behind row 10");
	assert_ok(store_audit_rows(&f->store, LIMIT, 1, &page, &f->e), f->e);
	text = text_of(&page);
	assert_non_null(strstr(text, "\"what\":\"Audit/Trim\",\"object\":\"10:"));
	assert_non_null(strstr(text, "\"about\":\"{\\\"rows\\\":10}\""));
	/* All of it. */
	assert_ok(store_audit_trim(&f->store, &end, &cut, &f->e), f->e);
	check(f, LIMIT + 2, LIMIT + 3);
	audit_head_text(&end, head);
	snprintf(told, sizeof(told), "\"object\":\"%s\"", head);
	audit_page_done(&page);
	free(text);
	assert_ok(store_audit_rows(&f->store, 0, AUDIT_PAGE_MAX, &page, &f->e), f->e);
	text = text_of(&page);
	assert_int_equal(page.count, 1);
	assert_non_null(strstr(text, told));
}

/* The database in somebody else's hands. */
static void what_was_changed_is_found(void **state)
{
	static const struct {
		const char *sql, *words;
	} edits[] = {
		{ "UPDATE audit_rows SET line = replace(line, 'alice', 'malice') WHERE number = 3",
		  "row 3 does not fit" },
		{ "DELETE FROM audit_rows WHERE number = 2", "row 3 stands where row 2 has to" },
		{ "UPDATE audit_rows SET number = 9 WHERE number = 5", "row 5 is kept as row 9" },
		{ "UPDATE audit_rows SET line = '' WHERE number = 1", "row 1 can't be read" },
		{ "UPDATE audit_rows SET digest = (SELECT digest FROM audit_rows WHERE number = 1)"
		  " WHERE number = 4",
		  "row 4 has two digests" },
		{ "UPDATE audit_start SET head = '1' || substr(head, 2)",
		  "row 1 stands where row 2 has to" },
		{ "UPDATE audit_start SET head = '01' || substr(head, 2)", "is no head" },
		{ "DELETE FROM audit_start", "is missing" },
	};
	struct store_room *f = *state;
	struct audit_head head;

	add(f, &change, 5);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		assert_ok(db_begin(&f->store.db, &f->e), f->e);
		assert_ok(db_script(&f->store.db, edits[i].sql, &f->e), f->e);
		assert_refused(store_audit_check(&f->store, &head, &f->e), f->e, ERR_DATA_LOSS,
			       edits[i].words);
		db_rollback(&f->store.db);
	}
	check(f, 0, 5);
}

static void what_is_undone_has_no_row(void **state)
{
	struct store_room *f = *state;

	assert_ok(db_begin(&f->store.db, &f->e), f->e);
	assert_ok(store_audit_lock(&f->store, &f->e), f->e);
	add(f, &change, 2);
	db_rollback(&f->store.db);
	check(f, 0, 0);
}

/* ---- several services on one database ---- */

enum { INSTANCES = 2, EACH = 25 };

/* A process with a connection of its own, as another service has. How many of its transactions failed. */
static int instance(bool locks)
{
	const struct db_postgres how = { .place = store_room_database(), .schema = STORE_SCHEMA };
	struct store store = { .limits = { .audit_rows = 1000 } };
	int failures = 0;
	struct err e;

	if (db_postgres_open(&store.db, &how, &e) < 0)
		return 255;
	for (int done = 0; done < EACH;) {
		int failed = db_begin(&store.db, &e);

		if (!failed && ((locks && store_audit_lock(&store, &e) < 0) ||
				store_audit_add(&store, &change, AUDIT_ROOM_OPERATORS, &e) < 0)) {
			db_rollback(&store.db);
			failed = err_code(&e);
		} else if (!failed) {
			failed = db_commit(&store.db, &e);
		}
		if (!failed)
			done++;
		else if (failures < 200)
			failures++;
		else
			break;
	}
	db_close(&store.db);
	return failures;
}

static void race(struct store_room *f, bool locks)
{
	pid_t pids[INSTANCES];

	for (size_t i = 0; i < INSTANCES; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i])
			_exit(instance(locks));
	}
	for (size_t i = 0; i < INSTANCES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 200);
		if (locks)
			assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void of_several_services_there_is_one_chain(void **state)
{
	struct store_room *f = *state;

	if (!store_room_database())
		return; /* a file has one service, which holds its lock */
	race(f, true);
	check(f, 0, INSTANCES * EACH);
}

/* Who forgot the lock may lose, and the chain is one all the same. */
static void also_without_the_lock(void **state)
{
	struct store_room *f = *state;

	if (!store_room_database())
		return;
	race(f, false);
	check(f, 0, INSTANCES * EACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(rows_form_a_chain),
		STORE_ROOM_ROW(pages_go_both_ways),
		STORE_ROOM_ROW(pages_have_a_limit),
		STORE_ROOM_ROW(refusals_leave_room),
		STORE_ROOM_ROW(strangers_and_users_leave_room),
		STORE_ROOM_ROW(one_user_leaves_room_for_the_others),
		STORE_ROOM_ROW(what_works_always_is_shared_too),
		STORE_ROOM_ROW(a_cut_gives_all_their_shares_back),
		STORE_ROOM_ROW(a_log_is_cut_where_its_owner_says),
		STORE_ROOM_ROW(what_was_changed_is_found),
		STORE_ROOM_ROW(what_is_undone_has_no_row),
		STORE_ROOM_ROW(of_several_services_there_is_one_chain),
		STORE_ROOM_ROW(also_without_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
