/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/restoring.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#define KEY     "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define CONTENT "sepal,petal\n"

static char folder[] = "/tmp/cocos-restoring-XXXXXX";
static uv_loop_t loop;
static struct retained retained;

/* A manifest of `count` datasets of the same content, a0 to …; `id` tells it from others. With
 * `nameless`, the first has no name. */
static struct computation *computation_of(const char *id, unsigned count, bool nameless)
{
	CLEANUP_WRITER struct writer json = writer_up_to(1 << 20);
	CLEANUP(free) char *dir = NULL;
	Cvms__ComputationRunReq *m = NULL;
	struct computation *c = NULL;
	uint8_t hash[SHA3_256_LEN];
	char hex[2 * SHA3_256_LEN + 1];
	struct err e;

	assert_ok(digest(DIGEST_SHA3_256, CONTENT, strlen(CONTENT), hash, &e), e);
	hex_encode(hash, sizeof(hash), hex);
	writer_printf(&json, "{\"id\":\"%s\",\"datasets\":[", id);
	for (unsigned i = 0; i < count; i++)
		writer_printf(&json,
			      nameless && !i ? "%s{\"hash\":\"%s\",\"user_key\":\"" KEY "\"}"
					     : "%s{\"hash\":\"%s\",\"user_key\":\"" KEY
					       "\",\"filename\":\"a%u\"}",
			      i ? "," : "", hex, i);
	writer_printf(&json, "],\"algorithm\":{\"hash\":\"%s\",\"user_key\":\"" KEY "\"}}", hex);
	assert_ok(manifest_from_json(json.bytes, json.len, &m, &e), e);
	assert_ok(text_format(&dir, &e, "%s/computation", folder), e);
	assert_ok(computation_new(m, NULL, dir, &c, &e), e);
	assert_ok(computation_make_dir(c, &e), e);
	return c;
}

static struct computation *computation(const char *id, unsigned count)
{
	return computation_of(id, count, false);
}

static void retain(struct computation *c, unsigned n, enum manifest_keep keep)
{
	const struct retained_call call = { c->datasets[n].name, false, keep };
	CLEANUP(free) char *path = NULL;
	struct err e;

	assert_ok(text_format(&path, &e, "%s/datasets/%s", c->dir, call.filename), e);
	assert_ok(file_write(path, CONTENT, strlen(CONTENT), 0644, &e), e);
	assert_ok(retained_add(&retained, c, &c->datasets[n], &call, path, strlen(CONTENT), &e), e);
}

static void on_end(void *data, const struct restoring_end *end)
{
	*(struct restoring_end *)data = *end;
}

static struct restoring_end restore(struct computation *c, bool stop)
{
	struct restoring_end end = { 99, 99 };
	struct err e;

	assert_ok(restoring_start(&loop, &retained, c, on_end, &end, &e), e);
	assert_int_equal(c->placing, 1);
	if (stop)
		restoring_stop(&retained);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(c->placing, 0);
	assert_null(retained.restoring);
	assert_int_equal(retained.count, end.restored);
	return end;
}

static bool is_there(const struct computation *c, unsigned n)
{
	CLEANUP(free) char *path = NULL, *text = NULL;
	struct err e;
	bool there;

	assert_ok(text_format(&path, &e, "%s/datasets/%s", c->dir, c->datasets[n].name), e);
	there = file_read_text(path, 100, &text, &e) == 0;
	if (there)
		assert_string_equal(text, CONTENT);
	assert_int_equal(there, c->datasets[n].received);
	assert_int_equal(there, c->datasets[n].kept_from.is);
	return there;
}

static unsigned kept_files(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < retained.names; i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s/%u", retained.dir, i);
		count += access(path, F_OK) == 0;
	}
	return count;
}

static void it_is_there_again_and_again(void **state)
{
	struct computation *c = computation("1", 2);
	struct restoring_end end;

	retain(c, 0, MANIFEST_KEEP_RETRY);
	for (int i = 0; i < 3; i++) {
		uint8_t signed_for[SHA3_256_LEN];

		memcpy(signed_for, c->digests.sha3_256, sizeof(signed_for));
		computation_unref(c);
		c = computation("1", 2);
		assert_false(is_there(c, 0));
		end = restore(c, false);
		assert_int_equal(end.restored, 1);
		assert_int_equal(end.wiped, 0);
		assert_true(is_there(c, 0));
		assert_false(is_there(c, 1));
		assert_memory_equal(c->datasets[0].kept_from.manifest, signed_for, 32);
		assert_int_equal(c->datasets[0].kept_from.size, strlen(CONTENT));
	}
	assert_int_equal(kept_files(), 1);
	computation_unref(c);
}

/* Which of them is whose stands in the records: the test gives two of three to somebody else. */
static void an_owner_takes_his_own_back_and_nobody_elses(void **state)
{
	struct computation *c = computation("1", 3);
	struct retained_item *taken[MANIFEST_DATASETS_MAX], *rest[MANIFEST_DATASETS_MAX];
	uint8_t his[KEY_FINGERPRINT_LEN], others[KEY_FINGERPRINT_LEN] = { 7 };

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		retain(c, i, MANIFEST_KEEP_RETRY);
	memcpy(his, retained.items[1]->key, sizeof(his));
	memcpy(retained.items[0]->key, others, sizeof(others));
	memcpy(retained.items[2]->key, others, sizeof(others));
	assert_int_equal(retained_take(&retained, his, taken), 1);
	assert_string_equal(taken[0]->filename, "a1");
	assert_int_equal(retained_take(&retained, his, rest), 0);
	assert_int_equal(retained.count, 2);
	assert_string_equal(retained.items[0]->filename, "a0");
	assert_string_equal(retained.items[1]->filename, "a2");
	assert_int_equal(retained_take(&retained, others, rest), 2);
	assert_int_equal(retained.count, 0);
	retained_item_free(taken[0]);
	retained_item_free(rest[0]);
	retained_item_free(rest[1]);
	assert_int_equal(kept_files(), 3); /* they are the caller's to remove */
	computation_unref(c);
}

static void each_by_its_own_leave(void **state)
{
	struct computation *c = computation("1", 2);
	struct restoring_end end;

	retain(c, 0, MANIFEST_KEEP_RETRY);
	retain(c, 1, MANIFEST_KEEP_ALGORITHM);
	computation_unref(c);
	c = computation("2", 2);
	end = restore(c, false);
	assert_int_equal(end.restored, 1);
	assert_int_equal(end.wiped, 1);
	assert_false(is_there(c, 0));
	assert_true(is_there(c, 1));
	assert_int_equal(kept_files(), 1);
	computation_unref(c);
	c = computation("3", 3);
	end = restore(c, false);
	assert_int_equal(end.wiped, 1);
	assert_int_equal(kept_files(), 0);
	computation_unref(c);
}

static void other_bytes_and_lost_files_are_not_used(void **state)
{
	struct computation *c = computation("1", 2);
	struct restoring_end end;
	struct err e;

	retain(c, 0, MANIFEST_KEEP_RETRY);
	retain(c, 1, MANIFEST_KEEP_RETRY);
	assert_ok(file_write(retained.items[0]->path, "sepal,petaL\n", 12, 0600, &e), e);
	assert_int_equal(unlink(retained.items[1]->path), 0);
	computation_unref(c);
	c = computation("1", 2);
	end = restore(c, false);
	assert_int_equal(end.wiped, 2);
	assert_false(is_there(c, 0));
	assert_false(is_there(c, 1));
	assert_int_equal(kept_files(), 0);
	computation_unref(c);
}

/* Of one content and one owner: what he allowed of the one says nothing of the other. */
static void a_name_stays_with_the_dataset_that_has_it(void **state)
{
	struct computation *c = computation_of("1", 2, true);
	struct restoring_end end;

	retain(c, 1, MANIFEST_KEEP_RETRY);
	computation_unref(c);
	c = computation_of("1", 2, true);
	end = restore(c, false);
	assert_int_equal(end.restored, 1);
	assert_false(c->datasets[0].received);
	assert_true(is_there(c, 1));
	computation_unref(c);
}

/* Two without names. */
static struct computation *nameless(const char *const contents[2])
{
	CLEANUP_WRITER struct writer json = writer_up_to(4096);
	CLEANUP(free) char *dir = NULL;
	Cvms__ComputationRunReq *m = NULL;
	struct computation *c = NULL;
	char hex[2 * SHA3_256_LEN + 1];
	struct err e;

	writer_printf(&json, "{\"id\":\"1\",\"datasets\":[");
	for (unsigned i = 0; i < 2; i++) {
		uint8_t hash[SHA3_256_LEN];

		assert_ok(digest(DIGEST_SHA3_256, contents[i], strlen(contents[i]), hash, &e), e);
		hex_encode(hash, sizeof(hash), hex);
		writer_printf(&json, "%s{\"hash\":\"%s\",\"user_key\":\"" KEY "\"}", i ? "," : "",
			      hex);
	}
	writer_printf(&json, "],\"algorithm\":{\"hash\":\"%s\",\"user_key\":\"" KEY "\"}}", hex);
	assert_ok(manifest_from_json(json.bytes, json.len, &m, &e), e);
	assert_ok(text_format(&dir, &e, "%s/computation", folder), e);
	assert_ok(computation_new(m, NULL, dir, &c, &e), e);
	assert_ok(computation_make_dir(c, &e), e);
	return c;
}

/* One owner's, of which each is its content alone. */
static void without_a_name_the_content_tells(void **state)
{
	static const char *const contents[] = { "one\n", "two\n" };
	const struct retained_call call = { "second", false, MANIFEST_KEEP_RETRY };
	struct computation *c = nameless(contents);
	CLEANUP(free) char *path = NULL;
	struct err e;

	assert_ok(text_format(&path, &e, "%s/datasets/second", c->dir), e);
	assert_ok(file_write(path, contents[1], strlen(contents[1]), 0644, &e), e);
	assert_ok(retained_add(&retained, c, &c->datasets[1], &call, path, strlen(contents[1]), &e),
		  e);
	computation_unref(c);
	c = nameless(contents);
	assert_int_equal(restore(c, false).restored, 1);
	assert_false(c->datasets[0].received);
	assert_true(c->datasets[1].received);
	computation_unref(c);
}

/* Whichever comes first, the word or the end: it is there or it is gone. */
static void what_is_stopped_is_there_or_gone(void **state)
{
	struct computation *c = computation("1", 1);
	struct restoring_end end;

	retain(c, 0, MANIFEST_KEEP_RETRY);
	computation_unref(c);
	c = computation("1", 1);
	end = restore(c, true);
	assert_int_equal(end.restored + end.wiped, 1);
	assert_int_equal(is_there(c, 0), end.restored);
	assert_int_equal(kept_files(), end.restored);
	computation_unref(c);
}

static void as_many_as_a_manifest_has(void **state)
{
	struct computation *c = computation("1", MANIFEST_DATASETS_MAX);
	struct retained_call call = { "a0", false, MANIFEST_KEEP_RETRY };
	struct restoring_end end;
	struct err e;

	for (unsigned i = 0; i < MANIFEST_DATASETS_MAX; i++)
		retain(c, i, MANIFEST_KEEP_RETRY);
	assert_int_equal(retained_add(&retained, c, &c->datasets[0], &call, "/dev/null", 0, &e),
			 -ERR_EXHAUSTED);
	computation_unref(c);
	c = computation("1", MANIFEST_DATASETS_MAX);
	end = restore(c, false);
	assert_int_equal(end.restored, MANIFEST_DATASETS_MAX);
	computation_unref(c);
}

static int set_up(void **state)
{
	struct err e;

	return retained_init(&retained, folder, &e);
}

static int tear_down(void **state)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/kept", folder);
	retained_done(&retained);
	return access(path, F_OK) == 0;
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? uv_loop_init(&loop) : -1;
}

static int remove_folder(void **state)
{
	struct err e;

	assert_int_equal(uv_loop_close(&loop), 0);
	return dir_remove(folder, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_there_again_and_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_owner_takes_his_own_back_and_nobody_elses,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_by_its_own_leave, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_bytes_and_lost_files_are_not_used, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_name_stays_with_the_dataset_that_has_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_a_name_the_content_tells, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_stopped_is_there_or_gone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(as_many_as_a_manifest_has, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
