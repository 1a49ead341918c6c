/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/reader.h"
#include "dhcp_server.h"
#include "guest/dhcp.h"
#include "tests/unit.h"

static const struct dhcp_ask ask = {
	.type = DHCP_DISCOVER,
	.xid = 0x12345678,
	.mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 },
};

static int read_reply(const struct writer *w, struct dhcp_reply *reply, struct err *e)
{
	assert_false(w->bad);
	return dhcp_read(w->bytes, w->len, &ask, reply, e);
}

/* A reply with one more option, between the usual ones and the end. */
static int read_with(uint8_t option, const void *value, uint8_t len, struct dhcp_reply *reply,
		     struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);

	server_start(&w, &ask, DHCP_OFFER, 3600);
	writer_u8(&w, option);
	writer_u8(&w, len);
	writer_bytes(&w, value, len);
	server_end(&w);
	return read_reply(&w, reply, e);
}

static void an_offer_is_read(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_reply reply;
	struct err e;

	server_start(&w, &ask, DHCP_OFFER, 86400);
	writer_u8(&w, 0); /* padding may stand anywhere */
	server_option32(&w, 3, SERVER_ADDRESS);
	server_option32(&w, 6, 0x0a000203);
	writer_bytes(&w, "\x1a\x02\x05\xb4", 4); /* MTU 1460 */
	writer_bytes(&w, "\x0f\x03xyz", 5);      /* a domain name, of no interest */
	server_end(&w);
	writer_zeros(&w, 40);
	assert_ok(read_reply(&w, &reply, &e), e);
	assert_int_equal(reply.type, DHCP_OFFER);
	assert_int_equal(reply.lease.address, OFFERED_ADDRESS);
	assert_int_equal(reply.lease.netmask, 0xffffff00);
	assert_int_equal(reply.lease.server, SERVER_ADDRESS);
	assert_int_equal(reply.lease.router, SERVER_ADDRESS);
	assert_int_equal(reply.lease.seconds, 86400);
	assert_int_equal(reply.lease.name_server_count, 1);
	assert_int_equal(reply.lease.name_servers[0], 0x0a000203);
	assert_int_equal(reply.lease.mtu, 1460);
}

static void every_truncation_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_reply reply;
	struct err e;

	server_start(&w, &ask, DHCP_ACK, 86400);
	server_option32(&w, 3, SERVER_ADDRESS);
	server_end(&w);
	for (size_t len = 0; len < w.len; len++) {
		/* An exact copy, so that a read past the end is one past an allocation. */
		CLEANUP(free) uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, w.bytes, len);
		assert_refused(dhcp_read(copy, len, &ask, &reply, &e), e, ERR_INVALID, "DHCP");
	}
	assert_ok(read_reply(&w, &reply, &e), e);
}

static void a_reply_to_someone_else_is_refused(void **state)
{
	static const struct {
		size_t at;
		const char *says;
	} rows[] = {
		/* clang-format off */
		{ 0, "not a reply" }, { 1, "not a reply" },     /* op, htype */
		{ 2, "not a reply" },                           /* hlen */
		{ 4, "someone else" }, { 7, "someone else" },   /* xid */
		{ 28, "someone else" }, { 33, "someone else" }, /* chaddr */
		{ 236, "not a reply" }, { 239, "not a reply" }, /* the magic cookie */
		/* clang-format on */
	};
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_reply reply;
	struct err e;

	server_start(&w, &ask, DHCP_OFFER, 3600);
	server_end(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w.bytes[rows[i].at] ^= 1;
		assert_refused(read_reply(&w, &reply, &e), e, ERR_INVALID, rows[i].says);
		w.bytes[rows[i].at] ^= 1;
	}
}

static void another_server_does_not_answer_a_request(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_ask request = ask;
	struct dhcp_reply reply;
	struct err e;

	request.server = SERVER_ADDRESS + 1;
	server_start(&w, &request, DHCP_ACK, 3600);
	server_end(&w);
	assert_refused(dhcp_read(w.bytes, w.len, &request, &reply, &e), e, ERR_INVALID,
		       "another server");
	request.server = SERVER_ADDRESS;
	assert_ok(dhcp_read(w.bytes, w.len, &request, &reply, &e), e);
}

static void an_option_of_a_wrong_length_is_refused(void **state)
{
	static const uint8_t zeros[16] = { 1, 2, 3, 4, 1, 2, 3, 4 };
	static const struct {
		uint8_t option, len;
	} rows[] = { { 3, 0 }, { 3, 3 }, { 3, 5 }, { 6, 1 }, { 6, 7 }, { 26, 1 }, { 26, 3 } };
	struct dhcp_reply reply;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(read_with(rows[i].option, zeros, rows[i].len, &reply, &e), e,
			       ERR_INVALID, "wrong length");
}

static void an_option_stands_there_once(void **state)
{
	struct dhcp_reply reply;
	struct err e;

	assert_refused(read_with(1, "\xff\xff\xff\0", 4, &reply, &e), e, ERR_INVALID, "twice");
	assert_refused(read_with(53, "\x05", 1, &reply, &e), e, ERR_INVALID, "twice");
}

static void only_the_first_router_and_three_name_servers_count(void **state)
{
	static const uint8_t many[] = { 10, 0, 2, 3, 127, 0, 0, 1, 10, 0, 2, 4,
					10, 0, 2, 5, 10,  0, 2, 6, 10, 0, 2, 7 };
	struct dhcp_reply reply;
	struct err e;

	assert_ok(read_with(3, many, 12, &reply, &e), e);
	assert_int_equal(reply.lease.router, 0x0a000203);
	assert_ok(read_with(6, many, sizeof(many), &reply, &e), e);
	assert_int_equal(reply.lease.name_server_count, 2); /* of three, one is loopback */
	assert_int_equal(reply.lease.name_servers[1], 0x0a000204);
}

static void mtu_has_limits(void **state)
{
	struct dhcp_reply reply;
	struct err e;

	assert_refused(read_with(26, "\0\0", 2, &reply, &e), e, ERR_INVALID, "MTU");
	assert_refused(read_with(26, "\x04\xff", 2, &reply, &e), e, ERR_INVALID, "MTU");
	assert_ok(read_with(26, "\x05\x00", 2, &reply, &e), e);
	assert_ok(read_with(26, "\x23\x28", 2, &reply, &e), e);
	assert_refused(read_with(26, "\x23\x29", 2, &reply, &e), e, ERR_INVALID, "MTU");
}

static void an_address_that_no_machine_has_is_refused(void **state)
{
	static const struct {
		uint32_t address, netmask;
		const char *says;
	} rows[] = {
		/* clang-format off */
		{ 0x00000000, 0xffffff00, "address" },
		{ 0x7f000001, 0xff000000, "address" }, /* loopback */
		{ 0xe0000001, 0xffffff00, "address" }, /* multicast */
		{ 0xffffffff, 0xffffff00, "address" },
		{ 0x0a000200, 0xffffff00, "address" }, /* the network itself */
		{ 0x0a0002ff, 0xffffff00, "address" }, /* its broadcast */
		{ 0x0a00020f, 0x00000000, "netmask" },
		{ 0x0a00020f, 0xff00ff00, "netmask" },
		{ 0x0a00020f, 0x00ffffff, "netmask" },
		{ 0x0a00020f, 0xfffffffd, "netmask" },
		{ 0x0a000200, 0xfffffffe, NULL }, /* a network of two */
		{ 0x0a000200, 0xffffffff, NULL }, /* a network of one */
		{ 0x0a00020f, 0x80000000, NULL },
		/* clang-format on */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
		struct dhcp_reply reply;
		struct err e;

		server_head(&w, &ask, rows[i].address);
		server_option8(&w, 53, DHCP_OFFER);
		server_option32(&w, 54, SERVER_ADDRESS);
		server_option32(&w, 1, rows[i].netmask);
		server_end(&w);
		if (rows[i].says)
			assert_refused(read_reply(&w, &reply, &e), e, ERR_INVALID, rows[i].says);
		else
			assert_ok(read_reply(&w, &reply, &e), e);
	}
}

static void a_router_that_is_no_host_is_refused(void **state)
{
	struct dhcp_reply reply;
	struct err e;

	assert_refused(read_with(3, "\x7f\0\0\x01", 4, &reply, &e), e, ERR_INVALID, "router");
	assert_refused(read_with(3, "\xff\xff\xff\xff", 4, &reply, &e), e, ERR_INVALID, "router");
	assert_refused(read_with(3, "\x0a\0\x02\x0f", 4, &reply, &e), e, ERR_INVALID, "router");
}

static void a_short_lease_is_stretched(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_reply reply;
	struct err e;

	server_start(&w, &ask, DHCP_ACK, 1);
	server_end(&w);
	assert_ok(read_reply(&w, &reply, &e), e);
	assert_int_equal(reply.lease.seconds, DHCP_LEASE_MIN_S);
}

static void type_and_server_must_be_there(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	CLEANUP_WRITER struct writer typeless = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_reply reply;
	struct err e;

	server_head(&w, &ask, OFFERED_ADDRESS);
	server_option8(&w, 53, DHCP_OFFER);
	server_option32(&w, 1, 0xffffff00);
	server_end(&w);
	assert_refused(read_reply(&w, &reply, &e), e, ERR_INVALID, "no server");
	server_head(&typeless, &ask, OFFERED_ADDRESS);
	server_option32(&typeless, 54, SERVER_ADDRESS);
	server_option32(&typeless, 1, 0xffffff00);
	server_end(&typeless);
	assert_refused(read_reply(&typeless, &reply, &e), e, ERR_INVALID, "neither");
}

static void size_has_a_limit(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX + 1);
	struct dhcp_reply reply;
	struct err e;

	server_start(&w, &ask, DHCP_OFFER, 3600);
	server_end(&w);
	writer_zeros(&w, DHCP_MESSAGE_MAX - w.len);
	assert_ok(read_reply(&w, &reply, &e), e);
	writer_u8(&w, 0);
	assert_refused(read_reply(&w, &reply, &e), e, ERR_INVALID, "longer");
}

static void what_is_sent_is_a_message_of_its_kind(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_ask request = ask;
	static const uint8_t options[] = { 53, 1, 3, 50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2 };

	request.type = DHCP_REQUEST;
	request.wanted = OFFERED_ADDRESS;
	request.server = SERVER_ADDRESS;
	dhcp_write(&w, &request);
	assert_false(w.bad);
	assert_int_equal(w.len, 300);
	assert_memory_equal(w.bytes, "\x01\x01\x06\x00\x12\x34\x56\x78\x00\x00\x80\x00", 12);
	assert_memory_equal(w.bytes + 28, ask.mac, 6);
	assert_memory_equal(w.bytes + 236, "\x63\x82\x53\x63", 4);
	assert_memory_equal(w.bytes + OPTIONS_AT, options, sizeof(options));
}

static void a_renewal_names_the_address_in_its_head(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DHCP_MESSAGE_MAX);
	struct dhcp_ask request = ask;

	request.type = DHCP_REQUEST;
	request.held = OFFERED_ADDRESS;
	dhcp_write(&w, &request);
	assert_memory_equal(w.bytes + 10, "\x00\x00\x0a\x00\x02\x0f", 6);
	assert_memory_equal(w.bytes + OPTIONS_AT, "\x35\x01\x03\x39", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_is_read),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_reply_to_someone_else_is_refused),
		cmocka_unit_test(another_server_does_not_answer_a_request),
		cmocka_unit_test(an_option_of_a_wrong_length_is_refused),
		cmocka_unit_test(an_option_stands_there_once),
		cmocka_unit_test(only_the_first_router_and_three_name_servers_count),
		cmocka_unit_test(mtu_has_limits),
		cmocka_unit_test(an_address_that_no_machine_has_is_refused),
		cmocka_unit_test(a_router_that_is_no_host_is_refused),
		cmocka_unit_test(a_short_lease_is_stretched),
		cmocka_unit_test(type_and_server_must_be_there),
		cmocka_unit_test(size_has_a_limit),
		cmocka_unit_test(what_is_sent_is_a_message_of_its_kind),
		cmocka_unit_test(a_renewal_names_the_address_in_its_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
