/* SPDX-License-Identifier: Apache-2.0 */
/* How much a CVM gets, and whether there is room for it. */
#include "manager/launch/admission.h"
#include "tests/unit.h"

#define MIB ((uint64_t)1 << 20)

static struct config some_limits(void)
{
	return (struct config){ .wanted = CONFIG_TEE_NONE,
				.tee = (char *)"none",
				.cpus = 1,
				.max_cpus = 4,
				.total_cpus = 7,
				.memory = 256 * MIB,
				.max_memory = 1024 * MIB,
				.total_memory = 2048 * MIB };
}

static int give(const struct config *config, unsigned cpus, uint64_t mib, struct cvm *cvm,
		struct err *e)
{
	struct cvm_request request = { .cpus = cpus, .memory = mib * MIB };

	*cvm = (struct cvm){ 0 };
	return admission_give(config, &request, cvm, e);
}

static void who_asks_for_nothing_gets_what_is_configured(void **state)
{
	struct config config = some_limits();
	struct cvm cvm;
	struct err e;

	assert_ok(give(&config, 0, 0, &cvm, &e), e);
	assert_int_equal(cvm.cpus, 1);
	assert_int_equal(cvm.memory, 256 * MIB);
	assert_ok(give(&config, 4, 0, &cvm, &e), e);
	assert_int_equal(cvm.cpus, 4);
	assert_int_equal(cvm.memory, 256 * MIB);
	assert_ok(give(&config, 0, 1024, &cvm, &e), e);
	assert_int_equal(cvm.cpus, 1);
	assert_int_equal(cvm.memory, 1024 * MIB);
	assert_ok(give(&config, 0, CONFIG_MEMORY_MIN_MIB, &cvm, &e), e);
}

static void one_more_than_a_cvm_may_have_is_refused_by_name(void **state)
{
	struct config config = some_limits();
	struct cvm cvm;
	struct err e;

	assert_refused(give(&config, 5, 0, &cvm, &e), e, ERR_INVALID,
		       "cpus: 5 are asked for, and a CVM may have 4 at most (MANAGER_MAX_CPUS)");
	assert_refused(give(&config, UINT32_MAX, 0, &cvm, &e), e, ERR_INVALID, "MANAGER_MAX_CPUS");
	assert_refused(
		give(&config, 0, 1025, &cvm, &e), e, ERR_INVALID,
		"memory: 1025 MiB are asked for, and a CVM may have 1024 at most (MANAGER_MAX_MEMORY)");
	assert_refused(give(&config, 0, (uint64_t)1 << 43, &cvm, &e), e, ERR_INVALID,
		       "MANAGER_MAX_MEMORY");
	assert_refused(give(&config, 0, CONFIG_MEMORY_MIN_MIB - 1, &cvm, &e), e, ERR_INVALID,
		       "a CVM has 128 MiB at least");
}

static void an_id_block_admits_one_number_of_cpus(void **state)
{
	struct config config = some_limits();
	struct cvm cvm;
	struct err e;

	config.snp_id_block = (char *)"/id";
	assert_ok(give(&config, 1, 512, &cvm, &e), e);
	assert_refused(give(&config, 2, 0, &cvm, &e), e, ERR_INVALID, "MANAGER_SNP_ID_BLOCK");
}

static void a_tee_that_may_not_be_had_is_refused(void **state)
{
	struct config config = some_limits();
	struct cvm_request request = { .tee = CONFIG_TEE_SNP };
	struct cvm cvm = { 0 };
	struct err e;

	assert_refused(admission_give(&config, &request, &cvm, &e), e, ERR_INVALID,
		       "tee: snp is asked for, and this manager launches nothing but none");
	request.tee = CONFIG_TEE_NONE;
	assert_ok(admission_give(&config, &request, &cvm, &e), e);
}

static void all_of_them_together_have_a_limit(void **state)
{
	struct config config = some_limits();
	struct admission_use use = { 0 };
	struct cvm cvm;
	struct err e;

	assert_ok(give(&config, 4, 1024, &cvm, &e), e);
	assert_ok(admission_check(&config, &use, &cvm, &e), e);
	admission_count(&config, &cvm, &use);
	assert_refused(admission_check(&config, &use, &cvm, &e), e, ERR_EXHAUSTED,
		       "cpus: 4 are asked for, and 4 of 7 are used (MANAGER_TOTAL_CPUS)");
	assert_ok(give(&config, 3, 1024, &cvm, &e), e);
	assert_ok(admission_check(&config, &use, &cvm, &e), e);
	cvm.memory += MIB;
	assert_refused(admission_check(&config, &use, &cvm, &e), e, ERR_EXHAUSTED,
		       "memory: 1025 MiB are asked for, and 1024 of 2048 are used "
		       "(MANAGER_TOTAL_MEMORY)");
	cvm.memory -= MIB;
	admission_count(&config, &cvm, &use);
	assert_ok(give(&config, 1, 256, &cvm, &e), e);
	assert_refused(admission_check(&config, &use, &cvm, &e), e, ERR_EXHAUSTED, "7 of 7");
	config.total_cpus = 0; /* no limit */
	assert_refused(admission_check(&config, &use, &cvm, &e), e, ERR_EXHAUSTED, "2048 of 2048");
	config.total_memory = 0;
	assert_ok(admission_check(&config, &use, &cvm, &e), e);
	config.total_memory = MIB; /* lowered below what is used already */
	assert_refused(admission_check(&config, &use, &cvm, &e), e, ERR_EXHAUSTED, "2048 of 1 ");
}

/* A record of the registry's first form does not say how much memory its CVM has. */
static void memory_that_was_not_recorded_counts_as_configured(void **state)
{
	struct config config = some_limits();
	const struct cvm old = { .cpus = 2 };
	struct admission_use use = { 0 };

	admission_count(&config, &old, &use);
	assert_int_equal(use.cpus, 2);
	assert_int_equal(use.memory, 256 * MIB);
}

static void a_disk_without_room_admits_nothing(void **state)
{
	struct config config = { .state_dir = (char *)"/" };
	struct err e;

	assert_ok(admission_check_disk(&config, 0, &e), e);
	assert_ok(admission_check_disk(&config, UINT32_MAX, &e), e);
	config.state_free = 1;
	assert_ok(admission_check_disk(&config, 1, &e), e);
	config.state_free = (uint64_t)1 << 20; /* no disk has as much for so many */
	assert_refused(admission_check_disk(&config, UINT32_MAX, &e), e, ERR_EXHAUSTED,
		       "4294967295 CVMs are being created: 1 must be free for each of them and "
		       "for another one (MANAGER_STATE_FREE)");
	config.state_free = CONFIG_TOTAL_MEMORY_MAX;
	assert_refused(admission_check_disk(&config, 0, &e), e, ERR_EXHAUSTED,
		       "where '/' is, and 1073741824 must be free for another CVM "
		       "(MANAGER_STATE_FREE)");
	config.state_dir = (char *)"/no/such/folder";
	assert_refused(admission_check_disk(&config, 0, &e), e, ERR_NOT_FOUND, "/no/such/folder");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_for_nothing_gets_what_is_configured),
		cmocka_unit_test(one_more_than_a_cvm_may_have_is_refused_by_name),
		cmocka_unit_test(an_id_block_admits_one_number_of_cpus),
		cmocka_unit_test(a_tee_that_may_not_be_had_is_refused),
		cmocka_unit_test(all_of_them_together_have_a_limit),
		cmocka_unit_test(memory_that_was_not_recorded_counts_as_configured),
		cmocka_unit_test(a_disk_without_room_admits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
