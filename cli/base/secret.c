/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/secret.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <openssl/crypto.h>

/* What ends or stops the program. */
static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
static volatile sig_atomic_t came;

static void on_signal(int number)
{
	came = number;
}

struct held {
	struct sigaction was[ARRAY_LEN(ends)];
	sigset_t mask;
};

/* They come while a line is waited for, and at no other moment. One that the caller has ignored stays so. */
static void hold_signals(struct held *held)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t all;

	came = 0;
	sigemptyset(&all);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaddset(&all, ends[i]);
	sigprocmask(SIG_BLOCK, &all, &held->mask);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (sigaction(ends[i], NULL, &held->was[i]) == 0 &&
		    held->was[i].sa_handler != SIG_IGN)
			(void)sigaction(ends[i], &action, NULL);
}

/* They do what they would have done. */
static void let_go(const struct held *held)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		(void)sigaction(ends[i], &held->was[i], NULL);
	sigprocmask(SIG_SETMASK, &held->mask, NULL);
	if (came)
		raise(came);
}

/* As far as it goes, if a signal came. */
static int read_typed(int terminal, const sigset_t *mask, char *out, int max)
{
	struct pollfd fd = { .fd = terminal, .events = POLLIN };
	int len = 0;
	char c;

	for (;;) {
		if (ppoll(&fd, 1, NULL, mask) < 0 && errno == EINTR && !came)
			continue;
		if (came || read(terminal, &c, 1) != 1 || c == '\n')
			return len;
		if (len < max)
			out[len++] = c;
	}
}

/* Echo is off before the question can be read, and restored in every case. */
static int read_line(int terminal, const char *question, char *out, int max)
{
	struct termios before, silent;
	struct held held;
	int len = -1;

	if (tcgetattr(terminal, &before) < 0)
		return -1;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	hold_signals(&held);
	if (tcsetattr(terminal, TCSAFLUSH, &silent) == 0) {
		dprintf(terminal, "%s: ", question);
		len = read_typed(terminal, &held.mask, out, max);
		(void)!tcsetattr(terminal, TCSAFLUSH, &before);
		(void)!write(terminal, "\n", 1);
	}
	if (came)
		OPENSSL_cleanse(out, (size_t)max);
	let_go(&held);
	return len;
}

int secret_ask(const char *question, char *out, int max)
{
	CLEANUP(close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int len;

	if (terminal < 0)
		return -1;
	do /* again, where it was stopped for a while */
		len = read_line(terminal, question, out, max);
	while (came);
	return len;
}

static int refuse_form(const char *from, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s: it has to be one line of at most %d bytes", from,
		       SECRET_MAX);
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
		return refuse_form("standard input", e);
	out[len] = 0;
	return 0;
}

static int ask_once(const char *question, char out[SECRET_MAX + 1], int *len, struct err *e)
{
	*len = secret_ask(question, out, SECRET_MAX + 1);
	if (*len < 0)
		return err_set(e, ERR_PRECONDITION,
			       "there is no terminal to ask on: use --stdin, and give it there");
	if (*len <= SECRET_MAX && !memchr(out, 0, (size_t)*len)) {
		out[*len] = 0;
		return 0;
	}
	OPENSSL_cleanse(out, SECRET_MAX + 1);
	return refuse_form(question, e);
}

static int ask_twice(const char *question, char out[SECRET_MAX + 1], struct err *e)
{
	char again[SECRET_MAX + 1];
	int len, other;
	bool same;

	if (ask_once(question, out, &len, e) < 0)
		return err_code(e);
	other = secret_ask("Once more", again, SECRET_MAX + 1);
	same = len == other && memcmp(out, again, (size_t)len) == 0;
	OPENSSL_cleanse(again, sizeof(again));
	if (same)
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
