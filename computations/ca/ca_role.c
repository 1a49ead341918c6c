/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_role.h"

#include "common/base/log.h"

#include <arpa/inet.h>
#include <string.h>

#define SMALL  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Agents and people only call; the service also calls managers. */
const struct ca_role_rule ca_roles[CA_ROLES] = {
	[CA_AGENT] = { "agent", "clientAuth", false, 1, 7 },
	[CA_MANAGER] = { "manager", "serverAuth", true, 30, 90 },
	[CA_SERVICE] = { "service", "serverAuth,clientAuth", true, 30, 90 },
	[CA_PERSON] = { "person", "clientAuth", false, 7, 30 },
};

int ca_role_find(const char *name, enum ca_role *role, struct err *e)
{
	for (int i = 0; i < CA_ROLES; i++)
		if (strcmp(ca_roles[i].name, name) == 0) {
			*role = (enum ca_role)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "role %s: it is agent, manager, service or person",
		       log_quote(name).text);
}

bool ca_name_is_address(const char *name)
{
	struct in_addr address;

	return inet_pton(AF_INET, name, &address) == 1;
}

/* Labels of letters, digits and '-', which is neither first nor last (RFC 1123, section 2.1); the last one is no
 * number, which would be an address that is none. */
static bool is_host(const char *name)
{
	for (const char *label = name;; label++) {
		size_t len = strspn(label, SMALL DIGITS "-");

		if (!len || label[0] == '-' || label[len - 1] == '-')
			return false;
		if (!label[len])
			return strspn(label, DIGITS) != len;
		if (label[len] != '.')
			return false;
		label += len;
	}
}

int ca_name_check(const char *name, enum ca_role role, struct err *e)
{
	static const char all[] = SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "._-";
	size_t len = strlen(name);

	if (ca_roles[role].is_host && len <= CA_NAME_MAX &&
	    (ca_name_is_address(name) || is_host(name)))
		return 0;
	if (ca_roles[role].is_host)
		return err_set(
			e, ERR_INVALID,
			"name %s: the certificate of a %s is for a host, such as "
			"vm1.example.org or 192.0.2.1, of at most %d characters in lower case",
			log_quote(name).text, ca_roles[role].name, CA_NAME_MAX);
	if (len < 1 || len > CA_NAME_MAX || strspn(name, all) != len || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return err_set(e, ERR_INVALID,
			       "name %s: the name in a certificate is 1 to %d of a-z A-Z 0-9 . _ -",
			       log_quote(name).text, CA_NAME_MAX);
	return 0;
}
