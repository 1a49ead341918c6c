/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp_server.h"
#include "guest/dhcp_client.h"
#include "tests/unit.h"

static const uint8_t mac[DHCP_MAC_SIZE] = { 2, 0, 0, 0, 0, 1 };

/* What the client makes of a reply of that type to what it asked last. */
static enum dhcp_event answer(struct dhcp_client *client, uint8_t type, uint32_t lease_s,
			      uint64_t now_ms)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);

	server_start(&w, &client->ask, type, lease_s);
	server_end(&w);
	return dhcp_client_reply(client, w.bytes, w.len, now_ms);
}

static struct dhcp_client bound_client(uint32_t lease_s)
{
	struct dhcp_client client;

	dhcp_client_start(&client, mac, 1, 1000);
	assert_int_equal(dhcp_client_tick(&client, 1000), DHCP_SEND);
	assert_int_equal(answer(&client, DHCP_OFFER, lease_s, 1010), DHCP_SEND);
	assert_int_equal(answer(&client, DHCP_ACK, lease_s, 1020), DHCP_TAKEN);
	return client;
}

static void a_lease_is_won_in_two_rounds(void **state)
{
	struct dhcp_client client;

	dhcp_client_start(&client, mac, 1, 1000);
	assert_true(dhcp_client_listens(&client));
	assert_int_equal(dhcp_client_tick(&client, 1000), DHCP_SEND);
	assert_int_equal(client.ask.type, DHCP_DISCOVER);
	assert_int_equal(dhcp_client_tick(&client, 1001), DHCP_NOTHING);
	assert_int_equal(answer(&client, DHCP_OFFER, 3600, 1010), DHCP_SEND);
	assert_int_equal(client.ask.type, DHCP_REQUEST);
	assert_int_equal(client.ask.wanted, OFFERED_ADDRESS);
	assert_int_equal(client.ask.server, SERVER_ADDRESS);
	assert_int_equal(answer(&client, DHCP_ACK, 3600, 1020), DHCP_TAKEN);
	assert_false(dhcp_client_listens(&client));
	assert_int_equal(client.lease.address, OFFERED_ADDRESS);
	assert_int_equal(client.next_ms, 1020 + 1800 * 1000);
	assert_int_equal(client.expires_ms, 1020 + 3600 * 1000);
}

static void silence_is_asked_again_ever_more_slowly(void **state)
{
	static const uint32_t waits[] = { 1000, 2000, 4000, 8000, 16000, 16000 };
	struct dhcp_client client;
	uint64_t now = 0;

	dhcp_client_start(&client, mac, 1, now);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		assert_int_equal(dhcp_client_tick(&client, now), DHCP_SEND);
		assert_int_equal(client.next_ms, now + waits[i]);
		now = client.next_ms;
		assert_int_equal(dhcp_client_tick(&client, now - 1), DHCP_NOTHING);
	}
}

static void an_offer_that_nobody_confirms_is_forgotten(void **state)
{
	struct dhcp_client client;

	dhcp_client_start(&client, mac, 1, 0);
	dhcp_client_tick(&client, 0);
	assert_int_equal(answer(&client, DHCP_OFFER, 3600, 10), DHCP_SEND);
	for (int i = 1; i < DHCP_REQUEST_TRIES; i++) {
		assert_int_equal(dhcp_client_tick(&client, client.next_ms), DHCP_SEND);
		assert_int_equal(client.ask.type, DHCP_REQUEST);
	}
	assert_int_equal(dhcp_client_tick(&client, client.next_ms), DHCP_SEND);
	assert_int_equal(client.ask.type, DHCP_DISCOVER);
	assert_int_equal(client.ask.server, 0);
}

static void an_answer_that_was_not_asked_for_changes_nothing(void **state)
{
	struct dhcp_client client, before;

	dhcp_client_start(&client, mac, 1, 0);
	dhcp_client_tick(&client, 0);
	assert_int_equal(answer(&client, DHCP_ACK, 3600, 1), DHCP_NOTHING);
	assert_int_equal(client.state, DHCP_SELECTING);
	client = bound_client(3600);
	before = client;
	assert_int_equal(answer(&client, DHCP_ACK, 60, 2000), DHCP_NOTHING);
	assert_int_equal(answer(&client, DHCP_NAK, 60, 2000), DHCP_NOTHING);
	assert_memory_equal(&client, &before, sizeof(client));
}

static void an_answer_with_another_address_is_none(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_client client;

	dhcp_client_start(&client, mac, 1, 0);
	dhcp_client_tick(&client, 0);
	answer(&client, DHCP_OFFER, 3600, 1);
	server_head(&w, &client.ask, OFFERED_ADDRESS + 1);
	server_option8(&w, 53, DHCP_ACK);
	server_option32(&w, 54, SERVER_ADDRESS);
	server_option32(&w, 1, 0xffffff00);
	server_end(&w);
	assert_int_equal(dhcp_client_reply(&client, w.bytes, w.len, 2), DHCP_NOTHING);
	assert_int_equal(client.state, DHCP_REQUESTING);
}

static void a_refused_request_begins_anew(void **state)
{
	struct dhcp_client client;
	uint32_t xid;

	dhcp_client_start(&client, mac, 1, 0);
	dhcp_client_tick(&client, 0);
	answer(&client, DHCP_OFFER, 3600, 1);
	xid = client.ask.xid;
	assert_int_equal(answer(&client, DHCP_NAK, 0, 2), DHCP_NOTHING);
	assert_int_equal(client.state, DHCP_SELECTING);
	assert_int_not_equal(client.ask.xid, xid);
	assert_int_equal(dhcp_client_tick(&client, 2), DHCP_SEND);
}

static void a_lease_is_renewed_at_half_time(void **state)
{
	struct dhcp_client client = bound_client(3600);
	uint64_t half = client.next_ms;

	assert_int_equal(dhcp_client_tick(&client, half), DHCP_SEND);
	assert_int_equal(client.ask.type, DHCP_REQUEST);
	assert_int_equal(client.ask.held, OFFERED_ADDRESS);
	assert_int_equal(client.ask.server, 0);
	assert_true(dhcp_client_listens(&client));
	assert_int_equal(dhcp_client_tick(&client, client.next_ms), DHCP_SEND);
	assert_int_equal(answer(&client, DHCP_ACK, 7200, half + 70000), DHCP_TAKEN);
	assert_int_equal(client.expires_ms, half + 70000 + 7200 * 1000);
}

static void a_lease_that_nobody_renews_is_lost(void **state)
{
	struct dhcp_client client = bound_client(600);
	uint64_t end = client.expires_ms;
	int sent = 0;

	while (client.next_ms < end) {
		assert_int_equal(dhcp_client_tick(&client, client.next_ms), DHCP_SEND);
		sent++;
	}
	assert_int_equal(sent, 5);
	assert_int_equal(client.next_ms, end);
	assert_int_equal(dhcp_client_tick(&client, end), DHCP_LOST);
	assert_int_equal(dhcp_client_tick(&client, end), DHCP_SEND);
	assert_int_equal(client.ask.type, DHCP_DISCOVER);
	assert_int_equal(client.ask.held, 0);
}

static void a_refused_renewal_loses_the_lease(void **state)
{
	struct dhcp_client client = bound_client(600);

	dhcp_client_tick(&client, client.next_ms);
	assert_int_equal(answer(&client, DHCP_NAK, 0, client.next_ms - 1), DHCP_LOST);
	assert_int_equal(client.state, DHCP_SELECTING);
}

static void a_lease_for_ever_is_never_renewed(void **state)
{
	struct dhcp_client client = bound_client(UINT32_MAX);

	assert_int_equal(client.next_ms, UINT64_MAX);
	assert_int_equal(dhcp_client_tick(&client, UINT64_MAX - 1), DHCP_NOTHING);
}

static void a_flood_is_not_looked_at(void **state)
{
	struct dhcp_client client;

	dhcp_client_start(&client, mac, 1, 0);
	dhcp_client_tick(&client, 0);
	for (int i = 0; i < DHCP_REPLIES_MAX - 1; i++)
		dhcp_client_reply(&client, mac, sizeof(mac), 1);
	assert_int_equal(answer(&client, DHCP_OFFER, 3600, 1), DHCP_SEND);

	dhcp_client_start(&client, mac, 1, 0);
	dhcp_client_tick(&client, 0);
	for (int i = 0; i < DHCP_REPLIES_MAX; i++)
		dhcp_client_reply(&client, mac, sizeof(mac), 1);
	assert_int_equal(answer(&client, DHCP_OFFER, 3600, 1), DHCP_NOTHING);
	assert_int_equal(dhcp_client_tick(&client, client.next_ms), DHCP_SEND);
	assert_int_equal(answer(&client, DHCP_OFFER, 3600, client.next_ms), DHCP_SEND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_is_won_in_two_rounds),
		cmocka_unit_test(silence_is_asked_again_ever_more_slowly),
		cmocka_unit_test(an_offer_that_nobody_confirms_is_forgotten),
		cmocka_unit_test(an_answer_that_was_not_asked_for_changes_nothing),
		cmocka_unit_test(an_answer_with_another_address_is_none),
		cmocka_unit_test(a_refused_request_begins_anew),
		cmocka_unit_test(a_lease_is_renewed_at_half_time),
		cmocka_unit_test(a_lease_that_nobody_renews_is_lost),
		cmocka_unit_test(a_refused_renewal_loses_the_lease),
		cmocka_unit_test(a_lease_for_ever_is_never_renewed),
		cmocka_unit_test(a_flood_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
