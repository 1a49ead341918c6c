/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.h — what a page's form sends (WHATWG URL, 5.1), decoded as strictly as a query is (target.h), which is shorter.
 * A name stands in it once.
 */
#pragma once

#include "common/base/err.h"
#include "common/http/target.h"

#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_FORM_MAX = 128 << 10, /* bytes as they come */
	HTTP_FORM_PAIRS_MAX = 64,
};

struct http_form {
	struct http_pair pairs[HTTP_FORM_PAIRS_MAX];
	size_t count;
	char *text; /* where all of these are; its own */
	size_t size;
};

/* `lines`: the names, behind them NULL, of fields whose values may have several lines, each end of which is one "\n" then;
 * NULL: none may. ERR_OUT_OF_RANGE: more than a limit above. ERR_INVALID: it is no such form. */
int http_form_parse(const uint8_t *body, size_t len, const char *const *lines,
		    struct http_form *form, struct err *e) MUST_CHECK;
/* NULL: it has no such field. */
const char *http_form_value(const struct http_form *form, const char *name);
/* Wipes it. */
void http_form_done(struct http_form *form);
#define CLEANUP_HTTP_FORM __attribute__((cleanup(http_form_done)))
