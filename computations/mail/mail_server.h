/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_server.h — the server that takes the service's mail, as the operator sets it.
 *
 * smtps:// is TLS from the first byte; smtp:// goes over to TLS by STARTTLS before anything else is said, and no further with
 * a server that does not. To loopback it is in plaintext, unless authorities are named.
 */
#pragma once

#include "common/base/err.h"
#include "computations/mail/mail_address.h"

#include <stdbool.h>

enum {
	MAIL_HOST_MAX = 253,
	MAIL_URL_MAX = 300,
	MAIL_USER_MAX = 128,
	MAIL_PASSWORD_MAX = 256,
};

struct mail_server {
	bool is_smtps, is_plain; /* plain: no TLS at all */
	char host[MAIL_HOST_MAX + 1];
	unsigned port;
	char from[MAIL_ADDRESS_MAX + 1];
	char user[MAIL_USER_MAX + 1], password[MAIL_PASSWORD_MAX + 1]; /* "": none */
	char ca[4096]; /* "": the system's authorities */
};

/* As the operator writes it; lent. NULL: not set. */
struct mail_settings {
	const char *url, *from, *user, *password_file, *ca;
};

/* smtp:// or smtps://, a host or [IPv6], perhaps a port (587, 465), and nothing else. ERR_INVALID. */
int mail_url_parse(const char *url, struct mail_server *server, struct err *e) MUST_CHECK;
/* What of the settings needs no file: also that they are there together. In words with their names. */
int mail_server_check(const struct mail_settings *settings, struct err *e) MUST_CHECK;
/* All of it, with the password from its file; `*is_set` false: there is none. */
int mail_server_read(const struct mail_settings *settings, struct mail_server *server, bool *is_set,
		     struct err *e) MUST_CHECK;
