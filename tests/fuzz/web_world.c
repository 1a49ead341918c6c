/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/web_world.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/keyed_rate.h"
#include "computations/admin/admin_billing.h"
#include "computations/admin/admin_calls.h"
#include "computations/admin/admin_webhook.h"
#include "computations/ca/authority.h"
#include "computations/ca/ocsp.h"
#include "computations/core/call_rate.h"
#include "computations/core/judge_line.h"
#include "computations/core/password_line.h"
#include "computations/people/token.h"
#include "computations/people/user.h"
#include "computations/people/workspace_member.h"
#include "computations/web/web_access.h"
#include "computations/web/web_guard.h"
#include "computations/web/web_status.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/store_memory.h"
#include "tests/fuzz/web_who.h"

#include <openssl/ocsp.h>

enum { STATUS_BURST = 4 };
enum {
	HOW_WAY = 3,
	HOW_FAILS = 4,
	HOW_LATER = 8,
	HOW_LEAVES = 16,
	HOW_COUNTS = 32,
	HOW_SPENT = 64
};

static const char *const methods[] = { "GET",    "HEAD",  "POST",    "PUT",
				       "DELETE", "PATCH", "OPTIONS", "BREW" };

struct web_world world;
static struct rpc_server *server;
static struct admin_calls calls;
static struct authority *authority;
static struct ocsp_responder *responder;
static uint8_t ocsp[BROWSER_BYTES_MAX];
static size_t ocsp_len;
static char audit_log[] =
	"/tmp/cocos-fuzz-audit-XXXXXX"; /* the place of one that is removed at once */
static uint64_t account;                /* Anna's, as calls are counted */
static bool was_spent;                  /* it was used up, with this input */
static time_t later;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int failed = __real_clock_gettime(clock, now);

	now->tv_sec += later;
	return failed;
}

/* Passwords as cheap as they have to be here: argon2's own tests are the unit tests'. */

int __wrap_password_make(const char *text, struct password *p, struct err *e);
int __wrap_password_make(const char *text, struct password *p, struct err *e)
{
	*p = (struct password){ .memory = PASSWORD_MEMORY_KIB, .passes = PASSWORD_PASSES };
	return digest(DIGEST_SHA256, text, strlen(text), p->hash, e);
}

int __wrap_password_matches(const struct password *p, const char *text, bool *matches,
			    struct err *e);
int __wrap_password_matches(const struct password *p, const char *text, bool *matches,
			    struct err *e)
{
	uint8_t hash[SHA256_LEN];

	if (digest(DIGEST_SHA256, text, strlen(text), hash, e) < 0)
		return err_code(e);
	*matches = memcmp(hash, p->hash, sizeof(hash)) == 0;
	return 0;
}

/* ---- the service ---- */

/* As its certificate's status is asked for. */
static void make_ocsp(void)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), authority->cert, authority->cert);
	uint8_t *der = NULL;
	int len;

	assert(request && id && OCSP_request_add0_id(request, id));
	len = i2d_OCSP_REQUEST(request, &der);
	assert(len > 0 && (size_t)len <= sizeof(ocsp));
	memcpy(ocsp, der, (size_t)len);
	ocsp_len = (size_t)len;
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
}

static void prepare(void)
{
	char dir[] = "/tmp/cocos-fuzz-web-XXXXXX";
	CLEANUP(free) char *cert = NULL, *key = NULL;
	struct err e;
	bool is_new;
	int fd;

	log_set(LOG_LEVEL_ERROR);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	assert(uv_loop_init(&world.loop) == 0);
	assert(mkdtemp(dir) && text_format(&cert, &e, "%s/ca.pem", dir) == 0 &&
	       text_format(&key, &e, "%s/ca-key.pem", dir) == 0);
	assert(authority_make("example.org", cert, key, store_now(), &is_new, &e) == 0);
	assert(authority_load(cert, key, store_now(), &authority, &e) == 0);
	assert(dir_remove(dir, &e) == 0);
	fd = mkstemp(audit_log);
	assert(fd >= 0 && close(fd) == 0 && unlink(audit_log) == 0);
	assert(ocsp_responder_new(authority, &responder, &e) == 0);
	make_ocsp();
	world.loop.data = &world.service;
}

/* A row that is left out. */
static void serve_nothing(struct http_request *r, void *data)
{
	http_request_refuse(r, &(struct http_problem){ .status = 503, .detail = "left out" });
}

static bool is_served(const struct web_route *row, const char *const *patterns)
{
	for (; *patterns; patterns++)
		if (strcmp(row->http.pattern, *patterns) == 0)
			return true;
	return false;
}

static void enter_web(uint8_t flags, const char *const *patterns)
{
	static const struct keyed_rate_form rate = {
		.each = { 1000, STATUS_BURST }, .all = { 1000, STATUS_BURST }, .sets = 1, .ways = 4
	};
	struct err e;

	world.web = (struct web){ .service = &world.service };
	assert(random_bytes(world.web.secret, sizeof(world.web.secret), &e) == 0);
	web_set_rows(&world.web);
	for (size_t i = 0; i < web_routes_count; i++)
		if (!is_served(&web_routes[i], patterns))
			world.web.rows[i].serve = serve_nothing;
	TAILQ_INIT(&world.web.followers);
	TAILQ_INIT(&world.web.statements);
	world.web.door.port = 8080;
	if (!(flags & WORLD_NO_ORIGIN)) {
		const char *origin = flags & WORLD_LOOPBACK_ORIGIN ? "http://localhost:8080"
								   : "https://example.org";

		snprintf(world.web.passkeys.origin, WEB_URL_MAX, "%s", origin);
		snprintf(world.web.passkeys.name, WEB_URL_MAX, "%s",
			 flags & WORLD_LOOPBACK_ORIGIN ? "localhost" : "example.org");
	}
	assert(sign_in_rate_new(&world.web.rate, &e) == 0);
	assert(keyed_rate_new(&rate, &world.web.status_rate, &e) == 0);
	world.service.web = &world.web;
}

/* Who calls, and how often, is noted as the daemon does, with one call a second for each. */
static void enter_calls(uint8_t flags)
{
	const struct config config = { .max_calls = 1,
				       .audit_log = audit_log,
				       .admin_sign_in = flags & WORLD_SIGN_IN };
	struct err e;

	assert(admin_calls_open(&calls, &config, &e) == 0);
	assert(unlink(audit_log) == 0);
	world.service.known = &calls.known;
	world.service.calls = calls.rate;
	rpc_server_observe(server, &admin_calls_observer, &calls);
}

/* A user, with a session that has just begun, and was seen. */
static void enter_user(uint8_t flags)
{
	uint8_t hash[SHA256_LEN];
	const struct login from = { .peer = (char *)(uintptr_t)"", .about = (char *)(uintptr_t)"" };
	char session[LOGIN_TEXT_LEN + 1];
	struct password password;
	struct user anna;
	struct err e;

	assert(user_add(&world.store.db, "anna", true, store_now(), &e) == 0);
	assert(user_find(&world.store.db, "anna", &anna, &e) == 0);
	assert(login_add(&world.store.db, anna.number, "", &from, store_now(), session, &e) == 0);
	world.anna = anna.number;
	assert(login_hash(session, hash, &e) == 0);
	known_hash_learn(&calls.known, hash, "anna");
	account = known_hash_account(&calls.known, hash);
	if (flags & WORLD_PASSWORD)
		assert(password_make(WORLD_PASSWORD_TEXT, &password, &e) == 0 &&
		       password_set(&world.store.db, anna.number, &password, store_now(), &e) == 0);
	user_done(&anna);
	browser_begin(session, ocsp, ocsp_len);
}

void web_world_enter(uint8_t flags, const char *const *patterns)
{
	static const struct store_limits limits = {
		.computations = 4, .cvms = 3, .records = 8, .record_bytes = 4096, .audit_rows = 64
	};
	static const struct rpc_service *const rpcs[] = { &admin_rpc, &people_rpc, &webhooks_rpc,
							  &billing_rpc };
	struct store_queue *queue;
	struct err e;

	if (!responder)
		prepare();
	later = 0;
	was_spent = false;
	store_memory_open(&world.store, &limits);
	assert(store_queue_new(&world.loop, &world.store, &queue, &e) == 0);
	service_init(&world.service, &world.loop, queue, limits.cvms);
	assert(password_line_new(&world.loop, &world.service.passwords, &e) == 0);
	assert(judge_line_new(&world.loop, &world.service.judges, &e) == 0);
	world.service.sign_in = flags & WORLD_SIGN_IN;
	world.service.authority = flags & WORLD_NO_AUTHORITY ? NULL : authority;
	world.service.ocsp = flags & WORLD_NO_AUTHORITY ? NULL : responder;
	assert(rpc_server_new(&world.loop, NULL, &server, &e) == 0);
	for (size_t i = 0; i < ARRAY_LEN(rpcs); i++)
		assert(rpc_server_add(server, rpcs[i], &world.service, &e) == 0);
	world.service.admins = server;
	enter_calls(flags);
	enter_web(flags, patterns);
	enter_user(flags);
}

void web_world_leave(void)
{
	grpc_peer_settle(&world.loop);
	sign_in_rate_free(world.web.rate);
	keyed_rate_free(world.web.status_rate);
	rpc_server_free(server);
	while (uv_run(&world.loop, UV_RUN_DEFAULT))
		continue;
	password_line_free(world.service.passwords);
	judge_line_free(world.service.judges);
	store_queue_free(world.service.queue);
	admin_calls_close(&calls);
}

/* ---- what is asked, and what must hold ---- */

/* Without zero bytes: whoever carries a request lets none pass. */
static char *read_text(struct reader *r, struct browser_request *request)
{
	CLEANUP_WRITER struct writer w = writer_up_to(BROWSER_PART_MAX);
	size_t len = reader_be16(r), ignored;
	const uint8_t *bytes = reader_take(r, len);
	char *text;

	if (bytes)
		browser_put(&w, bytes, len, request);
	writer_u8(&w, 0);
	text = w.bad ? strdup("/") : (char *)writer_take(&w, &ignored);
	assert(text);
	return text;
}

static void read_body(struct reader *r, struct browser_request *request)
{
	CLEANUP_WRITER struct writer w = writer_up_to(BROWSER_PART_MAX);
	size_t len = reader_be16(r);
	const uint8_t *bytes = reader_take(r, len);

	if (bytes)
		browser_put(&w, bytes, len, request);
	if (!w.bad && w.len)
		request->body = writer_take(&w, &request->body_len);
	request->says_password = request->body && memmem(request->body, request->body_len,
							 "password=", strlen("password="));
}

void web_world_wait(unsigned seconds)
{
	later += seconds;
}

int64_t web_world_count(const char *sql)
{
	int64_t count;
	struct err e;

	assert(db_number(&world.store.db, &count, &e, sql, "") == 0);
	return count;
}

static int64_t count_made(void)
{
	return web_world_count(
		"SELECT (SELECT count(*) FROM computations) + (SELECT count(*) FROM tokens)"
		" + (SELECT count(*) FROM passkeys)");
}

/* Rows that were changed, ever. */
static int64_t count_changes(void)
{
	return web_world_count("SELECT total_changes()");
}

/* What holds before it is asked: its headers are taken apart where they are. */
struct before {
	int64_t made, changes;
	bool fails, is_again;
	bool is_spent; /* she may make no more calls now, nor might anybody who were counted as nobody */
	bool is_hers; /* it shows her session or token, and nothing else that says who it is */
	struct web_who who;
};

/* Later than now is what a clock that went back leaves: none comes by that the moment before it is asked. */
static void spend(void)
{
	const uint64_t both[] = { account, 0 };
	int64_t seconds;
	struct err e;

	was_spent = true;
	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		while (call_rate_take(calls.rate, both[i], "",
				      call_rate_now() + INT64_C(3600000000000), &seconds, &e) == 0)
			continue;
}

/* Whether the service's administrator, who has no name here, sent something with that key before. */
static bool was_sent(const struct browser_request *request)
{
	static const char field[] = "\nidempotency-key: ";
	const char *at = strstr(request->headers, field);
	CLEANUP(free) char *key = NULL;
	int64_t count;
	struct err e;

	if (!at)
		return false;
	at += sizeof(field) - 1;
	key = strndup(at, strcspn(at, "\n"));
	assert(key && db_number(&world.store.db, &count, &e,
				"SELECT count(*) FROM once_keys WHERE person = 0 AND key = ?", "t",
				key) == 0);
	return count > 0;
}

static struct before look(const struct browser_request *request, bool fails, bool is_spent)
{
	/* Whoever shows a token may be anybody. */
	const bool is_other = strcasestr(request->headers, "authorization");

	return (struct before){
		.made = count_made(),
		.changes = count_changes(),
		.fails = fails,
		.is_again = request->way == BROWSER_UNIX && !is_other && was_sent(request),
		.is_spent = is_spent,
		.is_hers = web_who_shows(request, 's', account) ||
			   web_who_shows(request, 'k', account) ||
			   web_who_shows(request, 'a', account),
		.who = web_who_asks(request),
	};
}

/* Who is put off is one whose calls count, on a row where they do; and then she is. */
static void check_count(const struct browser_request *request, const struct web_route *row,
			const struct browser_said *said, const struct before *before)
{
	const bool is_counted = row && web_route_is_counted(row);

	if (said->is_put_off)
		assert(said->status == 429 && was_spent && is_counted &&
		       (request->says_session || request->says_token));
	if (before->is_spent && before->is_hers && is_counted)
		assert(said->is_put_off || (said->status >= 400 && said->status != 429));
}

/* Who may not gets nothing and changes nothing; who shows what is good is known. */
static void check_who(const struct browser_request *request, const struct web_route *row,
		      const struct browser_said *said, const struct before *before)
{
	if (web_who_is_kept_out(&before->who, request, row))
		assert(said->status >= 400 && count_changes() == before->changes);
	if (before->who.is_known && row->http.may == web_guard_read && row->type && !before->fails)
		assert(said->status != 401);
}

static void check(const struct browser_request *request, const struct http_route *route,
		  const struct browser_said *said, const struct before *before)
{
	const struct web_route *row = route ? &web_routes[route - world.web.rows] : NULL;
	int (*const may)(struct http_request *r, void *data, struct err *e) =
		row ? row->http.may : NULL;
	const bool is_open = may == http_anybody || may == web_guard_try;

	check_count(request, row, said, before);
	assert(!said->is_put_off || !is_open);
	assert(said->status != 500 || before->fails);
	if (!row)
		assert(said->status >= 400 || said->status == 204);
	else
		check_who(request, row, said, before);
	if (may == web_guard_change && !request->says_csrf)
		assert(said->status >= 400);
	if (said->is_replayed || said->status >= 400)
		assert(count_made() == before->made);
	if (before->is_again && may == web_guard_act)
		assert(count_made() <= before->made);
}

void web_world_ask(struct reader *r,
		   void (*also)(const struct browser_request *request,
				const struct browser_said *said, const struct http_route *route))
{
	struct browser_request request = { .body = NULL };
	const uint8_t how = reader_u8(r);
	const struct http_route *route = NULL;
	struct browser_said said;
	struct before before;
	unsigned fails = how & HOW_FAILS ? reader_u8(r) % 64 : 0;

	request.way = (enum browser_way)(how & HOW_WAY);
	request.leaves = how & HOW_LEAVES;
	if (how & HOW_LATER)
		later += 60 * (1 + reader_u8(r) % 16);
	if (how & HOW_COUNTS)
		browser_count(reader_u8(r));
	request.method = methods[reader_u8(r) % ARRAY_LEN(methods)];
	request.target = read_text(r, &request);
	request.headers = read_text(r, &request);
	read_body(r, &request);
	if (reader_ok(r)) {
		if (how & HOW_SPENT)
			spend();
		before = look(&request, fails, how & HOW_SPENT);
		store_memory_fails = fails;
		said = browser_ask(&world.loop, &world.web.routes, &request, &route);
		store_memory_fails = 0;
		if (!request.leaves) {
			check(&request, route, &said, &before);
			if (also)
				also(&request, &said, route);
		}
	}
	free(request.target);
	free(request.headers);
	free(request.body);
}
