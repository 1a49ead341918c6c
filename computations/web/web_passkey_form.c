/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_passkey_form.h"

#include "common/base/encode.h"

#include <stdlib.h>
#include <string.h>

#define NEW  (1U << BROUGHT_NEW)
#define USED (1U << BROUGHT_USED | 1U << BROUGHT_SECOND)

/* In the order in which they come. */
static const struct {
	const char *name;
	size_t min, max; /* bytes */
	unsigned kinds;
} parts[BROUGHT_PARTS] = {
	[BROUGHT_TICKET] = { "ticket", WEB_TICKET_LEN, WEB_TICKET_LEN, NEW | USED },
	[BROUGHT_HALF] = { "half", HALF_LEN, HALF_LEN, 1U << BROUGHT_SECOND },
	[BROUGHT_ID] = { "id", 1, WEBAUTHN_ID_MAX, USED },
	[BROUGHT_CLIENT] = { "client", 1, WEBAUTHN_CLIENT_MAX, NEW | USED },
	[BROUGHT_DATA] = { "data", 1, WEBAUTHN_DATA_MAX, USED },
	[BROUGHT_SIGNATURE] = { "signature", 1, SIGNATURE_MAX, USED },
	[BROUGHT_HANDLE] = { "handle", 0, PASSKEY_HANDLE_LEN, USED },
	[BROUGHT_OBJECT] = { "object", 1, WEBAUTHN_OBJECT_MAX, NEW },
};

const char *web_brought_name(enum web_brought_part part)
{
	return parts[part].name;
}

bool web_brought_has(enum web_brought_kind kind, enum web_brought_part part)
{
	return parts[part].kinds & 1U << kind;
}

void web_brought_free(struct web_brought *brought)
{
	free(brought);
}

static int refuse(enum web_brought_part part, struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "the form's %s is missing, too long, or not in hexadecimal: send it from "
		       "the page",
		       parts[part].name);
}

/* "name=", digits, and "&" unless it is the first. */
static int read_part(struct reader *r, enum web_brought_part part, bool is_first, uint8_t *out,
		     size_t *len, struct err *e)
{
	const char *name = parts[part].name;
	const uint8_t *lead = is_first ? NULL : reader_take(r, 1);
	const uint8_t *word = reader_take(r, strlen(name) + 1);
	size_t have = 0;

	if (!reader_ok(r) || (lead && *lead != '&') || memcmp(word, name, strlen(name)) != 0 ||
	    word[strlen(name)] != '=')
		return refuse(part, e);
	while (reader_left(r) && *r->pos != '&') {
		int high = hex_digit((char)reader_u8(r));
		int low = hex_digit((char)reader_u8(r));

		if (!reader_ok(r) || high < 0 || low < 0 || have == parts[part].max)
			return refuse(part, e);
		out[have++] = (uint8_t)(high << 4 | low);
	}
	if (have < parts[part].min)
		return refuse(part, e);
	*len = have;
	return 0;
}

int web_brought_read(const uint8_t *body, size_t len, enum web_brought_kind kind,
		     struct web_brought **brought, struct err *e)
{
	CLEANUP(web_brought_free) struct web_brought *made = NULL;
	struct reader r = reader_over(body, len);
	bool is_first = true;
	size_t at = 0;

	if (len > WEB_BROUGHT_MAX)
		return err_set(e, ERR_INVALID, "a form of %zu bytes; at most %d", len,
			       WEB_BROUGHT_MAX);
	made = calloc(1, sizeof(*made) + len / 2 + 1);
	if (!made)
		return err_nomem(e);
	for (int part = 0; part < BROUGHT_PARTS; part++) {
		struct span *s = &made->parts[part];

		if (!web_brought_has(kind, (enum web_brought_part)part))
			continue;
		s->bytes = made->bytes + at;
		if (read_part(&r, (enum web_brought_part)part, is_first, made->bytes + at, &s->len,
			      e) < 0)
			return err_code(e);
		at += s->len;
		is_first = false;
	}
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "the form has a field too much");
	if (made->parts[BROUGHT_HALF].len)
		hex_encode(made->parts[BROUGHT_HALF].bytes, HALF_LEN, made->half);
	*brought = TAKE_PTR(made);
	return 0;
}
