/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A password takes its time: what changes between the transaction that finds it and the one that keeps what it was given for
 * counts in the second.
 */
#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "computations/core/sign_in_rate.h"
#include "computations/people/device.h"
#include "computations/people/login.h"
#include "computations/people/password.h"
#include "computations/web/web_door.h"
#include "computations/web/web_trail.h"
#include "tests/unit/computations/web_room.h"

#include <stdlib.h>
#include <string.h>

enum { MADE_MEMORY = 9 }; /* of a password that was chosen, to be known again */

struct place {
	struct web_room page;
	int64_t anna;
	char session[LOGIN_TEXT_LEN + 1], cookie[LOGIN_TEXT_LEN + 32];
	char csrf[2 * SHA256_LEN + 1];
	struct device device; /* that waits to be let in */
	int (*meanwhile)(struct place *p);
	int failed; /* of it */
};

static struct place *here;

static struct db *db_of(struct place *p)
{
	return web_room_db(&p->page);
}

/* ---- meanwhile ---- */

/* It is what was found, whatever was given. */
int __wrap_password_matches(const struct password *p, const char *text, bool *matches,
			    struct err *e);
int __wrap_password_matches(const struct password *p, const char *text, bool *matches,
			    struct err *e)
{
	(void)p;
	(void)text;
	(void)e;
	*matches = true;
	return 0;
}

int __wrap_password_make(const char *text, struct password *p, struct err *e);
int __wrap_password_make(const char *text, struct password *p, struct err *e)
{
	(void)text;
	(void)e;
	*p = (struct password){ .memory = MADE_MEMORY, .passes = 1 };
	return 0;
}

/* On the loop, when it was compared: the queue is idle. */
int __real_web_trail_admit(struct web_trail *t, const char *by, struct err *e);
int __wrap_web_trail_admit(struct web_trail *t, const char *by, struct err *e);
int __wrap_web_trail_admit(struct web_trail *t, const char *by, struct err *e)
{
	if (here->meanwhile)
		here->failed = here->meanwhile(here);
	here->meanwhile = NULL;
	return __real_web_trail_admit(t, by, e);
}

static int give_password(struct place *p, uint8_t first)
{
	const struct password password = { .memory = 8, .passes = 1, .hash = { first } };

	return password_set(db_of(p), p->anna, &password, store_now(), &p->page.room->e);
}

/* Sessions are ended by that, too, which is another row. */
static int another_password(struct place *p)
{
	return give_password(p, 2);
}

static int suspended(struct place *p)
{
	return user_suspend(db_of(p), "anna", true, &p->page.room->e);
}

static int signed_out(struct place *p)
{
	return login_end_others(db_of(p), p->anna, 0, &p->page.room->e);
}

static int refused(struct place *p)
{
	return device_answer(db_of(p), p->device.code, 0, store_now(), &p->page.room->e);
}

/* ---- a page, without a connection ---- */

static void come_in(struct place *p)
{
	const struct login from = { .peer = (char[]){ "here" }, .about = (char[]){ "" } };
	static const char use[] = "cocos csrf";
	uint8_t made[SHA256_LEN];

	assert_ok(
		login_add(db_of(p), p->anna, "", &from, store_now(), p->session, &p->page.room->e),
		p->page.room->e);
	snprintf(p->cookie, sizeof(p->cookie), "__Host-" WEB_COOKIE "=%s", p->session);
	assert_ok(hmac(DIGEST_SHA256, p->session, LOGIN_TEXT_LEN, use, sizeof(use) - 1, made,
		       &p->page.room->e),
		  p->page.room->e);
	hex_encode(made, sizeof(made), p->csrf);
	p->csrf[2 * SHA256_LEN] = 0;
}

static int enter(void **state)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct place *p = calloc(1, sizeof(*p));

	if (!p || web_room_open(&p->page, &people_rpc) < 0)
		return -1;
	store_room_user(p->page.room, "anna");
	assert_ok(user_find(db_of(p), "anna", &u, &p->page.room->e), p->page.room->e);
	p->anna = u.number;
	come_in(p);
	p->page.cookie = p->cookie;
	assert_ok(sign_in_rate_new(&p->page.web.rate, &p->page.room->e), p->page.room->e);
	p->page.service.sign_in = true;
	snprintf(p->page.web.passkeys.origin, sizeof(p->page.web.passkeys.origin),
		 "https://localhost");
	snprintf(p->page.web.passkeys.name, sizeof(p->page.web.passkeys.name), "localhost");
	*state = here = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;
	int failed;

	sign_in_rate_free(p->page.web.rate);
	failed = web_room_close(&p->page);
	here = NULL;
	free(p);
	return failed;
}

/* A form, in the session. */
static void post(struct place *p, const char *target, const char *body)
{
	const struct rpc_web_request q = { .method = "POST",
					   .target = target,
					   .authority = "localhost",
					   .content_type = "application/x-www-form-urlencoded" };

	web_room_ask(&p->page, &q, body, false);
	assert_ok(p->failed, p->page.room->e);
}

/* ---- what counts ---- */

struct form {
	const char *target, *fields; /* a %s: the session's token; another: the code of who waits */
	const char *made;            /* how many there are of what it is for */
	unsigned good;               /* of the answer where nothing happens */
	struct {
		int (*happens)(struct place *p);
		unsigned status;
	} rows[4];
};

static void give(struct place *p, const struct form *f, unsigned status, int64_t made)
{
	char body[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(body, sizeof(body), f->fields, p->csrf, p->device.code);
#pragma GCC diagnostic pop
	post(p, f->target, body);
	if (p->page.status != status)
		print_error("%s: %u %s\n", f->target, p->page.status, p->page.said);
	assert_int_equal(p->page.status, status);
	assert_null(p->meanwhile);
	assert_int_equal(web_room_number(&p->page, f->made), made);
}

/* Each of them, and then nothing, in the same place. */
static void check(struct place *p, const struct form *f, bool has_password)
{
	const int64_t before = web_room_number(&p->page, f->made);

	for (size_t i = 0; i < ARRAY_LEN(f->rows) && f->rows[i].happens; i++) {
		if (has_password)
			assert_ok(give_password(p, 1), p->page.room->e);
		p->meanwhile = f->rows[i].happens;
		give(p, f, f->rows[i].status, before);
		assert_ok(user_suspend(db_of(p), "anna", false, &p->page.room->e), p->page.room->e);
		if (f->rows[i].happens == signed_out)
			come_in(p);
		if (!has_password)
			assert_ok(db_run(db_of(p), &p->page.room->e, "DELETE FROM passwords", ""),
				  p->page.room->e);
	}
	if (has_password)
		assert_ok(give_password(p, 1), p->page.room->e);
	give(p, f, f->good, before + 1);
}

static void a_session_begins_with_the_password_as_it_is(void **state)
{
	static const struct form form = { "/sign-in",
					  "name=anna&password=x",
					  "SELECT count(*) FROM logins WHERE peer = 'test'",
					  303,
					  { { another_password, 401 }, { suspended, 401 } } };

	check(*state, &form, true);
}

static void so_does_a_second_factor(void **state)
{
	static const struct form form = {
		"/me/factor",
		"csrf=%s&password=x",
		"SELECT count(*) FROM factors",
		200,
		{ { another_password, 401 }, { suspended, 401 }, { signed_out, 401 } }
	};

	check(*state, &form, true);
}

static void so_does_a_passkey(void **state)
{
	static const struct form form = {
		"/me/passkey",
		"csrf=%s&name=phone&password=x",
		"SELECT count(*) FROM passkeys_begun",
		303,
		{ { another_password, 401 }, { suspended, 401 }, { signed_out, 401 } }
	};

	check(*state, &form, true);
}

/* Where there was none, a session that has just begun is enough: not beside one that was chosen meanwhile. */
static void without_a_password_there_is_still_none(void **state)
{
	static const struct form form = {
		"/me/passkey/fresh",
		"csrf=%s&name=phone",
		"SELECT count(*) FROM passkeys_begun",
		303,
		{ { another_password, 403 }, { suspended, 401 }, { signed_out, 401 } }
	};

	check(*state, &form, false);
}

static void a_command_line_is_let_in_by_the_password_as_it_is(void **state)
{
	static const struct form form = {
		"/me/device/let-in",
		"csrf=%s&code=%s&password=x",
		"SELECT count(*) FROM devices WHERE person IS NOT NULL",
		200,
		{ { another_password, 401 }, { suspended, 401 }, { signed_out, 401 } }
	};
	static const struct form late = { "/me/device/let-in",
					  "csrf=%s&code=%s&password=x",
					  "SELECT count(*) FROM devices WHERE refused <> 1",
					  400,
					  { { NULL, 0 } } };
	char secret[DEVICE_TEXT_LEN + 1];
	struct place *p = *state;

	p->device = (struct device){ .about = "laptop", .peer = "192.0.2.1", .scope = 1 };
	assert_ok(device_ask(db_of(p), &p->device, store_now(), secret, &p->page.room->e),
		  p->page.room->e);
	check(p, &form, true);
	/* Another one, which is refused meanwhile. */
	assert_ok(device_ask(db_of(p), &p->device, store_now(), secret, &p->page.room->e),
		  p->page.room->e);
	p->meanwhile = refused;
	give(p, &late, 400, 1);
}

/* Whoever changes it anywhere else ends this session. */
static void another_password_is_chosen_in_a_session_that_is_there(void **state)
{
	static const struct form form = {
		"/me/change",
		"csrf=%s&now=x&password=a+horse+of+seven+stables&again=a+horse+of+seven+stables",
		"SELECT count(*) FROM passwords WHERE memory = 9",
		303,
		{ { suspended, 401 }, { signed_out, 401 } }
	};

	_Static_assert(MADE_MEMORY == 9, "as it stands there");
	check(*state, &form, true);
}

/* A token is a call of its own, behind the password, and asks again who calls. */
static void a_token_is_made_in_a_session_that_is_there(void **state)
{
	static const struct form form = { "/me/token",
					  "csrf=%s&name=t&days=1&view=true&password=x",
					  "SELECT count(*) FROM tokens",
					  200,
					  { { suspended, 401 }, { signed_out, 401 } } };

	check(*state, &form, true);
}

#define PLACE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(a_session_begins_with_the_password_as_it_is),
		PLACE(so_does_a_second_factor),
		PLACE(so_does_a_passkey),
		PLACE(without_a_password_there_is_still_none),
		PLACE(a_command_line_is_let_in_by_the_password_as_it_is),
		PLACE(another_password_is_chosen_in_a_session_that_is_there),
		PLACE(a_token_is_made_in_a_session_that_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
