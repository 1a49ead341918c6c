/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt_ssh.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* libvirt takes all capabilities from the ssh that it starts; as root it fails at that without CAP_SETPCAP, and says of it
 * that a socket is closed. Its capset() is tried here with what this thread has anyway: a unit's filter may forbid the
 * call itself. */
static bool may_give_up_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (geteuid() != 0)
		return true;
	return syscall(SYS_capget, &header, sets) == 0 &&
	       sets[CAP_TO_INDEX(CAP_SETPCAP)].effective & CAP_TO_MASK(CAP_SETPCAP) &&
	       syscall(SYS_capset, &header, sets) == 0;
}

int virt_ssh_uri(const char *uri, char out[VIRT_SSH_URI_MAX], struct err *e)
{
	static const char begin[] = "qemu+ssh://";
	bool is_ssh = strncmp(uri, begin, sizeof(begin) - 1) == 0;
	const char *more = !is_ssh ? "" : strchr(uri, '?') ? "&no_tty=1" : "?no_tty=1";

	if (is_ssh && !may_give_up_rights())
		return err_set(e, ERR_PRECONDITION,
			       "libvirt: %s: no ssh can be started without CAP_SETPCAP and "
			       "capset(): give cocos-manager.service CapabilityBoundingSet="
			       "CAP_SETPCAP and SystemCallFilter=capset in a drop-in",
			       uri);
	if (snprintf(out, VIRT_SSH_URI_MAX, "%s%s", uri, more) >= VIRT_SSH_URI_MAX)
		return err_set(e, ERR_EXHAUSTED, "libvirt: a URI of more than %d bytes",
			       VIRT_SSH_URI_MAX - 1 - (int)strlen(more));
	return 0;
}
