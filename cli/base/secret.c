/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/secret.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <openssl/crypto.h>

/* Echo is off before the question can be read, and restored in every case. */
static int read_line(int terminal, const char *question, char *out, int max)
{
	struct termios before, silent;
	int len = 0;
	char c;

	if (tcgetattr(terminal, &before) < 0)
		return -1;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(terminal, TCSAFLUSH, &silent) < 0)
		return -1;
	dprintf(terminal, "%s: ", question);
	while (read(terminal, &c, 1) == 1 && c != '\n')
		if (len < max)
			out[len++] = c;
	(void)!tcsetattr(terminal, TCSAFLUSH, &before);
	(void)!write(terminal, "\n", 1);
	return len;
}

int secret_ask(const char *question, char *out, int max)
{
	CLEANUP(close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return terminal < 0 ? -1 : read_line(terminal, question, out, max);
}

/* One line and no more: what follows would be a second password, or none of ours. */
static int read_stdin(char out[SECRET_MAX + 2], struct err *e)
{
	size_t len = 0;
	ssize_t got;

	while (len < SECRET_MAX + 1) {
		got = read(STDIN_FILENO, out + len, SECRET_MAX + 1 - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "standard input");
		if (got == 0)
			break;
		len += (size_t)got;
	}
	if (len > 0 && out[len - 1] == '\n')
		len--;
	if (len > SECRET_MAX || memchr(out, '\n', len) || memchr(out, 0, len))
		return err_set(e, ERR_INVALID,
			       "standard input: it has to be one line of at most %d bytes",
			       SECRET_MAX);
	out[len] = 0;
	return 0;
}

static int ask_once(const char *question, char out[SECRET_MAX + 1], int *len, struct err *e)
{
	*len = secret_ask(question, out, SECRET_MAX);
	if (*len < 0)
		return err_set(e, ERR_PRECONDITION,
			       "there is no terminal to ask on: use --stdin, and give it there");
	out[*len] = 0;
	return 0;
}

static int ask_twice(const char *question, char out[SECRET_MAX + 1], struct err *e)
{
	char again[SECRET_MAX + 1];
	int len, other;
	bool same;

	if (ask_once(question, out, &len, e) < 0)
		return err_code(e);
	other = secret_ask("Once more", again, SECRET_MAX);
	same = len == other && memcmp(out, again, (size_t)len) == 0;
	OPENSSL_cleanse(again, sizeof(again));
	if (same && strlen(out) == (size_t)len)
		return 0;
	OPENSSL_cleanse(out, SECRET_MAX + 1);
	return err_set(e, ERR_INVALID, "these two are not the same: nothing was changed");
}

static int take_stdin(char out[SECRET_MAX + 1], struct err *e)
{
	char line[SECRET_MAX + 2];
	int failed = read_stdin(line, e);

	if (!failed)
		memcpy(out, line, strlen(line) + 1);
	OPENSSL_cleanse(line, sizeof(line));
	return failed;
}

int secret_choose(const char *question, bool from_stdin, char out[SECRET_MAX + 1], struct err *e)
{
	return from_stdin ? take_stdin(out, e) : ask_twice(question, out, e);
}

int secret_give(const char *question, bool from_stdin, char out[SECRET_MAX + 1], struct err *e)
{
	int len;

	return from_stdin ? take_stdin(out, e) : ask_once(question, out, &len, e);
}
