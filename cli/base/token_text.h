/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_text.h — a user's token where none belongs: everybody on the machine can read the line of a command, and shells keep it.
 */
#pragma once

#include <stdbool.h>

/* What each begins with, before its digits. */
#define TOKEN_TEXT_BEGINNING "cocos_"

enum { TOKEN_TEXT_DIGITS = 64 };

/* Whether a whole one stands anywhere in it. */
bool token_text_is_in(const char *text);
