/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_address.h — an address that mail may go to: RFC 5321's dot-string and a domain with a dot, in ASCII, of the characters
 * that people have in theirs. No quotes, comments, routes, addresses in numbers: nothing that a header or a mail server
 * could read as more than one address.
 */
#pragma once

#include "common/base/err.h"

enum { MAIL_ADDRESS_MAX = 254, MAIL_LOCAL_MAX = 64, MAIL_LABEL_MAX = 63 };

/* ERR_INVALID. */
int mail_address_check(const char *text, struct err *e) MUST_CHECK;
/* Of one that passed: whose mailbox it may be, for counting: in lower case, without what is behind a '+', and without dots
 * before the '@', which large providers pass over. */
void mail_address_box(const char *text, char box[MAIL_ADDRESS_MAX + 1]);
