/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h — where characters of UTF-8 (RFC 3629) begin and end, and whether bytes are such text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How many bytes the first character of UTF-8 has; 0 if there is none at the front. */
size_t utf8_char(const void *bytes, size_t len);

/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF. */
bool utf8_valid(const void *bytes, size_t len);
