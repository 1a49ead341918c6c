/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.h — the networks that a caller comes from, for places that strangers take and share (trip.h, device.h): what one
 * operator has, an IPv4 /16 or IPv6 /32, and what one customer has, an IPv4 address or IPv6 /48.
 */
#pragma once

#include "common/rpc/source.h"

#include <stddef.h>

/* How many bytes of a source name a network, its kind included. A unix socket's user is both. */
void network_lengths(const struct rpc_source *from, size_t *wide, size_t *narrow);
