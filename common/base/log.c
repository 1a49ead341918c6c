/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log.h"

#include "common/base/cleanup.h"
#include "common/base/log_about.h"
#include "common/base/log_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *word;
	int priority; /* syslog's, for journald */
	const char *colour;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3, "\033[31m" },
	[LOG_LEVEL_WARN] = { "warn", 4, "\033[33m" },
	[LOG_LEVEL_INFO] = { "info", 6, "" },
	[LOG_LEVEL_DEBUG] = { "debug", 7, "\033[2m" },
};

enum { LINE_MAX_LEN = 2000 }; /* bytes of what is said */

static const char *program_name = "cocos";
static enum log_level highest = LOG_LEVEL_INFO;
static enum { PLAIN, COLOURED, JOURNAL } form = PLAIN;

/* systemd.exec(5): device and inode of the journal's stream. A unit's children inherit the
 * variable even if their standard error goes elsewhere. */
static bool is_journal(const char *stream)
{
	unsigned long long device, inode;
	struct stat st;
	int end = 0;

	return stream && sscanf(stream, "%llu:%llu%n", &device, &inode, &end) == 2 &&
	       !stream[end] && fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

/* Otherwise the next file or socket would get the number, and messages for people would be
 * written to it. They are opened the wrong way round: using one is an error, as with a closed
 * one. */
static void hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return; /* without /dev/null nothing can be done */
}

void log_open(const char *program)
{
	hold_standard_descriptors();
	program_name = program;
	if (is_journal(secure_getenv("JOURNAL_STREAM")))
		form = JOURNAL;
	else if (isatty(STDERR_FILENO) && secure_getenv("TERM")) /* a bare serial line has none */
		form = COLOURED;
}

void log_to_journal(void)
{
	struct err ignored;

	if (form == JOURNAL)
		(void)!log_journal_open(LOG_JOURNAL_SOCKET, &ignored);
}

void log_set(enum log_level level)
{
	highest = level;
}

int log_set_level(const char *word, struct err *e)
{
	if (strcasecmp(word, "warning") == 0)
		word = "warn";
	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcasecmp(word, levels[i].word) == 0) {
			highest = (enum log_level)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "log level %s: use error, warn, info or debug",
		       log_quote(word).text);
}

/* False with errno; `*torn`: with a part of it written. */
static bool write_parts(struct iovec *parts, size_t count, bool *torn)
{
	while (count) {
		ssize_t done = writev(STDERR_FILENO, parts, (int)count);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		*torn = *torn || done > 0;
		for (; count && (size_t)done >= parts->iov_len; parts++, count--)
			done -= (ssize_t)parts->iov_len;
		if (count) {
			parts->iov_base = (char *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
	*torn = false;
	return true;
}

/* The end of a line that was cut comes first, so that this one stands alone. */
int log_record(const char *mark, const void *line, size_t len, struct err *e)
{
	static bool is_torn;
	struct iovec parts[] = {
		{ (void *)(uintptr_t)"\n", is_torn ? 1 : 0 },
		{ (void *)(uintptr_t)"<5>", form == JOURNAL ? 3 : 0 },
		{ (void *)(uintptr_t)mark, strlen(mark) },
		{ (void *)(uintptr_t)line, len },
		{ (void *)(uintptr_t)"\n", 1 },
	};

	return write_parts(parts, ARRAY_LEN(parts), &is_torn) ? 0 : err_errno(e, "standard error");
}

/* What a line begins with where no journal adds it. */
static int put_head(char *line, size_t room, enum log_level level)
{
	struct timespec now;
	struct tm utc;

	if (form == JOURNAL)
		return snprintf(line, room, "<%d>", levels[level].priority);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	return snprintf(line, room, "%s%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %-5s ",
			form == COLOURED ? levels[level].colour : "", utc.tm_year + 1900,
			utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
			now.tv_nsec / 1000000, program_name, levels[level].word);
}

static void write_line(enum log_level level, const char *text, const char *trace)
{
	char line[LINE_MAX_LEN + 512];
	int used = put_head(line, sizeof(line), level);

	if (used < 0)
		return;
	used += snprintf(line + used, sizeof(line) - (size_t)used, "%s%s%s%s\n", text,
			 *trace ? " trace=" : "", trace, form == COLOURED ? "\033[0m" : "");
	if (write(STDERR_FILENO, line, (size_t)used) < 0) {
		/* There is nowhere left to report this. */
	}
}

/* False if there is no journal, or it does not take it: then it is a line. */
static bool send_entry(enum log_level level, const char *text, const struct log_about *about)
{
	const char priority[] = { (char)('0' + levels[level].priority), '\0' };
	const struct log_journal_field fields[] = {
		{ "MESSAGE", text },
		{ "PRIORITY", priority },
		{ "SYSLOG_IDENTIFIER", program_name },
		{ "COCOS_TRACE", about->text[LOG_TRACE] },
		{ "COCOS_CVM", about->text[LOG_CVM] },
		{ "COCOS_COMPUTATION", about->text[LOG_COMPUTATION] },
	};
	struct err ignored;

	return log_journal_is_open() && log_journal_send(fields, ARRAY_LEN(fields), &ignored) == 0;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_LEN + 1];
	struct log_about about;
	int saved = errno, len;
	va_list args;

	if (level > highest)
		return;
	about = log_about_now();
	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0)
		return;
	for (char *c = text; *c; c++) /* one call, one line */
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	if (!send_entry(level, text, &about))
		write_line(level, text, about.text[LOG_TRACE]);
	errno = saved;
}

void log_notify(const char *state)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (!path || strlen(path) >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@') /* the abstract name space */
		to.sun_path[0] = '\0';
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
}
