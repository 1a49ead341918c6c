/* SPDX-License-Identifier: Apache-2.0 */
/* Renewals of certificates: who gets one, how many, what ends all of them, and what goes over to the next key. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/manifest/renewal.h"
#include "computations/ca/ca_record.h"
#include "computations/ca/signing_request.h"
#include "tests/unit/computations/store_room.h"

#include <string.h>

#define NOW INT64_C(1800000000000)
enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };
#define NONE "has ended or was revoked, or is none of ours for this key"

struct line_room {
	struct store_room *store;
	struct authority *authority;
	EVP_PKEY *keys[3]; /* the first one's is certified at the start */
	struct ca_record first;
	uint64_t nonce;
	struct err e;
};

static struct db *db_of(struct line_room *f)
{
	return &f->store->store.db;
}

static size_t make_request(EVP_PKEY *key, uint8_t out[SIGNING_REQUEST_MAX])
{
	X509_REQ *request = X509_REQ_new();
	const bool is_ed = key_kind_of(key) == KEY_ED25519;
	uint8_t *at = out;
	int len;

	assert_non_null(request);
	assert_true(X509_REQ_set_pubkey(request, key) &&
		    X509_REQ_sign(request, key, is_ed ? NULL : EVP_sha256()));
	len = i2d_X509_REQ(request, &at);
	X509_REQ_free(request);
	assert_true(len > 0);
	return (size_t)len;
}

static struct ca_record issue(struct line_room *f, struct ca_wish wish, const char *maker,
			      EVP_PKEY *key)
{
	uint8_t request[SIGNING_REQUEST_MAX];
	char text[CA_TOKEN_TEXT_LEN + 1];
	CLEANUP(free) char *pem = NULL;
	const size_t len = make_request(key, request);
	struct ca_record r;

	assert_ok(ca_token_add(db_of(f), &wish, maker, NOW, &r, text, &f->e), f->e);
	assert_ok(ca_issue(db_of(f), f->authority, text, (struct span){ request, len }, NOW, &r,
			   &pem, &f->e),
		  f->e);
	return r;
}

static int enter(void **state)
{
	struct line_room *f = calloc(1, sizeof(*f));
	char cert[128], key[128];
	bool is_new;

	if (store_room_enter((void **)&f->store) < 0)
		return -1;
	snprintf(cert, sizeof(cert), "%s/ca.pem", f->store->dir);
	snprintf(key, sizeof(key), "%s/ca-key.pem", f->store->dir);
	assert_ok(authority_make("example.org", cert, key, NOW, &is_new, &f->e), f->e);
	assert_ok(authority_load(cert, key, NOW, &f->authority, &f->e), f->e);
	for (size_t i = 0; i < ARRAY_LEN(f->keys); i++)
		assert_ok(key_generate(i == 1 ? KEY_ED25519 : KEY_ECDSA, &f->keys[i], &f->e), f->e);
	f->first = issue(f, (struct ca_wish){ "cvm-1", CA_AGENT, 0, 0 }, "", f->keys[0]);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct line_room *f = *state;
	int failed;

	authority_free(f->authority);
	for (size_t i = 0; i < ARRAY_LEN(f->keys); i++)
		EVP_PKEY_free(f->keys[i]);
	failed = store_room_leave((void **)&f->store);
	free(f);
	return failed;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

/* What is asked, as a client does it; a test changes what it is about before it is sent. */
struct asked {
	struct ca_renewal renewal;
	uint8_t request[SIGNING_REQUEST_MAX], nonce[RENEWAL_NONCE_LEN], signature[SIGNATURE_MAX];
	uint8_t *key;
};

static void asked_done(struct asked *a)
{
	free(a->key);
}
#define CLEANUP_ASKED __attribute__((cleanup(asked_done)))

static void sign(struct line_room *f, struct asked *a, EVP_PKEY *by)
{
	const struct renewal said = { a->renewal.serial, a->nonce, a->renewal.same_key,
				      a->renewal.request };
	CLEANUP(free) uint8_t *message = NULL;
	size_t len;

	assert_ok(renewal_message(&said, &message, &len, &f->e), f->e);
	assert_ok(key_sign(by, false, message, len, a->signature, &a->renewal.signature.len, &f->e),
		  f->e);
}

static void ask(struct line_room *f, struct asked *a, const char *serial, EVP_PKEY *old,
		EVP_PKEY *next)
{
	size_t len;

	*a = (struct asked){ .key = NULL };
	f->nonce++;
	memcpy(a->nonce, &f->nonce, sizeof(f->nonce));
	assert_ok(key_to_spki(old, &a->key, &len, &f->e), f->e);
	a->renewal = (struct ca_renewal){ .serial = serial,
					  .key = { a->key, len },
					  .request = { a->request, make_request(next, a->request) },
					  .nonce = { a->nonce, sizeof(a->nonce) },
					  .signature = { a->signature, 0 },
					  .same_key = old == next };
	sign(f, a, old);
}

/* `issued` may be where the serial is that was asked for. */
static int deliver(struct line_room *f, const struct asked *a, int64_t now,
		   struct ca_record *issued)
{
	CLEANUP(free) char *pem = NULL;
	struct ca_record renewed, next;
	struct err e;
	/* The look before it says the same, and uses nothing up. */
	const int looked = ca_renewal_look(db_of(f), f->authority, &a->renewal, now, &e);

	if (ca_renew(db_of(f), f->authority, &a->renewal, now, &renewed, &next, &pem, &f->e) < 0) {
		assert_null(pem);
		assert_int_equal(looked, err_code(&f->e));
		assert_string_equal(e.text, f->e.text);
		return err_code(&f->e);
	}
	assert_ok(looked, e);
	assert_non_null(pem);
	assert_string_equal(renewed.serial, a->renewal.serial);
	*issued = next;
	return 0;
}

static int renew(struct line_room *f, const char *serial, EVP_PKEY *old, EVP_PKEY *next,
		 int64_t now, struct ca_record *issued)
{
	struct asked a CLEANUP_ASKED;

	ask(f, &a, serial, old, next);
	return deliver(f, &a, now, issued);
}

static size_t end_line(struct line_room *f, const char *serial, int64_t now)
{
	char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1];
	struct ca_record was;
	size_t count;

	assert_ok(ca_revoke(db_of(f), serial, now, &was, serials, &count, &f->e), f->e);
	return count;
}

/* As listeners know it. */
struct shown {
	char text[2 * SHA256_LEN + 1];
};

static struct shown shown(struct line_room *f, EVP_PKEY *key)
{
	CLEANUP(free) uint8_t *spki = NULL;
	uint8_t hash[SHA256_LEN];
	struct shown made;
	size_t len;

	assert_ok(key_to_spki(key, &spki, &len, &f->e), f->e);
	assert_ok(digest(DIGEST_SHA256, spki, len, hash, &f->e), f->e);
	hex_encode(hash, sizeof(hash), made.text);
	return made;
}

static bool follows(struct line_room *f, EVP_PKEY *key, EVP_PKEY *next, int64_t now)
{
	bool found;

	assert_ok(ca_follows(db_of(f), shown(f, key).text, shown(f, next).text, now, &found, &f->e),
		  f->e);
	return found;
}

static int comes(struct line_room *f, EVP_PKEY *key, const char *cvm, int64_t now)
{
	return ca_agent_check(db_of(f), shown(f, key).text, cvm, now, &f->e);
}

static void it_says_what_the_old_one_says(void **state)
{
	struct line_room *f = *state;
	struct ca_record next, third;

	assert_ok(renew(f, f->first.serial, f->keys[0], f->keys[1], NOW + HOUR, &next), f->e);
	assert_string_equal(next.name, "cvm-1");
	assert_int_equal(next.role, CA_AGENT);
	assert_int_equal(next.ends, NOW + HOUR + DAY);
	assert_int_equal(next.created, f->first.created);
	assert_string_equal(next.line, f->first.serial);
	assert_string_not_equal(next.serial, f->first.serial);
	assert_int_equal(next.renewal, 1);
	assert_string_equal(ca_record_state(&next, NOW + HOUR), "issued");
	/* The next of the next. */
	assert_ok(renew(f, next.serial, f->keys[1], f->keys[2], NOW + DAY, &third), f->e);
	assert_string_equal(third.line, f->first.serial);
	assert_int_equal(third.renewal, 2);
	/* An answer that got lost is asked for once more, of the one that there is. */
	assert_ok(renew(f, next.serial, f->keys[1], f->keys[1], NOW + DAY, &third), f->e);
	assert_int_equal(third.renewal, 3);
}

static void it_is_for_the_same_key_where_that_is_said(void **state)
{
	struct line_room *f = *state;
	struct asked a CLEANUP_ASKED;
	struct ca_record next;

	ask(f, &a, f->first.serial, f->keys[0], f->keys[1]);
	a.renewal.same_key = true;
	sign(f, &a, f->keys[0]);
	assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_INVALID,
		       "the request is for another key");
	asked_done(&a);
	ask(f, &a, f->first.serial, f->keys[0], f->keys[0]);
	a.renewal.same_key = false;
	sign(f, &a, f->keys[0]);
	assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_INVALID, "had already");
	a.renewal.same_key = true;
	sign(f, &a, f->keys[0]);
	assert_ok(deliver(f, &a, NOW, &next), f->e);
	assert_string_equal(next.key, f->first.key);
	/* Nor one that it had two renewals ago. */
	assert_ok(renew(f, next.serial, f->keys[0], f->keys[1], NOW, &next), f->e);
	assert_refused(renew(f, next.serial, f->keys[1], f->keys[0], NOW, &next), f->e, ERR_INVALID,
		       "had already");
}

static void who_has_not_the_key_gets_none(void **state)
{
	struct line_room *f = *state;
	struct asked a CLEANUP_ASKED;
	struct ca_record next;

	/* Another key that says that it is the certificate's. */
	assert_refused(renew(f, f->first.serial, f->keys[1], f->keys[2], NOW, &next), f->e,
		       ERR_UNAUTHENTICATED, NONE);
	/* Its own public half is known to everybody. */
	ask(f, &a, f->first.serial, f->keys[0], f->keys[2]);
	sign(f, &a, f->keys[2]);
	assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_DENIED,
		       "the certificate's key has not signed it");
	/* What it signed is of one request, serial and nonce. */
	sign(f, &a, f->keys[0]);
	a.nonce[0] ^= 1;
	assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_DENIED, "has not signed it");
	a.nonce[0] ^= 1;
	a.renewal.request.len = make_request(f->keys[1], a.request);
	assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_DENIED, "has not signed it");
	sign(f, &a, f->keys[0]);
	a.renewal.same_key = true;
	assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_DENIED, "has not signed it");
	a.renewal.same_key = false;
	for (size_t i = 0; i < 8 * a.renewal.signature.len; i++) {
		a.signature[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_DENIED, "has not signed it");
		a.signature[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_ok(deliver(f, &a, NOW, &next), f->e);
	/* And works once. */
	assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_EXISTS, "answered before");
}

static void parts_have_their_sizes(void **state)
{
	struct line_room *f = *state;
	struct asked a CLEANUP_ASKED;
	struct ca_record next;
	struct span *const parts[] = { &a.renewal.key, &a.renewal.request, &a.renewal.nonce,
				       &a.renewal.signature };
	const size_t max[] = { SPKI_MAX, SIGNING_REQUEST_MAX, RENEWAL_NONCE_LEN, SIGNATURE_MAX };
	uint8_t *zeros = calloc(1, SIGNING_REQUEST_MAX + 1);

	assert_non_null(zeros);
	ask(f, &a, f->first.serial, f->keys[0], f->keys[1]);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct span good = *parts[i];

		parts[i]->len = 0;
		assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_INVALID, "of 0 bytes; wanted");
		*parts[i] = (struct span){ zeros, max[i] + 1 };
		assert_refused(deliver(f, &a, NOW, &next), f->e, ERR_INVALID, "bytes; wanted");
		for (size_t len = 1; len < good.len; len++) {
			*parts[i] = (struct span){ good.bytes, len };
			assert_true(deliver(f, &a, NOW, &next) < 0);
		}
		*parts[i] = good;
	}
	free(zeros);
	assert_ok(deliver(f, &a, NOW, &next), f->e);
}

static void what_is_over_is_not_renewed(void **state)
{
	struct line_room *f = *state;
	struct ca_record next, third;
	char text[CA_TOKEN_TEXT_LEN + 1];

	assert_refused(renew(f, f->first.serial, f->keys[0], f->keys[1], f->first.ends, &next),
		       f->e, ERR_UNAUTHENTICATED, NONE);
	assert_refused(renew(f, "0", f->keys[0], f->keys[1], NOW, &next), f->e, ERR_UNAUTHENTICATED,
		       NONE);
	/* A token is none yet. */
	assert_ok(ca_token_add(db_of(f), &(struct ca_wish){ "a", CA_AGENT, 0, 0 }, "", NOW, &next,
			       text, &f->e),
		  f->e);
	assert_refused(renew(f, next.serial, f->keys[0], f->keys[1], NOW, &next), f->e,
		       ERR_UNAUTHENTICATED, NONE);
	assert_ok(renew(f, f->first.serial, f->keys[0], f->keys[1], f->first.ends - 1, &next),
		  f->e);
	/* One that has ended ends its renewals. */
	assert_int_equal(end_line(f, f->first.serial, f->first.ends + 1), 2);
	assert_refused(renew(f, next.serial, f->keys[1], f->keys[2], f->first.ends + 1, &third),
		       f->e, ERR_UNAUTHENTICATED, NONE);
}

static void all_of_a_line_end_by_any_of_them(void **state)
{
	for (size_t named = 0; named < 3; named++) {
		char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1];
		struct line_room *f = *state;
		struct ca_record line[3], other, was;
		size_t count;

		line[0] = issue(f, (struct ca_wish){ "cvm-1", CA_AGENT, 0, 0 }, "", f->keys[0]);
		other = issue(f, (struct ca_wish){ "cvm-1", CA_AGENT, 0, 0 }, "", f->keys[0]);
		assert_ok(renew(f, line[0].serial, f->keys[0], f->keys[1], NOW, &line[1]), f->e);
		/* Of the first, and of the second: a tree is a line, too. */
		assert_ok(renew(f, line[0].serial, f->keys[0], f->keys[2], NOW, &line[2]), f->e);
		assert_ok(
			ca_revoke(db_of(f), line[named].serial, NOW, &was, serials, &count, &f->e),
			f->e);
		assert_int_equal(count, 3);
		for (size_t i = 0; i < 3; i++)
			assert_string_equal(serials[i], line[i].serial);
		for (size_t i = 0; i < 3; i++) {
			assert_refused(renew(f, line[i].serial, f->keys[i], f->keys[i], NOW, &was),
				       f->e, ERR_UNAUTHENTICATED, NONE);
			assert_refused(ca_revoke(db_of(f), line[i].serial, NOW, &was, serials,
						 &count, &f->e),
				       f->e, ERR_NOT_FOUND, "no certificate without being revoked");
		}
		/* Another line of the same name and key goes on. */
		assert_ok(renew(f, other.serial, f->keys[0], f->keys[1], NOW, &was), f->e);
	}
}

static void a_line_with_one_that_was_revoked_alone_is_over(void **state)
{
	struct line_room *f = *state;
	struct ca_record next;

	assert_ok(renew(f, f->first.serial, f->keys[0], f->keys[1], NOW, &next), f->e);
	/* As a database that somebody has put together. */
	assert_ok(db_run(db_of(f), &f->e, "UPDATE certificates SET revoked = 1 WHERE serial = ?",
			 "t", f->first.serial),
		  f->e);
	assert_refused(renew(f, next.serial, f->keys[1], f->keys[2], NOW, &next), f->e,
		       ERR_UNAUTHENTICATED, NONE);
	assert_false(follows(f, f->keys[0], f->keys[1], NOW));
	assert_int_equal(end_line(f, next.serial, NOW), 1);
}

static void there_are_so_many(void **state)
{
	struct line_room *f = *state;
	struct ca_record next;
	int64_t now = NOW;
	int64_t rows;

	next = f->first = issue(f, (struct ca_wish){ "b", CA_AGENT, 7, 0 }, "", f->keys[0]);
	for (unsigned i = 1; i <= CA_RENEWALS_MAX; i++) {
		assert_ok(renew(f, next.serial, f->keys[0], f->keys[0], now, &next), f->e);
		assert_int_equal(next.renewal, i);
		/* So many a day, and one more when the day is over. */
		if (i == CA_RENEWALS_A_DAY) {
			assert_refused(renew(f, f->first.serial, f->keys[0], f->keys[0],
					     NOW + DAY - 1, &next),
				       f->e, ERR_EXHAUSTED, "4 times within 24 hours");
			now = NOW + DAY;
			continue;
		}
		now += i > CA_RENEWALS_A_DAY ? DAY / CA_RENEWALS_A_DAY : 0;
	}
	assert_refused(renew(f, next.serial, f->keys[0], f->keys[0], now + DAY / 2, &next), f->e,
		       ERR_EXHAUSTED, "was renewed 100 times");
	/* The first one, which is over for long, is kept: who knows no other serial ends all by that. */
	issue(f, (struct ca_wish){ "a", CA_AGENT, 0, 0 }, "", f->keys[1]);
	assert_ok(db_run(db_of(f), &f->e,
			 "UPDATE certificates SET until = until + 5000000000 WHERE renewal = 100",
			 ""),
		  f->e);
	assert_ok(ca_token_add(db_of(f), &(struct ca_wish){ "b", CA_AGENT, 0, 0 }, "",
			       now + (int64_t)CA_KEPT_MS + 2 * DAY, &next,
			       (char[CA_TOKEN_TEXT_LEN + 1]){ 0 }, &f->e),
		  f->e);
	assert_ok(db_number(db_of(f), &rows, &f->e, "SELECT count(*) FROM certificates", ""), f->e);
	assert_int_equal(rows, CA_LINE_MAX + 1);
	assert_int_equal(end_line(f, f->first.serial, now), CA_LINE_MAX);
}

static void it_ends_with_whom_it_is_of(void **state)
{
	struct line_room *f = *state;
	struct ca_record of_anna, by_anna, next;

	assert_ok(user_add(db_of(f), "anna", true, NOW, &f->e), f->e);
	of_anna = issue(f, (struct ca_wish){ "anna", CA_PERSON, 0, 0 }, "", f->keys[0]);
	by_anna = issue(f, (struct ca_wish){ "b", CA_AGENT, 0, 0 }, "anna", f->keys[0]);
	assert_ok(renew(f, of_anna.serial, f->keys[0], f->keys[1], NOW + 1, &of_anna), f->e);
	assert_ok(renew(f, by_anna.serial, f->keys[0], f->keys[1], NOW + 1, &by_anna), f->e);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	assert_refused(renew(f, of_anna.serial, f->keys[1], f->keys[2], NOW + 1, &next), f->e,
		       ERR_UNAUTHENTICATED, NONE);
	assert_refused(renew(f, by_anna.serial, f->keys[1], f->keys[2], NOW + 1, &next), f->e,
		       ERR_UNAUTHENTICATED, NONE);
	/* Another user of that name, who came between token and renewal. */
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_ok(user_add(db_of(f), "anna", true, NOW + 1, &f->e), f->e);
	assert_refused(renew(f, of_anna.serial, f->keys[1], f->keys[2], NOW + 2, &next), f->e,
		       ERR_UNAUTHENTICATED, NONE);
	assert_refused(renew(f, by_anna.serial, f->keys[1], f->keys[2], NOW + 2, &next), f->e,
		       ERR_UNAUTHENTICATED, NONE);
}

static void another_authority_renews_none(void **state)
{
	struct line_room *f = *state;
	struct ca_record next;

	f->authority->fingerprint[0] = 'x';
	assert_refused(renew(f, f->first.serial, f->keys[0], f->keys[1], NOW, &next), f->e,
		       ERR_PRECONDITION, "another authority of before");
}

static void a_name_goes_over_to_the_next_key(void **state)
{
	struct line_room *f = *state;
	struct ca_record next;

	assert_false(follows(f, f->keys[0], f->keys[1], NOW));
	/* As one of before there were renewals. */
	assert_ok(db_run(db_of(f), &f->e, "UPDATE certificates SET tls_key = ''", ""), f->e);
	assert_ok(renew(f, f->first.serial, f->keys[0], f->keys[1], NOW, &next), f->e);
	assert_true(follows(f, f->keys[0], f->keys[1], NOW));
	assert_false(follows(f, f->keys[1], f->keys[0], NOW));
	assert_false(follows(f, f->keys[0], f->keys[2], NOW));
	assert_false(follows(f, f->keys[0], f->keys[1], next.ends));
	assert_ok(renew(f, next.serial, f->keys[1], f->keys[2], NOW, &next), f->e);
	assert_true(follows(f, f->keys[0], f->keys[2], NOW));
	/* Not to one that another token was for, of the same name. */
	end_line(f, f->first.serial, NOW);
	assert_false(follows(f, f->keys[0], f->keys[1], NOW));
	assert_false(follows(f, f->keys[0], f->keys[2], NOW));
	issue(f, (struct ca_wish){ "cvm-1", CA_AGENT, 0, 0 }, "", f->keys[1]);
	assert_false(follows(f, f->keys[0], f->keys[1], NOW));
}

static void the_message_is_as_it_is_written_down(void **state)
{
	static const char start[] = "cocos-certificate-renewal-v1\0\0\0\0\2"
				    "ab\0\0\0\x20";
	char longest[RENEWAL_SERIAL_MAX + 2];
	uint8_t nonce[RENEWAL_NONCE_LEN];
	const struct span request = { (const uint8_t *)"r", 1 };
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t hash[SHA256_LEN];
	struct renewal r = { "ab", nonce, true, request };
	struct err e;
	size_t len;

	memset(nonce, 7, sizeof(nonce));
	assert_ok(renewal_message(&r, &bytes, &len, &e), e);
	assert_int_equal(len, sizeof(start) - 1 + 32 + 5 + 4 + 32);
	assert_memory_equal(bytes, start, sizeof(start) - 1);
	assert_memory_equal(bytes + sizeof(start) - 1, nonce, 32);
	assert_memory_equal(bytes + sizeof(start) - 1 + 32, "\0\0\0\1\1\0\0\0\x20", 9);
	assert_ok(digest(DIGEST_SHA256, "r", 1, hash, &e), e);
	assert_memory_equal(bytes + len - 32, hash, 32);
	memset(longest, 'a', sizeof(longest));
	longest[RENEWAL_SERIAL_MAX + 1] = 0;
	r.serial = longest;
	assert_refused(renewal_message(&r, &bytes, &len, &e), e, ERR_INVALID, "wanted 1 to 64");
	r.serial = "";
	assert_refused(renewal_message(&r, &bytes, &len, &e), e, ERR_INVALID, "wanted 1 to 64");
}

static void a_certificate_of_ours_is_for_its_own_name(void **state)
{
	struct line_room *f = *state;
	EVP_PKEY *own = f->keys[0], *foreign = f->keys[1], *server = f->keys[2];
	char text[CA_TOKEN_TEXT_LEN + 1];
	struct ca_record open;

	issue(f, (struct ca_wish){ "cvm-1", CA_SERVICE, 0, 0 }, "", server);
	assert_ok(comes(f, own, "cvm-1", NOW), f->e);
	assert_refused(comes(f, own, "cvm-2", NOW), f->e, ERR_DENIED, "comes with its own");
	assert_refused(comes(f, server, "cvm-1", NOW), f->e, ERR_DENIED, "comes with its own");
	/* Another authority's, which the listener takes, too. */
	assert_ok(comes(f, foreign, "cvm-2", NOW), f->e);
	assert_refused(comes(f, foreign, "cvm-1", NOW), f->e, ERR_DENIED, "gives the former up");
	assert_ok(comes(f, foreign, "cvm-1", NOW + DAY), f->e);
	assert_int_equal(end_line(f, f->first.serial, NOW), 1);
	assert_ok(comes(f, foreign, "cvm-1", NOW), f->e);
	/* Whose was revoked is no other authority's. */
	assert_refused(comes(f, own, "cvm-1", NOW), f->e, ERR_DENIED, "comes with its own");
	assert_refused(comes(f, own, "cvm-2", NOW), f->e, ERR_DENIED, "comes with its own");
	/* Nor is the name that a token waits for. */
	assert_ok(ca_token_add(db_of(f), &(struct ca_wish){ "cvm-2", CA_AGENT, 0, 0 }, "", NOW,
			       &open, text, &f->e),
		  f->e);
	assert_refused(comes(f, foreign, "cvm-2", NOW), f->e, ERR_DENIED, "or a token for one");
	assert_ok(comes(f, foreign, "cvm-2", NOW + DAY), f->e);
	/* One key may have several. */
	issue(f, (struct ca_wish){ "cvm-2", CA_AGENT, 0, 0 }, "", server);
	assert_ok(comes(f, server, "cvm-2", NOW), f->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_certificate_of_ours_is_for_its_own_name),
		ROW(it_says_what_the_old_one_says),
		ROW(it_is_for_the_same_key_where_that_is_said),
		ROW(who_has_not_the_key_gets_none),
		ROW(parts_have_their_sizes),
		ROW(what_is_over_is_not_renewed),
		ROW(all_of_a_line_end_by_any_of_them),
		ROW(a_line_with_one_that_was_revoked_alone_is_over),
		ROW(there_are_so_many),
		ROW(it_ends_with_whom_it_is_of),
		ROW(another_authority_renews_none),
		ROW(a_name_goes_over_to_the_next_key),
		cmocka_unit_test(the_message_is_as_it_is_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
