/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt_ssh.h"
#include "tests/unit.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Root of a container may lack the right, too: then libvirt could start no ssh there. */
static bool rights(struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	assert_int_equal(syscall(SYS_capget, &header, sets), 0);
	return geteuid() != 0 ||
	       sets[CAP_TO_INDEX(CAP_SETPCAP)].effective & CAP_TO_MASK(CAP_SETPCAP);
}

static void only_ssh_is_told_to_ask_nobody(void **state)
{
	static const char *const rows[][2] = {
		{ "qemu:///system", "qemu:///system" },
		{ "qemu+tls://a/system?pkipath=/x", "qemu+tls://a/system?pkipath=/x" },
		{ "qemu+unix:///system?socket=/qemu+ssh://",
		  "qemu+unix:///system?socket=/qemu+ssh://" },
		{ "test:///default", "test:///default" },
		{ "qemu+ssh://u@a:1/system", "qemu+ssh://u@a:1/system?no_tty=1" },
		{ "qemu+ssh://a/system?keyfile=/k", "qemu+ssh://a/system?keyfile=/k&no_tty=1" },
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	char uri[VIRT_SSH_URI_MAX];
	struct err e;

	if (!rights(sets))
		skip();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(virt_ssh_uri(rows[i][0], uri, &e), 0);
		assert_string_equal(uri, rows[i][1]);
	}
}

static void one_that_has_no_room_is_refused(void **state)
{
	char uri[VIRT_SSH_URI_MAX + 2], out[VIRT_SSH_URI_MAX];
	struct err e;

	memset(uri, 'x', sizeof(uri));
	uri[VIRT_SSH_URI_MAX - 1] = '\0';
	assert_int_equal(virt_ssh_uri(uri, out, &e), 0);
	assert_string_equal(out, uri);
	uri[VIRT_SSH_URI_MAX - 1] = 'x';
	uri[VIRT_SSH_URI_MAX] = '\0';
	assert_true(virt_ssh_uri(uri, out, &e) < 0 && e.code == ERR_EXHAUSTED);
}

/* As under the unit: root with next to no rights. In a process of its own, which does not get them back. */
static int try_without(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	char uri[VIRT_SSH_URI_MAX];
	struct err e;

	rights(sets);
	sets[CAP_TO_INDEX(CAP_SETPCAP)].effective &= ~CAP_TO_MASK(CAP_SETPCAP);
	if (syscall(SYS_capset, &header, sets) < 0)
		return 1;
	if (virt_ssh_uri("qemu+tls://a/system", uri, &e) < 0)
		return 2;
	if (virt_ssh_uri("qemu+ssh://a/system", uri, &e) == 0 || e.code != ERR_PRECONDITION)
		return 3;
	return strstr(e.text, "CAP_SETPCAP") && strstr(e.text, "qemu+ssh://a/system") ? 0 : 4;
}

static void root_that_can_start_no_ssh_is_told_why(void **state)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(try_without());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ssh_is_told_to_ask_nobody),
		cmocka_unit_test(one_that_has_no_room_is_refused),
		cmocka_unit_test(root_that_can_start_no_ssh_is_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
