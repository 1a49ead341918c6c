/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/mail/mail_address.h"

#include "common/base/log.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static int refuse(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "%s is no address that mail goes to (%s): it is such as anna@example.org",
		       log_quote(text).text, why);
}

/* Not like an option of a program that it might be given to. */
static bool is_local(const char *text, size_t len)
{
	return len && len <= MAIL_LOCAL_MAX && text[0] != '.' && text[0] != '-' &&
	       text[len - 1] != '.' && strspn(text, LETTERS DIGITS ".+-_'=~&#") == len &&
	       !memmem(text, len, "..", 2);
}

static bool is_label(const char *text, size_t len)
{
	return len && len <= MAIL_LABEL_MAX && text[0] != '-' && text[len - 1] != '-';
}

/* The last label begins with a letter: what else it may be is an address in numbers. */
static bool is_domain(const char *text)
{
	const char *label = text;
	size_t labels = 0;

	if (strspn(text, LETTERS DIGITS "-.") != strlen(text))
		return false;
	for (;;) {
		size_t len = strcspn(label, ".");

		if (!is_label(label, len))
			return false;
		labels++;
		if (!label[len])
			return labels > 1 && isalpha((unsigned char)*label);
		label += len + 1;
	}
}

int mail_address_check(const char *text, struct err *e)
{
	const char *at = strchr(text, '@');

	if (strlen(text) > MAIL_ADDRESS_MAX)
		return err_set(e, ERR_INVALID, "an address for mail has at most %d characters",
			       MAIL_ADDRESS_MAX);
	if (!at)
		return refuse(text, "there is no @ in it", e);
	if (!is_local(text, (size_t)(at - text)))
		return refuse(text, "what is before the @", e);
	return is_domain(at + 1) ? 0 : refuse(text, "what is behind the @", e);
}

void mail_address_box(const char *text, char box[MAIL_ADDRESS_MAX + 1])
{
	const char *at = strchr(text, '@');
	size_t len = 0;

	for (const char *c = text; *c && len < MAIL_ADDRESS_MAX; c++) {
		if (*c == '+' && c > text && c < at)
			c = at;
		if (*c == '.' && c < at)
			continue;
		box[len++] = (char)tolower((unsigned char)*c);
	}
	box[len] = 0;
}
