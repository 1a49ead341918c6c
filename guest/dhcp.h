/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp.h — DHCPv4 messages (RFC 2131, RFC 2132): what init sends, and what it takes from a reply.
 *
 * Bytes only: no socket, no clock. Any machine on the network can send a reply, so anything that is
 * not exactly right is ignored. Numbers are in host order.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DHCP_MESSAGE_MAX = 1500,
	DHCP_MAC_SIZE = 6,
	DHCP_NAME_SERVERS_MAX = 3, /* as many as a resolver asks */
	DHCP_MTU_MIN = 1280,       /* IPv6's least (RFC 8200, section 5) */
	DHCP_MTU_MAX = 9000,
	DHCP_LEASE_MIN_S = 60,
};

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
};

struct dhcp_lease {
	uint32_t address;
	uint32_t netmask;
	uint32_t server;
	uint32_t router;  /* 0: none */
	uint32_t seconds; /* UINT32_MAX: forever */
	uint32_t name_servers[DHCP_NAME_SERVERS_MAX];
	size_t name_server_count;
	bool has_mtu;
	uint16_t mtu;
};

struct dhcp_reply {
	enum dhcp_type type;     /* OFFER, ACK or NAK */
	struct dhcp_lease lease; /* zeros in a NAK, but for the server */
};

/* What our message says, and how a reply to it is recognized. */
struct dhcp_ask {
	enum dhcp_type type; /* DISCOVER or REQUEST */
	uint32_t xid;
	uint8_t mac[DHCP_MAC_SIZE];
	uint32_t wanted; /* the offered address, in a REQUEST that follows an OFFER; else 0 */
	uint32_t server; /* who offered it; else 0 */
	uint32_t held;   /* the address to keep, in a REQUEST that renews; else 0 */
};

/* Writes the message that asks. */
void dhcp_write(struct writer *w, const struct dhcp_ask *ask);

/* Reads a reply to `ask`. -ERR_INVALID if it is not one, is malformed, or offers what no machine
 * can use. */
int dhcp_read(const uint8_t *bytes, size_t len, const struct dhcp_ask *ask,
	      struct dhcp_reply *reply, struct err *e) MUST_CHECK;
