/* SPDX-License-Identifier: Apache-2.0 */
/* web_passkey_in.c — in with a passkey: alone, or after the password instead of a code of the second factor. */
#include "computations/web/web_passkey.h"
#include "computations/web/web_second.h"
#include "computations/web/web_sign_in.h"

#include <stdio.h>
#include <string.h>

static int is_late(const struct web_bringing *b, struct err *e)
{
	if (!b->late.code)
		return 0;
	*e = b->late;
	return err_code(e);
}

/* ---- alone ---- */

static void sign_in_show(struct web_enter *en, unsigned status, const struct err *e)
{
	web_sign_in_show(en->web, en->r, "", status, e);
}

static int sign_in_look(struct store *store, struct web_enter *en, struct err *e)
{
	struct web_bringing *b = en->more;
	const struct span handle = b->brought->parts[BROUGHT_HANDLE];

	if (is_late(b, e) < 0 ||
	    passkey_find(&store->db, b->brought->parts[BROUGHT_ID], &b->owner, e) < 0)
		return err_code(e);
	/* Nobody gave a name: the device has to say whose it is. */
	if (!span_equal(handle, (struct span){ b->owner.handle, PASSKEY_HANDLE_LEN }))
		return err_set(e, ERR_UNAUTHENTICATED,
			       "this passkey is of another user than the device says");
	snprintf(en->user, sizeof(en->user), "%s", b->owner.user);
	en->person = en->owner.person = b->owner.person;
	return 0;
}

static int sign_in_keep(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_bringing_check(store, en, true, e) < 0)
		return err_code(e);
	/* The device, and what it asked for: that is both. */
	en->with_code = true;
	return en->refused.code ? 0 : web_enter_login(store, en, e);
}

void web_passkey_sign_in(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_PASSKEY, false,        sign_in_look,
						  sign_in_keep,  web_enter_in, sign_in_show };
	char browser[2 * WEB_BROWSER_LEN + 1];
	struct web_enter *en;
	bool is_new;
	struct err e;

	/* Without the cookie no challenge is this browser's. */
	if (web_passkey_browser(r, browser, &is_new, &e) < 0) {
		http_request_fail(r, &e);
		return;
	}
	en = web_bringing_read(data, r, &way, PASSKEY_SIGN_IN, browser);
	if (en)
		web_enter_start(en);
}

/* ---- after the password ---- */

static int second_look(struct store *store, struct web_enter *en, struct err *e)
{
	struct web_bringing *b = en->more;

	if (web_second_find(store, en, b->brought->half, e) < 0)
		return err_code(e);
	return is_late(b, e);
}

/* The password was one factor: a touch is the other. */
static int second_keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct web_bringing *b = en->more;
	const struct span handle = b->brought->parts[BROUGHT_HANDLE];

	if (web_bringing_check(store, en, false, e) < 0)
		return err_code(e);
	if (b->owner.person != en->person ||
	    (handle.len &&
	     !span_equal(handle, (struct span){ b->owner.handle, PASSKEY_HANDLE_LEN })))
		return err_set(e, ERR_UNAUTHENTICATED, "this passkey is another user's");
	return en->refused.code ? 0 : web_second_in(store, en, e);
}

void web_passkey_second(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_PASSKEY, false,        second_look,
						  second_keep,   web_enter_in, web_second_show };
	struct web_enter *en = web_bringing_read(data, r, &way, PASSKEY_SECOND, NULL);

	if (en)
		web_enter_start(en);
}
