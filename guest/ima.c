/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/ima.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define POLICY_FILE "/sys/kernel/security/ima/policy"

/* No file system is left out, and no user. */
static const char policy[] = "measure func=BPRM_CHECK\n"
			     "measure func=MMAP_CHECK mask=MAY_EXEC\n"
			     "measure func=MODULE_CHECK\n"
			     "measure func=FIRMWARE_CHECK\n"
			     "measure func=KEXEC_KERNEL_CHECK\n"
			     "measure func=POLICY_CHECK\n";

int ima_load(struct err *e)
{
	CLEANUP(close) int fd = open(POLICY_FILE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "open '%s'", POLICY_FILE);
	if (fd_write_all(fd, policy, strlen(policy), e) < 0) /* the kernel takes a line at a time */
		return err_wrap(e, "'%s'", POLICY_FILE);
	/* The policy is active from the close on. A kernel that accepted it no longer offers the
	 * file. */
	close(TAKE_FD(fd));
	if (access(POLICY_FILE, F_OK) == 0)
		return err_set(e, ERR_PRECONDITION, "the kernel did not take '%s'", POLICY_FILE);
	return 0;
}
