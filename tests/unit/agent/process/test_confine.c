/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent's processes give up, each tried in a child. */
#include "agent/jail/jail_seccomp.h"
#include "agent/keeper/keeper_seccomp.h"
#include "agent/process/confine.h"
#include "agent/process/filter.h"
#include "tests/unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
	const char *name;
	long number, a, b;
};

static const struct call nobodys[] = {
	{ "ptrace", SYS_ptrace, 0, 0 },
	{ "kcmp", SYS_kcmp, 1, 1 },
	{ "acct", SYS_acct, 0, 0 },
	{ "swapon", SYS_swapon, 0, 0 },
	{ "settimeofday", SYS_settimeofday, 0, 0 },
	{ "reboot", SYS_reboot, 0, 0 },
	{ "a packet socket", SYS_socket, AF_PACKET, SOCK_RAW },
	{ "a vsock socket", SYS_socket, AF_VSOCK, SOCK_STREAM },
	{ "a socket by high bits", SYS_socket, 0x100000000 | AF_PACKET, SOCK_RAW },
	{ "another ioctl", SYS_ioctl, 0, 0x5412 /* TIOCSTI */ },
};

/* The agent refuses them, the keeper dies of them. */
static const struct call deadly[] = {
	{ "bpf", SYS_bpf, 0, 0 },
	{ "execveat", SYS_execveat, -1, 0 },
	{ "finit_module", SYS_finit_module, -1, 0 },
	{ "init_module", SYS_init_module, 0, 0 },
	{ "io_uring_setup", SYS_io_uring_setup, 1, 0 },
	{ "kexec_load", SYS_kexec_load, 0, 0 },
	{ "keyctl", SYS_keyctl, 0, 0 },
	{ "perf_event_open", SYS_perf_event_open, 0, 0 },
	{ "process_vm_readv", SYS_process_vm_readv, 1, 0 },
	{ "process_vm_writev", SYS_process_vm_writev, 1, 0 },
	{ "setns", SYS_setns, -1, 0 },
	{ "userfaultfd", SYS_userfaultfd, 0, 0 },
};

/* What the agent needs to build a jail. */
static const struct call building[] = {
	{ "execve", SYS_execve, 0, 0 },
	{ "mount", SYS_mount, 0, 0 },
	{ "pivot_root", SYS_pivot_root, 0, 0 },
	{ "open_tree", SYS_open_tree, -1, 0 },
};

static const struct call raw[] = {
	{ "a raw socket", SYS_socket, AF_INET, SOCK_RAW },
	{ "a raw socket of IPv6", SYS_socket, AF_INET6, SOCK_RAW | SOCK_CLOEXEC },
};

/* Of a family that the keeper may use, by a type that it may not. */
static const struct call odd[] = {
	{ "a packet socket by its type", SYS_socket, AF_INET, SOCK_PACKET },
	{ "local datagrams", SYS_socket, AF_UNIX, SOCK_DGRAM },
	{ "SCTP", SYS_socket, AF_INET6, SOCK_SEQPACKET },
};

/* What the agent's own work and its C library open. */
static const struct call sockets[] = {
	{ "local stream", SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC },
	{ "TCP", SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK },
	{ "UDP", SYS_socket, AF_INET6, SOCK_DGRAM },
	{ "netlink", SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC },
};

enum who { AGENT, KEEPER, KEEPER_WITH_SOCKETS };
enum { FINE = 0, REFUSED = 1, FAILED = 2 };

/* How a child with that filter ends which makes that one call. */
static int try(enum who who, const struct call *call)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t pid = fork();
	int status;
	struct err e;

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		int failed = who == AGENT ? jail_seccomp_load_outside(&e)
					  : keeper_seccomp_load(who == KEEPER_WITH_SOCKETS, &e);
		if (failed)
			_exit(FAILED);
		errno = 0;
		long r = syscall(call->number, call->a, call->b, 0, 0, 0, 0);
		_exit(r < 0 && errno == ENOSYS ? REFUSED : FINE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void refused(enum who who, const struct call *call)
{
	int status = try(who, call);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != REFUSED)
		fail_msg("%s by %d: status %d", call->name, who, status);
}

static void made(enum who who, const struct call *call)
{
	int status = try(who, call);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != FINE)
		fail_msg("%s by %d: status %d", call->name, who, status);
}

static void killed(enum who who, const struct call *call)
{
	int status = try(who, call);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("%s by %d: status %d", call->name, who, status);
}

static void calls_that_are_not_on_the_list_are_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(nobodys); i++) {
		refused(AGENT, &nobodys[i]);
		refused(KEEPER, &nobodys[i]);
		refused(KEEPER_WITH_SOCKETS, &nobodys[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		refused(AGENT, &deadly[i]);
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
		made(AGENT, &sockets[i]);
	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		refused(AGENT, &raw[i]);
	for (size_t i = 0; i < ARRAY_LEN(building); i++)
		made(AGENT, &building[i]);
}

static void the_keeper_dies_of_what_only_an_intruder_calls(void **state)
{
	static const struct call harmless = { "getpid", SYS_getpid, 0, 0 };

	made(KEEPER, &harmless);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		killed(KEEPER, &deadly[i]);
	for (size_t i = 0; i < ARRAY_LEN(building); i++)
		killed(KEEPER, &building[i]);
}

static void the_keeper_starts_nothing_and_speaks_to_nobody(void **state)
{
	static const struct call fork_ = { "clone", SYS_clone, SIGCHLD, 0 },
				 unix_ = { "socket", SYS_socket, AF_UNIX, SOCK_STREAM };

	refused(KEEPER, &fork_);
	refused(KEEPER, &unix_);
	made(KEEPER_WITH_SOCKETS, &unix_);
	made(KEEPER_WITH_SOCKETS, &sockets[1]);
	refused(KEEPER_WITH_SOCKETS, &sockets[3]);
	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		refused(KEEPER_WITH_SOCKETS, &raw[i]);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		refused(KEEPER_WITH_SOCKETS, &odd[i]);
}

/* The ring is refused before the lists are loaded; all else goes on. */
static void a_loop_gets_no_ring(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_rings(&e) < 0)
			_exit(1);
		errno = 0;
		if (syscall(SYS_io_uring_setup, 1, NULL) != -1 || errno != ENOSYS)
			_exit(2);
		_exit(syscall(SYS_ptrace, -1, 0, 0, 0) == -1 && errno != ENOSYS ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static uint64_t status_set(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	uint64_t set = UINT64_MAX;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			set = strtoull(line + strlen(name) + 1, NULL, 16);
	if (file)
		fclose(file);
	return set;
}

static void rights_are_given_up_for_good(void **state)
{
	const uint64_t kept = UINT64_C(1) << CAP_CHOWN;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		uint64_t had = status_set("CapPrm:"), bounding = status_set("CapBnd:");
		bool may_bound = had >> CAP_SETPCAP & 1;
		struct err e;

		if (confine_process(&e) < 0 || confine_rights(kept, 0, &e) < 0)
			_exit(1);
		if (status_set("CapPrm:") != (had & kept) || status_set("CapEff:") != (had & kept))
			_exit(2);
		if (status_set("CapBnd:") != (may_bound ? 0 : bounding))
			_exit(3);
		if (confine_rights(UINT64_MAX, UINT64_MAX, &e) < 0 ||
		    status_set("CapPrm:") != (had & kept))
			_exit(4);
		if (prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
			_exit(5);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_are_not_on_the_list_are_refused),
		cmocka_unit_test(the_keeper_dies_of_what_only_an_intruder_calls),
		cmocka_unit_test(the_keeper_starts_nothing_and_speaks_to_nobody),
		cmocka_unit_test(a_loop_gets_no_ring),
		cmocka_unit_test(rights_are_given_up_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
