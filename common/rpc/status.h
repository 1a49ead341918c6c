/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h — gRPC's status and timeout as header text. For this folder only.
 *
 * Sources: grpc/doc/PROTOCOL-HTTP2.md (Timeout, Status-Message, Errors), grpc/doc/
 * http-grpc-status-mapping.md.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

enum {
	STATUS_TEXT_MAX = 3 * ERR_TEXT_MAX, /* every byte of an error's text as %XX */
	TIMEOUT_TEXT_MAX = 16,
};

/* Percent-encodes what is not printable ASCII, and '%'. `out` holds STATUS_TEXT_MAX bytes. */
void status_encode(const char *text, char *out);

/* The reverse, forgiving as gRPC asks for: a broken escape stays as it is. Invalid UTF-8 and control
 * characters but white space become '?', too much is cut. `out` holds ERR_TEXT_MAX. */
void status_decode(const char *text, size_t len, char *out);

/* grpc-status: decimal. A number that gRPC has not is UNKNOWN, as is a text that is no number. */
enum err_code status_code(const char *text, size_t len);

/* grpc-timeout: at most 8 digits and a unit. Milliseconds, rounded up. */
int timeout_parse(const char *text, size_t len, uint64_t *ms, struct err *e) MUST_CHECK;
/* `out` holds TIMEOUT_TEXT_MAX bytes. */
void timeout_format(uint64_t ms, char *out);

/* What a stream that ended with an HTTP/2 error code, or with an HTTP status, means in gRPC. */
enum err_code status_from_h2(uint32_t error_code);
enum err_code status_from_http(unsigned http_status);
