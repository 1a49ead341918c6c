/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/socket_file.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP_ENTRY_MAX = 1 << 20 };

struct socket_file {
	struct sockaddr_un path;
	int lock;
	bool bound;
	dev_t dev;
	ino_t ino;
};

void socket_file_free(struct socket_file *f)
{
	struct stat st;

	if (!f)
		return;
	if (f->bound && lstat(f->path.sun_path, &st) == 0 && st.st_dev == f->dev &&
	    st.st_ino == f->ino)
		unlink(f->path.sun_path);
	if (f->lock >= 0)
		close(f->lock);
	free(f);
}

static int take_lock(struct socket_file *f, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s.lock", f->path.sun_path) < 0)
		return err_code(e);
	f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (f->lock < 0)
		return err_errno(e, "'%s'", path);
	if (flock(f->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, ERR_EXISTS, "another program listens on '%s'", f->path.sun_path);
	return 0;
}

/* What is left over from a program that was killed. One that holds no lock may listen, too: it
 * answers, or its queue is full. */
static void remove_stale(const struct sockaddr_un *path)
{
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd >= 0 && lstat(path->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    connect(fd, (const struct sockaddr *)path, sizeof(*path)) < 0 && errno == ECONNREFUSED)
		unlink(path->sun_path);
}

/* False if the system has no such group. */
static bool find_group(const char *name, gid_t *gid)
{
	for (size_t room = 1024; room <= GROUP_ENTRY_MAX; room *= 2) {
		CLEANUP(free) char *texts = malloc(room);
		struct group entry, *found = NULL;
		int failed = texts ? getgrnam_r(name, &entry, texts, room, &found) : ENOMEM;

		if (!failed && found)
			*gid = found->gr_gid;
		if (failed != ERANGE)
			return !failed && found;
	}
	return false;
}

/* Without that group, whatever group the file has was named by nobody: it stays its user's. */
static int share_file(const char *path, const char *group, struct err *e)
{
	gid_t gid;

	if (!find_group(group, &gid)) {
		log_warn("'%s': there is no group %s: root and this user alone may connect, until "
			 "it is made and this restarted",
			 path, group);
		return 0;
	}
	if (lchown(path, (uid_t)-1, gid) < 0) {
		if (errno != EPERM)
			return err_errno(e, "give '%s' to group %s", path, group);
		log_warn("'%s': this user is no member of group %s: root and this user alone may "
			 "connect, until it is one and this restarted",
			 path, group);
		return 0;
	}
	return chmod(path, 0660) < 0 ? err_errno(e, "'%s'", path) : 0;
}

/* Nobody else may connect, at no moment: the file gets the socket's mode, and more only when it has
 * its group. */
static int bind_file(struct socket_file *f, int fd, const char *group, struct err *e)
{
	const char *path = f->path.sun_path;
	struct stat st;

	if (fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)&f->path, sizeof(f->path)) < 0)
		return err_errno(e, "'%s'", path);
	if (lstat(path, &st) < 0)
		return err_errno(e, "'%s'", path);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->bound = true;
	if (chmod(path, 0600) < 0)
		return err_errno(e, "'%s'", path);
	if (group && share_file(path, group, e) < 0)
		return err_code(e);
	if (listen(fd, SOMAXCONN) < 0)
		return err_errno(e, "'%s'", path);
	return 0;
}

int socket_file_open(const struct sockaddr_un *path, const char *group, struct socket_file **file,
		     int *out, struct err *e)
{
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CLEANUP(socket_file_free) struct socket_file *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(e);
	f->path = *path;
	f->lock = -1;
	if (fd < 0)
		return err_errno(e, "socket");
	if (take_lock(f, e) < 0)
		return err_code(e);
	remove_stale(path);
	if (bind_file(f, fd, group, e) < 0)
		return err_code(e);
	*file = TAKE_PTR(f);
	*out = TAKE_FD(fd);
	return 0;
}
