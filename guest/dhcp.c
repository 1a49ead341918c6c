/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/dhcp.h"

#include "common/base/cleanup.h"
#include "common/base/reader.h"

#include <string.h>

enum {
	BOOTP_REQUEST = 1,
	BOOTP_REPLY = 2,
	HTYPE_ETHERNET = 1,
	FLAG_BROADCAST = 0x8000, /* answer by broadcast: we have no address yet */
	CHADDR_SIZE = 16,
	SNAME_AND_FILE_SIZE = 64 + 128,
	MAGIC = 0x63825363,
	MESSAGE_SIZE_MIN = 300, /* BOOTP's (RFC 1542, section 2.1); some servers insist */
};

/* RFC 2132. */
enum option {
	OPTION_PAD = 0,
	OPTION_NETMASK = 1,
	OPTION_ROUTER = 3,
	OPTION_NAME_SERVER = 6,
	OPTION_MTU = 26,
	OPTION_WANTED = 50,
	OPTION_LEASE = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_PARAMETERS = 55,
	OPTION_MAX_SIZE = 57,
	OPTION_END = 255,
};

static void write_address(struct writer *w, enum option option, uint32_t address)
{
	if (!address)
		return;
	writer_u8(w, (uint8_t)option);
	writer_u8(w, 4);
	writer_be32(w, address);
}

void dhcp_write(struct writer *w, const struct dhcp_ask *ask)
{
	static const uint8_t parameters[] = { OPTION_NETMASK, OPTION_ROUTER, OPTION_NAME_SERVER,
					      OPTION_MTU, OPTION_LEASE };
	size_t start = w->len;

	writer_u8(w, BOOTP_REQUEST);
	writer_u8(w, HTYPE_ETHERNET);
	writer_u8(w, DHCP_MAC_SIZE);
	writer_u8(w, 0); /* hops */
	writer_be32(w, ask->xid);
	writer_be16(w, 0); /* secs */
	writer_be16(w, ask->held ? 0 : FLAG_BROADCAST);
	writer_be32(w, ask->held);
	writer_zeros(w, 12); /* yiaddr, siaddr, giaddr */
	writer_bytes(w, ask->mac, DHCP_MAC_SIZE);
	writer_zeros(w, CHADDR_SIZE - DHCP_MAC_SIZE + SNAME_AND_FILE_SIZE);
	writer_be32(w, MAGIC);
	writer_u8(w, OPTION_TYPE);
	writer_u8(w, 1);
	writer_u8(w, (uint8_t)ask->type);
	write_address(w, OPTION_WANTED, ask->wanted);
	write_address(w, OPTION_SERVER, ask->server);
	writer_u8(w, OPTION_MAX_SIZE);
	writer_u8(w, 2);
	writer_be16(w, DHCP_MESSAGE_MAX);
	writer_u8(w, OPTION_PARAMETERS);
	writer_u8(w, sizeof(parameters));
	writer_bytes(w, parameters, sizeof(parameters));
	writer_u8(w, OPTION_END);
	if (w->len - start < MESSAGE_SIZE_MIN)
		writer_zeros(w, MESSAGE_SIZE_MIN - (w->len - start));
}

/* The first of a list of addresses; the option's length must be a multiple of theirs. */
static uint32_t read_address(struct reader *value)
{
	uint32_t address = reader_be32(value);

	reader_skip(value, reader_left(value) / 4 * 4);
	return address;
}

static void read_name_servers(struct reader *value, struct dhcp_lease *lease)
{
	lease->name_server_count = 0;
	while (reader_left(value) > 0 && reader_ok(value)) {
		uint32_t address = reader_be32(value);

		if (lease->name_server_count < DHCP_NAME_SERVERS_MAX)
			lease->name_servers[lease->name_server_count++] = address;
	}
}

static void read_option(uint8_t option, struct reader *value, struct dhcp_reply *reply)
{
	switch (option) {
	case OPTION_TYPE:
		reply->type = (enum dhcp_type)reader_u8(value);
		break;
	case OPTION_NETMASK:
		reply->lease.netmask = reader_be32(value);
		break;
	case OPTION_ROUTER:
		reply->lease.router = read_address(value);
		break;
	case OPTION_NAME_SERVER:
		read_name_servers(value, &reply->lease);
		break;
	case OPTION_MTU:
		reply->lease.has_mtu = true;
		reply->lease.mtu = reader_be16(value);
		break;
	case OPTION_LEASE:
		reply->lease.seconds = reader_be32(value);
		break;
	case OPTION_SERVER:
		reply->lease.server = reader_be32(value);
		break;
	default:
		reader_skip(value, reader_left(value));
	}
}

/* RFC 3396 would join an option that occurs twice; none that we read is ever that long, so a
 * second one is an error. */
static int read_options(struct reader *r, struct dhcp_reply *reply, struct err *e)
{
	bool seen[256] = { false };

	for (;;) {
		uint8_t option = reader_u8(r);
		struct reader value;

		if (!reader_ok(r))
			return err_set(e, ERR_INVALID, "DHCP reply: options without an end");
		if (option == OPTION_END)
			return 0;
		if (option == OPTION_PAD)
			continue;
		value = reader_sub(r, reader_u8(r));
		if (!reader_ok(r))
			return err_set(e, ERR_INVALID, "DHCP reply: option %u is cut off", option);
		if (seen[option])
			return err_set(e, ERR_INVALID, "DHCP reply: option %u twice", option);
		seen[option] = true;
		read_option(option, &value, reply);
		if (!reader_done(&value))
			return err_set(e, ERR_INVALID, "DHCP reply: option %u has a wrong length",
				       option);
	}
}

static bool is_host(uint32_t address)
{
	uint32_t top = address >> 24;

	return top != 0 && top != 127 && top < 224;
}

static bool is_netmask(uint32_t mask)
{
	uint32_t hosts = ~mask;

	return mask != 0 && (hosts & (hosts + 1)) == 0;
}

/* In a network of more than two addresses, no host has the first or the last. */
static bool is_in_network(uint32_t address, uint32_t netmask)
{
	uint32_t hosts = ~netmask;

	return hosts < 2 || ((address & hosts) != 0 && (address & hosts) != hosts);
}

static int lease_check(struct dhcp_lease *lease, struct err *e)
{
	size_t kept = 0;

	if (!is_netmask(lease->netmask))
		return err_set(e, ERR_INVALID, "DHCP reply: no usable netmask");
	if (!is_host(lease->address) || !is_in_network(lease->address, lease->netmask))
		return err_set(e, ERR_INVALID, "DHCP reply: no usable address");
	if (lease->router && (!is_host(lease->router) || lease->router == lease->address))
		return err_set(e, ERR_INVALID, "DHCP reply: the router has no host address");
	if (lease->has_mtu && (lease->mtu < DHCP_MTU_MIN || lease->mtu > DHCP_MTU_MAX))
		return err_set(e, ERR_INVALID, "DHCP reply: MTU %u is out of range", lease->mtu);
	for (size_t i = 0; i < lease->name_server_count; i++)
		if (is_host(lease->name_servers[i]))
			lease->name_servers[kept++] = lease->name_servers[i];
	lease->name_server_count = kept;
	/* A short lease would keep us asking all the time. */
	if (lease->seconds < DHCP_LEASE_MIN_S)
		lease->seconds = DHCP_LEASE_MIN_S;
	return 0;
}

/* RFC 2131, figure 1. */
static int read_head(struct reader *r, const struct dhcp_ask *ask, uint32_t *address, struct err *e)
{
	uint8_t op = reader_u8(r);
	uint8_t htype = reader_u8(r);
	uint8_t hlen = reader_u8(r);
	uint32_t xid, magic;
	const uint8_t *mac;

	reader_skip(r, 1); /* hops */
	xid = reader_be32(r);
	reader_skip(r, 2 + 2 + 4); /* secs, flags, ciaddr */
	*address = reader_be32(r);
	reader_skip(r, 4 + 4); /* siaddr, giaddr */
	mac = reader_take(r, DHCP_MAC_SIZE);
	reader_skip(r, CHADDR_SIZE - DHCP_MAC_SIZE + SNAME_AND_FILE_SIZE);
	magic = reader_be32(r);
	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "DHCP reply: cut off");
	if (op != BOOTP_REPLY || htype != HTYPE_ETHERNET || hlen != DHCP_MAC_SIZE || magic != MAGIC)
		return err_set(e, ERR_INVALID, "DHCP reply: not a reply");
	if (xid != ask->xid || memcmp(mac, ask->mac, DHCP_MAC_SIZE) != 0)
		return err_set(e, ERR_INVALID, "DHCP reply: to someone else");
	return 0;
}

int dhcp_read(const uint8_t *bytes, size_t len, const struct dhcp_ask *ask,
	      struct dhcp_reply *reply, struct err *e)
{
	struct reader r = reader_over(bytes, len);
	struct dhcp_reply answer = { .type = 0 };

	if (len > DHCP_MESSAGE_MAX)
		return err_set(e, ERR_INVALID, "DHCP reply: longer than %d bytes",
			       DHCP_MESSAGE_MAX);
	if (read_head(&r, ask, &answer.lease.address, e) < 0 || read_options(&r, &answer, e) < 0)
		return err_code(e);
	if (!is_host(answer.lease.server))
		return err_set(e, ERR_INVALID, "DHCP reply: from no server");
	if (ask->server && answer.lease.server != ask->server)
		return err_set(e, ERR_INVALID, "DHCP reply: from another server");
	if (answer.type == DHCP_NAK) {
		answer.lease = (struct dhcp_lease){ .server = answer.lease.server };
	} else {
		if (answer.type != DHCP_OFFER && answer.type != DHCP_ACK)
			return err_set(e, ERR_INVALID, "DHCP reply: neither offer nor answer");
		if (lease_check(&answer.lease, e) < 0)
			return err_code(e);
	}
	*reply = answer;
	return 0;
}
