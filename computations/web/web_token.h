/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_token.h — a user's tokens on the page: made with the password, shown once. For this folder only.
 */
#pragma once

#include "computations/web/web_act.h"

void web_put_tokens(const struct web_work *work, struct writer *w);
/* For somebody who has no session here that could change anything (web_me.c). */
void web_me_note(struct web_work *work);

/* The rows' handlers. */
void web_token_ask(struct http_request *r, void *data);
void web_token_try(struct http_request *r, void *data);
