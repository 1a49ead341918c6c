/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the service's page, one after the other, over a store in memory: sessions, forms, creations that are made
 * once, passkeys, the status of certificates. Input: flags(1); then each request: how(1), a method(1), and target,
 * headers and body, each length(2) bytes, with words of web_browser.h in them.
 *
 * Each request is answered once, and with a fault of ours only if the database had one. Who shows nothing gets nothing
 * that is not everybody's; a form that has not come from a page of this session changes nothing; what is told again was not
 * made again; a challenge lets in once.
 */
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "computations/ca/authority.h"
#include "computations/ca/ocsp.h"
#include "computations/core/judge_line.h"
#include "computations/core/known_hash.h"
#include "computations/core/password_line.h"
#include "computations/core/service.h"
#include "computations/core/source_rate.h"
#include "computations/people/user.h"
#include "computations/people/workspace_member.h"
#include "computations/web/web_guard.h"
#include "computations/web/web_once.h"
#include "computations/web/web_status.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/store_memory.h"
#include "tests/fuzz/web_browser.h"

#include <openssl/ocsp.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { REQUESTS_MAX = 24, STATUS_BURST = 4 };
enum { SIGN_IN = 1, NO_AUTHORITY = 2, NO_ORIGIN = 4, LOOPBACK_ORIGIN = 8 };
enum { HOW_WAY = 3, HOW_FAILS = 4, HOW_LATER = 8, HOW_LEAVES = 16, HOW_COUNTS = 32 };

/* The rows that need none of what only the daemon has: managers, hooks, mail, executors. */
static const char *const patterns[] = {
	"/api/computations",
	"/api/computations/{id}/manifest",
	"/api/me/tokens",
	"/api/me/tokens/{name}",
	"/new",
	"/me/passkey",
	"/me/passkey/fresh",
	"/me/tokens/{name}",
	"/link",
	"/in/{secret}",
	"/sign-in",
	"/sign-in/code",
	"/sign-in/passkey",
	"/sign-in/code/passkey",
	"/passkey/{secret}",
	"/passkey/{secret}/use",
	"/ocsp/{request}",
	"/ocsp",
	"/passkey.js",
	"/c/{id}/manifest",
};

static const char *const methods[] = { "GET",    "HEAD",  "POST",    "PUT",
				       "DELETE", "PATCH", "OPTIONS", "BREW" };

static uv_loop_t loop;
static struct store store;
static struct service service;
static struct web web;
static struct rpc_server *server;
static struct known_hashes known;
static struct authority *authority;
static struct ocsp_responder *responder;
static uint8_t ocsp[BROWSER_BYTES_MAX];
static size_t ocsp_len;
static time_t later;
static int64_t challenges; /* that were answered */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int failed = __real_clock_gettime(clock, now);

	now->tv_sec += later;
	return failed;
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

	log_set(LOG_LEVEL_ERROR);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	assert(uv_loop_init(&loop) == 0);
	assert(mkdtemp(dir) && text_format(&cert, &e, "%s/ca.pem", dir) == 0 &&
	       text_format(&key, &e, "%s/ca-key.pem", dir) == 0);
	assert(authority_make("example.org", cert, key, store_now(), &is_new, &e) == 0);
	assert(authority_load(cert, key, store_now(), &authority, &e) == 0);
	assert(dir_remove(dir, &e) == 0);
	assert(ocsp_responder_new(authority, &responder, &e) == 0);
	make_ocsp();
	loop.data = &service;
}

/* A row that is left out. */
static void serve_nothing(struct http_request *r, void *data)
{
	http_request_refuse(r, &(struct http_problem){ .status = 503, .detail = "left out" });
}

static bool is_served(const struct web_route *row)
{
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
		if (strcmp(row->http.pattern, patterns[i]) == 0)
			return true;
	return false;
}

static void enter_web(uint8_t flags)
{
	static const struct source_rates rates = { .source = { 1000, STATUS_BURST },
						   .all = { 1000, STATUS_BURST } };
	struct err e;

	web = (struct web){ .service = &service };
	assert(random_bytes(web.secret, sizeof(web.secret), &e) == 0);
	for (size_t i = 0; i < web_routes_count; i++) {
		web.rows[i] = web_once_row(&web_routes[i]);
		if (!is_served(&web_routes[i]))
			web.rows[i].serve = serve_nothing;
	}
	web.routes = (struct http_routes){ web.rows, web_routes_count, &web, web_show_problem,
					   WEB_STATUS_TAIL };
	TAILQ_INIT(&web.followers);
	web.door.port = 8080;
	if (!(flags & NO_ORIGIN)) {
		const char *origin =
			flags & LOOPBACK_ORIGIN ? "http://localhost:8080" : "https://example.org";

		snprintf(web.passkeys.origin, WEB_URL_MAX, "%s", origin);
		snprintf(web.passkeys.name, WEB_URL_MAX, "%s",
			 flags & LOOPBACK_ORIGIN ? "localhost" : "example.org");
	}
	assert(sign_in_rate_new(&web.rate, &e) == 0);
	assert(source_rate_new(&rates, &web.status_rate, &e) == 0);
	service.web = &web;
}

/* A user, with a session that has just begun and no password. */
static void enter_user(void)
{
	const struct login from = { .peer = (char *)(uintptr_t)"", .about = (char *)(uintptr_t)"" };
	char session[LOGIN_TEXT_LEN + 1];
	struct user anna;
	struct err e;

	assert(user_add(&store.db, "anna", true, store_now(), &e) == 0);
	assert(user_find(&store.db, "anna", &anna, &e) == 0);
	assert(login_add(&store.db, anna.number, "", &from, store_now(), session, &e) == 0);
	user_done(&anna);
	browser_begin(session, ocsp, ocsp_len);
}

static void enter(uint8_t flags)
{
	static const struct store_limits limits = {
		.computations = 4, .cvms = 3, .records = 8, .record_bytes = 4096, .audit_rows = 64
	};
	struct store_queue *queue;
	struct err e;

	later = 0;
	challenges = 0;
	store_memory_open(&store, &limits);
	assert(store_queue_new(&loop, &store, &queue, &e) == 0);
	service_init(&service, &loop, queue, limits.cvms);
	assert(password_line_new(&loop, &service.passwords, &e) == 0);
	assert(judge_line_new(&loop, &service.judges, &e) == 0);
	service.sign_in = flags & SIGN_IN;
	memset(&known, 0, sizeof(known));
	service.known = &known;
	service.authority = flags & NO_AUTHORITY ? NULL : authority;
	service.ocsp = flags & NO_AUTHORITY ? NULL : responder;
	assert(rpc_server_new(&loop, NULL, &server, &e) == 0);
	assert(rpc_server_add(server, &admin_rpc, &service, &e) == 0);
	assert(rpc_server_add(server, &people_rpc, &service, &e) == 0);
	service.admins = server;
	enter_web(flags);
	enter_user();
}

static void leave(void)
{
	grpc_peer_settle(&loop);
	sign_in_rate_free(web.rate);
	source_rate_free(web.status_rate);
	rpc_server_free(server);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		continue;
	password_line_free(service.passwords);
	judge_line_free(service.judges);
	store_queue_free(service.queue);
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
}

static int64_t count_made(void)
{
	int64_t count;
	struct err e;

	assert(db_number(
		       &store.db, &count, &e,
		       "SELECT (SELECT count(*) FROM computations) + (SELECT count(*) FROM tokens)"
		       " + (SELECT count(*) FROM passkeys)",
		       "") == 0);
	return count;
}

/* What holds before it is asked: its headers are taken apart where they are. */
struct before {
	int64_t made;
	bool fails, is_stranger, is_again;
};

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
	assert(key && db_number(&store.db, &count, &e,
				"SELECT count(*) FROM once_keys WHERE person = 0 AND key = ?", "t",
				key) == 0);
	return count > 0;
}

static struct before look(const struct browser_request *request, bool fails)
{
	/* Whoever shows a token may be anybody. */
	const bool is_other = strcasestr(request->headers, "authorization");

	return (struct before){
		.made = count_made(),
		.fails = fails,
		.is_stranger = (request->way == BROWSER_TLS || request->way == BROWSER_LOOPBACK) &&
			       !request->says_session && !is_other,
		.is_again = request->way == BROWSER_UNIX && !is_other && was_sent(request),
	};
}

static void check(const struct browser_request *request, const struct http_route *route,
		  const struct browser_said *said, const struct before *before)
{
	const bool is_open = route && (route->may == http_anybody || route->may == web_guard_try);

	assert(said->status != 500 || before->fails);
	if (!route)
		assert(said->status >= 400 || said->status == 204);
	else if (before->is_stranger && !is_open)
		assert(said->status >= 400);
	else if (route->may == web_guard_change && !request->says_csrf)
		assert(said->status >= 400);
	if (said->is_replayed || said->status >= 400)
		assert(count_made() == before->made);
	if (before->is_again && route && route->may == web_guard_act)
		assert(count_made() <= before->made);
}

/* What a form's token is for: of a passkey that lets in, nothing was answered by it before. */
static void check_once(const struct browser_said *said, const struct http_route *route)
{
	int64_t answered;
	struct err e;

	if (!said->is_in || !route || strcmp(route->pattern, "/sign-in/passkey") != 0)
		return;
	assert(db_number(&store.db, &answered, &e, "SELECT count(*) FROM passkey_answers", "") ==
	       0);
	assert(answered > challenges);
	challenges = answered;
}

static void ask(struct reader *r)
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
		before = look(&request, fails);
		store_memory_fails = fails;
		said = browser_ask(&loop, &web.routes, &request, &route);
		store_memory_fails = 0;
		if (!request.leaves) {
			check(&request, route, &said, &before);
			check_once(&said, route);
		}
	}
	free(request.target);
	free(request.headers);
	free(request.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);

	if (!responder)
		prepare();
	enter(flags);
	for (int i = 0; i < REQUESTS_MAX && reader_ok(&r) && reader_left(&r); i++)
		ask(&r);
	leave();
	return 0;
}
