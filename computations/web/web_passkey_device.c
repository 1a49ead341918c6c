/* SPDX-License-Identifier: Apache-2.0 */
/* web_passkey_device.c — a command line is let in (web_device.c) with a passkey, where others give their password. */
#include "computations/web/web_passkey.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_words.h"

/* ---- it is begun, in the session ---- */

static int run_begin(struct store *store, struct web_step *step, struct err *e)
{
	if (web_device_see_it(store, step, e) < 0)
		return err_code(e);
	if (!web_passkey_is_set(step->web))
		return err_set(e, ERR_PRECONDITION, "%s", WEB_PASSKEYS_NOT_HERE);
	return passkey_begin_device(&store->db, step->caller.who.person, step->caller.login,
				    step->device.code, store_now(), step->secret, e);
}

static void go(struct web_step *step)
{
	web_passkey_go(step->web, step->r, step->secret);
}

static void begun(struct web_step *step, const struct err *e)
{
	web_device_seen(step, e, go);
}

void web_device_passkey(struct http_request *r, void *data)
{
	static const char *const names[] = { "csrf", "code", NULL };
	static const struct web_step_way way = { .names = names, .run = run_begin, .done = begun };

	web_step_start(data, r, &way);
}

/* ---- it is shown, at the address that it is for ---- */

int web_device_passkey_look(struct store *store, struct web_enter *en, struct err *e)
{
	const struct web_bringing *b = en->more;

	if (web_passkey_look(store, en, true, e) < 0)
		return err_code(e);
	return device_find(&store->db, b->begun.device, store_now(), &en->device, e);
}

void web_device_passkey_show(struct web_enter *en, unsigned status, const struct err *e)
{
	const struct web_bringing *b = en->more;
	const struct web_passkey_ask ask = { .use = PASSKEY_LET_IN,
					     .word = "Let it in with a passkey",
					     .rows = b->rows,
					     .count = b->count,
					     .device = &en->device,
					     .user = b->begun.user };
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_passkey_page(
		en,
		&(struct web_passkey_page){ "Let a command line in", WEB_DEVICE_WARNING, &ask, e },
		&w);
	web_sign_in_reply(en->web, en->r, &w, status);
}

static int look(struct store *store, struct web_enter *en, struct err *e)
{
	const struct web_bringing *b = en->more;

	if (web_device_passkey_look(store, en, e) < 0)
		return err_code(e);
	if (!b->late.code)
		return 0;
	*e = b->late;
	return err_code(e);
}

/* Meanwhile the session may have ended. What is refused leaves the page as it is, for another try. */
static int keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct web_bringing *b = en->more;

	if (web_device_passkey_look(store, en, e) < 0 || web_bringing_check(store, en, true, e) < 0)
		return err_code(e);
	if (b->owner.person != b->begun.person)
		return err_set(e, ERR_UNAUTHENTICATED, "this passkey is another user's");
	if (en->refused.code)
		return 0;
	return passkey_begun_end(&store->db, &b->begun, e) < 0
		       ? err_code(e)
		       : device_answer(&store->db, en->device.code, b->begun.person, store_now(),
				       e);
}

void web_device_passkey_use(struct http_request *r, void *data)
{
	static const struct web_enter_way way = {
		TRAIL_LET_IN, false, look, keep, web_device_is_in, web_device_passkey_show
	};
	struct web_enter *en =
		web_bringing_read(data, r, &way, PASSKEY_LET_IN, web_passkey_secret(r));

	if (en)
		web_enter_start(en);
}
