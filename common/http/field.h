/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h — values of header fields that choose an answer (RFC 9110, sections 5.6, 12.5.1, 13.1.2).
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_FIELD_MAX = 4096,   /* bytes of a value */
	HTTP_MEMBERS_MAX = 64,   /* of a list */
	HTTP_PARAMETERS_MAX = 8, /* of one member */
};

/* If-None-Match: is `etag` (`"…"`, strong) among them, compared weakly, or is it `*`? */
int http_field_matches(const char *value, const char *etag, bool *matches,
		       struct err *e) MUST_CHECK;

/* Accept: which of `count` types, such as "text/plain; version=0.0.4", is liked most; of those that are
 * liked alike the first. A range's parameters have to be those of the type. ERR_NOT_FOUND: none is
 * acceptable. */
int http_field_accept(const char *value, const char *const types[], size_t count, size_t *chosen,
		      struct err *e) MUST_CHECK;

/* Cookie (RFC 6265, 4.2.1): the value of that one, with its end. ERR_NOT_FOUND: it is not among them.
 * ERR_INVALID: it is there twice, or does not fit. */
int http_field_cookie(const char *value, const char *name, char *text, size_t size,
		      struct err *e) MUST_CHECK;

/* Last-Event-ID, where events have numbers: decimal, from 0 to 2^63-1. */
int http_field_event_id(const char *value, int64_t *number, struct err *e) MUST_CHECK;

/* Content-Type: does it name `type` ("application/json")? Parameters are checked for their form alone. */
int http_field_is_type(const char *value, const char *type, bool *is, struct err *e) MUST_CHECK;
