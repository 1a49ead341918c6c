/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contact.h — what a server's first bytes are of, for those who connect to one of another kind than they
 * took it for. A guess for a hint; nothing is decided by it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum rpc_contact {
	RPC_CONTACT_SILENT, /* not a byte came */
	RPC_CONTACT_HTTP1,
	RPC_CONTACT_HTTP2, /* SETTINGS or GOAWAY: a server of HTTP/2 without TLS */
	RPC_CONTACT_TLS,   /* a TLS record */
	RPC_CONTACT_SSH,
	RPC_CONTACT_ECHO, /* what a client begins with, such as our own: TLS or HTTP/2 */
	RPC_CONTACT_OTHER,
};

enum { RPC_CONTACT_BYTES = 16 };

/* Of the first bytes, at most RPC_CONTACT_BYTES count. */
enum rpc_contact rpc_contact_of(const uint8_t *bytes, size_t len);
