/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/python/requirement_bundle.h"
#include "tests/unit/agent/python/wheel_kit.h"

static int open_it(struct wheel_kit *k, struct err *e)
{
	struct requirement_wheels wheels = { .count = 0 };
	int failed =
		requirement_bundle_open(k->zip, k->out, &wheel_kit_env.target, NULL, &wheels, e);

	if (failed)
		assert_null(wheels.items);
	requirement_wheels_done(&wheels);
	wheel_kit_empty(k);
	return failed;
}

static void a_bundle_is_what_its_lock_says(void **state)
{
	struct wheel_kit *k = *state;
	struct err e;

	wheel_kit_bundle(k, "x.py", NULL);
	assert_ok(open_it(k, &e), e);
}

static void its_wheels_are_told_in_the_order_of_their_names(void **state)
{
	static const char *const names[] = { "a_b-1-py3-none-any.whl", "b-1-py3-none-any.whl",
					     "c-1-py3-none-any.whl" };
	struct wheel_kit *k = *state;
	CLEANUP_WRITER struct writer lock = writer_up_to(1 << 12);
	struct requirement_wheels wheels;
	uint8_t sums[ARRAY_LEN(names)][SHA256_LEN];
	char in[64], file[128];
	struct err e;

	snprintf(in, sizeof(in), "%s/in", k->top);
	for (size_t i = ARRAY_LEN(names); i-- > 0;) {
		char hex[2 * SHA256_LEN + 1];

		snprintf(file, sizeof(file), "wheels/%s", names[i]);
		wheel_kit_put(in, file, names[i]);
		snprintf(file, sizeof(file), "%s/wheels/%s", in, names[i]);
		assert_ok(digest_file(DIGEST_SHA256, file, sums[i], &e), e);
		hex_encode(sums[i], SHA256_LEN, hex);
		writer_printf(&lock, "%.*s==1 --hash=sha256:%s\n",
			      (int)(strchr(names[i], '-') - names[i]), names[i], hex);
	}
	writer_u8(&lock, '\0');
	wheel_kit_put(in, "requirements.txt", "b\n");
	wheel_kit_put(in, "requirements.lock", (const char *)lock.bytes);
	wheel_kit_pack(in, k->zip);
	assert_ok(requirement_bundle_open(k->zip, k->out, &wheel_kit_env.target, NULL, &wheels, &e),
		  e);
	assert_int_equal(wheels.count, ARRAY_LEN(names));
	for (size_t i = 0; i < wheels.count; i++) {
		assert_string_equal(wheels.items[i].name, names[i]);
		assert_memory_equal(wheels.items[i].sha256, sums[i], SHA256_LEN);
	}
	requirement_wheels_done(&wheels);
}

static void wheels_beyond_the_lock_are_refused(void **state)
{
	struct wheel_kit *k = *state;
	struct err e;

	wheel_kit_bundle(k, "x.py", "# nothing\n");
	assert_refused(open_it(k, &e), e, ERR_INVALID, "not in the lock");
}

static void a_lock_without_its_wheels_is_refused(void **state)
{
	struct wheel_kit *k = *state;
	struct err e;

	wheel_kit_bundle(k, "x.py",
			 "x==1.0 --hash=sha256:"
			 "0000000000000000000000000000000000000000000000000000000000000000\n");
	assert_refused(open_it(k, &e), e, ERR_INVALID, "another digest");
}

static void every_truncation_is_refused(void **state)
{
	struct wheel_kit *k = *state;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	wheel_kit_bundle(k, "x.py", NULL);
	assert_ok(file_read(k->zip, 1 << 16, &bytes, &len, &e), e);
	for (size_t n = 0; n < len; n++) {
		assert_ok(file_write(k->zip, bytes, n, 0600, &e), e);
		assert_true(open_it(k, &e) < 0 && e.text[0]);
	}
	assert_ok(file_write(k->zip, bytes, len, 0600, &e), e);
	assert_ok(open_it(k, &e), e);
}

/* Empty wheels, each named by the lock; the bundle also has its two texts and a folder. */
static void it_holds_so_many_wheels(void **state)
{
	static const char empty[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct wheel_kit *k = *state;
	struct err e;

	for (int wheels = REQUIREMENT_BUNDLE_WHEELS_MAX;
	     wheels <= REQUIREMENT_BUNDLE_WHEELS_MAX + 1; wheels++) {
		CLEANUP_WRITER struct writer lock = writer_up_to(1 << 20);
		char in[64], name[64];

		snprintf(in, sizeof(in), "%s/%d", k->top, wheels);
		for (int i = 0; i < wheels; i++) {
			snprintf(name, sizeof(name), "wheels/x%d-1.0-py3-none-any.whl", i);
			wheel_kit_put(in, name, "");
			writer_printf(&lock, "x%d==1.0 --hash=sha256:%s\n", i, empty);
		}
		writer_u8(&lock, '\0');
		wheel_kit_put(in, "requirements.txt", "x0\n");
		wheel_kit_put(in, "requirements.lock", (const char *)lock.bytes);
		unlink(k->zip);
		wheel_kit_pack(in, k->zip);
		if (wheels == REQUIREMENT_BUNDLE_WHEELS_MAX)
			assert_ok(open_it(k, &e), e);
		else
			assert_refused(open_it(k, &e), e, ERR_EXHAUSTED, "entries");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WHEEL_KIT_ROW(a_bundle_is_what_its_lock_says),
		WHEEL_KIT_ROW(its_wheels_are_told_in_the_order_of_their_names),
		WHEEL_KIT_ROW(wheels_beyond_the_lock_are_refused),
		WHEEL_KIT_ROW(a_lock_without_its_wheels_is_refused),
		WHEEL_KIT_ROW(every_truncation_is_refused),
		WHEEL_KIT_ROW(it_holds_so_many_wheels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
