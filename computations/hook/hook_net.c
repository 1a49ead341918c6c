/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook_net.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { V4_BITS = 96 /* before an IPv4 address in ::ffff:0:0/96 */ };

static const uint8_t v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* IANA's registries of special-purpose addresses (RFC 6890), and where clouds tell machines about themselves. What is
 * embedded in IPv6 (NAT64, 6to4, Teredo) is refused with all of its prefix. */
static const struct {
	const char *address;
	unsigned bits;
	const char *what;
} special[] = {
	{ "0.0.0.0", 8, "this network" },
	{ "10.0.0.0", 8, "private" },
	{ "100.64.0.0", 10, "shared by a provider" },
	{ "127.0.0.0", 8, "this machine" },
	{ "168.63.129.16", 32, "a cloud's own" },
	{ "169.254.0.0", 16, "link-local" },
	{ "172.16.0.0", 12, "private" },
	{ "192.0.0.0", 24, "special" },
	{ "192.0.2.0", 24, "for documentation" },
	{ "192.88.99.0", 24, "special" },
	{ "192.168.0.0", 16, "private" },
	{ "198.18.0.0", 15, "for benchmarks" },
	{ "198.51.100.0", 24, "for documentation" },
	{ "203.0.113.0", 24, "for documentation" },
	{ "224.0.0.0", 4, "multicast" },
	{ "240.0.0.0", 4, "reserved" },
	{ "2001::", 23, "special" },
	{ "2001:db8::", 32, "for documentation" },
	{ "2002::", 16, "special" },
	{ "3fff::", 20, "for documentation" },
	{ "::1", 128, "this machine" },
	{ "fc00::", 7, "private" },
	{ "fe80::", 10, "link-local" },
	{ "ff00::", 8, "multicast" },
};
static const struct hook_net global_v6 = { { 0x20 }, 3 };

/* `bits` of the family that it is; 0: it is no address. */
static unsigned read_address(const char *text, uint8_t bytes[HOOK_ADDRESS_LEN])
{
	if (inet_pton(AF_INET, text, bytes + sizeof(v4_prefix)) == 1) {
		memcpy(bytes, v4_prefix, sizeof(v4_prefix));
		return 32;
	}
	return inet_pton(AF_INET6, text, bytes) == 1 ? 128 : 0;
}

static bool is_v4(const uint8_t bytes[HOOK_ADDRESS_LEN])
{
	return memcmp(bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

static bool is_in(const struct hook_net *net, const uint8_t bytes[HOOK_ADDRESS_LEN])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->bytes, bytes, whole) != 0)
		return false;
	return !rest || ((net->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

static bool is_in_any(const struct hook_net *rows, size_t count,
		      const uint8_t bytes[HOOK_ADDRESS_LEN])
{
	for (size_t i = 0; i < count; i++)
		if (is_in(&rows[i], bytes))
			return true;
	return false;
}

/* NULL: it is public. */
static const char *special_word(const uint8_t bytes[HOOK_ADDRESS_LEN])
{
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		struct hook_net net;

		net.bits = special[i].bits + 128 - read_address(special[i].address, net.bytes);
		if (is_in(&net, bytes))
			return special[i].what;
	}
	return is_v4(bytes) || is_in(&global_v6, bytes) ? NULL : "special";
}

/* ---- the operator's ---- */

static bool has_more_bits(const struct hook_net *net)
{
	struct hook_net cut = *net;

	for (unsigned i = net->bits; i < 128; i++)
		cut.bytes[i / 8] &= (uint8_t)~(0x80U >> i % 8);
	return memcmp(cut.bytes, net->bytes, HOOK_ADDRESS_LEN) != 0;
}

static int read_net(char *word, struct hook_net *net, struct err *e)
{
	char *slash = strchr(word, '/'), *end;
	unsigned all;
	unsigned long bits;

	if (slash)
		*slash = 0;
	all = read_address(word, net->bytes);
	if (!all)
		return err_set(e, ERR_INVALID,
			       "%s is no address: say networks as 10.0.0.0/8 or fd00::/8",
			       log_quote(word).text);
	bits = all;
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || bits > all)
			return err_set(e, ERR_INVALID, "%s/%s: behind the slash is 0 to %u",
				       log_quote(word).text, log_quote(slash + 1).text, all);
	}
	net->bits = (unsigned)bits + 128 - all;
	if (has_more_bits(net))
		return err_set(e, ERR_INVALID, "%s/%lu: the address has bits behind its first %lu",
			       word, bits, bits);
	return 0;
}

static int read_nets(const char *text, struct hook_net rows[HOOK_NETS_MAX], size_t *count,
		     struct err *e)
{
	struct hook_net got[HOOK_NETS_MAX];
	char copy[HOOK_NETS_TEXT_MAX + 1], *rest = NULL;
	size_t n = 0;

	if (!text)
		text = "";
	if (strlen(text) > HOOK_NETS_TEXT_MAX)
		return err_set(e, ERR_INVALID, "networks: more than %d characters",
			       HOOK_NETS_TEXT_MAX);
	memcpy(copy, text, strlen(text) + 1);
	for (char *word = strtok_r(copy, " \t,", &rest); word;
	     word = strtok_r(NULL, " \t,", &rest)) {
		if (n == HOOK_NETS_MAX)
			return err_set(e, ERR_INVALID, "networks: more than %d", HOOK_NETS_MAX);
		if (read_net(word, &got[n++], e) < 0)
			return err_code(e);
	}
	memcpy(rows, got, n * sizeof(*got));
	*count = n;
	return 0;
}

int hook_nets_parse(const char *text, struct hook_nets *nets, struct err *e)
{
	return read_nets(text, nets->rows, &nets->count, e);
}

int hook_nets_refuse(const char *text, struct hook_nets *nets, struct err *e)
{
	return read_nets(text, nets->refused, &nets->refused_count, e);
}

/* ---- one address ---- */

/* An IPv4 address in IPv6's form is one. */
static bool bytes_of(const struct sockaddr *address, uint8_t bytes[HOOK_ADDRESS_LEN])
{
	switch (address->sa_family) {
	case AF_INET:
		memcpy(bytes, v4_prefix, sizeof(v4_prefix));
		memcpy(bytes + sizeof(v4_prefix),
		       &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
		return true;
	case AF_INET6:
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
		       HOOK_ADDRESS_LEN);
		return true;
	default:
		return false;
	}
}

int hook_nets_check(const struct hook_nets *nets, const struct sockaddr *address, bool plain,
		    const char *name, bool is_looked_up, struct err *e)
{
	char text[INET6_ADDRSTRLEN] = "?";
	uint8_t bytes[HOOK_ADDRESS_LEN];
	const char *what;

	if (!bytes_of(address, bytes))
		return err_set(e, ERR_DENIED, "%s is at no address of the Internet",
			       log_quote(name).text);
	what = is_in_any(nets->refused, nets->refused_count, bytes)
		       ? "refused by this service's operator"
		       : NULL;
	if (!what && is_in_any(nets->rows, nets->count, bytes) && (!plain || nets->plain))
		return 0;
	if (!what)
		what = special_word(bytes);
	if (is_looked_up && (what || plain))
		return err_set(e, ERR_DENIED, "%s is at an address that it may not go to: %s",
			       log_quote(name).text,
			       plain ? "http:// is for networks that this service's operator lists "
				       "for it"
				     : "webhooks go to public addresses, and to networks that this "
				       "service's operator lists");
	if (is_v4(bytes))
		inet_ntop(AF_INET, bytes + sizeof(v4_prefix), text, sizeof(text));
	else
		inet_ntop(AF_INET6, bytes, text, sizeof(text));
	if (what)
		return err_set(e, ERR_DENIED,
			       "%s is at %s, which is %s: webhooks go to public addresses, and to "
			       "networks that this service's operator lists",
			       log_quote(name).text, text, what);
	if (plain)
		return err_set(e, ERR_DENIED,
			       "%s is at %s: http:// is for networks that this service's operator "
			       "lists for it; use https://",
			       log_quote(name).text, text);
	return 0;
}
