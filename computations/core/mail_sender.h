/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_sender.h — sends the mails that wait (computations/mail/mail.h): in a thread of its own, one after another. What came
 * of a try is kept until the database has it, however long that cannot be written, and nothing else is sent meanwhile: so that
 * nobody gets a mail over and over. On the loop.
 */
#pragma once

#include "computations/core/config.h"
#include "computations/store/store_queue.h"

#include <stdbool.h>

struct mail_sender;

/* Reads its settings; without COMPUTATIONS_SMTP_URL it sends nothing. What waits in the database is sent as soon as the loop
 * runs. */
int mail_sender_new(uv_loop_t *loop, struct store_queue *queue, const struct config *config,
		    struct mail_sender **made, struct err *e) MUST_CHECK;
/* Begins nothing any more; what is under way ends within about a second, and is sent again after the next start unless it was
 * taken. NULL is fine. */
void mail_sender_stop(struct mail_sender *sender);
/* When the loop has nothing to do any more. */
void mail_sender_free(struct mail_sender *sender);

/* Whom mails are from, lent; NULL: none are sent. */
const char *mail_sender_from(const struct mail_sender *sender);
/* One more waits. */
void mail_sender_wake(struct mail_sender *sender);
