/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/address.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int parse_unix(const char *text, const char *path, struct address *address, struct err *e)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(address->path.sun_path))
		return err_set(e, ERR_INVALID,
			       "address %s: the path has to have 1 to %zu characters",
			       log_quote(text).text, sizeof(address->path.sun_path) - 1);
	address->is_unix = true;
	address->path.sun_family = AF_UNIX;
	memcpy(address->path.sun_path, path, len + 1);
	return 0;
}

static bool port_is_valid(const char *port)
{
	size_t len = strlen(port);

	if (len == 0 || len > 5 || strspn(port, "0123456789") != len)
		return false;
	return strtoul(port, NULL, 10) <= 65535;
}

static bool host_is_valid(const char *host, size_t len, bool is_bracketed)
{
	/* '%' names the interface of a link-local address. */
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-_%";

	if (len >= ADDRESS_HOST_MAX || (is_bracketed && len == 0))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr(chars, host[i]) && !(is_bracketed && host[i] == ':'))
			return false;
	return true;
}

int address_parse(const char *text, struct address *address, struct err *e)
{
	bool is_bracketed = text[0] == '[';
	const char *host = text + is_bracketed, *end, *port;
	struct address a = { 0 };

	if (strncmp(text, "unix:", 5) == 0) {
		int r = parse_unix(text, text + 5, &a, e);

		if (r == 0)
			*address = a;
		return r;
	}
	end = is_bracketed ? strchr(text, ']') : strrchr(text, ':');
	port = end ? end + is_bracketed : NULL;
	if (!port || *port != ':' || !port_is_valid(port + 1) ||
	    !host_is_valid(host, (size_t)(end - host), is_bracketed))
		return err_set(e, ERR_INVALID,
			       "address %s: wanted host:port, [v6]:port or unix:/path",
			       log_quote(text).text);
	memcpy(a.host, host, (size_t)(end - host));
	memcpy(a.port, port + 1, strlen(port));
	*address = a;
	return 0;
}
