/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.h — "host:port", "[v6]:port", ":port", "unix:/path" taken apart. For this folder only.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <sys/un.h>

enum { ADDRESS_HOST_MAX = 256 };

struct address {
	bool is_unix;
	char host[ADDRESS_HOST_MAX]; /* "" is every address; v6 without its brackets */
	char port[8];
	struct sockaddr_un path;
};

/* Refused: no port or one that is no number up to 65535, an unclosed bracket, characters that no
 * host has, a v6 address without brackets, a path too long. */
int address_parse(const char *text, struct address *address, struct err *e) MUST_CHECK;
