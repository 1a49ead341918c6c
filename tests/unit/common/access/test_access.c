/* SPDX-License-Identifier: Apache-2.0 */
#include "common/access/access.h"
#include "common/base/file.h"
#include "tests/unit/folder.h"

#include <sys/stat.h>

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char table[] = "operator uid 0\n"
			    "operator spiffe spiffe://clinic.example/ops\n"
			    "tenant a uid 1001\n"
			    "tenant a gid 2000\n"
			    "tenant a subject CN=anna,O=Clinic\n"
			    "tenant a spiffe spiffe://clinic.example/a\n"
			    "limit a cpus 4\n"
			    "tenant b uid 1002\n"
			    "tenant b key " KEY "\n";

static const char *path_of(const char *name)
{
	static char path[sizeof(test_folder) + 32];

	snprintf(path, sizeof(path), "%s/%s", test_folder, name);
	return path;
}

static const char *put(const char *name, const char *text, mode_t mode)
{
	const char *path = path_of(name);
	struct err e;

	unlink(path);
	assert_ok(file_write(path, text, strlen(text), mode, &e), e);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static struct access *opened(const char *text)
{
	struct access *a;
	struct err e;

	assert_ok(access_open(put("access.conf", text, 0644), 1, &a, &e), e);
	return a;
}

#define UNIX(uid_, gid_) { .has_uid = true, .uid = uid_, .gid = gid_ }
#define NOBODY           "nobody"

static const struct {
	const char *what;
	struct rpc_identity identity;
	const char *is; /* a tenant; empty: an operator */
} identities[] = {
	{ "root", UNIX(0, 0), "" },
	{ "another user", UNIX(1, 0), NOBODY },
	{ "a's user", UNIX(1001, 1001), "a" },
	{ "a's group", UNIX(1003, 2000), "a" },
	{ "a's user and group", UNIX(1001, 2000), "a" },
	{ "b's user", UNIX(1002, 1002), "b" },
	{ "b's user in a's group: two", UNIX(1002, 2000), NOBODY },
	{ "root in a's group: two", UNIX(0, 2000), NOBODY },
	{ "no user, though 0 stands there", { .uid = 0, .gid = 0 }, NOBODY },
	{ "nothing at all", { .uid = 1001 }, NOBODY },
	{ "no group, though a's stands there", { .gid = 2000 }, NOBODY },
	{ "operators' id", { .spiffe = "spiffe://clinic.example/ops" }, "" },
	{ "a's id", { .spiffe = "spiffe://clinic.example/a" }, "a" },
	{ "below a's id", { .spiffe = "spiffe://clinic.example/a/b" }, NOBODY },
	{ "above a's id", { .spiffe = "spiffe://clinic.example" }, NOBODY },
	{ "an id of another trust domain", { .spiffe = "spiffe://clinic.example.org/a" }, NOBODY },
	{ "an id in another case", { .spiffe = "spiffe://clinic.example/A" }, NOBODY },
	{ "a's subject", { .subject = "CN=anna,O=Clinic" }, "a" },
	{ "a's subject in another case", { .subject = "CN=Anna,O=Clinic" }, NOBODY },
	{ "a's subject the other way round", { .subject = "O=Clinic,CN=anna" }, NOBODY },
	{ "a's subject in one name", { .subject = "CN=anna\\,O=Clinic" }, NOBODY },
	{ "a's subject and more", { .subject = "CN=anna,O=Clinic,C=DE" }, NOBODY },
	{ "a's subject with a zero", { .subject = "CN=anna\\00,O=Clinic" }, NOBODY },
	{ "a's id as a subject", { .subject = "CN=spiffe://clinic.example/a" }, NOBODY },
	{ "another issuer's a is a: the CA says so",
	  { .subject = "CN=anna,O=Clinic", .issuer = "CN=other" },
	  "a" },
	{ "b's key under any name", { .subject = "CN=x", .key = KEY }, "b" },
	{ "b's key under a's name: two", { .subject = "CN=anna,O=Clinic", .key = KEY }, NOBODY },
	{ "a's name and the operators' id: two",
	  { .subject = "CN=anna,O=Clinic", .spiffe = "spiffe://clinic.example/ops" },
	  NOBODY },
};

static void the_table_says_whose_a_caller_is(void **state)
{
	struct access *a = opened(table);

	for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
		struct access_caller caller;
		struct err e;
		int failed = access_who(a, &identities[i].identity, &caller, &e);

		if (strcmp(identities[i].is, NOBODY) == 0
			    ? failed == 0 || e.code != ERR_DENIED
			    : failed || strcmp(caller.tenant, identities[i].is) != 0)
			fail_msg("%s", identities[i].what);
		if (!failed)
			assert_true(caller.limits[ACCESS_CPUS] ==
				    (strcmp(caller.tenant, "a") == 0 ? 4 : ACCESS_NO_LIMIT));
	}
	access_close(a);
}

static void without_a_table_all_are_operators(void **state)
{
	struct access *a;
	struct err e;

	assert_ok(access_open(NULL, 1, &a, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
		struct access_caller caller;

		assert_ok(access_who(a, &identities[i].identity, &caller, &e), e);
		assert_string_equal(caller.tenant, "");
	}
	assert_ok(access_reload(a, &e), e);
	access_close(a);
}

/* Everybody, every right, everything: who x right x whose. */
#define G ACCESS_GRANTED
#define H ACCESS_HIDDEN
#define R ACCESS_REFUSED

static void the_whole_matrix_is_as_it_should_be(void **state)
{
	static const char *const callers[] = { "", "a", "b", "aa" };
	static const char *const owners[] = { "", "a", "b", "A" };
	static const enum access_answer answers[3][ARRAY_LEN(callers)][ARRAY_LEN(owners)] = {
		[ACCESS_OPERATE] = { { G, G, G, G },
				     { R, R, R, R },
				     { R, R, R, R },
				     { R, R, R, R } },
		[ACCESS_MAKE] = { { G, G, G, G }, { G, G, G, G }, { G, G, G, G }, { G, G, G, G } },
		[ACCESS_USE] = { { G, G, G, G }, { H, G, H, H }, { H, H, G, H }, { H, H, H, H } },
	};

	for (enum access_right right = ACCESS_OPERATE; right <= ACCESS_USE; right++)
		for (size_t c = 0; c < ARRAY_LEN(callers); c++)
			for (size_t o = 0; o < ARRAY_LEN(owners); o++) {
				struct access_caller caller = { .tenant = "" };

				strcpy(caller.tenant, callers[c]);
				if (access_decide(&caller, right, owners[o]) !=
				    answers[right][c][o])
					fail_msg("right %d of '%s' to '%s'", (int)right, callers[c],
						 owners[o]);
			}
}

static void a_broken_table_leaves_the_old_one(void **state)
{
	const struct rpc_identity a_user = UNIX(1001, 1001), c_user = UNIX(1003, 1003);
	struct access *a = opened(table);
	struct access_caller caller;
	struct err e;

	put("access.conf", "operator uid 0\ntenant c uid\n", 0644);
	assert_refused(access_reload(a, &e), e, ERR_INVALID, "access.conf:2: uid ''");
	assert_ok(access_who(a, &a_user, &caller, &e), e);
	assert_int_equal(unlink(path_of("access.conf")), 0);
	assert_refused(access_reload(a, &e), e, ERR_NOT_FOUND, "access.conf");
	assert_ok(access_who(a, &a_user, &caller, &e), e);
	put("access.conf", "operator uid 0\ntenant c uid 1003\n", 0644);
	assert_ok(access_reload(a, &e), e);
	assert_refused(access_who(a, &a_user, &caller, &e), e, ERR_DENIED, "does not know");
	assert_ok(access_who(a, &c_user, &caller, &e), e);
	assert_string_equal(caller.tenant, "c");
	access_close(a);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
	struct access *a;
	struct err e;

	assert_refused(access_open(put("open", table, 0664), 1, &a, &e), e, ERR_PRECONDITION,
		       "others may write it");
	assert_refused(access_open(put("open", table, 0646), 1, &a, &e), e, ERR_PRECONDITION,
		       "others may write it");
	assert_refused(access_open(test_folder, 1, &a, &e), e, ERR_PRECONDITION, "no regular file");
	assert_refused(access_open(path_of("none"), 1, &a, &e), e, ERR_NOT_FOUND, "none");
	if (geteuid() == 0) {
		assert_int_equal(chown(put("theirs", table, 0644), 1001, 1001), 0);
		assert_refused(access_open(path_of("theirs"), 1, &a, &e), e, ERR_PRECONDITION,
			       "give it to root");
	}
}

/* Of several authorities each can give any name to anybody. */
static void names_are_for_one_authority_alone(void **state)
{
	static const char keys[] =
		"operator uid 0\ntenant a key "
		"8b1a9953c4611296a827abf8c47804d78b1a9953c4611296a827abf8c47804d7\n";
	static const char *const named[] = { "operator uid 0\ntenant a subject CN=anna\n",
					     "operator spiffe spiffe://clinic.example/a\n" };
	struct access *a;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		const char *path = put("named", named[i], 0644);

		assert_refused(access_open(path, 2, &a, &e), e, ERR_PRECONDITION,
			       "2 client CAs gives it");
		for (unsigned authorities = 0; authorities < 2; authorities++) {
			assert_ok(access_open(path, authorities, &a, &e), e);
			access_close(a);
		}
	}
	assert_ok(access_open(put("named", keys, 0644), 2, &a, &e), e);
	(void)put("named", named[0], 0644);
	assert_refused(access_reload(a, &e), e, ERR_PRECONDITION, "named':2: a subject");
	access_close(a);
}

static void who_can_show_who_he_is_depends_on_the_way_he_comes(void **state)
{
	struct access *a = opened(table), *none;
	struct access_reach r = access_reach(a, true, false);
	struct err e;

	assert_int_equal(r.operators, 1);
	assert_int_equal(r.tenants, 3);
	assert_int_equal(r.others, 4);
	assert_int_equal(r.line, 2);
	r = access_reach(a, false, true);
	assert_int_equal(r.operators, 1);
	assert_int_equal(r.tenants, 3);
	assert_int_equal(r.others, 4);
	assert_int_equal(r.line, 1);
	r = access_reach(a, true, true);
	assert_int_equal(r.operators + r.tenants, 8);
	assert_int_equal(r.others, 0);
	r = access_reach(a, false, false);
	assert_int_equal(r.operators + r.tenants, 0);
	assert_int_equal(r.others, 8);
	access_close(a);
	assert_ok(access_open(NULL, 0, &none, &e), e);
	r = access_reach(none, true, true);
	assert_int_equal(r.operators + r.tenants + r.others, 0);
	access_close(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_says_whose_a_caller_is),
		cmocka_unit_test(without_a_table_all_are_operators),
		cmocka_unit_test(the_whole_matrix_is_as_it_should_be),
		cmocka_unit_test(a_broken_table_leaves_the_old_one),
		cmocka_unit_test(a_file_that_others_may_write_is_refused),
		cmocka_unit_test(names_are_for_one_authority_alone),
		cmocka_unit_test(who_can_show_who_he_is_depends_on_the_way_he_comes),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
