/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt_peer.h — what of this process leads to a host: libvirt does not tell, and has no call that ends waiting for
 * it. Private to virt*.c.
 */
#pragma once

#include <netdb.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

struct virt_peer {
	struct addrinfo *addresses; /* of qemu+tls:// */
	char path[sizeof(
		((struct sockaddr_un *)NULL)->sun_path)]; /* of qemu+unix:// with a socket */
	bool usual; /* or one of libvirt's own on this machine: it chooses, and does not say which */
	pid_t dialler; /* the thread whose child is the ssh of qemu+ssh://; 0: it has none */
};

/* Looks the host's name up, which blocks. */
void virt_peer_find(struct virt_peer *peer, const char *uri, pid_t dialler);
void virt_peer_done(struct virt_peer *peer);

/* Shuts connections to it down, and ends the ssh: whoever waits for it is told that it has gone. */
void virt_peer_break(const struct virt_peer *peer);
