/* SPDX-License-Identifier: Apache-2.0 */
/* The ticket by which a passkey's challenge comes back: for one use, one recipient, one service, and a while. */
#include "computations/web/web_passkey.h"
#include "tests/unit.h"

#include <time.h>

static int64_t now_ms;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){ now_ms / 1000, now_ms % 1000 * 1000000 };
	return 0;
}

struct room {
	struct web web;
	struct web_challenge made;
	uint8_t challenge[WEBAUTHN_CHALLENGE_LEN];
	struct err e;
};

static int enter(void **state)
{
	struct room *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	now_ms = 1000000;
	memset(t->web.secret, 7, sizeof(t->web.secret));
	assert_ok(web_challenge_make(&t->web, PASSKEY_SIGN_IN, "browser", &t->made, &t->e), t->e);
	*state = t;
	return 0;
}

static int leave(void **state)
{
	free(*state);
	return 0;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

static int of(struct room *t, enum web_passkey_use use, const char *to, size_t len)
{
	return web_challenge_of(&t->web, use, to, (struct span){ t->made.ticket, len },
				t->challenge, &t->e);
}

static void a_ticket_has_its_challenge(void **state)
{
	struct room *t = *state;

	assert_ok(of(t, PASSKEY_SIGN_IN, "browser", WEB_TICKET_LEN), t->e);
	assert_memory_equal(t->challenge, t->made.challenge, WEBAUTHN_CHALLENGE_LEN);
}

static void every_truncation_is_refused(void **state)
{
	struct room *t = *state;
	uint8_t longer[WEB_TICKET_LEN + 1] = { 0 };

	for (size_t len = 0; len < WEB_TICKET_LEN; len++)
		assert_int_equal(of(t, PASSKEY_SIGN_IN, "browser", len), -ERR_UNAUTHENTICATED);
	memcpy(longer, t->made.ticket, WEB_TICKET_LEN);
	assert_int_equal(web_challenge_of(&t->web, PASSKEY_SIGN_IN, "browser",
					  (struct span){ longer, sizeof(longer) }, t->challenge,
					  &t->e),
			 -ERR_UNAUTHENTICATED);
}

static void it_is_too_old_after_a_while(void **state)
{
	struct room *t = *state;

	now_ms += WEB_CHALLENGE_MS;
	assert_ok(of(t, PASSKEY_SIGN_IN, "browser", WEB_TICKET_LEN), t->e);
	now_ms++;
	assert_refused(of(t, PASSKEY_SIGN_IN, "browser", WEB_TICKET_LEN), t->e, ERR_UNAUTHENTICATED,
		       "older than 5 minutes");
}

static void one_of_later_is_refused(void **state)
{
	struct room *t = *state;

	now_ms--;
	assert_int_equal(of(t, PASSKEY_SIGN_IN, "browser", WEB_TICKET_LEN), -ERR_UNAUTHENTICATED);
	memset(t->made.ticket, 0xff, 8);
	assert_int_equal(of(t, PASSKEY_SIGN_IN, "browser", WEB_TICKET_LEN), -ERR_UNAUTHENTICATED);
}

static void another_s_challenge_is_another(void **state)
{
	struct room *t = *state;

	assert_ok(of(t, PASSKEY_SECOND, "browser", WEB_TICKET_LEN), t->e);
	assert_memory_not_equal(t->challenge, t->made.challenge, WEBAUTHN_CHALLENGE_LEN);
	assert_ok(of(t, PASSKEY_SIGN_IN, "browse", WEB_TICKET_LEN), t->e);
	assert_memory_not_equal(t->challenge, t->made.challenge, WEBAUTHN_CHALLENGE_LEN);
	t->web.secret[0] ^= 1;
	assert_ok(of(t, PASSKEY_SIGN_IN, "browser", WEB_TICKET_LEN), t->e);
	assert_memory_not_equal(t->challenge, t->made.challenge, WEBAUTHN_CHALLENGE_LEN);
}

/* Each bit of the ticket: too old, too early, or another challenge. */
static void every_changed_bit_is_seen(void **state)
{
	struct room *t = *state;

	for (size_t bit = 0; bit < 8 * (size_t)WEB_TICKET_LEN; bit++) {
		t->made.ticket[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (of(t, PASSKEY_SIGN_IN, "browser", WEB_TICKET_LEN) == 0)
			assert_memory_not_equal(t->challenge, t->made.challenge,
						WEBAUTHN_CHALLENGE_LEN);
		t->made.ticket[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* A recipient that does not fit is refused; it is one of ours. */
static void a_recipient_has_a_limit(void **state)
{
	struct room *t = *state;
	char to[256];
	/* Behind the use's name with its zero byte, and the ticket. */
	const size_t most = 256 - sizeof("passkey sign in") - WEB_TICKET_LEN;

	memset(to, 'a', sizeof(to));
	to[most + 1] = 0;
	assert_int_equal(of(t, PASSKEY_SIGN_IN, to, WEB_TICKET_LEN), -ERR_EXHAUSTED);
	to[most] = 0;
	assert_ok(of(t, PASSKEY_SIGN_IN, to, WEB_TICKET_LEN), t->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_ticket_has_its_challenge),     ROW(every_truncation_is_refused),
		ROW(it_is_too_old_after_a_while),    ROW(one_of_later_is_refused),
		ROW(another_s_challenge_is_another), ROW(every_changed_bit_is_seen),
		ROW(a_recipient_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
