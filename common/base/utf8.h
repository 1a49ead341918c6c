/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h — where characters of UTF-8 (RFC 3629) begin and end, whether bytes are such text, and
 * which characters could fool whoever reads them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the first character of UTF-8 has; 0 if there is none at the front. */
size_t utf8_char(const void *bytes, size_t len);

/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF. */
bool utf8_valid(const void *bytes, size_t len);

/* The one character of `len` bytes, as utf8_char() says, does not stand for itself: a terminal obeys
 * it (C0, DEL, C1), it ends a line (U+2028, U+2029), or it turns the direction of what is around it
 * (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). */
bool utf8_is_control(const void *character, size_t len);
/* How many bytes the first character has, if a reader sees it as what it is; 0: it is escaped wherever a name is told,
 * in every program. It is no UTF-8, or a control, or nothing is seen of it (soft hyphen, U+180E, U+200B to U+200D,
 * U+2060 to U+2064, U+FEFF, U+FFF9 to U+FFFB, tags), so that two names that look the same may differ in it. */
size_t utf8_shown(const void *bytes, size_t len);
/* Its code point. */
uint32_t utf8_code(const void *character, size_t len);
/* Some character of valid UTF-8 is a control. */
bool utf8_has_control(const void *bytes, size_t len);
