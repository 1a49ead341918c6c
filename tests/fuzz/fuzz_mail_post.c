/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mail server answers, in any bytes and pieces, as an operator has set it. Input: as orders_mail.h has it.
 *
 * Before TLS nobody but this machine hears of user, password and mail; one try is one connection; what counts as taken was said
 * whole; what went wrong is told in words that can be shown, in which nothing of the mail is.
 */
#include "common/base/hostname.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "computations/mail/mail_post.h"
#include "tests/fuzz/orders_mail.h"
#include "tests/fuzz/post_peer.h"
#include "tests/self_signed.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { MAILS_MAX = 8, PIECES_MAX = 32, TYPED_MAX = 600, LONG = 5000 };

#define ADDRESS  "berta@example.com"
#define PASSWORD "tr0ub4dor-and-3"

static char long_text[LONG + 1], text[MAIL_TEXT_MAX + 1];
static char ca_path[] = "/tmp/cocos-fuzz-ca-XXXXXX", password_path[] = "/tmp/cocos-fuzz-pw-XXXXXX";

/* ---- what is set ---- */

static void write_file(const char *path, const char *content, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert(file && (!len || fwrite(content, len, 1, file) == 1) && fclose(file) == 0);
	assert(chmod(path, mode) == 0);
}

static void set_user(struct mail_settings *s, unsigned user, const char *typed, size_t typed_len)
{
	const bool is_typed = user == MAIL_USER_TYPED;

	if (user != MAIL_USER_NONE && user != MAIL_USER_FILE_ALONE)
		s->user = user == MAIL_USER_BAD ? "an na" : "anna";
	if (user != MAIL_USER_NONE && user != MAIL_USER_ALONE)
		s->password_file = user == MAIL_USER_NO_FILE ? "/nowhere/password" : password_path;
	if (s->password_file == password_path)
		write_file(password_path, is_typed ? typed : PASSWORD "\n",
			   is_typed ? typed_len : sizeof(PASSWORD),
			   user == MAIL_USER_OPEN_FILE ? 0644 : 0600);
}

static void check_server(const struct mail_settings *s, const struct mail_server *server)
{
	assert(server->port >= 1 && server->port <= UINT16_MAX && *server->host);
	assert(!server->is_plain ||
	       (!server->is_smtps && !s->ca && hostname_is_loopback(server->host)));
	assert(!s->user == !*server->user && !s->user == !*server->password);
	assert(!strchr(server->password, '\n') && strcmp(server->from, s->from) == 0);
}

/* False: there is none, or that can't be. */
static bool read_server(struct reader *r, struct mail_server *server)
{
	static const char *const urls[MAIL_URLS] = { "smtp://127.0.0.1:2525", "smtp://[::1]",
						     "smtp://public.example",
						     "smtps://public.example" };
	static const char *const froms[MAIL_FROMS] = { "cocos@example.org", NULL, "cocos" };
	const char *const cas[MAIL_CAS] = { NULL, ca_path, "/nowhere/ca", long_text };
	const unsigned url = reader_u8(r) % MAIL_URLS, from = reader_u8(r) % MAIL_FROMS,
		       user = reader_u8(r) % MAIL_USERS, ca = reader_u8(r) % MAIL_CAS;
	struct mail_settings s = { .url = urls[url], .from = froms[from], .ca = cas[ca] };
	size_t len = reader_be16(r);
	char typed[TYPED_MAX + 1] = "";
	bool is_set = false;
	struct err e;

	len = len < reader_left(r) ? len : reader_left(r);
	len = len < TYPED_MAX ? len : TYPED_MAX;
	if (len)
		memcpy(typed, reader_take(r, len), len);
	if (url == MAIL_URL_TYPED || url == MAIL_URL_LONG)
		s.url = url == MAIL_URL_LONG ? long_text : typed;
	set_user(&s, user, typed, len);
	if (mail_server_read(&s, server, &is_set, &e) < 0) {
		assert(e.text[0] && (url == MAIL_URL_TYPED || !strstr(e.text, PASSWORD)));
		return false;
	}
	assert(is_set == !!s.url);
	if (is_set)
		check_server(&s, server);
	/* No name is asked for. */
	return is_set && url != MAIL_URL_TYPED;
}

/* ---- one mail ---- */

struct answer {
	uint8_t bytes[1 << 13];
	size_t len;
};

static void read_answer(struct reader *r, struct answer *a)
{
	const unsigned pieces = reader_u8(r) % PIECES_MAX;

	a->len = 0;
	for (unsigned i = 0; i < pieces; i++) {
		size_t len = reader_u8(r);
		const uint8_t *bytes;

		len = len < reader_left(r) ? len : reader_left(r);
		bytes = reader_take(r, len);
		post_peer_say(bytes, len, len == UINT8_MAX ? 64 : 1);
		if (len)
			memcpy(a->bytes + a->len, bytes, len);
		a->len += len;
	}
	post_peer_end();
}

static void check_outcome(const struct mail_outcome *o, const struct answer *a,
			  const uint8_t *heard, size_t len)
{
	assert(o->number == 1 && o->invitation == 2);
	assert(o->is_taken == !o->problem[0] && !(o->is_taken && o->is_final));
	assert(strlen(o->problem) <= MAIL_PROBLEM_MAX);
	for (const char *c = o->problem; *c; c++)
		assert(*c >= ' ' && *c <= '~');
	assert(!strstr(o->problem, ADDRESS) && !strstr(o->problem, PASSWORD));
	assert(!o->is_final || (a->len && memchr(a->bytes, '5', a->len)));
	assert(!o->is_taken || memmem(heard, len, text, strlen(text)));
}

/* Nobody has a certificate that is trusted, so TLS never comes to be. */
static void check_secret(const uint8_t *heard, size_t len)
{
	static const char *const words[] = { PASSWORD, "MAIL FROM", "RCPT",
					     "AUTH",   ADDRESS,     "DATA\r\n" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert(!memmem(heard, len, words[i], strlen(words[i])));
}

static void try_one(struct mail_post *post, const struct mail_server *server, struct reader *r)
{
	static struct answer answer;
	struct mail_try t = { .number = 1, .invitation = 2, .address = ADDRESS };
	const uint8_t *heard;
	struct mail_outcome o;
	unsigned connections;
	size_t len;

	memcpy(t.text, text, sizeof(text));
	memset(&o, 0xff, sizeof(o));
	post_peer_begin(!server->is_plain);
	read_answer(r, &answer);
	mail_post_try(post, &t, &o);
	heard = post_peer_heard(&len, &connections);
	assert(connections <= 1);
	check_outcome(&o, &answer, heard, len);
	if (!server->is_plain) {
		assert(!o.is_taken);
		check_secret(heard, len);
	}
}

static void set_up(void)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	CLEANUP(free) char *pem = NULL;
	const struct mail_words words = { .from = "cocos@example.org",
					  .to = ADDRESS,
					  .workspace = "lab",
					  .inviter = "anna",
					  .role = "member",
					  .link = "https://example.org/join",
					  .id = "0123456789abcdef",
					  .ends = 1000 };
	int ca = mkstemp(ca_path), password = mkstemp(password_path);
	struct err e;

	log_set(LOG_LEVEL_ERROR);
	signal(SIGPIPE, SIG_IGN);
	memset(long_text, 'l', sizeof(long_text) - 1);
	assert(mail_message_make(&words, text, &e) == 0);
	assert(key_generate(KEY_ECDSA, &key, &e) == 0);
	cert = self_signed(key, "nobody", NULL, 0);
	pem = self_signed_pem(cert);
	assert(ca >= 0 && password >= 0 && pem);
	write_file(ca_path, pem, strlen(pem), 0600);
	close(ca);
	close(password);
	post_peer_ca = ca_path;
}

static void clean_up(void)
{
	unlink(ca_path);
	unlink(password_path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(mail_post_free) struct mail_post *post = NULL;
	struct reader r = reader_over(bytes, len);
	struct mail_server server = { .port = 0 };
	atomic_bool stopped = false;
	struct err e;

	if (!*text) {
		set_up();
		atexit(clean_up);
	}
	if (!read_server(&r, &server))
		return 0;
	if (mail_post_new(&server, &stopped, &post, &e) < 0) {
		assert(e.code == ERR_INVALID && strstr(e.text, "COMPUTATIONS_SMTP_CA"));
		return 0;
	}
	for (int i = 0; i < MAILS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		atomic_store(&stopped, reader_u8(&r) % MAIL_GOES == MAIL_GOES_STOPPED);
		try_one(post, &server, &r);
	}
	return 0;
}
