/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kex_group.h — the key exchanges that TLS of ours may use, one table for clients, servers, options and
 * policies. Names are those of IANA's registry "TLS Supported Groups".
 *
 * A hybrid one holds as long as either of its halves does: what is recorded today stays closed to who can
 * break the elliptic curve tomorrow (draft-ietf-tls-ecdhe-mlkem).
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KEX_GROUPS = 5,
	KEX_GROUPS_ALL = (1 << KEX_GROUPS) - 1,
	KEX_GROUPS_TEXT = 96, /* all names, with what is between them */
};

struct kex_group {
	const char *name;
	const char *openssl; /* of groups lists and of its object, where it has one */
	uint16_t id;         /* on the wire */
	bool is_hybrid;
};
/* The best first; a set of them has a bit for each, from the lowest. */
extern const struct kex_group kex_groups[KEX_GROUPS];

/* Adds the one of that name to the set. Unknown, or there already: ERR_INVALID. */
int kex_groups_add(const char *name, size_t len, uint32_t *set, struct err *e) MUST_CHECK;
/* "NAME[,NAME]". */
int kex_groups_parse(const char *text, uint32_t *set, struct err *e) MUST_CHECK;

struct kex_groups_text {
	char text[KEX_GROUPS_TEXT];
};
/* "X25519MLKEM768 or x25519"; of the empty set "". */
struct kex_groups_text kex_groups_show(uint32_t set);

/* The set that holds the one of this number alone; 0: it is none of ours. */
uint32_t kex_group_of(uint16_t id);
