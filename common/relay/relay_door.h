/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_door.h — a socket that a hub's connections come in by. For this folder only.
 */
#pragma once

#include "common/relay/relay_hub.h"
#include "common/rpc/listen_socket.h"

struct relay_listener {
	TAILQ_ENTRY(relay_listener) others;
	struct relay_hub *hub;
	struct listen_socket socket;
	uv_poll_t poll;
	uv_timer_t rest; /* runs while there are no descriptors */
	unsigned handles;
	/* A connection that came; takes `fd` over. */
	void (*came)(struct relay_listener *l, int fd);
	enum relay_door door;
};
TAILQ_HEAD(relay_listeners, relay_listener);

int relay_listener_new(struct relay_hub *hub, const char *address, const char *group,
		       void (*came)(struct relay_listener *l, int fd),
		       struct relay_listener **listener, struct err *e) MUST_CHECK;
/* At once; frees itself from the loop. */
void relay_listener_close(struct relay_listener *l);
