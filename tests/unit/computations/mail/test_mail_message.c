/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a mail, and what can't be: addresses, names, links, servers. */
#include "computations/mail/mail_address.h"
#include "computations/mail/mail_message.h"
#include "computations/mail/mail_server.h"
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

static void addresses_of_people_are_taken(void **state)
{
	static const struct {
		const char *text, *box;
	} rows[] = {
		{ "anna@example.org", "anna@example.org" },
		{ "Anna.Ng+lab.x+2@Example.ORG", "annang@example.org" },
		{ "o'neill_x=1~&#@a-b.c1.de", "o'neill_x=1~&#@a-b.c1.de" },
		{ "+x@example.org", "+x@example.org" },
		{ "1@2.x3", "1@2.x3" },
	};
	char box[MAIL_ADDRESS_MAX + 1];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(mail_address_check(rows[i].text, &e), e);
		mail_address_box(rows[i].text, box);
		assert_string_equal(box, rows[i].box);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"@",
		"anna",
		"anna@",
		"@a.b",
		"anna@host",
		"anna@1.2",
		"a@b.1c",
		"a@[1.2.3.4]",
		"a b@c.de",
		"a@c.de ",
		" a@c.de",
		"a@c.de\n",
		"a@c.de\r\nBcc: x@y.zz",
		"a@b@c.de",
		"a,b@c.de",
		"a@c.de,x@c.de",
		"a@c.de>",
		"<a@c.de>",
		"\"a\"@c.de",
		"a(x)@c.de",
		"a@.de",
		"a@c..de",
		"a@c.de.",
		"a@-c.de",
		"a@c-.de",
		".a@c.de",
		"a.@c.de",
		"a..b@c.de",
		"-a@c.de",
		"a%b@c.de",
		"a!b@c.de",
		"\xc3\xa4@c.de",
		"a@\xc3\xa4.de",
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(mail_address_check(rows[i], &e), e, ERR_INVALID,
			       "no address that mail goes to");
}

static void addresses_have_limits(void **state)
{
	char text[400], label[70];
	struct err e;

	memset(label, 'x', sizeof(label));
	snprintf(text, sizeof(text), "%.64s@c.de", label);
	assert_ok(mail_address_check(text, &e), e);
	snprintf(text, sizeof(text), "%.65s@c.de", label);
	assert_refused(mail_address_check(text, &e), e, ERR_INVALID, "before the @");
	snprintf(text, sizeof(text), "a@%.63s.de", label);
	assert_ok(mail_address_check(text, &e), e);
	snprintf(text, sizeof(text), "a@%.64s.de", label);
	assert_refused(mail_address_check(text, &e), e, ERR_INVALID, "behind the @");
	snprintf(text, sizeof(text), "%.64s@%.63s.%.63s.%.58s.de", label, label, label, label);
	assert_int_equal(strlen(text), MAIL_ADDRESS_MAX);
	assert_ok(mail_address_check(text, &e), e);
	snprintf(text, sizeof(text), "%.64s@%.63s.%.63s.%.59s.de", label, label, label, label);
	assert_refused(mail_address_check(text, &e), e, ERR_INVALID, "at most 254");
}

#define LINK "https://cocos.example.org:9466/invite/0123456789abcdef"
static const struct mail_words good = { .from = "cocos@example.org",
					.to = "anna@example.com",
					.workspace = "lab",
					.inviter = "head",
					.role = "member",
					.link = LINK,
					.id = "0a",
					.now = INT64_C(1700000000123),
					.ends = INT64_C(1700604800000) };

static void a_message_has_its_lines(void **state)
{
	static const char wanted[] =
		"From: cocos@example.org\r\nTo: anna@example.com\r\n"
		"Subject: Invitation to workspace lab\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		"Message-ID: <0a@example.org>\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
		"Auto-Submitted: auto-generated\r\n\r\nYou are invited";
	char text[MAIL_TEXT_MAX + 1];
	struct mail_words of = good;
	struct err e;

	assert_ok(mail_message_make(&of, text, &e), e);
	assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
	assert_non_null(strstr(text, "as member, by head.\r\n"));
	assert_non_null(strstr(text, "\r\n" LINK "\r\n"));
	assert_non_null(strstr(text, "until Tue, 21 Nov 2023 22:13:20 +0000."));
	of.inviter = "";
	assert_ok(mail_message_make(&of, text, &e), e);
	assert_non_null(strstr(text, "by the service's operator.\r\n"));
}

static void nothing_adds_a_line(void **state)
{
	static const char *const bad[] = { "x\r\nBcc: y@z.de", "x\n", "x\r", "a b",
					   "\xc3\xa4",         "x\t" };
	char text[MAIL_TEXT_MAX + 1], longest[MAIL_LINK_MAX + 2];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct mail_words rows[] = { good, good, good, good, good, good, good };

		rows[0].from = rows[1].to = rows[2].workspace = rows[3].inviter = rows[4].role =
			rows[5].link = rows[6].id = bad[i];
		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			assert_refused(mail_message_make(&rows[k], text, &e), e, ERR_INVALID, "");
	}
	for (size_t len = MAIL_LINK_MAX; len <= MAIL_LINK_MAX + 1; len++) {
		struct mail_words of = good;

		memset(longest, 'x', len);
		longest[len] = 0;
		of.link = longest;
		if (len == MAIL_LINK_MAX)
			assert_ok(mail_message_make(&of, text, &e), e);
		else
			assert_refused(mail_message_make(&of, text, &e), e, ERR_INVALID, "a link");
	}
	for (size_t i = 0; i < 2; i++) {
		struct mail_words of = good;

		of.now = i ? INT64_MAX : -1;
		assert_refused(mail_message_make(&of, text, &e), e, ERR_INVALID, "a moment");
	}
}

static void servers_are_read(void **state)
{
	static const struct {
		const char *url, *host;
		unsigned port;
		bool is_smtps;
	} rows[] = {
		{ "smtp://mail.example.org", "mail.example.org", 587, false },
		{ "smtps://mail.example.org", "mail.example.org", 465, true },
		{ "smtp://localhost:25", "localhost", 25, false },
		{ "smtps://192.0.2.1:65535", "192.0.2.1", 65535, true },
		{ "smtp://[2001:db8::1]", "2001:db8::1", 587, false },
		{ "smtp://[::1]:1", "::1", 1, false },
	};
	static const char *const bad[] = {
		"",
		"mail.example.org",
		"smtp:/x",
		"smtp://",
		"http://x",
		"SMTP://x",
		"smtp://x/",
		"smtp://x/y",
		"smtp://x?y",
		"smtp://u@x",
		"smtp://u:p@x",
		"smtp://x:",
		"smtp://x:0",
		"smtp://x:025",
		"smtp://x:65536",
		"smtp://x:123456",
		"smtp://x:2 5",
		"smtp://:25",
		"smtp://-x",
		"smtp://.x",
		"smtp://x y",
		"smtp://[x]",
		"smtp://[::1",
		"smtp://[::1]x",
		"smtp://[127.0.0.1]",
		"smtp://[]",
		"smtp://x\n",
	};
	char text[MAIL_URL_MAX + 2];
	struct mail_server s;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(mail_url_parse(rows[i].url, &s, &e), e);
		assert_string_equal(s.host, rows[i].host);
		assert_int_equal(s.port, rows[i].port);
		assert_int_equal(s.is_smtps, rows[i].is_smtps);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(mail_url_parse(bad[i], &s, &e), e, ERR_INVALID,
			       "is not smtp:// or smtps://");
	for (size_t len = MAIL_HOST_MAX; len <= MAIL_HOST_MAX + 1; len++) {
		snprintf(text, sizeof(text), "smtp://%0*d", (int)len, 0);
		assert_int_equal(mail_url_parse(text, &s, &e) == 0, len == MAIL_HOST_MAX);
	}
}

/* What is wrong with the setting is a line of the log. */
static void a_password_in_a_url_is_in_no_text(void **state)
{
	static const char *const bad[] = { "smtp://user:s3cret@mail.example.org:587",
					   "smtps://s3cret@mail.example.org",
					   "user:s3cret@mail.example.org",
					   "http://user:s3cret@mail.example.org" };
	struct mail_server s = { .port = 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_refused(mail_url_parse(bad[i], &s, &e), e, ERR_INVALID,
			       "COMPUTATIONS_SMTP_PASSWORD_FILE");
		assert_null(strstr(e.text, "s3cret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_people_are_taken),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(addresses_have_limits),
		cmocka_unit_test(a_message_has_its_lines),
		cmocka_unit_test(nothing_adds_a_line),
		cmocka_unit_test(servers_are_read),
		cmocka_unit_test(a_password_in_a_url_is_in_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
