/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once_form.h — the table of keys by which creations are made once (store_once.h).
 */
#pragma once

/* `person` 0: whoever administers the service without being a user; so it refers to no row of users. */
#define ONCE_FORM                                                                  \
	"CREATE TABLE once_keys ("                                                 \
	" number {counted},"                                                       \
	" person {integer} NOT NULL,"                                              \
	" key TEXT NOT NULL,"                                                      \
	" what TEXT NOT NULL,"      /* method and path, as the API has it */       \
	" digest {bytes} NOT NULL," /* of all that was sent */                     \
	" taken {integer} NOT NULL,"                                               \
	" status {integer} NOT NULL DEFAULT 0," /* 0: its end is not known */      \
	" made TEXT NOT NULL DEFAULT '',"       /* what was answered, no secret */ \
	" location TEXT NOT NULL DEFAULT '',"                                      \
	" UNIQUE (person, key));"                                                  \
	"CREATE INDEX once_keys_taken ON once_keys (taken);"
