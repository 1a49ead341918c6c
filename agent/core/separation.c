/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/separation.h"

#include "agent/keeper/keeper_devices.h"
#include "agent/process/users.h"
#include "common/base/cleanup.h"
#include "common/base/users.h"

#include <linux/capability.h>
#include <unistd.h>

#define PORTS (UINT64_C(1) << CAP_NET_BIND_SERVICE) /* a manifest may name any */

const uint64_t separation_rights =
	UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID | /* who the jail's nobody is */
	UINT64_C(1) << CAP_CHOWN |        /* of the folder into which that one installs */
	UINT64_C(1) << CAP_DAC_OVERRIDE | /* to read and remove what that one made */
	PORTS;

int separation_make(int *keeper, struct err *e)
{
	static const struct users_child child = { .word = "keeper",
						  .user = USERS_KEEPER,
						  .cgroup = USERS_KEEPER_GROUP };
	CLEANUP(close) int sock = -1;

	if (keeper_devices_give(USERS_KEEPER, e) < 0 || users_start(&child, &sock, e) < 0 ||
	    /* in there it would be a right over nothing: the image's ports are free to all */
	    users_enter(separation_rights & ~PORTS, e) < 0)
		return err_wrap(e, "separate agent and keeper");
	*keeper = TAKE_FD(sock);
	return 0;
}
