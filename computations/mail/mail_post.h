/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_post.h — one try of one mail: SMTP by libcurl (RFC 5321; STARTTLS, RFC 3207).
 *
 * TLS 1.2 or newer with the server's name and chain verified, before the user, the password or anything of the mail is said;
 * no proxy. Blocks, MAIL_TRY_MS at most.
 */
#pragma once

#include "computations/mail/mail.h"
#include "computations/mail/mail_server.h"

#include <stdatomic.h>

enum {
	MAIL_TRY_MS = 60000,
	MAIL_CONNECT_MS = 15000,
	MAIL_ANSWER_MAX = 16 << 10, /* bytes that a server may say */
};

struct mail_post;

/* One thread at a time. `server` and `stopped` outlive it. Once `*stopped`, a try ends within about a second. */
int mail_post_new(const struct mail_server *server, const atomic_bool *stopped,
		  struct mail_post **made, struct err *e) MUST_CHECK;
void mail_post_free(struct mail_post *post);
DEFINE_CLEANUP(struct mail_post *, mail_post_free)

/* Never fails: what went wrong is the outcome's problem, in which nothing of the mail is. */
void mail_post_try(struct mail_post *post, const struct mail_try *t, struct mail_outcome *outcome);
