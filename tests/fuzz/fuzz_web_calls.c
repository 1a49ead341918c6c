/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the service's page, one after the other, over a store in memory: sessions, forms, creations that are made
 * once, passkeys, the status of certificates. Input: flags(1); then requests, as web_world.h has them.
 *
 * What it says there holds; and a challenge lets in once.
 */
#include "tests/fuzz/web_world.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { REQUESTS_MAX = 24 };

/* The rows that need none of what only the daemon has: managers, hooks, mail, executors. */
static const char *const patterns[] = {
	"/api/computations",
	"/api/computations/{id}/manifest",
	"/api/me/tokens",
	"/api/me/tokens/{name}",
	"/new",
	"/me/passkey",
	"/me/passkey/fresh",
	"/me/tokens/{name}",
	"/link",
	"/in/{secret}",
	"/sign-in",
	"/sign-in/code",
	"/sign-in/passkey",
	"/sign-in/code/passkey",
	"/passkey/{secret}",
	"/passkey/{secret}/use",
	"/ocsp/{request}",
	"/ocsp",
	"/passkey.js",
	"/c/{id}/manifest",
	NULL,
};

static int64_t challenges; /* that were answered */

/* What a form's token is for: of a passkey that lets in, nothing was answered by it before. */
static void check_once(const struct browser_request *request, const struct browser_said *said,
		       const struct http_route *route)
{
	int64_t answered;

	if (!said->is_in || !route || strcmp(route->pattern, "/sign-in/passkey") != 0)
		return;
	answered = web_world_count("SELECT count(*) FROM passkey_answers");
	assert(answered > challenges);
	challenges = answered;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);

	challenges = 0;
	web_world_enter(reader_u8(&r), patterns);
	for (int i = 0; i < REQUESTS_MAX && reader_ok(&r) && reader_left(&r); i++)
		web_world_ask(&r, check_once);
	web_world_leave();
	return 0;
}
