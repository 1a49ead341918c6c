/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/admin_socket.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

/* As dir_make(), but others may enter what is made, whatever the umask says: the socket's own mode
 * keeps them out. */
static int make_open_folder(const char *path, struct err *e)
{
	CLEANUP(free) char *copy = strdup(path);
	char *at = copy;
	char end;

	if (!copy)
		return err_nomem(e);
	do {
		at += 1 + strcspn(at + 1, "/");
		end = *at;
		*at = '\0';
		if (mkdir(copy, 0755) == 0 && chmod(copy, 0755) < 0)
			return err_errno(e, "mode of folder '%s'", copy);
		*at = end;
	} while (end);
	return dir_make(path, 0755, e); /* says what could not be made */
}

int admin_socket_make_folder(const char *path, struct err *e)
{
	CLEANUP(free) char *dir = strdup(path);

	return dir ? make_open_folder(dirname(dir), e) : err_nomem(e);
}

int admin_socket_listen(struct rpc_server *server, const char *path, struct err *e)
{
	CLEANUP(free) char *address = NULL;

	if (admin_socket_make_folder(path, e) < 0 || text_format(&address, e, "unix:%s", path) < 0)
		return err_code(e);
	return rpc_server_listen(
		server, &(struct rpc_listen){ .address = address, .group = ADMIN_SOCKET_GROUP },
		NULL, e);
}
