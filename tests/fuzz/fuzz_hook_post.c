/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the servers answer that webhooks are sent to, in any bytes and pieces, and what comes of it: deliveries that are due,
 * tried and tried again, over a store in memory that may fail.
 *
 * Input: commands, as orders_hook.h has them. One try is one connection and one request; an outcome says what was answered, in
 * words that can be shown; what was taken is not sent again, and who wants no more gets no more.
 */
#include "common/base/log.h"
#include "common/base/reader.h"
#include "computations/hook/hook_post.h"
#include "computations/seal/secret_keep.h"
#include "tests/fuzz/orders_hook.h"
#include "tests/fuzz/post_peer.h"
#include "tests/fuzz/store_memory.h"
#include "tests/self_signed.h"

#include <signal.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 100, PIECES_MAX = 32, START_MS = 1000 * 1000, MINUTE = 60 * 1000 };

static const char *const urls[HOOK_ATS] = {
	[HOOK_AT_PLAIN] = "http://127.0.0.1/hook?x=1",
	[HOOK_AT_TLS] = "https://127.0.0.1:8443/hook",
	[HOOK_AT_PUBLIC] = "https://public.example/",
	[HOOK_AT_PRIVATE] = "https://private.example/",
	[HOOK_AT_PUBLIC_PLAIN] = "http://public.example/",
	[HOOK_AT_REFUSED] = "https://10.0.0.1/",
	[HOOK_AT_NOWHERE] = "https://user@127.0.0.1/",
};

static struct store store;
static struct hook_post *post;
static struct hook_nets nets = { .plain = true };
static atomic_bool stopped;
static int64_t now;
static unsigned chance;

/* In place of chance, so that an input comes to the same each time. */
int __wrap_random_bytes(void *bytes, size_t len, struct err *e);
int __wrap_random_bytes(void *bytes, size_t len, struct err *e)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(chance >> 8 * (i % 2));
	chance += 257;
	return 0;
}

/* ---- one try ---- */

struct answer {
	uint8_t bytes[1 << 16];
	size_t len;
};

static void read_answer(struct reader *r, struct answer *a)
{
	const unsigned pieces = reader_u8(r) % PIECES_MAX;

	a->len = 0;
	for (unsigned i = 0; i < pieces; i++) {
		const unsigned times = reader_u8(r);
		size_t len = reader_u8(r);
		const uint8_t *bytes;

		len = len < reader_left(r) ? len : reader_left(r);
		bytes = reader_take(r, len);
		post_peer_say(bytes, len, times + 1);
		if (len && a->len + len <= sizeof(a->bytes)) {
			memcpy(a->bytes + a->len, bytes, len);
			a->len += len;
		}
	}
	post_peer_end();
}

/* What says it in words that nobody has to be afraid of. */
static void check_outcome(const struct hook_try *t, const struct hook_outcome *o,
			  const struct answer *a)
{
	char digits[8];

	assert(o->number == t->number && o->webhook == t->webhook);
	assert(!o->status || (o->status >= 100 && o->status <= 999));
	assert(o->is_taken == (o->status >= 200 && o->status <= 299));
	assert(o->is_gone == (o->status == 410));
	assert(o->is_taken == !o->problem[0]);
	for (const char *c = o->problem; *c; c++)
		assert(*c >= ' ' && *c <= '~');
	if (!o->status)
		return;
	snprintf(digits, sizeof(digits), "%03d", (int)o->status);
	assert(a->len && memmem(a->bytes, a->len, digits, 3) && strncmp(t->url, "http:", 5) == 0);
}

static void check_request(const struct hook_try *t, const uint8_t *heard, size_t len)
{
	const size_t body = strlen(t->body);
	char id[HOOK_ID_MAX + 32];
	const int id_len = snprintf(id, sizeof(id), "\r\nwebhook-id: %s\r\n", t->id);

	assert(len > 5 + body && memcmp(heard, "POST ", 5) == 0);
	assert(memcmp(heard + len - body, t->body, body) == 0);
	assert(memmem(heard, len, id, (size_t)id_len));
	assert(memmem(heard, len, "\r\nwebhook-signature: v1,", 24));
	assert(!memmem(heard, len, "\r\nexpect", 8) && !memmem(heard, len, "\r\nCookie", 8));
}

static void try_one(const struct hook_try *t, struct reader *r, struct hook_outcome *o)
{
	static struct answer answer;
	const bool is_plain = strncmp(t->url, "http:", 5) == 0;
	const uint8_t *heard;
	unsigned connections;
	size_t len;

	memset(o, 0xff, sizeof(*o));
	post_peer_begin(!is_plain);
	read_answer(r, &answer);
	hook_post_try(post, t, now, o);
	heard = post_peer_heard(&len, &connections);
	assert(connections <= 1 && (connections || !len));
	check_outcome(t, o, &answer);
	if (is_plain && connections && !atomic_load(&stopped))
		check_request(t, heard, len);
	/* The one that is refused was not spoken to. */
	if (strstr(t->url, "private") || strstr(t->url, "http://public") || strstr(t->url, "10.0"))
		assert(!connections && o->problem[0]);
}

static void post_alone(uint8_t at, struct reader *r)
{
	struct hook_try t = { .number = 1, .webhook = 2, .has_before = at & 128 };
	struct hook_outcome o;

	snprintf(t.url, sizeof(t.url), "%s", urls[at % HOOK_ATS]);
	snprintf(t.id, sizeof(t.id), "msg_1");
	snprintf(t.body, sizeof(t.body), "{}");
	try_one(&t, r, &o);
}

/* ---- the queue ---- */

/* A transaction that fails has changed nothing. */
static bool ended(bool good)
{
	struct err e;

	if (good && db_commit(&store.db, &e) == 0)
		return true;
	db_rollback(&store.db);
	return false;
}

static void check_tried(const struct hook_outcome *o, bool disabled)
{
	struct hook_delivery d;
	struct hook h;
	struct err e;

	store_memory_fails = 0;
	if (hook_delivery_find(&store.db, o->webhook, o->number, &d, &e) < 0) {
		assert(e.code == ERR_NOT_FOUND); /* it was deleted */
		return;
	}
	assert(d.tries >= 1 && d.tries <= HOOK_TRIES && d.status == o->status);
	assert(!o->is_taken || d.state == HOOK_TAKEN);
	assert(!o->is_gone || d.state == HOOK_FAILED);
	assert(d.state != HOOK_WAITING || (d.due > now && d.tries < HOOK_TRIES));
	assert(hook_find(&store.db, 1, o->webhook, &h, &e) == 0);
	assert(!disabled || (!h.enabled && h.reason[0]));
	assert(!o->is_gone || disabled);
}

static void tell(const struct hook_outcome *o, bool is_deleted)
{
	bool disabled = false, good;
	struct err e;

	if (db_begin(&store.db, &e) < 0)
		return;
	good = !is_deleted || hook_delete(&store.db, o->webhook, &e) == 0;
	good = good && hook_tried(&store.db, o, now, &disabled, &e) == 0;
	if (ended(good))
		check_tried(o, disabled);
}

static void try_due(uint8_t how, struct reader *r)
{
	static struct hook_try tries[HOOK_AT_ONCE_MAX];
	struct hook_busy busy[HOOK_AT_ONCE_MAX + 1] = { { 1, 1 } };
	const size_t busy_count =
		how & HOOK_TRY_MANY_BUSY ? HOOK_AT_ONCE_MAX + 1 : !!(how & HOOK_TRY_BUSY);
	size_t count = 0;
	int64_t wait;
	struct err e;

	if (db_begin(&store.db, &e) < 0)
		return;
	if (!ended(hook_next(&store.db, store.secrets, now, busy, busy_count, HOOK_AT_ONCE_MAX,
			     tries, &count, &wait, &e) == 0))
		return;
	assert(count + busy_count <= HOOK_AT_ONCE_PLACE && wait >= -1);
	for (size_t i = 0; i < count; i++) {
		struct hook_outcome o;

		assert(!busy_count || tries[i].webhook != 1);
		assert(i == 0 || tries[i].webhook != tries[0].webhook);
		try_one(&tries[i], r, &o);
		tell(&o, how & HOOK_TRY_DELETED);
	}
}

/* ---- who has webhooks ---- */

static void lose(uint8_t which)
{
	const struct secret_owner owner = secret_owner_of(which % 8 + 1);
	struct err e;

	(void)!secret_forget(&store.db,
			     which & HOOK_LOSE_BEFORE ? &secret_webhook_before : &secret_webhook,
			     owner.text, &e);
}

static int change(enum hook_order order, uint8_t operand, struct reader *r, struct err *e)
{
	const int64_t webhook = operand % 8 + 1;
	struct hook_wish wish = { urls[operand % HOOK_ATS], "", "anna", HOOK_EVENTS_ALL };
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook made;
	size_t added;

	switch (order) {
	case HOOK_ORDER_ADD:
		return hook_add(&store.db, store.secrets, 1, &wish, &nets, now, &made, secret, e);
	case HOOK_ORDER_DELIVER:
		return hook_deliver(&store.db, 1, operand % HOOK_EVENTS, "\"x\":1", now, &added, e);
	case HOOK_ORDER_ROTATE:
		return hook_rotate(&store.db, store.secrets, webhook, now, secret, e);
	case HOOK_ORDER_ENABLE:
	case HOOK_ORDER_DISABLE:
		return hook_enable(&store.db, webhook, order == HOOK_ORDER_ENABLE, e);
	case HOOK_ORDER_DELETE:
		return hook_delete(&store.db, webhook, e);
	default:
		return hook_redeliver(&store.db, webhook, reader_u8(r), now, e);
	}
}

static void command(struct reader *r)
{
	const enum hook_order order = reader_u8(r) % HOOK_ORDERS;
	const uint8_t operand = reader_u8(r);
	struct err e;

	switch (order) {
	case HOOK_ORDER_TRY:
		try_due(operand, r);
		break;
	case HOOK_ORDER_POST:
		post_alone(operand, r);
		break;
	case HOOK_ORDER_TIME:
		now += (int64_t)operand * 10 * MINUTE;
		break;
	case HOOK_ORDER_BACK:
		now -= (int64_t)operand * 60 * MINUTE;
		now = now < START_MS ? START_MS : now;
		break;
	case HOOK_ORDER_LOSE:
		lose(operand);
		break;
	case HOOK_ORDER_FAILS:
		store_memory_fails = operand;
		break;
	case HOOK_ORDER_STOP:
		atomic_store(&stopped, operand & 1);
		break;
	default:
		if (db_begin(&store.db, &e) == 0)
			ended(change(order, operand, r, &e) == 0);
	}
}

/* ---- all of it ---- */

/* Authorities of which there is one, which nobody has a certificate of. */
static void set_up(void)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	CLEANUP(free) char *pem = NULL;
	char path[] = "/tmp/cocos-fuzz-ca-XXXXXX";
	struct err e;
	int fd;

	log_set(LOG_LEVEL_ERROR);
	signal(SIGPIPE, SIG_IGN);
	assert(hook_nets_parse("127.0.0.0/8", &nets, &e) == 0);
	assert(hook_post_new(&nets, "/nowhere", &stopped, &post, &e) < 0);
	assert(key_generate(KEY_ECDSA, &key, &e) == 0);
	cert = self_signed(key, "nobody", NULL, 0);
	pem = self_signed_pem(cert);
	fd = mkstemp(path);
	assert(pem && fd >= 0 && write(fd, pem, strlen(pem)) == (ssize_t)strlen(pem));
	close(fd);
	assert(hook_post_new(&nets, path, &stopped, &post, &e) == 0);
	unlink(path); /* and without authorities nobody is trusted, either */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct store_limits limits = { 1, 1, 1, 1, 64 };
	struct reader r = reader_over(bytes, len);

	if (!post)
		set_up();
	store_memory_open(&store, &limits);
	atomic_store(&stopped, false);
	now = START_MS;
	chance = 0;
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++)
		command(&r);
	return 0;
}
