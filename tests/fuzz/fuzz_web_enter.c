/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people type to come in, and to change that: names and passwords, codes of a second factor, links by which a password
 * is chosen, invitations, the code by which a command line is let in, tokens. Input: flags(1); then requests, as
 * web_world.h has them.
 *
 * What it says there holds; whoever has a second factor is not in without it; at most one person comes by an invitation;
 * and a sign-in or a change of what signs in is nothing without a field for the password.
 */
#include "computations/people/action.h"
#include "computations/people/device.h"
#include "computations/people/entry.h"
#include "computations/people/invitation.h"
#include "tests/fuzz/web_world.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { REQUESTS_MAX = 24, FIRST = 32 };

static const char *const patterns[] = {
	"/sign-in",
	"/sign-in/code",
	"/sign-in/code/passkey",
	"/sign-out",
	"/in/{secret}",
	"/link",
	"/password/{secret}",
	"/invite/{secret}",
	"/invite/{secret}/sign-in",
	"/invite/{secret}/join",
	"/me",
	"/me/password",
	"/me/change",
	"/me/factor",
	"/me/factor/confirm",
	"/me/factor/codes",
	"/me/factor/remove",
	"/me/token",
	"/me/passkey",
	"/me/passkey/fresh",
	"/passkey/{secret}",
	"/passkey/{secret}/use",
	"/me/device",
	"/me/device/let-in",
	"/me/device/passkey",
	"/me/device/refuse/{code}",
	NULL,
};

/* Somebody who is not suspended always administers the service: then there is no first administrator's link. */
static void give_link(uint8_t flags)
{
	char text[ENTRY_TEXT_LEN + 1];
	struct err e;

	if (flags & FIRST)
		assert(db_run(&world.store.db, &e, "UPDATE users SET administrator = 0", "") == 0);
	assert(entry_add(&world.store.db, flags & FIRST ? 0 : world.anna, store_now(), text, &e) ==
	       0);
	browser_know('u', text);
}

static void give_invitation(void)
{
	const struct invitation_wish wish = { .role = MEMBERSHIP_MEMBER, .note = "for <berta>" };
	struct workspace place CLEANUP_WORKSPACE = { .name = NULL };
	char text[INVITATION_TEXT_LEN + 1];
	int64_t number;
	struct err e;

	assert(workspace_first(&world.store.db, &place, &e) == 0);
	assert(invitation_add(&world.store.db, &place, 0, &wish, store_now(), &number, text, &e) ==
	       0);
	browser_know('v', text);
}

static void give_device(void)
{
	struct device d = { .about = "cli \"<&>\"", .peer = "192.0.2.7", .scope = ACTIONS_ALL };
	char secret[DEVICE_TEXT_LEN + 1];
	struct err e;

	assert(device_ask(&world.store.db, &d, store_now(), secret, &e) == 0);
	browser_know('d', d.code);
}

/* ---- what must hold ---- */

static int64_t tokens, members;

/* Whose session is the newest has a second factor. */
static bool has_factor(void)
{
	return web_world_count("SELECT count(*) FROM factors WHERE confirmed = 1 AND person ="
			       " (SELECT person FROM logins ORDER BY number DESC LIMIT 1)");
}

static void check(const struct browser_request *request, const struct browser_said *said,
		  const struct http_route *route)
{
	const int64_t tokens_now = web_world_count("SELECT count(*) FROM tokens"),
		      members_now = web_world_count("SELECT count(*) FROM workspace_members");

	if (said->is_in && route && strcmp(route->pattern, "/sign-in") == 0)
		assert(request->says_password && !has_factor());
	if (said->is_in && route && strncmp(route->pattern, "/sign-in/code", 13) == 0)
		assert(has_factor());
	assert(tokens_now <= tokens || request->says_password);
	/* The first administrator, and whoever took the invitation. */
	assert(web_world_count("SELECT count(*) FROM users") <= 3);
	assert(web_world_count("SELECT count(*) FROM invitations WHERE taken > 0") <= 1);
	assert(members_now <= members + 1);
	tokens = tokens_now;
	members = members_now;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	const uint8_t flags = reader_u8(&r);

	web_world_enter(flags | WORLD_PASSWORD, patterns);
	give_link(flags);
	give_invitation();
	give_device();
	tokens = 0;
	members = web_world_count("SELECT count(*) FROM workspace_members");
	for (int i = 0; i < REQUESTS_MAX && reader_ok(&r) && reader_left(&r); i++)
		web_world_ask(&r, check);
	web_world_leave();
	return 0;
}
