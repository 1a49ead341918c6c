/* SPDX-License-Identifier: Apache-2.0 */
/* Where webhooks may go, what they are told of, and what signs it. */
#include "computations/hook/hook_event.h"
#include "computations/hook/hook_sign.h"
#include "computations/hook/hook_url.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct hook_nets none = { .count = 0 };

static void addresses_of_one_form_are_read(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		bool plain, is_address;
	} rows[] = {
		{ "https://hooks.example.org", "hooks.example.org", 443, false, false },
		{ "https://hooks.example.org/", "hooks.example.org", 443, false, false },
		{ "HTTPS://Hooks.Example.Org/a%20b?c=d&e=f", "Hooks.Example.Org", 443, false,
		  false },
		{ "https://hooks.example.org:1/x", "hooks.example.org", 1, false, false },
		{ "https://hooks.example.org:65535?x", "hooks.example.org", 65535, false, false },
		{ "https://192.0.2.1:8443/x", "192.0.2.1", 8443, false, true },
		{ "https://[2001:4860::8888]/x", "2001:4860::8888", 443, false, true },
		{ "https://[2001:4860::8888]:444", "2001:4860::8888", 444, false, true },
		{ "http://receiver/x", "receiver", 80, true, false },
		{ "https://a-b.c-1/x:y@z", "a-b.c-1", 443, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hook_url url;
		struct err e;

		assert_ok(hook_url_parse(rows[i].text, &url, &e), e);
		assert_string_equal(url.host, rows[i].host);
		assert_int_equal(url.port, rows[i].port);
		assert_int_equal(url.plain, rows[i].plain);
		assert_int_equal(url.is_address, rows[i].is_address);
	}
}

static void other_forms_are_refused_by_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "does not begin with https://" },
		{ "hooks.example.org", "does not begin with https://" },
		{ "ftp://hooks.example.org", "does not begin with https://" },
		{ "https:/hooks.example.org", "does not begin with https://" },
		{ "https://", "no host" },
		{ "https:///x", "no host" },
		{ "https://:443/x", "no host" },
		{ "https://[]/x", "no host" },
		{ "https://hooks.example.org:0/x", "its port is 1 to 65535" },
		{ "https://hooks.example.org:/x", "its port is 1 to 65535" },
		{ "https://hooks.example.org:65536/x", "its port is 1 to 65535" },
		{ "https://hooks.example.org:099/x", "its port is 1 to 65535" },
		{ "https://hooks.example.org:100000/x", "its port is 1 to 65535" },
		{ "https://hooks.example.org:44x/x", "its port is 1 to 65535" },
		{ "https://a:b@hooks.example.org/x", "a user or password" },
		{ "https://hooks.example.org@127.0.0.1/x", "a user or password" },
		{ "https://hooks.example.org/x#y", "a fragment" },
		{ "https://hooks.example.org#y", "a fragment" },
		{ "https://hooks.example.org/a b", "%XX" },
		{ "https://hooks.example.org/a\nb", "%XX" },
		{ "https://hooks.example.org/\xc3\xa4", "%XX" },
		{ "https://hooks.example.org/a\\b", "%XX" },
		{ "https://hooks.example.org/%4", "%XX" },
		{ "https://hooks.example.org/%zz", "%XX" },
		{ "https://2130706433/x", "its host is a name" },
		{ "https://127.1/x", "its host is a name" },
		{ "https://0x7f.0.0.1/x", "its host is a name" },
		{ "https://0177.0.0.1/x", "its host is a name" },
		{ "https://127.0.0.1./x", "its host is a name" },
		{ "https://hooks.example.org./x", "its host is a name" },
		{ "https://hooks..example/x", "its host is a name" },
		{ "https://-hooks.example/x", "its host is a name" },
		{ "https://hooks-.example/x", "its host is a name" },
		{ "https://hooks_1.example/x", "its host is a name" },
		{ "https://hooks.0x10/x", "its host is a name" },
		{ "https://[127.0.0.1]/x", "its host is a name" },
		{ "https://[fe80::1%25eth0]/x", "its host is a name" },
		{ "https://[::1/x", "its port" },
		{ "https://hooks.example.org\\@127.0.0.1/x", "a user or password" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hook_url url = { .port = 7 };
		struct err e;

		assert_refused(hook_url_parse(rows[i].text, &url, &e), e, ERR_INVALID, rows[i].why);
		assert_int_equal(url.port, 7);
	}
}

static void lengths_end_at_their_limits(void **state)
{
	char text[HOOK_URL_MAX + 2] = "https://h/";
	struct hook_url url;
	struct err e;
	size_t begin = strlen(text), label;

	memset(text + begin, 'x', HOOK_URL_MAX - begin);
	text[HOOK_URL_MAX] = 0;
	assert_ok(hook_url_parse(text, &url, &e), e);
	strcat(text, "x");
	assert_refused(hook_url_parse(text, &url, &e), e, ERR_INVALID, "and may have 512");
	/* Labels of 63, and hosts of 253. */
	for (label = 62; label <= 64; label++) {
		snprintf(text, sizeof(text), "https://%0*d.org/", (int)label, 1);
		assert_int_equal(hook_url_parse(text, &url, &e) == 0, label <= 63);
	}
	for (int last = 61; last <= 62; last++) {
		snprintf(text, sizeof(text), "https://%063d.%063d.%063d.a%0*d", 1, 2, 3, last - 1,
			 4);
		assert_int_equal(hook_url_parse(text, &url, &e) == 0, last == 61);
	}
}

/* ---- networks ---- */

static int check_as(const struct hook_nets *nets, const char *text, bool plain, bool is_looked_up,
		    struct err *e)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { .any = { .sa_family = AF_INET } };

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) != 1) {
		a.any.sa_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
	}
	return hook_nets_check(nets, &a.any, plain, "a.example", is_looked_up, e);
}

static int check(const struct hook_nets *nets, const char *text, bool plain, struct err *e)
{
	return check_as(nets, text, plain, false, e);
}

static void public_addresses_alone_are_gone_to(void **state)
{
	static const char *const good[] = {
		"1.1.1.1",       "9.255.255.255",   "11.0.0.0",     "100.63.255.255",
		"100.128.0.0",   "126.255.255.255", "128.0.0.1",    "169.253.255.255",
		"169.255.0.0",   "172.15.255.255",  "172.32.0.0",   "192.167.255.255",
		"192.169.0.0",   "198.17.255.255",  "198.20.0.0",   "223.255.255.255",
		"168.63.129.15", "168.63.129.17",   "2606:4700::1", "2001:4860::8888",
		"::ffff:1.1.1.1"
	};
	static const char *const bad[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.1",
		"100.127.255.255",
		"100.100.100.200",
		"127.0.0.1",
		"127.255.255.254",
		"168.63.129.16",
		"169.254.0.1",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.192",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::2",
		"::127.0.0.1",
		"::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"::ffff:169.254.169.254",
		"64:ff9b::7f00:1",
		"64:ff9b:1::1",
		"100::1",
		"2001::1",
		"2001:1ff::1",
		"2001:db8::1",
		"2002:7f00:1::",
		"3fff::1",
		"4000::1",
		"fc00::1",
		"fd00:ec2::254",
		"fe80::1",
		"fec0::1",
		"ff02::1",
		"5f00::1",
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(check(&none, good[i], false, &e), e);
		assert_refused(check(&none, good[i], true, &e), e, ERR_DENIED, "use https://");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_refused(check(&none, bad[i], false, &e), e, ERR_DENIED,
			       "webhooks go to public addresses");
		assert_refused(check(&none, bad[i], true, &e), e, ERR_DENIED,
			       "webhooks go to public addresses");
	}
	assert_refused(hook_nets_check(&none, &(struct sockaddr){ .sa_family = AF_UNIX }, false,
				       "x", false, &e),
		       e, ERR_DENIED, "no address of the Internet");
}

static void an_operator_lists_others(void **state)
{
	struct hook_nets nets = { .count = 0 };
	struct err e;

	assert_ok(hook_nets_parse("10.20.0.0/15, fd00::/9\t192.168.1.7", &nets, &e), e);
	assert_int_equal(nets.count, 3);
	assert_ok(check(&nets, "10.20.0.1", false, &e), e);
	assert_ok(check(&nets, "10.21.255.255", false, &e), e);
	assert_ok(check(&nets, "::ffff:10.21.255.255", false, &e), e);
	assert_ok(check(&nets, "192.168.1.7", false, &e), e);
	assert_ok(check(&nets, "fd7f::1", false, &e), e);
	assert_refused(check(&nets, "10.22.0.0", false, &e), e, ERR_DENIED, "private");
	assert_refused(check(&nets, "192.168.1.8", false, &e), e, ERR_DENIED, "private");
	assert_refused(check(&nets, "fd80::1", false, &e), e, ERR_DENIED, "private");
	assert_refused(check(&nets, "10.20.0.1", true, &e), e, ERR_DENIED, "private");
	nets.plain = true;
	assert_ok(check(&nets, "10.20.0.1", true, &e), e);
	assert_refused(check(&nets, "1.1.1.1", true, &e), e, ERR_DENIED, "use https://");
	/* Nothing, or all. */
	assert_ok(hook_nets_parse(NULL, &nets, &e), e);
	assert_int_equal(nets.count, 0);
	assert_true(nets.plain);
	assert_ok(hook_nets_parse("0.0.0.0/0 ::/0", &nets, &e), e);
	assert_ok(check(&nets, "127.0.0.1", true, &e), e);
	assert_ok(check(&nets, "::1", true, &e), e);
}

static void an_operator_refuses_others(void **state)
{
	struct hook_nets nets = { .plain = true };
	struct err e, first;

	assert_ok(hook_nets_refuse("2606:4700::/32 9.9.9.0/24, 10.1.0.0/16", &nets, &e), e);
	assert_int_equal(nets.refused_count, 3);
	assert_refused(check(&nets, "2606:4700:ffff::1", false, &e), e, ERR_DENIED, "refused by");
	assert_refused(check(&nets, "9.9.9.255", false, &e), e, ERR_DENIED, "refused by");
	assert_refused(check(&nets, "::ffff:9.9.9.9", false, &e), e, ERR_DENIED, "refused by");
	assert_ok(check(&nets, "2606:4701::1", false, &e), e);
	assert_ok(check(&nets, "9.9.10.0", false, &e), e);
	assert_refused(hook_url_check("https://[2606:4700::1]/x", &nets, &e), e, ERR_DENIED,
		       "refused by");
	/* What is listed as well, whichever is said first; and both stay what they are when the other one is read. */
	assert_ok(hook_nets_parse("10.0.0.0/8 9.0.0.0/8", &nets, &e), e);
	assert_int_equal(nets.refused_count, 3);
	assert_ok(check(&nets, "10.2.0.1", true, &e), e);
	assert_refused(check(&nets, "10.1.0.1", true, &e), e, ERR_DENIED, "refused by");
	assert_refused(check(&nets, "9.9.9.9", false, &e), e, ERR_DENIED, "refused by");
	assert_ok(check(&nets, "9.9.8.9", true, &e), e);
	/* Of an address that was looked up nothing more is told than of any other. */
	assert_refused(check_as(&nets, "9.9.9.9", false, true, &first), first, ERR_DENIED,
		       "webhooks go to public addresses");
	assert_refused(check_as(&nets, "127.0.0.1", false, true, &e), e, ERR_DENIED, first.text);
	assert_string_equal(e.text, first.text);
	assert_refused(hook_nets_refuse("9.9.9.9/24", &nets, &e), e, ERR_INVALID, "bits behind");
	assert_int_equal(nets.refused_count, 3);
	assert_ok(hook_nets_refuse(NULL, &nets, &e), e);
	assert_int_equal(nets.refused_count, 0);
	assert_int_equal(nets.count, 2);
}

/* Or a workspace's administrator would read in his delivery what the operator's names lead to. */
static void an_address_that_was_looked_up_is_not_told(void **state)
{
	static const char *const inside[] = { "10.11.12.13", "169.254.1.2", "127.0.0.1",
					      "fd00::7" };
	struct hook_nets nets = { .count = 0 };
	struct err e, first;

	assert_refused(check_as(&nets, inside[0], false, true, &first), first, ERR_DENIED,
		       "webhooks go to public addresses");
	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		assert_refused(check(&nets, inside[i], false, &e), e, ERR_DENIED, inside[i]);
		/* Nor which of them it is. */
		assert_refused(check_as(&nets, inside[i], false, true, &e), e, ERR_DENIED,
			       first.text);
		assert_string_equal(e.text, first.text);
	}
	assert_refused(check_as(&nets, "10.11.12.13", true, true, &first), first, ERR_DENIED,
		       "http://");
	assert_refused(check_as(&nets, "1.1.1.1", true, true, &e), e, ERR_DENIED, first.text);
	assert_string_equal(e.text, first.text);
	assert_ok(check_as(&nets, "1.1.1.1", false, true, &e), e);
}

static void networks_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "10.0.0.0/33", "behind the slash is 0 to 32" },
		{ "10.0.0.0/", "behind the slash" },
		{ "10.0.0.0/-1", "behind the slash" },
		{ "10.0.0.0/+8", "behind the slash" },
		{ "10.0.0.0/8x", "behind the slash" },
		{ "fd00::/129", "behind the slash is 0 to 128" },
		{ "10.0.0.1/8", "bits behind its first 8" },
		{ "fd00::1/64", "bits behind its first 64" },
		{ "10.0.0/8", "is no address" },
		{ "localhost", "is no address" },
		{ "010.0.0.0/8", "is no address" },
		{ "10.0.0.0/8;fd00::/8", "behind the slash" },
	};
	struct hook_nets nets = { .count = 5 };
	char many[HOOK_NETS_TEXT_MAX + 2] = "";
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(hook_nets_parse(rows[i].text, &nets, &e), e, ERR_INVALID,
			       rows[i].why);
	for (int i = 0; i < HOOK_NETS_MAX; i++)
		strcat(many, "10.0.0.0/8 ");
	assert_ok(hook_nets_parse(many, &nets, &e), e);
	assert_int_equal(nets.count, HOOK_NETS_MAX);
	strcat(many, "10.0.0.0/8");
	assert_refused(hook_nets_parse(many, &nets, &e), e, ERR_INVALID, "more than 32");
	memset(many, ' ', sizeof(many) - 1);
	many[HOOK_NETS_TEXT_MAX] = 0;
	assert_ok(hook_nets_parse(many, &nets, &e), e);
	many[HOOK_NETS_TEXT_MAX] = ' ';
	many[HOOK_NETS_TEXT_MAX + 1] = 0;
	assert_refused(hook_nets_parse(many, &nets, &e), e, ERR_INVALID, "more than 2048");
}

static void this_machine_is_known_by_its_names(void **state)
{
	static const char *const bad[] = { "https://localhost/x",  "https://LOCALHOST:8443/x",
					   "https://a.localhost/", "https://127.0.0.1/x",
					   "https://[::1]/x",      "https://[::ffff:7f00:1]/x",
					   "https://10.1.2.3/x",   "https://[fe80::1]/" };
	struct hook_nets nets = { .count = 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(hook_url_check(bad[i], &none, &e), e, ERR_DENIED,
			       "webhooks go to public addresses");
	assert_ok(hook_url_check("https://hooks.example.org/x", &none, &e), e);
	assert_ok(hook_url_check("https://notlocalhost/x", &none, &e), e);
	assert_ok(hook_url_check("https://1.1.1.1/x", &none, &e), e);
	assert_ok(hook_url_check("https://[2606:4700::1]/x", &none, &e), e);
	assert_refused(hook_url_check("http://hooks.example.org/x", &none, &e), e, ERR_INVALID,
		       "http:// is not encrypted");
	assert_refused(hook_url_check("http://localhost/x", &none, &e), e, ERR_INVALID,
		       "http:// is not encrypted");
	assert_refused(hook_url_check("nothing", &none, &e), e, ERR_INVALID, "https://");
	assert_ok(hook_nets_parse("127.0.0.0/8", &nets, &e), e);
	assert_ok(hook_url_check("https://localhost/x", &nets, &e), e);
	assert_refused(hook_url_check("http://localhost/x", &nets, &e), e, ERR_INVALID,
		       "http:// is not encrypted");
	nets.plain = true;
	assert_ok(hook_url_check("http://localhost/x", &nets, &e), e);
	assert_refused(hook_url_check("http://1.1.1.1/x", &nets, &e), e, ERR_DENIED,
		       "use https://");
}

/* ---- events, secrets ---- */

static void events_have_names(void **state)
{
	char *some[] = { (char *)(uintptr_t)"cvm.lost", (char *)(uintptr_t)"computation.created",
			 (char *)(uintptr_t)"cvm.lost" };
	char *names[HOOK_EVENTS];
	enum hook_event event;
	unsigned events;
	struct err e;

	for (unsigned i = 0; i < HOOK_EVENTS; i++) {
		assert_non_null(hook_event_name(i));
		assert_ok(hook_event_find(hook_event_name(i), &event, &e), e);
		assert_int_equal((unsigned)event, i);
	}
	assert_null(hook_event_name(HOOK_EVENTS));
	assert_refused(hook_event_find("computation", &event, &e), e, ERR_INVALID,
		       "computation.created, computation.waiting");
	assert_refused(hook_event_find("", &event, &e), e, ERR_INVALID, "usage.limit");
	assert_ok(hook_events_read(NULL, 0, &events, &e), e);
	assert_int_equal(events, HOOK_EVENTS_ALL);
	assert_int_equal(hook_event_names(events, names), HOOK_EVENTS);
	assert_ok(hook_events_read(some, 2, &events, &e), e);
	assert_int_equal(events,
			 HOOK_EVENT_BIT(HOOK_CVM_LOST) | HOOK_EVENT_BIT(HOOK_COMPUTATION_CREATED));
	assert_int_equal(hook_event_names(events, names), 2);
	assert_string_equal(names[0], "computation.created");
	assert_refused(hook_events_read(some, 3, &events, &e), e, ERR_INVALID, "is there twice");
}

/* The example of the reference implementations; its secret has 24 bytes, and zeros behind them change no HMAC. */
static void signatures_are_those_of_the_text(void **state)
{
	static const uint8_t secret[HOOK_SECRET_LEN] = {
		0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4,
		0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0,
	};
	static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek", body[] = "{\"test\": 2432232314}";
	char text[HOOK_SIGNATURE_MAX], whole[HOOK_SECRET_TEXT_MAX];
	uint8_t ones[HOOK_SECRET_LEN];
	struct err e;

	assert_ok(hook_sign(secret, NULL, id, 1614265330, body, text, &e), e);
	assert_string_equal(text, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	assert_ok(hook_sign(secret, secret, id, 1614265330, body, text, &e), e);
	assert_string_equal(text, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
				  " v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	memset(ones, 0xff, sizeof(ones));
	assert_ok(hook_secret_text(ones, whole, &e), e);
	assert_string_equal(whole, "whsec_//////////////////////////////////////////8=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_one_form_are_read),
		cmocka_unit_test(other_forms_are_refused_by_what_is_wrong),
		cmocka_unit_test(lengths_end_at_their_limits),
		cmocka_unit_test(public_addresses_alone_are_gone_to),
		cmocka_unit_test(an_operator_lists_others),
		cmocka_unit_test(an_operator_refuses_others),
		cmocka_unit_test(an_address_that_was_looked_up_is_not_told),
		cmocka_unit_test(networks_that_are_none_are_refused),
		cmocka_unit_test(this_machine_is_known_by_its_names),
		cmocka_unit_test(events_have_names),
		cmocka_unit_test(signatures_are_those_of_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
