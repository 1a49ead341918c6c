/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a log of heads by calls that run at the same time. */
#include "cli/client/witness_kept.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "tests/unit.h"

#include <stdlib.h>

#define ADDRESS "service:7001"

static char folder[] = "/tmp/cocos-kept-XXXXXX";
static struct log {
	EVP_PKEY *key;
	uint8_t *spki;
	size_t len;
} ours, another;

/* What a call reads before it asks; the caller frees. */
static struct witness_kept *read_kept(void)
{
	struct witness_kept *kept = malloc(sizeof(*kept));
	struct err e;

	assert_non_null(kept);
	assert_ok(witness_kept_read(ADDRESS, kept, &e), e);
	return kept;
}

/* A call that read `before`, was shown a log of that size and of a root that begins with `root`, and of a run's
 * leaf with so many entries (0: none), which a journal was compared with or not. */
static int keep_as(const struct log *log, const struct witness_kept *before, uint64_t size,
		   uint8_t root, uint64_t entries, bool compared, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_SIGNED_MAX);
	const struct witness_head head = { .size = size, .root = { root } };
	const struct witness_leaf leaf = { .computation = { (const uint8_t *)"c", 1 },
					   .run = 1,
					   .head = { .count = entries, .digest = { root } } };

	assert_ok(witness_head_sign(&head, log->key, &w, e), *e);
	return witness_kept_write(ADDRESS, before,
				  &(struct witness_shown){ .key = { log->spki, log->len },
							   .signed_head = { w.bytes, w.len },
							   .head = &head,
							   .leaf = entries ? &leaf : NULL,
							   .compared = compared },
				  e);
}

static int keep_with(const struct log *log, const struct witness_kept *before, uint64_t size,
		     uint8_t root, uint64_t entries, struct err *e)
{
	return keep_as(log, before, size, root, entries, false, e);
}

static int keep(const struct log *log, const struct witness_kept *before, uint64_t size,
		uint8_t root, struct err *e)
{
	return keep_with(log, before, size, root, 0, e);
}

static void forget(struct witness_kept *kept)
{
	witness_kept_done(kept);
	free(kept);
}

static void assert_kept(uint64_t size, uint8_t root)
{
	CLEANUP(free) struct witness_kept *kept = malloc(sizeof(*kept));
	struct err e;

	assert_non_null(kept);
	assert_ok(witness_kept_read(ADDRESS, kept, &e), e);
	assert_int_equal(kept->head.size, size);
	assert_int_equal(kept->head.root[0], root);
	witness_kept_done(kept);
}

static void what_was_compared_is_kept(void **state)
{
	struct witness_kept *before = read_kept();
	struct err e;

	assert_ok(keep(&ours, before, 5, 1, &e), e);
	assert_ok(keep(&ours, before, 5, 1, &e), e); /* two who were shown the same */
	assert_kept(5, 1);
	forget(before);
	before = read_kept();
	assert_ok(keep(&ours, before, 6, 3, &e), e);
	assert_kept(6, 3);
	forget(before);
}

static void a_log_of_another_size_meanwhile_is_to_be_compared(void **state)
{
	struct witness_kept *before = read_kept();
	struct err e;

	assert_ok(keep(&ours, before, 8, 4, &e), e);
	for (uint64_t size = 6; size < 12; size++)
		if (size != 8)
			assert_int_equal(keep(&ours, before, size, 9, &e), WITNESS_KEPT_CHANGED);
	assert_kept(8, 4);
	forget(before);
	/* Nothing was seen before, and now something is. */
	before = calloc(1, sizeof(*before));
	assert_non_null(before);
	assert_int_equal(keep(&ours, before, 9, 9, &e), WITNESS_KEPT_CHANGED);
	assert_kept(8, 4);
	forget(before);
}

static void a_fork_that_another_call_saw_is_told(void **state)
{
	struct witness_kept *before = read_kept();
	struct err e;

	assert_refused(keep(&ours, before, 8, 5, &e), e, ERR_DATA_LOSS, "another log");
	assert_refused(keep(&another, before, 9, 5, &e), e, ERR_DATA_LOSS, "another log");
	assert_kept(8, 4);
	forget(before);
}

static uint64_t kept_entries(void)
{
	struct witness_kept *kept = read_kept();
	const struct witness_leaf *leaf =
		witness_kept_leaf(kept, (struct span){ (const uint8_t *)"c", 1 }, 1);
	uint64_t entries = leaf ? leaf->head.count : 0;

	forget(kept);
	return entries;
}

static void of_a_runs_leaves_the_longest_stays(void **state)
{
	struct witness_kept *before = read_kept();
	struct err e;

	assert_ok(keep_with(&ours, before, 8, 4, 5, &e), e);
	assert_ok(keep_with(&ours, before, 8, 4, 3, &e), e);
	assert_int_equal(kept_entries(), 5);
	assert_ok(keep_with(&ours, before, 8, 4, 7, &e), e);
	assert_int_equal(kept_entries(), 7);
	/* The same number of entries with another digest. */
	assert_refused(keep_with(&ours, before, 9, 5, 7, &e), e, ERR_DATA_LOSS, "another log");
	assert_int_equal(kept_entries(), 7);
	forget(before);
}

static size_t kept_leaves(void)
{
	struct witness_kept *kept = read_kept();
	size_t count = kept->count;

	forget(kept);
	return count;
}

/* Of a leaf that a journal was compared with the run's others follow, and none of a shorter one. */
static void what_was_not_compared_replaces_nothing(void **state)
{
	struct witness_kept *before = read_kept();
	const size_t some = kept_leaves();
	struct err e;

	assert_int_equal(some, 2); /* of 5 and 7 entries: either may be another history's */
	assert_ok(keep_as(&ours, before, 8, 4, 6, true, &e), e);
	assert_int_equal(kept_entries(), 7);
	assert_int_equal(kept_leaves(), 2);
	assert_ok(keep_with(&ours, before, 8, 4, 7, &e), e); /* once more */
	assert_int_equal(kept_leaves(), 2);
	assert_ok(keep_with(&ours, before, 8, 4, 9, &e), e);
	assert_int_equal(kept_leaves(), 3);
	assert_ok(keep_as(&ours, before, 8, 4, 9, true, &e), e);
	assert_int_equal(kept_entries(), 9);
	assert_int_equal(kept_leaves(), 1);
	forget(before);
}

static int make_log(struct log *log)
{
	struct err e;

	return key_generate(KEY_ECDSA, &log->key, &e) < 0
		       ? -1
		       : key_to_spki(log->key, &log->spki, &log->len, &e);
}

static int enter(void **state)
{
	return mkdtemp(folder) && setenv("XDG_STATE_HOME", folder, 1) == 0 &&
			       make_log(&ours) == 0 && make_log(&another) == 0
		       ? 0
		       : -1;
}

static int leave(void **state)
{
	struct err e;

	EVP_PKEY_free(ours.key);
	EVP_PKEY_free(another.key);
	free(ours.spki);
	free(another.spki);
	return dir_remove(folder, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_compared_is_kept),
		cmocka_unit_test(a_log_of_another_size_meanwhile_is_to_be_compared),
		cmocka_unit_test(a_fork_that_another_call_saw_is_told),
		cmocka_unit_test(of_a_runs_leaves_the_longest_stays),
		cmocka_unit_test(what_was_not_compared_replaces_nothing),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
