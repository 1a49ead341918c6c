/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/token_text.h"

#include <string.h>

bool token_text_is_in(const char *text)
{
	const char *at = text;

	while ((at = strstr(at, TOKEN_TEXT_BEGINNING))) {
		at += strlen(TOKEN_TEXT_BEGINNING);
		if (strspn(at, "0123456789abcdef") >= TOKEN_TEXT_DIGITS)
			return true;
	}
	return false;
}
