/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp_client.h — the life of a lease: asked for, held, renewed, lost (RFC 2131, section 4.4).
 *
 * No socket and no clock: the caller gives the time and the replies, sends what it gets, and sets
 * up the network when a lease comes or goes. At most one message is under way.
 */
#pragma once

#include "guest/dhcp.h"

#include <stdbool.h>

enum {
	DHCP_TRY_FIRST_MS = 1000, /* doubled by each try without an answer */
	DHCP_TRY_MAX_MS = 16000,
	DHCP_REQUEST_TRIES = 3,    /* then the offer is forgotten */
	DHCP_RENEW_TRY_MS = 60000, /* between tries to renew */
	DHCP_REPLIES_MAX = 64,     /* examined between two messages; more are ignored */
};

enum dhcp_state { DHCP_SELECTING, DHCP_REQUESTING, DHCP_BOUND, DHCP_RENEWING };

enum dhcp_event {
	DHCP_NOTHING,
	DHCP_SEND,  /* send `ask` now */
	DHCP_TAKEN, /* `lease` is ours: set it up (again) */
	DHCP_LOST,  /* the address is no longer ours: take it down; call again for what is next */
};

struct dhcp_client {
	enum dhcp_state state;
	struct dhcp_ask ask;
	struct dhcp_lease lease; /* offered or held */
	uint64_t next_ms;        /* when dhcp_client_tick() has something to do */
	uint64_t expires_ms;
	uint32_t wait_ms;
	unsigned tries, replies;
};

/* Begins at `now_ms`; `xid` is random. */
void dhcp_client_start(struct dhcp_client *client, const uint8_t mac[DHCP_MAC_SIZE], uint32_t xid,
		       uint64_t now_ms);

/* Call it when next_ms is reached: SEND, LOST, or NOTHING before that. */
enum dhcp_event dhcp_client_tick(struct dhcp_client *client, uint64_t now_ms);

/* A datagram has come: SEND, TAKEN, LOST, or NOTHING (not for us, not right, or too many). */
enum dhcp_event dhcp_client_reply(struct dhcp_client *client, const uint8_t *bytes, size_t len,
				  uint64_t now_ms);

/* It waits for a reply, so a socket must be open. */
static inline bool dhcp_client_listens(const struct dhcp_client *client)
{
	return client->state != DHCP_BOUND;
}
