/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev/sev-guest as its driver behaves (drivers/virt/coco/sev-guest): ioctl() is replaced by one that
 * plays it, on the layouts of linux/sev-guest.h written down a second time.
 */
#include "attestation/provider/provider.h"
#include "attestation/snp/snp_report.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>

enum { PAGE = 4096, RESPONSE_LEN = 4000 };

/* What the device does next. */
static struct {
	int calls;
	int busy;            /* so many times first */
	uint32_t table_need; /* bytes that the host wants to give */
	bool plain_called;   /* a report without certificates was asked for */
	uint32_t status, size;
	bool other_report;
	bool empty_table;
	uint32_t vmpl;
} device;

int __wrap_ioctl(int fd, unsigned long command, uint8_t *call);

/* One entry, VCEK's, of 64 bytes behind two entries. */
static void write_table(uint8_t *table)
{
	static const uint8_t vcek[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };

	memcpy(table, vcek, sizeof(vcek));
	table[16] = 48;
	table[20] = 64;
	memset(table + 48, 0x30, 64);
}

static void write_report(uint8_t *out, const uint8_t *user_data)
{
	struct snp_report report = { .version = 2,
				     .policy = SNP_POLICY_RESERVED_ONE,
				     .signature_algo = 1,
				     .vmpl = device.vmpl };

	report.host_data[0] = 0x77;
	report.signature_r[0] = report.signature_s[0] = 1;
	memcpy(report.report_data, user_data, sizeof(report.report_data));
	report.report_data[5] ^= device.other_report;
	snp_report_write(&report, out);
}

static uint64_t le64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* struct snp_guest_request_ioctl: version at 0, request at 8, response at 16, exit_info2 at 24. */
int __wrap_ioctl(int fd, unsigned long command, uint8_t *call)
{
	uint8_t *request = (uint8_t *)(uintptr_t)le64(call + 8);
	uint8_t *response = (uint8_t *)(uintptr_t)le64(call + 16);
	bool extended = command == 0xc0205302; /* _IOWR('S', 2, 32 bytes) */
	uint32_t room = 0;

	device.calls++;
	assert_true(extended || command == 0xc0205300);
	assert_int_equal(call[0], 1);
	for (size_t i = 68; i < 96; i++)
		assert_int_equal(request[i], 0); /* reserved */
	memcpy(&device.vmpl, request + 64, 4);
	if (device.busy-- > 0) {
		memcpy(call + 28, &(uint32_t){ 2 }, 4);
		errno = EBUSY;
		return -1;
	}
	device.plain_called |= !extended;
	if (extended) {
		memcpy(&room, request + 104, 4);
		assert_int_equal(room % PAGE, 0);
		assert_int_equal(le64(request + 96) % PAGE, 0);
	}
	if (extended && room < device.table_need) {
		memcpy(request + 104, &device.table_need, 4);
		memcpy(call + 28, &(uint32_t){ 1 }, 4);
		errno = EIO;
		return -1;
	}
	if (extended) {
		uint8_t *table = (uint8_t *)(uintptr_t)le64(request + 96);

		memset(table, 0, room);
		if (!device.empty_table)
			write_table(table);
	}
	memset(response, 0, RESPONSE_LEN);
	memcpy(response, &device.status, 4);
	memcpy(response + 4, &device.size, 4);
	write_report(response + 32, request);
	return 0;
}

static const uint8_t report_data[PROVIDER_REPORT_DATA_LEN] = { 9, 8, 7 };
static struct provider_options options = { .paths.sev_guest = "/dev/null" };

static int collect(struct provider_report *out, struct err *e)
{
	device.calls = 0;
	return provider_snp_device.collect(&options, report_data, out, e);
}

static int enter(void **state)
{
	memset(&device, 0, sizeof(device));
	device.size = SNP_REPORT_LEN;
	options.vmpl = 0;
	return 0;
}

static void a_report_comes_with_the_hosts_table(void **state)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	struct provider_launch launch;
	struct err e;

	options.vmpl = 2;
	assert_ok(provider_snp_device.probe(&options, &e), e);
	assert_ok(collect(&got, &e), e);
	assert_int_equal(device.calls, 1);
	assert_int_equal(device.vmpl, 2);
	assert_int_equal(got.len, SNP_REPORT_LEN);
	assert_memory_equal(got.report + 0x50, report_data, sizeof(report_data));
	assert_int_equal(got.table_len, 48 + 64); /* without the page's rest */
	assert_ok(provider_snp_device.launch(&options, report_data, &launch, &e), e);
	assert_int_equal(launch.len, SNP_HOST_DATA_LEN);
	assert_int_equal(launch.bytes[0], 0x77);
}

static void a_host_without_certificates_is_fine(void **state)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	struct err e;

	device.empty_table = true;
	assert_ok(collect(&got, &e), e);
	assert_null(got.table);
	assert_int_equal(got.table_len, 0);
}

static void a_longer_table_gets_more_room(void **state)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	struct err e;

	device.table_need = 5 * PAGE;
	assert_ok(collect(&got, &e), e);
	assert_int_equal(device.calls, 2);
	assert_int_equal(got.table_len, 48 + 64);
	assert_false(device.plain_called);
}

static void a_table_over_the_limit_is_done_without(void **state)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	struct err e;

	device.table_need = PROVIDER_TABLE_MAX + PAGE;
	assert_ok(collect(&got, &e), e);
	assert_true(device.plain_called);
	assert_null(got.table);
	assert_int_equal(got.len, SNP_REPORT_LEN);
}

static void the_largest_table_is_taken(void **state)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	struct err e;

	device.table_need = PROVIDER_TABLE_MAX;
	assert_ok(collect(&got, &e), e);
	assert_int_equal(got.table_len, 48 + 64);
	assert_false(device.plain_called);
	provider_report_done(&got);
	device.table_need = PROVIDER_TABLE_MAX + 1;
	assert_ok(collect(&got, &e), e);
	assert_true(device.plain_called);
	assert_null(got.table);
}

static void a_busy_host_is_asked_again_and_not_for_ever(void **state)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	struct err e;

	device.busy = 2;
	assert_ok(collect(&got, &e), e);
	assert_int_equal(device.calls, 3);
	device.busy = 1000;
	assert_refused(collect(&got, &e), e, ERR_UNAVAILABLE, "host 2");
	assert_int_equal(device.calls, 3);
}

static void whatever_is_not_the_report_that_was_asked_for_is_refused(void **state)
{
	CLEANUP_PROVIDER_REPORT struct provider_report got = { 0 };
	struct err e;

	device.other_report = true;
	assert_refused(collect(&got, &e), e, ERR_DATA_LOSS, "another request's");
	device.other_report = false;
	device.status = 0x16;
	assert_refused(collect(&got, &e), e, ERR_DATA_LOSS, "status 0x16");
	device.status = 0;
	device.size = SNP_REPORT_LEN - 1;
	assert_refused(collect(&got, &e), e, ERR_DATA_LOSS, "1183 bytes");
	assert_null(got.report);
}

static void no_device_is_not_found(void **state)
{
	const struct provider_options none = { .paths.sev_guest = "/no/such/device" };
	struct err e;

	assert_refused(provider_snp_device.probe(&none, &e), e, ERR_NOT_FOUND, "sev-guest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_report_comes_with_the_hosts_table, enter),
		cmocka_unit_test_setup(a_host_without_certificates_is_fine, enter),
		cmocka_unit_test_setup(a_longer_table_gets_more_room, enter),
		cmocka_unit_test_setup(the_largest_table_is_taken, enter),
		cmocka_unit_test_setup(a_table_over_the_limit_is_done_without, enter),
		cmocka_unit_test_setup(a_busy_host_is_asked_again_and_not_for_ever, enter),
		cmocka_unit_test_setup(whatever_is_not_the_report_that_was_asked_for_is_refused,
				       enter),
		cmocka_unit_test_setup(no_device_is_not_found, enter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
