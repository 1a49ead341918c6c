/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/mail/mail_server.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/hostname.h"
#include "common/base/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <openssl/crypto.h>

enum { PORT_SUBMISSION = 587, PORT_SMTPS = 465, PORT_DIGITS = 5 };

static int refuse(const char *url, struct err *e)
{
	if (strchr(url, '@')) /* not quoted: a password may be in it */
		return err_set(e, ERR_INVALID,
			       "what is set is not smtp:// or smtps://, then a host, perhaps a "
			       "port, and nothing else: user and password are "
			       "COMPUTATIONS_SMTP_USER and COMPUTATIONS_SMTP_PASSWORD_FILE");
	return err_set(e, ERR_INVALID,
		       "%s is not smtp:// or smtps://, then a host, perhaps a port, and nothing "
		       "else, such as smtp://mail.example.org:587",
		       log_quote(url).text);
}

/* A name, an address, or an IPv6 address between brackets; how long it is in the URL. 0: none. */
static size_t take_host(const char *text, char host[MAIL_HOST_MAX + 1])
{
	const bool is_v6 = *text == '[';
	const size_t len = is_v6 ? strcspn(text + 1, "]") : strcspn(text, ":");
	struct in6_addr ignored;

	if (!len || len > MAIL_HOST_MAX)
		return 0;
	memcpy(host, text + is_v6, len);
	host[len] = 0;
	if (is_v6)
		return text[1 + len] == ']' && inet_pton(AF_INET6, host, &ignored) == 1 ? len + 2
											: 0;
	if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") !=
		    len ||
	    host[0] == '-' || host[0] == '.')
		return 0;
	return len;
}

static bool take_port(const char *text, unsigned *port)
{
	const size_t len = strlen(text);
	unsigned long number;

	if (!len || len > PORT_DIGITS || *text == '0' || strspn(text, "0123456789") != len)
		return false;
	number = strtoul(text, NULL, 10);
	*port = (unsigned)number;
	return number <= UINT16_MAX;
}

int mail_url_parse(const char *url, struct mail_server *s, struct err *e)
{
	const bool is_smtps = strncmp(url, "smtps://", 8) == 0;
	const char *rest = url + (is_smtps ? 8 : 7);
	char host[MAIL_HOST_MAX + 1];
	unsigned port = is_smtps ? PORT_SMTPS : PORT_SUBMISSION;
	size_t len;

	if (strlen(url) > MAIL_URL_MAX || (!is_smtps && strncmp(url, "smtp://", 7) != 0))
		return refuse(url, e);
	len = take_host(rest, host);
	if (!len || (rest[len] && (rest[len] != ':' || !take_port(rest + len + 1, &port))))
		return refuse(url, e);
	s->is_smtps = is_smtps;
	s->port = port;
	snprintf(s->host, sizeof(s->host), "%s", host);
	return 0;
}

/* ---- the settings ---- */

static int check_together(const struct mail_settings *c, struct err *e)
{
	const struct {
		const char *name, *value;
	} of[] = {
		{ "FROM", c->from },
		{ "USER", c->user },
		{ "PASSWORD_FILE", c->password_file },
		{ "CA", c->ca },
	};

	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (of[i].value && !c->url)
			return err_set(e, ERR_INVALID,
				       "COMPUTATIONS_SMTP_%s does nothing without "
				       "COMPUTATIONS_SMTP_URL",
				       of[i].name);
	if (!c->url)
		return 0;
	if (!c->from)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_SMTP_URL needs COMPUTATIONS_SMTP_FROM: whom mail is "
			       "from, such as cocos@example.org");
	if (!c->user != !c->password_file)
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_SMTP_%s is set and _%s is not: give both or neither",
			       c->user ? "USER" : "PASSWORD_FILE",
			       c->user ? "PASSWORD_FILE" : "USER");
	return 0;
}

static bool is_shown(const char *text)
{
	size_t len = 0;

	while (text[len] > ' ' && text[len] <= '~')
		len++;
	return len && !text[len] && len <= MAIL_USER_MAX;
}

int mail_server_check(const struct mail_settings *c, struct err *e)
{
	struct mail_server ignored = { .port = 0 };

	if (check_together(c, e) < 0)
		return err_code(e);
	if (!c->url)
		return 0;
	if (mail_url_parse(c->url, &ignored, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SMTP_URL");
	if (mail_address_check(c->from, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SMTP_FROM");
	if (c->user && !is_shown(c->user))
		return err_set(e, ERR_INVALID,
			       "COMPUTATIONS_SMTP_USER has 1 to %d characters from ! to ~",
			       MAIL_USER_MAX);
	return 0;
}

/* One line, and nobody else's to read. */
static int read_password(const char *path, char out[MAIL_PASSWORD_MAX + 1], struct err *e)
{
	CLEANUP(free) char *text = NULL;
	struct stat st;
	int failed = 0;
	size_t len;

	if (stat(path, &st) < 0)
		return err_errno(e, "'%s'", path);
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		return err_set(e, ERR_INVALID,
			       "'%s' has mode %04o, so others could read or change it: give it to "
			       "root, mode 0640",
			       path, (unsigned)st.st_mode & 07777);
	if (file_read_text(path, MAIL_PASSWORD_MAX + 1, &text, e) < 0)
		return err_code(e);
	len = strcspn(text, "\n");
	if (!len || len > MAIL_PASSWORD_MAX || text[len + (text[len] == '\n')])
		failed = err_set(e, ERR_INVALID, "'%s' has to hold one line of 1 to %d characters",
				 path, MAIL_PASSWORD_MAX);
	else
		snprintf(out, MAIL_PASSWORD_MAX + 1, "%.*s", (int)len, text);
	OPENSSL_cleanse(text, strlen(text));
	return failed;
}

int mail_server_read(const struct mail_settings *c, struct mail_server *server, bool *is_set,
		     struct err *e)
{
	struct mail_server got = { .port = 0 };

	*is_set = c->url != NULL;
	if (mail_server_check(c, e) < 0)
		return err_code(e);
	if (!c->url)
		return 0;
	if (mail_url_parse(c->url, &got, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SMTP_URL");
	got.is_plain = !got.is_smtps && !c->ca && hostname_is_loopback(got.host);
	snprintf(got.from, sizeof(got.from), "%s", c->from);
	if (c->ca && strlen(c->ca) >= sizeof(got.ca))
		return err_set(e, ERR_INVALID, "COMPUTATIONS_SMTP_CA is too long");
	snprintf(got.ca, sizeof(got.ca), "%s", c->ca ? c->ca : "");
	if (c->user) {
		snprintf(got.user, sizeof(got.user), "%s", c->user);
		if (read_password(c->password_file, got.password, e) < 0)
			return err_wrap(e, "COMPUTATIONS_SMTP_PASSWORD_FILE");
	}
	*server = got;
	OPENSSL_cleanse(&got, sizeof(got));
	return 0;
}
