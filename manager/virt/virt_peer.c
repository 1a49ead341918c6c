/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/virt_peer.h"

#include "common/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

#define TLS_PORT "16514" /* libvirt's */

enum { AUTHORITY_MAX = 256 };

/* [USER@]HOST[:PORT], in names and numbers (host_table.c). */
static void find_addresses(struct virt_peer *peer, const char *authority)
{
	const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM };
	const size_t len = strcspn(authority, "/");
	char text[AUTHORITY_MAX], *host, *port;

	if (len >= sizeof(text))
		return;
	memcpy(text, authority, len);
	text[len] = '\0';
	host = strrchr(text, '@') ? strrchr(text, '@') + 1 : text;
	port = strchr(host, ':');
	if (port)
		*port++ = '\0';
	if (getaddrinfo(host, port ? port : TLS_PORT, &wanted, &peer->addresses) != 0)
		peer->addresses = NULL;
}

/* What `text` has behind these words; NULL: it does not begin with them. */
static const char *behind(const char *text, const char *words)
{
	const size_t len = strlen(words);

	return strncmp(text, words, len) == 0 ? text + len : NULL;
}

/* As libvirt reads it: the last of several counts. */
static void find_path(struct virt_peer *peer, const char *uri)
{
	const char *query = strchr(uri, '?'), *value;
	size_t len;

	peer->usual = true;
	for (; query; query = strchr(query, '&')) {
		if (!(value = behind(++query, "socket=")))
			continue;
		len = strcspn(value, "&");
		peer->usual = false;
		memset(peer->path, 0, sizeof(peer->path));
		if (len < sizeof(peer->path))
			memcpy(peer->path, value, len);
	}
}

void virt_peer_find(struct virt_peer *peer, const char *uri, pid_t dialler)
{
	const char *rest;

	*peer = (struct virt_peer){ 0 };
	if ((rest = behind(uri, "qemu+tls://")))
		find_addresses(peer, rest);
	else if (behind(uri, "qemu:///") || behind(uri, "qemu+unix:///"))
		find_path(peer, uri);
	else if (behind(uri, "qemu+ssh://"))
		peer->dialler = dialler;
}

void virt_peer_done(struct virt_peer *peer)
{
	if (peer->addresses)
		freeaddrinfo(peer->addresses);
}

/* Of the daemon that serves all of libvirt, or the one of QEMU alone; the system's, or a user's. */
static bool is_usual(const char *path)
{
	static const char *const names[] = { "/libvirt/libvirt-sock", "/libvirt/virtqemud-sock" };
	const size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const size_t end = strlen(names[i]);

		if (len >= end && strcmp(path + len - end, names[i]) == 0)
			return true;
	}
	return false;
}

static bool is_at(const struct virt_peer *peer, const struct sockaddr_un *at)
{
	char path[sizeof(at->sun_path) + 1] = { 0 };

	memcpy(path, at->sun_path, sizeof(at->sun_path)); /* which ends at its length, or before */
	return peer->usual ? is_usual(path) : *peer->path && strcmp(path, peer->path) == 0;
}

static bool leads_there(const struct virt_peer *peer, int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);

	if (getpeername(fd, (struct sockaddr *)&at, &len) < 0)
		return false;
	if (at.ss_family == AF_UNIX)
		return is_at(peer, (const struct sockaddr_un *)&at);
	for (const struct addrinfo *a = peer->addresses; a; a = a->ai_next)
		if (a->ai_family == at.ss_family && a->ai_addrlen == len &&
		    memcmp(a->ai_addr, &at, len) == 0)
			return true;
	return false;
}

/* libvirt may close it meanwhile, and something else have its number: that is not touched. What is no socket then is
 * left open, since to close a database's file would drop its locks. */
static void shut_down(const struct virt_peer *peer, int fd)
{
	int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (mine < 0)
		return;
	if (leads_there(peer, mine))
		(void)shutdown(mine, SHUT_RDWR);
	else if (errno == ENOTSOCK)
		return;
	close(mine);
}

static void break_connections(const struct virt_peer *peer)
{
	CLEANUP(closedir) DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd;

		if (sscanf(entry->d_name, "%d", &fd) == 1 && leads_there(peer, fd))
			shut_down(peer, fd);
	}
}

/* The dialler's children: it has none but the ssh that libvirt starts in it. */
static bool is_child(pid_t dialler, pid_t wanted, void (*each)(pid_t dialler, pid_t child))
{
	char path[64];
	bool found = false;
	int child;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", dialler);
	CLEANUP(fclose) FILE *file = fopen(path, "re");

	while (file && fscanf(file, "%d", &child) == 1) {
		found |= child == wanted;
		if (each)
			each(dialler, child);
	}
	return found;
}

/* libvirt may have waited for it, and another process have its number: that one is no child. */
static void end_child(pid_t dialler, pid_t child)
{
	int fd = pidfd_open(child, 0);

	if (fd < 0)
		return;
	if (is_child(dialler, child, NULL))
		(void)pidfd_send_signal(fd, SIGKILL, NULL, 0);
	close(fd);
}

void virt_peer_break(const struct virt_peer *peer)
{
	if (peer->dialler)
		is_child(peer->dialler, 0, end_child);
	else
		break_connections(peer);
}
