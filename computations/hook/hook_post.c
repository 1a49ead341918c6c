/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook_post.h"

#include "common/base/http_status.h"
#include "common/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <curl/curl.h>
#include <openssl/x509_vfy.h>

enum { STATUS_GONE = 410, HEADER_MAX = 256 };

/* A peer chooses the size of DHE's numbers, and a large one costs this side most of a second. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS  "X25519:P-256:P-384:P-521"

struct hook_post {
	CURL *curl;
	const struct hook_nets *nets;
	const atomic_bool *stopped;
	char problem[CURL_ERROR_SIZE];
	/* Of the try. */
	struct hook_url url;
	struct err refused; /* why an address was not connected to */
	bool is_refused, is_connected, has_body;
	size_t answered; /* bytes */
	long status;     /* by the last line that says one; 0: by none */
};

/* ---- what libcurl calls ---- */

/* This very address is connected to, and nothing else: what a name says a moment later does not count. */
static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct hook_post *p = data;
	int fd;

	if (hook_nets_check(p->nets, &address->addr, p->url.plain, p->url.host, !p->url.is_address,
			    &p->refused) < 0) {
		p->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	p->is_connected = p->is_connected || fd >= 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t take(struct hook_post *p, size_t len, bool has_body)
{
	p->has_body = has_body;
	p->answered += len;
	return p->answered > HOOK_ANSWER_MAX ? 0 : len;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data)
{
	struct hook_post *p = data;

	if (http_status_is_line(bytes, size * count))
		p->status = http_status_of(bytes, size * count);
	return take(data, size * count, false);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	return take(data, size * count, true);
}

static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total,
		       curl_off_t up_now)
{
	const struct hook_post *p = data;

	return p->stopped && atomic_load(p->stopped);
}

/* ---- a handle ---- */

/* What libcurl would say at each try. */
static int check_ca(const char *ca, struct err *e)
{
	X509_STORE *store = ca ? X509_STORE_new() : NULL;
	int failed = 0;

	if (ca && !store)
		return err_nomem(e);
	if (ca && X509_STORE_load_file(store, ca) != 1)
		failed = err_set(e, ERR_INVALID, "'%s' is not there, or has no certificates", ca);
	X509_STORE_free(store);
	return failed;
}

static CURLcode prepare(struct hook_post *p, const char *ca)
{
	CURL *c = p->curl;
	CURLcode rc = curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->problem);

#define SET(option, value) (rc = rc ? rc : curl_easy_setopt(c, option, value))
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, p->nets->plain ? "http,https" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_CIPHER_LIST, CIPHERS);
	SET(CURLOPT_SSL_EC_CURVES, GROUPS);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)HOOK_CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)HOOK_TRY_MS);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_USERAGENT, "cocos-webhooks/" COCOS_VERSION);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, p);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, p);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, p);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, p);
	SET(CURLOPT_NOPROGRESS, 0L);
	if (ca) {
		SET(CURLOPT_CAINFO, ca);
		SET(CURLOPT_CAPATH, NULL);
	}
	return rc;
}

static CURLcode started;

static void start(void)
{
	started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int hook_post_new(const struct hook_nets *nets, const char *ca, const atomic_bool *stopped,
		  struct hook_post **made, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(hook_post_free) struct hook_post *p = calloc(1, sizeof(*p));
	CURLcode rc;

	if (check_ca(ca, e) < 0)
		return err_code(e);
	pthread_once(&once, start);
	if (!p || started != CURLE_OK || !(p->curl = curl_easy_init()))
		return err_nomem(e);
	p->nets = nets;
	p->stopped = stopped;
	rc = prepare(p, ca);
	if (rc != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl: %s", curl_easy_strerror(rc));
	*made = TAKE_PTR(p);
	return 0;
}

void hook_post_free(struct hook_post *p)
{
	if (!p)
		return;
	curl_easy_cleanup(p->curl);
	free(p);
}

/* ---- one try ---- */

static int add(struct curl_slist **list, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int add(struct curl_slist **list, struct err *e, const char *fmt, ...)
{
	struct curl_slist *longer;
	char line[HEADER_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		return err_set(e, ERR_INTERNAL, "a header that is too long");
	longer = curl_slist_append(*list, line);
	if (!longer)
		return err_nomem(e);
	*list = longer;
	return 0;
}

/* Standard Webhooks 1.0.0, "Webhook metadata". */
static int make_headers(const struct hook_try *t, int64_t now, struct curl_slist **list,
			struct err *e)
{
	char signature[HOOK_SIGNATURE_MAX];

	if (hook_sign(t->secret, t->has_before ? t->before : NULL, t->id, now / 1000, t->body,
		      signature, e) < 0 ||
	    add(list, e, "content-type: application/json") < 0 ||
	    add(list, e, "webhook-id: %s", t->id) < 0 ||
	    add(list, e, "webhook-timestamp: %lld", (long long)(now / 1000)) < 0 ||
	    add(list, e, "webhook-signature: %s", signature) < 0)
		return err_code(e);
	return add(list, e, "expect:");
}

/* What libcurl says is in its own words, about whatever the receiver sent. */
static void say(struct hook_outcome *o, const char *why)
{
	size_t len = 0;

	for (; *why && len < HOOK_PROBLEM_MAX; why++)
		o->problem[len++] = *why >= ' ' && *why <= '~' ? *why : '?';
	o->problem[len] = 0;
}

static void judge(struct hook_post *p, CURLcode rc, struct hook_outcome *o)
{
	char text[HOOK_PROBLEM_MAX + 1];
	long status = 0;

	if (p->is_refused && !p->is_connected) {
		say(o, p->refused.text);
		return;
	}
	/* Both have read the same, or there is none. */
	if (curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
	    status != p->status)
		status = 0;
	/* An answer that goes on and on has said its status, unless its headers do. */
	if (rc != CURLE_OK && !(rc == CURLE_WRITE_ERROR && p->has_body && status >= 200)) {
		say(o, p->answered > HOOK_ANSWER_MAX ? "an answer with too many headers"
		       : p->problem[0]               ? p->problem
						     : curl_easy_strerror(rc));
		return;
	}
	if (!status) {
		say(o, "an answer without a status of HTTP");
		return;
	}
	o->status = status;
	o->is_taken = status >= 200 && status <= 299;
	o->is_gone = status == STATUS_GONE;
	if (o->is_taken)
		return;
	snprintf(text, sizeof(text), "status %ld%s", status,
		 status >= 300 && status <= 399 ? ": redirects are not followed" : "");
	say(o, text);
}

void hook_post_try(struct hook_post *p, const struct hook_try *t, int64_t now,
		   struct hook_outcome *o)
{
	struct curl_slist *headers = NULL;
	CURL *c = p->curl;
	CURLcode rc = CURLE_OK;
	struct err e;

	*o = (struct hook_outcome){ .number = t->number, .webhook = t->webhook };
	p->is_refused = p->is_connected = p->has_body = false;
	p->answered = 0;
	p->status = 0;
	p->problem[0] = 0;
	/* Also what was allowed when it was made. */
	if (hook_url_check(t->url, p->nets, &e) < 0 || hook_url_parse(t->url, &p->url, &e) < 0 ||
	    make_headers(t, now, &headers, &e) < 0) {
		say(o, e.text);
		curl_slist_free_all(headers);
		return;
	}
	SET(CURLOPT_URL, t->url);
	SET(CURLOPT_POSTFIELDS, t->body);
	SET(CURLOPT_HTTPHEADER, headers);
	judge(p, rc ? rc : curl_easy_perform(c), o);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
}
#undef SET
