/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h — the guest's network: loopback, the first Ethernet card, its DHCPv4 lease.
 *
 * IPv6 needs nothing from here: the kernel follows router advertisements once the card is up.
 */
#pragma once

#include "guest/dhcp_client.h"

#include <net/if.h>

#define NET_RESOLV_CONF "/run/resolv.conf" /* /etc/resolv.conf is a link to it */

struct net {
	char card[IFNAMSIZ]; /* empty: the machine has none */
	int socket;          /* -1 while no reply is waited for */
	struct dhcp_client client;
	bool up; /* a lease has been set up */
};

/* Brings loopback and the card up and begins to ask. A machine without a card is fine: it gets no
 * lease. */
int net_start(struct net *net, struct err *e) MUST_CHECK;

/* Milliseconds since the machine started: the clock for all of init's waits. */
uint64_t net_now_ms(void);

/* Milliseconds until net_step() has something to do even if nothing comes; -1: never. */
int net_timeout(const struct net *net);

/* Reads what has arrived, sends what is due, sets up a lease that was gained and takes down one
 * that was lost, with a line for each. A send that fails is tried again with the next one. */
int net_step(struct net *net, struct err *e) MUST_CHECK;
