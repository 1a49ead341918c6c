/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/dhcp_client.h"

#include <string.h>

static void select_again(struct dhcp_client *client, uint64_t now_ms)
{
	client->state = DHCP_SELECTING;
	client->ask.type = DHCP_DISCOVER;
	client->ask.xid++; /* a reply to the previous message does not count any more */
	client->ask.wanted = client->ask.server = client->ask.held = 0;
	client->wait_ms = DHCP_TRY_FIRST_MS;
	client->tries = 0;
	client->next_ms = now_ms;
}

void dhcp_client_start(struct dhcp_client *client, const uint8_t mac[DHCP_MAC_SIZE], uint32_t xid,
		       uint64_t now_ms)
{
	*client = (struct dhcp_client){ .ask = { .xid = xid } };
	memcpy(client->ask.mac, mac, DHCP_MAC_SIZE);
	select_again(client, now_ms);
}

static enum dhcp_event send_after(struct dhcp_client *client, uint64_t now_ms, uint32_t wait_ms)
{
	client->next_ms = now_ms + wait_ms;
	client->tries++;
	client->replies = 0;
	return DHCP_SEND;
}

/* Twice as long each time, as RFC 2131, section 4.1, says, but never so long that a network which
 * comes up late is not noticed. */
static uint32_t longer(struct dhcp_client *client)
{
	uint32_t wait_ms = client->wait_ms;

	client->wait_ms = wait_ms * 2 < DHCP_TRY_MAX_MS ? wait_ms * 2 : DHCP_TRY_MAX_MS;
	return wait_ms;
}

static enum dhcp_event renew(struct dhcp_client *client, uint64_t now_ms)
{
	uint64_t left = client->expires_ms - now_ms;

	if (client->state == DHCP_BOUND) {
		client->state = DHCP_RENEWING;
		client->ask.type = DHCP_REQUEST;
		client->ask.xid++;
		client->ask.wanted = client->ask.server = 0;
		client->ask.held = client->lease.address;
	}
	return send_after(client, now_ms,
			  left < DHCP_RENEW_TRY_MS ? (uint32_t)left : DHCP_RENEW_TRY_MS);
}

enum dhcp_event dhcp_client_tick(struct dhcp_client *client, uint64_t now_ms)
{
	if (now_ms < client->next_ms)
		return DHCP_NOTHING;
	switch (client->state) {
	case DHCP_SELECTING:
		return send_after(client, now_ms, longer(client));
	case DHCP_REQUESTING:
		if (client->tries < DHCP_REQUEST_TRIES)
			return send_after(client, now_ms, longer(client));
		select_again(client, now_ms);
		return send_after(client, now_ms, longer(client));
	case DHCP_BOUND:
	case DHCP_RENEWING:
		if (now_ms < client->expires_ms)
			return renew(client, now_ms);
		break;
	}
	select_again(client, now_ms);
	return DHCP_LOST;
}

static enum dhcp_event take_offer(struct dhcp_client *client, const struct dhcp_lease *lease,
				  uint64_t now_ms)
{
	client->state = DHCP_REQUESTING;
	client->lease = *lease;
	client->ask.type = DHCP_REQUEST;
	client->ask.wanted = lease->address;
	client->ask.server = lease->server;
	client->wait_ms = DHCP_TRY_FIRST_MS;
	client->tries = 0;
	return send_after(client, now_ms, longer(client));
}

static enum dhcp_event take_lease(struct dhcp_client *client, const struct dhcp_lease *lease,
				  uint64_t now_ms)
{
	client->state = DHCP_BOUND;
	client->lease = *lease;
	client->expires_ms = UINT64_MAX;
	client->next_ms = UINT64_MAX;
	if (lease->seconds != UINT32_MAX) {
		client->expires_ms = now_ms + (uint64_t)lease->seconds * 1000;
		client->next_ms = now_ms + (uint64_t)lease->seconds * 500;
	}
	return DHCP_TAKEN;
}

enum dhcp_event dhcp_client_reply(struct dhcp_client *client, const uint8_t *bytes, size_t len,
				  uint64_t now_ms)
{
	bool renewing = client->state == DHCP_RENEWING;
	struct dhcp_reply reply;
	struct err e;

	if (!dhcp_client_listens(client) || client->replies >= DHCP_REPLIES_MAX)
		return DHCP_NOTHING;
	client->replies++;
	if (dhcp_read(bytes, len, &client->ask, &reply, &e) < 0)
		return DHCP_NOTHING;
	if (client->state == DHCP_SELECTING)
		return reply.type == DHCP_OFFER ? take_offer(client, &reply.lease, now_ms)
						: DHCP_NOTHING;
	if (reply.type == DHCP_NAK) {
		select_again(client, now_ms);
		return renewing ? DHCP_LOST : DHCP_NOTHING;
	}
	/* The answer must give what was asked for, and nothing else. */
	if (reply.type != DHCP_ACK || reply.lease.address != client->lease.address)
		return DHCP_NOTHING;
	return take_lease(client, &reply.lease, now_ms);
}
