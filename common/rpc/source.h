/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h — where a caller comes from, for sharing out what is scarce: an IPv4 address, the first 64
 * bits of an IPv6 address, the user at the other end of a unix socket. To be compared, not to be read.
 */
#pragma once

#include <stdint.h>

enum { RPC_SOURCE_LEN = 17 };

struct rpc_source {
	uint8_t bytes[RPC_SOURCE_LEN];
};
