/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper/keeper_seccomp.h"

#include "agent/process/filter.h"

#include <linux/sev-guest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Files and devices, memory, loading libtss2-tcti-device, waiting; of it what OpenSSL and the C
 * libraries of Debian 12 and 13 call, and those that newer ones would call in their place. */
static const char *const allowed[] = {
	/* files and devices */
	"access",
	"close",
	"dup",
	"faccessat",
	"faccessat2",
	"fcntl",
	"fstat",
	"fstatfs",
	"fsync",
	"getdents64",
	"lseek",
	"lstat",
	"mkdir",
	"mkdirat",
	"newfstatat",
	"open",
	"openat",
	"pread64",
	"pwrite64",
	"read",
	"readlink",
	"readlinkat",
	"readv",
	"rmdir",
	"stat",
	"statfs",
	"statx",
	"unlinkat",
	"write",
	"writev",
	/* the agent's socket */
	"getsockopt",
	"recvfrom",
	"recvmsg",
	"sendmsg",
	"sendto",
	/* memory */
	"brk",
	"madvise",
	"mlock",
	"mlock2",
	"mmap",
	"mprotect",
	"mremap",
	"munlock",
	"munmap",
	/* itself */
	"arch_prctl",
	"capget",
	"capset",
	"exit",
	"exit_group",
	"futex",
	"getegid",
	"geteuid",
	"getgid",
	"getpid",
	"getppid",
	"getrandom",
	"getrlimit",
	"gettid",
	"getuid",
	"prctl",
	"prlimit64",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sched_getaffinity",
	"sched_yield",
	"set_robust_list",
	"sigaltstack",
	"sysinfo",
	"tgkill",
	"uname",
	/* waiting, time */
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"gettimeofday",
	"nanosleep",
	"poll",
	"ppoll",
	"pselect6",
	"select",
	"time",
};

static const char *const with_sockets[] = {
	"connect", "getpeername", "getsockname", "setsockopt", "shutdown",
};

static const char *const deadly[] = {
	"add_key",
	"bpf",
	"delete_module",
	"execve",
	"execveat",
	"finit_module",
	"init_module",
	"io_uring_setup",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"memfd_create",
	"mount",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"pidfd_getfd",
	"pivot_root",
	"process_vm_readv",
	"process_vm_writev",
	"setns",
	"umount2",
	"unshare",
	"userfaultfd",
};

/* A TPM of software listens there; datagrams find its address where it has a name. The machine's own
 * TPM and TEE need no socket at all. */
static int add_sockets(scmp_filter_ctx filter, struct err *e)
{
	static const struct {
		uint64_t family, type;
	} sockets[] = {
		{ AF_UNIX, SOCK_STREAM }, { AF_INET, SOCK_STREAM }, { AF_INET6, SOCK_STREAM },
		{ AF_INET, SOCK_DGRAM },  { AF_INET6, SOCK_DGRAM },
	};

	for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
		if (filter_add_socket(filter, sockets[i].family, sockets[i].type, e) < 0)
			return err_code(e);
	return filter_add_all(filter, SCMP_ACT_ALLOW, with_sockets, ARRAY_LEN(with_sockets), e);
}

int keeper_seccomp_load(bool sockets, struct err *e)
{
	/* SEV-SNP's reports; the C library's and tpm2-tss' questions to a descriptor (a terminal? how
	 * much is there to read?) */
	static const uint64_t ioctls[] = { SNP_GET_REPORT, SNP_GET_EXT_REPORT, TCGETS, FIONREAD };
	CLEANUP(seccomp_release) scmp_filter_ctx filter = filter_new(e);

	if (!filter)
		return err_code(e);
	if (filter_add_all(filter, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed), e) < 0 ||
	    filter_add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_LEN(deadly), e) < 0 ||
	    filter_add_values(filter, "ioctl", 1, ioctls, ARRAY_LEN(ioctls), e) < 0 ||
	    filter_add_sanitizers(filter, e) < 0)
		return err_code(e);
	if (sockets && add_sockets(filter, e) < 0)
		return err_code(e);
	return filter_load(filter, e);
}
