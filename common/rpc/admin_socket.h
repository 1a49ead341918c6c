/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_socket.h — the unix socket on which a daemon's administrators call it: who may is a matter of
 * the file's owner and group, not of who can reach a port of this host.
 */
#pragma once

#include "common/rpc/server.h"

/* Its members administer the daemons of this host. */
#define ADMIN_SOCKET_GROUP "cocos"

/* Makes the folder of that socket, with mode 0755, if it is missing. Blocking. */
int admin_socket_make_folder(const char *path, struct err *e) MUST_CHECK;

/* Makes the folder, with mode 0755, if it is missing, and listens. Blocking. */
int admin_socket_listen(struct rpc_server *server, const char *path, struct err *e) MUST_CHECK;
