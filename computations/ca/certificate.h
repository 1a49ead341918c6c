/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.h — what the authority signs: certificates, and the list of those that are revoked.
 */
#pragma once

#include "computations/ca/authority.h"
#include "computations/ca/ca_role.h"

/* Behind the address that certificates say (authority.h), as the page has them. */
#define CERTIFICATE_STATUS_PATH "/ocsp"
#define CERTIFICATE_LIST_PATH   "/ca.crl" /* of the authority that issues */
#define CERTIFICATE_LISTS_PATH  "/ca/"    /* of each, behind it authority_list_name() */

enum { CA_LIST_MAX = 1 << 20 /* bytes of a list */ };

struct certificate_plan {
	const char *name, *serial;
	enum ca_role role;
	int64_t from, until; /* ms since 1970 */
};

/* Malloc'ed PEM. */
int certificate_sign(const struct authority *a, const struct certificate_plan *plan, EVP_PKEY *key,
		     char **pem, struct err *e) MUST_CHECK;

struct certificate_revoked {
	char serial[SERIAL_TEXT_LEN + 1];
	int64_t when;
};

/* A list (RFC 5280, section 5) of that number. Malloc'ed DER. */
struct certificate_list {
	int64_t number, from, until;
	const struct certificate_revoked *revoked;
	size_t count;
};
int certificate_list_sign(const struct authority *a, const struct certificate_list *list,
			  uint8_t **der, size_t *len, struct err *e) MUST_CHECK;
/* The same without the authority's key: for listeners of this process, which believe it themselves. */
int certificate_own_list(const struct authority *a, const struct certificate_list *list,
			 uint8_t **der, size_t *len, struct err *e) MUST_CHECK;
