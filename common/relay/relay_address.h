/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_address.h — where an instance is reached by others: "192.0.2.1:7009", "[2001:db8::1]:7009". Numbers alone, so that no
 * name is asked for, and one address: neither any nor many, nor port 0.
 */
#pragma once

#include "common/base/err.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { RELAY_ADDRESS_MAX = 64 };

union relay_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

int relay_address_parse(const char *text, union relay_address *address, socklen_t *len,
			struct err *e) MUST_CHECK;
