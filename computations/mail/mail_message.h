/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_message.h — the mail that an invitation's link goes in: RFC 5322, plain text in ASCII. All that comes from people are
 * names whose characters are these alone, and a link that the service made; anything else is refused, and no line of a
 * header can be added by it.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

enum {
	MAIL_TEXT_MAX = 4096, /* bytes of a message */
	MAIL_NAME_MAX = 63,   /* of a workspace, a user, a role */
	MAIL_LINK_MAX = 400,
};

struct mail_words {
	const char *from, *to;           /* addresses (mail_address.h) */
	const char *workspace, *inviter; /* inviter "": the service's operator */
	const char *role, *link;
	const char *id;    /* hex digits: with them the message is known when it comes twice */
	int64_t now, ends; /* ms since 1970 */
};

/* With CRLF. ERR_INVALID: something in the words can't be in a mail. */
int mail_message_make(const struct mail_words *words, char text[MAIL_TEXT_MAX + 1],
		      struct err *e) MUST_CHECK;
