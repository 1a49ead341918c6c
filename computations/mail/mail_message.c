/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/mail/mail_message.h"

#include "common/base/cleanup.h"
#include "computations/mail/mail_address.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-"
#define LINK_CHARS NAME_CHARS ":/[]"

enum { DATE_MAX = 64, ID_LEN = 32 };

static bool is_of(const char *text, size_t max, const char *all)
{
	const size_t len = strlen(text);

	return len <= max && strspn(text, all) == len;
}

static int check(const struct mail_words *m, struct err *e)
{
	const struct {
		const char *what, *text, *all;
		size_t max;
	} of[] = {
		{ "a workspace's name", m->workspace, NAME_CHARS, MAIL_NAME_MAX },
		{ "a user's name", m->inviter, NAME_CHARS, MAIL_NAME_MAX },
		{ "a role", m->role, "abcdefghijklmnopqrstuvwxyz", MAIL_NAME_MAX },
		{ "a link", m->link, LINK_CHARS, MAIL_LINK_MAX },
		{ "an id", m->id, "0123456789abcdef", ID_LEN },
	};

	if (mail_address_check(m->from, e) < 0 || mail_address_check(m->to, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (!is_of(of[i].text, of[i].max, of[i].all))
			return err_set(e, ERR_INVALID, "%s that can't be in a mail", of[i].what);
	return 0;
}

/* RFC 5322, 3.3; in no language but its own. */
static int put_date(int64_t ms, char text[DATE_MAX], struct err *e)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t seconds = (time_t)(ms / 1000);
	struct tm t;

	if (ms < 0 || !gmtime_r(&seconds, &t) || t.tm_year > 9999 - 1900)
		return err_set(e, ERR_INVALID, "a moment that no calendar has");
	snprintf(text, DATE_MAX, "%s, %d %s %d %02d:%02d:%02d +0000", days[t.tm_wday], t.tm_mday,
		 months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
	return 0;
}

int mail_message_make(const struct mail_words *m, char text[MAIL_TEXT_MAX + 1], struct err *e)
{
	char date[DATE_MAX], ends[DATE_MAX];
	int len;

	if (check(m, e) < 0 || put_date(m->now, date, e) < 0 || put_date(m->ends, ends, e) < 0)
		return err_code(e);
	len = snprintf(text, MAIL_TEXT_MAX + 1,
		       "From: %s\r\n"
		       "To: %s\r\n"
		       "Subject: Invitation to workspace %s\r\n"
		       "Date: %s\r\n"
		       "Message-ID: <%s%s>\r\n"
		       "MIME-Version: 1.0\r\n"
		       "Content-Type: text/plain; charset=us-ascii\r\n"
		       "Content-Transfer-Encoding: 7bit\r\n"
		       "Auto-Submitted: auto-generated\r\n"
		       "\r\n"
		       "You are invited to the workspace\r\n"
		       "\r\n"
		       "    %s\r\n"
		       "\r\n"
		       "of a computation service, as %s, by %s.\r\n"
		       "Open this link to join:\r\n"
		       "\r\n"
		       "%s\r\n"
		       "\r\n"
		       "It works once, until %s. Whoever has it first\r\n"
		       "takes it: pass it on to nobody. If you expect no invitation, you need\r\n"
		       "do nothing.\r\n",
		       m->from, m->to, m->workspace, date, m->id, strchr(m->from, '@'),
		       m->workspace, m->role, *m->inviter ? m->inviter : "the service's operator",
		       m->link, ends);
	if (len < 0 || len > MAIL_TEXT_MAX)
		return err_set(e, ERR_INTERNAL, "a mail that is too long");
	return 0;
}
