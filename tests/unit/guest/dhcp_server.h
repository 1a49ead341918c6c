/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp_server.h — replies as a server would write them, for the tests of both DHCP modules. */
#pragma once

#include "common/base/writer.h"
#include "guest/dhcp.h"

enum { SERVER_ADDRESS = 0x0a000202, OFFERED_ADDRESS = 0x0a00020f, OPTIONS_AT = 240 };

/* The fixed part of a reply to `ask`. */
static inline void server_head(struct writer *w, const struct dhcp_ask *ask, uint32_t address)
{
	writer_u8(w, 2);
	writer_u8(w, 1);
	writer_u8(w, 6);
	writer_u8(w, 0);
	writer_be32(w, ask->xid);
	writer_zeros(w, 8);
	writer_be32(w, address);
	writer_zeros(w, 8);
	writer_bytes(w, ask->mac, sizeof(ask->mac));
	writer_zeros(w, 10 + 64 + 128);
	writer_be32(w, 0x63825363);
}

static inline void server_option32(struct writer *w, uint8_t option, uint32_t value)
{
	writer_u8(w, option);
	writer_u8(w, 4);
	writer_be32(w, value);
}

static inline void server_option8(struct writer *w, uint8_t option, uint8_t value)
{
	writer_u8(w, option);
	writer_u8(w, 1);
	writer_u8(w, value);
}

/* A whole reply without its end: type, server, netmask and lease time are in. */
static inline void server_start(struct writer *w, const struct dhcp_ask *ask, uint8_t type,
				uint32_t lease_s)
{
	server_head(w, ask, OFFERED_ADDRESS);
	server_option8(w, 53, type);
	server_option32(w, 54, SERVER_ADDRESS);
	server_option32(w, 1, 0xffffff00);
	server_option32(w, 51, lease_s);
}

static inline void server_end(struct writer *w)
{
	writer_u8(w, 255);
}
