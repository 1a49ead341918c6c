/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_posts.c — the corpora of what servers answer that webhooks and mail are sent to. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_hook.h"
#include "tests/fuzz/orders_mail.h"

#include <stdio.h>
#include <string.h>

static void two(struct writer *w, unsigned order, unsigned operand)
{
	writer_u8(w, (uint8_t)order);
	writer_u8(w, (uint8_t)operand);
}

/* A piece of an answer, so many times. */
static void piece(struct writer *w, unsigned times, const char *text)
{
	writer_u8(w, (uint8_t)(times - 1));
	writer_u8(w, (uint8_t)strlen(text));
	writer_text(w, text);
}

static void answer(struct writer *w, const char *text)
{
	writer_u8(w, 1);
	piece(w, 1, text);
}

static struct writer begin(void)
{
	return writer_up_to(CALLS_INPUT_MAX);
}

#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define GONE "HTTP/1.1 410 Gone\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\n\r\nlater"

/* ---- one try ---- */

static const char *const answers[] = {
	OK,
	GONE,
	BUSY,
	"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/other\r\n\r\n",
	"HTTP/1.0 204\r\nSet-Cookie: a=b; Path=/\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n",
	"HTTP/1.1 417 No\r\n\r\n",
	"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
	"HTTP/1.1 999 What\r\n\r\n",
	"HTTP/1.1 099 What\r\n\r\n",
	"HTTP/1.1 20 \xff\r\n\r\n",
	"HTTP/2 200\r\n\r\n",
	"HTTP/9.9 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nX: \x01\x02\xff\r\n folded\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
	"HTTP/1.1 200 OK",
	"<html>old words</html>",
	"SSH-2.0-OpenSSH\r\n",
	"\x16\x03\x03\x20\x04",
	"",
	"HTTP/22 200\r\n\r\n",
	"HTTP/b\rJ\n\r\n",
};
static const char *const tls[] = { OK, "\x15\x03\x03\x20\x02\x02\x28", "\x16\x03\x01\x20\x05\x02",
				   "" };

static void save_answers(void)
{
	struct writer w;
	char name[32];

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		w = begin();
		two(&w, HOOK_ORDER_POST, HOOK_AT_PLAIN);
		answer(&w, answers[i]);
		snprintf(name, sizeof(name), "answer-%02zu", i);
		calls_save_to("hook_post", name, &w);
	}
	w = begin();
	for (size_t i = 0; i < sizeof(tls) / sizeof(*tls); i++) {
		two(&w, HOOK_ORDER_POST, i % 2 ? HOOK_AT_TLS : HOOK_AT_PUBLIC);
		answer(&w, tls[i]);
	}
	calls_save_to("hook_post", "tls", &w);
	w = begin();
	for (unsigned at = 0; at < HOOK_ATS; at++) {
		two(&w, HOOK_ORDER_POST, at | 128);
		answer(&w, OK);
	}
	two(&w, HOOK_ORDER_STOP, 1);
	two(&w, HOOK_ORDER_POST, HOOK_AT_PLAIN);
	answer(&w, OK);
	calls_save_to("hook_post", "places", &w);
}

/* More than is read of it. */
static void save_long(void)
{
	static const char line[] =
		"X-Long: 0123456789012345678901234567890123456789012345678901\r\n";
	struct writer w = begin();

	two(&w, HOOK_ORDER_POST, HOOK_AT_PLAIN);
	writer_u8(&w, 2);
	piece(&w, 1, "HTTP/1.1 200 OK\r\n");
	piece(&w, 256, line);
	two(&w, HOOK_ORDER_POST, HOOK_AT_PLAIN);
	writer_u8(&w, 3);
	piece(&w, 1, "HTTP/1.1 200 OK\r\n");
	piece(&w, 256, line);
	piece(&w, 256, line);
	calls_save_to("hook_post", "long-headers", &w);
	for (unsigned status = 2; status < 5; status++) {
		char head[] = "HTTP/1.1 200 OK\r\n\r\n";

		head[9] = (char)('0' + status);
		w = begin();
		two(&w, HOOK_ORDER_POST, HOOK_AT_PLAIN);
		writer_u8(&w, 3);
		piece(&w, 1, head);
		piece(&w, 256, line);
		piece(&w, 256, line);
		calls_save_to("hook_post",
			      status == 2   ? "long-taken"
			      : status == 3 ? "long-moved"
					    : "long-refused",
			      &w);
	}
	w = begin();
	two(&w, HOOK_ORDER_POST, HOOK_AT_PLAIN);
	writer_u8(&w, 31);
	for (int i = 0; i < 30; i++)
		piece(&w, 1, "HTTP/1.1 100 Continue\r\n\r\n");
	piece(&w, 1, OK);
	calls_save_to("hook_post", "continues", &w);
}

/* ---- the queue ---- */

static void add_and_deliver(struct writer *w, enum hook_at at)
{
	two(w, HOOK_ORDER_ADD, at);
	two(w, HOOK_ORDER_DELIVER, 0);
}

static void save_queue(void)
{
	struct writer w = begin();

	add_and_deliver(&w, HOOK_AT_PLAIN);
	two(&w, HOOK_ORDER_DELIVER, 1);
	two(&w, HOOK_ORDER_TRY, 0);
	answer(&w, OK);
	two(&w, HOOK_ORDER_TRY, 0);
	answer(&w, BUSY);
	two(&w, HOOK_ORDER_TRY, 0);
	two(&w, HOOK_ORDER_ROTATE, 0);
	two(&w, HOOK_ORDER_TIME, 1);
	two(&w, HOOK_ORDER_TRY, 0);
	answer(&w, OK);
	two(&w, HOOK_ORDER_AGAIN, 0);
	writer_u8(&w, 1);
	two(&w, HOOK_ORDER_TRY, 0);
	answer(&w, GONE);
	two(&w, HOOK_ORDER_DELIVER, 1);
	two(&w, HOOK_ORDER_ENABLE, 0);
	two(&w, HOOK_ORDER_DELIVER, 1);
	two(&w, HOOK_ORDER_TRY, HOOK_TRY_DELETED);
	answer(&w, BUSY);
	calls_save_to("hook_post", "queue", &w);

	w = begin();
	add_and_deliver(&w, HOOK_AT_PLAIN);
	for (int i = 0; i < 9; i++) {
		two(&w, HOOK_ORDER_TRY, 0);
		answer(&w, i % 2 ? BUSY : "");
		two(&w, HOOK_ORDER_TIME, 80);
	}
	two(&w, HOOK_ORDER_BACK, 255);
	two(&w, HOOK_ORDER_DELIVER, 1);
	calls_save_to("hook_post", "given-up", &w);
}

static void save_several(void)
{
	struct writer w = begin();

	for (int i = 0; i < 4; i++)
		two(&w, HOOK_ORDER_ADD, HOOK_AT_PLAIN);
	two(&w, HOOK_ORDER_DELIVER, 2);
	two(&w, HOOK_ORDER_TRY, HOOK_TRY_BUSY);
	answer(&w, OK);
	two(&w, HOOK_ORDER_TRY, HOOK_TRY_MANY_BUSY);
	two(&w, HOOK_ORDER_TRY, 0);
	answer(&w, OK);
	answer(&w, BUSY);
	two(&w, HOOK_ORDER_DISABLE, 3);
	two(&w, HOOK_ORDER_TRY, 0);
	answer(&w, OK);
	calls_save_to("hook_post", "several", &w);

	w = begin();
	add_and_deliver(&w, HOOK_AT_PLAIN);
	two(&w, HOOK_ORDER_ROTATE, 0);
	two(&w, HOOK_ORDER_LOSE, HOOK_LOSE_BEFORE);
	two(&w, HOOK_ORDER_TRY, 0);
	answer(&w, OK);
	add_and_deliver(&w, HOOK_AT_PLAIN);
	two(&w, HOOK_ORDER_LOSE, 0);
	two(&w, HOOK_ORDER_LOSE, 1);
	two(&w, HOOK_ORDER_TRY, 0);
	calls_save_to("hook_post", "secrets-lost", &w);
}

/* At each statement of one try. */
static void save_failures(void)
{
	char name[32];

	for (unsigned at = 1; at <= 24; at++) {
		struct writer w = begin();

		add_and_deliver(&w, HOOK_AT_PLAIN);
		two(&w, HOOK_ORDER_ROTATE, 0);
		if (at % 2)
			two(&w, HOOK_ORDER_LOSE, 0);
		two(&w, HOOK_ORDER_FAILS, at);
		two(&w, HOOK_ORDER_TRY, 0);
		answer(&w, at % 3 ? OK : GONE);
		two(&w, HOOK_ORDER_FAILS, 0);
		two(&w, HOOK_ORDER_TRY, 0);
		answer(&w, OK);
		snprintf(name, sizeof(name), "fails-%02u", at);
		calls_save_to("hook_post", name, &w);
	}
}

void calls_hook_post(void)
{
	save_answers();
	save_long();
	save_queue();
	save_several();
	save_failures();
}

/* ---- mail ---- */

static struct writer set(unsigned url, unsigned from, unsigned user, unsigned ca, const char *typed)
{
	struct writer w = begin();

	writer_u8(&w, (uint8_t)url);
	writer_u8(&w, (uint8_t)from);
	writer_u8(&w, (uint8_t)user);
	writer_u8(&w, (uint8_t)ca);
	writer_be16(&w, (uint16_t)strlen(typed));
	writer_text(&w, typed);
	return w;
}

/* A mail, and what is answered: lines, each alone, up to NULL. */
static void mail(struct writer *w, unsigned goes, const char *const *lines)
{
	unsigned count = 0;

	while (lines[count])
		count++;
	writer_u8(w, (uint8_t)goes);
	writer_u8(w, (uint8_t)count);
	for (unsigned i = 0; i < count; i++) {
		writer_u8(w, (uint8_t)strlen(lines[i]));
		writer_text(w, lines[i]);
	}
}

#define HELLO "220 mail.example ESMTP\r\n"
#define EHLO  "250-mail.example\r\n250-SIZE 10000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"
#define FINE  "250 fine\r\n"
#define DATA  "354 go on\r\n"
#define BYE   "221 bye\r\n"

enum { TALKS = 26, TALK_MAX = 9 };

static const char *const talks[TALKS][TALK_MAX] = {
	{ HELLO, EHLO, FINE, FINE, DATA, FINE, BYE },
	{ HELLO, EHLO, "235 welcome\r\n", FINE, FINE, DATA, FINE, BYE },
	{ HELLO, EHLO, "334 \r\n", "235 welcome\r\n", FINE, FINE, DATA, FINE },
	{ HELLO EHLO FINE FINE DATA FINE BYE },
	{ HELLO, "502 what\r\n", "250 fine\r\n", FINE, FINE, DATA, FINE },
	{ HELLO, EHLO, "550 not you\r\n" },
	{ HELLO, EHLO, "530 5.7.0 who are you\r\n" },
	{ HELLO, EHLO, "535 wrong\r\n" },
	{ HELLO, EHLO, FINE, "550 nobody\r\n" },
	{ HELLO, EHLO, FINE, "450 later\r\n" },
	{ HELLO, EHLO, FINE, "551-no\r\n551 berta@example.com is elsewhere\r\n" },
	{ HELLO, EHLO, FINE, FINE, "554 no\r\n" },
	{ HELLO, EHLO, FINE, FINE, DATA, "552 too long\r\n" },
	{ HELLO, EHLO, FINE, FINE, DATA, "451 oh\r\n" },
	{ HELLO, EHLO, FINE, FINE, DATA },
	{ HELLO, EHLO, FINE, FINE, FINE },
	{ "554 no\r\n" },
	{ "421 busy\r\n" },
	{ "220-go on\r\n", "220 \xff\x01\r\n", "999 \xff\r\n" },
	{ "000 nothing\r\n", "220 late\r\n" },
	{ "220" },
	{ "HTTP/1.1 400 Bad Request\r\n\r\n" },
	{ HELLO, "250-mail.example\r\n250 STARTTLS\r\n", "220 go\r\n", "\x16\x03\x03\x20\x04" },
	{ HELLO, "250-mail.example\r\n250 STARTTLS\r\n", "454 not now\r\n" },
	{ HELLO, "250-mail.example\r\n250 STARTTLS\r\n220 go\r\n" EHLO FINE FINE DATA FINE },
	{ NULL },
};

static void save_talks(void)
{
	static const unsigned urls[] = { MAIL_URL_LOOPBACK, MAIL_URL_STARTTLS, MAIL_URL_SMTPS };
	static const char *const names[] = { "plain", "starttls", "smtps" };
	char name[32];

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		for (size_t j = 0; j < TALKS; j++) {
			struct writer w = set(urls[i], MAIL_FROM_GOOD,
					      j % 2 ? MAIL_USER_GOOD : MAIL_USER_NONE,
					      i ? MAIL_CA_GOOD : MAIL_CA_NONE, "");

			mail(&w, MAIL_GOES_ON, talks[j]);
			mail(&w, MAIL_GOES_ON, talks[0]);
			snprintf(name, sizeof(name), "%s-%02zu", names[i], j);
			calls_save_to("mail_post", name, &w);
		}
}

static void save_settings(void)
{
	char name[32];

	for (unsigned from = 0; from < MAIL_FROMS; from++)
		for (unsigned user = 0; user < MAIL_USERS; user++) {
			struct writer w = set(user % 3 ? MAIL_URL_LOOPBACK : MAIL_URL_LOOPBACK_V6,
					      from, user, 0, "letmein\n");

			mail(&w, MAIL_GOES_ON, talks[1]);
			mail(&w, MAIL_GOES_STOPPED, talks[1]);
			snprintf(name, sizeof(name), "set-%u-%u", from, user);
			calls_save_to("mail_post", name, &w);
		}
	for (unsigned ca = 0; ca < MAIL_CAS; ca++) {
		struct writer w = set(MAIL_URL_LOOPBACK, 0, 0, ca, "");

		mail(&w, MAIL_GOES_ON, talks[0]);
		snprintf(name, sizeof(name), "ca-%u", ca);
		calls_save_to("mail_post", name, &w);
	}
}

static void save_typed(void)
{
	static const char *const typed[] = { "smtp://mail.example.org:25",
					     "smtps://mail.example.org:",
					     "smtp://mail.example.org:0",
					     "smtp://mail.example.org:65536",
					     "smtp://anna:secret@example.org",
					     "smtp://[::1]:25",
					     "smtp://[::1",
					     "smtp://[x]",
					     "smtp://-x",
					     "smtp://",
					     "http://example.org",
					     "smtp://a b",
					     "tr0ub4dor-and-3",
					     "two\nlines",
					     "\n",
					     "" };
	char name[32], many[300];
	struct writer w;

	for (size_t i = 0; i < sizeof(typed) / sizeof(*typed); i++) {
		w = set(MAIL_URL_TYPED, 0, MAIL_USER_TYPED, 0, typed[i]);

		snprintf(name, sizeof(name), "typed-%02zu", i);
		calls_save_to("mail_post", name, &w);
		w = set(MAIL_URL_NONE, i % 2, (unsigned)i % MAIL_USERS, (unsigned)i % MAIL_CAS,
			typed[i]);
		snprintf(name, sizeof(name), "none-%02zu", i);
		calls_save_to("mail_post", name, &w);
		w = set(MAIL_URL_LOOPBACK, 0, MAIL_USER_TYPED, 0, typed[i]);
		mail(&w, MAIL_GOES_ON, talks[1]);
		snprintf(name, sizeof(name), "password-%02zu", i);
		calls_save_to("mail_post", name, &w);
	}
	memset(many, 'p', sizeof(many) - 1);
	many[sizeof(many) - 1] = 0;
	w = set(MAIL_URL_LOOPBACK, 0, MAIL_USER_TYPED, 0, many);

	calls_save_to("mail_post", "password-long", &w);
	w = set(MAIL_URL_LONG, 0, 0, 0, "");
	calls_save_to("mail_post", "url-long", &w);
	w = set(MAIL_URL_NONE, MAIL_FROM_NONE, MAIL_USER_NONE, MAIL_CA_NONE, "");
	calls_save_to("mail_post", "nothing", &w);
}

/* More than a server may say: pieces of 255 bytes are said often. */
static void save_much(void)
{
	struct writer w = set(MAIL_URL_LOOPBACK, 0, 0, 0, "");
	char line[256];

	memset(line, 'x', sizeof(line));
	memcpy(line, "220-", 4);
	memcpy(line + 253, "\r\n", 3);
	writer_u8(&w, MAIL_GOES_ON);
	writer_u8(&w, 3);
	for (int i = 0; i < 2; i++) {
		writer_u8(&w, UINT8_MAX);
		writer_text(&w, line);
	}
	writer_u8(&w, (uint8_t)strlen(HELLO));
	writer_text(&w, HELLO);
	calls_save_to("mail_post", "much", &w);
}

void calls_mail_post(void)
{
	save_talks();
	save_settings();
	save_typed();
	save_much();
}
