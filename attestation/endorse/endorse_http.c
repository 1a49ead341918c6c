/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorse_http.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/http_status.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <curl/curl.h>

enum {
	TRY_MS = 20000,
	CONNECT_MS = 10000,
	PAUSE_FIRST_MS = 250,
	PAUSE_MAX_MS = 8000,
	NAP_MS = 100, /* how soon a pause notices that it is over */
};

struct endorse_http {
	CURL *curl;
	const atomic_bool *stopped; /* may be NULL */
	char problem[CURL_ERROR_SIZE];
};

/* One attempt's answer as it comes in. */
struct transfer {
	const struct endorse_request *request;
	struct writer body, header;
	size_t header_bytes;
	long status; /* by the last line that says one; 0: by none */
	bool too_large, twice;
};

void endorse_answer_done(struct endorse_answer *answer)
{
	free(answer->body);
	free(answer->header);
	memset(answer, 0, sizeof(*answer));
}

/* ---- addresses ---- */

static bool is_this_machine(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "[::1]", "localhost" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(host, names[i], len) == 0 &&
		    (host[len] == '\0' || host[len] == '/' || host[len] == ':'))
			return true;
	}
	return false;
}

static const char https[] = "https://", http[] = "http://";

static bool is_plain(const char *url)
{
	return strncmp(url, http, sizeof(http) - 1) == 0;
}

int endorse_http_base(const char *base, struct err *e)
{
	size_t len = strlen(base);
	bool plain = is_plain(base);

	if (!plain && strncmp(base, https, sizeof(https) - 1) != 0)
		return err_set(e, ERR_INVALID, "%s: an address begins with https://",
			       log_quote(base).text);
	const char *host = base + (plain ? sizeof(http) : sizeof(https)) - 1;
	if (!*host || *host == '/' || len > ENDORSE_URL_MAX / 2 || base[len - 1] == '/' ||
	    strpbrk(base, "?#@ \t\r\n\\"))
		return err_set(e, ERR_INVALID,
			       "%s: wanted https://HOST[:PORT][/PATH] without a slash at the end",
			       log_quote(base).text);
	if (plain && !is_this_machine(host))
		return err_set(e, ERR_INVALID, "%s: http:// is for this machine only; use https://",
			       log_quote(base).text);
	return 0;
}

/* ---- one attempt ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *t = data;

	writer_bytes(&t->body, bytes, size * count);
	t->too_large = t->body.bad;
	return t->body.bad ? 0 : size * count;
}

static bool is_named(const char *line, size_t len, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return n && len > n && strncasecmp(line, name, n) == 0 && line[n] == ':';
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t len = size * count;
	const struct endorse_request *r = t->request;

	t->header_bytes += len;
	if (t->header_bytes > ENDORSE_HEADERS_MAX) {
		t->too_large = true;
		return 0;
	}
	if (http_status_is_line(line, len))
		t->status = http_status_of(line, len);
	if (!is_named(line, len, r->header) && !is_named(line, len, r->other_header))
		return len;
	const char *value = memchr(line, ':', len);
	const char *end = line + len;

	for (value++; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && strchr("\r\n \t", end[-1]))
		end--;
	t->twice = t->twice || t->header.len;
	writer_bytes(&t->header, value, (size_t)(end - value));
	t->too_large = t->header.bad;
	return t->header.bad ? 0 : len;
}

static bool is_stopped(const struct endorse_http *h)
{
	return h->stopped && atomic_load(h->stopped);
}

/* libcurl calls it about once a second, more often while bytes come. */
static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total,
		       curl_off_t up_now)
{
	return is_stopped(data);
}

/* What holds for every request of this handle. */
static CURLcode prepare(struct endorse_http *h, const char *ca)
{
	CURL *c = h->curl;
	CURLcode rc = curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->problem);

#define SET(option, value) (rc = rc ? rc : curl_easy_setopt(c, option, value))
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_USERAGENT, "cocos/" COCOS_VERSION);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, h);
	SET(CURLOPT_NOPROGRESS, 0L);
	if (ca) {
		SET(CURLOPT_CAINFO, ca);
		SET(CURLOPT_CAPATH, NULL);
	}
	return rc;
}

static CURLcode attempt(struct endorse_http *h, const struct endorse_request *r, int64_t left,
			struct transfer *t, long *status)
{
	CURL *c = h->curl;
	CURLcode rc = CURLE_OK;

	*t = (struct transfer){ .request = r,
				.body = writer_up_to(r->max),
				.header = writer_up_to(ENDORSE_HEADER_MAX) };
	h->problem[0] = '\0';
	*status = 0;
	SET(CURLOPT_URL, r->url);
	if (r->form)
		SET(CURLOPT_POSTFIELDS, r->form);
	else
		SET(CURLOPT_HTTPGET, 1L);
	SET(CURLOPT_USERNAME, r->form ? r->user : NULL);
	SET(CURLOPT_PASSWORD, r->form ? r->password : NULL);
	/* What isn't encrypted stays on this machine, whatever proxies the environment names. */
	SET(CURLOPT_NOPROXY, is_plain(r->url) ? "*" : NULL);
	SET(CURLOPT_TIMEOUT_MS, (long)(left < TRY_MS ? left : TRY_MS));
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERDATA, t);
	rc = rc ? rc : curl_easy_perform(c);
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	if (*status != t->status) /* both have read the same, or there is none */
		*status = 0;
	return rc;
}
#undef SET

/* ---- what an attempt came to ---- */

enum outcome { DONE, FAILED, AGAIN };

static enum outcome fail(struct err *e, enum err_code code, const char *why)
{
	err_set(e, code, "%s", why);
	return FAILED;
}

static enum outcome judge_transport(const struct endorse_http *h, CURLcode rc,
				    const struct transfer *t, struct err *e)
{
	const char *why = h->problem[0] ? h->problem : curl_easy_strerror(rc);

	if (t->too_large)
		return fail(e, ERR_EXHAUSTED, "the answer is larger than such a document can be");
	switch (rc) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return fail(e, ERR_DENIED, why);
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		err_set(e, ERR_UNAVAILABLE, "%s", why);
		return AGAIN;
	default: /* no such host, no memory, …: asking again at once helps nobody */
		return fail(e, ERR_UNAVAILABLE, why);
	}
}

static enum outcome judge_status(long status, const struct transfer *t, struct err *e)
{
	switch (status) {
	case 0:
		return fail(e, ERR_UNAVAILABLE, "an answer without a status of HTTP");
	case 200:
		if (t->twice)
			return fail(e, ERR_INVALID, "the issuer's chain comes twice");
		if (t->request->header && !t->header.len) {
			err_set(e, ERR_INVALID, "an answer without the header %s",
				t->request->header);
			return FAILED;
		}
		return DONE;
	case 400:
	case 401:
	case 403:
		err_set(e, t->request->form ? ERR_DENIED : ERR_UNAVAILABLE, "status %ld", status);
		return FAILED;
	case 404:
		return fail(e, ERR_NOT_FOUND, "status 404: there is no such document");
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		err_set(e, ERR_UNAVAILABLE, "status %ld", status);
		return AGAIN;
	default:
		err_set(e, ERR_UNAVAILABLE, "status %ld", status);
		return FAILED;
	}
}

/* How long to wait: what the server asks for, else a growing time of which up to half is chance, so
 * that many clients don't come back at one moment. */
static int64_t pause_ms(struct endorse_http *h, unsigned tries)
{
	curl_off_t asked = 0;
	int64_t pause = PAUSE_FIRST_MS;
	uint16_t chance = 0;
	struct err ignored;

	if (curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &asked) == CURLE_OK && asked > 0)
		return asked < INT32_MAX ? (int64_t)asked * 1000 : INT64_MAX / 2;
	for (unsigned i = 1; i < tries && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	if (random_bytes(&chance, sizeof(chance), &ignored) < 0)
		chance = 0;
	return pause / 2 + pause / 2 * chance / UINT16_MAX;
}

static void nap(const struct endorse_http *h, int64_t ms)
{
	for (; ms > 0 && !is_stopped(h); ms -= NAP_MS)
		poll(NULL, 0, ms < NAP_MS ? (int)ms : NAP_MS);
}

static int answer_take(struct transfer *t, struct endorse_answer *answer, struct err *e)
{
	struct endorse_answer made = { 0 };

	if (t->request->header && endorse_unescape((const char *)t->header.bytes, t->header.len,
						   &made.header, &made.header_len, e) < 0)
		return err_wrap(e, "header %s", t->request->header);
	made.body = writer_take(&t->body, &made.len);
	if (!made.body || !made.len) {
		endorse_answer_done(&made);
		return err_set(e, ERR_INVALID, "an empty answer");
	}
	*answer = made;
	return 0;
}

static void transfer_done(struct transfer *t)
{
	writer_done(&t->body);
	writer_done(&t->header);
}

int endorse_http_get(struct endorse_http *h, const struct endorse_request *request,
		     int64_t deadline, struct endorse_answer *answer, struct err *e)
{
	const char *method = request->form ? "POST" : "GET";

	for (unsigned tries = 1;; tries++) {
		int64_t left = deadline - clock_ms(CLOCK_MONOTONIC);
		long status;

		if (is_stopped(h))
			return err_set(e, ERR_CANCELLED, "%s %s: stopped", method, request->url);
		if (left <= 0) {
			if (tries == 1)
				err_set(e, ERR_DEADLINE, "no time is left");
			return err_wrap(e, "%s %s", method, request->url);
		}
		__attribute__((cleanup(transfer_done))) struct transfer t = { 0 };
		CURLcode rc = attempt(h, request, left, &t, &status);
		enum outcome outcome =
			rc ? judge_transport(h, rc, &t, e) : judge_status(status, &t, e);
		if (outcome == DONE && answer_take(&t, answer, e) == 0)
			return 0;
		if (outcome != AGAIN || request->form || tries == ENDORSE_ATTEMPTS_MAX)
			return err_wrap(e, "%s %s", method, request->url);
		int64_t pause = pause_ms(h, tries);
		if (pause >= deadline - clock_ms(CLOCK_MONOTONIC)) {
			err_wrap(e, "%s %s", method, request->url);
			return err_wrap(e, "to be asked again in %lld s, past the deadline",
					(long long)((pause + 999) / 1000));
		}
		nap(h, pause);
	}
}

/* ---- the handle ---- */

static CURLcode started;

static void start(void)
{
	started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int endorse_http_new(const char *ca, const atomic_bool *stopped, struct endorse_http **made,
		     struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(endorse_http_free) struct endorse_http *h = calloc(1, sizeof(*h));
	CURLcode rc;

	pthread_once(&once, start);
	if (!h || started != CURLE_OK || !(h->curl = curl_easy_init()))
		return err_nomem(e);
	h->stopped = stopped;
	rc = prepare(h, ca);
	if (rc != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl: %s", curl_easy_strerror(rc));
	*made = TAKE_PTR(h);
	return 0;
}

void endorse_http_free(struct endorse_http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
}

int endorse_unescape(const char *text, size_t len, char **out, size_t *out_len, struct err *e)
{
	CLEANUP(free) char *made = malloc(len + 1);
	size_t n = 0;

	if (!made)
		return err_nomem(e);
	for (size_t i = 0; i < len; i++) {
		char digits[3] = "";
		uint8_t byte = (uint8_t)text[i];

		if (byte == '%') {
			if (len - i < 3)
				return err_set(e, ERR_INVALID, "half an escape at its end");
			memcpy(digits, text + i + 1, 2);
			if (hex_decode(digits, &byte, 1, e) < 0)
				return err_wrap(e, "an escape");
			i += 2;
		}
		if (!byte)
			return err_set(e, ERR_INVALID, "a zero byte");
		made[n++] = (char)byte;
	}
	made[n] = '\0';
	*out = TAKE_PTR(made);
	*out_len = n;
	return 0;
}
