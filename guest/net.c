/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/net.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "guest/console.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

enum { DHCP_SERVER_PORT = 67, DHCP_CLIENT_PORT = 68, NET_REPLIES_PER_STEP = 16 };

uint64_t net_now_ms(void)
{
	return (uint64_t)clock_ms(CLOCK_BOOTTIME);
}

static struct sockaddr_in address_of(uint32_t address, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(address) };
}

static void put_address(struct sockaddr *out, uint32_t address)
{
	struct sockaddr_in in = address_of(address, 0);

	memcpy(out, &in, sizeof(in));
}

static struct ifreq request_for(const char *card)
{
	struct ifreq ifr = { 0 };

	memcpy(ifr.ifr_name, card, strnlen(card, IFNAMSIZ - 1));
	return ifr;
}

static int bring_up(int fd, const char *card, struct err *e)
{
	struct ifreq ifr = request_for(card);

	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return err_errno(e, "flags of %s", card);
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_errno(e, "bring %s up", card);
	return 0;
}

/* The Ethernet card with the lowest index; the kernel numbers them in the order of their slots. */
static void find_card(int fd, struct net *net, uint8_t mac[DHCP_MAC_SIZE])
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index != 0; i++) {
		struct ifreq ifr = request_for(i->if_name);

		if (ioctl(fd, SIOCGIFHWADDR, &ifr) < 0 || ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
			continue;
		memcpy(net->card, ifr.ifr_name, IFNAMSIZ);
		memcpy(mac, ifr.ifr_hwaddr.sa_data, DHCP_MAC_SIZE);
		break;
	}
	if (all)
		if_freenameindex(all);
}

int net_start(struct net *net, struct err *e)
{
	CLEANUP(close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t mac[DHCP_MAC_SIZE];
	uint32_t xid;

	*net = (struct net){ .socket = -1 };
	if (fd < 0)
		return err_errno(e, "socket");
	if (bring_up(fd, "lo", e) < 0)
		return err_code(e);
	find_card(fd, net, mac);
	if (!net->card[0]) {
		console_line("no network card");
		return 0;
	}
	if (bring_up(fd, net->card, e) < 0)
		return err_code(e);
	if (getrandom(&xid, sizeof(xid), 0) != sizeof(xid))
		return err_errno(e, "random number");
	dhcp_client_start(&net->client, mac, xid, net_now_ms());
	return 0;
}

int net_timeout(const struct net *net)
{
	uint64_t now = net_now_ms();
	uint64_t next = net->client.next_ms;

	if (!net->card[0] || next == UINT64_MAX)
		return -1;
	if (next <= now)
		return 0;
	return next - now < 3600000 ? (int)(next - now) : 3600000;
}

/* Bound to the card, so that the kernel takes broadcasts from it before it has an address. */
static int open_socket(struct net *net, struct err *e)
{
	const struct sockaddr_in any = address_of(INADDR_ANY, DHCP_CLIENT_PORT);
	CLEANUP(close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (net->socket >= 0)
		return 0;
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, net->card, (socklen_t)strlen(net->card)) <
		    0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
		return err_errno(e, "DHCP socket");
	net->socket = TAKE_FD(fd);
	return 0;
}

static int send_ask(struct net *net, struct err *e)
{
	const struct sockaddr_in all = address_of(INADDR_BROADCAST, DHCP_SERVER_PORT);
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);

	if (open_socket(net, e) < 0)
		return err_code(e);
	dhcp_write(&w, &net->client.ask);
	if (writer_check(&w, "DHCP message", e) < 0)
		return err_code(e);
	/* A link that is not there yet gives ENETUNREACH: the next try may do better. */
	sendto(net->socket, w.bytes, w.len, MSG_NOSIGNAL, (const struct sockaddr *)&all,
	       sizeof(all));
	return 0;
}

static int set_address(int fd, unsigned long what, const char *card, uint32_t address,
		       struct err *e)
{
	struct ifreq ifr = request_for(card);

	put_address(&ifr.ifr_addr, address);
	if (ioctl(fd, what, &ifr) < 0)
		return err_errno(e, "set the address of %s", card);
	return 0;
}

static int add_route(int fd, const char *card, uint32_t target, uint32_t mask, uint32_t router,
		     struct err *e)
{
	char dev[IFNAMSIZ];
	struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = dev };

	memcpy(dev, card, sizeof(dev));
	put_address(&route.rt_dst, target);
	put_address(&route.rt_genmask, mask);
	put_address(&route.rt_gateway, router);
	if (router)
		route.rt_flags |= RTF_GATEWAY;
	if (mask == UINT32_MAX)
		route.rt_flags |= RTF_HOST;
	if (ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST)
		return err_errno(e, "set a route");
	return 0;
}

static int write_resolv_conf(const struct dhcp_lease *lease, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(256);

	for (size_t i = 0; i < lease->name_server_count; i++) {
		struct in_addr address = { .s_addr = htonl(lease->name_servers[i]) };
		char text[INET_ADDRSTRLEN];

		writer_printf(&w, "nameserver %s\n",
			      inet_ntop(AF_INET, &address, text, sizeof(text)));
	}
	if (writer_check(&w, NET_RESOLV_CONF, e) < 0)
		return err_code(e);
	return file_write(NET_RESOLV_CONF, w.bytes, w.len, 0644, e);
}

static int set_up(struct net *net, struct err *e)
{
	CLEANUP(close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct dhcp_lease *lease = &net->client.lease;
	struct ifreq mtu = request_for(net->card);

	if (fd < 0)
		return err_errno(e, "socket");
	if (set_address(fd, SIOCSIFADDR, net->card, lease->address, e) < 0 ||
	    set_address(fd, SIOCSIFNETMASK, net->card, lease->netmask, e) < 0)
		return err_code(e);
	mtu.ifr_mtu = lease->mtu;
	if (lease->has_mtu && ioctl(fd, SIOCSIFMTU, &mtu) < 0)
		return err_errno(e, "set the MTU of %s", net->card);
	if (lease->router) {
		/* Clouds give a /32 and a router outside of it. */
		if ((lease->router & lease->netmask) != (lease->address & lease->netmask) &&
		    add_route(fd, net->card, lease->router, UINT32_MAX, 0, e) < 0)
			return err_code(e);
		if (add_route(fd, net->card, 0, 0, lease->router, e) < 0)
			return err_code(e);
	}
	return write_resolv_conf(lease, e);
}

static int take_down(struct net *net, struct err *e)
{
	CLEANUP(close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(e, "socket");
	console_line("%s: lease lost", net->card);
	net->up = false;
	return set_address(fd, SIOCSIFADDR, net->card, 0, e);
}

static int lease_taken(struct net *net, struct err *e)
{
	struct in_addr address = { .s_addr = htonl(net->client.lease.address) };
	char text[INET_ADDRSTRLEN];

	close(TAKE_FD(net->socket)); /* nobody needs traffic to port 68 now */
	if (set_up(net, e) < 0)
		return err_code(e);
	if (!net->up)
		console_line("%s: %s/%d", net->card,
			     inet_ntop(AF_INET, &address, text, sizeof(text)),
			     __builtin_popcount(net->client.lease.netmask));
	net->up = true;
	return 0;
}

static int handle(struct net *net, enum dhcp_event event, struct err *e)
{
	switch (event) {
	case DHCP_SEND:
		return send_ask(net, e);
	case DHCP_TAKEN:
		return lease_taken(net, e);
	case DHCP_LOST:
		return take_down(net, e);
	case DHCP_NOTHING:
		break;
	}
	return 0;
}

int net_step(struct net *net, struct err *e)
{
	if (!net->card[0])
		return 0;
	for (int i = 0; i < NET_REPLIES_PER_STEP && net->socket >= 0; i++) {
		uint8_t bytes[DHCP_MESSAGE_MAX + 1];
		ssize_t len = recv(net->socket, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (len < 0)
			break;
		if (handle(net, dhcp_client_reply(&net->client, bytes, (size_t)len, net_now_ms()),
			   e) < 0)
			return err_code(e);
	}
	return handle(net, dhcp_client_tick(&net->client, net_now_ms()), e);
}
