/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle_console.c — where a CVM's console is, and what it said last. */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "manager/launch/lifecycle.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int lifecycle_console(const struct lifecycle *l, const char *id, char **path, struct err *e)
{
	return text_format(path, e, "%s/cvms/%s/" LIFECYCLE_CONSOLE, l->config->state_dir, id);
}

void lifecycle_last_words(const struct lifecycle *l, const struct cvm *cvm, char *out, size_t room)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(close) int fd = -1;
	char tail[1024];
	struct err e;
	struct stat st;
	ssize_t len;

	*out = '\0';
	if (lifecycle_console(l, cvm->id, &path, &e) < 0)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	len = pread(fd, tail, sizeof(tail) - 1,
		    st.st_size > (off_t)sizeof(tail) ? st.st_size - (off_t)sizeof(tail) + 1 : 0);
	while (len > 0 && strchr("\r\n ", tail[len - 1]))
		len--;
	if (len <= 0)
		return;
	tail[len] = '\0';
	/* A zero would hide what comes after it. */
	for (ssize_t i = 0; i < len; i++)
		if (!tail[i])
			tail[i] = ' ';
	for (ssize_t i = len; i-- > 0;)
		if (tail[i] == '\n') {
			snprintf(out, room, "%s", tail + i + 1);
			return;
		}
	snprintf(out, room, "%s", tail);
}
