/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/admin_socket.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <libgen.h>
#include <string.h>

int admin_socket_listen(struct rpc_server *server, const char *path, struct err *e)
{
	CLEANUP(free) char *dir = strdup(path), *address = NULL;

	if (!dir)
		return err_nomem(e);
	if (dir_make(dirname(dir), 0755, e) < 0 || text_format(&address, e, "unix:%s", path) < 0)
		return err_code(e);
	return rpc_server_listen(
		server, &(struct rpc_listen){ .address = address, .group = ADMIN_SOCKET_GROUP },
		NULL, e);
}
