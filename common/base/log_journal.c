/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log_journal.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { PARTS = 5 }; /* of a field */

static int journal = -1;
static struct sockaddr_un address;

int log_journal_open(const char *path, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path))
		return err_set(e, ERR_INVALID, "a socket's path of %zu bytes", strlen(path));
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, "journal");
	log_journal_close();
	journal = fd;
	address = to;
	return 0;
}

bool log_journal_is_open(void)
{
	return journal >= 0;
}

void log_journal_close(void)
{
	if (journal >= 0)
		close(journal);
	journal = -1;
}

/* "NAME\nLENGTHVALUE\n": with its length a value can hold anything. */
static void put(struct iovec **next, const struct log_journal_field *field, uint64_t *len)
{
	static char newline[] = "\n";

	*len = htole64(strlen(field->value));
	*(*next)++ = (struct iovec){ (void *)(uintptr_t)field->name, strlen(field->name) };
	*(*next)++ = (struct iovec){ newline, 1 };
	*(*next)++ = (struct iovec){ len, sizeof(*len) };
	*(*next)++ = (struct iovec){ (void *)(uintptr_t)field->value, strlen(field->value) };
	*(*next)++ = (struct iovec){ newline, 1 };
}

static int check(const struct log_journal_field *fields, size_t count, struct err *e)
{
	if (count > LOG_JOURNAL_FIELDS_MAX)
		return err_set(e, ERR_INVALID, "journal: %zu fields, at most %d", count,
			       LOG_JOURNAL_FIELDS_MAX);
	for (size_t i = 0; i < count; i++)
		if (strlen(fields[i].value) > LOG_JOURNAL_VALUE_MAX)
			return err_set(e, ERR_EXHAUSTED,
				       "journal: %s of %zu bytes, at most %d in an entry",
				       fields[i].name, strlen(fields[i].value),
				       LOG_JOURNAL_VALUE_MAX);
	return 0;
}

/* By the journal's name each time: one that was started anew listens there, too. */
int log_journal_send(const struct log_journal_field *fields, size_t count, struct err *e)
{
	struct iovec parts[LOG_JOURNAL_FIELDS_MAX * PARTS], *next = parts;
	uint64_t lengths[LOG_JOURNAL_FIELDS_MAX];
	struct msghdr message = { .msg_name = &address,
				  .msg_namelen = sizeof(address),
				  .msg_iov = parts };

	if (check(fields, count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++)
		if (*fields[i].value)
			put(&next, &fields[i], &lengths[i]);
	message.msg_iovlen = (size_t)(next - parts);
	/* A datagram goes whole or not at all. */
	if (sendmsg(journal, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno == EAGAIN)
		return err_set(e, ERR_EXHAUSTED, "journal: it does not keep up");
	return err_errno(e, "journal");
}
