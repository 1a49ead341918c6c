/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_header.h — what one instance says first of a connection that it passes on to another: at which of its doors it came
 * in, and from where. One length, one form of each value; what is not used is zero.
 */
#pragma once

#include "common/base/err.h"
#include "common/rpc/origin.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RELAY_NAME_MAX = 63, /* of an instance; a-z 0-9 - . */
	RELAY_HEADER_LEN = 100,
};

/* Where callers come in. Each is a number on the wire: new ones are added at the end. */
enum relay_door {
	RELAY_AGENTS,
	RELAY_ADMINS,
	RELAY_PAGE,
	RELAY_ADMIN_SOCKET, /* a unix socket: who calls is a user */
	RELAY_DOORS,
};

struct relay_header {
	enum relay_door door;
	char instance[RELAY_NAME_MAX + 1]; /* that passes it on */
	/* AF_INET, AF_INET6 (never a v4 address in v6's form), or AF_UNIX: then who it is. */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} from;
	uid_t uid;
	gid_t gid;
};

const char *relay_door_name(enum relay_door door);

/* Of a connection that has been accepted at `door`. ERR_UNAVAILABLE: it has no other end any more. `instance` in the form of
 * access_name_is_valid(). */
int relay_header_of(int fd, enum relay_door door, const char *instance, struct relay_header *header,
		    struct err *e) MUST_CHECK;
void relay_header_write(const struct relay_header *header, uint8_t bytes[RELAY_HEADER_LEN]);
/* ERR_INVALID: anything but what the writer makes of some header. */
int relay_header_read(const uint8_t *bytes, size_t len, struct relay_header *header,
		      struct err *e) MUST_CHECK;

void relay_header_origin(const struct relay_header *header, struct rpc_origin *origin);
