/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/http_status.h"

#include "common/base/cleanup.h"

#include <string.h>

enum { STATUS_MIN = 100 };

static bool begins(const char *line, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

bool http_status_is_line(const char *line, size_t len)
{
	return begins(line, len, "HTTP/");
}

long http_status_of(const char *line, size_t len)
{
	static const char *const versions[] = { "HTTP/1.1 ", "HTTP/1.0 ", "HTTP/2 " };
	long status = 0;
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(versions) && !at; i++)
		if (begins(line, len, versions[i]))
			at = strlen(versions[i]);
	for (size_t end = at + 3; at && at < end; at++) {
		if (at >= len || line[at] < '0' || line[at] > '9')
			return 0;
		status = 10 * status + line[at] - '0';
	}
	return at < len && line[at] && strchr(" \r\n", line[at]) && status >= STATUS_MIN ? status
											 : 0;
}
