/* SPDX-License-Identifier: Apache-2.0 */
/* The whole life of a lease against a server that says anything: each input is a run of replies,
 * each with its length (two bytes) and the time that has gone by (one byte, in units of 256 s). A
 * transaction id of zero becomes the one that is due, which no fuzzer guesses. */
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "guest/dhcp_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_lease(const struct dhcp_lease *lease)
{
	uint32_t top = lease->address >> 24;

	if (top == 0 || top == 127 || top >= 224 || lease->netmask == 0 ||
	    lease->name_server_count > DHCP_NAME_SERVERS_MAX || lease->seconds < DHCP_LEASE_MIN_S)
		__builtin_trap();
}

/* What the client would send now has the size that servers insist on. */
static void check_ask(const struct dhcp_client *client)
{
	struct writer w = writer_up_to(DHCP_MESSAGE_MAX);

	dhcp_write(&w, &client->ask);
	if (w.bad || w.len < 300)
		__builtin_trap();
	writer_done(&w);
}

static void put_right(uint8_t *message, size_t len, const struct dhcp_client *client)
{
	enum { XID_AT = 4 };
	const uint32_t xid = client->ask.xid;

	if (len < XID_AT + 4 || message[4] || message[5] || message[6] || message[7])
		return;
	for (int i = 0; i < 4; i++)
		message[XID_AT + i] = (uint8_t)(xid >> (24 - 8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t mac[DHCP_MAC_SIZE] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
	struct reader r = reader_over(bytes, len);
	struct dhcp_client client;
	uint64_t now = 1000;

	dhcp_client_start(&client, mac, 0x12345678, now);
	while (reader_left(&r) > 3) {
		size_t size = reader_be16(&r);
		uint64_t later = (uint64_t)reader_u8(&r) << 18;
		uint8_t message[1 << 16];

		if (dhcp_client_tick(&client, now) == DHCP_LOST)
			dhcp_client_tick(&client, now);
		check_ask(&client);
		if (client.next_ms < now)
			__builtin_trap();
		if (size > reader_left(&r))
			size = reader_left(&r);
		reader_copy(&r, message, size);
		put_right(message, size, &client);
		if (dhcp_client_reply(&client, message, size, now) == DHCP_TAKEN)
			check_lease(&client.lease);
		now += later;
	}
	return 0;
}
