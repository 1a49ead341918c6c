/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines that wait to be let in, of any addresses, and users who look at them, let them in and refuse them, in any
 * order, while time goes on; over a store in memory. Input: commands, what(1) and what it is about (seeds/rooms.py).
 *
 * Beside it the same is kept in a list, by the words of device.h and device_room.h: after each command the database has
 * what the list has. Who gives way is the one that these words name, nobody's limit is another one's, and no place is lost.
 */
#include "common/base/reader.h"
#include "computations/people/action.h"
#include "computations/people/device.h"
#include "computations/people/user.h"
#include "tests/fuzz/store_memory.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 64, ASKS_MAX = 400, USERS = 3, KEPT_MAX = DEVICES_MAX + 1 };
enum { ASK, SEE, LET_IN, REFUSE, LOOK, TAKE, FORGET, SUSPEND, WAIT, FAIL, DAMAGE, COMMANDS };
enum { V4, V6, USER, NONSENSE, KINDS };
enum state { ASKED, REFUSED, SEEN, IN };

/* Where somebody is: the parts of his address, from the wide one to the narrow one. */
struct where {
	unsigned kind, wide, narrow, host;
};

struct kept {
	struct where where;
	char peer[DEVICE_PEER_MAX + 1], code[DEVICE_CODE_TEXT_LEN + 1];
	char secret[DEVICE_TEXT_LEN + 1];
	enum state state;
	unsigned user; /* SEEN, IN: whose */
	int64_t ends;
};

static const char *const names[USERS] = { "anna", "bert", "cora" };
static struct store store;
static int64_t now, numbers[USERS];
static bool suspended[USERS];
static struct kept kept[KEPT_MAX];
static size_t count;
static unsigned asks; /* so far: each takes time */

/* ---- who is where ---- */

/* One host of several in the /64, which is as one to the service. */
static void write_peer(const struct where *w, unsigned host, char peer[DEVICE_PEER_MAX + 1])
{
	static const char *const nonsense[] = { "unknown", "[2001:db8::1", "10.0.0", "[]", "" };

	switch (w->kind) {
	case V4:
		snprintf(peer, DEVICE_PEER_MAX + 1, "10.%u.%u.%u", w->wide, w->narrow, w->host);
		break;
	case V6:
		snprintf(peer, DEVICE_PEER_MAX + 1, "[2001:%x:%x:%x::%x]", w->wide, w->narrow,
			 w->host, host % 4 + 1);
		break;
	case USER:
		snprintf(peer, DEVICE_PEER_MAX + 1, "unix:uid=%u", w->host);
		break;
	default:
		snprintf(peer, DEVICE_PEER_MAX + 1, "%s", nonsense[w->host % ARRAY_LEN(nonsense)]);
	}
}

static bool has_address(const struct kept *k)
{
	return k->where.kind == V4 || k->where.kind == V6;
}

/* IPv4: a /16, and an address. IPv6: a /32, a /48, and a /64 that is as one address. Others are their names. */
static bool is_wide(const struct kept *a, const struct kept *b)
{
	return has_address(a) ? a->where.kind == b->where.kind && a->where.wide == b->where.wide
			      : strcmp(a->peer, b->peer) == 0;
}

static bool is_one(const struct kept *a, const struct kept *b)
{
	return is_wide(a, b) && (!has_address(a) || (a->where.narrow == b->where.narrow &&
						     a->where.host == b->where.host));
}

static bool is_narrow(const struct kept *a, const struct kept *b)
{
	return a->where.kind == V6 ? is_wide(a, b) && a->where.narrow == b->where.narrow
				   : is_one(a, b);
}

static unsigned count_beside(const struct kept *one,
			     bool (*is_beside)(const struct kept *a, const struct kept *b))
{
	unsigned beside = 0;

	for (size_t i = 0; i < count; i++)
		beside += is_beside(one, &kept[i]);
	return beside;
}

/* Somebody has looked at it or let it in, and it is among his newest. */
static bool stays(size_t at)
{
	unsigned newer = 0;

	if (kept[at].state != SEEN && kept[at].state != IN)
		return false;
	for (size_t i = at + 1; i < count; i++)
		newer += (kept[i].state == SEEN || kept[i].state == IN) &&
			 kept[i].user == kept[at].user;
	return newer < DEVICES_PER_USER;
}

/* Of the widest crowd, and in it of the narrowest; `fresh` is counted, and does not go. KEPT_MAX: nobody. */
static size_t who_goes(const struct kept *fresh)
{
	unsigned most_wide = 0, most_narrow = 0;
	size_t found = KEPT_MAX;

	for (size_t i = 0; i < count; i++) {
		const unsigned wide = count_beside(&kept[i], is_wide) + is_wide(&kept[i], fresh);
		const unsigned narrow =
			count_beside(&kept[i], is_narrow) + is_narrow(&kept[i], fresh);

		if (stays(i) || wide < most_wide || (wide == most_wide && narrow <= most_narrow))
			continue;
		found = i;
		most_wide = wide;
		most_narrow = narrow;
	}
	return found;
}

static void drop(size_t at)
{
	memmove(&kept[at], &kept[at + 1], (--count - at) * sizeof(kept[0]));
}

static void drop_ended(void)
{
	for (size_t i = count; i-- > 0;)
		if (kept[i].ends <= now)
			drop(i);
}

/* ---- commands, each a transaction as the service has it ---- */

static int end(int failed)
{
	struct err e;

	store_memory_fails = 0;
	if (failed)
		db_rollback(&store.db);
	else
		assert(db_commit(&store.db, &e) == 0);
	return failed;
}

static void begin(unsigned fails)
{
	struct err e;

	assert(db_begin(&store.db, &e) == 0);
	store_memory_fails = fails;
}

static void add(const struct kept *fresh, int failed)
{
	size_t gone = KEPT_MAX;

	drop_ended();
	if (count_beside(fresh, is_one) >= DEVICES_PER_PEER) {
		assert(err_is(failed, ERR_EXHAUSTED));
		return;
	}
	if (count >= DEVICES_MAX) {
		gone = who_goes(fresh);
		assert((gone == KEPT_MAX) == err_is(failed, ERR_EXHAUSTED));
	}
	if (failed)
		return;
	if (gone != KEPT_MAX)
		drop(gone);
	assert(count < DEVICES_MAX);
	kept[count++] = *fresh;
}

static void ask_one(const struct where *where, unsigned host, unsigned fails)
{
	struct kept fresh = { .where = *where };
	struct device d = { .about = "laptop", .scope = ACTIONS_ALL };
	size_t had = count;
	struct err e;
	int failed;

	write_peer(where, host, fresh.peer);
	snprintf(d.peer, sizeof(d.peer), "%s", fresh.peer);
	begin(fails);
	failed = end(device_ask(&store.db, &d, now, fresh.secret, &e));
	if (failed && fails && !err_is(failed, ERR_EXHAUSTED))
		return;
	if (failed) {
		/* What it removed before is there again. */
		assert(err_is(failed, ERR_EXHAUSTED));
		for (size_t i = 0; i < count; i++)
			had -= kept[i].ends <= now;
		assert(had >= DEVICES_PER_PEER);
	}
	fresh.ends = d.ends;
	memcpy(fresh.code, d.code, sizeof(fresh.code));
	add(&fresh, failed);
	if (failed)
		assert(db_run(&store.db, &e, "DELETE FROM devices WHERE ends <= ?", "i", now) == 0);
}

static void ask(struct reader *r, unsigned fails)
{
	const uint8_t first = reader_u8(r), narrow = reader_u8(r), host = reader_u8(r);
	struct where w = {
		.kind = first % KINDS, .wide = first / KINDS % 16, .narrow = narrow, .host = host
	};
	const unsigned times = 1 + reader_u8(r) % 64;
	const uint8_t step = reader_u8(r);

	/* The next one is of the next host, network or neither. */
	for (unsigned i = 0; i < times && asks < ASKS_MAX; i++, asks++) {
		ask_one(&w, i, fails);
		w.host = (w.host + (step & 1)) % 256;
		w.narrow = (w.narrow + (step >> 1 & 1)) % 256;
		w.wide = (w.wide + (step >> 2 & 1)) % 16;
	}
}

static bool waits(const struct kept *k)
{
	return k->ends > now && (k->state == ASKED || k->state == SEEN);
}

static void see(struct kept *k, unsigned user)
{
	struct device d;
	struct err e;
	int failed;

	begin(0);
	failed = device_find(&store.db, k->code, now, &d, &e);
	if (!failed)
		failed = device_see(&store.db, &d, numbers[user], &e);
	assert(end(failed) == (waits(k) ? 0 : -ERR_INVALID));
	if (failed || k->state != ASKED)
		return;
	assert(strcmp(d.peer, k->peer) == 0 && d.ends == k->ends);
	k->state = SEEN;
	k->user = user;
}

static void answer(struct kept *k, unsigned user, bool lets_in)
{
	const bool may = waits(k);
	struct err e;

	begin(0);
	assert((end(device_answer(&store.db, k->code, lets_in ? numbers[user] : 0, now, &e)) ==
		0) == may);
	if (!may)
		return;
	k->state = lets_in ? IN : REFUSED;
	k->user = user;
}

static bool is_there(const struct kept *k)
{
	return k->ends > now && !(k->state == IN && suspended[k->user]);
}

static void look(const struct kept *k)
{
	enum device_state state;
	struct err e;
	const int failed = device_look(&store.db, k->secret, now, &state, &e);

	if (!is_there(k))
		assert(err_is(failed, ERR_UNAUTHENTICATED));
	else if (k->state == REFUSED)
		assert(err_is(failed, ERR_DENIED));
	else
		assert(!failed && (state == DEVICE_IS_IN) == (k->state == IN));
}

static void take(size_t at)
{
	const struct kept *k = &kept[at];
	struct device_token token;
	struct err e;
	int failed;

	assert((device_may_take(&store.db, k->secret, now, &e) == 0) ==
	       (is_there(k) && k->state == IN));
	begin(0);
	failed = end(device_take(&store.db, k->secret, now, &token, &e));
	/* He may have as many tokens as anybody may. */
	if (err_is(failed, ERR_EXHAUSTED))
		return;
	assert(!failed == (is_there(k) && k->state == IN));
	if (failed)
		return;
	assert(token.person == numbers[k->user] && strcmp(token.user, names[k->user]) == 0);
	assert(device_look(&store.db, k->secret, now, &(enum device_state){ 0 }, &e) < 0);
	drop(at);
}

static void forget(unsigned user)
{
	struct err e;

	assert(device_forget(&store.db, numbers[user], &e) == 0);
	for (size_t i = count; i-- > 0;)
		if (kept[i].state == IN && kept[i].user == user)
			drop(i);
}

/* What no service has written: it says so, and lets nobody in by it. */
static void damage(const struct kept *k)
{
	struct device d = { .about = "laptop", .peer = "192.0.2.1", .scope = ACTIONS_ALL };
	char secret[DEVICE_TEXT_LEN + 1];
	struct err e;

	assert(db_run(&store.db, &e, "UPDATE devices SET peer = hex(zeroblob(40)) WHERE code = ?",
		      "t", k->code) == 0);
	begin(0);
	assert(err_is(end(device_ask(&store.db, &d, now, secret, &e)), ERR_DATA_LOSS) ==
	       (k->ends > now));
	if (k->ends > now)
		assert(err_is(device_look(&store.db, k->secret, now, &(enum device_state){ 0 }, &e),
			      ERR_DATA_LOSS) == is_there(k));
}

/* ---- what holds ---- */

static void check_row(struct db_rows *rows, const struct kept *k)
{
	CLEANUP(free) char *code = NULL, *peer = NULL;
	int64_t person, refused;
	struct err e;

	assert(db_text(rows, 0, &code, &e) == 0 && db_text(rows, 1, &peer, &e) == 0);
	assert(db_integer(rows, 2, 0, INT64_MAX, &person, &e) == 0);
	assert(db_integer(rows, 3, 0, INT64_MAX, &refused, &e) == 0);
	assert(strcmp(code, k->code) == 0 && strcmp(peer, k->peer) == 0);
	assert((person != 0) == (k->state == IN) && (!person || person == numbers[k->user]));
	assert((k->state == ASKED && !refused) || (k->state == REFUSED && refused == 1) ||
	       (k->state == SEEN && refused == 2 + numbers[k->user]) || k->state == IN);
}

static void check_all(void)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct err e;

	assert(count <= DEVICES_MAX);
	assert(db_query(
		       &store.db, &rows, &e,
		       "SELECT code, peer, coalesce(person, 0), refused FROM devices ORDER BY number",
		       "") == 0);
	for (size_t i = 0; i < count; i++) {
		assert(db_next(rows, &e) == 1);
		check_row(rows, &kept[i]);
	}
	assert(db_next(rows, &e) == 0);
}

static void enter(void)
{
	static const struct store_limits limits = { 1, 1, 1, 1, 64 };
	struct err e;

	store_memory_open(&store, &limits);
	now = INT64_C(1800000000000);
	count = asks = 0;
	memset(suspended, 0, sizeof(suspended));
	for (size_t i = 0; i < USERS; i++) {
		struct user u CLEANUP_USER = { .name = NULL };

		assert(user_add(&store.db, names[i], false, now, &e) == 0 &&
		       user_find(&store.db, names[i], &u, &e) == 0);
		numbers[i] = u.number;
	}
}

/* False: no more. */
static bool run_about(uint8_t what, size_t at, unsigned user)
{
	switch (what) {
	case SEE:
		see(&kept[at], user);
		break;
	case LET_IN:
	case REFUSE:
		answer(&kept[at], user, what == LET_IN);
		break;
	case LOOK:
		look(&kept[at]);
		break;
	case TAKE:
		take(at);
		break;
	case DAMAGE:
	default:
		damage(&kept[at]);
		return false;
	}
	return true;
}

static bool run_one(struct reader *r)
{
	const uint8_t what = reader_u8(r) % COMMANDS;
	uint8_t operand, about;
	struct err e;

	if (what == ASK) {
		ask(r, 0);
		return true;
	}
	operand = reader_u8(r);
	if (what == FAIL) {
		ask(r, operand % 16);
	} else if (what == WAIT) {
		now += operand * INT64_C(5000);
	} else if (what == FORGET) {
		forget(operand % USERS);
	} else if (what == SUSPEND) {
		suspended[operand % USERS] = operand & 0x80;
		assert(user_suspend(&store.db, names[operand % USERS], operand & 0x80, &e) == 0);
	} else {
		about = reader_u8(r);
		return !count || run_about(what, about % count, operand % USERS);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);

	enter();
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		if (!run_one(&r))
			return 0;
		check_all();
	}
	for (size_t i = 0; i < count; i++)
		look(&kept[i]);
	return 0;
}
