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

/* A call that was shown a log of that size, and of a root that begins with `root`. */
static int keep(const struct log *log, uint64_t size, uint8_t root, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_SIGNED_MAX);
	const struct witness_head head = { .size = size, .root = { root } };

	assert_ok(witness_head_sign(&head, log->key, &w, e), *e);
	return witness_kept_write(ADDRESS, (struct span){ log->spki, log->len },
				  (struct span){ w.bytes, w.len }, &head, NULL, e);
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

static void the_larger_log_stays(void **state)
{
	struct err e;

	assert_ok(keep(&ours, 5, 1, &e), e);
	assert_ok(keep(&ours, 4, 2, &e), e);
	assert_ok(keep(&ours, 5, 1, &e), e);
	assert_kept(5, 1);
	assert_ok(keep(&ours, 6, 3, &e), e);
	assert_kept(6, 3);
}

static void a_fork_that_another_call_saw_is_told(void **state)
{
	struct err e;

	assert_refused(keep(&ours, 6, 4, &e), e, ERR_DATA_LOSS, "another log");
	assert_refused(keep(&another, 7, 5, &e), e, ERR_DATA_LOSS, "another log");
	assert_kept(6, 3);
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
		cmocka_unit_test(the_larger_log_stays),
		cmocka_unit_test(a_fork_that_another_call_saw_is_told),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
