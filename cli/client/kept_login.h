/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept_login.h — the token that 'login' got for a computation service: a file of its own for each address, 0600, in
 * $XDG_CONFIG_HOME/cocos/logins, whose form is that of a token file (token_file.h).
 *
 * An address is "HOST:PORT" or "unix:/PATH", as it is given but for http:// or https://.
 */
#pragma once

#include "common/base/err.h"

/* The file for that address, malloc'ed, whether or not it is there. ERR_PRECONDITION: there is no place for any. */
int kept_login_path(const char *address, char **path, struct err *e) MUST_CHECK;

/* The same, or NULL where nothing is kept. ERR_DENIED: others may write there. */
int kept_login_find(const char *address, char **path, struct err *e) MUST_CHECK;

/* Whether that can be done, before a token is asked for. */
int kept_login_try(const char *address, struct err *e) MUST_CHECK;

/* Instead of what was kept. */
int kept_login_write(const char *address, const char *token, struct err *e) MUST_CHECK;

/* Fine if there is none. */
int kept_login_remove(const char *address, struct err *e) MUST_CHECK;
