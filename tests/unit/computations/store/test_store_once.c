/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of creations: what is sent again is told, what is something else, whose a key is, how many, and for how long. */
#include "computations/store/store_once.h"
#include "tests/unit/computations/store_room.h"

#include <string.h>

static const int64_t noon = INT64_C(1793491200000);

static struct once once_of(int64_t person, const char *key, uint8_t fill)
{
	struct once o = { .person = person };

	snprintf(o.key, sizeof(o.key), "%s", key);
	snprintf(o.what, sizeof(o.what), "POST /api/things");
	memset(o.digest, fill, sizeof(o.digest));
	return o;
}

static enum once_claim claim(struct store_room *f, const struct once *o, int64_t now,
			     struct once_made *made)
{
	enum once_claim claim;

	assert_ok(store_once_claim(&f->store, o, now, &claim, made, &f->e), f->e);
	return claim;
}

static int64_t rows(struct store_room *f)
{
	int64_t count;

	assert_ok(db_number(&f->store.db, &count, &f->e, "SELECT count(*) FROM once_keys", ""),
		  f->e);
	return count;
}

static void what_is_sent_again_is_told(void **state)
{
	struct store_room *f = *state;
	const struct once mine = once_of(1, "k", 1);
	struct once other = once_of(1, "k", 2), path = mine, colleague = once_of(2, "k", 2);
	const struct once operator= once_of(0, "k", 3);
	const struct once_made told = { 201, "{\"number\":7}\n", "/api/things/7" };
	struct once_made made = { .status = 0 };

	assert_int_equal(claim(f, &mine, noon, &made), ONCE_FIRST);
	assert_int_equal(claim(f, &mine, noon, &made), ONCE_BUSY);
	assert_int_equal(claim(f, &other, noon, &made), ONCE_OTHER);
	/* Who is beaten to it undoes nothing, and writes nothing over. */
	assert_ok(store_once_drop(&f->store, &other, &f->e), f->e);
	assert_ok(store_once_keep(&f->store, &other, &told, &f->e), f->e);
	assert_int_equal(claim(f, &mine, noon, &made), ONCE_BUSY);
	assert_int_equal(made.status, 0);
	assert_ok(store_once_keep(&f->store, &mine, &told, &f->e), f->e);
	assert_int_equal(claim(f, &mine, noon + 1, &made), ONCE_AGAIN);
	assert_int_equal(made.status, 201);
	assert_string_equal(made.made, told.made);
	assert_string_equal(made.location, told.location);
	/* Once it is kept it stays. */
	assert_ok(store_once_drop(&f->store, &mine, &f->e), f->e);
	assert_int_equal(claim(f, &mine, noon + 1, &made), ONCE_AGAIN);
	assert_int_equal(claim(f, &other, noon + 1, &made), ONCE_OTHER);
	snprintf(path.what, sizeof(path.what), "POST /api/others");
	assert_int_equal(claim(f, &path, noon + 1, &made), ONCE_OTHER);
	/* Nobody's key is in another's way. */
	assert_int_equal(claim(f, &colleague, noon + 1, &made), ONCE_FIRST);
	assert_int_equal(claim(f, &operator, noon + 1, &made), ONCE_FIRST);
	/* What was refused may be sent again, and so may something else. */
	assert_ok(store_once_drop(&f->store, &colleague, &f->e), f->e);
	colleague.digest[0]++;
	assert_int_equal(claim(f, &colleague, noon + 2, &made), ONCE_FIRST);
	/* Also behind a restart. */
	store_close(&f->store);
	store_room_open(f);
	assert_int_equal(claim(f, &mine, noon + 3, &made), ONCE_AGAIN);
	assert_int_equal(claim(f, &colleague, noon + 3, &made), ONCE_BUSY);
}

static void a_day_later_it_is_forgotten(void **state)
{
	struct store_room *f = *state;
	const struct once mine = once_of(1, "k", 1), other = once_of(1, "k", 2);
	struct once_made made = { .status = 0 };

	assert_int_equal(claim(f, &mine, noon, &made), ONCE_FIRST);
	assert_int_equal(claim(f, &other, noon + ONCE_KEPT_MS - 1, &made), ONCE_OTHER);
	assert_int_equal(claim(f, &other, noon + ONCE_KEPT_MS, &made), ONCE_FIRST);
	assert_int_equal(rows(f), 1);
	/* Others' rows go, too, a few with each claim. */
	for (int i = 0; i < ONCE_OTHERS_MAX + 1; i++) {
		const struct once o = once_of(10 + i, "k", 1);

		assert_int_equal(claim(f, &o, noon + ONCE_KEPT_MS, &made), ONCE_FIRST);
	}
	assert_int_equal(rows(f), ONCE_OTHERS_MAX + 2);
	assert_int_equal(claim(f, &mine, noon + 2 * (int64_t)ONCE_KEPT_MS, &made), ONCE_FIRST);
	assert_int_equal(rows(f), 2);
	assert_int_equal(claim(f, &mine, noon + 2 * (int64_t)ONCE_KEPT_MS, &made), ONCE_BUSY);
	assert_int_equal(rows(f), 1);
}

/* None gives way to another before its day is over. */
static void a_user_has_so_many_keys(void **state)
{
	struct store_room *f = *state;
	const struct once more = once_of(1, "more", 1), colleague = once_of(2, "more", 1);
	const struct once first = once_of(1, "k0", 1);
	struct once_made made = { .status = 0 };
	enum once_claim ignored;

	for (int i = 0; i < ONCE_KEYS_MAX; i++) {
		struct once o = once_of(1, "", 1);

		snprintf(o.key, sizeof(o.key), "k%d", i);
		assert_int_equal(claim(f, &o, noon + i, &made), ONCE_FIRST);
	}
	assert_refused(
		store_once_claim(&f->store, &more, noon + ONCE_KEPT_MS - 1, &ignored, &made, &f->e),
		f->e, ERR_EXHAUSTED, "1000 creations");
	assert_int_equal(claim(f, &first, noon + ONCE_KEPT_MS - 1, &made), ONCE_BUSY);
	assert_int_equal(claim(f, &colleague, noon + ONCE_KEPT_MS - 1, &made), ONCE_FIRST);
	assert_int_equal(claim(f, &more, noon + ONCE_KEPT_MS, &made), ONCE_FIRST);
}

static void what_is_no_row_of_ours_is_refused(void **state)
{
	static const char *const spoils[] = {
		"UPDATE once_keys SET status = -1",
		"UPDATE once_keys SET status = 600",
		"UPDATE once_keys SET what = '" /* longer than any */
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
	};
	struct store_room *f = *state;
	const struct once mine = once_of(1, "k", 1);
	struct once_made made = { .status = 0 };
	enum once_claim ignored;

	for (size_t i = 0; i < ARRAY_LEN(spoils); i++) {
		assert_ok(db_run(&f->store.db, &f->e, "DELETE FROM once_keys", ""), f->e);
		assert_int_equal(claim(f, &mine, noon, &made), ONCE_FIRST);
		assert_ok(db_run(&f->store.db, &f->e, spoils[i], ""), f->e);
		assert_refused(store_once_claim(&f->store, &mine, noon, &ignored, &made, &f->e),
			       f->e, ERR_DATA_LOSS, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_is_sent_again_is_told),
		STORE_ROOM_ROW(a_day_later_it_is_forgotten),
		STORE_ROOM_ROW(a_user_has_so_many_keys),
		STORE_ROOM_ROW(what_is_no_row_of_ours_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
