/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_door.h"
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

/* What a link and a cookie are made of. */
struct browser {
	struct web_door door;
	char host[WEB_URL_MAX], secret[WEB_URL_MAX], cookie[WEB_URL_MAX];
	struct err e;
};

/* What the link of whoever may open the socket becomes. */
static int pass_in(struct web_door *door, const char *host, const char *secret,
		   char cookie[WEB_URL_MAX], struct err *e)
{
	struct web_pass pass;

	if (web_door_take(door, host, secret, &pass, e) < 0)
		return err_code(e);
	assert_int_equal(pass.person, 0);
	return web_door_begin(door, &pass, cookie, e);
}

static void get_link(struct browser *b)
{
	char url[WEB_URL_MAX], *slash;

	assert_ok(web_door_link(&b->door, 0, false, url, &b->e), b->e);
	assert_memory_equal(url, "http://", 7);
	slash = strchr(url + 7, '/');
	assert_non_null(slash);
	assert_memory_equal(slash, "/in/", 4);
	strcpy(b->secret, slash + 4);
	*slash = 0;
	strcpy(b->host, url + 7);
	assert_int_equal(strlen(b->secret), 2 * WEB_SECRET_LEN);
}

static void come_in(struct browser *b)
{
	char set[WEB_URL_MAX], *end;

	get_link(b);
	assert_ok(pass_in(&b->door, b->host, b->secret, set, &b->e), b->e);
	assert_memory_equal(set, "cocos-session=", 14);
	end = strchr(set, ';');
	assert_string_equal(end, "; Path=/; HttpOnly; SameSite=Strict");
	*end = 0;
	strcpy(b->cookie, set + 14);
}

static void a_link_works_once(void **state)
{
	struct browser b = { .door.port = 80 };
	char set[WEB_URL_MAX];

	come_in(&b);
	assert_ok(web_door_session(&b.door, b.host, b.cookie, &b.e), b.e);
	assert_int_equal(pass_in(&b.door, b.host, b.secret, set, &b.e), -ERR_UNAUTHENTICATED);
	assert_int_equal(web_door_session(&b.door, b.host, b.secret, &b.e), -ERR_UNAUTHENTICATED);
}

static void a_link_is_for_its_own_host(void **state)
{
	struct browser b = { .door.port = 80 };
	char set[WEB_URL_MAX];

	get_link(&b);
	assert_int_equal(pass_in(&b.door, "localhost:80", b.secret, set, &b.e),
			 -ERR_UNAUTHENTICATED);
	assert_int_equal(pass_in(&b.door, "", b.secret, set, &b.e), -ERR_UNAUTHENTICATED);
	assert_ok(pass_in(&b.door, b.host, b.secret, set, &b.e), b.e);
}

static void every_other_secret_is_refused(void **state)
{
	struct browser b = { .door.port = 80 };

	come_in(&b);
	for (size_t i = 0; b.cookie[i]; i++) {
		char other[WEB_URL_MAX];

		strcpy(other, b.cookie);
		other[i] = other[i] == '0' ? '1' : '0';
		assert_int_equal(web_door_session(&b.door, b.host, other, &b.e),
				 -ERR_UNAUTHENTICATED);
		other[i] = 0;
		assert_int_equal(web_door_session(&b.door, b.host, other, &b.e),
				 -ERR_UNAUTHENTICATED);
	}
	assert_int_equal(web_door_session(&b.door, b.host, NULL, &b.e), -ERR_UNAUTHENTICATED);
	assert_int_equal(web_door_session(&b.door, "localhost:80", b.cookie, &b.e),
			 -ERR_UNAUTHENTICATED);
	assert_ok(web_door_session(&b.door, b.host, b.cookie, &b.e), b.e);
}

static void an_empty_door_lets_nobody_in(void **state)
{
	char zeros[2 * WEB_SECRET_LEN + 1] = "", set[WEB_URL_MAX];
	struct browser b = { .door.port = 80 };

	memset(zeros, '0', sizeof(zeros) - 1);
	assert_int_equal(web_door_session(&b.door, ".localhost:80", zeros, &b.e),
			 -ERR_UNAUTHENTICATED);
	assert_int_equal(pass_in(&b.door, ".localhost:80", zeros, set, &b.e), -ERR_UNAUTHENTICATED);
}

static void the_oldest_link_and_session_give_way(void **state)
{
	static struct browser b = { .door.port = 80 }, first;
	char set[WEB_URL_MAX];

	get_link(&b);
	first = b;
	b.door.links[0].seen -= 1;
	for (int i = 0; i < WEB_LINKS_MAX; i++)
		get_link(&b);
	assert_int_equal(pass_in(&b.door, first.host, first.secret, set, &b.e),
			 -ERR_UNAUTHENTICATED);
	come_in(&b);
	first = b;
	b.door.sessions[0].seen -= 1;
	for (int i = 0; i < WEB_SESSIONS_MAX; i++)
		come_in(&b);
	assert_int_equal(web_door_session(&b.door, first.host, first.cookie, &b.e),
			 -ERR_UNAUTHENTICATED);
	assert_ok(web_door_session(&b.door, b.host, b.cookie, &b.e), b.e);
}

static void all_of_it_ends(void **state)
{
	static const int64_t slack = 60 * 1000;
	struct browser b = { .door.port = 80 };
	char set[WEB_URL_MAX];

	get_link(&b);
	b.door.links[0].made -= WEB_LINK_MS + slack;
	assert_int_equal(pass_in(&b.door, b.host, b.secret, set, &b.e), -ERR_UNAUTHENTICATED);
	come_in(&b);
	b.door.sessions[0].seen -= WEB_IDLE_MS - slack;
	assert_ok(web_door_session(&b.door, b.host, b.cookie, &b.e), b.e);
	b.door.sessions[0].seen -= WEB_IDLE_MS + slack;
	assert_int_equal(web_door_session(&b.door, b.host, b.cookie, &b.e), -ERR_UNAUTHENTICATED);
	come_in(&b);
	for (size_t i = 0; i < WEB_SESSIONS_MAX; i++)
		b.door.sessions[i].made -= WEB_LONGEST_MS + slack;
	assert_int_equal(web_door_session(&b.door, b.host, b.cookie, &b.e), -ERR_UNAUTHENTICATED);
}

static void a_link_of_somebody_who_signed_in_says_who(void **state)
{
	struct browser b = { .door.port = 80 };
	char url[WEB_URL_MAX], name[2 * WEB_NAME_LEN + 1], other[WEB_URL_MAX];
	struct web_pass pass;
	char *slash;

	assert_ok(web_door_link(&b.door, 7, false, url, &b.e), b.e);
	slash = strchr(url + 7, '/');
	*slash = 0;
	assert_ok(web_door_take(&b.door, url + 7, slash + 4, &pass, &b.e), b.e);
	assert_int_equal(pass.person, 7);
	assert_true(web_door_name(&b.door, url + 7, name));
	assert_string_equal(name, pass.name);
	assert_false(web_door_name(&b.door, "localhost:80", name));
	snprintf(other, sizeof(other), "%s.localhost:81", pass.name);
	assert_false(web_door_name(&b.door, other, name));
	snprintf(other, sizeof(other), "0%s.localhost:80", pass.name);
	assert_false(web_door_name(&b.door, other, name));
	snprintf(other, sizeof(other), "%s.evil.localhost:80", pass.name);
	assert_false(web_door_name(&b.door, other, name));
}

static void who_leaves_is_out(void **state)
{
	struct browser b = { .door.port = 80 };

	come_in(&b);
	web_door_end(&b.door, "x");
	assert_ok(web_door_session(&b.door, b.host, b.cookie, &b.e), b.e);
	web_door_end(&b.door, b.cookie);
	assert_int_equal(web_door_session(&b.door, b.host, b.cookie, &b.e), -ERR_UNAUTHENTICATED);
}

static bool still_leads_in(struct web_door *door, char url[WEB_URL_MAX])
{
	struct web_pass pass;
	char *slash = strchr(url + 7, '/');
	struct err e;

	*slash = 0;
	return web_door_take(door, url + 7, slash + 4, &pass, &e) == 0;
}

static void the_links_of_one_are_forgotten(void **state)
{
	struct web_door door = { .port = 80 };
	char hers[WEB_URL_MAX], his[WEB_URL_MAX], nobodys[WEB_URL_MAX];
	struct err e;

	assert_ok(web_door_link(&door, 1, false, hers, &e), e);
	assert_ok(web_door_link(&door, 2, false, his, &e), e);
	assert_ok(web_door_link(&door, 0, false, nobodys, &e), e);
	web_door_forget(&door, 1);
	web_door_forget(&door, 0); /* of whoever may open the socket: they are no person's */
	assert_false(still_leads_in(&door, hers));
	assert_true(still_leads_in(&door, his));
	assert_true(still_leads_in(&door, nobodys));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_works_once),
		cmocka_unit_test(a_link_is_for_its_own_host),
		cmocka_unit_test(every_other_secret_is_refused),
		cmocka_unit_test(an_empty_door_lets_nobody_in),
		cmocka_unit_test(the_oldest_link_and_session_give_way),
		cmocka_unit_test(all_of_it_ends),
		cmocka_unit_test(a_link_of_somebody_who_signed_in_says_who),
		cmocka_unit_test(who_leaves_is_out),
		cmocka_unit_test(the_links_of_one_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
