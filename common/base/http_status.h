/* SPDX-License-Identifier: Apache-2.0 */
/* http_status.h — the first line of an answer by HTTP, read by ourselves where a library is lenient with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether that line of an answer's head is one that says a status, or should. */
bool http_status_is_line(const char *line, size_t len);

/* RFC 9112, 4: "HTTP/1.1 200 OK", or a version 1.0 or 2; 0: it is none. libcurl takes a line that it can't read for 200,
 * and "HTTP/22 200" for 2. */
long http_status_of(const char *line, size_t len);
