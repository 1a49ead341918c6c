/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_seccomp.h"

#include "agent/process/filter.h"
#include "common/base/cleanup.h"

#include <errno.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* What programs, C libraries, Python and numeric libraries need for files, memory, threads, time
 * and talking among themselves. Names that an architecture does not have are stepped over. */
static const char *const allowed[] = {
	/* files */
	"access",
	"chdir",
	"chmod",
	"close",
	"close_range",
	"copy_file_range",
	"creat",
	"dup",
	"dup2",
	"dup3",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fallocate",
	"fchdir",
	"fchmod",
	"fchmodat",
	"fchmodat2",
	"fcntl",
	"fdatasync",
	"fgetxattr",
	"flistxattr",
	"flock",
	"fstat",
	"fstatfs",
	"fsync",
	"ftruncate",
	"futimesat",
	"getcwd",
	"getdents",
	"getdents64",
	"getxattr",
	"lgetxattr",
	"link",
	"linkat",
	"listxattr",
	"llistxattr",
	"lseek",
	"lstat",
	"mkdir",
	"mkdirat",
	"newfstatat",
	"open",
	"openat",
	"openat2",
	"pread64",
	"preadv",
	"preadv2",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readahead",
	"readlink",
	"readlinkat",
	"readv",
	"rename",
	"renameat",
	"renameat2",
	"rmdir",
	"sendfile",
	"splice",
	"stat",
	"statfs",
	"statx",
	"symlink",
	"symlinkat",
	"sync_file_range",
	"tee",
	"truncate",
	"umask",
	"unlink",
	"unlinkat",
	"utime",
	"utimensat",
	"utimes",
	"write",
	"writev",
	/* memory */
	"brk",
	"get_mempolicy",
	"madvise",
	"membarrier",
	"mincore",
	"mlock",
	"mlock2",
	"mmap",
	"mprotect",
	"mremap",
	"msync",
	"munlock",
	"munmap",
	"pkey_alloc",
	"pkey_free",
	"pkey_mprotect",
	/* processes and threads, all of which are the jail's own */
	"arch_prctl",
	"execve",
	"exit",
	"exit_group",
	"fork",
	"futex",
	"futex_waitv",
	"get_robust_list",
	"getcpu",
	"getegid",
	"geteuid",
	"getgid",
	"getgroups",
	"getitimer",
	"getpgid",
	"getpgrp",
	"getpid",
	"getppid",
	"getpriority",
	"getresgid",
	"getresuid",
	"getrlimit",
	"getrusage",
	"getsid",
	"gettid",
	"getuid",
	"kill",
	"pause",
	"pidfd_open",
	"pidfd_send_signal",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigqueueinfo",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"sched_get_priority_max",
	"sched_get_priority_min",
	"sched_getaffinity",
	"sched_getattr",
	"sched_getparam",
	"sched_getscheduler",
	"sched_rr_get_interval",
	"sched_setaffinity",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	"setitimer",
	"setpgid",
	"setpriority",
	"setrlimit",
	"setsid",
	"sigaltstack",
	"tgkill",
	"times",
	"tkill",
	"vfork",
	"wait4",
	"waitid",
	"capget",
	"alarm",
	/* waiting */
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd",
	"eventfd2",
	"pipe",
	"pipe2",
	"poll",
	"ppoll",
	"pselect6",
	"select",
	"signalfd",
	"signalfd4",
	/* time, machine */
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"getrandom",
	"gettimeofday",
	"nanosleep",
	"sysinfo",
	"time",
	"timer_create",
	"timer_delete",
	"timer_getoverrun",
	"timer_gettime",
	"timer_settime",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	"uname",
	/* sockets, once they could be made: see rules below */
	"accept",
	"accept4",
	"connect",
	"getpeername",
	"getsockname",
	"getsockopt",
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"shutdown",
};

/* What makes a server. With the network these would take ports of the machine's. */
static const char *const serving[] = { "bind", "listen" };

/* Said to be forbidden rather than missing, so that a program's message is to the point. */
static const char *const forbidden[] = {
	"acct",
	"add_key",
	"adjtimex",
	"bpf",
	"capset",
	"chroot",
	"clock_adjtime",
	"clock_settime",
	"delete_module",
	"fanotify_init",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"memfd_create",
	"memfd_secret",
	"migrate_pages",
	"mknod",
	"mknodat",
	"mount",
	"mount_setattr",
	"move_mount",
	"move_pages",
	"name_to_handle_at",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"pidfd_getfd",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"seccomp",
	"setdomainname",
	"setgid",
	"setgroups",
	"sethostname",
	"setns",
	"setregid",
	"setresgid",
	"setresuid",
	"setreuid",
	"settimeofday",
	"setuid",
	"swapoff",
	"swapon",
	"syslog",
	"umount",
	"umount2",
	"unshare",
	"userfaultfd",
	"vhangup",
};

/* Threads and processes, but no new namespace. clone3 is not on the list: what it wants lies in
 * memory, where a filter can't look. Missing (ENOSYS), C libraries fall back to clone. */
static int add_clone(scmp_filter_ctx filter, struct err *e)
{
	const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	const struct scmp_arg_cmp none = SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces, 0);

	return filter_add(filter, SCMP_ACT_ALLOW, "clone", 1, &none, e);
}

/* Streams and datagrams of these kinds of address. */
static int add_sockets_of(scmp_filter_ctx filter, const uint64_t *families, size_t count,
			  struct err *e)
{
	static const uint64_t types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < ARRAY_LEN(types); j++)
			if (filter_add_socket(filter, families[i], types[j], e) < 0)
				return err_code(e);
	return 0;
}

static const uint64_t local[] = { AF_UNIX }, internet[] = { AF_INET, AF_INET6 };

/* Of one kind of address alone: never raw, packet, netlink, vsock, alg. */
static int add_sockets(scmp_filter_ctx filter, bool network, struct err *e)
{
	if (add_sockets_of(filter, network ? internet : local,
			   network ? ARRAY_LEN(internet) : ARRAY_LEN(local), e) < 0)
		return err_code(e);
	return filter_add_values(filter, "socketpair", 0, local, ARRAY_LEN(local), e);
}

/* The agent's own: its socket and connections, and what a C library asks the kernel's addresses with. */
static int add_sockets_outside(scmp_filter_ctx filter, struct err *e)
{
	if (add_sockets_of(filter, local, ARRAY_LEN(local), e) < 0 ||
	    add_sockets_of(filter, internet, ARRAY_LEN(internet), e) < 0)
		return err_code(e);
	return filter_add_socket(filter, AF_NETLINK, SOCK_RAW, e);
}

/* Options of a socket, but not the size of its buffers: where no control group counts them, they
 * would be memory that nobody bounds. */
static int add_socket_options(scmp_filter_ctx filter, struct err *e)
{
	static const uint64_t options[] = { SO_REUSEADDR,    SO_BROADCAST,    SO_KEEPALIVE,
					    SO_LINGER,       SO_REUSEPORT,    SO_PASSCRED,
					    SO_RCVLOWAT,     SO_RCVTIMEO_OLD, SO_SNDTIMEO_OLD,
					    SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW };

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct scmp_arg_cmp args[] = {
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, SOL_SOCKET),
			SCMP_A2(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, options[i]),
		};

		if (filter_add(filter, SCMP_ACT_ALLOW, "setsockopt", 2, args, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int add_filtered(scmp_filter_ctx filter, struct err *e)
{
	static const uint64_t ioctls[] = { FIONREAD, FIONBIO, FIOCLEX,    FIONCLEX,
					   FIOASYNC, TCGETS,  TIOCGWINSZ, TIOCGPGRP };
	static const uint64_t prctls[] = { PR_SET_NAME,         PR_GET_NAME,     PR_SET_PDEATHSIG,
					   PR_GET_PDEATHSIG,    PR_GET_DUMPABLE, PR_CAPBSET_READ,
					   PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,  PR_SET_TIMERSLACK,
					   PR_GET_TIMERSLACK,   0x53564d41 /* PR_SET_VMA */ };
	static const uint64_t personalities[] = { PER_LINUX, 0xFFFFFFFFu /* asks only */ };
	static const uint64_t self[] = { 0 };

	if (filter_add_values(filter, "ioctl", 1, ioctls, ARRAY_LEN(ioctls), e) < 0 ||
	    filter_add_values(filter, "prctl", 0, prctls, ARRAY_LEN(prctls), e) < 0 ||
	    filter_add_values(filter, "personality", 0, personalities, ARRAY_LEN(personalities),
			      e) < 0)
		return err_code(e);
	/* pid 1 of the jail has our uid: its limits are not ours to set */
	return filter_add_values(filter, "prlimit64", 0, self, 1, e);
}

int jail_seccomp_load(bool network, struct err *e)
{
	CLEANUP(seccomp_release) scmp_filter_ctx filter = filter_new(e);

	if (!filter)
		return err_code(e);
	if (filter_add_all(filter, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed), e) < 0 ||
	    filter_add_all(filter, SCMP_ACT_ERRNO(EPERM), forbidden, ARRAY_LEN(forbidden), e) < 0 ||
	    filter_add_all(filter, network ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW, serving,
			   ARRAY_LEN(serving), e) < 0 ||
	    add_clone(filter, e) < 0 || add_sockets(filter, network, e) < 0 ||
	    (network ? filter_add(filter, SCMP_ACT_ALLOW, "setsockopt", 0, NULL, e)
		     : add_socket_options(filter, e)) < 0 ||
	    add_filtered(filter, e) < 0)
		return err_code(e);
	return filter_load(filter, e);
}

/* What builds a jail: namespaces, its root, its identity, its limits. */
static const char *const building[] = {
	"capset",
	"clone",
	"fchown",
	"fchownat",
	"fsconfig",
	"fsmount",
	"fsopen",
	"landlock_add_rule",
	"landlock_create_ruleset",
	"landlock_restrict_self",
	"mount",
	"mount_setattr",
	"move_mount",
	"open_tree",
	"personality",
	"pivot_root",
	"prctl",
	"prlimit64",
	"seccomp",
	"setgroups",
	"sethostname",
	"setresgid",
	"setresuid",
	"setsockopt",
	"setxattr",
	"socketpair",
	"umount2",
};

int jail_seccomp_load_outside(struct err *e)
{
	static const uint64_t ioctls[] = { FIONREAD, FIONBIO, FIOCLEX,    FIONCLEX,
					   FIOASYNC, TCGETS,  TIOCGWINSZ, TIOCGPGRP };
	CLEANUP(seccomp_release) scmp_filter_ctx filter = filter_new(e);

	if (!filter)
		return err_code(e);
	if (filter_add_all(filter, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed), e) < 0 ||
	    filter_add_all(filter, SCMP_ACT_ALLOW, serving, ARRAY_LEN(serving), e) < 0 ||
	    filter_add_all(filter, SCMP_ACT_ALLOW, building, ARRAY_LEN(building), e) < 0 ||
	    add_sockets_outside(filter, e) < 0 || filter_add_sanitizers(filter, e) < 0 ||
	    filter_add_values(filter, "ioctl", 1, ioctls, ARRAY_LEN(ioctls), e) < 0)
		return err_code(e);
	return filter_load(filter, e);
}
