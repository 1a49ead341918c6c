/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_url.h — where a webhook goes: an address of one form, so that nobody who reads it later reads another host.
 */
#pragma once

#include "computations/hook/hook_net.h"

enum {
	HOOK_URL_MAX = 512,
	HOOK_HOST_MAX = 253,
};

struct hook_url {
	char host[HOOK_HOST_MAX + 1]; /* of an IPv6 address without its brackets */
	uint16_t port;
	bool plain;      /* http:// */
	bool is_address; /* the host is one */
};

/* "https://HOST[:PORT][/PATH][?QUERY]": printable ASCII; HOST is a name, an IPv4 address of four decimal numbers or an IPv6
 * address in brackets; without user, password and fragment. */
int hook_url_parse(const char *text, struct hook_url *url, struct err *e) MUST_CHECK;

/* The same, and whether one may go there as far as its words say: an address is judged, a name when it is looked up, but
 * for this machine's own. ERR_DENIED as of hook_nets_check(). */
int hook_url_check(const char *text, const struct hook_nets *nets, struct err *e) MUST_CHECK;
