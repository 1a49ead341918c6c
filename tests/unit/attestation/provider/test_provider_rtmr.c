/* SPDX-License-Identifier: Apache-2.0 */
/* Registers and reports of a folder that is not the kernel's: nothing of it is believed. */
#include "attestation/provider/provider.h"
#include "attestation/provider/provider_rtmr.h"
#include "attestation/provider/provider_tsm.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <stdio.h>
#include <unistd.h>

struct room {
	char dir[64], file[96];
};

static int enter(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	snprintf(room->dir, sizeof(room->dir), "/tmp/test-rtmr-XXXXXX");
	if (!mkdtemp(room->dir))
		return -1;
	snprintf(room->file, sizeof(room->file), "%s/rtmr3:sha384", room->dir);
	*state = room;
	return 0;
}

static int leave(void **state)
{
	struct room *room = *state;
	struct err e;
	int result = dir_remove(room->dir, &e);

	free(room);
	return result;
}

static void put(const struct room *room, size_t len)
{
	static const uint8_t zeros[RTMR_LEN + 1];
	struct err e;

	assert_ok(file_write(room->file, zeros, len, 0600, &e), e);
}

static void a_register_that_does_not_extend_is_refused(void **state)
{
	static const uint8_t digest[RTMR_LEN] = { 1 };
	struct room *room = *state;
	struct err e;

	assert_false(rtmr_is_there(room->dir));
	assert_false(rtmr_is_there(NULL));
	put(room, RTMR_LEN);
	assert_true(rtmr_is_there(room->dir));
	/* A plain file takes the bytes as they are. */
	assert_refused(rtmr_extend(room->dir, digest, &e), e, ERR_DATA_LOSS, "just put into it");
}

static void a_register_of_another_length_is_refused(void **state)
{
	uint8_t value[RTMR_LEN];
	struct room *room = *state;
	struct err e;

	put(room, RTMR_LEN - 1);
	assert_refused(rtmr_read(room->dir, value, &e), e, ERR_DATA_LOSS, "47 bytes");
	put(room, RTMR_LEN + 1);
	assert_refused(rtmr_read(room->dir, value, &e), e, ERR_EXHAUSTED, "rtmr3");
	put(room, RTMR_LEN);
	assert_ok(rtmr_read(room->dir, value, &e), e);
}

/* MRCONFIGID is the register's, whatever a quote says; and where the kernel shows no registers, nobody
 * knows what the launch fixed. */
static void what_a_tdx_launch_fixed_is_read_from_the_register(void **state)
{
	struct room *room = *state;
	const struct provider_options options = { .paths.measurements = room->dir };
	const uint8_t report_data[PROVIDER_REPORT_DATA_LEN] = { 0 };
	struct provider_launch launch = { .len = 99 };
	uint8_t value[RTMR_LEN + 1];
	char path[128];
	struct err e;

	assert_ok(provider_tdx_tsm.launch(&options, report_data, &launch, &e), e);
	assert_int_equal(launch.len, 0);
	put(room, RTMR_LEN);
	assert_refused(provider_tdx_tsm.launch(&options, report_data, &launch, &e), e,
		       ERR_NOT_FOUND, "mrconfigid");
	memset(value, 0x3c, sizeof(value));
	snprintf(path, sizeof(path), "%s/mrconfigid", room->dir);
	for (size_t len = RTMR_LEN - 1; len <= RTMR_LEN + 1; len++) {
		assert_ok(file_write(path, value, len, 0600, &e), e);
		int failed = provider_tdx_tsm.launch(&options, report_data, &launch, &e);
		assert_int_equal(failed == 0, len == RTMR_LEN);
		if (!failed) {
			assert_int_equal(launch.len, RTMR_LEN);
			assert_memory_equal(launch.bytes, value, RTMR_LEN);
		}
	}
}

static void a_folder_without_a_tee_is_told_from_a_broken_one(void **state)
{
	struct room *room = *state;
	const struct provider *found = NULL;
	struct provider_options options = { .paths.tsm = "/no/such/folder" };
	char name[TSM_NAME_MAX];
	struct err e;

	assert_refused(tsm_provider("/no/such/folder", name, &e), e, ERR_NOT_FOUND, "/no/such");
	assert_refused(provider_find(&options, &found, &e), e, ERR_NOT_FOUND, "no TEE");
	/* Folders can be made in it, but they stay empty: no kernel does that. */
	options.paths.tsm = room->dir;
	assert_refused(provider_find(&options, &found, &e), e, ERR_INTERNAL, "provider");
	assert_null(found);
}

static void no_entry_is_left_behind(void **state)
{
	struct room *room = *state;
	char name[TSM_NAME_MAX];
	struct err e;

	assert_int_equal(tsm_provider(room->dir, name, &e), -ERR_INTERNAL);
	assert_int_equal(rmdir(room->dir), 0); /* it is empty */
	assert_ok(dir_make(room->dir, 0700, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_register_that_does_not_extend_is_refused, enter,
						leave),
		cmocka_unit_test_setup_teardown(a_register_of_another_length_is_refused, enter,
						leave),
		cmocka_unit_test_setup_teardown(what_a_tdx_launch_fixed_is_read_from_the_register,
						enter, leave),
		cmocka_unit_test_setup_teardown(a_folder_without_a_tee_is_told_from_a_broken_one,
						enter, leave),
		cmocka_unit_test_setup_teardown(no_entry_is_left_behind, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
