/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_role.h — what certificates are for, and what a name in one may be.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum ca_role { CA_AGENT, CA_MANAGER, CA_SERVICE, CA_PERSON, CA_ROLES };

enum { CA_NAME_MAX = 63 };

struct ca_role_rule {
	const char *name;  /* "agent" */
	const char *usage; /* extended key usage, in OpenSSL's words */
	bool is_host; /* its name is that of a host, or an IPv4 address, which clients compare */
	uint32_t days, days_max;
};
extern const struct ca_role_rule ca_roles[CA_ROLES];

int ca_role_find(const char *name, enum ca_role *role, struct err *e) MUST_CHECK;

/* 1 to CA_NAME_MAX of a-z A-Z 0-9 . _ -, which a SPIFFE id's path can have; of a host: what a host can be called. */
int ca_name_check(const char *name, enum ca_role role, struct err *e) MUST_CHECK;
/* The name is an IPv4 address. */
bool ca_name_is_address(const char *name);
