/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's records in the database: what a token is worth, and for how long; lists of revoked certificates. */
#include "common/base/file.h"
#include "computations/ca/ca_record.h"
#include "computations/ca/signing_request.h"
#include "tests/unit/computations/store_room.h"

#include <string.h>
#include <openssl/x509v3.h>

#define NOW INT64_C(1800000000000)
enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };

struct ca_room {
	struct store_room *store;
	struct authority *authority;
	EVP_PKEY *key;
	uint8_t request[SIGNING_REQUEST_MAX];
	size_t len;
	struct err e;
};

static struct db *db_of(struct ca_room *f)
{
	return &f->store->store.db;
}

static void make_request(struct ca_room *f)
{
	X509_REQ *request = X509_REQ_new();
	uint8_t *at = f->request;

	assert_non_null(request);
	assert_true(X509_REQ_set_pubkey(request, f->key) &&
		    X509_REQ_sign(request, f->key, EVP_sha256()));
	f->len = (size_t)i2d_X509_REQ(request, &at);
	X509_REQ_free(request);
}

static int enter(void **state)
{
	struct ca_room *f = calloc(1, sizeof(*f));
	char cert[128], key[128];
	bool is_new;

	if (store_room_enter((void **)&f->store) < 0)
		return -1;
	snprintf(cert, sizeof(cert), "%s/ca.pem", f->store->dir);
	snprintf(key, sizeof(key), "%s/ca-key.pem", f->store->dir);
	assert_ok(authority_make("example.org", cert, key, NOW, &is_new, &f->e), f->e);
	assert_ok(authority_load(cert, key, NOW, &f->authority, &f->e), f->e);
	assert_ok(key_generate(KEY_ECDSA, &f->key, &f->e), f->e);
	make_request(f);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct ca_room *f = *state;
	int failed;

	authority_free(f->authority);
	EVP_PKEY_free(f->key);
	failed = store_room_leave((void **)&f->store);
	free(f);
	return failed;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

static struct ca_record add(struct ca_room *f, struct ca_wish wish, const char *maker,
			    char text[CA_TOKEN_TEXT_LEN + 1])
{
	struct ca_record made;

	assert_ok(ca_token_add(db_of(f), &wish, maker, NOW, &made, text, &f->e), f->e);
	assert_int_equal(strlen(text), CA_TOKEN_TEXT_LEN);
	assert_int_equal(strlen(made.serial), SERIAL_TEXT_LEN);
	return made;
}

static int issue(struct ca_room *f, const char *text, int64_t now, struct ca_record *issued)
{
	CLEANUP(free) char *pem = NULL;

	return ca_issue(db_of(f), f->authority, text, (struct span){ f->request, f->len }, now,
			issued, &pem, &f->e);
}

static void check_refused(struct ca_room *f, const char *text, int64_t now)
{
	struct ca_record issued;

	assert_refused(issue(f, text, now, &issued), f->e, ERR_UNAUTHENTICATED,
		       "this token was used or revoked, has ended, or is none of ours");
}

/* How many are in a new list, and its number. */
static int read_list(struct ca_room *f, int64_t now, int64_t *number)
{
	CLEANUP(free) uint8_t *der = NULL;
	const uint8_t *at;
	STACK_OF(X509_REVOKED) * rows;
	ASN1_INTEGER *n;
	X509_CRL *crl;
	size_t len;
	int count;

	assert_ok(ca_crl(db_of(f), f->authority, now, &der, &len, &f->e), f->e);
	at = der;
	crl = d2i_X509_CRL(NULL, &at, (long)len);
	assert_true(crl && at == der + len);
	assert_int_equal(X509_CRL_verify(crl, f->authority->key), 1);
	n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	assert_true(n && ASN1_INTEGER_get_int64(number, n));
	ASN1_INTEGER_free(n);
	rows = X509_CRL_get_REVOKED(crl);
	count = rows ? sk_X509_REVOKED_num(rows) : 0;
	X509_CRL_free(crl);
	return count;
}

static void a_token_works_once_until_its_end(void **state)
{
	char text[CA_TOKEN_TEXT_LEN + 1], other[CA_TOKEN_TEXT_LEN + 1];
	struct ca_record made, issued, rows[CA_PAGE_MAX];
	struct ca_room *f = *state;
	size_t count;

	made = add(f, (struct ca_wish){ "cvm-1", CA_AGENT, 0, 0 }, "", text);
	assert_int_equal(made.ends, NOW + HOUR);
	assert_string_equal(ca_record_state(&made, NOW), "open");
	assert_string_equal(ca_record_state(&made, made.ends), "ended");
	add(f, (struct ca_wish){ "cvm-2", CA_AGENT, 7, 168 }, "", other);
	assert_string_not_equal(text, other);
	check_refused(f, text, NOW + HOUR);
	assert_ok(issue(f, text, NOW + HOUR - 1, &issued), f->e);
	assert_string_equal(issued.serial, made.serial);
	assert_int_equal(issued.ends, NOW + HOUR - 1 + DAY);
	check_refused(f, text, NOW);
	assert_ok(issue(f, other, NOW + INT64_C(168) * HOUR - 1, &issued), f->e);
	assert_int_equal(issued.ends - issued.issued, 7 * DAY);
	assert_ok(ca_list(db_of(f), 0, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].serial, made.serial);
	assert_string_equal(ca_record_state(&rows[0], NOW + HOUR), "issued");
	assert_string_equal(rows[1].key, issued.key);
	assert_ok(ca_list(db_of(f), rows[0].number, rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
}

static void a_request_that_is_refused_leaves_the_token(void **state)
{
	char text[CA_TOKEN_TEXT_LEN + 1];
	struct ca_record issued;
	struct ca_room *f = *state;
	const size_t len = f->len;

	add(f, (struct ca_wish){ "cvm-1", CA_AGENT, 0, 0 }, "", text);
	for (f->len = 0; f->len < len; f->len++)
		assert_refused(issue(f, text, NOW, &issued), f->e, ERR_INVALID,
			       "certificate request");
	assert_ok(issue(f, text, NOW, &issued), f->e);
}

static void every_bit_of_a_request_counts(void **state)
{
	struct ca_room *f = *state;

	for (size_t i = 0; i < 8 * f->len; i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

		f->request[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_true(signing_request_read(f->request, f->len, "a", &key, &f->e) < 0);
		assert_null(key);
		f->request[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

static void nothing_outlives_the_authority(void **state)
{
	char text[CA_TOKEN_TEXT_LEN + 1], late[CA_TOKEN_TEXT_LEN + 1];
	struct ca_room *f = *state;
	struct ca_record issued;

	add(f, (struct ca_wish){ "vm1", CA_MANAGER, 90, 0 }, "", text);
	add(f, (struct ca_wish){ "vm1", CA_MANAGER, 90, 0 }, "", late);
	f->authority->ends = NOW + DAY;
	assert_ok(issue(f, text, NOW, &issued), f->e);
	assert_int_equal(issued.ends, NOW + DAY);
	f->authority->ends = NOW;
	assert_refused(issue(f, late, NOW, &issued), f->e, ERR_PRECONDITION,
		       "the authority's own certificate has ended");
}

/* The one of before ends while a service runs: what is started again then takes it still. */
static void one_that_has_ended_is_taken_where_it_may_have(void **state)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	const int64_t later = NOW + (AUTHORITY_DAYS + 1) * (int64_t)DAY;
	struct ca_room *f = *state;
	char cert[128], key[128];

	snprintf(cert, sizeof(cert), "%s/ca.pem", f->store->dir);
	snprintf(key, sizeof(key), "%s/ca-key.pem", f->store->dir);
	assert_refused(authority_load(cert, key, later, &a, &f->e), f->e, ERR_PRECONDITION,
		       "it is not valid today");
	assert_ok(authority_load(cert, key, 0, &a, &f->e), f->e);
	assert_int_equal(a->ends, f->authority->ends);
}

static void assert_strays(struct ca_room *f, const struct authority *a, int64_t now, int64_t all,
			  int64_t revoked)
{
	int64_t found, gone;

	assert_ok(ca_strays(db_of(f), a, now, &found, &gone, &f->e), f->e);
	assert_int_equal(found, all);
	assert_int_equal(gone, revoked);
}

/* Whose authority is set no more has neither list nor status answer. */
static void what_an_authority_leaves_is_counted(void **state)
{
	CLEANUP(authority_free) struct authority *next = NULL;
	char text[CA_TOKEN_TEXT_LEN + 1], serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1];
	struct ca_room *f = *state;
	struct ca_record issued, was;
	char cert[128], key[128];
	size_t count;
	bool is_new;

	snprintf(cert, sizeof(cert), "%s/next.pem", f->store->dir);
	snprintf(key, sizeof(key), "%s/next-key.pem", f->store->dir);
	assert_ok(authority_make("example.org", cert, key, NOW, &is_new, &f->e), f->e);
	assert_ok(authority_load(cert, key, NOW, &next, &f->e), f->e);
	add(f, (struct ca_wish){ "vm1", CA_MANAGER, 90, 0 }, "", text);
	assert_strays(f, next, NOW, 0, 0); /* a token is nobody's yet */
	assert_ok(issue(f, text, NOW, &issued), f->e);
	assert_strays(f, f->authority, NOW, 0, 0);
	assert_strays(f, next, NOW, 1, 0);
	next->old = f->authority;
	assert_strays(f, next, NOW, 0, 0);
	next->old = NULL;
	assert_ok(ca_revoke(db_of(f), issued.serial, NOW, &was, serials, &count, &f->e), f->e);
	assert_strays(f, next, NOW, 1, 1);
	assert_strays(f, next, issued.ends, 0, 0);
}

static void a_person_is_a_user(void **state)
{
	const struct ca_wish wish = { "anna", CA_PERSON, 0, 0 };
	char text[CA_TOKEN_TEXT_LEN + 1];
	struct ca_room *f = *state;
	struct ca_record made;

	assert_refused(ca_token_add(db_of(f), &wish, "", NOW, &made, text, &f->e), f->e,
		       ERR_PRECONDITION, "'anna' is no user of this service, or suspended");
	store_room_user(f->store, "anna");
	add(f, wish, "", text);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	check_refused(f, text, NOW);
	assert_ok(user_suspend(db_of(f), "anna", false, &f->e), f->e);
	assert_ok(issue(f, text, NOW, &made), f->e);
	/* Who made a token and administers nothing. */
	add(f, wish, "anna", text);
	check_refused(f, text, NOW);
}

static void a_name_that_is_given_again_is_another_users(void **state)
{
	const struct ca_wish person = { "anna", CA_PERSON, 0, 0 }, agent = { "a", CA_AGENT, 0, 0 };
	char of_her[CA_TOKEN_TEXT_LEN + 1], by_her[CA_TOKEN_TEXT_LEN + 1];
	struct ca_room *f = *state;
	struct ca_record issued;

	assert_ok(user_add(db_of(f), "anna", true, NOW, &f->e), f->e);
	add(f, person, "", of_her);
	add(f, agent, "anna", by_her);
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_ok(user_add(db_of(f), "anna", true, NOW + 1, &f->e), f->e);
	check_refused(f, of_her, NOW + 2);
	check_refused(f, by_her, NOW + 2);
	/* Her own are worth something. */
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_ok(user_add(db_of(f), "anna", true, NOW, &f->e), f->e);
	add(f, person, "anna", of_her);
	assert_ok(issue(f, of_her, NOW, &issued), f->e);
}

static void lists_have_rising_numbers(void **state)
{
	char text[CA_TOKEN_TEXT_LEN + 1];
	struct ca_room *f = *state;
	char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1];
	struct ca_record issued, was;
	int64_t first, second;
	size_t revoked;

	add(f, (struct ca_wish){ "a", CA_AGENT, 0, 0 }, "", text);
	assert_ok(issue(f, text, NOW, &issued), f->e);
	assert_int_equal(read_list(f, NOW, &first), 0);
	assert_int_equal(first, NOW / 1000);
	assert_int_equal(read_list(f, NOW + CA_LIST_FRESH_H * HOUR - 1, &second), 0);
	assert_int_equal(second, first);
	assert_int_equal(read_list(f, NOW + CA_LIST_FRESH_H * HOUR, &second), 0);
	assert_true(second > first);
	/* The clock goes back: the number does not. */
	assert_int_equal(read_list(f, NOW - DAY, &first), 0);
	assert_int_equal(first, second + 1);
	assert_ok(ca_revoke(db_of(f), issued.serial, NOW, &was, serials, &revoked, &f->e), f->e);
	assert_int_equal(revoked, 1);
	assert_ok(ca_find(db_of(f), issued.serial, &was, &f->e), f->e);
	assert_true(was.number == issued.number && was.revoked == NOW);
	assert_refused(ca_find(db_of(f), "", &was, &f->e), f->e, ERR_NOT_FOUND, "serial number");
	assert_refused(ca_revoke(db_of(f), issued.serial, NOW, &was, serials, &revoked, &f->e),
		       f->e, ERR_NOT_FOUND, "no token is open, and no certificate without");
	assert_int_equal(read_list(f, NOW, &second), 1);
	assert_int_equal(second, first + 1);
	/* RFC 5280, section 3.3: also on lists that are made after its end, for a day. */
	assert_int_equal(read_list(f, issued.ends + DAY - 1, &second), 1);
	assert_ok(db_run(db_of(f), &f->e, "UPDATE certificate_lists SET fresh = 0", ""), f->e);
	assert_int_equal(read_list(f, issued.ends + DAY, &first), 0);
	/* Another authority's list is another one. */
	f->authority->fingerprint[0] = 'x';
	assert_int_equal(read_list(f, NOW, &first), 0);
	assert_int_equal(first, NOW / 1000);
}

static void there_are_so_many(void **state)
{
	const struct ca_wish wish = { "a", CA_AGENT, 0, 0 };
	char text[CA_TOKEN_TEXT_LEN + 1];
	struct ca_record made, rows[CA_PAGE_MAX];
	struct ca_room *f = *state;
	size_t count;

	assert_ok(db_begin(db_of(f), &f->e), f->e);
	assert_ok(ca_token_add(db_of(f), &wish, "", NOW, &made, text, &f->e), f->e);
	for (unsigned i = 2; i < CA_RECORDS_MAX; i++) {
		char serial[SERIAL_TEXT_LEN + 1];

		snprintf(serial, sizeof(serial), "%032u", i);
		assert_ok(
			db_run(db_of(f), &f->e,
			       "INSERT INTO certificates (serial, name, role, days, maker, created,"
			       " until, issued, key, authority, revoked, line)"
			       " VALUES (?1, 'a', 'agent', 1, '', 1, ?2, 0, '', '', 0, ?1)",
			       "ti", serial, NOW + HOUR),
			f->e);
	}
	assert_ok(ca_token_add(db_of(f), &wish, "", NOW, &made, text, &f->e), f->e);
	assert_refused(ca_token_add(db_of(f), &wish, "", NOW, &made, text, &f->e), f->e,
		       ERR_EXHAUSTED, "there are 10000 tokens and certificates");
	/* An hour later all have ended, and are told still; after that nobody knows them. */
	assert_ok(ca_token_add(db_of(f), &wish, "", NOW + HOUR, &made, text, &f->e), f->e);
	assert_ok(ca_list(db_of(f), 0, rows, &count, &f->e), f->e);
	assert_int_equal(count, CA_PAGE_MAX);
	assert_ok(ca_token_add(db_of(f), &wish, "", NOW + HOUR + (int64_t)CA_KEPT_MS, &made, text,
			       &f->e),
		  f->e);
	assert_ok(ca_list(db_of(f), 0, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_ok(db_commit(db_of(f), &f->e), f->e);
}

/* As many as there can be. */
static void a_list_holds_all_that_may_be_revoked(void **state)
{
	/* Those that ended within a day, too. */
	const size_t count = 2 * (size_t)CA_RECORDS_MAX;
	CLEANUP(free) struct certificate_revoked *rows = calloc(count, sizeof(*rows));
	CLEANUP(free) uint8_t *der = NULL;
	struct ca_room *f = *state;
	size_t len;

	assert_non_null(rows);
	for (size_t i = 0; i < count; i++) {
		assert_ok(authority_serial(rows[i].serial, &f->e), f->e);
		rows[i].when = NOW;
	}
	assert_ok(certificate_list_sign(f->authority,
					&(struct certificate_list){ .number = 1,
								    .from = NOW,
								    .until = NOW + DAY,
								    .revoked = rows,
								    .count = count },
					&der, &len, &f->e),
		  f->e);
	assert_true(len < CA_LIST_MAX);
}

static void names_are_as_their_roles_have_them(void **state)
{
	static const struct {
		const char *name;
		enum ca_role role;
		bool is_one;
	} names[] = {
		{ "a", CA_AGENT, true },
		{ "A.b_c-9", CA_AGENT, true },
		{ "", CA_AGENT, false },
		{ ".", CA_AGENT, false },
		{ "..", CA_AGENT, false },
		{ "...", CA_AGENT, true },
		{ "a,b", CA_AGENT, false },
		{ "a:b", CA_AGENT, false },
		{ "a/b", CA_PERSON, false },
		{ "a@b", CA_PERSON, false },
		{ "a\nb", CA_AGENT, false },
		{ "localhost", CA_MANAGER, true },
		{ "a.example.org", CA_SERVICE, true },
		{ "A", CA_SERVICE, false },
		{ "192.0.2.1", CA_SERVICE, true },
		{ "192.0.2.256", CA_SERVICE, false },
		{ "1", CA_SERVICE, false },
		{ "a-.b", CA_MANAGER, false },
		{ "a_b", CA_MANAGER, false },
		{ "a.", CA_MANAGER, false },
		{ "*.a", CA_MANAGER, false },
		{ "2001:db8::1", CA_MANAGER, false },
		{ "xn--mnchen-3ya.de", CA_MANAGER, true },
	};
	char longest[CA_NAME_MAX + 2];
	enum ca_role role;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((ca_name_check(names[i].name, names[i].role, &e) == 0) != names[i].is_one)
			fail_msg("%s", names[i].name);
	memset(longest, 'a', sizeof(longest));
	longest[CA_NAME_MAX] = 0;
	for (int i = 0; i < CA_ROLES; i++) {
		assert_ok(ca_name_check(longest, (enum ca_role)i, &e), e);
		assert_ok(ca_role_find(ca_roles[i].name, &role, &e), e);
		assert_int_equal(role, i);
	}
	longest[CA_NAME_MAX] = 'a';
	longest[CA_NAME_MAX + 1] = 0;
	for (int i = 0; i < CA_ROLES; i++)
		assert_int_equal(ca_name_check(longest, (enum ca_role)i, &e), -ERR_INVALID);
	assert_int_equal(ca_role_find("root", &role, &e), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_token_works_once_until_its_end),
		ROW(a_request_that_is_refused_leaves_the_token),
		ROW(every_bit_of_a_request_counts),
		ROW(nothing_outlives_the_authority),
		ROW(one_that_has_ended_is_taken_where_it_may_have),
		ROW(what_an_authority_leaves_is_counted),
		ROW(a_person_is_a_user),
		ROW(a_name_that_is_given_again_is_another_users),
		ROW(lists_have_rising_numbers),
		ROW(there_are_so_many),
		ROW(a_list_holds_all_that_may_be_revoked),
		cmocka_unit_test(names_are_as_their_roles_have_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
