/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_run.h — what the forms share that ask before a computation is run, stopped or removed. For this folder only.
 */
#pragma once

#include "computations/web/web_work.h"

/* web_ask.c */
void web_run_put_head(const struct web_work *work, const char *what, struct writer *w);
void web_run_begin_form(const struct web_work *work, const char *what, struct writer *w);
/* A box for who may. */
void web_run_put_unverified(const struct web_work *work, struct writer *w);
/* The page ends with it, and is sent. */
void web_run_end_form(const struct web_work *work, const char *deed, const char *class,
		      const char *back, struct writer *w);

/* web_run.c: it failed before. */
bool web_run_is_again(const struct web_work *work);
/* Whether the caller may have a CVM made for the computation that was read; ERR_DENIED, ERR_NOT_FOUND. */
int web_run_may_make(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
