/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/trip.h"

#include "common/base/encode.h"
#include "computations/people/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

static int no_trip(struct err *e)
{
	return err_set(e, ERR_DENIED,
		       "this sign-in began in another browser or more than %d minutes ago, or is "
		       "over: begin again at /sign-in",
		       TRIP_MINUTES);
}

static bool is_secret(const char *text)
{
	return strlen(text) == TRIP_TEXT_LEN && strspn(text, "0123456789abcdef") == TRIP_TEXT_LEN;
}

static int hash_of(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	return is_secret(text) ? digest(DIGEST_SHA256, text, TRIP_TEXT_LEN, hash, e) : no_trip(e);
}

int trip_secret(char text[TRIP_TEXT_LEN + 1], struct err *e)
{
	uint8_t random[TRIP_SECRET_LEN];

	if (random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), text);
	OPENSSL_cleanse(random, sizeof(random));
	return 0;
}

int trip_derive(const char *state, const char *browser, const char *use,
		char text[TRIP_TEXT_LEN + 1], struct err *e)
{
	char said[TRIP_TEXT_LEN + 32];
	uint8_t made[SHA256_LEN];

	if (!is_secret(state) || !is_secret(browser))
		return no_trip(e);
	snprintf(said, sizeof(said), "cocos %s %s", use, state);
	if (hmac(DIGEST_SHA256, browser, TRIP_TEXT_LEN, said, strlen(said), made, e) < 0)
		return err_code(e);
	hex_encode(made, sizeof(made), text);
	OPENSSL_cleanse(made, sizeof(made));
	return 0;
}

/* The oldest of the network that has most, in the wider one that has most: who has many of them takes from himself. */
static int make_room(struct db *db, struct err *e)
{
	int64_t count;

	if (db_number(db, &count, e, "SELECT count(*) FROM trips", "") < 0)
		return err_code(e);
	if (count <= TRIPS_MAX)
		return 0;
	return db_run(
		db, e,
		"DELETE FROM trips WHERE number = (SELECT min(number) FROM trips WHERE narrow ="
		" (SELECT narrow FROM trips WHERE wide ="
		" (SELECT wide FROM trips GROUP BY wide ORDER BY count(*) DESC, min(number)"
		" LIMIT 1) GROUP BY narrow ORDER BY count(*) DESC, min(number) LIMIT 1))",
		"");
}

int trip_forget(struct db *db, const char *browser, struct err *e)
{
	uint8_t of_browser[SHA256_LEN];

	if (!is_secret(browser))
		return 0;
	if (hash_of(browser, of_browser, e) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM trips WHERE browser = ?", "b", of_browser,
		      sizeof(of_browser));
}

int trip_add(struct db *db, const char *state, const char *browser, const struct rpc_source *from,
	     const struct trip *t, int64_t now, struct err *e)
{
	uint8_t of_state[SHA256_LEN], of_browser[SHA256_LEN];
	size_t wide, narrow;

	network_lengths(from, &wide, &narrow);
	if (hash_of(state, of_state, e) < 0 || hash_of(browser, of_browser, e) < 0 ||
	    db_run(db, e, "DELETE FROM trips WHERE ends <= ?", "i", now) < 0 ||
	    db_run(db, e,
		   "INSERT INTO trips (hash, browser, wide, narrow, provider, issuer, subject, ends)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		   "bbbbttti", of_state, sizeof(of_state), of_browser, sizeof(of_browser),
		   from->bytes, wide, from->bytes, narrow, t->provider, t->issuer, t->subject,
		   now + (int64_t)TRIP_MINUTES * 60000) < 0)
		return err_code(e);
	return make_room(db, e);
}

static int copy_text(struct db_rows *row, int column, char *out, size_t size, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) >= size)
		return err_set(e, ERR_DATA_LOSS, "database: a trip's text is too long");
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int trip_find(struct db *db, const char *state, const char *browser, const char *provider,
	      bool back, int64_t now, struct trip *t, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	uint8_t of_state[SHA256_LEN], of_browser[SHA256_LEN];
	struct trip got = { .provider = "" };
	int row;

	if (hash_of(state, of_state, e) < 0 || hash_of(browser, of_browser, e) < 0 ||
	    db_query(db, &rows, e,
		     "SELECT provider, issuer, subject FROM trips"
		     " WHERE hash = ? AND browser = ? AND provider = ? AND ends > ?",
		     "bbti", of_state, sizeof(of_state), of_browser, sizeof(of_browser), provider,
		     now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_trip(e);
	if (copy_text(rows, 0, got.provider, sizeof(got.provider), e) < 0 ||
	    copy_text(rows, 1, got.issuer, sizeof(got.issuer), e) < 0 ||
	    copy_text(rows, 2, got.subject, sizeof(got.subject), e) < 0)
		return err_code(e);
	if (back != (*got.subject != '\0'))
		return no_trip(e);
	*t = got;
	return 0;
}

int trip_take(struct db *db, const char *state, const char *browser, const char *provider,
	      bool back, int64_t now, struct trip *t, struct err *e)
{
	uint8_t of_state[SHA256_LEN];
	struct trip got;
	int64_t gone;

	if (trip_find(db, state, browser, provider, back, now, &got, e) < 0 ||
	    hash_of(state, of_state, e) < 0 ||
	    db_change(db, &gone, e, "DELETE FROM trips WHERE hash = ?", "b", of_state,
		      sizeof(of_state)) < 0)
		return err_code(e);
	if (gone != 1)
		return no_trip(e);
	*t = got;
	return 0;
}
