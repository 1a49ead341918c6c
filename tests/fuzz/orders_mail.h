/* SPDX-License-Identifier: Apache-2.0 */
/* orders_mail.h — numbers in the input of fuzz_mail_post, for the target and for make_calls. */
#pragma once

/* The first four bytes say what the operator has set; then, up to a length: what is typed, as URL or in the file. Then for each
 * mail: MAIL_GOES_…, and so many pieces of what is answered, each a length and bytes. */
enum mail_url {
	MAIL_URL_LOOPBACK,
	MAIL_URL_LOOPBACK_V6,
	MAIL_URL_STARTTLS,
	MAIL_URL_SMTPS,
	MAIL_URL_NONE,
	MAIL_URL_TYPED,
	MAIL_URL_LONG,
	MAIL_URLS
};
enum { MAIL_FROM_GOOD, MAIL_FROM_NONE, MAIL_FROM_BAD, MAIL_FROMS };
enum {
	MAIL_USER_NONE,
	MAIL_USER_GOOD,
	MAIL_USER_TYPED, /* with a password that is typed */
	MAIL_USER_BAD,
	MAIL_USER_ALONE,
	MAIL_USER_FILE_ALONE,
	MAIL_USER_NO_FILE,
	MAIL_USER_OPEN_FILE, /* which others may read */
	MAIL_USERS
};
enum { MAIL_CA_NONE, MAIL_CA_GOOD, MAIL_CA_NO_FILE, MAIL_CA_LONG, MAIL_CAS };
enum { MAIL_GOES_ON, MAIL_GOES_STOPPED, MAIL_GOES };
