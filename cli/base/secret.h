/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h — what is typed and not shown: asked for on the terminal itself, so that neither pipes nor the shell's
 * history see it.
 */
#pragma once

#include "cli/base/command.h"

enum { SECRET_MAX = 1024 };

/* Up to `max` bytes of a line, without its end; how many. Negative: there is no terminal. A signal that ends or stops the program
 * finds the terminal as it was; after a stop the question comes again. */
int secret_ask(const char *question, char *out, int max);

/* A password to be chosen, with its zero byte: asked for twice, or with `from_stdin` the one line that comes there.
 * ERR_INVALID: the two differ, or it is longer; ERR_PRECONDITION: there is no terminal. */
int secret_choose(const char *question, bool from_stdin, char out[SECRET_MAX + 1],
		  struct err *e) MUST_CHECK;
/* One that there is already: asked for once, or read so. */
int secret_give(const char *question, bool from_stdin, char out[SECRET_MAX + 1],
		struct err *e) MUST_CHECK;
