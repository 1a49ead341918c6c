/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_passkey_form.h — what the page's script sends of a passkey: fields of hexadecimal digits, in one order, each once.
 * It is more than the page's other forms may hold (web_form.h). For this folder only.
 */
#pragma once

#include "common/base/cleanup.h"
#include "computations/people/half.h"
#include "computations/people/passkey.h"

enum { WEB_TICKET_LEN = 8 + 16, WEB_BROUGHT_MAX = 16384 /* bytes of a body */ };

enum web_brought_part {
	BROUGHT_TICKET,
	BROUGHT_HALF, /* as text: of the second factor */
	BROUGHT_ID,
	BROUGHT_CLIENT,
	BROUGHT_DATA,
	BROUGHT_SIGNATURE,
	BROUGHT_HANDLE, /* may be empty */
	BROUGHT_OBJECT,
	BROUGHT_PARTS,
};

struct web_brought {
	struct span parts[BROUGHT_PARTS];
	char half[HALF_TEXT_LEN + 1];
	uint8_t bytes[]; /* of all of them */
};

/* A new one has ticket, client and object; one that is used the others, the half where `has_half`. */
enum web_brought_kind { BROUGHT_NEW, BROUGHT_USED, BROUGHT_SECOND, BROUGHT_KINDS };
int web_brought_read(const uint8_t *body, size_t len, enum web_brought_kind kind,
		     struct web_brought **brought, struct err *e) MUST_CHECK;
void web_brought_free(struct web_brought *brought);
DEFINE_CLEANUP(struct web_brought *, web_brought_free)

/* The field's name. */
const char *web_brought_name(enum web_brought_part part);
bool web_brought_has(enum web_brought_kind kind, enum web_brought_part part);
