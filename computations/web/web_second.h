/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_second.h — the second step of coming in, for users with a second factor, and what they do with it at their own page.
 * For this folder only.
 */
#pragma once

#include "computations/web/web_enter.h"

/* Of keep(), where somebody showed a password or chose one: a session, or what a code is to be given with. */
int web_second_begin(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
/* Of done(): in, or the form for the code. */
void web_second_done(struct web_enter *en);

/* Of look(): whose it is, who gave the password. */
int web_second_find(struct store *store, struct web_enter *en, const char *half,
		    struct err *e) MUST_CHECK;
/* Of keep(): that is used up, and a session begins. */
int web_second_in(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
void web_second_show(struct web_enter *en, unsigned status, const struct err *e);

/* Of what is done at one's own page with the password, and a code where there is one (web_factor.c): reads the form of such
 * fields; in the pool who it is; and once more, for meanwhile the session may have ended, or the password changed. */
void web_own_start(struct web *web, struct http_request *r, const struct web_enter_way *way,
		   const char *const *names);
int web_own_look(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
int web_own_look_again(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
/* The same page's begin. */
void web_own_begin(struct writer *w, const struct admin_caller *caller, const char *title);

/* The rows' handlers. */
void web_second_try(struct http_request *r, void *data);
/* web_factor.c */
void web_factor(struct http_request *r, void *data);
void web_factor_begin(struct http_request *r, void *data);
void web_factor_confirm(struct http_request *r, void *data);
void web_factor_codes(struct http_request *r, void *data);
void web_factor_renew(struct http_request *r, void *data);
void web_factor_off(struct http_request *r, void *data);
void web_factor_remove(struct http_request *r, void *data);

/* In the pool: whether the caller has one (web_work). */
int web_run_factor(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
/* Its part of the caller's own page. */
void web_put_factor(const struct web_work *work, struct writer *w);
