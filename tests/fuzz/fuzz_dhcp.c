/* SPDX-License-Identifier: Apache-2.0 */
/* The whole life of a lease against a server that says anything: each input is a run of replies,
 * each with its length (two bytes) and the time that has gone by (one byte, in units of 256 s). */
#include "common/base/reader.h"
#include "guest/dhcp_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_lease(const struct dhcp_lease *lease)
{
	uint32_t top = lease->address >> 24;

	if (top == 0 || top == 127 || top >= 224 || lease->netmask == 0 ||
	    lease->name_server_count > DHCP_NAME_SERVERS_MAX || lease->seconds < DHCP_LEASE_MIN_S)
		__builtin_trap();
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
		const uint8_t *message;

		if (dhcp_client_tick(&client, now) == DHCP_LOST)
			dhcp_client_tick(&client, now);
		if (client.next_ms < now)
			__builtin_trap();
		if (size > reader_left(&r))
			size = reader_left(&r);
		message = reader_take(&r, size);
		if (dhcp_client_reply(&client, message, size, now) == DHCP_TAKEN)
			check_lease(&client.lease);
		now += later;
	}
	return 0;
}
