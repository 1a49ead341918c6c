/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_net.h — which addresses webhooks may go to: all that are public but for those that the operator refuses, and the networks
 * that he lists.
 *
 * Whoever administers a workspace says where its webhooks go, and it is this service that connects: what stands beside it,
 * and trusts its network, is not for him.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	HOOK_NETS_MAX = 32,
	HOOK_NETS_TEXT_MAX = 2048,
	HOOK_ADDRESS_LEN = 16,
};

struct hook_net {
	uint8_t bytes[HOOK_ADDRESS_LEN]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;                   /* of 128 */
};

struct hook_nets {
	struct hook_net rows[HOOK_NETS_MAX];
	size_t count;
	bool plain;                             /* http:// is allowed, to these alone */
	struct hook_net refused[HOOK_NETS_MAX]; /* public, and not gone to, listed or not */
	size_t refused_count;
};

/* "10.0.0.0/8 fd00::/8 192.0.2.7": addresses with or without a length, white space or commas between. Refused is one
 * with bits behind its length. NULL or "": none. Those that are refused stay. */
int hook_nets_parse(const char *text, struct hook_nets *nets, struct err *e) MUST_CHECK;
/* The same form, for those that are refused. */
int hook_nets_refuse(const char *text, struct hook_nets *nets, struct err *e) MUST_CHECK;

/* ERR_DENIED: a webhook does not go there. `name`: what it was said as, for people, who are told no address that was looked
 * up: it may be the operator's own, by a name that he alone resolves. */
int hook_nets_check(const struct hook_nets *nets, const struct sockaddr *address, bool plain,
		    const char *name, bool is_looked_up, struct err *e) MUST_CHECK;
