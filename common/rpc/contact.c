/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/contact.h"

#include "common/base/cleanup.h"

#include <stdbool.h>
#include <string.h>

/* TLS 1.x of any version: a content type of RFC 8446, section 5.1, and the major version. */
static bool is_tls(const uint8_t *bytes, size_t len)
{
	return len >= 3 && bytes[0] >= 20 && bytes[0] <= 24 && bytes[1] == 3 && bytes[2] <= 4;
}

/* A record of the handshake, and in it a ClientHello (RFC 8446, section 4). */
static bool is_client_hello(const uint8_t *bytes, size_t len)
{
	return len >= 6 && bytes[0] == 22 && bytes[5] == 1;
}

/* A frame on stream 0 of the kinds that a server's connection begins with (RFC 9113, section 6). */
static bool is_http2(const uint8_t *bytes, size_t len)
{
	static const uint8_t stream_0[4];
	enum { SETTINGS = 4, GOAWAY = 7 };

	return len >= 9 && bytes[0] == 0 && (bytes[3] == SETTINGS || bytes[3] == GOAWAY) &&
	       memcmp(bytes + 5, stream_0, sizeof(stream_0)) == 0;
}

enum rpc_contact rpc_contact_of(const uint8_t *bytes, size_t len)
{
	static const struct {
		const char *begins;
		enum rpc_contact contact;
	} rows[] = {
		{ "HTTP/1.", RPC_CONTACT_HTTP1 },
		{ "<!DOCTYPE",
		  RPC_CONTACT_HTTP1 }, /* to a request of HTTP/0.9, as ours looks to some */
		{ "SSH-", RPC_CONTACT_SSH },
		{ "PRI * HTTP/2", RPC_CONTACT_ECHO },
	};

	if (len == 0)
		return RPC_CONTACT_SILENT;
	if (is_tls(bytes, len))
		return is_client_hello(bytes, len) ? RPC_CONTACT_ECHO : RPC_CONTACT_TLS;
	if (is_http2(bytes, len))
		return RPC_CONTACT_HTTP2;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t wanted = strlen(rows[i].begins);

		if (len >= wanted && memcmp(bytes, rows[i].begins, wanted) == 0)
			return rows[i].contact;
	}
	return RPC_CONTACT_OTHER;
}
