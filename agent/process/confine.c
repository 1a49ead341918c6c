/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <openssl/crypto.h>

enum { LAST_CAPABILITY = 63, SMALLEST_KEY = 16 };

int confine_process(struct err *e)
{
	struct rlimit core;

	/* core(5): with 1, not even a handler is started. Less can't be raised to it. */
	if (getrlimit(RLIMIT_CORE, &core) < 0)
		return err_errno(e, "look at the limit of cores");
	core.rlim_max = core.rlim_max > 1 ? 1 : core.rlim_max;
	core.rlim_cur = core.rlim_max;
	if (setrlimit(RLIMIT_CORE, &core) < 0)
		return err_errno(e, "write no cores");
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, "close the process to others");
	return 0;
}

int confine_keys(struct err *e)
{
	switch (CRYPTO_secure_malloc_init(CONFINE_KEYS, SMALLEST_KEY)) {
	case 1:
		return 0;
	case 2:
		return 1; /* there, but not locked */
	default:
		return err_set(e, ERR_EXHAUSTED, "no memory for private keys");
	}
}

static int bound(uint64_t bounding, bool privileged, struct err *e)
{
	for (unsigned long cap = 0; cap <= LAST_CAPABILITY; cap++) {
		if ((bounding >> cap & 1) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		/* EINVAL: this kernel has fewer. Without any right we may not, and need not:
		 * executing gains none. */
		if (errno != EINVAL && (errno != EPERM || privileged))
			return err_errno(e, "drop capability %lu", cap);
	}
	return 0;
}

int confine_rights(uint64_t kept, uint64_t bounding, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return err_errno(e, "look at capabilities");
	bool privileged = sets[0].permitted >> CAP_SETPCAP & 1;
	if (bound(bounding, privileged, e) < 0)
		return err_code(e);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_errno(e, "drop capabilities");
	for (int i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(kept >> (32 * i));
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return err_errno(e, "drop capabilities");
	return 0;
}
