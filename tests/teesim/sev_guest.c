/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/teesim/sev_guest.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	REQUEST_LEN = 96,   /* report data 64, VMPL 4, reserved 28 */
	EXTENDED_LEN = 112, /* the same; address 8 and length 4 of the table's room */
	RESPONSE_LEN = 4000,
	RESPONSE_HEAD = 32, /* 56860 table 25: status, size, reserved */
	HOST_TOO_SMALL = 1, /* what the host says in the upper half of exitinfo2 */
	HOST_BUSY = 2,
};
#define GET_REPORT     _IOC(_IOC_READ | _IOC_WRITE, 'S', 0, SEV_GUEST_CALL_LEN)
#define GET_EXT_REPORT _IOC(_IOC_READ | _IOC_WRITE, 'S', 2, SEV_GUEST_CALL_LEN)

struct call {
	uint8_t version;
	uint64_t request, response, exit_info;
};
_Static_assert(sizeof(struct call) == SEV_GUEST_CALL_LEN, "as the kernel's");

struct extended {
	uint8_t report_data[DEVICE_REPORT_DATA_LEN];
	uint32_t vmpl;
	uint8_t reserved[28];
	uint64_t table;
	uint32_t table_len;
};
_Static_assert(sizeof(struct extended) == EXTENDED_LEN, "as the kernel's");

static bool fetch(int memory, uint64_t at, void *to, size_t len)
{
	return pread(memory, to, len, (off_t)at) == (ssize_t)len;
}

static bool put(int memory, uint64_t at, const void *from, size_t len)
{
	return len == 0 || pwrite(memory, from, len, (off_t)at) == (ssize_t)len;
}

static int put_report(int memory, const struct call *call, const struct device_answer *a)
{
	uint8_t response[RESPONSE_LEN] = { 0 };
	uint32_t len = (uint32_t)a->len;

	if (len > RESPONSE_LEN - RESPONSE_HEAD)
		return -EIO;
	memcpy(response + 4, &len, sizeof(len));
	memcpy(response + RESPONSE_HEAD, a->report, a->len);
	return put(memory, call->response, response, sizeof(response)) ? 0 : -EFAULT;
}

/* If the room is too small, the needed length is returned, in whole pages. */
static int put_table(int memory, struct call *call, struct extended *request,
		     const struct device_answer *a)
{
	uint32_t wanted = (uint32_t)((a->table_len + PAGE - 1) / PAGE * PAGE);

	if (request->table_len % PAGE)
		return -EINVAL;
	if (request->table_len >= wanted)
		return put(memory, request->table, a->table, a->table_len) ? 0 : -EFAULT;
	request->table_len = wanted;
	call->exit_info = (uint64_t)HOST_TOO_SMALL << 32;
	return put(memory, call->request, request, sizeof(*request)) ? -EIO : -EFAULT;
}

static int answer(struct device *device, int memory, struct call *call, bool extended)
{
	struct extended request = { .table = 0 };
	struct device_answer a;
	int failed;

	if (!call->version || !call->request || !call->response)
		return -EINVAL;
	if (!fetch(memory, call->request, &request, extended ? EXTENDED_LEN : REQUEST_LEN))
		return -EFAULT;
	call->exit_info = 0;
	failed = device_report(device, request.report_data, request.vmpl, &a);
	if (failed == -EBUSY)
		call->exit_info = (uint64_t)HOST_BUSY << 32;
	if (failed)
		return failed;
	if (extended)
		failed = put_table(memory, call, &request, &a);
	if (!failed)
		failed = put_report(memory, call, &a);
	free(a.report);
	free(a.table);
	return failed;
}

int sev_guest_ioctl(struct device *device, const struct sev_guest_caller *caller,
		    unsigned long command, uint8_t bytes[SEV_GUEST_CALL_LEN])
{
	CLEANUP(close) int memory = -1;
	struct call call;
	char path[32];
	int failed;

	if (command != GET_REPORT && command != GET_EXT_REPORT)
		return -ENOTTY;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)caller->pid);
	memory = open(path, O_RDWR | O_CLOEXEC);
	if (memory < 0)
		return -EFAULT;
	memcpy(&call, bytes, sizeof(call));
	failed = answer(device, memory, &call, command == GET_EXT_REPORT);
	memcpy(bytes, &call, sizeof(call));
	/* FUSE returns nothing from a call that fails, but the driver does. */
	return put(memory, caller->call, &call, sizeof(call)) ? failed : -EFAULT;
}
